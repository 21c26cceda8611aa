//! What reaches a shard's task, from its own thread or from another.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::vec;

use futures_util::FutureExt as _;
use tokio::sync::mpsc::{UnboundedSender, WeakUnboundedSender};
use tokio::sync::oneshot;
use webpubsub_protocol::client::Frame;
use webpubsub_protocol::close::{CloseCause, CloseCode};
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
    Broken(Seat, Option<CloseCause>),
    /// How something ended that the shard has begun in this life.
    Ended(Life, Ended),
    /// A record of an attempt to call an event handler.
    KeepDelivery(String),
    /// The process is about to end.
    Stop(oneshot::Sender<()>),
}

/// How something ended that a shard has begun.
pub(crate) enum Ended {
    /// Sending a batch.
    Relay { to: ShardId, last: u64, taken: bool },
    /// A call of an event handler.
    Call { call: CallId, result: Result<Taken, CallFailure> },
    /// Asking what the hub's directory has, and whether the register of hubs has the hub; `None` where that failed.
    Introduction(Option<(HubView, bool)>),
}

/// Which of its lives a shard is in: one that could not go on starts again from the disk, and knows nothing of what it
/// has begun before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Life(u64);

impl Life {
    /// The one after it.
    pub(crate) const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The way back to a shard for what it has begun in one of its lives.
#[derive(Clone)]
pub(crate) struct WayBack {
    pub(crate) shard: WeakUnboundedSender<ShardMessage>,
    pub(crate) life: Life,
}

impl WayBack {
    /// Does something in a task, and has the shard learn how it ended, unless that is in another life by then. Where it
    /// panics it has ended as `failed` says: the shard waits for it.
    pub(crate) fn start(self, doing: impl Future<Output = Ended> + 'static, failed: Ended) {
        tokio::task::spawn_local(async move {
            let ended = AssertUnwindSafe(doing).catch_unwind().await.unwrap_or(failed);
            self.send(ShardMessage::Ended(self.life, ended));
        });
    }

    /// Sends what is good for any life of the shard. One that is not there needs none.
    pub(crate) fn send(&self, message: ShardMessage) {
        if let Some(shard) = self.shard.upgrade() {
            let _ = shard.send(message);
        }
    }
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

    /// What came over the socket was no WebSocket traffic, or cannot be taken for this cause.
    pub(crate) fn broken(&mut self, cause: Option<CloseCause>) {
        self.has_ended = true;
        self.send(ShardMessage::Broken(self.seat, cause));
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

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;
    use tokio::task::LocalSet;

    use super::*;

    #[tokio::test]
    async fn what_panics_has_ended_for_its_shard() {
        let (shard, mut inbox) = unbounded_channel();
        let back = WayBack { shard: shard.downgrade(), life: Life::default().next() };
        let failed = Ended::Call { call: CallId(7), result: Err(CallFailure::Network) };
        let tasks = LocalSet::new();
        tasks.run_until(async { back.start(async { panic!("a fault of ours") }, failed) }).await;
        tasks.await;
        let learnt = inbox.try_recv();
        assert!(matches!(learnt, Ok(ShardMessage::Ended(Life(1), Ended::Call { call: CallId(7), .. }))));
    }
}
