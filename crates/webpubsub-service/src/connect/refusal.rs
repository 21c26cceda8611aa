//! How a client is answered that does not get its connection.

use std::fmt;

use webpubsub_auth::TokenError;
use webpubsub_protocol::client::endpoint::SimpleModeError;
use webpubsub_protocol::event_handler::CallFailure;
use webpubsub_protocol::rest::{self, Response};
use webpubsub_shard::Full;

/// Why a client is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectRefusal {
    /// The request is not for a WebSocket.
    NoUpgrade,
    /// The token gives no access, or is missing.
    Token(TokenError),
    /// The URL says nothing that can be done with a simple client's frames.
    Mode(SimpleModeError),
    /// A client of MQTT does not offer the subprotocol `mqtt`.
    NoMqtt,
    /// The token has more groups than a client may be in.
    TooManyGroups,
    /// The event handler does not allow the client, or could not be called; and the body of its answer.
    Handler(CallFailure, String),
    /// No shard accepts the client.
    Full(Full),
    /// Something in the service failed. The client may try again soon.
    Unavailable,
}

/// How a shard, and the host after it, answers a client that it does not accept.
///
/// Source: docs/spec/client.md#handshake.
#[must_use]
pub(crate) const fn full_status(full: Full) -> u16 {
    match full {
        Full::Quota => 429,
        Full::Shard => 503,
    }
}

impl ConnectRefusal {
    /// What the service was doing for the hub whose name completes it, as the log says it beside the refusal
    /// itself; `None` where the client alone has to know.
    #[must_use]
    pub const fn logged(&self) -> Option<&'static str> {
        match self {
            Self::Token(_) => Some("authorising a client of hub"),
            Self::Handler(CallFailure::Status(400..=499), _) => None,
            Self::Handler(..) => Some("asking an event handler of hub"),
            Self::Full(_) => Some("taking a client into hub"),
            Self::NoUpgrade | Self::Mode(_) | Self::NoMqtt | Self::TooManyGroups | Self::Unavailable => None,
        }
    }

    /// The answer.
    ///
    /// Source: docs/spec/client.md#handshake.
    #[must_use]
    pub fn response(self) -> Response {
        match self {
            Self::NoUpgrade => {
                text(400, "This is a WebSocket endpoint: connect to it with a WebSocket client.".into())
            }
            Self::Token(error) => match error.answer() {
                (401, why) => rest::turn_away(401, why),
                (status, why) => text(status, why.into()),
            },
            Self::Mode(error) => text(400, format!("Invalid request: {error}.")),
            Self::NoMqtt => text(400, "Invalid request: offer the WebSocket subprotocol `mqtt`.".into()),
            Self::TooManyGroups => {
                text(400, "Invalid request: the token has more groups than a client may be in.".into())
            }
            Self::Handler(CallFailure::Status(status @ (401 | 403)), words) => {
                if words.is_empty() {
                    rest::turn_away(status, "The event handler refused the connection.")
                } else {
                    with(text(status, words), "www-authenticate", "Bearer")
                }
            }
            Self::Handler(CallFailure::Status(status @ 400..=499), words) => text(status, words),
            Self::Handler(CallFailure::Status(status @ 500..=599), _) => text(status, String::new()),
            // The deliveries and the log say who is at fault.
            Self::Handler(..) => text(500, String::new()),
            Self::Full(full) => {
                let words = match full {
                    Full::Quota => {
                        "The hub has as many connections as its CONNECTION_QUOTA. Try again when one has left."
                    }
                    Full::Shard => "The hub's shards are full. Try again when a connection has left.",
                };
                with(text(full_status(full), words.into()), "retry-after", "1")
            }
            Self::Unavailable => with(text(503, String::new()), "retry-after", "1"),
        }
    }
}

impl fmt::Display for ConnectRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoUpgrade => "the request is not for a WebSocket",
            Self::Token(error) => return error.fmt(f),
            Self::Mode(error) => return error.fmt(f),
            Self::NoMqtt => "the subprotocol mqtt is not offered",
            Self::TooManyGroups => "the token has too many groups",
            Self::Handler(failure, _) => failure.name(),
            Self::Full(_) => "connection count reaches limit",
            Self::Unavailable => "the service failed",
        })
    }
}

/// A response with a line of text, or with none.
pub(crate) fn text(status: u16, body: String) -> Response {
    let response = Response { status, headers: Vec::new(), body };
    if response.body.is_empty() {
        response
    } else {
        with(response, "content-type", "text/plain; charset=utf-8")
    }
}

fn with(mut response: Response, name: &'static str, value: &'static str) -> Response {
    response.headers.push((name, value.into()));
    response
}
