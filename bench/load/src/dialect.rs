//! How clients talk to each kind of server.

mod mqtt;

use std::sync::LazyLock;

use bytes::Bytes;
use memchr::memchr;
use memchr::memmem::FinderRev;
use serde::Deserialize;
use tokio_tungstenite::tungstenite::Message;
use webpubsub_mqtt::Qos;
use webpubsub_protocol::client::{DownstreamMessage, Echo, Encoding, Frame, Subprotocol, UpstreamMessage};
use webpubsub_protocol::data::{MessageData, Metadata, TimeToLive};
use webpubsub_protocol::id::{AckId, SequenceId};
use webpubsub_protocol::name::{EventName, GroupName};

use crate::error::LoadError;

/// The words of one kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Dialect {
    /// `json.webpubsub.azure.v1`.
    Json,
    /// `json.reliable.webpubsub.azure.v1`.
    Reliable,
    /// `protobuf.webpubsub.azure.v1`.
    Protobuf,
    /// Payloads as they are, to the room that was connected to.
    Raw,
    /// Engine.IO 4 and Socket.IO 5 over a WebSocket, events called `message`.
    SocketIo,
    /// MQTT 3.1.1, everything at QoS 0.
    Mqtt,
    /// MQTT 3.1.1, everything at QoS 1.
    MqttQos1,
}

/// What a server's frame says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// The connection is ready.
    Greeting {
        /// What recovers it, if anything does: its id and a token.
        recovery: Option<(String, String)>,
    },
    /// A payload with this number.
    Message {
        /// The payload's own number.
        number: usize,
        /// Its place in what a reliable connection receives.
        sequence_id: Option<u64>,
        /// What is to be sent back for it, if anything is.
        reply: Option<Message>,
    },
    /// An operation was done, or not.
    Ack {
        /// Which.
        id: u64,
        /// Whether it was done.
        done: bool,
    },
    /// This is to be sent back.
    Reply(Message),
    /// Nothing of interest.
    Other,
}

const MESSAGE: &[u8] = br#"{"type":"message""#;
static SEQUENCE_ID: LazyLock<FinderRev<'static>> = LazyLock::new(|| FinderRev::new(br#""sequenceId":"#));

impl Dialect {
    /// The WebSocket subprotocol to ask for.
    pub(crate) fn subprotocol(self) -> Option<&'static str> {
        self.named().and_then(Subprotocol::name)
    }

    fn named(self) -> Option<Subprotocol> {
        match self {
            Self::Json => Some(Subprotocol::Json),
            Self::Reliable => Some(Subprotocol::JsonReliable),
            Self::Protobuf => Some(Subprotocol::Protobuf),
            Self::Mqtt | Self::MqttQos1 => Some(Subprotocol::Mqtt),
            Self::Raw | Self::SocketIo => None,
        }
    }

    /// The QoS of everything, in MQTT.
    fn qos(self) -> Option<Qos> {
        match self {
            Self::Mqtt => Some(Qos::AtMostOnce),
            Self::MqttQos1 => Some(Qos::AtLeastOnce),
            Self::Json | Self::Reliable | Self::Protobuf | Self::Raw | Self::SocketIo => None,
        }
    }

    /// What a client begins with, where the server does not begin.
    pub(crate) fn hello(self, topic: Option<&str>) -> Option<Message> {
        self.qos().map(|qos| mqtt::hello(topic, qos))
    }

    fn encoding(self) -> Option<Encoding> {
        self.named().and_then(Subprotocol::encoding)
    }

    /// Whether a connection is ready only when the server has said so.
    pub(crate) fn greets(self) -> bool {
        self != Self::Raw
    }

    /// A sign of life, where a client has one.
    pub(crate) fn ping(self) -> Option<Message> {
        match self {
            Self::Mqtt | Self::MqttQos1 => Some(mqtt::ping()),
            Self::Json | Self::Reliable | Self::Protobuf => self.encode(&UpstreamMessage::Ping).ok(),
            Self::Raw | Self::SocketIo => None,
        }
    }

    /// A publish to a group, which the connection is in if the dialect has no word for groups.
    pub(crate) fn publish(self, group: &str, data: String, ack: Option<u64>) -> Result<Message, LoadError> {
        match self {
            Self::Mqtt => Ok(mqtt::publish(group, Qos::AtMostOnce, data)),
            Self::MqttQos1 => Ok(mqtt::publish(group, Qos::AtLeastOnce, data)),
            Self::Raw => Ok(Message::text(data)),
            Self::SocketIo => Ok(Message::text(format!(r#"42["message","{data}"]"#))),
            Self::Json | Self::Reliable | Self::Protobuf => self.encode(&UpstreamMessage::SendToGroup {
                group: group_name(group)?,
                ack_id: ack.map(AckId),
                echo: Echo::Send,
                ttl: TimeToLive::FOREVER,
                data: MessageData::Text(data),
                metadata: Metadata::default(),
            }),
        }
    }

    /// Joins a group.
    pub(crate) fn join(self, group: &str, ack: u64) -> Result<Message, LoadError> {
        self.encode(&UpstreamMessage::JoinGroup { group: group_name(group)?, ack_id: Some(AckId(ack)) })
    }

    /// Leaves a group.
    pub(crate) fn leave(self, group: &str, ack: u64) -> Result<Message, LoadError> {
        self.encode(&UpstreamMessage::LeaveGroup { group: group_name(group)?, ack_id: Some(AckId(ack)) })
    }

    /// An event for the application.
    pub(crate) fn event(self, data: String, ack: Option<u64>) -> Result<Message, LoadError> {
        let name = "load";
        self.encode(&UpstreamMessage::Event {
            event: EventName::parse(name)
                .map_err(|_| LoadError::Name { kind: "event", name: name.to_owned() })?,
            ack_id: ack.map(AckId),
            data: MessageData::Text(data),
            metadata: Metadata::default(),
        })
    }

    /// What a reliable client says about what it has received.
    pub(crate) fn sequence_ack(self, id: u64) -> Result<Message, LoadError> {
        self.encode(&UpstreamMessage::SequenceAck { sequence_id: SequenceId(id) })
    }

    fn encode(self, message: &UpstreamMessage) -> Result<Message, LoadError> {
        let encoding = self
            .encoding()
            .ok_or(LoadError::CannotSay { dialect: self.name(), what: "join, leave or acknowledge" })?;
        Ok(match encoding.encode_upstream(message) {
            Frame::Text(text) => Message::text(text),
            Frame::Binary(bytes) => Message::binary(bytes),
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Reliable => "reliable JSON",
            Self::Protobuf => "protobuf",
            Self::Raw => "a raw socket",
            Self::SocketIo => "Socket.IO",
            Self::Mqtt | Self::MqttQos1 => "MQTT",
        }
    }

    /// Reads a frame. Payloads are looked for where they must be: a message costs no more here than it has to.
    pub(crate) fn read(self, frame: Message) -> Incoming {
        match (self, &frame) {
            (Self::Raw, Message::Text(_) | Message::Binary(_)) => payload(&frame.into_data(), None),
            (Self::SocketIo, Message::Text(text)) => socket_io(text.as_str()),
            (Self::Json | Self::Reliable, Message::Text(text)) if text.as_bytes().starts_with(MESSAGE) => {
                payload(text.as_bytes(), sequence_id(text.as_bytes()))
            }
            (Self::Json | Self::Reliable, Message::Text(text)) => {
                downstream(Encoding::Json, &Frame::Text(text.as_str().to_owned()))
            }
            (Self::Protobuf, Message::Binary(bytes)) => {
                downstream(Encoding::Protobuf, &Frame::Binary(bytes.to_vec()))
            }
            (Self::Mqtt | Self::MqttQos1, Message::Binary(bytes)) => mqtt::read(bytes),
            _ => Incoming::Other,
        }
    }
}

/// The payload of a message: its number between two marks, and as many letters as are missing.
pub(crate) fn numbered(number: usize, size: usize) -> String {
    let mut data = format!("#{number:08}#");
    let missing = size.saturating_sub(data.len());
    data.extend(std::iter::repeat_n('x', missing));
    data
}

fn number_in(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.get(memchr(b'#', bytes)? + 1..)?;
    std::str::from_utf8(rest.get(..memchr(b'#', rest)?)?).ok()?.parse().ok()
}

fn payload(bytes: &[u8], sequence_id: Option<u64>) -> Incoming {
    number_in(bytes).map_or(Incoming::Other, |number| Incoming::Message { number, sequence_id, reply: None })
}

fn sequence_id(bytes: &[u8]) -> Option<u64> {
    let rest = bytes.get(SEQUENCE_ID.rfind(bytes)? + SEQUENCE_ID.needle().len()..)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()
}

fn socket_io(text: &str) -> Incoming {
    match text.as_bytes() {
        [b'0', ..] => Incoming::Reply(Message::text("40")),
        [b'2', ..] => Incoming::Reply(Message::text("3")),
        [b'4', b'0', ..] => Incoming::Greeting { recovery: None },
        [b'4', b'2', rest @ ..] => payload(rest, None),
        _ => Incoming::Other,
    }
}

fn downstream(encoding: Encoding, frame: &Frame) -> Incoming {
    match encoding.decode_downstream(frame) {
        Ok(Some(DownstreamMessage::Connected { connection_id, reconnection_token, .. })) => {
            let recovery = reconnection_token.map(|token| (connection_id.as_str().to_owned(), token));
            Incoming::Greeting { recovery }
        }
        Ok(Some(DownstreamMessage::Ack { ack_id, result })) => {
            Incoming::Ack { id: ack_id.0, done: result.is_ok() }
        }
        Ok(Some(DownstreamMessage::Data { data: MessageData::Text(text), sequence_id, .. })) => {
            payload(text.as_bytes(), sequence_id.map(|id| id.0))
        }
        Ok(_) | Err(_) => Incoming::Other,
    }
}

fn group_name(name: &str) -> Result<GroupName, LoadError> {
    GroupName::parse(name).map_err(|_| LoadError::Name { kind: "group", name: name.to_owned() })
}

/// The body of a publish over HTTP.
pub(crate) fn body(number: usize, size: usize) -> Bytes {
    Bytes::from(numbered(number, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: usize, sequence_id: Option<u64>) -> Incoming {
        Incoming::Message { number, sequence_id, reply: None }
    }

    #[test]
    fn a_payload_has_its_number_and_its_size() {
        assert_eq!(numbered(42, 16), "#00000042#xxxxxx");
        assert_eq!(numbered(42, 1024).len(), 1024);
        assert_eq!(number_in(b"..#00000042#xx"), Some(42));
        assert_eq!(number_in(b"no number"), None);
        assert_eq!(number_in(b"#4x#"), None);
    }

    #[test]
    fn a_json_message_has_its_number_and_its_sequence_id() {
        let plain = r##"{"type":"message","from":"server","dataType":"text","data":"#00000007#"}"##;
        assert_eq!(Dialect::Json.read(Message::text(plain)), message(7, None));
        let reliable = r##"{"type":"message","from":"group","group":"g","dataType":"text","data":"#00000007#x","sequenceId":12}"##;
        assert_eq!(Dialect::Reliable.read(Message::text(reliable)), message(7, Some(12)));
    }

    #[test]
    fn the_other_messages_of_the_service_are_read() {
        let ack = r#"{"type":"ack","ackId":3,"success":true}"#;
        assert_eq!(Dialect::Json.read(Message::text(ack)), Incoming::Ack { id: 3, done: true });
        let refusal =
            r#"{"type":"ack","ackId":4,"success":false,"error":{"name":"Forbidden","message":"no"}}"#;
        assert_eq!(Dialect::Json.read(Message::text(refusal)), Incoming::Ack { id: 4, done: false });
        let connected = r#"{"type":"system","event":"connected","userId":"u","connectionId":"c","reconnectionToken":"t"}"#;
        let recovery = Some(("c".to_owned(), "t".to_owned()));
        assert_eq!(Dialect::Reliable.read(Message::text(connected)), Incoming::Greeting { recovery });
    }

    #[test]
    fn what_a_protobuf_client_sends_is_what_the_codec_reads() {
        let Message::Binary(bytes) = Dialect::Protobuf.publish("g", numbered(5, 16), Some(1)).unwrap() else {
            panic!("not binary")
        };
        let read = Encoding::Protobuf.decode_upstream(&Frame::Binary(bytes.to_vec())).unwrap();
        assert!(matches!(read, UpstreamMessage::SendToGroup { ack_id: Some(AckId(1)), .. }));
    }

    #[test]
    fn socket_io_is_joined_kept_alive_and_read() {
        let read = |text: &str| Dialect::SocketIo.read(Message::text(text));
        assert_eq!(read(r#"0{"sid":"s"}"#), Incoming::Reply(Message::text("40")));
        assert_eq!(read("2"), Incoming::Reply(Message::text("3")));
        assert_eq!(read(r#"40{"sid":"s"}"#), Incoming::Greeting { recovery: None });
        assert_eq!(read(r##"42["message","#00000009#x"]"##), message(9, None));
    }

    #[test]
    fn a_dialect_without_groups_cannot_join() {
        assert!(matches!(Dialect::Raw.join("g", 1), Err(LoadError::CannotSay { .. })));
    }
}
