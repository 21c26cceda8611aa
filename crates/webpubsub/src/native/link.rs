//! One socket, from its connecting to its end.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{Sink as _, Stream as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::error::{ProtocolError, UrlError};
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode as WireCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use webpubsub_client_core::{Close, ConnectError};
use webpubsub_protocol::client::Frame;
use webpubsub_protocol::close::CloseCode;

use super::BoxFuture;
use crate::error::BoxError;
use crate::link::LinkEvent;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Bytes that wait for a slow link; past them no further call of the application is taken.
const HIGH_WATER_BYTES: usize = 1 << 20;

/// The longest message that is taken: 1 MB of payload, escaped in JSON in the worst way, is less.
const MAX_MESSAGE_BYTES: usize = 16 << 20;

/// What is taken for reading, for each connection at once; the default of tungstenite is 128 KiB.
const READ_BUFFER_BYTES: usize = 16 << 10;

/// Makes sockets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connector {
    #[cfg(feature = "rustls")]
    tls: super::tls::Tls,
}

impl Connector {
    /// Uses the application's configuration of rustls.
    #[cfg(feature = "rustls")]
    pub(crate) fn set_tls(&mut self, config: std::sync::Arc<rustls::ClientConfig>) {
        self.tls.set(config);
    }

    /// Sets out for a socket, offering one subprotocol.
    pub(crate) fn connect(&self, url: String, subprotocol: &'static str) -> Link {
        let opening = Box::pin(open(self.clone(), url, subprotocol));
        Link { phase: Phase::Opening(opening), outgoing: VecDeque::new(), bytes: 0 }
    }
}

/// One socket, from its connecting to its end.
pub(crate) struct Link {
    phase: Phase,
    /// What the socket has not taken yet.
    outgoing: VecDeque<Message>,
    /// Their bytes.
    bytes: usize,
}

enum Phase {
    Opening(BoxFuture<Result<Socket, Failure>>),
    Open(Box<Socket>),
    /// Everything up to a close is to be sent, and the service's close to be read.
    Closing(Box<Socket>),
    Ended,
}

impl Link {
    /// Queues a frame; what a link cannot send any more is dropped, and its end is reported.
    pub(crate) fn send(&mut self, frame: Frame) {
        if matches!(self.phase, Phase::Open(_)) {
            self.bytes = self.bytes.saturating_add(frame.len());
            self.outgoing.push_back(match frame {
                Frame::Text(text) => Message::text(text),
                Frame::Binary(bytes) => Message::binary(bytes),
            });
        }
    }

    /// Whether the link takes what it is given as fast as it is given.
    pub(crate) const fn has_room(&self) -> bool {
        self.bytes < HIGH_WATER_BYTES
    }

    /// Closes the socket without a code behind what is queued; a link on its way is given up.
    pub(crate) fn close(&mut self) {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Ended) {
            Phase::Open(socket) => {
                self.outgoing.push_back(Message::Close(None));
                Phase::Closing(socket)
            }
            Phase::Closing(socket) => Phase::Closing(socket),
            Phase::Opening(_) | Phase::Ended => Phase::Ended,
        };
    }

    /// Sends and receives what can be, up to the next thing to report.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<LinkEvent> {
        let event = match &mut self.phase {
            Phase::Opening(opening) => match std::task::ready!(opening.as_mut().poll(context)) {
                Ok(socket) => {
                    self.phase = Phase::Open(Box::new(socket));
                    return Poll::Ready(LinkEvent::Opened);
                }
                Err(Failure(error, cause)) => LinkEvent::Failed(error, Some(cause)),
            },
            Phase::Open(socket) | Phase::Closing(socket) => {
                let written = write(socket, &mut self.outgoing, &mut self.bytes, context);
                match (read(socket, context), written) {
                    (Poll::Ready(Ok(frame)), _) => return Poll::Ready(LinkEvent::Frame(frame)),
                    (Poll::Ready(Err(close)), _) => LinkEvent::Closed(close),
                    (Poll::Pending, Err(_)) => LinkEvent::Closed(lost()),
                    (Poll::Pending, Ok(())) => return Poll::Pending,
                }
            }
            Phase::Ended => return Poll::Pending,
        };
        self.phase = Phase::Ended;
        self.outgoing.clear();
        self.bytes = 0;
        Poll::Ready(event)
    }
}

/// Why there is no socket, and what the platform says of it.
struct Failure(ConnectError, BoxError);

async fn open(connector: Connector, url: String, subprotocol: &'static str) -> Result<Socket, Failure> {
    let mut request = url.into_client_request()?;
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocol));
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    let socket = match request.uri().scheme_str() {
        Some("ws") => tokio_tungstenite::connect_async_with_config(request, Some(config), true).await?.0,
        Some("wss") => connector.open_secure(request, config).await?,
        Some(_) | None => return Err(Error::from(UrlError::UnsupportedUrlScheme).into()),
    };
    Ok(socket)
}

impl Connector {
    #[cfg(feature = "rustls")]
    async fn open_secure(&self, request: Request, config: WebSocketConfig) -> Result<Socket, Failure> {
        let tls = self.tls.config().map_err(|error| Failure(ConnectError::Unreachable, error.into()))?;
        let tls = Some(tokio_tungstenite::Connector::Rustls(tls));
        Ok(tokio_tungstenite::connect_async_tls_with_config(request, Some(config), true, tls).await?.0)
    }

    #[cfg(not(feature = "rustls"))]
    #[expect(clippy::unused_async, reason = "as with rustls")]
    async fn open_secure(&self, _: Request, _: WebSocketConfig) -> Result<Socket, Failure> {
        Err(Error::from(UrlError::TlsFeatureNotEnabled).into())
    }
}

/// Has the socket take as much as it can.
fn write(
    socket: &mut Socket,
    outgoing: &mut VecDeque<Message>,
    bytes: &mut usize,
    context: &mut Context<'_>,
) -> Result<(), Error> {
    let mut socket = Pin::new(socket);
    while !outgoing.is_empty() {
        let Poll::Ready(ready) = socket.as_mut().poll_ready(context) else {
            return Ok(());
        };
        ready?;
        if let Some(message) = outgoing.pop_front() {
            *bytes = bytes.saturating_sub(message.len());
            socket.as_mut().start_send(message)?;
        }
    }
    match socket.poll_flush(context) {
        Poll::Ready(flushed) => flushed,
        Poll::Pending => Ok(()),
    }
}

/// The next frame, or how the socket ended.
fn read(socket: &mut Socket, context: &mut Context<'_>) -> Poll<Result<Frame, Close>> {
    loop {
        let next = std::task::ready!(Pin::new(&mut *socket).poll_next(context));
        return Poll::Ready(match next {
            Some(Ok(Message::Text(text))) => Ok(Frame::Text(text.as_str().to_owned())),
            Some(Ok(Message::Binary(bytes))) => Ok(Frame::Binary(bytes.into())),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
            Some(Ok(Message::Close(frame))) => {
                // The answer is queued and nothing else would send it.
                let _ = Pin::new(&mut *socket).poll_flush(context);
                Err(closed(frame))
            }
            Some(Err(error)) => {
                refuse(socket, &error, context);
                Err(lost())
            }
            None => Err(lost()),
        });
    }
}

/// Sends the close that a frame deserves which cannot be read.
fn refuse(socket: &mut Socket, error: &Error, context: &mut Context<'_>) {
    let code = match error {
        Error::Utf8(_) => WireCode::Invalid,
        Error::Capacity(_) => WireCode::Size,
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return,
        Error::Protocol(_) | Error::AttackAttempt => WireCode::Protocol,
        Error::Io(_)
        | Error::Tls(_)
        | Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::WriteBufferFull(_)
        | Error::Url(_)
        | Error::Http(_)
        | Error::HttpFormat(_) => return,
    };
    let mut socket = Pin::new(socket);
    let close = Message::Close(Some(CloseFrame { code, reason: "".into() }));
    if socket.as_mut().start_send(close).is_ok() {
        let _ = socket.poll_flush(context);
    }
}

fn closed(frame: Option<CloseFrame>) -> Close {
    match frame {
        Some(frame) => Close { code: CloseCode(frame.code.into()), reason: frame.reason.as_str().to_owned() },
        None => Close { code: CloseCode::NO_STATUS, reason: String::new() },
    }
}

fn lost() -> Close {
    Close { code: CloseCode::ABNORMAL, reason: String::new() }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let known = match &error {
            Error::Http(response) => ConnectError::Refused { status: response.status().as_u16() },
            Error::Url(UrlError::UnableToConnect(_)) | Error::Io(_) => ConnectError::Unreachable,
            Error::Url(_) | Error::HttpFormat(_) => ConnectError::InvalidUrl,
            Error::Tls(_)
            | Error::Capacity(_)
            | Error::Protocol(_)
            | Error::Utf8(_)
            | Error::AttackAttempt
            | Error::WriteBufferFull(_)
            | Error::ConnectionClosed
            | Error::AlreadyClosed => ConnectError::Closed { code: CloseCode::ABNORMAL },
        };
        Self(known, error.into())
    }
}
