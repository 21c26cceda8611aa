//! What the parts of a simulated world say to each other, by number where the wire has names.

use webpubsub_mqtt::UpstreamPacket;
use webpubsub_protocol::client::{Echo, Encoding, Subprotocol, UpstreamMessage};
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::name::{EventName, GroupName, UserId};

use super::check::broken;
use super::packet::{Delivered, Packet};
use crate::{group, user};

/// Groups, by number.
pub(super) const GROUPS: [&str; 4] = ["a", "b", "c", "d"];
/// Users, by number.
pub(super) const USERS: [&str; 3] = ["alice", "bob", "carol"];

pub(super) fn group_name(number: u8) -> GroupName {
    group(GROUPS[usize::from(number)])
}

pub(super) fn group_number(name: &GroupName) -> u8 {
    group_number_of(name.as_str())
}

/// The number of the group that a topic is.
pub(super) fn group_number_of(name: &str) -> u8 {
    let number = GROUPS.iter().position(|known| *known == name);
    number.unwrap_or_else(|| broken(format!("there is no group {name}"))) as u8
}

/// The one event that clients send.
pub(super) fn event_name() -> EventName {
    EventName::parse("e").expect("an event name")
}

pub(super) fn user_id(number: u8) -> UserId {
    user(USERS[usize::from(number)])
}

/// Who a client is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Profile {
    pub(super) subprotocol: Subprotocol,
    pub(super) user: u8,
    /// A bit for each group that it is a member of from the start.
    pub(super) groups: u8,
    /// Whether its roles let it do everything, or nothing.
    pub(super) allowed: bool,
    /// Where what a bare client sends is published, and whether it receives that.
    pub(super) mode: Option<(u8, Echo)>,
}

impl Profile {
    pub(super) fn encoding(self) -> Encoding {
        self.subprotocol.encoding().unwrap_or_else(|| broken("sessions speak in messages"))
    }
}

/// What came over a socket to a shard, by connection.
#[derive(Debug, Clone)]
pub(super) enum Arrival {
    Message(usize, UpstreamMessage<u32>),
    Payload(usize, u32),
    Packet(usize, Sent),
    Closed(usize, CloseCode),
    Broken(usize),
}

impl Arrival {
    /// Whether it is the end of a delivery over MQTT, which waits for nothing that came before it.
    pub(super) const fn is_end_of_delivery(&self) -> bool {
        matches!(
            self,
            Self::Packet(_, Sent { packet: UpstreamPacket::Puback(_) | UpstreamPacket::Pubcomp(_), .. })
        )
    }
}

/// A packet of an MQTT client, and the message in it: that of PUBLISH, or the will of CONNECT.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) packet: UpstreamPacket,
    pub(super) message: Option<u32>,
}

/// How an operation went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Done,
    Duplicate,
    Forbidden,
    Failed,
}

/// What a client receives beside messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Connected,
    Disconnected,
    Ack(AckId, Answer),
    Pong,
    Packet(Packet),
}

/// On its way to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Down {
    Opened,
    Word(Word),
    Data(Received),
    Close(CloseCode),
    /// The transport is gone.
    Lost,
}

/// A message that a client receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) message: u32,
    pub(super) number: Option<u64>,
    /// How it comes over MQTT, if it does.
    pub(super) delivered: Option<Delivered>,
}

/// On its way to a shard.
#[derive(Debug)]
pub(super) enum Up {
    Message(UpstreamMessage<u32>),
    /// A message of a bare client.
    Payload(u32),
    /// The first bytes of the packets that follow.
    Part(Vec<u8>),
    /// Packets of an MQTT client that end in one message, and how many of their bytes came before it.
    Packets(Vec<Sent>, usize),
    Close(CloseCode),
    /// Something that is no WebSocket traffic.
    Noise,
    /// The transport is gone.
    Lost,
}
