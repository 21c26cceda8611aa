//! What the parts of a simulated world say to each other, by number where the wire has names.

use webpubsub_protocol::client::{Encoding, Frame, Origin, Subprotocol, UpstreamMessage, json};
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::data::{JsonText, MessageData, Metadata, TimeToLive};
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::name::{ConnectionId, EventName, GroupName, UserId};
use webpubsub_protocol::role::PermissionType;
use webpubsub_protocol::time::Timestamp;

use super::check::{broken, check};
use crate::{group, user};

/// Groups, by number.
pub(super) const GROUPS: [&str; 4] = ["a", "b", "c", "d"];
/// Users, by number.
pub(super) const USERS: [&str; 3] = ["alice", "bob", "carol"];

pub(super) fn group_name(number: u8) -> GroupName {
    group(GROUPS[usize::from(number)])
}

pub(super) fn group_number(name: &GroupName) -> u8 {
    let number = GROUPS.iter().position(|known| *known == name.as_str());
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
    Closed(usize, CloseCode),
    Broken(usize),
}

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
}

/// On its way to a shard.
#[derive(Debug)]
pub(super) enum Up {
    Message(UpstreamMessage<u32>),
    Close(CloseCode),
    /// Something that is no WebSocket traffic.
    Noise,
    /// The transport is gone.
    Lost,
}

/// Whom a server means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    All,
    Group(u8),
    User(u8),
    Connection(usize),
}

/// What a server asks for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Request {
    Send {
        to: To,
        excluded: Option<usize>,
        message: u32,
        ttl: TimeToLive,
    },
    Close(To),
    Join(To, u8),
    /// In one group, or in all.
    Leave(To, Option<u8>),
    Permit {
        connection: usize,
        kind: PermissionType,
        group: u8,
        granted: bool,
    },
    Exists(To),
    Allowed {
        connection: usize,
        kind: PermissionType,
        group: u8,
    },
    Members(u8),
}

/// A request as it comes over HTTP.
#[derive(Debug)]
pub(super) struct RequestLine {
    pub(super) method: &'static str,
    /// Path and query.
    pub(super) path: String,
    pub(super) content_type: Option<&'static str>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// Whether it succeeds only where it finds somebody.
    pub(super) const fn is_search(&self) -> bool {
        matches!(
            self,
            Self::Join(To::User(_) | To::Connection(_), _)
                | Self::Permit { granted: true, .. }
                | Self::Exists(_)
                | Self::Allowed { .. }
        )
    }

    /// The same as it comes over HTTP.
    pub(super) fn line<'a>(
        &self,
        messages: &[Message],
        id: impl Fn(usize) -> &'a ConnectionId,
    ) -> RequestLine {
        let of = |to: To| match to {
            To::All => String::new(),
            To::Group(number) => format!("/groups/{}", GROUPS[usize::from(number)]),
            To::User(number) => format!("/users/{}", USERS[usize::from(number)]),
            To::Connection(connection) => format!("/connections/{}", id(connection)),
        };
        let group = |number: u8| GROUPS[usize::from(number)];
        // Of a user or a connection in one group there are paths, of all others bodies.
        let membership = |to: To, method, many: &str, number: u8| match to {
            To::All => RequestLine::many(many, group(number), "null"),
            To::Group(other) => {
                RequestLine::many(many, group(number), &format!("\"'{}' in groups\"", group(other)))
            }
            To::User(_) => RequestLine::bare(method, format!("{}/groups/{}", of(to), group(number))),
            To::Connection(_) => RequestLine::bare(method, format!("/groups/{}{}", group(number), of(to))),
        };
        let permission = |method, connection: usize, kind: PermissionType, number: u8| {
            let (kind, id, group) = (kind.as_str(), id(connection), group(number));
            RequestLine::bare(method, format!("/permissions/{kind}/connections/{id}?targetName={group}"))
        };
        match *self {
            Self::Send { to, excluded, message, ttl } => {
                let mut path = format!("{}/:send?messageTtlSeconds={}", of(to), ttl.as_seconds());
                if let Some(excluded) = excluded {
                    path.push_str(&format!("&excluded={}", id(excluded)));
                }
                let (content_type, body) = match &messages[message as usize].data {
                    MessageData::Text(text) => ("text/plain", text.clone().into_bytes()),
                    MessageData::Json(json) => ("application/json", json.as_str().as_bytes().to_vec()),
                    MessageData::Binary(bytes) | MessageData::Protobuf(bytes) => {
                        ("application/octet-stream", bytes.clone())
                    }
                };
                RequestLine { content_type: Some(content_type), body, ..RequestLine::bare("POST", path) }
            }
            Self::Close(to @ To::Connection(_)) => RequestLine::bare("DELETE", of(to)),
            Self::Close(to) => RequestLine::bare("POST", of(to) + "/:closeConnections"),
            Self::Join(to, number) => membership(to, "PUT", "/:addToGroups", number),
            Self::Leave(to, Some(number)) => membership(to, "DELETE", "/:removeFromGroups", number),
            Self::Leave(to, None) => RequestLine::bare("DELETE", of(to) + "/groups"),
            Self::Permit { connection, kind, group, granted } => {
                permission(if granted { "PUT" } else { "DELETE" }, connection, kind, group)
            }
            Self::Exists(to) => RequestLine::bare("HEAD", of(to)),
            Self::Allowed { connection, kind, group } => permission("HEAD", connection, kind, group),
            Self::Members(number) => {
                RequestLine::bare("GET", format!("/groups/{}/connections?maxpagesize=200", group(number)))
            }
        }
    }
}

impl RequestLine {
    /// A request without a body, by its path after that of the hub.
    fn bare(method: &'static str, path: impl std::fmt::Display) -> Self {
        Self { method, path: format!("/api/hubs/chat{path}"), content_type: None, body: Vec::new() }
    }

    /// A request about those members of the hub that a filter picks, and one group.
    fn many(path: &str, group: &str, filter: &str) -> Self {
        let body = format!(r#"{{"groups":["{group}"],"filter":{filter}}}"#).into_bytes();
        Self { content_type: Some("application/json"), body, ..Self::bare("POST", path) }
    }
}
