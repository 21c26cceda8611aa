//! How far a client may fall behind what it is sent.

/// What a connection was sent and may not have read. It starts afresh when the shard wakes.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    /// Bytes that may wait on its socket: those that did when it was measured last, and those since.
    pub(crate) bytes: u64,
    /// Bytes of the longest answer that its client was sent: it may wait, and a little more, however much
    /// else may.
    pub(crate) answer: u64,
}
