//! What an MQTT client has time for: its CONNECT, the rest of a packet, its keep-alive, its will.

use std::time::Duration;

use webpubsub_mqtt::ReasonCode;
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::time::Timestamp;

use crate::buffer::Link;
use crate::mqtt::{Pending, Stage};
use crate::shard::Shard;
use crate::slot::Slot;
use crate::step::Step;

/// How long a client may take to send CONNECT, and to send the rest of a packet. The shard stays awake for that
/// long: what has come of a packet is in its memory only.
///
/// Source: docs/spec/mqtt.md#framing.
pub(super) const PACKET_TIME: Duration = Duration::from_secs(30);

/// How exactly a client that is silent is given up, in milliseconds. Each time that one is looked at may be an alarm,
/// so all of these milliseconds share one.
const WATCH_MILLIS: u64 = 5000;

impl Shard {
    /// Has a socket looked at in time whose client has sent a part of a packet.
    pub(super) fn wait_for_rest(&mut self, slot: Slot, step: &Step) {
        let Some(session) = self.session_mut(slot) else { return };
        if !session.decoder.is_mid_packet() {
            session.begun = None;
            // A shard that waits for nothing can sleep.
            if let Some(due) = session.timed.take() {
                self.mqtt.timeouts.remove(&(due, slot));
            }
            return;
        }
        session.begun.get_or_insert(step.now);
        if session.timed.is_none() {
            let due = step.now.after(PACKET_TIME);
            session.timed = Some(due);
            self.mqtt.timeouts.insert((due, slot));
        }
    }

    /// Has a session looked at when its client is to be given up.
    pub(super) fn watch_keep_alive(&mut self, slot: Slot) {
        let Some(session) = self.session_mut(slot) else { return };
        if session.watched.is_none() {
            let due = session.silent_until().as_millis().div_ceil(WATCH_MILLIS) * WATCH_MILLIS;
            let due = Timestamp::from_millis(due);
            session.watched = Some(due);
            self.mqtt.deadlines.insert((due, slot));
        }
    }

    /// Looks at every MQTT client of which the time has come.
    pub(crate) fn look_at_mqtt(&mut self, step: &mut Step) {
        for slot in self.mqtt.take_due(step.now) {
            self.look_at(slot, step);
        }
    }

    fn look_at(&mut self, slot: Slot, step: &mut Step) {
        let now = step.now;
        if let Some(Pending { stage, .. }) = self.mqtt.get(slot).filter(|pending| pending.due <= now) {
            match stage {
                Stage::Connect => return self.refuse_pending(slot, CloseCause::KeepAliveTimeout, step),
                // Its handler is asked again.
                Stage::Answer { call: None, .. } => self.mqtt.asking.push_back(slot),
                Stage::Answer { .. } => {}
            }
        }
        let link = self.link(slot);
        let Some(session) = self.session_mut(slot) else { return };
        session.watched.take_if(|due| *due <= now);
        if link == Some(Link::Attached) {
            if session.begun.is_some_and(|begun| begun.after(PACKET_TIME) <= now)
                || session.silent_until() <= now
            {
                let reason = ReasonCode::KEEP_ALIVE_TIMEOUT;
                return self.drop_socket(slot, reason, CloseCause::KeepAliveTimeout, step);
            }
            session.timed.take_if(|due| *due <= now);
            if let (None, Some(begun)) = (session.timed, session.begun) {
                let due = begun.after(PACKET_TIME);
                session.timed = Some(due);
                self.mqtt.timeouts.insert((due, slot));
            }
            self.watch_keep_alive(slot);
            return self.send_waiting(slot, step);
        }
        self.publish_due_will(slot, step);
    }

    /// Publishes the will of a session that goes on, if its time has come.
    pub(crate) fn publish_due_will(&mut self, slot: Slot, step: &mut Step) {
        if self.session(slot).and_then(|session| session.will_due).is_some_and(|due| due <= step.now) {
            self.publish_will(slot, step);
            self.store_session(slot, step);
        }
    }

    /// Begins the delay of the will of a session that has lost its socket, or publishes it.
    ///
    /// Source: docs/spec/mqtt.md#wills.
    pub(crate) fn wait_with_will(&mut self, slot: Slot, step: &mut Step) {
        let now = step.now;
        let Some(session) = self.session_mut(slot) else { return };
        session.begun = None;
        let Some(will) = &session.will else { return };
        let due: Timestamp = now.after(will.delay.min(session.window()));
        session.will_due = Some(due);
        self.mqtt.deadlines.insert((due, slot));
        self.store_session(slot, step);
    }
}
