//! WebSockets.

use std::collections::VecDeque;

use webpubsub_client_core::AttemptId;
use webpubsub_shard::Attachment;

use super::words::{Down, Up};

/// Who has opened a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// A client, in one of its attempts.
    Client(usize, AttemptId),
    /// A peer.
    Peer(usize),
}

/// A WebSocket between a client and a shard.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) reader: Reader,
    pub(super) shard: usize,
    pub(super) connection: usize,
    pub(super) attachment: Option<Attachment>,
    /// What is on its way to the shard, oldest first.
    pub(super) up: VecDeque<Up>,
    /// What is on its way to the client, oldest first.
    pub(super) down: VecDeque<Down>,
    /// Whether the shard knows it.
    pub(super) known: bool,
    /// Whether the client listens to it.
    pub(super) is_read: bool,
    /// Whether anything more gets through.
    pub(super) whole: bool,
    /// Whether its client has seen it open.
    pub(super) opened: bool,
    /// Whether a close frame was put on it.
    pub(super) closed: bool,
}
