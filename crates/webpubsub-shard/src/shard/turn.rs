//! What clients send is carried out in turns: which connection is next, and how many messages a turn takes.
//!
//! A message that leads to no write is carried out when it arrives. Every other one waits in its
//! connection's inbox for the next turn, whose writes are one commit. Connections take turns by what
//! their messages cost, so what one client sends delays no other. The platform cannot slow
//! down a single socket, but it can hold back everything that is about to arrive until a turn is over
//! ([`NextTurn::BeforeMore`]), in which time the sockets' own flow control slows their senders down.

use std::mem;

use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{Frame, StreamAction, UpstreamMessage};
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::time::Timestamp;

use crate::config::Sockets;
use crate::framing::Framing;
use crate::inbox::{Arrived, MAX_SHARD_BYTES};
use crate::output::Output;
use crate::shard::Shard;
use crate::slot::{Slot, insert_by_time};
use crate::step::Step;
use crate::turns::{NextTurn, ROUND_COST, TurnCost, Turns};

impl Shard {
    /// When [`Shard::turn`] is to be called next; `None` while nothing waits for it.
    #[must_use]
    pub fn next_turn(&self) -> Option<NextTurn> {
        let Turns { waiting, is_due, changes, touched, .. } = &self.turns;
        if *is_due {
            return Some(NextTurn::BeforeMore);
        }
        let nothing = waiting.is_empty() && changes.is_empty() && touched.is_empty();
        (!nothing).then_some(NextTurn::Soon)
    }

    /// Carries out what has arrived, as much as a turn takes, and writes what waited to be written.
    /// Everything that is to be stored comes first, so nothing leaves before it is on disk.
    #[must_use = "outputs are the only way a shard acts"]
    pub fn turn(&mut self, now: Timestamp) -> Vec<Output> {
        self.close_minute(now);
        let mut step = Step::new(now);
        while let Some(from) = self.next_sender(now) {
            self.carry_out_first(from, &mut step);
        }
        self.finish_turn(step)
    }

    /// The connection whose message this turn carries out next; `None` at its end.
    pub fn next_sender(&mut self, now: Timestamp) -> Option<Slot> {
        let (mut refused, mut least) = (0, i64::MAX);
        while let Some(&slot) = self.turns.waiting.front() {
            if self.turn_cost().is_reached(self.turns.carried_out) {
                return None;
            }
            let limits = self.config.limits;
            let Some(connection) = self.connections.get_mut(slot) else {
                self.turns.waiting.pop_front();
                continue;
            };
            let inbox = &mut connection.inbox;
            let Some((arrived, _)) = inbox.arrived.front() else {
                inbox.is_listed = false;
                self.turns.waiting.pop_front();
                continue;
            };
            if arrived.is_limited()
                && !inbox.is_ended
                && let Some(due) = connection.bucket.next(now, &limits)
            {
                inbox.is_slowed = true;
                self.turns.waiting.pop_front();
                insert_by_time(&mut self.turns.slowed, due, slot);
                continue;
            }
            if inbox.credit > 0 {
                return Some(slot);
            }
            // Its credit is used up, and the next connection follows. Once that holds for all, a new round
            // begins, or as many as it takes until one of them may go on.
            least = least.min(-inbox.credit);
            refused += 1;
            self.turns.waiting.pop_front();
            self.turns.waiting.push_back(slot);
            if refused >= self.turns.waiting.len() {
                let rounds = (least / ROUND_COST + 1) * ROUND_COST;
                for slot in &self.turns.waiting {
                    if let Some(connection) = self.connections.get_mut(*slot) {
                        connection.inbox.credit += rounds;
                    }
                }
                (refused, least) = (0, i64::MAX);
            }
        }
        None
    }

    /// Carries out the next message of this connection, as [`Shard::next_sender`] has it. The outputs are
    /// to be given to [`Shard::end_turn`].
    #[must_use = "outputs are the only way a shard acts"]
    pub fn carry_out_next(&mut self, now: Timestamp, from: Slot) -> Vec<Output> {
        let mut step = Step::new(now);
        self.carry_out_first(from, &mut step);
        step.outputs
    }

    /// Ends a turn that has led to these outputs: adds what follows from all of them, and puts what is to
    /// be written in front.
    #[must_use = "outputs are the only way a shard acts"]
    pub fn end_turn(&mut self, now: Timestamp, outputs: Vec<Output>) -> Vec<Output> {
        self.finish_turn(Step::of(now, outputs))
    }

    /// Carries out the first message in an inbox.
    fn carry_out_first(&mut self, from: Slot, step: &mut Step) {
        let limits = self.config.limits;
        let Some(connection) = self.connections.get_mut(from) else { return };
        let Some((arrived, bytes)) = connection.inbox.arrived.pop_front() else { return };
        connection.inbox.bytes -= bytes;
        self.turns.bytes -= bytes;
        if arrived.is_limited() {
            connection.bucket.take(step.now, &limits);
        }
        let before = step.cost;
        self.carry_out(from, arrived, step);
        let cost = self.turn_cost().of_bytes(bytes) + step.cost - before;
        self.turns.carried_out += cost;
        if let Some(connection) = self.connections.get_mut(from) {
            let inbox = &mut connection.inbox;
            // What was not used in one turn is not saved up for the next.
            inbox.credit = if inbox.arrived.is_empty() { 0 } else { inbox.credit - cost as i64 };
        }
    }

    fn finish_turn(&mut self, mut step: Step) -> Vec<Output> {
        (self.turns.taken_in, self.turns.carried_out, self.turns.is_due) = (0, 0, false);
        self.read_on(&mut step);
        self.follow_up(&mut step);
        let mut others = mem::replace(&mut step.outputs, self.unwritten());
        step.outputs.extend(others.extract_if(.., |output| output.is_store()));
        step.outputs.append(&mut others);
        for slot in mem::take(&mut self.turns.touched) {
            if let Some(connection) = self.connections.get_mut(slot) {
                connection.inbox.is_touched = false;
                if connection.is_attached() {
                    self.attach(slot, &mut step);
                }
            }
        }
        step.outputs
    }

    const fn turn_cost(&self) -> TurnCost {
        TurnCost::of(self.config.sockets)
    }

    /// Whether anything that has arrived waits to be carried out.
    #[must_use]
    pub(crate) fn has_queued(&self) -> bool {
        !self.turns.waiting.is_empty()
    }

    /// How many messages of a connection wait to be carried out.
    #[must_use]
    pub fn queued(&self, slot: Slot) -> usize {
        self.connections.get(slot).map_or(0, |connection| connection.inbox.arrived.len())
    }

    /// Takes in a frame: carries it out at once if it leads to no write, or queues it.
    pub(crate) fn receive(&mut self, from: Slot, frame: Frame, step: &mut Step) {
        self.counters.received += frame.len() as u64;
        let Some(connection) = self.connections.get(from) else {
            return self.receive_before_connack(from, frame, step);
        };
        if connection.framing == Framing::Mqtt {
            return self.receive_packets(from, frame, step);
        }
        let bytes = frame.len();
        let arrived = Arrived::read(&connection.framing, frame);
        self.take_in(from, arrived, bytes, step);
    }

    /// Takes in what a frame of `bytes` bytes has, as [`Shard::receive`] does.
    pub(crate) fn take_in(&mut self, from: Slot, arrived: Arrived, bytes: usize, step: &mut Step) {
        let limits = self.config.limits;
        let Some(connection) = self.connections.get(from) else { return };
        // An acknowledgement frees memory, and concerns nothing else that the client sends. One of a message
        // that was never sent closes the connection, after everything that came before.
        let may_overtake = matches!(
            &arrived,
            Arrived::Message(UpstreamMessage::SequenceAck { sequence_id })
                if connection.buffer.as_ref().is_none_or(|buffer| *sequence_id <= buffer.newest())
        );
        let is_next = connection.inbox.arrived.is_empty() || may_overtake;
        let is_free = arrived.is_acknowledgement();
        let is_quick = is_free || (is_next && !self.turns.is_due && !self.writes(from, &arrived));
        let Some(connection) = self.connections.get_mut(from) else { return };
        if is_quick && (is_free || connection.bucket.take(step.now, &limits)) {
            let before = step.cost;
            self.carry_out(from, arrived, step);
            let turn = self.turn_cost();
            self.turns.take_in(turn.of_bytes(bytes) + step.cost - before, turn);
        } else {
            self.enqueue(from, arrived, bytes, step);
        }
    }

    /// Has something that came over a socket wait for the next turn, unless the socket is gone: one may turn
    /// out lost in the very step that forgets it.
    pub(crate) fn enqueue(&mut self, from: Slot, arrived: Arrived, bytes: usize, step: &mut Step) {
        let Some(connection) = self.connections.get_mut(from) else {
            if arrived.is_end() {
                self.forget_pending(from, step);
            }
            return;
        };
        if !connection.is_attached() {
            return;
        }
        let inbox = &mut connection.inbox;
        let is_full = inbox.is_full() || (inbox.is_slowed && self.turns.bytes + bytes > MAX_SHARD_BYTES);
        if arrived.is_limited() && is_full {
            return self.close(from, CloseCause::TooManyMessages, step);
        }
        let is_end = arrived.is_end();
        inbox.arrived.push_back((arrived, bytes));
        inbox.bytes += bytes;
        self.turns.bytes += bytes;
        if is_end {
            self.end_limits(from);
        }
        let Some(inbox) = self.connections.get_mut(from).map(|connection| &mut connection.inbox) else {
            return;
        };
        let must_wait = inbox.is_over_its_share() && !inbox.is_slowed;
        if !mem::replace(&mut inbox.is_listed, true) {
            self.turns.waiting.push_back(from);
        }
        self.turns.take_in(1, TurnCost::of(self.config.sockets));
        self.turns.is_due |= must_wait;
    }

    /// Lets a connection go on whose socket has ended, whatever its rate: nothing more comes over it.
    pub(crate) fn end_limits(&mut self, from: Slot) {
        let Some(connection) = self.connections.get_mut(from) else { return };
        connection.inbox.is_ended = true;
        if mem::take(&mut connection.inbox.is_slowed) {
            self.turns.slowed.retain(|(_, slot)| *slot != from);
            self.turns.waiting.push_back(from);
        }
    }

    /// Lets connections go on whose rate limit allows another message.
    pub(crate) fn resume_slowed(&mut self, now: Timestamp) {
        while let Some((_, slot)) = self.turns.slowed.pop_front_if(|(due, _)| *due <= now) {
            if let Some(connection) = self.connections.get_mut(slot) {
                connection.inbox.is_slowed = false;
                self.turns.waiting.push_back(slot);
            }
        }
    }

    /// Has the next turn update what a socket carries.
    pub(crate) fn touch(&mut self, slot: Slot) {
        if self.config.sockets == Sockets::OutliveMemory
            && let Some(connection) = self.connections.get_mut(slot)
            && !mem::replace(&mut connection.inbox.is_touched, true)
        {
            self.turns.touched.push(slot);
        }
    }

    fn carry_out(&mut self, from: Slot, arrived: Arrived, step: &mut Step) {
        if self.trace.is_on() {
            self.record_arrived(step.now, from, &arrived);
        }
        match arrived {
            Arrived::Message(message) => self.message(from, message, step),
            Arrived::Payload(frame) => self.payload(from, frame, step),
            Arrived::Packet(packet) => self.packet(from, *packet, step),
            Arrived::Unreadable(error) => self.end_unreadable(from, error, step),
            Arrived::Invalid(cause) => self.close(from, cause, step),
            Arrived::Closed { code, reason } => self.closed(from, code, &reason, step),
            Arrived::Broken(cause) => self.broken(from, cause, step),
        }
    }

    /// Whether this leads to a write that an answer waits for, as far as is known beforehand.
    fn writes(&self, from: Slot, arrived: &Arrived) -> bool {
        let publish = || self.relay.is_needed() || self.connections.has_reliable() || self.mqtt.sessions > 0;
        let is_reliable = || self.connections.get(from).is_some_and(|connection| connection.buffer.is_some());
        match arrived {
            Arrived::Message(UpstreamMessage::JoinGroup { .. } | UpstreamMessage::LeaveGroup { .. }) => {
                self.has_event_handlers() || is_reliable()
            }
            Arrived::Message(UpstreamMessage::SendToGroup { ack_id, .. }) => {
                publish() || (ack_id.is_some() && is_reliable())
            }
            Arrived::Message(UpstreamMessage::Stream { action, .. }) => {
                let is_kept = matches!(action, StreamAction::Start { .. } | StreamAction::End { .. });
                publish() || is_reliable() || (is_kept && self.has_event_handlers())
            }
            Arrived::Message(UpstreamMessage::Event { .. } | UpstreamMessage::Invoke { .. }) => {
                self.has_event_handlers()
            }
            Arrived::Message(
                UpstreamMessage::CancelInvocation { .. }
                | UpstreamMessage::Ping
                | UpstreamMessage::SequenceAck { .. },
            ) => false,
            Arrived::Payload(_) => match self.connections.get(from).map(|connection| &connection.framing) {
                Some(Framing::Simple(SimpleMode::SendToGroup { .. })) => publish(),
                Some(Framing::Simple(SimpleMode::SendEvent) | Framing::Messages(_) | Framing::Mqtt)
                | None => self.has_event_handlers(),
            },
            Arrived::Message(UpstreamMessage::GroupState { .. }) => publish() || self.has_event_handlers(),
            Arrived::Packet(packet) => self.packet_writes(packet),
            Arrived::Unreadable(_) | Arrived::Invalid(_) | Arrived::Closed { .. } | Arrived::Broken(_) => {
                true
            }
        }
    }
}
