//! One shard of a hub: its state, and the way from inputs to outputs.

mod answers;
mod backpressure;
mod calls;
mod close;
mod command;
mod connect;
mod deliver;
mod drain;
mod events;
mod list;
mod membership;
mod mqtt;
mod recover;
mod relayed;
mod restore;
mod states;
mod status;
mod stream;
mod turn;
mod upstream;
mod watch;
mod write;

use std::collections::VecDeque;

use webpubsub_protocol::client::Subprotocol;
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::sorted::SortedSet;
use webpubsub_protocol::time::Timestamp;

use crate::config::ShardConfig;
use crate::connections::Connections;
use crate::event_queue::{EventPolicy, EventQueues};
use crate::group_states::StateTable;
use crate::history::History;
use crate::inbox::Arrived;
use crate::input::Input;
use crate::log::Log;
use crate::metrics::Counters;
use crate::mqtt::MqttClients;
use crate::output::Output;
use crate::publish::{Publish, Stored};
use crate::relay::Relay;
use crate::shard_id::ShardId;
use crate::shard_map::ShardMap;
use crate::slot::Slot;
use crate::snapshot::{Attachment, Snapshot};
use crate::step::Step;
use crate::trace::Trace;
use crate::turns::Turns;

/// One shard of a hub.
#[derive(Debug)]
pub struct Shard {
    pub(crate) connections: Connections,
    pub(crate) log: Log,
    pub(crate) relay: Relay,
    /// Connections that may have no socket, and when their recovery windows end, soonest first. One that
    /// has a socket again stays until that time.
    pub(crate) detached: VecDeque<(Timestamp, Slot)>,
    /// When the streams of a connection are to be looked at, whether they are idle; soonest first.
    pub(crate) idle: SortedSet<(Timestamp, Slot)>,
    /// The ends of streams whose connections have ended in this step.
    pub(crate) cancelled: Vec<Publish>,
    pub(crate) map: ShardMap,
    pub(crate) counters: Counters,
    pub(crate) history: History,
    pub(crate) config: ShardConfig,
    pub(crate) policy: EventPolicy,
    pub(crate) events: EventQueues,
    /// When the settings that were taken last were changed, as far as this life of the memory knows.
    settings_since: u64,
    /// Bytes that were put on sockets since all of them were measured.
    pub(crate) unmeasured: u64,
    pub(crate) turns: Turns,
    pub(crate) states: StateTable,
    pub(crate) mqtt: MqttClients,
    /// Operators who watch.
    pub(crate) trace: Trace,
}

/// A shard that was put together again, and what became of its sockets.
#[derive(Debug)]
pub struct Restored {
    /// The shard.
    pub shard: Shard,
    /// The slot of each socket, in the order given; `None` for one without a connection, which is to
    /// be closed.
    pub slots: Vec<Option<Slot>>,
    /// What is to be done before the first input.
    pub outputs: Vec<Output>,
}

impl Shard {
    /// Puts a shard together from what outlived its memory: the disk, and what each open socket
    /// carried (`None` where that could not be read). Connections without a socket are gone, but for
    /// reliable ones, whose recovery windows begin. Those with one get again what they have not
    /// acknowledged.
    #[must_use]
    pub fn restore(
        now: Timestamp,
        config: ShardConfig,
        policy: EventPolicy,
        snapshot: Snapshot,
        sockets: Vec<Option<Attachment>>,
    ) -> Restored {
        let mut step = Step::new(now);
        let cursors = snapshot.connections.iter().map(|record| record.acknowledged.row);
        let carried = sockets.iter().flatten().map(|socket| socket.acknowledged.row);
        let (rows, bytes) =
            (snapshot.log.iter().map(|row| row.row), snapshot.log.iter().map(|row| row.bytes));
        let map = snapshot.map.unwrap_or_else(|| ShardMap::new(config.shards));
        let relay = Relay::restore(
            map.others(config.shard),
            &snapshot.taken_by,
            snapshot.taken,
            &snapshot.log,
            &mut step,
        );
        let mut shard = Self {
            connections: Connections::default(),
            log: Log::restore(cursors.chain(carried).max().unwrap_or(0), rows.collect(), bytes.sum()),
            relay,
            detached: VecDeque::new(),
            idle: SortedSet::new(),
            cancelled: Vec::new(),
            map,
            counters: Counters::default(),
            history: History::new(now),
            config,
            policy,
            events: EventQueues::new(snapshot.settings),
            settings_since: 0,
            unmeasured: 0,
            turns: Turns::default(),
            states: StateTable::default(),
            mqtt: MqttClients::default(),
            trace: Trace::default(),
        };
        let queues = shard.restore_durable_events(snapshot.durable_events, &mut step);
        let sessions = &snapshot.mqtt_sessions;
        let detached = shard.restore_connections(now, snapshot.connections, sessions, &queues);
        shard.restore_subscriptions(snapshot.mqtt_subscriptions);
        for (slot, group) in snapshot.memberships {
            shard.connections.join(slot, &group);
        }
        shard.restore_permissions(snapshot.permissions);
        shard.restore_acks(snapshot.acks);
        shard.restore_streams(snapshot.streams);
        shard.states.used = snapshot.uses_states;
        for (group, item) in snapshot.states {
            shard.restore_state(&group, item, &mut step);
        }
        for (slot, group) in snapshot.subscriptions {
            // There were not too many.
            let _ = shard.states.subscribe(slot, &group);
        }
        let slots = shard.restore_sockets(sockets, detached, &mut step);
        shard.restore_buffers(snapshot.log, &mut step);
        shard.restore_packets(snapshot.mqtt_packets, &mut step);
        shard.welcome(&mut step);
        shard.follow_up(&mut step);
        Restored { shard, slots, outputs: step.outputs }
    }

    /// Takes one input and returns everything that follows from it, in order.
    #[must_use = "outputs are the only way a shard acts"]
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Output> {
        self.close_minute(now);
        let mut step = Step::new(now);
        match input {
            Input::Connect { connection, request, .. } if request.subprotocol == Subprotocol::Mqtt => {
                self.accept_mqtt(connection, request, &mut step);
            }
            Input::Connect { connection, request, reconnection_token } => {
                self.connect(connection, request, reconnection_token, &mut step);
            }
            Input::Recover { connection, reconnection_token } => {
                self.recover(&connection, reconnection_token, &mut step);
            }
            Input::Closed { slot, code, reason } => {
                // Where there was no close frame, the words are the platform's.
                let reason = if code == CloseCode::ABNORMAL { String::new() } else { reason };
                self.receive_end(slot, Arrived::Closed { code, reason }, &mut step);
            }
            Input::Broken { slot, cause } => self.receive_end(slot, Arrived::Broken(cause), &mut step),
            Input::Frame { from, frame } => self.receive(from, frame, &mut step),
            Input::Fetched { message, to } => {
                self.counters.replays += 1;
                let to = self.fetch_for_sessions(message.as_ref(), to, &mut step);
                if !to.is_empty() {
                    let message = message.and_then(|message| Stored::decode(&message));
                    self.fetched(message.as_ref().map(Stored::message), to, &mut step);
                }
            }
            Input::Command(command) => {
                let reply = self.command(command, &mut step);
                step.push(Output::Reply(reply));
            }
            Input::Map(map) => self.take_map(map, &mut step),
            Input::Batch(batch) => {
                self.counters.batches += 1;
                let from = batch.from;
                for message in self.relay.take(batch, &mut step) {
                    self.take_relayed(from, &message, &mut step);
                }
                step.push(Output::BatchTaken);
            }
            Input::Relayed { to, last, taken } => {
                self.turns.write(self.relay.relayed(now, to, last, taken));
            }
            Input::Called { call, result } => self.called(call, result, &mut step),
            Input::Settings { settings, since } => {
                if since >= self.settings_since {
                    self.settings_since = since;
                    self.take_settings(settings, &mut step);
                }
            }
            Input::Measure => self.measure_all(&mut step),
            Input::Measured(waiting) => self.measured(waiting, &mut step),
            Input::GoAway => self.go_away(&mut step),
            Input::Timeout => {
                self.resume_slowed(now);
                self.events.timeout(now);
                self.relay.timeout(&mut step);
                self.end_idle_streams(&mut step);
                self.look_at_mqtt(&mut step);
                self.give_up(&mut step);
            }
        }
        self.follow_up(&mut step);
        self.write_with(&mut step);
        step.outputs
    }

    /// Which shard of its hub it is.
    #[must_use]
    pub const fn id(&self) -> ShardId {
        self.config.shard
    }

    /// Adds what follows from the outputs of a step.
    pub(crate) fn follow_up(&mut self, step: &mut Step) {
        loop {
            self.follow_streams(step);
            self.announce_ends(step);
            self.deliver_events(step);
            // A subscriber that had no room for the end of a state was closed, and its streams ended with it.
            if self.cancelled.is_empty() {
                break;
            }
        }
        self.count_unread(step);
        self.relay.send(step);
        self.relay.watch(step.now);
        if self.trace.is_on() {
            self.send_records(step);
        }
    }

    /// When [`Input::Timeout`] is next due for something that is lost with the memory; `None` while
    /// nothing waits for time to pass.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Timestamp> {
        let waits = [self.relay.next_timeout(), self.events.next_timeout(), self.turns.next_timeout()];
        let waits = waits.into_iter().chain([self.trace.next_timeout(), self.mqtt.next_timeout()]);
        waits.flatten().min()
    }

    /// When [`Input::Timeout`] is next due even if the memory is lost until then; `None` while nothing
    /// such waits for time to pass.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let detached = self.detached.front().map(|(until, _)| *until);
        let idle = self.idle.as_slice().first().map(|(due, _)| *due);
        let others = [self.relay.next_deadline(), self.events.next_deadline(), self.mqtt.next_deadline()];
        others.into_iter().chain([detached, idle]).flatten().min()
    }
}
