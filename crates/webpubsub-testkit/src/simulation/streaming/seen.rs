//! What applications saw of streams.

use webpubsub_client_core::StreamEnding;
use webpubsub_protocol::client::StreamError;

use crate::simulation::check::check;

/// A stream as its sender has it.
#[derive(Debug)]
pub(super) struct Sent {
    /// Who sends it.
    pub(super) client: usize,
    pub(super) id: String,
    pub(super) group: u8,
    /// Who of the receivers was there before it began: clients, with the numbers of their connections.
    pub(super) witnesses: Vec<(usize, u32)>,
    /// How many pieces were written.
    pub(super) pieces: u64,
    /// Whether its sender has ended it, and whether with an error.
    pub(super) end: Option<bool>,
    pub(super) fate: Fate,
}

/// What became of a stream for its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Opening,
    Open,
    /// The service has taken its end.
    Completed,
    /// It failed, or was never accepted.
    Failed,
}

/// A stream as one receiver has it.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) id: String,
    /// The connection on which it goes on, by number.
    connection: u32,
    /// Whether it was received over one connection.
    is_whole: bool,
    first: u64,
    last: u64,
    ending: Option<StreamEnding<StreamError>>,
}

impl Received {
    pub(super) const fn new(id: String, connection: u32) -> Self {
        Self { id, connection, is_whole: true, first: 0, last: 0, ending: None }
    }

    /// A piece comes, on a connection.
    pub(super) fn piece(&mut self, connection: u32, number: u64, payload: u64) {
        let Self { id, last, .. } = self;
        check!(self.ending.is_none(), "a piece of stream {id} comes after its end");
        check!(number == payload, "piece {number} of stream {id} is {payload}");
        if self.connection != connection {
            // What the shard of another connection receives of it may be older.
            (self.is_whole, self.connection) = (false, connection);
        } else if self.first == 0 {
            self.first = number;
        } else {
            check!(number == *last + 1, "piece {number} of stream {id} comes after piece {last}");
        }
        self.last = number;
    }

    pub(super) fn ends(&mut self, connection: u32, ending: StreamEnding<StreamError>) {
        check!(self.ending.is_none(), "stream {} ends twice", self.id);
        self.is_whole &= self.connection == connection;
        self.ending = Some(ending);
    }

    pub(super) const fn is_open(&self) -> bool {
        self.ending.is_none()
    }

    /// Whether it is this stream, received over this connection, and not given up.
    pub(super) fn is_same(&self, id: &str, connection: u32) -> bool {
        self.id == id && self.is_whole && self.connection == connection && !self.is_given_up()
    }

    /// Whether its receiver has given it up, which the sender's recoveries may have kept silent for long.
    pub(super) const fn is_given_up(&self) -> bool {
        matches!(self.ending, Some(StreamEnding::IdleTimeout))
    }

    /// Checks what a receiver with one connection saw of a stream that is over.
    pub(super) fn check(&self, sent: &Sent) {
        let Self { id, first, last, ending, .. } = self;
        check!(*last <= sent.pieces, "stream {id} has {} pieces, and {last} came", sent.pieces);
        check!(*first <= 1, "of stream {id} piece {first} came first");
        let is_complete = *ending == Some(StreamEnding::Completed);
        if sent.fate == Fate::Completed && sent.end == Some(false) {
            check!(
                is_complete && *last == sent.pieces,
                "stream {id} of {} ends with {ending:?} after {last}",
                sent.pieces
            );
        }
        if is_complete {
            check!(sent.end == Some(false), "stream {id} ends well, which its sender never did");
            check!(*last == sent.pieces, "stream {id} of {} ends after {last}", sent.pieces);
        }
    }
}
