//! Events that wait to be delivered: a queue for each connection, and which queue is next.

use std::collections::VecDeque;
use std::time::Duration;

use webpubsub_mqtt::Qos;
use webpubsub_protocol::client::Subprotocol;
use webpubsub_protocol::data::MessageData;
use webpubsub_protocol::event_handler::{Event, Physical};
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::name::{ConnectionId, UserId};
use webpubsub_protocol::time::Timestamp;

use super::call::CallId;
use super::circuit_breaker::CircuitBreakers;
use super::retry_policy::Attempts;
use crate::ack::AckCache;
use crate::connection::Connection;
use crate::settings::HubSettings;
use crate::slot::{Slot, insert_by_time};
use crate::snapshot::EventContext;

/// The queue of a call that is about no connection's event.
pub(crate) const NO_QUEUE: Slot = Slot(u32::MAX);
/// How many durable events of a shard may wait at once.
pub(crate) const MAX_DURABLE_EVENTS: usize = 100_000;
/// How many user events of one connection may wait at once.
const MAX_USER_EVENTS: usize = 1000;
/// How many bytes of user events of a shard may wait at once.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// How many bytes a user event counts beside its payload.
const SPARE_BYTES: usize = 256;
/// How long a durable event may wait before the shard is to be woken for it, should its memory be lost
/// meanwhile.
const WAKE_AFTER: Duration = Duration::from_secs(10);
/// How often the shard is woken to see whether its connections are still there, where a handler
/// subscribes to `disconnected`.
const LOOK_AFTER: Duration = Duration::from_secs(300);

/// All event queues of a shard.
#[derive(Debug, Default)]
pub(crate) struct EventQueues {
    /// The hub's settings, if they were ever changed.
    pub(crate) settings: Option<HubSettings>,
    queues: Vec<Option<EventQueue>>,
    /// Indexes of `queues` that hold none.
    vacant: Vec<Slot>,
    /// Queues that may have an event to deliver, in turn.
    ready: VecDeque<Slot>,
    /// Queues that wait for some time, soonest first.
    paused: VecDeque<(Timestamp, Slot)>,
    pub(crate) calls: Vec<CallUnderWay>,
    /// The last call that was made.
    pub(crate) last_call: u64,
    /// The row of the newest durable event.
    pub(crate) newest: u64,
    /// How many durable events wait.
    pub(crate) durable_events: usize,
    /// How many user events wait.
    pub(crate) user_events: usize,
    /// The bytes of those user events.
    bytes: usize,
    pub(crate) breakers: CircuitBreakers,
    /// When the shard is to be awake.
    wake: Option<Timestamp>,
}

/// The events of one connection that wait to be delivered, in the order in which they happened.
#[derive(Debug)]
pub(crate) struct EventQueue {
    pub(crate) owner: Owner,
    /// The next event's number as it is on disk, or less.
    pub(crate) stored: u64,
    pub(crate) durable_events: VecDeque<Waiting>,
    pub(crate) user_events: VecDeque<Waiting>,
    /// Whether it is among those that are ready.
    pub(crate) is_ready: bool,
    /// When it becomes ready again.
    paused: Option<Timestamp>,
}

/// The connection whose events are in a queue.
#[derive(Debug)]
pub(crate) enum Owner {
    /// It is open, in this slot.
    Open(Slot),
    /// It is gone.
    Closed(Box<ClosedConnection>),
}

/// What the events of a connection that is gone carry.
#[derive(Debug)]
pub(crate) struct ClosedConnection {
    pub(crate) id: ConnectionId,
    pub(crate) user: Option<UserId>,
    pub(crate) subprotocol: Subprotocol,
    /// The ack ids that it has used.
    pub(crate) acks: AckCache,
    /// The last socket of an MQTT client.
    pub(crate) mqtt: Option<Physical>,
    pub(crate) context: EventContext,
}

/// Which of the two kinds of events of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueueKind {
    /// System events, which are on disk as well; no client waits for them.
    Durable,
    /// Events that a client sent, which are in memory only.
    User,
}

/// An event that waits to be delivered.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) event: Event,
    /// Its `ce-id`.
    pub(crate) number: u64,
    /// When it happened.
    pub(crate) time: Timestamp,
    pub(crate) reply_to: ReplyTarget,
    /// The attempts at it, once there was one.
    pub(crate) attempts: Option<Attempts>,
    /// When the next may be made.
    pub(crate) due: Timestamp,
    /// Whether one is under way.
    pub(crate) is_under_way: bool,
}

/// An event that an MQTT client published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MqttRequest {
    /// Its topic.
    pub(crate) topic: String,
    pub(crate) qos: Qos,
    /// What links the answer to it.
    pub(crate) correlation: Option<Vec<u8>>,
}

/// Where the answer to an event goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReplyTarget {
    /// Nowhere: this row of the disk is to be deleted.
    DurableEvent(u64),
    /// The client, and the ack that it asked for.
    Ack(Option<AckId>),
    /// A simple client, which is closed if the event fails.
    Frame,
    /// The client, under this id.
    Invocation(String),
    /// An MQTT client, on the topics of the answers to the event.
    Mqtt(Box<MqttRequest>),
    /// Nowhere: the client has cancelled its invocation.
    None,
}

/// A call that is under way.
#[derive(Debug)]
pub(crate) struct CallUnderWay {
    pub(crate) id: CallId,
    /// The kind of its event, which is the first of that kind.
    pub(crate) kind: QueueKind,
    /// The queue of its event.
    pub(crate) queue: Slot,
    /// When it was made.
    pub(crate) since: Timestamp,
    /// The handler's URL template.
    pub(crate) template: String,
    /// The URL that is called.
    pub(crate) url: String,
}

impl Waiting {
    pub(crate) const fn new(event: Event, number: u64, time: Timestamp, reply_to: ReplyTarget) -> Self {
        Self { event, number, time, reply_to, attempts: None, due: time, is_under_way: false }
    }

    /// Whether an attempt at it was made, and has ended.
    pub(crate) fn was_tried(&self) -> bool {
        self.attempts.is_some_and(|attempts| attempts.number() > 1)
    }

    fn bytes(&self) -> usize {
        let data = match &self.event {
            Event::User { data, .. } => data,
            Event::MqttUser(request) => return request.size() + SPARE_BYTES,
            Event::Connect { .. }
            | Event::MqttConnect { .. }
            | Event::Connected
            | Event::Disconnected { .. }
            | Event::MqttDisconnected { .. }
            | Event::Joined { .. }
            | Event::Left { .. } => return 0,
        };
        let payload = match data {
            MessageData::Text(text) => text.len(),
            MessageData::Json(json) => json.as_given().len(),
            MessageData::Binary(bytes) | MessageData::Protobuf(bytes) => bytes.len(),
        };
        payload + SPARE_BYTES
    }
}

impl ReplyTarget {
    /// Whether an operation with the ack id of the event was done.
    pub(crate) fn is_done(&self, acks: &AckCache) -> bool {
        matches!(self, Self::Ack(Some(id)) if acks.contains(*id))
    }
}

impl From<Connection> for ClosedConnection {
    fn from(connection: Connection) -> Self {
        let mqtt = connection.physical();
        let Connection { id, user, subprotocol, acks, context, .. } = connection;
        Self { id, user, subprotocol, acks, mqtt, context }
    }
}

impl EventQueue {
    /// Whether it is empty, and not among those that are ready.
    pub(crate) fn is_over(&self) -> bool {
        self.durable_events.is_empty() && self.user_events.is_empty() && !self.is_ready
    }

    /// Whether anything waits for the first event in a queue: then attempts at it go on. Nothing waits
    /// for an event of a client that is gone, or that has taken it back.
    pub(crate) fn awaits_first(&self, kind: QueueKind) -> bool {
        match kind {
            QueueKind::Durable => true,
            QueueKind::User => {
                matches!(self.owner, Owner::Open(_))
                    && self.user_events.front().is_some_and(|first| first.reply_to != ReplyTarget::None)
            }
        }
    }

    pub(crate) const fn events(&self, kind: QueueKind) -> &VecDeque<Waiting> {
        match kind {
            QueueKind::Durable => &self.durable_events,
            QueueKind::User => &self.user_events,
        }
    }

    pub(crate) const fn events_mut(&mut self, kind: QueueKind) -> &mut VecDeque<Waiting> {
        match kind {
            QueueKind::Durable => &mut self.durable_events,
            QueueKind::User => &mut self.user_events,
        }
    }
}

impl EventQueues {
    pub(crate) fn new(settings: Option<HubSettings>) -> Self {
        Self { settings, ..Self::default() }
    }

    pub(crate) fn get(&self, at: Slot) -> Option<&EventQueue> {
        self.queues.get(at.index())?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, at: Slot) -> Option<&mut EventQueue> {
        self.queues.get_mut(at.index())?.as_mut()
    }

    /// Opens an empty queue.
    pub(crate) fn open(&mut self, owner: Owner, stored: u64) -> Slot {
        let queue = EventQueue {
            owner,
            stored,
            durable_events: VecDeque::new(),
            user_events: VecDeque::new(),
            is_ready: false,
            paused: None,
        };
        let at = self.vacant.pop().unwrap_or_else(|| {
            self.queues.push(None);
            Slot(u32::try_from(self.queues.len() - 1).unwrap_or(u32::MAX))
        });
        if let Some(place) = self.queues.get_mut(at.index()) {
            *place = Some(queue);
        }
        at
    }

    /// Forgets an empty queue.
    pub(crate) fn close(&mut self, at: Slot) -> Option<EventQueue> {
        let queue = self.queues.get_mut(at.index())?.take();
        self.vacant.push(at);
        queue
    }

    /// Whether there is room for one more user event.
    pub(crate) fn has_room(&self, queue: Option<&EventQueue>, waiting: &Waiting) -> bool {
        queue.is_none_or(|queue| queue.user_events.len() < MAX_USER_EVENTS)
            && self.bytes + waiting.bytes() <= MAX_BYTES
    }

    pub(crate) fn push(&mut self, at: Slot, kind: QueueKind, waiting: Waiting) {
        match kind {
            QueueKind::Durable => self.durable_events += 1,
            QueueKind::User => {
                self.user_events += 1;
                self.bytes += waiting.bytes();
            }
        }
        if let Some(queue) = self.get_mut(at) {
            queue.events_mut(kind).push_back(waiting);
        }
        self.make_ready(at);
    }

    pub(crate) fn remove(&mut self, at: Slot, kind: QueueKind, index: usize) -> Option<Waiting> {
        let waiting = self.get_mut(at)?.events_mut(kind);
        waiting.get(index)?;
        // To the front: the others keep their order.
        (1..=index).rev().for_each(|place| waiting.swap(place, place - 1));
        let waiting = waiting.pop_front()?;
        match kind {
            QueueKind::Durable => self.durable_events -= 1,
            QueueKind::User => {
                self.user_events -= 1;
                self.bytes -= waiting.bytes();
            }
        }
        self.make_ready(at);
        Some(waiting)
    }

    /// Puts a queue at the end of those that may have an event to deliver.
    pub(crate) fn make_ready(&mut self, at: Slot) {
        if let Some(queue) = self.get_mut(at).filter(|queue| !queue.is_ready) {
            queue.is_ready = true;
            self.ready.push_back(at);
        }
    }

    /// Makes a queue ready at some time.
    pub(crate) fn pause(&mut self, at: Slot, until: Timestamp) {
        let Some(queue) = self.get_mut(at) else { return };
        if queue.paused.is_none_or(|before| until < before) {
            queue.paused = Some(until);
            insert_by_time(&mut self.paused, until, at);
        }
    }

    /// Makes the queues ready that wait for this time or one before, or all of them.
    pub(crate) fn resume(&mut self, until: Option<Timestamp>) {
        while let Some((due, at)) = self.paused.pop_front_if(|(due, _)| until.is_none_or(|now| *due <= now)) {
            if let Some(queue) = self.get_mut(at).filter(|queue| queue.paused == Some(due)) {
                queue.paused = None;
                self.make_ready(at);
            }
        }
    }

    /// The queue that is next, if there is one and another call may be made: `most` are under way at once.
    pub(crate) fn next(&mut self, most: usize) -> Option<Slot> {
        if self.calls.len() < most { self.ready.pop_front() } else { None }
    }

    /// When the next queue becomes ready.
    pub(crate) fn next_timeout(&self) -> Option<Timestamp> {
        self.paused.front().map(|(due, _)| *due)
    }

    /// When the shard is to be awake even if its memory is lost until then.
    pub(crate) const fn next_deadline(&self) -> Option<Timestamp> {
        self.wake
    }

    /// Sees to it that the shard is awake some time after a durable event began to wait, and once in a while
    /// if it `is_watched`.
    pub(crate) fn watch(&mut self, now: Timestamp, is_watched: bool) {
        let after = match self.durable_events {
            0 if is_watched => LOOK_AFTER,
            0 => return,
            _ => WAKE_AFTER,
        };
        let due = now.after(after);
        self.wake = Some(self.wake.map_or(due, |wake| wake.min(due)));
    }

    /// Time has passed.
    pub(crate) fn timeout(&mut self, now: Timestamp) {
        self.wake = self.wake.filter(|due| *due > now);
    }
}
