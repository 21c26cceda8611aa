//! Messages on their way to MQTT sessions.

use webpubsub_mqtt::{Qos, ReasonCode};
use webpubsub_protocol::client::Echo;
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::limits::{MAX_BUFFERED_BYTES, MAX_BUFFERED_MESSAGES};
use webpubsub_protocol::role::PermissionType;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::Snapshot;

use super::{Copy, State};
use crate::simulation::check::{broken, check};
use crate::simulation::message::Published;
use crate::simulation::model::{Link, Model, bytes};
use crate::simulation::packet::{Delivered, Packet};
use crate::simulation::words::Received;

impl Model {
    /// An MQTT client publishes to a group, or its will does. Returns what becomes of it.
    pub(super) fn publish_over_mqtt(
        &mut self,
        now: Timestamp,
        at: usize,
        group: u8,
        published: Published,
    ) -> ReasonCode {
        if !self.connections[at].may(PermissionType::SendToGroup, group) {
            return ReasonCode::NOT_AUTHORIZED;
        }
        let own = self.connections[at].session().and_then(|session| session.options[usize::from(group)]);
        let echo = if own.is_some_and(|own| own.no_local) { Echo::Skip } else { Echo::Send };
        self.publish_from(now, at, group, echo, published);
        ReasonCode::SUCCESS
    }

    /// A message is published to a session: at the lower QoS of it and the subscription. Returns whether there was room.
    pub(in crate::simulation::model) fn deliver_over_mqtt(
        &mut self,
        at: usize,
        published: Published,
    ) -> bool {
        let message = &self.messages[published.message as usize];
        let (group, bytes) = (message.group, message.bytes);
        let connection = &mut self.connections[at];
        let is_full = connection.is_full(bytes);
        let is_open = connection.link == Link::Open;
        let Some(session) = connection.session_mut() else { return true };
        let highest = match group {
            Some(group) => session.options[usize::from(group)].map_or(Qos::AtMostOnce, |options| options.qos),
            None => Qos::ExactlyOnce,
        };
        let qos = published.qos.min(highest);
        if qos == Qos::AtMostOnce {
            if is_open {
                connection.plain.push(published);
                let delivered = Some(Delivered { qos, dup: false });
                self.owe_received(at, Received { message: published.message, number: None, delivered });
            }
            return true;
        }
        if is_full {
            return false;
        }
        let is_next = session.copies.iter().all(|copy| copy.state != State::Waiting);
        let is_sent = is_open && is_next && session.in_flight() < session.receive_maximum;
        let state = if is_sent { State::Sent } else { State::Waiting };
        session.copies.push(Copy { qos, state, was_sent: is_sent, is_released: false, raised: 0 });
        connection.expected.push(published);
        connection.bytes += bytes;
        if is_sent {
            let number = Some(connection.expected.len() as u64);
            let delivered = Some(Delivered { qos, dup: false });
            self.owe_received(at, Received { message: published.message, number, delivered });
        }
        true
    }

    /// What waits is sent, as much as the client takes. What has expired is read, and is not sent.
    pub(super) fn send_waiting(&mut self, now: Timestamp, at: usize) {
        let connection = &mut self.connections[at];
        if connection.link != Link::Open {
            return;
        }
        let expected = connection.expected.clone();
        let Some(session) = connection.session_mut() else { return };
        let mut owed = Vec::new();
        while session.in_flight() < session.receive_maximum
            && let Some(place) = session.copies.iter().position(|copy| copy.state == State::Waiting)
        {
            let copy = &mut session.copies[place];
            copy.state = State::Sent;
            let dup = std::mem::replace(&mut copy.was_sent, true);
            // One of QoS 2 that the client may know has to come to its end.
            let is_skipped = expected[place].has_expired(now) && !(dup && copy.qos == Qos::ExactlyOnce);
            owed.push((place, is_skipped, Delivered { qos: copy.qos, dup }));
        }
        for (place, is_skipped, delivered) in owed {
            if is_skipped {
                self.skips.push((at, place));
            } else {
                let (message, number) = (expected[place].message, Some(place as u64 + 1));
                self.owe_received(at, Received { message, number, delivered: Some(delivered) });
            }
        }
    }

    /// A session begins again over another socket: first what the client has and may have forgotten, then the rest.
    pub(super) fn send_again(&mut self, now: Timestamp, at: usize) {
        let Some(session) = self.connections[at].session_mut() else { return };
        let mut released = Vec::new();
        for (place, copy) in session.copies.iter_mut().enumerate() {
            match copy.state {
                State::Sent => copy.state = State::Waiting,
                State::Released => released.push(SequenceId(place as u64 + 1).packet_identifier()),
                State::Waiting | State::Done => {}
            }
        }
        for id in released {
            self.owe_packet(at, Packet::Pubrel(id, ReasonCode::SUCCESS));
        }
        self.send_waiting(now, at);
    }

    /// What was read and had expired is done. What comes next is sent with the timer.
    pub(in crate::simulation) fn skip_expired(&mut self) {
        for (at, place) in std::mem::take(&mut self.skips) {
            self.expired += 1;
            self.finish(at, place);
        }
    }

    /// The delivery of a message ends.
    pub(super) fn finish(&mut self, at: usize, place: usize) {
        let connection = &mut self.connections[at];
        let mut acknowledged = connection.acknowledged;
        let Some(session) = connection.session_mut() else { return };
        session.copies[place].state = State::Done;
        let is_done = |place: usize| session.copies.get(place).is_some_and(|copy| copy.state == State::Done);
        while is_done(acknowledged) {
            acknowledged += 1;
        }
        if acknowledged > connection.acknowledged {
            connection.acknowledged = acknowledged;
            connection.said = acknowledged;
            connection.bytes = bytes(&self.messages, &connection.expected[acknowledged..]);
            connection.behind &= connection.expected.len() - acknowledged > MAX_BUFFERED_MESSAGES
                || connection.bytes > MAX_BUFFERED_BYTES;
        }
    }

    /// Where the message with a packet identifier is among those of a session that are not acknowledged.
    pub(super) fn place_of(&self, at: usize, id: u16) -> Option<usize> {
        let connection = &self.connections[at];
        (connection.acknowledged..connection.expected.len())
            .find(|place| SequenceId(*place as u64 + 1).packet_identifier() == id)
    }

    /// What a session has acknowledged and is not on disk is to be sent again.
    pub(super) fn send_unstored_again(&mut self, at: usize, disk: &Snapshot) {
        let stored = self.forget_acknowledged(at, disk);
        if let Some(session) = self.connections[at].session_mut() {
            for copy in &mut session.copies[stored..] {
                copy.state = State::Waiting;
            }
        }
    }

    /// An application receives a message over MQTT: one of QoS 2 once, one of QoS 1 again only with DUP.
    pub(in crate::simulation) fn raise_over_mqtt(&mut self, at: usize, received: Received) -> bool {
        let Received { message, number, delivered } = received;
        let Some(delivered) = delivered else { broken("an MQTT client receives a message otherwise") };
        let connection = &mut self.connections[at];
        let Some(number) = number else {
            let skipped =
                connection.plain[connection.received..].iter().position(|one| one.message == message);
            let Some(skipped) = skipped else {
                broken(format!("connection {at} receives {message} at QoS 0 twice, late, or by mistake"))
            };
            connection.received += skipped + 1;
            return false;
        };
        let place = number as usize - 1;
        let is_known = connection.expected.get(place).is_some_and(|copy| copy.message == message);
        let Some(copy) = connection.session_mut().and_then(|session| session.copies.get_mut(place)) else {
            broken(format!("connection {at} receives {message}, which it was never sent"))
        };
        check!(is_known && copy.qos == delivered.qos, "connection {at} receives {message} by mistake");
        copy.raised += 1;
        let is_again = copy.raised > 1;
        check!(
            !is_again || (delivered.dup && delivered.qos == Qos::AtLeastOnce),
            "the application of connection {at} receives {message} again at {:?}, with DUP: {}",
            delivered.qos,
            delivered.dup
        );
        is_again
    }

    /// Whether every session that has a socket has acknowledged everything.
    pub(in crate::simulation) fn is_delivered(&self) -> bool {
        let mut open = self.connections.iter().filter(|connection| {
            connection.end.is_none() && connection.link == Link::Open && connection.session().is_some()
        });
        open.all(|connection| connection.acknowledged == connection.expected.len())
    }

    /// What the application of a session never receives, if it is owed that.
    pub(in crate::simulation) fn never_raised(&self, now: Timestamp, at: usize) -> Option<Published> {
        let connection = &self.connections[at];
        let copies = connection.session().map_or(&[][..], |session| &session.copies);
        let mut missed = copies.iter().zip(&connection.expected).filter(|(copy, _)| copy.raised == 0);
        missed.find(|(_, published)| !published.has_expired(now)).map(|(_, published)| *published)
    }
}
