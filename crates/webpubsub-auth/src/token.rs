//! Tokens as they are sent: where they stand in a request, and whether a key has signed them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, crypto};
use webpubsub_protocol::json::Writer;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::{ClientType, TokenRequest};
use webpubsub_protocol::time::Timestamp;

use crate::access_key::AccessKeys;
use crate::audience::{ClientAudience, PublicOrigin, ServiceAudience};
use crate::claims::{Claims, ClientClaims, Expiry, Skew};
use crate::error::TokenError;

/// The token in the value of an `Authorization` header; `None` where it has another scheme.
///
/// Source: docs/spec/client.md#names.
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
/// Source: docs/spec/client.md#client-tokens.
pub fn verify_client(
    keys: &AccessKeys,
    now: Timestamp,
    token: &str,
    expected: &ClientAudience<'_>,
) -> Result<ClientClaims, TokenError> {
    let claims = verify(keys, token)?;
    let claims = Claims::parse(&claims)?;
    claims.check_times(now, Skew::Tolerated)?;
    let origin = claims.check_audience(&|audience| expected.named_by(audience))?;
    claims.into_client_claims(origin.host, expected.group_claims())
}

/// Checks a server's token, and says where the server sees the service.
///
/// # Errors
/// [`TokenError`] for a bad token: 401.
///
/// Source: docs/spec/rest.md#authentication.
pub fn verify_service(
    keys: &AccessKeys,
    now: Timestamp,
    token: &str,
    expected: &ServiceAudience<'_>,
) -> Result<PublicOrigin, TokenError> {
    verify_service_until(keys, now, token, expected).map(|(origin, _)| origin)
}

/// Does what [`verify_service`] does, and says when the token ends, too.
pub(crate) fn verify_service_until(
    keys: &AccessKeys,
    now: Timestamp,
    token: &str,
    expected: &ServiceAudience<'_>,
) -> Result<(PublicOrigin, Expiry), TokenError> {
    let claims = verify(keys, token)?;
    let claims = Claims::parse(&claims)?;
    let expiry = claims.check_times(now, Skew::Tolerated)?;
    Ok((claims.check_audience(&|audience| expected.named_by(audience))?, expiry))
}

/// Makes a client's token for `hub`; `origin` is the service as its clients see it, such as
/// `https://example.com` or `http://localhost:8080`.
///
/// Source: docs/spec/rest.md#tokens-for-clients.
#[must_use]
pub fn sign_client(
    keys: &AccessKeys,
    now: Timestamp,
    hub: &HubName,
    request: &TokenRequest,
    origin: &str,
) -> String {
    let origin = origin.strip_suffix('/').unwrap_or(origin);
    let path = match request.client_type {
        ClientType::Default => "client",
        ClientType::Mqtt => "clients/mqtt",
    };
    let mut claims = Writer::object();
    claims.text("aud", &format!("{origin}/{path}/hubs/{hub}"));
    claims.number("iat", now.as_seconds()).number("nbf", now.as_seconds());
    claims.number("exp", now.as_seconds().saturating_add(request.lifetime.as_secs()));
    if let Some(user) = &request.user_id {
        claims.text("sub", user.as_str());
    }
    if !request.roles.is_empty() {
        claims.json("role", &Writer::texts(&request.roles));
    }
    if !request.groups.is_empty() {
        claims.json("webpubsub.group", &Writer::texts(&request.groups));
    }
    sign(keys, &claims.finish())
}

/// Makes a token that says what `claims` says, the text of a JSON object.
#[must_use]
pub fn sign(keys: &AccessKeys, claims: &str) -> String {
    let message = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(claims));
    let signature = crypto::sign(message.as_bytes(), &keys.primary().signing, Algorithm::HS256);
    debug_assert!(signature.is_ok(), "every key signs");
    // A token without a signature opens nothing.
    format!("{message}.{}", signature.unwrap_or_default())
}

/// `{"alg":"HS256","typ":"JWT"}`
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// The claims of a token that one of the keys signed, as JSON. All its times and its audience are
/// still to be judged.
///
/// Of its header only the algorithm counts; key ids, types and the like do not. `jsonwebtoken` reads
/// the whole of it, embedded keys of every kind included. That costs more than all the rest of a
/// verification, and 17 KB of the gzipped worker.
pub(crate) fn verify(keys: &AccessKeys, token: &str) -> Result<String, TokenError> {
    let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
    // What nearly every library writes need not be read.
    if header != HEADER {
        check_header(&decode(header)?)?;
    }
    let is_signed = keys.iter().any(|key| {
        crypto::verify(signature, message.as_bytes(), &key.verifying, Algorithm::HS256).unwrap_or(false)
    });
    if is_signed { decode(payload) } else { Err(TokenError::Signature) }
}

fn check_header(header: &str) -> Result<(), TokenError> {
    let header = Claims::parse(header)?;
    let algorithm = header.text("alg")?.ok_or(TokenError::Malformed)?;
    // Extensions that have to be understood: we know none.
    if algorithm != "HS256" || header.one("crit")?.is_some() {
        return Err(TokenError::Algorithm);
    }
    Ok(())
}

/// Reads one part of a token: JSON in base64url, without padding.
fn decode(part: &str) -> Result<String, TokenError> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    String::from_utf8(json).map_err(|_| TokenError::Malformed)
}
