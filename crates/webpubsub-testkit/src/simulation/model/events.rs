//! What event handlers are to receive, and what they receive.

use std::collections::VecDeque;

use webpubsub_mqtt::Qos;
use webpubsub_protocol::client::Subprotocol;
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::data::{JsonText, MessageData};
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::Call;

use super::{Connection, End, Link, Model, Published};
use crate::handler::{header, number};
use crate::simulation::check::{broken, check};
use crate::simulation::message::message_number;
use crate::simulation::words::{Answer, GROUPS, Word, event_name, user_id};

/// What event handlers ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulation) enum Asks {
    /// There is none.
    Nothing,
    /// Who connects and who goes.
    Connections,
    /// Everything.
    Everything,
}

impl Asks {
    /// The event handlers of the hub.
    pub(in crate::simulation) const fn handlers(self) -> &'static str {
        match self {
            Self::Nothing => "[]",
            Self::Connections => {
                r#"[{"urlTemplate":"https://example.com/","systemEvents":["connected","disconnected"]}]"#
            }
            Self::Everything => crate::handler::ALL_EVENTS,
        }
    }
}

/// What event handlers are to receive of a connection, and have.
#[derive(Debug, Default)]
pub(in crate::simulation) struct EventHistory {
    /// What they are to receive, oldest first.
    pub(in crate::simulation) durable: VecDeque<DurableEvent>,
    /// The events of its client that its shard has, oldest first, and some that it has no more.
    events: Vec<Asked>,
    /// What they received under which number.
    sent: Vec<(u64, String)>,
    /// What they said of it last.
    state: Option<String>,
    /// Whether they received its end.
    has_ended: bool,
    /// How often they have taken `connected` and `disconnected`, or will not.
    ends: [u32; 2],
}

/// An event that no client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulation) enum DurableEvent {
    Connected,
    Joined(u8),
    Left(u8),
    Disconnected(End),
}

/// An event that a client has sent.
#[derive(Debug)]
struct Asked {
    message: u32,
    ack_id: Option<AckId>,
    /// The number under which a handler received it.
    number: Option<u64>,
    /// Whether the socket on which it came is there.
    is_here: bool,
}

impl DurableEvent {
    const fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Joined(_) => "joined",
            Self::Left(_) => "left",
            Self::Disconnected(_) => "disconnected",
        }
    }

    /// Whether its body says more where the connection is a session of MQTT.
    const fn is_end(self) -> bool {
        matches!(self, Self::Disconnected(_))
    }

    fn body(self) -> String {
        match self {
            Self::Connected => "{}".to_owned(),
            Self::Joined(group) | Self::Left(group) => {
                format!(r#"{{"group":"{}"}}"#, GROUPS[usize::from(group)])
            }
            Self::Disconnected(why) => format!(r#"{{"reason":"{}"}}"#, why.words()),
        }
    }
}

impl End {
    const fn words(self) -> &'static str {
        match self {
            Self::Client | Self::Lost => "",
            Self::Expired => "The connection recovery timeout expired.",
            Self::Server => "Application server closed the connection.",
            Self::Full => CloseCause::BufferFull.reason(),
            Self::Broken => "The client frame is invalid.",
            Self::Drained => CloseCause::ShardDrained.reason(),
            Self::Away => CloseCause::ServiceStops.reason(),
            Self::Forbidden => CloseCause::RawSendForbidden.reason(),
        }
    }
}

impl EventHistory {
    /// The client has lost its socket, and may never receive what becomes of its events.
    pub(super) fn is_away(&mut self) {
        self.events.iter_mut().for_each(|event| event.is_here = false);
    }
}

/// The payload that a handler receives.
fn payload(call: &Call) -> MessageData {
    let body = call.request.body.clone();
    match header(call, "Content-Type") {
        Some("text/plain; charset=utf-8") => MessageData::Text(String::from_utf8(body).expect("text")),
        Some("application/json") => {
            let text = String::from_utf8(body).expect("text");
            MessageData::Json(JsonText::parse(text).expect("JSON"))
        }
        Some("application/octet-stream") => MessageData::Binary(body),
        other => broken(format!("a payload is sent as {other:?}")),
    }
}

impl Model {
    fn by_id(&self, id: &ConnectionId) -> usize {
        let at = self.connections.iter().position(|connection| connection.id == *id);
        at.unwrap_or_else(|| broken(format!("a handler receives an event of {id}, which never was")))
    }

    /// Whose event a call is about.
    fn by_call(&self, call: &Call) -> usize {
        self.by_session(&call.connection, header(call, "ce-sessionId"))
    }

    /// The connection with this id; of sessions that follow each other with one client id, the one of this session.
    fn by_session(&self, id: &ConnectionId, session: Option<&str>) -> usize {
        let Some(session) = session else { return self.by_id(id) };
        let is_it =
            |connection: &Connection| connection.session_id().is_some_and(|id| id.as_str() == session);
        let at = self.connections.iter().position(is_it);
        at.unwrap_or_else(|| {
            broken(format!("a handler receives an event of the session {session}, which never was"))
        })
    }

    /// Something has happened to a connection that a handler may ask for.
    pub(super) fn owe_event(&mut self, at: usize, event: DurableEvent) {
        let is_asked = match event {
            DurableEvent::Connected | DurableEvent::Disconnected(_) => self.asks != Asks::Nothing,
            DurableEvent::Joined(_) | DurableEvent::Left(_) => self.asks == Asks::Everything,
        };
        if is_asked {
            self.connections[at].history.durable.push_back(event);
        }
    }

    /// A connection is a member of these groups, and of no others.
    pub(super) fn set_groups(&mut self, at: usize, groups: u8) {
        let before = self.connections[at].groups;
        self.connections[at].groups = groups;
        self.connections[at].forget_options();
        for group in 0..8 {
            if groups & !before & (1 << group) != 0 {
                self.owe_event(at, DurableEvent::Joined(group));
            }
            if before & !groups & (1 << group) != 0 {
                self.owe_event(at, DurableEvent::Left(group));
            }
        }
    }

    /// A client sends an event.
    pub(super) fn ask(&mut self, at: usize, message: u32, ack_id: Option<AckId>) {
        let connection = &mut self.connections[at];
        match ack_id {
            Some(id) if connection.has_done(id) => self.owe_word(at, Word::Ack(id, Answer::Duplicate)),
            Some(id) if self.asks != Asks::Everything => self.owe_word(at, Word::Ack(id, Answer::Failed)),
            None if self.asks != Asks::Everything => {}
            Some(_) | None => {
                connection.history.events.push(Asked { message, ack_id, number: None, is_here: true });
            }
        }
    }

    /// Whether a word refuses an event that a connection's client has sent; if so, that is done.
    pub(super) fn is_refused_event(&mut self, at: usize, word: Word) -> bool {
        let Word::Ack(id, answer @ (Answer::Failed | Answer::Duplicate)) = word else { return false };
        let connection = &mut self.connections[at];
        if answer == Answer::Duplicate && !connection.has_done(id) {
            return false;
        }
        let asked = connection.history.events.iter().position(|event| event.ack_id == Some(id));
        asked.map(|asked| connection.history.events.remove(asked)).is_some()
    }

    /// A handler receives an event. Returns whether it has received it before.
    pub(in crate::simulation) fn call(&mut self, call: &Call) -> bool {
        let at = self.by_call(call);
        let is_mqtt = self.connections[at].mqtt.is_some();
        let Connection { profile, history, acks, end, .. } = &mut self.connections[at];
        let number = number(call).expect("a number");
        let user = user_id(profile.user);
        let subprotocol: Subprotocol = profile.subprotocol;
        for (name, value) in [("ce-userId", Some(user.as_str())), ("ce-subprotocol", subprotocol.name())] {
            check!(header(call, name) == value, "connection {at} has {name} {:?}", header(call, name));
        }
        check!(
            end.is_some() || header(call, "ce-connectionState") == history.state.as_deref(),
            "an event of connection {at} has the state {:?}, not {:?}",
            header(call, "ce-connectionState"),
            history.state
        );
        if call.event == event_name().as_str() {
            check!(
                end.is_none() || call.attempt == 1,
                "an event of connection {at}, which is gone, is sent once more"
            );
            let message = message_number(&payload(call));
            let mut events = history.events.iter();
            let known = events.position(|event| event.number == Some(number)).or_else(|| {
                history.events.iter().position(|event| event.number.is_none() && event.message == message)
            });
            let Some(known) = known else {
                broken(format!("connection {at} has no event with message {message} to send"))
            };
            check!(
                history.sent.iter().any(|(number, _)| *number == 1) && !history.has_ended,
                "message {message} of connection {at} is sent before `connected` or after `disconnected`"
            );
            check!(
                history.events[known + 1..].iter().all(|later| later.number.is_none()),
                "message {message} of connection {at} is sent after a later event"
            );
            let done = history.events[known].ack_id.is_some_and(|id| acks.contains(&id.0));
            check!(!done, "message {message} of connection {at} is sent, and its ack id was used");
            history.events[known].number = Some(number);
        } else {
            let Some(first) = history.durable.front() else {
                broken(format!("a handler receives {} of connection {at}, which is over", call.event))
            };
            check!(
                call.event == first.name()
                    && (call.request.body == first.body().as_bytes() || (is_mqtt && first.is_end())),
                "a handler receives {} of connection {at} where {first:?} is next",
                call.event
            );
            check!(
                (call.event == "connected") == (number == 1),
                "{} of connection {at} has the number {number}",
                call.event
            );
            history.has_ended |= call.event == "disconnected";
        }
        let said = ["ce-time", "x-ms-client-request-id"].map(|name| header(call, name).unwrap_or_default());
        let words = format!("{} {said:?} {:?}", call.event, call.request.body);
        match history.sent.iter().find(|(known, _)| *known == number) {
            Some((_, known)) => {
                check!(*known == words, "connection {at} has the number {number} twice: {known}, {words}");
                true
            }
            None => {
                history.sent.push((number, words));
                false
            }
        }
    }

    /// A handler has taken an event; `reply` is its answer to the client, `state` what it wants
    /// to be sent again.
    pub(in crate::simulation) fn taken(
        &mut self,
        now: Timestamp,
        call: &Call,
        reply: Option<u32>,
        state: Option<String>,
    ) {
        let at = self.by_call(call);
        let connection = &mut self.connections[at];
        if call.event != event_name().as_str() {
            return self.settle_event(at, &call.event);
        }
        if state.is_some() {
            connection.history.state = state;
        }
        let events = &mut connection.history.events;
        let Some(known) = events.iter().position(|event| event.number == number(call)) else {
            broken(format!("an event of connection {at} is answered that was never sent"))
        };
        let Asked { message, ack_id, .. } = events.remove(known);
        self.messages[message as usize].accepted += 1;
        if self.connections[at].end.is_some() {
            return self.connections[at].acks.extend(ack_id.map(|id| id.0));
        }
        if let Some(message) = reply {
            let published = Published { message, expires: None, qos: Qos::AtLeastOnce };
            if !self.deliver(at, published) {
                self.overflow(now, at, published);
            }
        }
        if self.connections[at].end.is_some() {
            return;
        }
        match ack_id {
            Some(id) if self.connections[at].has_done(id) => {
                self.owe_word(at, Word::Ack(id, Answer::Duplicate));
            }
            Some(id) => self.owe_ack(at, id, Answer::Done),
            None => {}
        }
    }

    /// A handler is not sent an event any more.
    pub(in crate::simulation) fn given_up(&mut self, id: &ConnectionId, session: Option<&str>, event: &str) {
        if event != event_name().as_str() {
            self.settle_event(self.by_session(id, session), event);
        }
    }

    fn settle_event(&mut self, at: usize, event: &str) {
        let history = &mut self.connections[at].history;
        let first = history.durable.pop_front();
        check!(
            first.is_some_and(|first| first.name() == event),
            "{event} of connection {at} is over where {first:?} is next"
        );
        history.ends[0] += u32::from(event == "connected");
        history.ends[1] += u32::from(event == "disconnected");
    }

    /// A shard has lost its memory, and the events in it.
    pub(super) fn forget_events(&mut self, shard: usize) {
        for connection in self.connections.iter_mut().filter(|connection| connection.shard == shard) {
            connection.history.events.clear();
        }
    }

    /// A shard has no event that waits: a client that asked how it went has received it.
    pub(in crate::simulation) fn check_answered(&mut self, shard: usize) {
        for at in self.shards[shard].alive.clone() {
            let connection = &self.connections[at];
            let forgotten =
                connection.history.events.iter().find(|event| event.is_here && event.ack_id.is_some());
            check!(
                forgotten.is_none() || connection.link != Link::Open,
                "connection {at} never receives what became of {forgotten:?}"
            );
        }
        self.forget_events(shard);
    }

    /// A connection of which a handler is yet to receive something.
    pub(in crate::simulation) fn untold(&self) -> Option<usize> {
        self.connections.iter().position(|connection| !connection.history.durable.is_empty())
    }

    /// Every connection is gone, and every handler has received that.
    pub(in crate::simulation) fn check_events(&self) {
        let times = u32::from(self.asks != Asks::Nothing);
        let all = self.connections.iter().enumerate();
        for (at, Connection { history, .. }) in all.filter(|(_, connection)| connection.was_begun()) {
            check!(
                history.ends == [times; 2] && history.durable.is_empty(),
                "of connection {at} no handler receives {:?}",
                history.durable
            );
        }
    }
}
