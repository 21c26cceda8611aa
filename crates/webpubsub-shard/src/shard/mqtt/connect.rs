//! MQTT clients connect: to a new session, or to one that is there.

use webpubsub_mqtt::{
    Connack, Connect, DecodeError, Decoder, DownstreamPacket, Properties, Property, ReasonCode,
    UpstreamPacket, Version,
};
use webpubsub_protocol::client::{Frame, Subprotocol};
use webpubsub_protocol::close::{CloseCause, ConnackRefusal};
use webpubsub_protocol::event_handler::Event;
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::limits::MAX_CLIENT_MESSAGE_BYTES;
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::time::Timestamp;

use crate::ack::AckCache;
use crate::admission::ConnectRequest;
use crate::buffer::{Buffer, Cursor, Link};
use crate::connection::Connection;
use crate::mqtt::{
    MAX_EXPIRY_SECONDS, MqttSession, Pending, Progress, Stage, Wanted, keep_alive, packet_maximum,
};
use crate::output::{Change, Output};
use crate::shard::Shard;
use crate::shard::mqtt::rules::{check, reason_of};
use crate::shard::mqtt::send_encoded;
use crate::shard::mqtt::time::PACKET_TIME;
use crate::shard_id::ShardId;
use crate::slot::Slot;
use crate::snapshot::{Attachment, ConnectionRecord};
use crate::step::Step;

impl Shard {
    /// Accepts the socket of an MQTT client, who has yet to say which session it wants.
    pub(crate) fn accept_mqtt(&mut self, physical: ConnectionId, request: ConnectRequest, step: &mut Step) {
        if let Some(full) = self.full() {
            return step.push(Output::Refuse(full));
        }
        let slot = self.connections.reserve();
        step.push(Output::Accept { connection: physical.clone(), subprotocol: Subprotocol::Mqtt, slot });
        // No connection has this id, so a socket that outlives the memory now is closed.
        let attachment = Attachment {
            connection: physical.clone(),
            since: None,
            acknowledged: Cursor { row: 0, sequence_id: SequenceId(0) },
            is_behind: false,
            carried: Vec::new(),
            acks: AckCache::default(),
            streams: Vec::new(),
            mqtt: Progress::default(),
            last_packet: None,
        };
        step.push(Output::Attach { slot, attachment });
        let decoder = Decoder::new(MAX_CLIENT_MESSAGE_BYTES);
        let due = step.now.after(PACKET_TIME);
        self.mqtt.put(slot, Pending { physical, request, due, decoder, held: 0, stage: Stage::Connect });
        self.mqtt.timeouts.insert((due, slot));
    }

    /// Reads what came over a socket before CONNACK.
    ///
    /// Source: docs/spec/mqtt.md#connect.
    pub(crate) fn receive_before_connack(&mut self, slot: Slot, frame: Frame, step: &mut Step) {
        let Some(pending) = self.mqtt.get_mut(slot) else { return };
        let Frame::Binary(bytes) = frame else {
            return self.refuse_pending(slot, CloseCause::InvalidPacket, step);
        };
        let mut is_too_much = false;
        if let Stage::Answer { waiting, .. } = &mut pending.stage {
            *waiting += bytes.len();
            is_too_much = *waiting > MAX_CLIENT_MESSAGE_BYTES;
        }
        if !self.mqtt.hold(slot, bytes.len()) || is_too_much {
            return self.refuse_pending(slot, CloseCause::TooManyMessages, step);
        }
        let Some(pending) = self.mqtt.get_mut(slot) else { return };
        pending.decoder.feed(bytes);
        if !matches!(pending.stage, Stage::Connect) {
            return;
        }
        match pending.decoder.next_packet() {
            Ok(None) => {}
            Ok(Some(UpstreamPacket::Connect(connect))) => self.take_connect(slot, connect, step),
            Ok(Some(_)) => self.refuse_pending(slot, CloseCause::InvalidPacket, step),
            Err(error) => {
                // One that is not known to speak MQTT is sent nothing.
                if let Some(version) = pending
                    .decoder
                    .version()
                    .filter(|version| *version == Version::V5 || error == DecodeError::UnsupportedVersion)
                {
                    let connack = Connack { reason: error.reason_code(), ..Connack::default() };
                    send_encoded(slot, DownstreamPacket::Connack(connack), version, u32::MAX, step);
                }
                self.refuse_pending(slot, CloseCause::InvalidPacket, step);
            }
        }
    }

    /// Forgets a client whose socket is gone before its session was known.
    pub(crate) fn forget_pending(&mut self, slot: Slot, step: &mut Step) {
        if self.mqtt.take(slot).is_some() {
            step.push(Output::Forget { slot });
            self.connections.release(slot);
        }
    }

    /// Closes the socket of a client whose session is not known.
    pub(crate) fn refuse_pending(&mut self, slot: Slot, cause: CloseCause, step: &mut Step) {
        if self.mqtt.take(slot).is_some() {
            step.push(Output::Close { slot, cause });
            self.connections.release(slot);
        }
    }

    fn take_connect(&mut self, slot: Slot, mut connect: Box<Connect>, step: &mut Step) {
        let result = check(&connect).and_then(|()| {
            let Some(pending) = self.mqtt.get_mut(slot) else { return Ok(None) };
            let is_assigned = connect.client_id.is_empty();
            if is_assigned {
                connect.client_id = assigned_id(&pending.physical);
            }
            let id = ConnectionId::parse(connect.client_id.as_str()).ok();
            // A server that names another shard's connection is led to that shard.
            let id = id.filter(|id| ShardId::of(id).is_none_or(|shard| shard == self.config.shard));
            Ok(Some((id.ok_or(ConnackRefusal::ClientId)?, is_assigned)))
        });
        match result {
            Ok(Some((id, is_assigned))) => self.ask_or_admit(slot, Wanted { connect, id, is_assigned }, step),
            Ok(None) => {}
            Err(refusal) => self.refuse_connect(slot, &connect, refusal, step),
        }
    }

    fn refuse_connect(&mut self, slot: Slot, connect: &Connect, refusal: ConnackRefusal, step: &mut Step) {
        let mut connack = Connack { reason: reason_of(refusal, connect.version), ..Connack::default() };
        connack.properties.push_text(Property::ReasonString, refusal.text());
        self.refuse_with(slot, connect, connack, refusal, step);
    }

    /// Answers CONNECT with this, and closes the socket.
    pub(super) fn refuse_with(
        &mut self,
        slot: Slot,
        connect: &Connect,
        connack: Connack,
        refusal: ConnackRefusal,
        step: &mut Step,
    ) {
        let packet = DownstreamPacket::Connack(connack);
        send_encoded(slot, packet, connect.version, packet_maximum(connect), step);
        self.refuse_pending(slot, CloseCause::MqttRefused(refusal), step);
    }

    /// Lets a client in: to the session of its id, or to a new one.
    ///
    /// Source: docs/spec/mqtt.md#sessions, docs/spec/mqtt.md#takeover.
    pub(super) fn admit(&mut self, slot: Slot, wanted: &Wanted, properties: Properties, step: &mut Step) {
        let Wanted { connect, id, is_assigned } = wanted;
        self.give_up(step);
        let known = self.connections.find(id);
        if let Some(refusal) = known.and_then(|known| self.protected(known, step.now)) {
            return self.refuse_connect(slot, connect, refusal, step);
        }
        let Some(pending) = self.mqtt.take(slot) else { return };
        let Pending { physical, request, decoder, .. } = *pending;
        let (here, is_resumed) = self.take_seat(slot, known, wanted, &physical, request, step);
        let mut properties = properties;
        if *is_assigned {
            properties.push_text(Property::AssignedClientIdentifier, id.as_str());
        }
        let connack = Connack {
            session_present: is_resumed,
            reason: ReasonCode::SUCCESS,
            properties: announce(connect, properties),
        };
        self.send_packet(here, DownstreamPacket::Connack(connack), step);
        self.attach(here, step);
        self.watch_keep_alive(here);
        if is_resumed {
            self.send_again(here, step);
        }
        // What came behind CONNECT is there already.
        if let Some(session) = self.session_mut(here) {
            session.decoder = decoder;
        }
        self.read_packets(here, step);
    }

    /// Why a connection does not give way to a client with its id, if it does not: it is no session, or clients
    /// displace each other too often.
    fn protected(&mut self, known: Slot, now: Timestamp) -> Option<ConnackRefusal> {
        let is_attached = self.link(known) == Some(Link::Attached);
        match self.session_mut(known) {
            None => Some(ConnackRefusal::ClientId),
            Some(session) => {
                (is_attached && !session.allows_takeover(now)).then_some(ConnackRefusal::Displaced)
            }
        }
    }

    /// Gives a client the session that is `known` by its id, or a new one. Returns where it is, and whether it was
    /// there before.
    fn take_seat(
        &mut self,
        slot: Slot,
        known: Option<Slot>,
        Wanted { connect, id, .. }: &Wanted,
        physical: &ConnectionId,
        request: ConnectRequest,
        step: &mut Step,
    ) -> (Slot, bool) {
        // Another user does not get the session: it ends. So does one that was to end with its socket ([MQTT-3.1.2-6]
        // of 3.1.1).
        let resumed = known.filter(|known| {
            let is_same = self.connections.get(*known).is_some_and(|other| other.user == request.user);
            is_same && !connect.clean_start && self.session(*known).is_some_and(|other| other.expiry > 0)
        });
        if let Some(known) = resumed {
            self.displace(known, step);
        }
        // Its own will may have been too much for it.
        let is_there = |known: &Slot| self.session(*known).is_some();
        let (known, resumed) = (known.filter(is_there), resumed.filter(is_there));
        if let Some(known) = resumed {
            self.resume(slot, known, connect, physical, step);
            return (known, true);
        }
        let mut session = MqttSession::new(connect, physical.as_str().to_owned(), step.now);
        if let Some(known) = known {
            if let Some(other) = self.session(known) {
                session.count_takeovers_of(other);
            }
            self.end_displaced(known, step);
        }
        self.begin(slot, id.clone(), request, session, step);
        (slot, false)
    }

    /// Begins a session.
    fn begin(
        &mut self,
        slot: Slot,
        id: ConnectionId,
        request: ConnectRequest,
        session: MqttSession,
        step: &mut Step,
    ) {
        let start = Cursor { row: self.log.newest(), sequence_id: SequenceId(0) };
        let request = ConnectRequest { subprotocol: Subprotocol::Mqtt, custom_subprotocol: None, ..request };
        let (record, groups) = ConnectionRecord::begin(slot, id, request, start);
        step.store(Change::PutConnection(record.clone()));
        let mut connection = Connection::of(record, Some(Buffer::new(start)), AckCache::default());
        connection.mqtt = Some(Box::new(session));
        self.open(slot, connection, step);
        self.mqtt.sessions += 1;
        self.store_session(slot, step);
        self.notify(slot, Event::Connected, step);
        for group in &groups {
            self.join(slot, group, step);
        }
        self.record_opened(slot, Subprotocol::Mqtt, step);
    }

    /// Takes the socket from a session that another is about to get, and publishes its will if its time has come.
    fn displace(&mut self, known: Slot, step: &mut Step) {
        let is_attached = self.link(known) == Some(Link::Attached);
        if is_attached {
            self.send_disconnect(known, ReasonCode::SESSION_TAKEN_OVER, None, step);
            step.push(Output::Close { slot: known, cause: CloseCause::TakenOver });
            self.unlink(known, step);
            // One with a delay is not published: the client is back before.
            if self
                .session(known)
                .is_some_and(|session| session.will.as_ref().is_some_and(|will| will.delay.is_zero()))
            {
                self.publish_will(known, step);
            }
        } else {
            step.store(Change::Detach { slot: known, until: None });
            // The shard may have slept through its time.
            self.publish_due_will(known, step);
        }
    }

    /// Gives a session another socket, which is known by `slot` so far.
    fn resume(
        &mut self,
        slot: Slot,
        known: Slot,
        connect: &Connect,
        physical: &ConnectionId,
        step: &mut Step,
    ) {
        let Some(connection) = self.connections.get_mut(known) else { return };
        if let Some(buffer) = &mut connection.buffer {
            buffer.link = Link::Attached;
        }
        connection.backlog.bytes = 0;
        self.turns.clear(&mut connection.inbox);
        if let Some(session) = &mut connection.mqtt {
            session.take(connect, physical.as_str().to_owned(), step.now);
        }
        self.counters.recoveries += 1;
        self.store_session(known, step);
        step.push(Output::Rename { from: slot, to: known });
        self.connections.release(slot);
        if self.trace.is_on() {
            self.record_connection(step.now, known, "recovered", &|_| {});
        }
    }

    /// Ends a session whose client begins another.
    fn end_displaced(&mut self, slot: Slot, step: &mut Step) {
        let is_attached = self.link(slot) == Some(Link::Attached);
        self.send_disconnect(slot, ReasonCode::SESSION_TAKEN_OVER, None, step);
        self.remove(slot, "", step);
        if is_attached {
            step.push(Output::Close { slot, cause: CloseCause::TakenOver });
        }
    }
}

/// The client id of a client that has none: letters and digits only.
fn assigned_id(physical: &ConnectionId) -> String {
    physical
        .as_str()
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { 'x' })
        .collect()
}

/// Adds to the properties of CONNACK what the client has to know.
///
/// Source: docs/spec/mqtt.md#connack.
fn announce(connect: &Connect, mut properties: Properties) -> Properties {
    let asked = connect.properties.number(Property::SessionExpiryInterval).unwrap_or(0);
    if asked > MAX_EXPIRY_SECONDS {
        properties.push_number(Property::SessionExpiryInterval, MAX_EXPIRY_SECONDS);
    }
    properties.push_number(Property::MaximumPacketSize, MAX_CLIENT_MESSAGE_BYTES as u32);
    properties.push_number(Property::RetainAvailable, 0);
    properties.push_number(Property::WildcardSubscriptionAvailable, 0);
    properties.push_number(Property::SharedSubscriptionAvailable, 0);
    if keep_alive(connect) != connect.keep_alive {
        properties.push_number(Property::ServerKeepAlive, keep_alive(connect).into());
    }
    properties
}
