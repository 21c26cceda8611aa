use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, crypto};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::{ClientType, TokenRequest};
use webpubsub_protocol::time::Timestamp;

use crate::access_key::AccessKeys;
use crate::audience::{ClientAudience, ServiceAudience};
use crate::claims::{Claims, ClientClaims, Skew};
use crate::error::TokenError;

/// The token in the value of an `Authorization` header; `None` where it has another scheme.
///
/// Source: client spec, section 1.
#[must_use]
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
}

/// Checks a client's token.
///
/// # Errors
/// [`TokenError::Group`] for a good token that names an impossible group, and the others for a bad
/// token; [`TokenError::answer`] turns them into HTTP.
///
/// Source: client spec, section 2.
pub fn verify_client(
    keys: &AccessKeys,
    now: Timestamp,
    token: &str,
    expected: &ClientAudience<'_>,
) -> Result<ClientClaims, TokenError> {
    let claims = verify(keys, token)?;
    claims.check_times(now, Skew::Tolerated)?;
    claims.check_audience(|audience| expected.is_named_by(audience))?;
    claims.into_client_claims()
}

/// Checks a server's token.
///
/// # Errors
/// [`TokenError`] for a bad token: 401.
///
/// Source: REST spec, section 1.3.
pub fn verify_service(
    keys: &AccessKeys,
    now: Timestamp,
    token: &str,
    expected: &ServiceAudience<'_>,
) -> Result<(), TokenError> {
    let claims = verify(keys, token)?;
    claims.check_times(now, Skew::Tolerated)?;
    claims.check_audience(|audience| expected.is_named_by(audience))
}

/// Makes a client's token for `hub`; `origin` is the service as its clients see it, such as
/// `https://example.com` or `http://localhost:8080`.
///
/// Source: REST spec, section 4.
#[must_use]
pub fn sign_client(
    keys: &AccessKeys,
    now: Timestamp,
    hub: &HubName,
    request: &TokenRequest,
    origin: &str,
) -> String {
    #[derive(Serialize)]
    struct ClientToken<'a> {
        aud: String,
        iat: u64,
        nbf: u64,
        exp: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        sub: Option<&'a str>,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        role: &'a [String],
        #[serde(rename = "webpubsub.group", skip_serializing_if = "Vec::is_empty")]
        groups: Vec<&'a str>,
    }

    let origin = origin.strip_suffix('/').unwrap_or(origin);
    let path = match request.client_type {
        ClientType::Default => "client",
        ClientType::Mqtt => "clients/mqtt",
    };
    sign(
        keys,
        &ClientToken {
            aud: format!("{origin}/{path}/hubs/{hub}"),
            iat: now.as_seconds(),
            nbf: now.as_seconds(),
            exp: now.as_seconds().saturating_add(request.lifetime.as_secs()),
            sub: request.user_id.as_ref().map(|user| user.as_str()),
            role: &request.roles,
            groups: request.groups.iter().map(|group| group.as_str()).collect(),
        },
    )
}

/// Makes a token that says what `claims` says: an object, when printed as JSON.
#[must_use]
pub fn sign(keys: &AccessKeys, claims: &impl Serialize) -> String {
    let sign = || -> jsonwebtoken::errors::Result<String> {
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims)?);
        let message = format!("{HEADER}.{payload}");
        let signature = crypto::sign(message.as_bytes(), &keys.primary().signing, Algorithm::HS256)?;
        Ok(format!("{message}.{signature}"))
    };
    let token = sign();
    debug_assert!(token.is_ok(), "only claims that cannot be printed as JSON fail to be signed");
    // An empty token opens nothing.
    token.unwrap_or_default()
}

/// `{"alg":"HS256","typ":"JWT"}`
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// What counts in a token's header; key ids, types and the like do not.
///
/// `jsonwebtoken` reads the whole of it, embedded keys of every kind included. That costs more than
/// all the rest of a verification, and 17 KB of the gzipped worker.
#[derive(Deserialize)]
struct Header {
    alg: String,
    /// Extensions that have to be understood. We know none.
    crit: Option<IgnoredAny>,
}

/// The claims of a token that one of the keys signed. All its times and its audience are still to
/// be judged.
pub(crate) fn verify(keys: &AccessKeys, token: &str) -> Result<Claims, TokenError> {
    let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
    let header: Header = decode(header)?;
    if header.alg != "HS256" || header.crit.is_some() {
        return Err(TokenError::Algorithm);
    }
    let is_signed = keys.iter().any(|key| {
        crypto::verify(signature, message.as_bytes(), &key.verifying, Algorithm::HS256).unwrap_or(false)
    });
    if is_signed { decode(payload) } else { Err(TokenError::Signature) }
}

/// Reads one part of a token: JSON in base64url, without padding.
///
/// `serde_json` does not look whether what it skips is UTF-8.
fn decode<T: DeserializeOwned>(part: &str) -> Result<T, TokenError> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    let json = String::from_utf8(json).map_err(|_| TokenError::Malformed)?;
    serde_json::from_str(&json).map_err(|_| TokenError::Malformed)
}
