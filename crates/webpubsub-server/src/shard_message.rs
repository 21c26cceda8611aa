//! What reaches a shard's task, from its own thread or from another.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::vec;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use webpubsub_protocol::client::Frame;
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::event_handler::{CallFailure, Taken};
use webpubsub_service::{Holder, HubView, ShardAnswer, ShardCall};
use webpubsub_shard::{CallId, Command, Reply, ShardId};

use crate::credit::Loan;
use crate::sockets::SocketAddress;

/// The way to a shard's task.
pub(crate) type ShardSender = UnboundedSender<ShardMessage>;

/// Where a socket is in a shard: a slot has several, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) holder: Holder,
    /// Which of the sockets of the shard's life it is.
    pub(crate) number: u64,
}

/// One thing for a shard to do. What it answers is sent when everything that it depends on is on disk.
pub(crate) enum ShardMessage {
    /// A call that is about no socket.
    Call(ShardCall, oneshot::Sender<ShardAnswer>),
    /// A client that wants to have a socket.
    Offer(Box<SocketOffer>),
    /// A request of the REST API.
    Command(Command, oneshot::Sender<Reply>),
    /// A client's messages, in their order.
    Frames { seat: Seat, messages: vec::IntoIter<Frame>, loan: Loan },
    /// The end of a socket.
    Closed { seat: Seat, code: CloseCode, reason: String },
    /// What came over a socket was no WebSocket traffic.
    Broken(Seat),
    /// How sending a batch ended.
    Relayed { to: ShardId, last: u64, taken: bool },
    /// How a call of an event handler ended.
    Called { call: CallId, result: Result<Taken, CallFailure> },
    /// A record of an attempt to call an event handler.
    KeepDelivery(String),
    /// What the hub's directory has, and whether the register of hubs has the hub; `None` where that failed.
    Introduced(Option<(HubView, bool)>),
    /// The process is about to end.
    Stop(oneshot::Sender<()>),
}

impl ShardMessage {
    /// Whether a caller waits for what it leads to, before which it sends no other over its connection.
    pub(crate) const fn is_command(&self) -> bool {
        matches!(self, Self::Command(..))
    }
}

/// A client's socket, which a shard accepts or does not.
pub(crate) struct SocketOffer {
    /// [`ShardCall::Connect`], [`ShardCall::Recover`] or [`ShardCall::Watch`].
    pub(crate) call: ShardCall,
    pub(crate) socket: SocketAddress,
    /// How many bytes wait on it.
    pub(crate) unread: Arc<AtomicU64>,
    pub(crate) reply: oneshot::Sender<Offered>,
}

/// What a shard answers to an offer.
pub(crate) struct Offered {
    /// The way of the client's messages, and what it speaks; or why it is not accepted.
    pub(crate) accepted: Result<(Link, Option<String>), webpubsub_service::Offered>,
    /// How many connections the shard holds.
    pub(crate) connections: usize,
}

/// The way from a socket that a shard has accepted to the shard, which is given the socket's end in any case.
pub(crate) struct Link {
    shard: ShardSender,
    seat: Seat,
    has_ended: bool,
}

impl Link {
    pub(crate) const fn new(shard: ShardSender, seat: Seat) -> Self {
        Self { shard, seat, has_ended: false }
    }

    /// Sends what a client has sent.
    pub(crate) fn messages(&self, messages: Vec<Frame>, loan: Loan) {
        self.send(ShardMessage::Frames { seat: self.seat, messages: messages.into_iter(), loan });
    }

    /// The socket has ended, with this code and reason.
    pub(crate) fn closed(&mut self, code: CloseCode, reason: String) {
        self.has_ended = true;
        self.send(ShardMessage::Closed { seat: self.seat, code, reason });
    }

    /// What came over the socket was no WebSocket traffic.
    pub(crate) fn broken(&mut self) {
        self.has_ended = true;
        self.send(ShardMessage::Broken(self.seat));
    }

    fn send(&self, message: ShardMessage) {
        // A shard that has ended has ended its sockets, too.
        let _ = self.shard.send(message);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if !self.has_ended {
            self.closed(CloseCode::ABNORMAL, String::new());
        }
    }
}
