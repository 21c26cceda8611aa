//! What shards relay to each other: to all of them, or to one.

use crate::output::Change;
use crate::publish::{Reach, Stored};
use crate::shard::Shard;
use crate::shard_id::ShardId;
use crate::snapshot::StoredMessage;
use crate::step::Step;

impl Shard {
    /// Takes what another shard relayed: a publish, or states. What is for one shard only all others skip.
    pub(super) fn take_relayed(&mut self, from: ShardId, stored: &StoredMessage, step: &mut Step) {
        let to = receiver(&stored.message);
        if to.is_some_and(|to| to != u64::from(self.config.shard.0)) {
            return;
        }
        match Stored::decode(stored) {
            Some(Stored::Publish(publish)) => self.deliver_to_group(&publish, Reach::ThisShard, step),
            Some(Stored::States(states)) => {
                self.put_states(&states, step);
                match to {
                    Some(_) => self.renew(&states.group, step),
                    None => self.announce(&states, Reach::ThisShard, step),
                }
            }
            None if to.is_some() => self.forget_states_of(from, step),
            None => {}
        }
    }

    /// Relays a message to one shard, of which this is all but the end. If the memory is lost before it is taken,
    /// the others get it as well, and skip it.
    pub(super) fn relay_to(&mut self, to: ShardId, head: &str, step: &mut Step) {
        let message = format!("{head}{TO}{to}}}");
        self.log.add(message.len());
        let row = self.log.newest();
        self.relay.publish_to(to, row, message.len());
        step.store(Change::Log { row, message, expires: None, relayed: true, recipients: Vec::new() });
    }
}

/// What comes before the number of the one shard that a message is for, which ends it. Nothing that is for all shards
/// ends in this and a number.
const TO: &str = ",\"to\":";

/// The one shard that a message is for, if it is for one only.
fn receiver(message: &str) -> Option<u64> {
    let message = message.strip_suffix('}')?;
    let head = message.trim_end_matches(|end: char| end.is_ascii_digit());
    let number = message.get(head.len()..)?;
    if head.ends_with(TO) { number.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_message_says_which_shard_it_is_for() {
        assert_eq!(receiver(r#"{"type":"groupStates","to":0}"#), Some(0));
        assert_eq!(receiver(r#"{"type":"groupStateSnapshot","items":[],"to":65535}"#), Some(65535));
        for message in [r#"{"data":{"a":1,"to":2}}"#, r#"{"data":",\"to\":2"}"#, r#"{"data":2}"#, "{}", ""] {
            assert_eq!(receiver(message), None, "{message}");
        }
    }
}
