//! What clients and servers publish. A message's payload is its number.

use webpubsub_mqtt::Qos;
use webpubsub_protocol::client::{Encoding, Frame, Origin, UpstreamMessage, json, simple};
use webpubsub_protocol::data::{JsonText, MessageData, Metadata};
use webpubsub_protocol::name::UserId;
use webpubsub_protocol::time::Timestamp;

use super::check::{broken, check};
use super::words::{GROUPS, USERS, group_name, user_id};

/// The topic of messages that are for no group.
const MESSAGES_TOPIC: &str = "$webpubsub/server/messages";

/// Something that a client or a server wants to publish. Its payload is its number.
#[derive(Debug)]
pub(super) struct Message {
    /// To which group, if to one.
    pub(super) group: Option<u8>,
    /// Which user's client publishes it, if a client does.
    pub(super) user: Option<u8>,
    pub(super) data: MessageData,
    /// Bytes of the frame that JSON clients receive, but for its number.
    pub(super) bytes: usize,
    /// How often the service has carried out the client's operation.
    pub(super) accepted: u32,
    /// The frame in each encoding, once it was sent, as a hash.
    frames: [Option<u64>; 2],
}

impl Message {
    /// Message `number`, with a payload of at least `size` bytes.
    pub(super) fn new(number: u32, size: usize, group: Option<u8>, user: Option<u8>) -> Self {
        let data = match number % 3 {
            _ if size > 0 => MessageData::Text(format!("{number} {}", "x".repeat(size))),
            0 => MessageData::Text(number.to_string()),
            1 => MessageData::Json(JsonText::parse(number.to_string()).expect("a number is JSON")),
            _ => MessageData::Binary(number.to_le_bytes().to_vec()),
        };
        Self::with(data, group, user)
    }

    /// Message `number` in bytes.
    pub(super) fn binary(number: u32, group: u8, user: u8) -> Self {
        Self::with(MessageData::Binary(number.to_le_bytes().to_vec()), Some(group), Some(user))
    }

    fn with(data: MessageData, group: Option<u8>, user: Option<u8>) -> Self {
        let mut message = Self { group, user, data, bytes: 0, accepted: 0, frames: [None; 2] };
        let origin = message.origin();
        message.bytes = json::DataFrame::new(&origin, &message.data, &Metadata::default(), None).len();
        message
    }

    fn origin(&self) -> Origin {
        match self.group {
            Some(group) => Origin::Group { group: group_name(group), from_user: self.user.map(user_id) },
            None => Origin::Server,
        }
    }

    /// Checks that the message is sent as it was published.
    pub(super) fn check(&self, encoding: Encoding, from: &Origin, data: &MessageData) {
        check!(*data == self.data, "{:?} was published, and {data:?} is sent", self.data);
        let named = match from {
            Origin::Group { group, from_user } => {
                (Some(group.as_str()), from_user.as_ref().map(UserId::as_str))
            }
            Origin::Server => (None, None),
        };
        let meant = (
            self.group.map(|number| GROUPS[usize::from(number)]),
            // Protobuf messages do not say whose they are.
            self.user.map(|number| USERS[usize::from(number)]).filter(|_| encoding == Encoding::Json),
        );
        check!(named == meant, "a message of {meant:?} is sent as one of {named:?}");
    }

    /// Checks that the message is sent as it was published, to a client that receives payloads only.
    pub(super) fn check_bare(&self, frame: &Frame) {
        let expected = simple::encode(&self.data);
        check!(*frame == expected, "{expected:?} was published, and {frame:?} is sent");
    }

    /// Checks that the message is sent as it was published, over MQTT.
    pub(super) fn check_topic(&self, topic: &str, payload: &[u8]) {
        let meant = self.group.map_or(MESSAGES_TOPIC, |number| GROUPS[usize::from(number)]);
        check!(topic == meant, "a message of {meant} is sent as one of {topic}");
        check!(payload == self.payload(), "{:?} was published, and {payload:?} is sent", self.data);
    }

    /// Its bytes.
    pub(super) fn payload(&self) -> &[u8] {
        match &self.data {
            MessageData::Text(text) => text.as_bytes(),
            MessageData::Json(json) => json.as_str().as_bytes(),
            MessageData::Binary(bytes) | MessageData::Protobuf(bytes) => bytes,
        }
    }

    /// Checks that the message is sent in the same bytes each time.
    pub(super) fn check_bytes(&mut self, encoding: Encoding, frame: &Frame) {
        let bytes = match frame {
            Frame::Text(text) => text.as_bytes(),
            Frame::Binary(bytes) => bytes,
        };
        let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let before = self.frames[encoding as usize].get_or_insert(hash);
        check!(*before == hash, "{:?} is sent again in other bytes", self.data);
    }
}

/// A message that a shard has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Published {
    pub(super) message: u32,
    /// When it is not worth sending again.
    pub(super) expires: Option<Timestamp>,
    /// The highest at which MQTT clients receive it.
    pub(super) qos: Qos,
}

impl Published {
    pub(super) fn has_expired(self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// The number of the message that has this payload.
pub(super) fn message_number(data: &MessageData) -> u32 {
    let number = match data {
        MessageData::Text(text) => text.split(' ').next().and_then(|number| number.parse().ok()),
        MessageData::Json(json) => json.as_str().parse().ok(),
        MessageData::Binary(bytes) => bytes.as_slice().try_into().ok().map(u32::from_le_bytes),
        MessageData::Protobuf(_) => None,
    };
    number.unwrap_or_else(|| broken(format!("{data:?} was never published")))
}

/// The number of the message that has these bytes: of a text or a number, or four bytes.
pub(super) fn number_in(bytes: &[u8]) -> u32 {
    let text = std::str::from_utf8(bytes).ok();
    let number = text.and_then(|text| text.split(' ').next()?.parse().ok());
    let number = number.or_else(|| bytes.try_into().ok().map(u32::from_le_bytes));
    number.unwrap_or_else(|| broken(format!("{bytes:?} was never published")))
}

/// What a session says, with the payload that it stands for.
pub(super) fn spelled_out(message: &UpstreamMessage<u32>, messages: &[Message]) -> UpstreamMessage {
    match message.clone() {
        UpstreamMessage::JoinGroup { group, ack_id } => UpstreamMessage::JoinGroup { group, ack_id },
        UpstreamMessage::LeaveGroup { group, ack_id } => UpstreamMessage::LeaveGroup { group, ack_id },
        UpstreamMessage::SendToGroup { group, ack_id, echo, ttl, data, metadata } => {
            let data = messages[data as usize].data.clone();
            UpstreamMessage::SendToGroup { group, ack_id, echo, ttl, data, metadata }
        }
        UpstreamMessage::Event { event, ack_id, data, metadata } => {
            let data = messages[data as usize].data.clone();
            UpstreamMessage::Event { event, ack_id, data, metadata }
        }
        UpstreamMessage::Invoke { .. } | UpstreamMessage::CancelInvocation { .. } => {
            broken("sessions invoke nothing")
        }
        UpstreamMessage::Stream { .. } => broken("sessions open no streams"),
        UpstreamMessage::GroupState { .. } => broken("sessions set no states"),
        UpstreamMessage::Ping => UpstreamMessage::Ping,
        UpstreamMessage::SequenceAck { sequence_id } => UpstreamMessage::SequenceAck { sequence_id },
    }
}
