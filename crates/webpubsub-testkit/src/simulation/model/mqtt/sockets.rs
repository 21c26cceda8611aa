//! MQTT clients connect, take over, and are lost; their wills.

use std::time::Duration;

use webpubsub_mqtt::{Connect, Property, ReasonCode};
use webpubsub_protocol::close::{CloseCause, ConnackRefusal};
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{Change, Output, Slot, Snapshot};

use super::{Mqtt, PACKET_TIME, Session, State, WATCH, Will};
use crate::simulation::check::check;
use crate::simulation::message::Published;
use crate::simulation::model::{End, Link, Model};
use crate::simulation::packet::Packet;
use crate::simulation::words::Profile;

impl Model {
    /// A socket is there whose client has yet to say which session it wants.
    pub(in crate::simulation) fn open(
        &mut self,
        now: Timestamp,
        shard: usize,
        slot: Slot,
        id: ConnectionId,
        profile: Profile,
    ) {
        let at = self.add(shard, slot, id, profile);
        self.connections[at].mqtt = Some(Mqtt::Pending { due: now.after(PACKET_TIME) });
    }

    /// A socket whose session is not known is gone.
    pub(in crate::simulation) fn forget_pending(&mut self, at: usize) {
        if self.connections[at].is_pending() {
            self.connections[at].end = Some(End::Client);
        }
    }

    fn refuse_pending(&mut self, at: usize, cause: CloseCause) {
        self.owe_close(at, cause);
        self.forget_pending(at);
    }

    /// A client wants a session: that of its client id, or another. `will` is the message of its will.
    pub(super) fn take_connect(
        &mut self,
        now: Timestamp,
        at: usize,
        connect: &Connect,
        will: Option<u32>,
        outputs: &[Output],
    ) {
        let shard = self.connections[at].shard;
        self.give_up(now, shard, outputs);
        let will = self.will_of(connect, will);
        let is_it = |known: &&usize| self.connections[**known].id.as_str() == connect.client_id;
        let known = self.shards[shard].alive.iter().find(is_it).copied();
        if known.is_some_and(|known| !self.allows_takeover(now, known)) {
            let reason = ReasonCode::CONNECTION_RATE_EXCEEDED;
            let connack = Packet::Connack { is_present: false, reason };
            self.owe_packet_in(at, connack, connect.version);
            return self.refuse_pending(at, CloseCause::MqttRefused(ConnackRefusal::Displaced));
        }
        let is_kept = |known: &usize| {
            self.connections[*known].session().is_some_and(|session| !session.expiry.is_zero())
        };
        if let Some(known) = known.filter(|known| !connect.clean_start && is_kept(known)) {
            self.displace(now, known);
            // Unless its own will was too much for it.
            if self.connections[known].end.is_none() {
                return self.resume(now, at, known, connect, will);
            }
        }
        let known = known.filter(|known| self.connections[*known].end.is_none());
        self.begin_session(now, at, known, connect, will);
    }

    /// The will in a CONNECT, which is this message.
    fn will_of(&self, connect: &Connect, message: Option<u32>) -> Option<Will> {
        let (will, message) = connect.will.as_ref().zip(message)?;
        let delay = will.properties.number(Property::WillDelayInterval).unwrap_or(0);
        Some(Will {
            published: Published { message, expires: None, qos: will.qos },
            group: self.messages[message as usize].group.unwrap_or_default(),
            delay: Duration::from_secs(delay.into()),
        })
    }

    /// Whether another socket may take the place of a session's, if that has one; it is counted.
    fn allows_takeover(&mut self, now: Timestamp, known: usize) -> bool {
        let connection = &mut self.connections[known];
        connection.link != Link::Open
            || connection.session_mut().is_none_or(|session| session.allows_takeover(now))
    }

    /// A session begins over the socket of a pending connection, in place of the one that the client had.
    fn begin_session(
        &mut self,
        now: Timestamp,
        at: usize,
        known: Option<usize>,
        connect: &Connect,
        will: Option<Will>,
    ) {
        let id = self.connections[at].id.clone();
        let mut session = Session::new(id, connect, will, now);
        if let Some(known) = known {
            let before = self.connections[known].session();
            session.takeovers_until = before.map_or(0, |before| before.takeovers_until);
            self.owe_close(known, CloseCause::TakenOver);
            self.end(now, known, End::Lost);
        }
        let connection = &mut self.connections[at];
        connection.id = ConnectionId::parse(connect.client_id.as_str()).expect("a client id");
        connection.mqtt = Some(Mqtt::Session(Box::new(session)));
        self.begin(at);
        self.owe_packet(at, Packet::Connack { is_present: false, reason: ReasonCode::SUCCESS });
    }

    /// A session is about to go on over another socket: its own is closed, and its will is published if it has no
    /// delay, or if that is over.
    fn displace(&mut self, now: Timestamp, known: usize) {
        if self.connections[known].link != Link::Open {
            return self.publish_due_will(now, known);
        }
        self.owe_close(known, CloseCause::TakenOver);
        self.connections[known].link = Link::Lost { until: now };
        let is_immediate = |session: &Session| session.will.is_some_and(|will| will.delay.is_zero());
        if self.connections[known].session().is_some_and(is_immediate) {
            self.publish_will(now, known);
        }
    }

    /// A session goes on over the socket that was a pending connection's.
    fn resume(&mut self, now: Timestamp, at: usize, known: usize, connect: &Connect, will: Option<Will>) {
        self.connections[at].end = Some(End::Client);
        let connection = &mut self.connections[known];
        connection.link = Link::Open;
        if let Some(session) = connection.session_mut() {
            session.go_on(connect, will, now);
        }
        self.owe_packet(known, Packet::Connack { is_present: true, reason: ReasonCode::SUCCESS });
        self.send_again(now, known);
    }

    /// The socket of a session is gone: its time runs, and that of its will.
    pub(in crate::simulation::model) fn lose_socket(&mut self, now: Timestamp, at: usize) {
        let Some(window) = self.connections[at].window().filter(|window| !window.is_zero()) else {
            return self.end(now, at, End::Lost);
        };
        let connection = &mut self.connections[at];
        connection.link = Link::Lost { until: now.after(window) };
        if let Some(session) = connection.session_mut() {
            session.begun = None;
            session.will_due = session.will.map(|will| now.after(will.delay.min(window)));
        }
        self.publish_due_will(now, at);
    }

    fn publish_due_will(&mut self, now: Timestamp, at: usize) {
        let is_due = |session: &Session| session.will_due.is_some_and(|due| due <= now);
        if self.connections[at].session().is_some_and(is_due) {
            self.publish_will(now, at);
        }
    }

    /// The will of a session is published, if it has one and may.
    pub(in crate::simulation::model) fn publish_will(&mut self, now: Timestamp, at: usize) {
        let Some(session) = self.connections[at].session_mut() else { return };
        session.will_due = None;
        if let Some(Will { published, group, .. }) = session.will.take() {
            self.wills += 1;
            self.publish_over_mqtt(now, at, group, published);
        }
    }

    /// The timer or the alarm of a shard fires: who is silent is given up, the wills of which the time has come are
    /// published, and what waits is sent. In which order is as the shard has it.
    pub(in crate::simulation) fn look_at_mqtt(&mut self, now: Timestamp, shard: usize, outputs: &[Output]) {
        for at in self.holders(shard) {
            if matches!(self.connections[at].mqtt, Some(Mqtt::Pending { due }) if due <= now) {
                self.refuse_pending(at, CloseCause::KeepAliveTimeout);
            }
        }
        let mut seen = Vec::new();
        for output in outputs {
            if let Output::Fetch { to, .. } = output {
                for (slot, _) in to {
                    self.send_waiting(now, self.holder(shard, *slot));
                }
            }
            let (Output::Close { slot, cause: CloseCause::KeepAliveTimeout }
            | Output::Store(Change::PutMqtt { slot, .. })) = output
            else {
                continue;
            };
            let at = self.holder(shard, *slot);
            if seen.contains(&at) || self.connections[at].session().is_none() {
                continue;
            }
            seen.push(at);
            if self.connections[at].link == Link::Open {
                self.give_up_silent(now, at);
            } else {
                self.publish_due_will(now, at);
            }
        }
        for at in self.shards[shard].alive.clone() {
            let connection = &self.connections[at];
            let Some(session) = connection.session() else { continue };
            let silent = session.last.1.after(session.keep_alive * 3 / 2).after(WATCH);
            check!(
                connection.link != Link::Open || now < silent && !session.is_late(now),
                "connection {at} is silent since {:?}, or in a packet since {:?}, and is not given up",
                session.last,
                session.begun
            );
            check!(
                session.will_due.is_none_or(|due| due > now),
                "the will of connection {at} is due, and is not published"
            );
            self.send_waiting(now, at);
        }
    }

    fn give_up_silent(&mut self, now: Timestamp, at: usize) {
        let Some(session) = self.connections[at].session() else { return };
        check!(
            session.last.0.after(session.keep_alive * 3 / 2) <= now || session.is_late(now),
            "connection {at} is given up for being silent, which it is since {:?}",
            session.last.0
        );
        self.silent += 1;
        self.owe_close(at, CloseCause::KeepAliveTimeout);
        self.lose_socket(now, at);
    }

    /// A shard has its memory back: what of a session is on disk.
    pub(in crate::simulation::model) fn restore_session(
        &mut self,
        now: Timestamp,
        at: usize,
        disk: &Snapshot,
    ) {
        let is_here = self.connections[at].link == Link::Open;
        let was_vanished = self.connections[at].link == Link::Vanished;
        if !is_here {
            self.send_unstored_again(at, disk);
        }
        let Some(window) = self.connections[at].window() else { return };
        let Some(session) = self.connections[at].session_mut() else { return };
        (session.takeovers_until, session.begun) = (0, None);
        if is_here {
            // It knows when the last packet came by a tenth of the keep-alive.
            session.last.1 = session.last.0.after(session.keep_alive / 10).min(now).max(session.last.1);
            let first = session.copies.iter().find(|copy| copy.state == State::Waiting);
            let was_sent = first.is_some_and(|first| first.was_sent);
            let waiting = session.copies.iter_mut().filter(|copy| copy.state == State::Waiting);
            waiting.for_each(|copy| copy.was_sent = was_sent);
            return self.send_waiting(now, at);
        }
        for copy in session.copies.iter_mut().filter(|copy| copy.state != State::Done) {
            copy.state = if copy.is_released { State::Released } else { State::Waiting };
            copy.was_sent = true;
        }
        if was_vanished {
            session.will_due = session.will.map(|will| now.after(will.delay.min(window)));
            self.connections[at].link = Link::Lost { until: now.after(window) };
        }
        self.connections[at].behind = true;
    }
}
