//! The opening handshake of a WebSocket.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::{Response, StatusCode};
use tungstenite::handshake::derive_accept_key;
use webpubsub_service::{is_listed, is_web_socket};

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
        if !any_line(headers, &UPGRADE, is_web_socket) {
            return Ok(None);
        }
        if !any_line(headers, &CONNECTION, |line| is_listed(line, "upgrade")) {
            return Err("A WebSocket handshake needs the header Connection: Upgrade.");
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

/// Whether that holds for one of the lines of a header, which together are one list.
fn any_line(headers: &HeaderMap, name: &HeaderName, holds: impl Fn(&str) -> bool) -> bool {
    headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).any(holds)
}

/// The answer to a client that may have a WebSocket, and has not asked for one in a way that is understood.
pub(crate) fn needed() -> Response<Full<Bytes>> {
    text(StatusCode::UPGRADE_REQUIRED, "This is an endpoint for WebSockets.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    /// The headers of a handshake, in this version of the protocol and with this key.
    fn headers(version: &'static str, key: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.append(UPGRADE, HeaderValue::from_static("h2c, x"));
        headers.append(UPGRADE, HeaderValue::from_static("WebSocket"));
        headers.append(CONNECTION, HeaderValue::from_static("keep-alive"));
        headers.append(CONNECTION, HeaderValue::from_static("x, Upgrade"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(version));
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static(key));
        headers
    }

    fn read(headers: &HeaderMap) -> Result<bool, &'static str> {
        Handshake::read(headers).map(|handshake| handshake.is_some())
    }

    #[test]
    fn a_handshake_has_a_version_and_a_key() {
        assert_eq!(read(&headers("13", KEY)), Ok(true));
        assert!(read(&headers("12", KEY)).unwrap_err().contains("Version"));
        assert!(read(&headers("13", "short")).unwrap_err().contains("Key"));
        assert_eq!(read(&HeaderMap::new()), Ok(false));
    }

    #[test]
    fn a_handshake_names_the_upgrade_as_its_connections_own() {
        let mut headers = headers("13", KEY);
        headers.insert(CONNECTION, HeaderValue::from_static("keep-alive, upgraded"));
        assert!(read(&headers).unwrap_err().contains("Connection"));
        headers.remove(CONNECTION);
        assert!(read(&headers).unwrap_err().contains("Connection"));
    }

    #[test]
    fn the_answer_has_the_key_and_the_subprotocol() {
        let handshake = Handshake::read(&headers("13", KEY)).unwrap().unwrap();
        let response = handshake.accept(Some("a"));
        assert_eq!(response.headers()[SEC_WEBSOCKET_ACCEPT], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(response.headers()[SEC_WEBSOCKET_PROTOCOL], "a");
    }
}
