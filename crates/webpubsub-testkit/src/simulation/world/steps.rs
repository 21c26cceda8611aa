//! The steps that shards take, and how they get their memory back.

use std::collections::VecDeque;

use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{Attachment, Driver, Input as ShardInput, Output, Shard, Slot};

use super::World;
use super::host::StepHost;
use crate::simulation::check::{broken, check};
use crate::simulation::model::Model;
use crate::simulation::run::Bug;
use crate::simulation::socket::Reader;
use crate::simulation::summary::Happening;
use crate::simulation::words::{Arrival, Down};

/// Rows that the log of a shard may have beside those that are needed: those between two times of
/// tidying up, and the newest.
const SPARE_ROWS: usize = 1024 + 1;

impl World {
    /// Gives a shard one input and performs what follows, or nothing of it if the shard dies meanwhile;
    /// then it is false.
    ///
    /// `follow` keeps the model in step, `dial` is the client whose socket the input is about.
    pub(super) fn step(
        &mut self,
        shard: usize,
        input: ShardInput,
        dial: Option<Reader>,
        follow: impl FnOnce(&mut Model, Timestamp, &[Output]),
    ) -> bool {
        self.wake(shard);
        let now = self.now;
        let outputs = self.core(shard).handle(now, input);
        let Some(outputs) = self.survive(shard, outputs) else { return false };
        self.model.follow(&outputs);
        follow(&mut self.model, self.now, &outputs);
        self.perform(shard, outputs, dial);
        self.settle(shard);
        true
    }

    /// Gives a shard what came over a socket, which it carries out at once or in a turn; false if it
    /// dies meanwhile.
    pub(super) fn receive(
        &mut self,
        shard: usize,
        slot: Slot,
        input: ShardInput,
        arrivals: Vec<Arrival>,
    ) -> bool {
        let now = self.now;
        let core = self.core(shard);
        let before = core.queued(slot);
        let outputs = core.handle(now, input);
        let waiting = core.queued(slot).saturating_sub(before);
        let Some(outputs) = self.survive(shard, outputs) else { return false };
        let (at_once, later) = split(arrivals, waiting);
        self.shards[shard].waiting.entry(slot).or_default().extend(later);
        self.model.arrivals(now, &at_once, &outputs);
        self.perform(shard, outputs, None);
        self.settle(shard);
        true
    }

    /// A shard takes a turn, if it asked for one.
    pub(super) fn turn(&mut self, shard: usize) {
        if !self.shards[shard].is_busy() {
            return;
        }
        self.shards[shard].is_turn_due = false;
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
            self.model.arrivals(now, &[arrival], &outputs);
        }
        self.perform(shard, outputs, None);
        self.settle(shard);
    }

    /// The outputs, unless the shard dies before it performs them.
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
        &mut self.shards[shard].driver.as_mut().expect("the shard is awake").shard
    }

    /// Puts a shard's memory together again, if it has none.
    pub(super) fn wake(&mut self, shard: usize) {
        if self.shards[shard].driver.is_some() {
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
        let disk = self.shards[shard].disk.load();
        let machine = &self.shards[shard];
        let open: Vec<usize> = machine.sockets.iter().copied().flatten().collect();
        let attachments = open.iter().map(|at| {
            let attachment = self.sockets[*at].as_ref()?.attachment.as_ref()?;
            Attachment::decode(&attachment.encode())
        });
        let policy = machine.policy.clone();
        let restored = Shard::restore(self.now, machine.config, policy, disk, attachments.collect());
        let slots: Vec<_> = open
            .iter()
            .map(|at| {
                let connection = &self.model.connections[self.sockets[*at].as_ref()?.connection];
                (!connection.is_pending()).then_some(connection.slot)
            })
            .collect();
        check!(restored.slots == slots, "sockets in {slots:?} are found again in {:?}", restored.slots);
        // What belongs to no connection is closed.
        for at in open.iter().zip(&slots).filter(|(_, slot)| slot.is_none()).map(|(at, _)| *at) {
            self.lose(shard, at);
            self.put(at, Down::Lost);
        }
        let machine = &self.shards[shard];
        self.model.restore(self.now, shard, &machine.disk.snapshot);
        self.shards[shard].driver = Some(Driver::new(restored.shard));
        let mut outputs = restored.outputs;
        if self.bug == Some(Bug::NoReplayOnWaking) {
            outputs.retain(|output| !matches!(output, Output::Fetch { .. }));
        }
        self.perform(shard, outputs, None);
        self.settle(shard);
    }

    fn perform(&mut self, shard: usize, mut outputs: Vec<Output>, dial: Option<Reader>) {
        if self.bug == Some(Bug::SendAfterClose) {
            outputs.sort_by_key(|output| !matches!(output, Output::Close { .. }));
        }
        let mut driver = self.shards[shard].driver.take().expect("the shard is awake");
        let mut host = StepHost { world: self, shard, dial, lost: Vec::new(), settled: Vec::new() };
        let Ok(_) = driver.perform(&mut host, outputs);
        driver.keep_alarm(&mut host);
        let lost = host.lost;
        let machine = &mut self.shards[shard];
        for (slot, connection) in lost {
            // The driver has given the shard the end of the socket, unless it was closed meanwhile.
            let waiting = machine.waiting.entry(slot).or_default();
            if driver.shard.queued(slot) > waiting.len() {
                waiting.push_back(Arrival::Closed(connection, CloseCode::ABNORMAL));
            }
        }
        machine.driver = Some(driver);
    }

    /// A step is over: what it owed is done, and nothing has piled up.
    fn settle(&mut self, shard: usize) {
        self.model.skip_expired();
        self.model.check_settled();
        if self.waiting_events(shard) == 0 {
            self.model.check_answered(shard);
        }
        let machine = &mut self.shards[shard];
        let core = &machine.driver.as_ref().expect("the shard is awake").shard;
        // What a connection sent last is lost with it, or with its socket.
        machine.waiting.retain(|slot, _| core.queued(*slot) > 0);
        let alive = self.model.alive(shard).len();
        check!(
            core.connections() == alive,
            "shard {shard} has {} connections, not {alive}",
            core.connections()
        );
        for (due, set) in [(core.next_timeout(), machine.timer), (core.next_deadline(), machine.alarm)] {
            let in_time = due.is_none_or(|due| set.is_some_and(|set| set <= due));
            check!(in_time, "shard {shard} waits for {due:?}, and its host for {set:?}");
        }
        check!(
            machine.is_turn_due || core.next_turn().is_none(),
            "shard {shard} waits for a turn, and none is scheduled"
        );
        let rows = machine.disk.snapshot.log.len();
        let outstanding = self.model.outstanding(shard);
        let before = std::mem::replace(&mut machine.outstanding, outstanding);
        if rows != machine.rows {
            // Who needed rows when others were deleted may have ended later in the same step.
            let known = if rows < machine.rows { before } else { machine.needed };
            machine.needed = known.max(outstanding);
            machine.rows = rows;
            check!(
                rows <= machine.needed + SPARE_ROWS,
                "the log of shard {shard} has {rows} rows, where {} are needed",
                machine.needed
            );
        }
    }

    /// The timer and the alarm of a shard fire, if they are due.
    pub(super) fn time_out(&mut self, shard: usize) {
        let machine = &mut self.shards[shard];
        if machine.timer.take_if(|due| *due <= self.now).is_some()
            && let Some(driver) = &mut machine.driver
        {
            driver.timer_fired();
        }
        if machine.alarm.take_if(|due| *due <= self.now).is_some()
            && let Some(driver) = &mut machine.driver
        {
            driver.alarm_fired();
        }
        self.step(shard, ShardInput::Timeout, None, |model, now, outputs| {
            model.look_at_mqtt(now, shard, outputs);
            model.give_up(now, shard, outputs);
        });
    }
}

/// Takes what came in one message apart: what is carried out at once, and the last of it, which waits.
fn split(arrivals: Vec<Arrival>, mut waiting: usize) -> (Vec<Arrival>, Vec<Arrival>) {
    let (mut at_once, mut later) = (Vec::new(), Vec::new());
    for arrival in arrivals.into_iter().rev() {
        if waiting > 0 && !arrival.is_end_of_delivery() {
            waiting -= 1;
            later.push(arrival);
        } else {
            at_once.push(arrival);
        }
    }
    at_once.reverse();
    later.reverse();
    (at_once, later)
}
