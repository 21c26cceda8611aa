//! What an MQTT session subscribes to.

use webpubsub_mqtt::{Qos, Subscription};
use webpubsub_protocol::name::GroupName;

/// How a session subscribes to a topic.
///
/// Those of a membership that no SUBSCRIBE made are all 0.
///
/// Source: docs/spec/mqtt.md#subscriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Options {
    /// The highest QoS of what is sent for it.
    pub(crate) qos: Qos,
    /// Whether the client's own publishes are left out.
    pub(crate) no_local: bool,
    /// The subscription identifier; 0 for none.
    pub(crate) identifier: u32,
}

const NO_LOCAL: u64 = 1 << 2;
const IDENTIFIER_SHIFT: u32 = 8;

impl Options {
    pub(crate) fn of(subscription: &Subscription, identifier: u32) -> Self {
        Self { qos: subscription.qos, no_local: subscription.no_local, identifier }
    }

    /// The options in a number, for the disk.
    pub(crate) fn encode(self) -> u64 {
        let flags = self.qos as u64 | (u64::from(self.no_local) * NO_LOCAL);
        (u64::from(self.identifier) << IDENTIFIER_SHIFT) | flags
    }

    /// Reads what [`Options::encode`] made.
    pub(crate) fn decode(number: u64) -> Self {
        Self {
            qos: Qos::from_number((number & 3) as u8).unwrap_or_default(),
            no_local: number & NO_LOCAL != 0,
            identifier: (number >> IDENTIFIER_SHIFT) as u32,
        }
    }
}

/// The topics that a session subscribes to by SUBSCRIBE, in order.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions(Vec<(GroupName, Options)>);

impl Subscriptions {
    fn find(&self, topic: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.as_str().cmp(topic))
    }

    pub(crate) fn get(&self, topic: &str) -> Option<Options> {
        self.find(topic).ok().and_then(|at| self.0.get(at)).map(|(_, options)| *options)
    }

    /// Adds a subscription, or replaces its options. Returns whether that changes anything.
    pub(crate) fn insert(&mut self, topic: &GroupName, options: Options) -> bool {
        match self.find(topic.as_str()) {
            Ok(at) => match self.0.get_mut(at) {
                Some((_, known)) if *known != options => {
                    *known = options;
                    true
                }
                Some(_) | None => false,
            },
            Err(at) => {
                self.0.insert(at, (topic.clone(), options));
                true
            }
        }
    }

    /// Returns whether there was one.
    pub(crate) fn remove(&mut self, topic: &GroupName) -> bool {
        self.find(topic.as_str()).map(|at| self.0.remove(at)).is_ok()
    }

    /// How many there are.
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_they_were_written() {
        for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
            for no_local in [false, true] {
                for identifier in [0, 1, 268_435_455] {
                    let options = Options { qos, no_local, identifier };
                    assert!(options.encode() < 1 << 53);
                    assert_eq!(Options::decode(options.encode()), options);
                }
            }
        }
    }
}
