use serde::Serialize;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::TokenRequest;
use webpubsub_protocol::time::Timestamp;

use crate::access_key::AccessKeys;
use crate::audience::{ClientAudience, ServiceAudience};
use crate::claims::ClientClaims;
use crate::error::TokenError;

/// The token in an `Authorization` header; `None` where it has another scheme.
#[must_use]
pub fn bearer(_header: &str) -> Option<&str> {
    None
}

/// Checks a client's token.
///
/// # Errors
/// [`TokenError::Group`] for a good token with a bad group name; the others for a bad token.
pub fn verify_client(
    _keys: &AccessKeys,
    _now: Timestamp,
    _token: &str,
    _expected: &ClientAudience<'_>,
) -> Result<ClientClaims, TokenError> {
    Err(TokenError::Malformed)
}

/// Checks a server's token.
///
/// # Errors
/// [`TokenError`] for a bad token.
pub fn verify_service(
    _keys: &AccessKeys,
    _now: Timestamp,
    _token: &str,
    _expected: &ServiceAudience<'_>,
) -> Result<(), TokenError> {
    Err(TokenError::Malformed)
}

/// Makes a client's token for `hub`; `origin` is the service as clients see it, such as
/// `https://example.com` or `http://localhost:8080`.
#[must_use]
pub fn sign_client(
    keys: &AccessKeys,
    _now: Timestamp,
    _hub: &HubName,
    _request: &TokenRequest,
    _origin: &str,
) -> String {
    sign(keys, &())
}

/// Makes a token with any claims.
#[must_use]
pub fn sign(keys: &AccessKeys, claims: &impl Serialize) -> String {
    let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    let token = jsonwebtoken::encode(&header, claims, &keys.primary().signing);
    debug_assert!(token.is_ok(), "claims that are no JSON");
    token.unwrap_or_default()
}
