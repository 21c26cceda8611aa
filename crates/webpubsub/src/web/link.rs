//! One socket, from its connecting to its end.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{Sink as _, Stream as _};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, State, WebSocketError};
use gloo_timers::future::TimeoutFuture;
use webpubsub_client_core::{Close, ConnectError};
use webpubsub_protocol::client::Frame;
use webpubsub_protocol::close::CloseCode;

use crate::link::LinkEvent;

/// Bytes that the browser keeps for a slow link; past them no further call of the application is taken.
const HIGH_WATER_BYTES: u32 = 1 << 20;

/// How often a link without room is looked at: browsers do not say when a socket has sent something.
const LOOK_AGAIN_MS: u32 = 20;

/// Makes sockets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connector {}

impl Connector {
    /// Sets out for a socket, offering one subprotocol.
    #[expect(clippy::needless_pass_by_value, reason = "as native")]
    pub(crate) fn connect(&self, url: String, subprotocol: &'static str) -> Link {
        let phase = match WebSocket::open_with_protocol(&url, subprotocol) {
            Ok(socket) => Phase::Opening(socket),
            Err(error) => Phase::Refused(error.to_string()),
        };
        Link { phase, look_again: None }
    }
}

/// One socket, from its connecting to its end.
///
/// gloo-net's own close takes the socket away, so how the service answers it is not seen: a socket
/// that the client closes reports at once that it is closed, without a code.
pub(crate) struct Link {
    phase: Phase,
    /// Wakes the client's task while there is no room.
    look_again: Option<TimeoutFuture>,
}

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
        if let Phase::Open(socket) = &mut self.phase {
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
        match &self.phase {
            Phase::Open(socket) => socket.buffered_amount() < HIGH_WATER_BYTES,
            Phase::Refused(_) | Phase::Opening(_) | Phase::Closed(_) | Phase::Ended => true,
        }
    }

    /// Closes the socket without a code behind what was sent; a link on its way is given up.
    pub(crate) fn close(&mut self) {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Ended) {
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
        let (phase, event) = match std::mem::replace(&mut self.phase, Phase::Ended) {
            Phase::Refused(reason) => {
                (Phase::Ended, LinkEvent::Failed(ConnectError::InvalidUrl, Some(reason.into())))
            }
            Phase::Opening(mut socket) => {
                if Pin::new(&mut socket).poll_ready(context).is_pending() {
                    self.phase = Phase::Opening(socket);
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
                    self.phase = Phase::Open(socket);
                    self.watch(context);
                    return Poll::Pending;
                }
                Poll::Ready(Ok(frame)) => (Phase::Open(socket), LinkEvent::Frame(frame)),
                Poll::Ready(Err(close)) => (Phase::Ended, LinkEvent::Closed(close)),
            },
            Phase::Closed(close) => (Phase::Ended, LinkEvent::Closed(close)),
            Phase::Ended => return Poll::Pending,
        };
        self.phase = phase;
        Poll::Ready(event)
    }

    /// Has the task woken by and by while there is no room.
    fn watch(&mut self, context: &mut Context<'_>) {
        while !self.has_room() {
            let timeout = self.look_again.get_or_insert_with(|| TimeoutFuture::new(LOOK_AGAIN_MS));
            if Pin::new(timeout).poll(context).is_pending() {
                return;
            }
            self.look_again = None;
        }
        self.look_again = None;
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
