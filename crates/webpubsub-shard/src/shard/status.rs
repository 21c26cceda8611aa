//! What a shard reports about itself.

use webpubsub_protocol::time::Timestamp;

use crate::buffer::Link;
use crate::config::Full;
use crate::history::{MetricHistory, MetricValues};
use crate::metrics::Counters;
use crate::shard::Shard;

impl Shard {
    /// Why a connect would be refused, if it would be.
    #[must_use]
    pub fn full(&self) -> Option<Full> {
        self.config.full(&self.map, self.connections.len() + self.mqtt.unknown)
    }

    /// How many connections this shard holds.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// How much this shard holds: connections, and messages that other shards have not acknowledged.
    #[must_use]
    pub fn load(&self) -> usize {
        self.connections.len() + self.relay.load()
    }

    /// What [`METRICS`](crate::METRICS) were in the last minutes, up to that of `until`, which need not be over. It
    /// begins with the shard's memory.
    #[must_use]
    pub fn history(&self, until: Timestamp) -> MetricHistory {
        self.history.read(until, &self.metrics())
    }

    /// Closes the minute of the history that is over, before what happens now.
    pub(crate) fn close_minute(&mut self, now: Timestamp) {
        if self.history.is_due(now) {
            let values = self.metrics();
            self.history.close(now, values);
        }
    }

    /// The values of [`METRICS`](crate::METRICS). Counters begin again whenever the shard's memory does.
    #[must_use]
    pub fn metrics(&self) -> MetricValues {
        let (mut detached, mut messages, mut bytes) = (0, 0, 0);
        for buffer in self.connections.iter().filter_map(|(_, connection)| connection.buffer.as_ref()) {
            detached += u64::from(buffer.link != Link::Attached);
            messages += buffer.needed().count() as u64;
            bytes += buffer.bytes() as u64;
        }
        let unread = self.connections.iter().map(|(_, connection)| connection.backlog.bytes).sum();
        let quota = self.config.share(&self.map).unwrap_or(0) as u64;
        let Counters {
            opened,
            closed,
            received,
            sent,
            recoveries,
            replays,
            batches,
            drops,
            calls,
            failed_calls,
        } = self.counters;
        let connections = self.connections.len() as u64;
        let (events, durable_events) = (self.events.user_events as u64, self.events.durable_events as u64);
        [
            connections,
            detached,
            quota,
            messages,
            bytes,
            unread,
            self.log.rows(),
            events,
            durable_events,
            opened,
            closed,
            received,
            sent,
            recoveries,
            replays,
            batches,
            drops,
            calls,
            failed_calls,
        ]
    }
}
