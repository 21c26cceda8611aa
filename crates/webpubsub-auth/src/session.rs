//! The sessions of operators who are signed in on the service's page.

use std::time::Duration;

use webpubsub_protocol::json::Writer;
use webpubsub_protocol::time::Timestamp;

use crate::access_key::AccessKeys;
use crate::audience::ServiceAudience;
use crate::claims::{Claims, Skew};
use crate::error::{AudienceError, TokenError};
use crate::token::{sign, verify};

/// What a session's token is for. It is no URL, so the token opens nothing else.
const AUDIENCE: &str = "webpubsub-edge session";

/// How long a session lasts.
pub const SESSION_LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// The most characters of a ticket's id.
const MAX_TICKET_ID_BYTES: usize = 64;

/// The keys that sign the sessions of operators. They are made out of a secret and an access key, so nothing that
/// either of them signs by itself is a session, and a change of either ends all sessions.
#[expect(missing_debug_implementations, reason = "it has a key")]
pub struct SessionKeys(AccessKeys);

impl SessionKeys {
    /// Makes the keys; `None` without an access key.
    #[must_use]
    pub fn new(secret: &str, access_key: &str) -> Option<Self> {
        AccessKeys::new(&["session\n", access_key, "\n", secret].concat(), None).ok().map(Self)
    }

    /// Makes a session that begins now.
    #[must_use]
    pub fn sign(&self, now: Timestamp) -> String {
        let mut claims = Writer::object();
        claims.text("aud", AUDIENCE).number("exp", now.after(SESSION_LIFETIME).as_seconds());
        sign(&self.0, &claims.finish())
    }

    /// Checks a session. Returns when it ends.
    ///
    /// # Errors
    /// [`TokenError`] for anything that [`SessionKeys::sign`] has not made with the same keys, and after its end.
    pub fn verify(&self, now: Timestamp, session: &str) -> Result<Timestamp, TokenError> {
        let claims = verify(&self.0, session)?;
        let claims = Claims::parse(&claims)?;
        claims.check_times(now, Skew::None)?;
        claims
            .check_audience(&|audience| (audience == AUDIENCE).then_some(()).ok_or(AudienceError::Scheme))?;
        let ends = claims.one("exp")?.and_then(|exp| exp.unsigned()).ok_or(TokenError::NoExpiry)?;
        Ok(Timestamp::from_millis(ends.saturating_mul(1000)))
    }
}

/// What begins a session once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// What makes it the only one: `jti`, 1 to 64 bytes.
    pub id: String,
    /// When it is not good any more.
    pub expires: Timestamp,
}

/// Checks a ticket: a token for a path of the service that has an id.
///
/// # Errors
/// [`TokenError`] for anything else. Whether it was used before is not known here.
pub fn verify_ticket(
    keys: &AccessKeys,
    now: Timestamp,
    token: &str,
    expected: &ServiceAudience<'_>,
) -> Result<Ticket, TokenError> {
    let claims = verify(keys, token)?;
    let claims = Claims::parse(&claims)?;
    claims.check_times(now, Skew::None)?;
    claims.check_audience(&|audience| expected.named_by(audience))?;
    let id = claims.text("jti")?.filter(|id| (1..=MAX_TICKET_ID_BYTES).contains(&id.len()));
    let expires = claims.one("exp")?.and_then(|exp| exp.unsigned()).ok_or(TokenError::NoExpiry)?;
    let expires = Timestamp::from_millis(expires.saturating_mul(1000));
    id.map(|id| Ticket { id, expires }).ok_or(TokenError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audience::Hosts;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn keys(secret: &str, access_key: &str) -> SessionKeys {
        SessionKeys::new(secret, access_key).unwrap()
    }

    #[test]
    fn a_session_lasts_twelve_hours() {
        let keys = keys("secret", "key");
        let session = keys.sign(NOW);
        let ends = NOW.after(SESSION_LIFETIME);
        assert_eq!(keys.verify(NOW, &session), Ok(ends));
        assert_eq!(keys.verify(ends, &session), Ok(ends));
        assert_eq!(keys.verify(ends.after(Duration::from_millis(1)), &session), Err(TokenError::Expired));
    }

    #[test]
    fn a_change_of_the_secret_or_the_key_ends_sessions() {
        let session = keys("secret", "key").sign(NOW);
        for (secret, key) in [("other", "key"), ("secret", "other"), ("", "key\nsecret")] {
            assert_eq!(keys(secret, key).verify(NOW, &session), Err(TokenError::Signature), "{secret} {key}");
        }
    }

    #[test]
    fn no_other_token_is_a_session() {
        let access = AccessKeys::new("key", None).unwrap();
        let session = keys("secret", "key");
        for claims in [r#"{"aud":"webpubsub-edge session","exp":4000000000}"#, r#"{"exp":4000000000}"#] {
            assert_eq!(session.verify(NOW, &sign(&access, claims)), Err(TokenError::Signature));
        }
        let other = sign(&session.0, r#"{"aud":"https://a.example/","exp":4000000000}"#);
        assert_eq!(session.verify(NOW, &other), Err(TokenError::Audience(AudienceError::Scheme)));
        let hosts = Hosts { requested: "a.example", accepted: &[] };
        let audience = ServiceAudience { hosts, path: "/management/hubs" };
        assert!(crate::verify_service(&access, NOW, &session.sign(NOW), &audience).is_err());
    }

    #[test]
    fn a_ticket_has_an_id_and_is_for_its_path() {
        let access = AccessKeys::new("key", None).unwrap();
        let ticket = |claims: &str| {
            let hosts = Hosts { requested: "a.example", accepted: &[] };
            let audience = ServiceAudience { hosts, path: "/management/session" };
            verify_ticket(&access, NOW, &sign(&access, claims), &audience)
        };
        let good = r#"{"aud":"https://a.example/management/session","exp":1700000060,"jti":"x"}"#;
        let expires = Timestamp::from_millis(1_700_000_060_000);
        assert_eq!(ticket(good), Ok(Ticket { id: "x".to_owned(), expires }));
        assert_eq!(ticket(&good.replace(",\"jti\":\"x\"", "")), Err(TokenError::Malformed));
        assert_eq!(ticket(&good.replace("\"x\"", "\"\"")), Err(TokenError::Malformed));
        assert_eq!(
            ticket(&good.replace("\"x\"", &format!("\"{}\"", "x".repeat(65)))),
            Err(TokenError::Malformed)
        );
        assert_eq!(ticket(&good.replace("60,", "00.5,")), Err(TokenError::NoExpiry));
        assert_eq!(ticket(&good.replace("session", "hubs")), Err(TokenError::Audience(AudienceError::Path)));
        assert_eq!(ticket(&good.replace("1700000060", "1699999999")), Err(TokenError::Expired));
    }
}
