//! Operators watch a shard: what happens is recorded for them.
//!
//! Every method that records is called only while [`Trace::is_on`](crate::trace::Trace::is_on).

use webpubsub_mqtt::UpstreamPacket;
use webpubsub_protocol::client::{Origin, StreamAction, UpstreamMessage};
use webpubsub_protocol::data::MessageData;
use webpubsub_protocol::json::{Members, Writer};
use webpubsub_protocol::name::{ConnectionId, GroupName, UserId};
use webpubsub_protocol::time::Timestamp;

use crate::command::{Command, Target};
use crate::connection::Connection;
use crate::inbox::Arrived;
use crate::output::Output;
use crate::publish::Publish;
use crate::shard::Shard;
use crate::slot::Slot;
use crate::step::Step;
use crate::trace::{Class, TraceFilter, WatcherId, begin, payload_bytes, show_payload};

impl Shard {
    /// Lets an operator watch, who is no client: nothing else of the shard has them. `None` where
    /// [`MAX_WATCHERS`](crate::MAX_WATCHERS) do already. What happens leaves as [`Output::Trace`].
    #[must_use]
    pub fn watch(&mut self, filter: TraceFilter) -> Option<WatcherId> {
        self.trace.watch(filter)
    }

    /// An operator watches no more.
    pub fn unwatch(&mut self, watcher: WatcherId) {
        self.trace.unwatch(watcher);
    }

    /// How many shards the hub has, as far as this one knows.
    #[must_use]
    pub const fn shards(&self) -> u16 {
        self.map.reached
    }

    /// Records an attempt to call an event handler, as
    /// [`Delivery`](webpubsub_protocol::event_handler::Delivery) is written.
    pub fn record_call(&mut self, now: Timestamp, delivery: &str) {
        if !self.trace.is_on() {
            return;
        }
        let members = Members::parse(delivery);
        let id = members.and_then(|members| members.get("connectionId")?.text().map(|id| id.into_owned()));
        let id = id.and_then(|id| ConnectionId::parse(id).ok());
        let slot = id.as_ref().and_then(|id| self.connections.find(id));
        let user = slot.and_then(|slot| self.connections.get(slot)?.user.clone());
        let concerns = |filter: &TraceFilter| filter.concerns(id.as_ref(), user.as_ref(), None);
        let write = |_| {
            // It has a time of its own.
            let mut record = Writer::object();
            record.text("kind", "called").text_or_null("userId", user.as_ref().map(UserId::as_str));
            [&record.head(), ",", delivery.get(1..).unwrap_or_default()].concat()
        };
        self.trace.record(now, Class::Other, &concerns, &write);
    }

    /// Records something about a connection, with what `add` adds.
    pub(crate) fn record_connection(
        &mut self,
        now: Timestamp,
        slot: Slot,
        kind: &str,
        add: &dyn Fn(&mut Writer),
    ) {
        let Self { trace, connections, .. } = self;
        let Some(connection) = connections.get(slot) else { return };
        let concerns =
            |filter: &TraceFilter| filter.concerns(Some(&connection.id), connection.user.as_ref(), None);
        let write = |_| {
            let mut record = about(now, kind, connection);
            add(&mut record);
            record.finish()
        };
        trace.record(now, Class::Other, &concerns, &write);
    }

    /// Records what came over a socket, but for what only keeps a connection going.
    pub(crate) fn record_arrived(&mut self, now: Timestamp, from: Slot, arrived: &Arrived) {
        let Some(Described { name, group, event, data, bytes }) = describe(arrived) else { return };
        let Self { trace, connections, .. } = self;
        let Some(connection) = connections.get(from) else { return };
        let concerns =
            |filter: &TraceFilter| filter.concerns(Some(&connection.id), connection.user.as_ref(), group);
        let write = |payloads| {
            let mut record = about(now, "received", connection);
            record.text("type", name).text_or_null("group", group.map(GroupName::as_str));
            record.text_or_null("event", event).number("bytes", bytes as u64);
            if let Some(data) = data.filter(|_| payloads) {
                record.json("data", &show_payload(data));
            }
            record.finish()
        };
        trace.record(now, Class::Message, &concerns, &write);
    }

    /// Records a message on its way to these connections.
    pub(crate) fn record_delivery(&mut self, now: Timestamp, to: &[Slot], publish: &Publish) {
        let group = match &publish.from {
            Origin::Group { group, .. } => Some(group),
            Origin::Server => None,
        };
        let Self { trace, connections, .. } = self;
        let concerns = |TraceFilter { connection, user, group: wanted, .. }: &TraceFilter| {
            wanted.as_ref().is_none_or(|wanted| group == Some(wanted))
                && connection
                    .as_ref()
                    .is_none_or(|id| connections.find(id).is_some_and(|slot| to.contains(&slot)))
                && user
                    .as_ref()
                    .is_none_or(|user| connections.connections_of(user).any(|slot| to.contains(&slot)))
        };
        let write = |payloads| {
            let mut record = begin(now, "delivered");
            record.text_or_null("group", group.map(GroupName::as_str));
            record.number("receivers", to.len() as u64);
            record.number("bytes", payload_bytes(&publish.data) as u64);
            if payloads {
                record.json("data", &show_payload(&publish.data));
            }
            record.finish()
        };
        trace.record(now, Class::Message, &concerns, &write);
    }

    /// Records what a server asks for.
    pub(crate) fn record_command(&mut self, now: Timestamp, command: &Command) {
        let (operation, target) = match command {
            Command::Send { to, .. } => ("send", named(&to.target)),
            Command::Close { to, .. } => ("close", named(&to.target)),
            Command::Join { to, .. } => ("join", named(&to.target)),
            Command::Leave { to, .. } => ("leave", named(&to.target)),
            Command::Exists(target) => ("exists", named(target)),
            Command::Grant(permission) => ("grant", one(&permission.connection)),
            Command::Revoke(permission) => ("revoke", one(&permission.connection)),
            Command::Allowed(permission) => ("allowed", one(&permission.connection)),
            Command::Members { group, .. } => {
                ("members", Named { group: Some(group), ..Named::of("group", group.as_str()) })
            }
        };
        let Named { target, name, connection, user, group } = target;
        let concerns = |filter: &TraceFilter| filter.concerns(connection, user, group);
        let write = |_| {
            let mut record = begin(now, "command");
            record.text("operation", operation).text("target", target).text_or_null("name", name);
            record.finish()
        };
        self.trace.record(now, Class::Message, &concerns, &write);
    }

    /// Sends what was collected for long enough.
    pub(crate) fn send_records(&mut self, step: &mut Step) {
        for (to, frame) in self.trace.take_due(step.now, self.map.reached) {
            step.push(Output::Trace { to, frame });
        }
    }
}

/// Whom a command is about.
#[derive(Default)]
struct Named<'a> {
    target: &'static str,
    name: Option<&'a str>,
    connection: Option<&'a ConnectionId>,
    user: Option<&'a UserId>,
    group: Option<&'a GroupName>,
}

impl<'a> Named<'a> {
    fn of(target: &'static str, name: &'a str) -> Self {
        Self { target, name: Some(name), ..Self::default() }
    }
}

fn named(target: &Target) -> Named<'_> {
    match target {
        Target::All => Named { target: "all", ..Named::default() },
        Target::Group(group) => Named { group: Some(group), ..Named::of("group", group.as_str()) },
        Target::User(user) => Named { user: Some(user), ..Named::of("user", user.as_str()) },
        Target::Connection(id) => one(id),
    }
}

fn one(id: &ConnectionId) -> Named<'_> {
    Named { connection: Some(id), ..Named::of("connection", id.as_str()) }
}

/// Begins a record about a connection.
fn about(now: Timestamp, kind: &str, connection: &Connection) -> Writer {
    let mut record = begin(now, kind);
    record.text("connectionId", connection.id.as_str());
    record.text_or_null("userId", connection.user.as_ref().map(UserId::as_str));
    record
}

/// What there is to say about a client's message.
#[derive(Default)]
struct Described<'a> {
    /// Its type as on the wire.
    name: &'static str,
    group: Option<&'a GroupName>,
    event: Option<&'a str>,
    data: Option<&'a MessageData>,
    /// The bytes of its payload.
    bytes: usize,
}

/// Describes what came over a socket; `None` for its end, and for what only keeps a connection going.
fn describe(arrived: &Arrived) -> Option<Described<'_>> {
    let message = match arrived {
        Arrived::Message(message) => message,
        Arrived::Payload(frame) => {
            return Some(Described { name: "payload", bytes: frame.len(), ..Described::default() });
        }
        Arrived::Packet(packet) => return describe_packet(packet),
        Arrived::Invalid(_) | Arrived::Unreadable(_) => {
            return Some(Described { name: "invalid", ..Described::default() });
        }
        Arrived::Closed { .. } | Arrived::Broken(_) => return None,
    };
    let of_group = |name, group| Described { name, group: Some(group), ..Described::default() };
    Some(match message {
        UpstreamMessage::JoinGroup { group, .. } => of_group("joinGroup", group),
        UpstreamMessage::LeaveGroup { group, .. } => of_group("leaveGroup", group),
        UpstreamMessage::SendToGroup { group, data, .. } => {
            Described { data: Some(data), bytes: payload_bytes(data), ..of_group("sendToGroup", group) }
        }
        UpstreamMessage::Event { event, data, .. } => of_event("event", event.as_str(), data),
        UpstreamMessage::Invoke { event, data, .. } => of_event("invoke", event.as_str(), data),
        UpstreamMessage::CancelInvocation { .. } => {
            Described { name: "cancelInvocation", ..Described::default() }
        }
        UpstreamMessage::GroupState { group, .. } => of_group("groupState", group),
        UpstreamMessage::Stream { action, .. } => match action {
            StreamAction::Start { group, .. } => of_group("streamStart", group),
            StreamAction::Data { data, .. } => {
                let bytes = payload_bytes(data);
                Described { name: "streamData", data: Some(data), bytes, ..Described::default() }
            }
            StreamAction::End { .. } => Described { name: "streamEnd", ..Described::default() },
            StreamAction::KeepAlive => return None,
        },
        UpstreamMessage::Ping | UpstreamMessage::SequenceAck { .. } => return None,
    })
}

/// Describes a packet of an MQTT client.
fn describe_packet(packet: &UpstreamPacket) -> Option<Described<'_>> {
    let (name, bytes) = match packet {
        UpstreamPacket::Publish(publish) => ("publish", publish.payload.len()),
        UpstreamPacket::Subscribe(_) => ("subscribe", 0),
        UpstreamPacket::Unsubscribe(_) => ("unsubscribe", 0),
        UpstreamPacket::Disconnect(_) => ("disconnect", 0),
        UpstreamPacket::Connect(_)
        | UpstreamPacket::Puback(_)
        | UpstreamPacket::Pubrec(_)
        | UpstreamPacket::Pubrel(_)
        | UpstreamPacket::Pubcomp(_)
        | UpstreamPacket::Pingreq
        | UpstreamPacket::Auth(_) => return None,
    };
    Some(Described { name, bytes, ..Described::default() })
}

fn of_event<'a>(name: &'static str, event: &'a str, data: &'a MessageData) -> Described<'a> {
    Described { name, event: Some(event), data: Some(data), bytes: payload_bytes(data), group: None }
}
