//! One MQTT session: what it has beside its connection.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use webpubsub_mqtt::{
    Connect, DecodeError, Decoder, EncodedPublish, PacketId, Property, Publish, PublishRef, Qos, ReasonCode,
    UpstreamPacket, Version,
};
use webpubsub_protocol::event_handler::MqttEnd;
use webpubsub_protocol::json::{Json, Members, Writer};
use webpubsub_protocol::limits::MAX_CLIENT_MESSAGE_BYTES;
use webpubsub_protocol::sorted::SortedSet;
use webpubsub_protocol::time::Timestamp;

use crate::inbox::Arrived;
use crate::mqtt::{Delivery, MAX_EXPIRY_SECONDS, Outgoing, Progress, SYSTEM_TOPICS, Subscriptions};
use crate::publish;

/// The keep-alive of a client of 5.0 that has none or a longer one, in seconds.
///
/// Source: docs/spec/mqtt.md#keep-alive.
pub(crate) const MAX_KEEP_ALIVE_SECONDS: u16 = 180;

/// How many takeovers of one session may follow each other.
const MAX_TAKEOVERS: u64 = 5;
/// After how long one more may.
const TAKEOVER_MILLIS: u64 = 10_000;

/// What is published when a client is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Will {
    pub(crate) message: Publish,
    /// How long it waits.
    pub(crate) delay: Duration,
}

/// How a session's last socket was left: what the event `disconnected` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaving {
    pub(crate) is_by_client: bool,
    pub(crate) reason: ReasonCode,
    /// The reason string.
    pub(crate) text: Option<String>,
    /// The client's.
    pub(crate) user_properties: Vec<(String, String)>,
}

/// What an MQTT session has beside its connection.
#[derive(Debug)]
pub(crate) struct MqttSession {
    pub(crate) version: Version,
    /// The id of the physical connection, now or last.
    pub(crate) physical: String,
    /// The id of the session.
    pub(crate) id: String,
    /// How long it outlives a socket, in seconds.
    pub(crate) expiry: u32,
    /// In seconds.
    pub(crate) keep_alive: u16,
    /// How many messages at QoS 1 and 2 the client takes at once.
    pub(crate) receive_maximum: u16,
    /// The largest packet that it takes, in bytes.
    pub(crate) packet_maximum: u32,
    pub(crate) will: Option<Will>,
    /// When the will is published, while it waits.
    pub(crate) will_due: Option<Timestamp>,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) outgoing: Outgoing,
    /// What the socket carried of it, until the messages are there.
    pub(crate) carried: Option<Progress>,
    /// Packet identifiers of QoS 2 that the client has not released.
    pub(crate) received: SortedSet<u16>,
    pub(crate) decoder: Decoder,
    /// Why what the client sends is not read any more.
    pub(crate) unreadable: Option<DecodeError>,
    /// Whether packets of it have come that are yet to be read.
    pub(crate) is_behind: bool,
    /// The end of the socket, which comes behind those.
    pub(crate) end: Option<Arrived>,
    /// When the packet began that is not complete.
    pub(crate) begun: Option<Timestamp>,
    /// When it is looked at whether that is complete, if it is.
    pub(crate) timed: Option<Timestamp>,
    /// When it is looked at whether the client is silent, once that is decided.
    pub(crate) watched: Option<Timestamp>,
    /// When the last packet came.
    pub(crate) last: Timestamp,
    /// What the socket carries of that, at least.
    carried_last: Timestamp,
    pub(crate) leaving: Option<Leaving>,
    /// Whether it ends, so that nothing is delivered to it any more.
    pub(crate) is_over: bool,
    /// When the next takeover would be one after a while without any, in milliseconds since 1970.
    takeovers_until: u64,
}

impl MqttSession {
    /// The session that a client's CONNECT begins.
    pub(crate) fn new(connect: &Connect, physical: String, now: Timestamp) -> Self {
        let mut session = Self::blank(connect.version, physical.clone(), now);
        session.take(connect, physical, now);
        session.outgoing = Outgoing::new(session.receive_maximum);
        session
    }

    /// A session of this id with nothing in it.
    fn blank(version: Version, id: String, now: Timestamp) -> Self {
        Self {
            version,
            id,
            physical: String::new(),
            expiry: 0,
            keep_alive: 0,
            receive_maximum: 0,
            packet_maximum: 0,
            will: None,
            will_due: None,
            subscriptions: Subscriptions::default(),
            outgoing: Outgoing::new(0),
            carried: None,
            received: SortedSet::new(),
            decoder: Decoder::resume(version, MAX_CLIENT_MESSAGE_BYTES),
            unreadable: None,
            is_behind: false,
            end: None,
            begun: None,
            timed: None,
            watched: None,
            last: now,
            carried_last: now,
            leaving: None,
            is_over: false,
            takeovers_until: 0,
        }
    }

    /// Goes on with what a client's CONNECT says.
    ///
    /// Source: docs/spec/mqtt.md#sessions, docs/spec/mqtt.md#keep-alive.
    pub(crate) fn take(&mut self, connect: &Connect, physical: String, now: Timestamp) {
        let number = |property| connect.properties.number(property);
        self.version = connect.version;
        self.physical = physical;
        self.expiry = match connect.version {
            Version::V3_1_1 if connect.clean_start => 0,
            Version::V3_1_1 => MAX_EXPIRY_SECONDS,
            Version::V5 => number(Property::SessionExpiryInterval).unwrap_or(0).min(MAX_EXPIRY_SECONDS),
        };
        self.keep_alive = keep_alive(connect);
        self.receive_maximum = number(Property::ReceiveMaximum)
            .and_then(|maximum| u16::try_from(maximum).ok())
            .unwrap_or(u16::MAX);
        self.packet_maximum = packet_maximum(connect);
        self.will = connect.will.as_ref().map(|will| Will {
            delay: Duration::from_secs(
                will.properties.number(Property::WillDelayInterval).unwrap_or(0).into(),
            ),
            message: Publish {
                qos: will.qos,
                topic: will.topic.clone(),
                properties: will.properties.clone(),
                payload: will.payload.clone(),
                ..Publish::default()
            },
        });
        self.will_due = None;
        self.decoder = Decoder::resume(connect.version, MAX_CLIENT_MESSAGE_BYTES);
        (self.unreadable, self.begun, self.leaving) = (None, None, None);
        (self.is_behind, self.end) = (false, None);
        (self.last, self.carried_last) = (now, now);
    }

    /// A packet has come. Returns whether the socket is to carry that: a shard that sleeps has nothing else to know it
    /// by, and a tenth of the keep-alive does not matter.
    pub(crate) fn note_packet(&mut self, now: Timestamp) -> bool {
        self.last = now;
        let is_news = self.carried_last.after(self.slack()) <= now;
        if is_news {
            self.carried_last = now;
        }
        is_news
    }

    /// Goes on with a client of which the socket carries when the last packet came. There may have been one since that
    /// it does not carry.
    pub(crate) fn resume_keep_alive(&mut self, carried: Timestamp) {
        self.last = carried.after(self.slack()).min(self.last);
        self.carried_last = carried;
    }

    /// For how long packets may come without the socket carrying when.
    fn slack(&self) -> Duration {
        Duration::from_millis(u64::from(self.keep_alive) * 100)
    }

    /// How long it outlives its socket.
    pub(crate) fn window(&self) -> Duration {
        Duration::from_secs(self.expiry.into())
    }

    /// When its client is given up unless a packet comes.
    ///
    /// Source: docs/spec/mqtt.md#keep-alive.
    pub(crate) fn silent_until(&self) -> Timestamp {
        self.last.after(Duration::from_millis(u64::from(self.keep_alive) * 1500))
    }

    /// The body of the event of its end, which has this reason unless a DISCONNECT had one.
    ///
    /// Source: docs/spec/mqtt.md#session-events.
    pub(crate) fn end(&self, reason: &str) -> String {
        let leaving = self.leaving.as_ref();
        MqttEnd {
            reason: leaving
                .and_then(|leaving| leaving.text.as_deref())
                .or(Some(reason).filter(|reason| !reason.is_empty())),
            is_by_client: leaving.is_some_and(|leaving| leaving.is_by_client),
            code: leaving.map(|leaving| leaving.reason.0),
            user_properties: leaving.map_or(&[], |leaving| &leaving.user_properties),
        }
        .body()
    }

    /// Whether another socket may take its place, which is counted.
    pub(crate) fn allows_takeover(&mut self, now: Timestamp) -> bool {
        let until = self.takeovers_until.max(now.as_millis()) + TAKEOVER_MILLIS;
        let is_allowed = until <= now.as_millis() + MAX_TAKEOVERS * TAKEOVER_MILLIS;
        if is_allowed {
            self.takeovers_until = until;
        }
        is_allowed
    }

    /// Goes on to count takeovers where another session of this id left off.
    pub(crate) const fn count_takeovers_of(&mut self, other: &Self) {
        self.takeovers_until = other.takeovers_until;
    }

    /// How a message is delivered.
    ///
    /// Source: docs/spec/mqtt.md#delivery.
    pub(crate) fn delivery(&self, publish: &publish::Publish) -> Delivery {
        let topic = publish.topic();
        let options = self.subscriptions.get(topic);
        // What is no group comes without a subscription, too, which only sets a limit.
        let highest = if topic.starts_with(SYSTEM_TOPICS) { Qos::ExactlyOnce } else { Qos::AtMostOnce };
        let qos = publish.mqtt.as_ref().map_or(Qos::AtLeastOnce, |content| content.qos);
        Delivery {
            version: self.version,
            qos: qos.min(options.map_or(highest, |options| options.qos)),
            identifier: options.map_or(0, |options| options.identifier),
            is_again: false,
        }
    }

    /// The session as it stands on disk, without its subscriptions and packets.
    pub(crate) fn encode(&self) -> String {
        let mut form = Writer::object();
        form.text("physical", &self.physical).text("id", &self.id);
        form.number("version", self.version.level().into()).number("expiry", self.expiry.into());
        form.number("keepAlive", self.keep_alive.into());
        form.number("receive", self.receive_maximum.into()).number("packet", self.packet_maximum.into());
        if let Some(Will { message, delay }) = &self.will {
            let message = PublishRef { packet_id: PacketId::new(1), ..message.as_ref() };
            let bytes = EncodedPublish::new(message, Version::V5).into_bytes();
            form.text("will", &STANDARD_NO_PAD.encode(bytes)).number("delay", delay.as_secs());
        }
        if let Some(due) = self.will_due {
            form.number("due", due.as_millis());
        }
        form.finish()
    }

    /// Reads what [`MqttSession::encode`] wrote; `None` for anything else.
    pub(crate) fn decode(text: &str, now: Timestamp) -> Option<Self> {
        let members = Members::parse(text)?;
        let text = |name| Some(members.get(name).and_then(Json::text)?.into_owned());
        let number = |name| members.get(name).and_then(Json::unsigned);
        let version = Version::from_level(u8::try_from(number("version")?).ok()?)?;
        let receive_maximum = u16::try_from(number("receive")?).ok()?;
        let will = text("will").and_then(|will| read_will(&will));
        let delay = Duration::from_secs(number("delay").unwrap_or(0));
        Some(Self {
            physical: text("physical")?,
            expiry: u32::try_from(number("expiry")?).ok()?,
            keep_alive: u16::try_from(number("keepAlive")?).ok()?,
            receive_maximum,
            packet_maximum: u32::try_from(number("packet")?).ok()?,
            will: will.map(|message| Will { message, delay }),
            will_due: number("due").map(Timestamp::from_millis),
            outgoing: Outgoing::new(receive_maximum),
            ..Self::blank(version, text("id")?, now)
        })
    }
}

/// The keep-alive that holds, in seconds.
pub(crate) fn keep_alive(connect: &Connect) -> u16 {
    match connect.keep_alive {
        0 => MAX_KEEP_ALIVE_SECONDS,
        seconds => seconds.min(MAX_KEEP_ALIVE_SECONDS),
    }
}

/// The largest packet that the client takes, in bytes.
pub(crate) fn packet_maximum(connect: &Connect) -> u32 {
    connect.properties.number(Property::MaximumPacketSize).unwrap_or(u32::MAX)
}

fn read_will(text: &str) -> Option<Publish> {
    let bytes = STANDARD_NO_PAD.decode(text).ok()?;
    let mut decoder = Decoder::resume(Version::V5, bytes.len());
    decoder.feed(bytes);
    match decoder.next_packet() {
        Ok(Some(UpstreamPacket::Publish(message))) => Some(message),
        Ok(_) | Err(_) => None,
    }
}
