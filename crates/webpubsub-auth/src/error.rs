/// Why a token is refused. No variant holds any part of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is no JSON Web Token, or a claim has a shape that it cannot have.
    #[error("the token is malformed")]
    Malformed,
    /// Its algorithm is not HS256, or it demands extensions.
    #[error("the token is not plain HS256")]
    Algorithm,
    /// Neither access key made its signature.
    #[error("the token is not signed with an access key of this service")]
    Signature,
    /// It does not say when it expires.
    #[error("the token has no expiry")]
    NoExpiry,
    /// It has expired.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// It is meant for another URL.
    #[error("the token is for another audience")]
    Audience,
    /// It is for another connection or hub (reconnection tokens only).
    #[error("the token is for another connection")]
    Connection,
    /// Everything else is right, but it names a group that cannot be: 400.
    #[error("the token contains an invalid group name")]
    Group,
}

impl TokenError {
    /// The HTTP status and body of a client's refused handshake.
    ///
    /// Source: client spec, sections 2 and 3.
    #[must_use]
    pub const fn answer(self) -> (u16, &'static str) {
        match self {
            Self::Group => (400, "The token contains an invalid group name."),
            Self::Malformed
            | Self::Algorithm
            | Self::Signature
            | Self::NoExpiry
            | Self::Expired
            | Self::NotYetValid
            | Self::Audience
            | Self::Connection => (401, ""),
        }
    }
}
