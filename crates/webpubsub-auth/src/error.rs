//! What can be wrong with a token.

use webpubsub_protocol::name::NameError;
use webpubsub_protocol::rest::Refusal;

/// Why a token is refused. No variant holds any part of the token. Its text is the sentence of its answer: the log says
/// what the caller reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.answer().1)]
pub enum TokenError {
    /// There is none.
    Missing,
    /// It is no JSON Web Token, or a claim has a shape that it cannot have.
    Malformed,
    /// Its algorithm is not HS256, or it demands extensions.
    Algorithm,
    /// Neither access key made its signature.
    Signature,
    /// It does not say when it expires.
    NoExpiry,
    /// It has expired.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It is meant for another URL.
    Audience(AudienceError),
    /// It is for another connection or hub (reconnection tokens only).
    Connection,
    /// Everything else is right, but it names a group that cannot be: 400.
    Group(NameError),
    /// Everything else is right, but it names a user that cannot be: 400.
    User,
}

/// What is wrong with the audience of a token; of several audiences, with the one that is the
/// nearest, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AudienceError {
    /// There is none.
    Missing,
    /// It is no URL with a scheme of the web.
    Scheme,
    /// Its host is another one.
    Host,
    /// Its path is another one.
    Path,
}

impl TokenError {
    /// The HTTP status of the refusal, and a sentence for people that says which check failed. What a
    /// check compares with is not in it; signatures are checked first, so what a token says is only
    /// judged aloud for those who hold a key.
    ///
    /// Source: docs/spec/client.md#client-tokens, docs/spec/client.md#handshake.
    #[must_use]
    pub const fn answer(self) -> (u16, &'static str) {
        match self {
            Self::Group(NameError::Dots) => (
                400,
                "The token contains an invalid group name. `.` and `..` are no names, since URLs resolve them as path segments.",
            ),
            Self::Group(_) => (400, "The token contains an invalid group name."),
            Self::User => (
                400,
                "The token contains an invalid user id. `.` and `..` are no names, since URLs resolve them as path segments.",
            ),
            Self::Missing => (
                401,
                "The access token is missing: send it as `Authorization: Bearer`, or as a client's query parameter `access_token`.",
            ),
            Self::Malformed => (
                401,
                "The access token is malformed: it is no JSON Web Token, or a claim has another type than it should.",
            ),
            Self::Algorithm => (401, "The access token is not signed with HS256."),
            Self::Signature => {
                (401, "The access token's signature is invalid: no access key of this service made it.")
            }
            Self::NoExpiry => (401, "The access token has no expiry (`exp`)."),
            Self::Expired => (401, "The access token has expired (`exp`)."),
            Self::NotYetValid => (401, "The access token is not valid yet (`nbf`)."),
            Self::Audience(AudienceError::Missing) => (401, "The access token has no audience (`aud`)."),
            Self::Audience(AudienceError::Scheme) => {
                (401, "The access token's audience (`aud`) has another scheme than http, https, ws or wss.")
            }
            Self::Audience(AudienceError::Host) => {
                (401, "The access token's audience (`aud`) names another host than the request.")
            }
            Self::Audience(AudienceError::Path) => {
                (401, "The access token's audience (`aud`) names another path than the request.")
            }
            Self::Connection => (401, "The token is for another connection."),
        }
    }
}

/// What a server's request is refused with.
impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        Self::Unauthorized { why: error.answer().1 }
    }
}
