//! Handlers that fail are left alone for a while.

use webpubsub_protocol::time::Timestamp;

/// What is known of how calls to each URL ended.
#[derive(Debug, Default)]
pub struct Breakers(Vec<()>);

impl Breakers {
    /// Whether a call may be made now: true while the URL works, and once for a probe.
    pub fn allows(&mut self, _now: Timestamp, _url: &str) -> bool {
        todo!()
    }

    /// A call has ended.
    pub fn ended(&mut self, _now: Timestamp, _url: &str, _works: bool) {
        todo!()
    }
}
