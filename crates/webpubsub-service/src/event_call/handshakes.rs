//! The handshakes that the hub's directory need not be asked for again.

use std::time::Duration;

use webpubsub_protocol::time::Timestamp;

use crate::directory::Handler;

/// How long a handshake that succeeded is not asked for again: the directory makes it again every minute.
const HELD_FOR: Duration = Duration::from_secs(10);
/// The most handshakes that are held. All are forgotten where there would be more.
const MAX_HELD: usize = 100;

/// Handshakes that succeeded, of a hub and a handler each, and when they have to be asked for again.
#[derive(Debug, Default)]
pub(super) struct Handshakes(Vec<((String, Handler), Timestamp)>);

impl Handshakes {
    pub(super) fn holds(&self, now: Timestamp, handshake: &(String, Handler)) -> bool {
        self.0.iter().any(|(known, until)| known == handshake && now < *until)
    }

    /// Holds a handshake that is not held, or not any more.
    pub(super) fn hold(&mut self, now: Timestamp, handshake: (String, Handler)) {
        if self.0.len() >= MAX_HELD {
            self.0.clear();
        }
        self.0.push((handshake, now.after(HELD_FOR)));
    }
}
