//! What a request's headers ask its connection to become.

/// Whether the header `Upgrade`, its lines joined by commas, has the WebSocket protocol in its list. A list is in the
/// order of the client's wishes, and the service knows no other protocol of it.
///
/// Source: docs/spec/client.md#handshake.
#[must_use]
pub fn is_web_socket(upgrade: &str) -> bool {
    is_listed(upgrade, "websocket")
}

/// Whether a list of tokens, as it stands in a header, has this one, in whatever case.
#[must_use]
pub fn is_listed(list: &str, token: &str) -> bool {
    list.split(',').any(|one| one.trim_matches([' ', '\t']).eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_with_web_socket_in_it_asks_for_one() {
        for upgrade in ["websocket", "WebSocket", "h2c, websocket", "h2c,\tWEBSOCKET ,x", ", websocket"] {
            assert!(is_web_socket(upgrade), "{upgrade:?}");
        }
        for upgrade in ["", "h2c", "websocket/13", "web socket", "websockets", "x-websocket", "\"websocket\""]
        {
            assert!(!is_web_socket(upgrade), "{upgrade:?}");
        }
    }
}
