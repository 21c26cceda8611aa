//! What a shard keeps of MQTT clients, beside what it keeps of every connection.
//!
//! A session is a connection, its client id the connection's id, and its subscriptions are memberships. What it is
//! owed at QoS 1 and 2 are rows of the log, in the same buffer as a reliable connection's: a packet identifier is a
//! message's place in that buffer, so identifiers survive every loss that the buffer survives.

mod content;
mod outgoing;
mod pending;
mod receivers;
mod session;
mod subscriptions;
mod waits;

pub(crate) use content::{Content, MESSAGES_TOPIC, SYSTEM_TOPICS, is_topic, read_message};
pub(crate) use outgoing::{Outgoing, Progress};
pub(crate) use pending::{Pending, Stage, Wanted};
pub(crate) use receivers::{Delivery, Receivers};
pub(crate) use session::{Leaving, MAX_KEEP_ALIVE_SECONDS, MqttSession, keep_alive, packet_maximum};
pub(crate) use subscriptions::{Options, Subscriptions};
pub(crate) use waits::MqttClients;

/// How long a session outlives its socket at most, in seconds.
///
/// Source: docs/spec/mqtt.md#sessions.
pub(crate) const MAX_EXPIRY_SECONDS: u32 = 30;
