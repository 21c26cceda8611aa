//! One socket, from its connecting to its end.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{Sink as _, Stream as _};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, State, WebSocketError};
use webpubsub_client_core::{Close, ConnectError};
use webpubsub_protocol::client::Frame;
use webpubsub_protocol::close::CloseCode;

use crate::link::LinkEvent;

/// Bytes that the browser keeps for a slow link; past them no further call of the application is taken.
const HIGH_WATER_BYTES: u32 = 1 << 20;

/// Makes sockets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connector {}

impl Connector {
    /// Sets out for a socket, offering one subprotocol.
    #[expect(clippy::needless_pass_by_value, reason = "as native")]
    pub(crate) fn connect(&self, url: String, subprotocol: &'static str) -> Link {
        Link(match WebSocket::open_with_protocol(&url, subprotocol) {
            Ok(socket) => Phase::Opening(socket),
            Err(error) => Phase::Refused(error.to_string()),
        })
    }
}

/// One socket, from its connecting to its end.
///
/// gloo-net's own close takes the socket away, so how the service answers it is not seen: a socket
/// that the client closes reports at once that it is closed, without a code.
pub(crate) struct Link(Phase);

enum Phase {
    /// The browser does not take the URL, and says why.
    Refused(String),
    Opening(WebSocket),
    Open(WebSocket),
    Closed(Close),
    Ended,
}

impl Link {
    /// Sends a frame; what a link cannot send any more is dropped, and its end is reported.
    pub(crate) fn send(&mut self, frame: Frame) {
        if let Phase::Open(socket) = &mut self.0 {
            let message = match frame {
                Frame::Text(text) => Message::Text(text),
                Frame::Binary(bytes) => Message::Bytes(bytes),
            };
            // An open socket is ready, and one that is closed is about to say so.
            let _ = Pin::new(socket).start_send(message);
        }
    }

    /// Whether the link takes what it is given as fast as it is given.
    pub(crate) fn has_room(&self) -> bool {
        match &self.0 {
            Phase::Open(socket) => socket.buffered_amount() < HIGH_WATER_BYTES,
            Phase::Refused(_) | Phase::Opening(_) | Phase::Closed(_) | Phase::Ended => true,
        }
    }

    /// Closes the socket without a code behind what was sent; a link on its way is given up.
    pub(crate) fn close(&mut self) {
        self.0 = match std::mem::replace(&mut self.0, Phase::Ended) {
            Phase::Open(socket) => {
                let _ = socket.close(None, None);
                Phase::Closed(Close { code: CloseCode::NO_STATUS, reason: String::new() })
            }
            closed @ Phase::Closed(_) => closed,
            Phase::Refused(_) | Phase::Opening(_) | Phase::Ended => Phase::Ended,
        };
    }

    /// The next thing to report.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<LinkEvent> {
        let (phase, event) = match std::mem::replace(&mut self.0, Phase::Ended) {
            Phase::Refused(reason) => {
                (Phase::Ended, LinkEvent::Failed(ConnectError::InvalidUrl, Some(reason.into())))
            }
            Phase::Opening(mut socket) => {
                if Pin::new(&mut socket).poll_ready(context).is_pending() {
                    self.0 = Phase::Opening(socket);
                    return Poll::Pending;
                }
                if matches!(socket.state(), State::Open) {
                    (Phase::Open(socket), LinkEvent::Opened)
                } else {
                    let error = ConnectError::Closed { code: CloseCode::ABNORMAL };
                    (Phase::Ended, LinkEvent::Failed(error, None))
                }
            }
            Phase::Open(mut socket) => match read(&mut socket, context) {
                Poll::Pending => {
                    self.0 = Phase::Open(socket);
                    return Poll::Pending;
                }
                Poll::Ready(Ok(frame)) => (Phase::Open(socket), LinkEvent::Frame(frame)),
                Poll::Ready(Err(close)) => (Phase::Ended, LinkEvent::Closed(close)),
            },
            Phase::Closed(close) => (Phase::Ended, LinkEvent::Closed(close)),
            Phase::Ended => return Poll::Pending,
        };
        self.0 = phase;
        Poll::Ready(event)
    }
}

/// The next frame, or how the socket ended.
fn read(socket: &mut WebSocket, context: &mut Context<'_>) -> Poll<Result<Frame, Close>> {
    loop {
        return Poll::Ready(match ready!(Pin::new(&mut *socket).poll_next(context)) {
            Some(Ok(Message::Text(text))) => Ok(Frame::Text(text)),
            Some(Ok(Message::Bytes(bytes))) => Ok(Frame::Binary(bytes)),
            Some(Err(WebSocketError::ConnectionClose(event))) => {
                Err(Close { code: CloseCode(event.code), reason: event.reason })
            }
            // An error is followed by a close, which has the code.
            Some(Err(_)) => continue,
            None => Err(Close { code: CloseCode::ABNORMAL, reason: String::new() }),
        });
    }
}
