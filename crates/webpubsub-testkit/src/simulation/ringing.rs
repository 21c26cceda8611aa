//! Calls to event handlers.

use webpubsub_protocol::event_handler::CallFailure;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::Call;

/// A call that is under way.
#[derive(Debug)]
pub(super) struct Ringing {
    pub(super) shard: usize,
    /// In which of its lives the shard waits for an answer.
    pub(super) life: u32,
    pub(super) call: Call,
    /// When the shard's host stops waiting.
    pub(super) until: Timestamp,
    /// The failure that the host reports then.
    pub(super) end: CallFailure,
    /// Whether the handler never answers.
    pub(super) hangs: bool,
}
