//! Getting a lost link back without losing a message.

use std::time::Duration;

use webpubsub_protocol::name::ConnectionId;

use crate::connection::Connection;

/// How long after a loss the service keeps a connection for sure.
///
/// Source: docs/spec/client.md#detached-connections; docs/spec/sdk.md#recovering.
pub(crate) const WINDOW: Duration = Duration::from_secs(30);

/// How long one attempt has for its open socket, so that one that hangs leaves time for others in
/// the window.
pub(crate) const ATTEMPT_PATIENCE: Duration = Duration::from_secs(10);

/// The pause after an attempt that failed.
///
/// Source: docs/spec/sdk.md#recovering.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// The id and URL that recover this connection, if the service gave what that takes.
pub(crate) fn address(connection: &Connection) -> Option<(ConnectionId, String)> {
    let (id, token) = (connection.id.as_ref()?, connection.token.as_ref()?);
    Some((id.clone(), recovery_url(&connection.url, id.as_str(), token)))
}

/// The original URL, its token included, with the two parameters of a recovery added.
///
/// Source: docs/spec/client.md#recovery.
fn recovery_url(url: &str, id: &str, token: &str) -> String {
    let end = url.bytes().position(|byte| byte == b'#').unwrap_or(url.len());
    let (url, fragment) = url.split_at_checked(end).unwrap_or((url, ""));
    let mut recovery = url.to_owned();
    recovery.push(if url.bytes().any(|byte| byte == b'?') { '&' } else { '?' });
    recovery.push_str("awps_connection_id=");
    push_escaped(&mut recovery, id);
    recovery.push_str("&awps_reconnection_token=");
    push_escaped(&mut recovery, token);
    recovery.push_str(fragment);
    recovery
}

fn push_escaped(url: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            url.push(char::from(byte));
        } else {
            url.push('%');
            for digit in [byte >> 4, byte & 0xf] {
                url.push(char::from(if digit < 10 { b'0' + digit } else { b'A' - 10 + digit }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_are_added_to_whatever_the_url_has() {
        let cases = [
            ("wss://h/c", "wss://h/c?awps_connection_id=id&awps_reconnection_token=t"),
            ("wss://h/c?a=1", "wss://h/c?a=1&awps_connection_id=id&awps_reconnection_token=t"),
            ("wss://h/c?a=1#f", "wss://h/c?a=1&awps_connection_id=id&awps_reconnection_token=t#f"),
        ];
        for (url, expected) in cases {
            assert_eq!(recovery_url(url, "id", "t"), expected);
        }
    }

    #[test]
    fn ids_and_tokens_are_escaped() {
        assert_eq!(
            recovery_url("wss://h", "a&b=c", "x+/ y="),
            "wss://h?awps_connection_id=a%26b%3Dc&awps_reconnection_token=x%2B%2F%20y%3D"
        );
    }
}
