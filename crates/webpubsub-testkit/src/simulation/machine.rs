//! The service's side: shards with their disks, and what becomes of them.

use std::collections::{BTreeMap, VecDeque};

use webpubsub_client_core::AttemptId;
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{
    Attachment, Change, Cursor, EventPolicy, Input as ShardInput, Output, Shard, ShardConfig, Slot, Snapshot,
    StoredMessage,
};

use super::model::Model;
use super::words::{Arrival, Down};
use super::world::World;
use super::{Bug, Happening, broken, check};
use crate::handler::words;
use crate::shard::write;

/// Rows that the log of a shard may have beside those that are needed: those between two times of
/// tidying up, and the newest.
const SPARE_ROWS: usize = 1024 + 1;

/// A shard with its disk.
#[derive(Debug)]
pub(super) struct Machine {
    /// `None` while its memory is lost.
    pub(super) core: Option<Shard>,
    pub(super) config: ShardConfig,
    policy: EventPolicy,
    pub(super) disk: Snapshot,
    pub(super) messages: BTreeMap<u64, StoredMessage>,
    /// Who has which slot.
    pub(super) sockets: Vec<Option<usize>>,
    /// What came over sockets and is yet to be carried out, oldest first.
    waiting: BTreeMap<Slot, VecDeque<Arrival>>,
    /// When the platform wakes it.
    pub(super) alarm: Option<Timestamp>,
    /// How often it has lost its memory.
    pub(super) life: u32,
    /// The most that it needed since rows were last deleted.
    needed: usize,
    /// How many rows its log had.
    rows: usize,
}

impl Machine {
    pub(super) fn new(config: ShardConfig, policy: EventPolicy) -> Self {
        Self {
            core: None,
            config,
            policy,
            disk: Snapshot::default(),
            messages: BTreeMap::new(),
            sockets: Vec::new(),
            waiting: BTreeMap::new(),
            alarm: None,
            life: 0,
            needed: 0,
            rows: 0,
        }
    }

    /// Whether it waits for this time, or one before.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.next_timeout().is_some_and(|due| due <= now)
    }

    pub(super) fn next_timeout(&self) -> Option<Timestamp> {
        let timer = self.core.as_ref().and_then(Shard::next_timeout);
        [timer, self.alarm].into_iter().flatten().min()
    }

    pub(super) fn socket(&self, slot: Slot) -> Option<usize> {
        self.sockets.get(slot.0 as usize).copied().flatten()
    }

    /// Whether its hub has something to do, so that the platform does not let it sleep.
    pub(super) fn is_busy(&self) -> bool {
        self.core.as_ref().is_some_and(|core| core.next_turn().is_some())
    }

    pub(super) fn forget(&mut self) {
        self.core = None;
        self.waiting.clear();
        self.life += 1;
    }
}

impl World {
    /// Gives a shard one input and does what it answers, or does nothing of it if the shard dies
    /// meanwhile; then it is false.
    ///
    /// `follow` keeps the model in step, `dial` is the client whose socket the input is about.
    pub(super) fn step(
        &mut self,
        shard: usize,
        input: ShardInput,
        dial: Option<(usize, AttemptId)>,
        follow: impl FnOnce(&mut Model, Timestamp, &[Output]),
    ) -> bool {
        self.wake(shard);
        let now = self.now;
        let outputs = self.core(shard).handle(now, input);
        let Some(outputs) = self.survive(shard, outputs) else { return false };
        follow(&mut self.model, self.now, &outputs);
        self.perform(shard, outputs, dial);
        self.settle(shard);
        true
    }

    /// Gives a shard what came over a socket, which it carries out at once or in a turn; false if it
    /// dies meanwhile.
    pub(super) fn receive(&mut self, shard: usize, slot: Slot, input: ShardInput, arrival: Arrival) -> bool {
        let now = self.now;
        let core = self.core(shard);
        let before = core.queued(slot);
        let outputs = core.handle(now, input);
        let waits = core.queued(slot) > before;
        let Some(outputs) = self.survive(shard, outputs) else { return false };
        if waits {
            self.shards[shard].waiting.entry(slot).or_default().push_back(arrival);
        } else {
            self.model.arrival(now, &arrival, &outputs);
        }
        self.perform(shard, outputs, None);
        self.settle(shard);
        true
    }

    /// A shard has a turn, if it asked for one.
    pub(super) fn turn(&mut self, shard: usize) {
        if !self.shards[shard].is_busy() {
            return;
        }
        let now = self.now;
        let (mut outputs, mut carried_out) = (Vec::new(), Vec::new());
        while let Some(from) = self.core(shard).next_sender(now) {
            let more = self.core(shard).carry_out_next(now, from);
            let arrival = self.shards[shard].waiting.get_mut(&from).and_then(VecDeque::pop_front);
            let arrival = arrival.unwrap_or_else(|| broken(format!("nothing of {from:?} waits")));
            self.note(|| format!("  shard {shard} carries out {arrival:?}"));
            carried_out.push((arrival, more.clone()));
            outputs.extend(more);
        }
        if carried_out.len() > 1 {
            self.count(Happening::SharedTurn);
        }
        let outputs = self.core(shard).end_turn(now, outputs);
        let Some(outputs) = self.survive(shard, outputs) else { return };
        for (arrival, outputs) in carried_out {
            self.model.arrival(now, &arrival, &outputs);
        }
        self.perform(shard, outputs, None);
        self.settle(shard);
    }

    /// What a shard is to do, unless it dies before.
    fn survive(&mut self, shard: usize, outputs: Vec<Output>) -> Option<Vec<Output>> {
        if self.calm || !self.random.chance(self.faults.doom) {
            return Some(outputs);
        }
        self.note(|| format!("  shard {shard} dies in a step"));
        self.count(Happening::Doom);
        if self.bug == Some(Bug::AckBeforeWrite) {
            self.leak(shard, outputs);
        }
        self.crash(shard);
        None
    }

    pub(super) fn core(&mut self, shard: usize) -> &mut Shard {
        self.shards[shard].core.as_mut().expect("the shard is awake")
    }

    /// Puts a shard's memory together again, if it has none.
    pub(super) fn wake(&mut self, shard: usize) {
        if self.shards[shard].core.is_some() {
            return;
        }
        self.note(|| format!("  shard {shard} wakes"));
        // A socket that is lost may be gone already.
        for at in self.shards[shard].sockets.clone().into_iter().flatten() {
            let socket = self.sockets[at].as_ref().expect("a socket");
            if !socket.whole && self.random.chance(500) {
                self.lose(shard, at);
                self.drop_if_dead(at);
            }
        }
        let machine = &self.shards[shard];
        let open: Vec<usize> = machine.sockets.iter().copied().flatten().collect();
        let attachments = open.iter().map(|at| {
            let attachment = self.sockets[*at].as_ref()?.attachment.as_ref()?;
            Attachment::decode(&attachment.encode())
        });
        let (policy, disk) = (machine.policy.clone(), machine.disk.clone());
        let restored = Shard::restore(self.now, machine.config, policy, disk, attachments.collect());
        let slots: Vec<_> = open
            .iter()
            .map(|at| {
                let socket = self.sockets[*at].as_ref()?;
                Some(self.model.connections[socket.connection].slot)
            })
            .collect();
        check!(restored.slots == slots, "sockets in {slots:?} are found again in {:?}", restored.slots);
        self.model.restore(self.now, shard, &machine.disk);
        self.shards[shard].core = Some(restored.shard);
        let mut outputs = restored.outputs;
        if self.bug == Some(Bug::NoReplayOnWaking) {
            outputs.retain(|output| !matches!(output, Output::Fetch { .. }));
        }
        self.perform(shard, outputs, None);
        self.settle(shard);
    }

    fn perform(&mut self, shard: usize, mut outputs: Vec<Output>, dial: Option<(usize, AttemptId)>) {
        if self.bug == Some(Bug::SendAfterClose) {
            outputs.sort_by_key(|output| !matches!(output, Output::Close { .. }));
        }
        for output in outputs {
            self.note(|| {
                if let Output::Call(call) = &output {
                    format!("    Call {:?}: {}", call.id, words(call))
                } else {
                    format!("    {output:?}")
                }
            });
            match output {
                Output::Accept { connection, subprotocol, slot } => {
                    let at = self.model.holder(shard, slot);
                    let known = &self.model.connections[at];
                    check!(known.id == connection, "{slot:?} is {connection}'s");
                    check!(known.profile.subprotocol == subprotocol, "connection {at} speaks {subprotocol}");
                    let (client, attempt) = dial.expect("a client waits for a socket");
                    self.accept(shard, slot, at, client, attempt);
                }
                Output::Refuse(_)
                | Output::SkippedRoles(_)
                | Output::CannotRecover
                | Output::Reply(_)
                | Output::BatchTaken => {}
                Output::Send { to, frame } => self.send(shard, &to, &frame, true),
                Output::SendNumbered { to, frame } => self.send_numbered(shard, &to, &frame, true),
                Output::Fetch { row, to } => {
                    let message = self.shards[shard].messages.get(&row).cloned();
                    self.count(Happening::Replay);
                    let now = self.now;
                    let outputs = self.core(shard).handle(now, ShardInput::Fetched { message, to });
                    self.perform(shard, outputs, None);
                }
                Output::Measure { slots } => {
                    // Networks take whatever comes.
                    let measured = ShardInput::Measured(slots.into_iter().map(|slot| (slot, 0)).collect());
                    let now = self.now;
                    let outputs = self.core(shard).handle(now, measured);
                    self.perform(shard, outputs, None);
                }
                Output::Close { slot, cause } => {
                    let at = self.holder_of_socket(shard, slot);
                    self.model.close(self.connection_of(at), cause.code());
                    self.shards[shard].sockets[slot.0 as usize] = None;
                    self.socket_mut(at).known = false;
                    self.put(at, Down::Close(cause.code()));
                    self.count(if cause == CloseCause::TakenOver {
                        Happening::TakeOver
                    } else if cause == CloseCause::BufferFull {
                        Happening::Overflow
                    } else if cause == CloseCause::ShardDrained {
                        Happening::Drain
                    } else {
                        Happening::Close
                    });
                }
                Output::Forget { slot } => {
                    let at = self.holder_of_socket(shard, slot);
                    self.shards[shard].sockets[slot.0 as usize] = None;
                    self.socket_mut(at).known = false;
                    self.drop_if_dead(at);
                }
                Output::Attach { slot, attachment } => {
                    let at = self.holder_of_socket(shard, slot);
                    self.socket_mut(at).attachment = Some(attachment);
                }
                Output::Store(change) => self.store(shard, change),
                Output::Relay { to, rows } => self.dispatch(shard, to, &rows),
                Output::Call(call) => self.call(shard, *call),
                Output::GiveUp { call, after } => self.give_up_call(shard, call, after),
                Output::EventFailed { connection, event, failure: _ } => {
                    self.count(Happening::GivenUp);
                    self.model.given_up(&connection, &event);
                }
            }
        }
    }

    /// A step is over: what it owed is done, and nothing has piled up.
    fn settle(&mut self, shard: usize) {
        self.model.check_settled();
        if self.waiting_events(shard) == 0 {
            self.model.check_answered(shard);
        }
        let machine = &mut self.shards[shard];
        let core = machine.core.as_ref().expect("the shard is awake");
        // What a connection sent last is lost with it, or with its socket.
        machine.waiting.retain(|slot, _| core.queued(*slot) > 0);
        let alive = self.model.alive(shard).len();
        check!(
            core.connections() == alive,
            "shard {shard} has {} connections, not {alive}",
            core.connections()
        );
        if let Some(due) = core.next_deadline()
            && machine.alarm.is_none_or(|set| set > due)
        {
            machine.alarm = Some(due);
        }
        let rows = machine.disk.log.len();
        if rows != machine.rows {
            let outstanding = self.model.outstanding(shard);
            machine.needed = if rows < machine.rows { outstanding } else { machine.needed.max(outstanding) };
            machine.rows = rows;
            check!(
                rows <= machine.needed + SPARE_ROWS,
                "the log of shard {shard} has {rows} rows, where {} are needed",
                machine.needed
            );
        }
    }

    fn store(&mut self, shard: usize, mut change: Change) {
        match (&mut change, self.bug) {
            (Change::Log { row, .. }, Some(Bug::SkippedWrite)) if *row % 16 == 0 => return,
            (Change::UseAcks { .. }, Some(Bug::NoDedupe)) => return,
            (Change::Take { .. }, Some(Bug::NoDedupeOfBatches)) => return,
            (Change::PutConnection(record), Some(Bug::WrongSlotReuse)) => {
                record.acknowledged = Cursor { row: 0, sequence_id: SequenceId(0) };
            }
            (Change::Log { relayed, .. }, Some(Bug::ForgottenOutbox)) => *relayed = false,
            (Change::AddEvent { .. }, Some(Bug::ForgottenNotice))
            | (Change::EventContext { .. }, Some(Bug::ForgottenNumbers)) => return,
            (Change::RemoveConnection(slot), _) => self.model.remove(shard, *slot),
            (Change::DeleteRows { .. }, _) => self.count(Happening::Trim),
            _ => {}
        }
        let machine = &mut self.shards[shard];
        write(change, &mut machine.disk, &mut machine.messages);
    }

    /// A shard is told that time has passed.
    pub(super) fn tell_time(&mut self, shard: usize) {
        let machine = &mut self.shards[shard];
        machine.alarm = machine.alarm.filter(|due| *due > self.now);
        self.step(shard, ShardInput::Timeout, None, |model, now, _| model.give_up(now, shard));
    }
}
