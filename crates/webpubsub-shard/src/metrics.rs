//! What an operator wants to see of a shard.

/// What happened since the memory of a shard began.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counters {
    /// Connections that were made.
    pub(crate) opened: u64,
    /// Connections that ended for good.
    pub(crate) closed: u64,
    /// Bytes of the frames that clients sent.
    pub(crate) received: u64,
    /// Bytes of the frames that clients were sent.
    pub(crate) sent: u64,
    /// Connections that got a new socket.
    pub(crate) recoveries: u64,
    /// Rows of the log that were read to be sent again.
    pub(crate) replays: u64,
    /// Batches taken from other shards.
    pub(crate) batches: u64,
    /// Connections that were closed because they sent too much or read too little.
    pub(crate) drops: u64,
    /// Calls to event handlers.
    pub(crate) calls: u64,
    /// Those of them that failed, and those that were not made because they would.
    pub(crate) failed_calls: u64,
}

/// A metric: its name, whether it only grows (until the shard sleeps), and its description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name in Prometheus' text format.
    pub name: &'static str,
    /// `gauge` or `counter`.
    pub kind: &'static str,
    /// A sentence for people.
    pub help: &'static str,
}

/// What [`Shard::metrics`](crate::Shard::metrics) gives, in its order.
pub const METRICS: [Metric; 19] = [
    gauge("webpubsub_connections", "Connections, those without a socket among them."),
    gauge("webpubsub_detached_connections", "Reliable connections without a socket that may be recovered."),
    gauge("webpubsub_connection_quota", "Connections that there may be, 0 for any number."),
    gauge("webpubsub_unacknowledged_messages", "Messages that reliable connections have not acknowledged."),
    gauge("webpubsub_unacknowledged_bytes", "Bytes of the same."),
    gauge("webpubsub_unread_bytes", "Bytes that wait on sockets for their clients to read."),
    gauge("webpubsub_log_rows", "Messages on disk."),
    gauge("webpubsub_waiting_events", "Events of clients that an event handler has not answered."),
    gauge("webpubsub_outbox_rows", "Notices on disk that an event handler has not taken."),
    counter("webpubsub_connections_opened_total", "Connections that were made."),
    counter("webpubsub_connections_closed_total", "Connections that ended for good."),
    counter("webpubsub_received_bytes_total", "Bytes of the frames that clients sent."),
    counter("webpubsub_sent_bytes_total", "Bytes of the frames that clients were sent."),
    counter("webpubsub_recoveries_total", "Connections that got a new socket."),
    counter("webpubsub_replays_total", "Messages that were read from disk to be sent again."),
    counter("webpubsub_batches_total", "Batches of messages taken from other shards."),
    counter("webpubsub_drops_total", "Connections closed because they sent too much or read too little."),
    counter("webpubsub_event_calls_total", "Calls to event handlers."),
    counter(
        "webpubsub_event_call_failures_total",
        "Calls to event handlers that failed, or were not made because they would.",
    ),
];

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: "gauge", help }
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: "counter", help }
}
