//! What the parts of a simulated world say to each other, by number where the wire has names.

use webpubsub_mqtt::UpstreamPacket;
use webpubsub_protocol::client::{Echo, Encoding, Subprotocol, UpstreamMessage};
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::data::{MessageData, TimeToLive};
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::name::{ConnectionId, EventName, GroupName, UserId};
use webpubsub_protocol::role::PermissionType;

use super::check::broken;
use super::message::Message;
use super::packet::{Delivered, Packet};
use super::rest::RequestLine;
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
