//! A service that does what a test says, over real sockets.
#![allow(dead_code, reason = "each test file uses its own part of it")]
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests may")]
#![allow(clippy::wildcard_enum_match_arm, reason = "whatever else comes is a failure")]

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use webpubsub::{Builder, Event, Events, Retry, RetryMode, WebPubSubClient};

/// Nothing takes this long unless it hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// A retry policy for tests: three tries, a moment apart.
pub(crate) const QUICK: Retry = Retry {
    max_retries: 3,
    delay: Duration::from_millis(20),
    max_delay: Duration::from_millis(20),
    mode: RetryMode::Fixed,
};

/// Waits for something that has to come.
pub(crate) async fn within<T>(what: impl Future<Output = T>) -> T {
    timeout(LIMIT, what).await.expect("it hangs")
}

/// A service on a free port.
pub(crate) struct Server {
    listener: TcpListener,
}

/// A client's socket, as the service has it.
pub(crate) struct Peer {
    pub(crate) socket: WebSocketStream<TcpStream>,
    /// Path and query that the client asked for.
    pub(crate) path: String,
    /// The subprotocol that it offered.
    pub(crate) offer: String,
}

impl Server {
    pub(crate) async fn bind() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/client/hubs/chat?access_token=t", self.listener.local_addr().unwrap())
    }

    /// A client with quick retries.
    pub(crate) fn builder(&self) -> Builder {
        WebPubSubClient::builder(self.url()).message_retry(QUICK).reconnect_retry(QUICK)
    }

    pub(crate) async fn accept_tcp(&self) -> TcpStream {
        let stream = within(self.listener.accept()).await.unwrap().0;
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// The next client, its offer accepted.
    pub(crate) async fn accept(&self) -> Peer {
        let stream = self.accept_tcp().await;
        let (mut path, mut offer) = (String::new(), String::new());
        #[expect(clippy::result_large_err, reason = "the library's")]
        let callback = |request: &Request, mut response: Response| {
            path = request.uri().to_string();
            let value = request.headers().get(SEC_WEBSOCKET_PROTOCOL).unwrap().clone();
            offer = value.to_str().unwrap().to_owned();
            response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, value);
            Ok(response)
        };
        let socket = within(tokio_tungstenite::accept_hdr_async(stream, callback)).await.unwrap();
        Peer { socket, path, offer }
    }

    /// The next client, answered with something else than a WebSocket.
    pub(crate) async fn refuse(&self, status: &str) {
        let mut stream = self.accept_tcp().await;
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
    }

    /// A started client and its peer, which has said `connected`; with the client's events from there.
    pub(crate) async fn connected(&self, client: &WebPubSubClient) -> (Peer, Events) {
        let mut events = client.events();
        let (started, mut peer) = tokio::join!(client.start(), self.accept());
        started.unwrap();
        peer.say_connected().await;
        assert!(matches!(next(&mut events).await, Event::Connected { .. }));
        (peer, events)
    }
}

/// The next event, which has to come.
pub(crate) async fn next(events: &mut Events) -> Event {
    within(events.next()).await.expect("the stream has ended")
}

impl Peer {
    pub(crate) async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn say_connected(&mut self) {
        self.say(
            r#"{"type":"system","event":"connected","userId":"alice","connectionId":"c1","reconnectionToken":"r1"}"#,
        )
        .await;
    }

    pub(crate) async fn say_done(&mut self, ack_id: u64) {
        self.say(&format!(r#"{{"type":"ack","ackId":{ack_id},"success":true}}"#)).await;
    }

    pub(crate) async fn say_text(&mut self, group: &str, text: &str, sequence_id: u64) {
        self.say(&format!(
            r#"{{"type":"message","from":"group","group":"{group}","fromUserId":"bob","dataType":"text","data":"{text}","sequenceId":{sequence_id}}}"#
        ))
        .await;
    }

    /// The next message of the client that is no ping.
    pub(crate) async fn receive(&mut self) -> String {
        loop {
            match within(self.socket.next()).await.expect("the client has gone").unwrap() {
                Message::Text(text) if text.as_str() == r#"{"type":"ping"}"# => {}
                Message::Text(text) => return text.as_str().to_owned(),
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    /// How the client closes the socket, which is answered.
    pub(crate) async fn receive_close(&mut self) -> Option<CloseFrame> {
        loop {
            match within(self.socket.next()).await.expect("the client has gone").unwrap() {
                Message::Close(frame) => {
                    // The answer is queued: reading on sends it.
                    while within(self.socket.next()).await.is_some_and(|message| message.is_ok()) {}
                    return frame;
                }
                Message::Text(_) | Message::Binary(_) => {}
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    pub(crate) async fn close(mut self, code: u16, reason: &str) {
        let frame = CloseFrame { code: code.into(), reason: reason.to_owned().into() };
        self.socket.send(Message::Close(Some(frame))).await.unwrap();
        while within(self.socket.next()).await.is_some_and(|message| message.is_ok()) {}
    }

    /// Ends the connection without a goodbye.
    pub(crate) fn cut(self) {
        drop(self.socket);
    }
}
