//! The opening handshake of a WebSocket.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{Response, StatusCode};
use tungstenite::handshake::derive_accept_key;

use crate::respond::text;

/// How many characters a key has: 16 bytes in base64.
const KEY_CHARACTERS: usize = 24;

/// A request to become a WebSocket.
pub(crate) struct Handshake {
    accept: String,
}

impl Handshake {
    /// Reads the headers of a request; `None` if it is none that wants to become a WebSocket.
    ///
    /// # Errors
    /// What is wrong with the handshake.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Option<Self>, &'static str> {
        let upgrade = headers.get(UPGRADE).and_then(|upgrade| upgrade.to_str().ok());
        if !upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket")) {
            return Ok(None);
        }
        if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err("A WebSocket handshake needs the header Sec-WebSocket-Version: 13.");
        }
        match headers.get(SEC_WEBSOCKET_KEY) {
            Some(key) if key.len() == KEY_CHARACTERS => {
                Ok(Some(Self { accept: derive_accept_key(key.as_bytes()) }))
            }
            Some(_) | None => Err("A WebSocket handshake needs the header Sec-WebSocket-Key, of 16 bytes."),
        }
    }

    /// The answer by which the connection becomes a WebSocket.
    pub(crate) fn accept(&self, subprotocol: Option<&str>) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        if let Ok(accept) = HeaderValue::from_str(&self.accept) {
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        }
        // What a client has offered in a header can stand in one.
        if let Some(Ok(subprotocol)) = subprotocol.map(HeaderValue::from_str) {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
        }
        response
    }
}

/// The answer to a client that may have a WebSocket, and has not asked for one in a way that is understood.
pub(crate) fn needed() -> Response<Full<Bytes>> {
    text(StatusCode::UPGRADE_REQUIRED, "This is an endpoint for WebSockets.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(version: &'static str, key: &'static str) -> Result<bool, &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(UPGRADE, HeaderValue::from_static("WebSocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(version));
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static(key));
        Handshake::read(&headers).map(|handshake| handshake.is_some())
    }

    #[test]
    fn a_handshake_has_a_version_and_a_key() {
        assert_eq!(read("13", "dGhlIHNhbXBsZSBub25jZQ=="), Ok(true));
        assert!(read("12", "dGhlIHNhbXBsZSBub25jZQ==").unwrap_err().contains("Version"));
        assert!(read("13", "short").unwrap_err().contains("Key"));
        assert!(matches!(Handshake::read(&HeaderMap::new()), Ok(None)));
    }

    #[test]
    fn the_answer_has_the_key_and_the_subprotocol() {
        let mut headers = HeaderMap::new();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ=="));
        let response = Handshake::read(&headers).unwrap().unwrap().accept(Some("a"));
        assert_eq!(response.headers()[SEC_WEBSOCKET_ACCEPT], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(response.headers()[SEC_WEBSOCKET_PROTOCOL], "a");
    }
}
