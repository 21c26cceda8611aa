//! Pings, and the silence that means a dead link.

use std::time::Duration;

use webpubsub_protocol::time::Timestamp;

use crate::options::Options;

/// How long a doubted link has to show a sign of life.
const PROBE_PATIENCE: Duration = Duration::from_secs(5);

/// Watches one open socket.
///
/// Any frame is a sign of life. Silence is looked for every third of the time-out, so a link is
/// given up between one and one and a third time-outs after the last frame, or up to 1 s later where that was one
/// of those that a host [need not show](crate::Arrival::allowance).
///
/// The first ping is due with the open socket. Its answer proves a recovered link, and a service on
/// Cloudflare's platform ends a TCP connection promptly only where the client has sent something.
///
/// Source: docs/spec/sdk.md#pings.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    interval: Duration,
    timeout: Duration,
    last_received: Timestamp,
    next_ping: Option<Timestamp>,
    next_check: Option<Timestamp>,
    /// When a doubted link counts as lost.
    answer_due: Option<Timestamp>,
}

/// What it is time to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Ping,
    GiveUp,
}

impl KeepAlive {
    /// Starts with the moment in which the socket opened.
    pub(crate) fn new(now: Timestamp, options: &Options) -> Self {
        let mut watch = Self {
            interval: options.keep_alive_interval,
            timeout: options.keep_alive_timeout,
            last_received: now,
            next_ping: Some(now).filter(|_| !options.keep_alive_interval.is_zero()),
            next_check: None,
            answer_due: None,
        };
        watch.schedule_check(now);
        watch
    }

    /// A frame arrived.
    pub(crate) const fn received(&mut self, now: Timestamp) {
        self.last_received = now;
        self.answer_due = None;
    }

    /// The link is in doubt: one ping goes out at once and has to be answered soon.
    pub(crate) fn doubt(&mut self, now: Timestamp) {
        self.next_ping = Some(now);
        self.answer_due.get_or_insert(now.after(PROBE_PATIENCE));
    }

    pub(crate) fn next_timeout(&self) -> Option<Timestamp> {
        earliest(self.answer_due, earliest(self.next_ping, self.next_check))
    }

    /// What is due, counted as done.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Due {
        let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        if due(self.answer_due) {
            return Due::GiveUp;
        }
        if due(self.next_check) {
            self.schedule_check(now);
            if now.since(self.last_received) > self.timeout {
                return Due::GiveUp;
            }
        }
        if due(self.next_ping) {
            self.schedule_ping(now);
            return Due::Ping;
        }
        Due::Nothing
    }

    fn schedule_ping(&mut self, now: Timestamp) {
        self.next_ping = Some(self.interval).filter(|interval| !interval.is_zero()).map(|it| now.after(it));
    }

    fn schedule_check(&mut self, now: Timestamp) {
        let pause = (self.timeout / 3).max(Duration::from_millis(1));
        self.next_check = Some(pause).filter(|_| !self.timeout.is_zero()).map(|it| now.after(it));
    }
}

/// The earlier of two moments that may never come.
#[must_use]
pub fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
