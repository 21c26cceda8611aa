//! Reconnection tokens, by which a client proves which connection it had.

use std::time::Duration;

use webpubsub_protocol::json::Writer;
use webpubsub_protocol::name::{ConnectionId, HubName};
use webpubsub_protocol::time::Timestamp;

use crate::access_key::AccessKeys;
use crate::claims::{Claims, Skew};
use crate::error::{AudienceError, TokenError};
use crate::token::{sign, verify};

/// Who makes these tokens: it keeps them apart from all others that the keys sign.
///
/// Source: docs/spec/client.md#reconnection-tokens.
const ISSUER: &str = "https://webpubsub.azure.com";

/// How long a token recovers its connection. The connection itself goes long before.
///
/// Source: docs/spec/client.md#reconnection-tokens.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Makes the token that proves to be the client of a connection, to recover it after a drop.
///
/// Source: docs/spec/client.md#reconnection-tokens.
#[must_use]
pub fn sign_reconnection_token(
    keys: &AccessKeys,
    now: Timestamp,
    connection: &ConnectionId,
    hub: &HubName,
) -> String {
    let mut claims = Writer::object();
    claims.text("iss", ISSUER).text("aud", connection.as_str()).text("hub", hub.as_str());
    claims.number("nbf", now.as_seconds()).number("exp", now.after(LIFETIME).as_seconds());
    sign(keys, &claims.finish())
}

/// Checks that a token recovers this connection of this hub.
///
/// # Errors
/// [`TokenError`] where it does not. The client learns it on the WebSocket, never by an HTTP status.
///
/// Source: docs/spec/client.md#recovery.
pub fn verify_reconnection_token(
    keys: &AccessKeys,
    now: Timestamp,
    token: &str,
    connection: &ConnectionId,
    hub: &HubName,
) -> Result<(), TokenError> {
    let claims = verify(keys, token)?;
    let claims = Claims::parse(&claims)?;
    claims.check_times(now, Skew::None)?;
    let is_expected = |audience: &str| audience == connection.as_str();
    claims.check_audience(&|audience| is_expected(audience).then_some(()).ok_or(AudienceError::Path))?;
    let says = |name, expected: &str| claims.text(name).map(|text| text.as_deref() == Some(expected));
    if says("iss", ISSUER)? && says("hub", hub.as_str())? { Ok(()) } else { Err(TokenError::Connection) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
    const WEEK: u64 = 7 * 24 * 60 * 60 * 1000;

    fn keys() -> AccessKeys {
        AccessKeys::new("primary", Some("secondary")).unwrap()
    }

    fn check(
        keys: &AccessKeys,
        now: Timestamp,
        token: &str,
        connection: &str,
        hub: &str,
    ) -> Result<(), TokenError> {
        let (connection, hub) = (ConnectionId::parse(connection).unwrap(), HubName::parse(hub).unwrap());
        verify_reconnection_token(keys, now, token, &connection, &hub)
    }

    fn token(keys: &AccessKeys) -> String {
        sign_reconnection_token(
            keys,
            NOW,
            &ConnectionId::parse("c1").unwrap(),
            &HubName::parse("chat").unwrap(),
        )
    }

    #[test]
    fn a_token_recovers_its_connection_of_its_hub_and_no_other() {
        let (keys, token) = (keys(), token(&keys()));
        assert_eq!(check(&keys, NOW, &token, "c1", "chat"), Ok(()));
        assert_eq!(check(&keys, NOW, &token, "C1", "chat"), Err(TokenError::Audience(AudienceError::Path)));
        assert_eq!(check(&keys, NOW, &token, "c2", "chat"), Err(TokenError::Audience(AudienceError::Path)));
        assert_eq!(check(&keys, NOW, &token, "c1", "other"), Err(TokenError::Connection));
        assert_eq!(check(&keys, NOW, "", "c1", "chat"), Err(TokenError::Malformed));
    }

    #[test]
    fn a_token_lives_a_week_to_the_millisecond() {
        let (keys, token) = (keys(), token(&keys()));
        let at = |millis| check(&keys, Timestamp::from_millis(millis), &token, "c1", "chat");
        assert_eq!(at(NOW.as_millis() + WEEK), Ok(()));
        assert_eq!(at(NOW.as_millis() + WEEK + 1), Err(TokenError::Expired));
        assert_eq!(at(NOW.as_millis() - 1), Err(TokenError::NotYetValid));
    }

    #[test]
    fn a_token_outlives_the_change_to_a_new_primary_key() {
        let token = token(&AccessKeys::new("old", None).unwrap());
        assert_eq!(check(&AccessKeys::new("new", Some("old")).unwrap(), NOW, &token, "c1", "chat"), Ok(()));
        assert_eq!(
            check(&AccessKeys::new("new", None).unwrap(), NOW, &token, "c1", "chat"),
            Err(TokenError::Signature)
        );
    }

    #[test]
    fn a_clients_own_token_recovers_nothing() {
        let token = sign(&keys(), r#"{"aud":"c1","hub":"chat","exp":4000000000}"#);
        assert_eq!(check(&keys(), NOW, &token, "c1", "chat"), Err(TokenError::Connection));
    }
}
