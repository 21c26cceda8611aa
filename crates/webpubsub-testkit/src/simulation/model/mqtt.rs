//! MQTT sessions: who has which, what it is subscribed to, and what of it is on its way.
//!
//! What a session is to receive at QoS 1 and 2 stands in its connection's `expected`, as for a reliable client; here is
//! how far each of these has come.

mod delivery;
mod packets;
mod sockets;

use std::collections::BTreeSet;
use std::time::Duration;

use webpubsub_mqtt::{Connect, Property, Qos, Version};
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::time::Timestamp;

use super::{Connection, Model, Published};

/// How long a session outlives its socket at most.
const MAX_EXPIRY: Duration = Duration::from_secs(30);
/// How long a client may take to send CONNECT, and to send the rest of a packet.
const PACKET_TIME: Duration = Duration::from_secs(30);
/// How late a client is given up at most that is silent.
const WATCH: Duration = Duration::from_secs(5);
/// How many takeovers of one session may follow each other, and after how long one more may.
const TAKEOVERS: (u64, u64) = (5, 10_000);

/// What a connection is that speaks MQTT.
#[derive(Debug)]
pub(in crate::simulation) enum Mqtt {
    /// A socket whose CONNECT has not come, which it has to by then.
    Pending {
        due: Timestamp,
    },
    Session(Box<Session>),
}

/// One MQTT session.
#[derive(Debug)]
pub(in crate::simulation) struct Session {
    pub(in crate::simulation) version: Version,
    /// Its own id, where that of its connection is the client id.
    id: ConnectionId,
    expiry: Duration,
    keep_alive: Duration,
    receive_maximum: usize,
    will: Option<Will>,
    /// When its will is published, while it waits.
    will_due: Option<Timestamp>,
    /// How it subscribes to each group that it has subscribed to.
    options: [Option<Options>; 8],
    /// How far each message has come at QoS 1 and 2, in the order in which they were published to it.
    copies: Vec<Copy>,
    /// Packet identifiers of QoS 2 that the client has not released.
    received: BTreeSet<u16>,
    /// When the last packet came, and what its shard may take for that, which it knows less exactly after a loss of its
    /// memory.
    last: (Timestamp, Timestamp),
    /// When the first bytes of a packet came, of which the rest has not.
    begun: Option<Timestamp>,
    /// When takeovers would be over, had each taken its time, in milliseconds since 1970.
    takeovers_until: u64,
}

/// What is published when a client is lost.
#[derive(Debug, Clone, Copy)]
struct Will {
    published: Published,
    group: u8,
    delay: Duration,
}

/// How a session subscribes to a group.
#[derive(Debug, Clone, Copy)]
struct Options {
    qos: Qos,
    no_local: bool,
}

/// One message on its way to a session, at QoS 1 or 2.
#[derive(Debug)]
struct Copy {
    qos: Qos,
    state: State,
    /// Whether it was sent before, as far as its shard knows, so that it is sent with DUP.
    was_sent: bool,
    /// Whether its client has ever said that it has it, at QoS 2.
    is_released: bool,
    /// How often its client's application has received it.
    raised: u32,
}

#[derive(Debug, Clone, std::marker::Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Sent,
    Released,
    Done,
}

impl Session {
    fn new(id: ConnectionId, connect: &Connect, will: Option<Will>, now: Timestamp) -> Self {
        let mut session = Self {
            version: connect.version,
            id,
            expiry: Duration::ZERO,
            keep_alive: Duration::ZERO,
            receive_maximum: 0,
            will: None,
            will_due: None,
            options: [None; 8],
            copies: Vec::new(),
            received: BTreeSet::new(),
            last: (now, now),
            begun: None,
            takeovers_until: 0,
        };
        session.go_on(connect, will, now);
        session
    }

    /// Goes on with what another CONNECT says.
    fn go_on(&mut self, connect: &Connect, will: Option<Will>, now: Timestamp) {
        let number = |property| connect.properties.number(property);
        self.expiry = match connect.version {
            Version::V3_1_1 if connect.clean_start => Duration::ZERO,
            Version::V3_1_1 => MAX_EXPIRY,
            Version::V5 => {
                let seconds = number(Property::SessionExpiryInterval).unwrap_or(0);
                Duration::from_secs(seconds.into()).min(MAX_EXPIRY)
            }
        };
        self.keep_alive = Duration::from_secs(connect.keep_alive.into());
        self.receive_maximum = number(Property::ReceiveMaximum).map_or(65_535, |number| number as usize);
        (self.will, self.will_due) = (will, None);
        (self.last, self.begun) = ((now, now), None);
    }

    /// How many messages are on their way to its client.
    fn in_flight(&self) -> usize {
        let is_in_flight = |copy: &&Copy| matches!(copy.state, State::Sent | State::Released);
        self.copies.iter().filter(is_in_flight).count()
    }

    /// Whether its client has taken too long for a packet.
    fn is_late(&self, now: Timestamp) -> bool {
        self.begun.is_some_and(|begun| begun.after(PACKET_TIME) <= now)
    }

    /// Whether another socket may take its place, which is counted.
    fn allows_takeover(&mut self, now: Timestamp) -> bool {
        let (most, millis) = TAKEOVERS;
        let until = self.takeovers_until.max(now.as_millis()) + millis;
        let is_allowed = until <= now.as_millis() + most * millis;
        if is_allowed {
            self.takeovers_until = until;
        }
        is_allowed
    }
}

impl Connection {
    pub(in crate::simulation) fn session(&self) -> Option<&Session> {
        match &self.mqtt {
            Some(Mqtt::Session(session)) => Some(session),
            Some(Mqtt::Pending { .. }) | None => None,
        }
    }

    fn session_mut(&mut self) -> Option<&mut Session> {
        match &mut self.mqtt {
            Some(Mqtt::Session(session)) => Some(session),
            Some(Mqtt::Pending { .. }) | None => None,
        }
    }

    /// The id of its session, if it has one.
    pub(in crate::simulation) fn session_id(&self) -> Option<&ConnectionId> {
        self.session().map(|session| &session.id)
    }

    /// Whether it is a socket without a session.
    pub(in crate::simulation) const fn is_pending(&self) -> bool {
        matches!(self.mqtt, Some(Mqtt::Pending { .. }))
    }

    /// Whether it is a connection, or was, and no socket that never became one.
    pub(super) const fn was_begun(&self) -> bool {
        !self.is_pending()
    }

    /// How long it outlives its socket; `None` if its messages do not.
    pub(super) fn window(&self) -> Option<Duration> {
        match self.session() {
            Some(session) => Some(session.expiry),
            None => self.is_reliable().then_some(super::WINDOW),
        }
    }

    /// How it subscribes to what it is a member of no more is forgotten.
    pub(super) fn forget_options(&mut self) {
        let groups = self.groups;
        if let Some(session) = self.session_mut() {
            for (group, options) in session.options.iter_mut().enumerate() {
                options.take_if(|_| groups & (1 << group) == 0);
            }
        }
    }
}

impl Model {
    /// How many sessions a shard has, and how many subscriptions these.
    pub(in crate::simulation) fn sessions(&self, shard: usize) -> (usize, usize) {
        let sessions = self.alive(shard).iter().filter_map(|at| self.connections[*at].session());
        sessions.fold((0, 0), |(sessions, subscriptions), session| {
            (sessions + 1, subscriptions + session.options.iter().flatten().count())
        })
    }
}
