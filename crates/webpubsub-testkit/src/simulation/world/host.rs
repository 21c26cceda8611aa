//! A shard's host in the simulation: what becomes of a step's outputs.

use std::convert::Infallible;
use std::time::Duration;

use webpubsub_protocol::client::{DataFrame, Frame, Subprotocol};
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::json::{Json, Members};
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{
    Attachment, Batch, Call, CallId, Change, Cursor, Host, NextTurn, NotDone, ShardId, Slot, StoredMessage,
};

use super::World;
use crate::handler::words;
use crate::simulation::check::check;
use crate::simulation::machine::Machine;
use crate::simulation::run::Bug;
use crate::simulation::socket::Reader;
use crate::simulation::summary::Happening;
use crate::simulation::words::Down;

/// The host of one step of one shard.
#[derive(Debug)]
pub(super) struct StepHost<'a> {
    pub(super) world: &'a mut World,
    pub(super) shard: usize,
    /// Who waits for a socket.
    pub(super) dial: Option<Reader>,
    /// Slots of sockets that turned out lost, and their connections.
    pub(super) lost: Vec<(Slot, usize)>,
    /// Durable events that were deleted, as they stood on disk.
    pub(super) settled: Vec<String>,
}

impl StepHost<'_> {
    fn machine(&mut self) -> &mut Machine {
        &mut self.world.shards[self.shard]
    }

    fn note(&self, line: impl FnOnce() -> String) {
        self.world.note(|| format!("    {}", line()));
    }

    /// Has no socket in a slot from here on. Returns the one that was there.
    fn vacate(&mut self, slot: Slot) -> usize {
        let at = self.world.holder_of_socket(self.shard, slot);
        self.machine().sockets[slot.0 as usize] = None;
        self.world.socket_mut(at).known = false;
        self.world.model.vacate(self.shard, slot);
        at
    }
}

impl StepHost<'_> {
    /// The session of which an event was deleted, if the connection is one of MQTT.
    fn session_of(&mut self, connection: &ConnectionId, event: &str) -> Option<String> {
        let is_it = |text: &String| {
            let members = Members::parse(text).expect("an event");
            let has =
                |name, value: &str| members.get(name).and_then(Json::text).is_some_and(|text| text == value);
            has("connection", connection.as_str()) && has("event", event)
        };
        let at = self.settled.iter().position(is_it)?;
        let text = self.settled.remove(at);
        let members = Members::parse(&text)?;
        Some(members.get("session").and_then(Json::text)?.into_owned())
    }

    /// Sometimes a socket that is cut turns out lost when a frame is sent on it.
    fn lose(&mut self, slot: Slot, lost: &mut Vec<Slot>) {
        let World { shards, sockets, random, faults, calm, .. } = &mut *self.world;
        let Some(socket) = shards[self.shard].socket(slot).and_then(|at| sockets[at].as_ref()) else {
            return;
        };
        if !socket.whole && !*calm && random.chance(faults.send_fails) {
            self.lost.push((slot, socket.connection));
            lost.push(slot);
            self.note(|| format!("{slot:?} is lost"));
            self.world.count(Happening::Lost);
        }
    }
}

impl Host for StepHost<'_> {
    type Error = Infallible;

    fn now(&self) -> Timestamp {
        self.world.now
    }

    fn accept(&mut self, slot: Slot, connection: ConnectionId, subprotocol: Subprotocol) -> bool {
        self.note(|| format!("Accept {{ connection: {connection}, slot: {slot:?} }}"));
        let at = self.world.model.holder(self.shard, slot);
        let known = &self.world.model.connections[at];
        check!(known.id == connection, "{slot:?} is {connection}'s");
        check!(known.profile.subprotocol == subprotocol, "connection {at} speaks {subprotocol}");
        let reader = self.dial.expect("somebody waits for a socket");
        self.world.accept(self.shard, slot, at, reader);
        true
    }

    fn attach(&mut self, slot: Slot, attachment: Attachment) -> Result<(), Infallible> {
        self.note(|| format!("Attach {{ slot: {slot:?}, attachment: {attachment:?} }}"));
        let at = self.world.holder_of_socket(self.shard, slot);
        self.world.socket_mut(at).attachment = Some(attachment);
        Ok(())
    }

    fn send(&mut self, to: &[Slot], frame: &Frame, lost: &mut Vec<Slot>) {
        self.note(|| format!("Send {{ to: {to:?}, frame: {frame:?} }}"));
        self.world.send(self.shard, to, frame, true);
        to.iter().for_each(|slot| self.lose(*slot, lost));
    }

    fn send_numbered(&mut self, to: &[(Slot, SequenceId)], frame: &DataFrame, lost: &mut Vec<Slot>) {
        self.note(|| format!("SendNumbered {{ to: {to:?}, frame: {frame:?} }}"));
        self.world.send_numbered(self.shard, to, frame, true);
        to.iter().for_each(|(slot, _)| self.lose(*slot, lost));
    }

    /// Networks take whatever comes.
    fn unread_bytes(&self, _: Slot) -> u64 {
        0
    }

    fn close(&mut self, slot: Slot, cause: CloseCause) {
        self.note(|| format!("Close {{ slot: {slot:?}, cause: {cause:?} }}"));
        let at = self.world.holder_of_socket(self.shard, slot);
        self.world.model.close(self.world.connection_of(at), cause.code());
        self.vacate(slot);
        self.world.put(at, Down::Close(cause.code()));
        self.world.count(if cause == CloseCause::TakenOver {
            Happening::TakeOver
        } else if cause == CloseCause::BufferFull {
            Happening::Overflow
        } else if cause == CloseCause::ShardDrained {
            Happening::Drain
        } else {
            Happening::Close
        });
    }

    fn rename(&mut self, from: Slot, to: Slot) {
        self.note(|| format!("Rename {{ from: {from:?}, to: {to:?} }}"));
        let at = self.world.holder_of_socket(self.shard, from);
        check!(self.machine().socket(to).is_none(), "{to:?} has two sockets");
        let connection = self.world.model.holder(self.shard, to);
        let sockets = &mut self.machine().sockets;
        (sockets[from.0 as usize], sockets[to.0 as usize]) = (None, Some(at));
        self.world.socket_mut(at).connection = connection;
        self.world.model.vacate(self.shard, from);
        self.world.count(Happening::MqttResumption);
    }

    fn forget(&mut self, slot: Slot) {
        self.note(|| format!("Forget {{ slot: {slot:?} }}"));
        let at = self.world.holder_of_socket(self.shard, slot);
        self.world.model.forget_pending(self.world.connection_of(at));
        self.vacate(slot);
        self.world.drop_if_dead(at);
    }

    fn store(&mut self, mut change: Change) -> Result<(), Infallible> {
        self.note(|| format!("Store({change:?})"));
        match (&mut change, self.world.bug) {
            (Change::Log { row, .. }, Some(Bug::SkippedWrite)) if *row % 16 == 0 => return Ok(()),
            (Change::UseAcks { .. }, Some(Bug::NoDedupe)) => return Ok(()),
            (Change::Take { .. }, Some(Bug::NoDedupeOfBatches)) => return Ok(()),
            (Change::PutConnection(record), Some(Bug::WrongSlotReuse)) => {
                record.acknowledged = Cursor { row: 0, sequence_id: SequenceId(0) };
            }
            (Change::Log { relayed, .. }, Some(Bug::ForgottenOutbox)) => *relayed = false,
            (Change::AddEvent { .. }, Some(Bug::ForgottenEvent))
            | (Change::EventContext { .. }, Some(Bug::ForgottenNumbers))
            | (Change::AddMqttPacket(..), Some(Bug::ForgottenPackets))
            | (Change::MqttSubscribe { .. }, Some(Bug::ForgottenSubscriptions)) => return Ok(()),
            (Change::RemoveEvent { row }, _) => {
                let events = &self.world.shards[self.shard].disk.snapshot.durable_events;
                let known = events.iter().find(|(known, _)| known == row);
                self.settled.extend(known.map(|(_, event)| event.clone()));
            }
            (Change::RemoveConnection(slot), _) => self.world.model.remove(self.shard, *slot),
            (Change::DeleteRows { .. }, _) => self.world.count(Happening::Trim),
            _ => {}
        }
        self.machine().disk.store(change);
        Ok(())
    }

    fn message(&mut self, row: u64) -> Result<Option<StoredMessage>, Infallible> {
        self.note(|| format!("Fetch {{ row: {row} }}"));
        self.world.count(Happening::RowRead);
        Ok(self.machine().disk.message(row))
    }

    fn relay(&mut self, to: ShardId, last: u64, batch: Batch) {
        self.note(|| format!("Relay {{ to: {to:?}, last: {last}, messages: {} }}", batch.messages.len()));
        check!(
            batch.messages.last().map(|(row, _)| *row) == Some(last),
            "row {last} is relayed and is not there"
        );
        self.world.dispatch(self.shard, to, batch);
    }

    fn call(&mut self, call: Call) {
        self.note(|| format!("Call {:?}: {}", call.id, words(&call)));
        self.world.call(self.shard, call);
    }

    fn give_up(&mut self, call: CallId, after: Duration) {
        self.note(|| format!("GiveUp {{ call: {call:?}, after: {after:?} }}"));
        self.world.give_up_call(self.shard, call, after);
    }

    fn log(&mut self, not_done: &NotDone<'_>) {
        if let NotDone::Event(connection, event, _) = not_done {
            self.note(|| format!("{not_done:?}"));
            self.world.count(Happening::GivenUp);
            let session = self.session_of(connection, event);
            self.world.model.given_up(connection, session.as_deref(), event);
        }
    }

    fn set_timer(&mut self, due: Option<Timestamp>) {
        self.machine().timer = due;
    }

    fn set_alarm(&mut self, due: Option<Timestamp>) {
        self.machine().alarm = due;
    }

    fn schedule_turn(&mut self, _: NextTurn) {
        self.machine().is_turn_due = true;
    }
}
