//! What an operator wants to see of a shard.

/// What happened since the memory of a shard began.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counters {
    /// Connections that were made.
    pub(crate) opened: u64,
    /// Connections that ended for good.
    pub(crate) closed: u64,
    /// Bytes that clients sent.
    pub(crate) received: u64,
    /// Bytes sent to clients.
    pub(crate) sent: u64,
    /// Connections that got a new socket.
    pub(crate) recoveries: u64,
    /// Rows of the log that were read to be sent again.
    pub(crate) replays: u64,
    /// Batches from other shards.
    pub(crate) batches: u64,
    /// Connections that were closed because they sent too much or read too little.
    pub(crate) drops: u64,
    /// Calls to event handlers.
    pub(crate) calls: u64,
    /// Those of them that failed, and those that were not made because they would.
    pub(crate) failed_calls: u64,
}

/// A metric: its name and its description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name in Prometheus' text format.
    pub name: &'static str,
    /// A sentence for people.
    pub help: &'static str,
}

impl Metric {
    /// `counter` or `gauge`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        if self.is_counter() { "counter" } else { "gauge" }
    }

    /// Whether it only grows, until the shard sleeps: its name ends in `_total`.
    #[must_use]
    pub(crate) fn is_counter(&self) -> bool {
        self.name.ends_with("_total")
    }
}

/// What [`Shard::metrics`](crate::Shard::metrics) gives, in its order.
pub const METRICS: [Metric; 19] = [
    metric("webpubsub_connections", "Connections."),
    metric("webpubsub_detached_connections", "Those without a socket."),
    metric("webpubsub_connection_quota", "How many there may be; 0 is any number."),
    metric("webpubsub_unacknowledged_messages", "Unacknowledged messages."),
    metric("webpubsub_unacknowledged_bytes", "Bytes of the same."),
    metric("webpubsub_unread_bytes", "Bytes that wait on sockets."),
    metric("webpubsub_log_rows", "Messages on disk."),
    metric("webpubsub_waiting_events", "Unanswered events."),
    metric("webpubsub_outbox_rows", "Untaken events on disk."),
    metric("webpubsub_connections_opened_total", "Connections that were made."),
    metric("webpubsub_connections_closed_total", "Connections that ended for good."),
    metric("webpubsub_received_bytes_total", "Bytes of the frames that clients sent."),
    metric("webpubsub_sent_bytes_total", "Bytes of the frames that clients were sent."),
    metric("webpubsub_recoveries_total", "Connections that got a new socket."),
    metric("webpubsub_replays_total", "Messages sent again."),
    metric("webpubsub_batches_total", "Batches taken from other shards."),
    metric("webpubsub_drops_total", "Clients closed as too fast or too slow."),
    metric("webpubsub_event_calls_total", "Calls to event handlers."),
    metric("webpubsub_event_call_failures_total", "Calls to event handlers that failed, or would."),
];

const fn metric(name: &'static str, help: &'static str) -> Metric {
    Metric { name, help }
}
