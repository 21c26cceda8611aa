//! The service's side: shards with their disks, and what becomes of them.

use std::collections::BTreeMap;

use webpubsub_client_core::{AttemptId, Close, ConnectError, Input};
use webpubsub_hub::{
    Attachment, Batch, Change, Cursor, Hub, Input as HubInput, Output, Place, ShardNumber, Slot, Snapshot,
    StoredMessage,
};
use webpubsub_protocol::client::{AckError, DataFrame, DownstreamMessage, Frame};
use webpubsub_protocol::close::{CloseCause, CloseCode};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::UserId;
use webpubsub_protocol::time::Timestamp;

use super::model::Model;
use super::words::{Answer, Down, Heard, Up, Word, message_number, spelled_out, user_id};
use super::world::{Socket, World};
use super::{Bug, Happening, broken, check};
use crate::shard::write;

/// Rows that the log of a shard may have beside those that are needed: those between two times of
/// tidying up, and the newest.
const SPARE_ROWS: usize = 1024 + 1;

/// A shard with its disk.
#[derive(Debug)]
pub(super) struct Machine {
    /// `None` while its memory is lost.
    pub(super) hub: Option<Hub>,
    pub(super) place: Place,
    pub(super) disk: Snapshot,
    pub(super) messages: BTreeMap<u64, StoredMessage>,
    /// Who has which slot.
    pub(super) sockets: Vec<Option<usize>>,
    /// When the platform wakes it.
    pub(super) alarm: Option<Timestamp>,
    /// How often it has lost its memory.
    life: u32,
    /// The most that it needed since rows were last deleted.
    needed: usize,
    /// How many rows its log had.
    rows: usize,
}

/// On its way from shard to shard.
#[derive(Debug)]
pub(super) enum Flight {
    Batch {
        from: usize,
        to: usize,
        batch: Batch,
        /// In which of its lives the sender waits for an answer, if it does.
        life: Option<u32>,
    },
    Answer { from: usize, to: usize, life: u32, last: u64, taken: bool },
}

impl Machine {
    pub(super) fn new(place: Place) -> Self {
        Self {
            hub: None,
            place,
            disk: Snapshot::default(),
            messages: BTreeMap::new(),
            sockets: Vec::new(),
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
        let timer = self.hub.as_ref().and_then(Hub::next_timeout);
        [timer, self.alarm].into_iter().flatten().min()
    }

    fn socket(&self, slot: Slot) -> Option<usize> {
        self.sockets.get(slot.0 as usize).copied().flatten()
    }

    fn forget(&mut self) {
        self.hub = None;
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
        input: HubInput,
        dial: Option<(usize, AttemptId)>,
        follow: impl FnOnce(&mut Model, Timestamp, &[Output]),
    ) -> bool {
        self.wake(shard);
        let now = self.now;
        let outputs = self.hub(shard).handle(now, input);
        if !self.calm && self.random.chance(self.faults.doom) {
            self.note(|| format!("  shard {shard} dies in a step"));
            self.count(Happening::Doom);
            if self.bug == Some(Bug::SendBeforeWrite) {
                self.leak(shard, outputs);
            }
            self.crash(shard);
            return false;
        }
        follow(&mut self.model, self.now, &outputs);
        self.perform(shard, outputs, dial);
        self.settle(shard);
        true
    }

    fn hub(&mut self, shard: usize) -> &mut Hub {
        self.shards[shard].hub.as_mut().expect("the shard is awake")
    }

    /// Puts a shard's memory together again, if it has none.
    pub(super) fn wake(&mut self, shard: usize) {
        if self.shards[shard].hub.is_some() {
            return;
        }
        self.note(|| format!("  shard {shard} wakes"));
        // A socket that is lost may be gone already.
        for at in self.shards[shard].sockets.clone().into_iter().flatten() {
            let socket = self.sockets[at].as_ref().expect("a socket");
            if !socket.whole && self.random.chance(500) {
                self.lose(shard, at);
            }
        }
        let machine = &self.shards[shard];
        let open: Vec<usize> = machine.sockets.iter().copied().flatten().collect();
        let attachments = open.iter().map(|at| {
            let attachment = self.sockets[*at].as_ref()?.attachment.as_ref()?;
            Attachment::decode(&attachment.encode())
        });
        let restored =
            Hub::restore(self.now, machine.place, machine.disk.clone(), attachments.collect());
        let slots: Vec<_> = open
            .iter()
            .map(|at| {
                let socket = self.sockets[*at].as_ref()?;
                Some(self.model.connections[socket.connection].slot)
            })
            .collect();
        check!(restored.slots == slots, "sockets in {slots:?} are found again in {:?}", restored.slots);
        self.model.restore(self.now, shard, &machine.disk);
        self.shards[shard].hub = Some(restored.hub);
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
            self.note(|| format!("    {output:?}"));
            match output {
                Output::Accept { connection, subprotocol, slot } => {
                    let at = self.model.holder(shard, slot);
                    let known = &self.model.connections[at];
                    check!(known.id == connection, "{slot:?} is {connection}'s");
                    check!(known.profile.subprotocol == subprotocol, "connection {at} speaks {subprotocol}");
                    let (client, attempt) = dial.expect("a client waits for a socket");
                    self.accept(shard, slot, at, client, attempt);
                }
                Output::Refuse(full) => broken(format!("shard {shard} is full: {full:?}")),
                Output::CannotRecover | Output::Reply(_) | Output::BatchTaken => {}
                Output::Send { to, frame } => self.send(shard, &to, &frame, true),
                Output::SendNumbered { to, frame } => self.send_numbered(shard, &to, &frame, true),
                Output::Fetch { row, to } => {
                    let message = self.shards[shard].messages.get(&row).cloned();
                    self.count(Happening::Replay);
                    let now = self.now;
                    let outputs = self.hub(shard).handle(now, HubInput::Fetched { message, to });
                    self.perform(shard, outputs, None);
                }
                Output::Close { slot, cause } => {
                    let at = self.holder_of_socket(shard, slot);
                    self.model.close(self.connection_of(at), cause.code());
                    self.shards[shard].sockets[slot.0 as usize] = None;
                    self.socket_mut(at).known = false;
                    self.put(at, Down::Close(cause.code()));
                    self.count(match cause {
                        CloseCause::TakenOver => Happening::TakeOver,
                        CloseCause::BufferFull => Happening::Overflow,
                        _ => Happening::Close,
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
            }
        }
    }

    /// A step is over: what it owed is done, and nothing has piled up.
    fn settle(&mut self, shard: usize) {
        self.model.check_settled();
        let machine = &mut self.shards[shard];
        let hub = machine.hub.as_ref().expect("the shard is awake");
        let alive = self.model.alive(shard).len();
        check!(hub.connections() == alive, "shard {shard} has {} connections, not {alive}", hub.connections());
        if let Some(due) = hub.next_deadline()
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

    fn accept(&mut self, shard: usize, slot: Slot, connection: usize, client: usize, attempt: AttemptId) {
        let at = self.sockets.iter().position(Option::is_none).unwrap_or_else(|| {
            self.sockets.push(None);
            self.sockets.len() - 1
        });
        let machine = &mut self.shards[shard];
        if machine.sockets.len() <= slot.0 as usize {
            machine.sockets.resize(slot.0 as usize + 1, None);
        }
        check!(machine.sockets[slot.0 as usize].is_none(), "{slot:?} has two sockets");
        machine.sockets[slot.0 as usize] = Some(at);
        self.sockets[at] = Some(Socket {
            client,
            attempt,
            shard,
            connection,
            attachment: None,
            up: Default::default(),
            down: [Down::Opened].into(),
            known: true,
            heard: true,
            whole: true,
            opened: false,
            closed: false,
        });
        self.clients[client].socket = Some(at);
        self.note(|| format!("    socket {at} of client {client} is connection {connection}'s"));
    }

    fn socket_mut(&mut self, at: usize) -> &mut Socket {
        self.sockets[at].as_mut().expect("a socket")
    }

    fn holder_of_socket(&self, shard: usize, slot: Slot) -> usize {
        let at = self.shards[shard].socket(slot);
        at.unwrap_or_else(|| broken(format!("shard {shard} has no socket in {slot:?}")))
    }

    fn connection_of(&self, at: usize) -> usize {
        self.sockets[at].as_ref().expect("a socket").connection
    }

    /// Who is in a slot, by the socket or without one.
    fn connection_in(&self, shard: usize, slot: Slot) -> usize {
        match self.shards[shard].socket(slot) {
            Some(at) => self.connection_of(at),
            None => self.model.holder(shard, slot),
        }
    }

    /// Puts something on a socket.
    fn put(&mut self, at: usize, down: Down) {
        let socket = self.socket_mut(at);
        check!(!socket.closed, "{down:?} is put on a socket after its close frame");
        socket.closed = matches!(down, Down::Close(_));
        if socket.whole && socket.heard {
            socket.down.push_back(down);
        }
        self.drop_if_dead(at);
    }

    fn send(&mut self, shard: usize, to: &[Slot], frame: &Frame, checked: bool) {
        let connection = self.connection_in(shard, to[0]);
        let encoding = self.model.connections[connection].profile.encoding();
        let message = encoding.decode_downstream(frame).ok().flatten();
        let message = message.unwrap_or_else(|| broken(format!("{frame:?} is no message")));
        let word = match message {
            DownstreamMessage::Data { from, data, metadata: _, sequence_id } => {
                let number = message_number(&data);
                check!(sequence_id.is_none(), "a frame for many has a number");
                let published = &mut self.model.messages[number as usize];
                published.check(encoding, &from, &data);
                published.check_bytes(encoding, frame);
                for slot in to {
                    let at = self.on(shard, *slot);
                    if checked {
                        self.model.send(self.connection_of(at), number, None);
                    }
                    self.put(at, Down::Data(Heard { message: number, number: None }));
                }
                return;
            }
            DownstreamMessage::Connected { connection_id, user_id: user, reconnection_token } => {
                let known = &self.model.connections[connection];
                let named = user.as_ref().map(UserId::as_str) == Some(user_id(known.profile.user).as_str());
                check!(connection_id == known.id && named, "connection {connection} is called another");
                check!(
                    reconnection_token.is_some() == known.is_reliable(),
                    "connection {connection} has the token {reconnection_token:?}"
                );
                Word::Connected
            }
            DownstreamMessage::Disconnected { .. } => Word::Disconnected,
            DownstreamMessage::Ack { ack_id, result } => Word::Ack(
                ack_id,
                match result {
                    Ok(()) => Answer::Done,
                    Err(error) if error.name == AckError::DUPLICATE => Answer::Duplicate,
                    Err(error) if error.name == AckError::FORBIDDEN => Answer::Forbidden,
                    Err(error) => broken(format!("an operation ends with {error:?}")),
                },
            ),
            DownstreamMessage::Pong => Word::Pong,
        };
        for slot in to {
            let at = self.on(shard, *slot);
            if checked {
                self.model.say(self.connection_of(at), word);
            }
            self.put(at, Down::Word(word));
        }
    }

    /// The socket that a frame goes to. With [`Bug::SendAfterClose`] it may be one that is closed.
    fn on(&self, shard: usize, slot: Slot) -> usize {
        self.shards[shard].socket(slot).unwrap_or_else(|| {
            broken(format!("a frame is put on {slot:?} of shard {shard}, which has no open socket"))
        })
    }

    fn send_numbered(&mut self, shard: usize, to: &[(Slot, SequenceId)], frame: &DataFrame, checked: bool) {
        let (slot, first) = to[0];
        let at = self.on(shard, slot);
        let encoding = self.model.connections[self.connection_of(at)].profile.encoding();
        let message = encoding.decode_downstream(&frame.with(Some(first))).ok().flatten();
        let Some(DownstreamMessage::Data { from, data, metadata: _, sequence_id }) = message else {
            broken(format!("{frame:?} is no message"));
        };
        check!(sequence_id == Some(first), "{sequence_id:?} is to be {first}");
        let number = message_number(&data);
        let published = &mut self.model.messages[number as usize];
        published.check(encoding, &from, &data);
        published.check_bytes(encoding, &frame.with(None));
        for (slot, id) in to {
            let at = self.on(shard, *slot);
            if checked {
                self.model.send(self.connection_of(at), number, Some(id.0));
            }
            self.put(at, Down::Data(Heard { message: number, number: Some(id.0) }));
        }
    }

    /// Lets frames out before what was written for them is on disk.
    fn leak(&mut self, shard: usize, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send { to, frame } if to.iter().all(|slot| self.shards[shard].socket(*slot).is_some()) => {
                    self.send(shard, &to, &frame, false);
                }
                Output::SendNumbered { to, frame } => self.send_numbered(shard, &to, &frame, false),
                _ => {}
            }
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
        self.step(shard, HubInput::Timeout, None, |model, now, _| model.give_up(now, shard));
    }

    // What goes wrong.

    /// A shard's memory is lost. Its sockets stay, but frames that were just put on them may be lost.
    pub(super) fn hibernate(&mut self, shard: usize) {
        if self.shards[shard].hub.is_none() {
            return;
        }
        self.count(Happening::Hibernation);
        self.note(|| format!("  shard {shard} loses its memory"));
        self.shards[shard].forget();
        for at in self.shards[shard].sockets.clone().into_iter().flatten() {
            let often = self.faults.forgotten;
            let mut lost = false;
            while self.random.chance(often) {
                let socket = self.socket_mut(at);
                if !matches!(socket.down.back(), Some(Down::Data(_) | Down::Word(Word::Ack(..) | Word::Pong))) {
                    break;
                }
                socket.down.pop_back();
                lost = true;
            }
            if lost {
                let connection = self.connection_of(at);
                self.model.connections[connection].lossy = true;
            }
        }
    }

    /// A shard's process dies. The disk stays, and so do frames that are far enough on their way.
    pub(super) fn crash(&mut self, shard: usize) {
        self.count(Happening::Crash);
        self.note(|| format!("  shard {shard} crashes"));
        self.shards[shard].forget();
        for at in self.shards[shard].sockets.clone().into_iter().flatten() {
            self.lose(shard, at);
            let in_flight = self.socket_mut(at).down.len();
            let kept = self.random.below(in_flight + 1);
            let notices = self.random.chance(800);
            let socket = self.socket_mut(at);
            if socket.whole {
                socket.whole = false;
                socket.down.truncate(kept);
                if notices && socket.heard {
                    socket.down.push_back(Down::Lost);
                }
            }
            self.drop_if_dead(at);
        }
    }

    /// A shard that has no memory has a socket no longer.
    fn lose(&mut self, shard: usize, at: usize) {
        let connection = self.connection_of(at);
        let slot = self.model.connections[connection].slot;
        self.shards[shard].sockets[slot.0 as usize] = None;
        let socket = self.socket_mut(at);
        socket.known = false;
        socket.up.clear();
        self.model.vanish(connection);
    }

    // What comes in.

    /// A client's dialling comes to something.
    pub(super) fn dial(&mut self, client: usize) {
        let Some(dial) = self.clients[client].dial.take() else { return };
        let attempt = dial.attempt;
        if !self.calm && self.random.chance(self.faults.unreachable) {
            let error = ConnectError::Unreachable;
            self.clients[client].inputs.push_back(Input::ConnectFailed { attempt, error });
            return self.act(client);
        }
        let died = match dial.recovery {
            None => {
                let shard = self.random.below(self.shards.len());
                self.ids += 1;
                let mut random = [0; 16];
                random[..8].copy_from_slice(&self.ids.to_be_bytes());
                let id = ShardNumber(shard as u16).connection_id(random);
                let request = self.clients[client].request();
                let profile = self.clients[client].profile;
                let token = profile.subprotocol.is_reliable().then(|| "token".to_owned());
                let input = HubInput::Connect { connection: id.clone(), request, reconnection_token: token };
                self.note(|| format!("  client {client} connects to shard {shard} as {id}"));
                !self.step(shard, input, Some((client, attempt)), |model, _, outputs| {
                    let slot = outputs.iter().find_map(|output| match output {
                        Output::Accept { slot, .. } => Some(*slot),
                        _ => None,
                    });
                    let slot = slot.unwrap_or_else(|| broken("a shard with room takes nobody"));
                    model.connect(shard, slot, id, profile);
                })
            }
            Some(id) => {
                let shard = ShardNumber::of(&id).map_or(0, |shard| usize::from(shard.0));
                let input = HubInput::Recover { connection: id.clone() };
                self.note(|| format!("  client {client} recovers {id}"));
                let mut recovered = false;
                let died = !self.step(shard, input, Some((client, attempt)), |model, now, outputs| {
                    let is_there = model.recover(now, shard, &id);
                    recovered = !outputs.contains(&Output::CannotRecover);
                    check!(recovered == is_there, "{id} can be recovered: {recovered}, not {is_there}");
                });
                if !died {
                    self.count(if recovered { Happening::Recovery } else { Happening::Refusal });
                }
                if !died && !recovered {
                    // The service accepts and closes at once what it cannot recover.
                    let cause = CloseCause::NotRecoverable;
                    let close = Close { code: cause.code(), reason: cause.reason().to_owned() };
                    let inputs = &mut self.clients[client].inputs;
                    inputs.push_back(Input::Opened { attempt });
                    inputs.push_back(Input::Closed { attempt, close });
                    return self.act(client);
                }
                died
            }
        };
        if died {
            let error = ConnectError::Unreachable;
            self.clients[client].inputs.push_back(Input::ConnectFailed { attempt, error });
            self.act(client);
        }
    }

    /// What a client sent first reaches its shard.
    pub(super) fn reach(&mut self, at: usize) {
        let Some(socket) = &mut self.sockets[at] else { return };
        let shard = socket.shard;
        if !socket.known {
            socket.up.clear();
            return self.drop_if_dead(at);
        }
        self.wake(shard);
        let Some(socket) = &mut self.sockets[at] else { return };
        if !socket.known {
            return;
        }
        let Some(up) = socket.up.pop_front() else { return };
        let connection = socket.connection;
        let slot = self.model.connections[connection].slot;
        self.note(|| format!("  on socket {at}, connection {connection} to shard {shard}: {up:?}"));
        match up {
            Up::Message(message) => {
                let encoding = self.model.connections[connection].profile.encoding();
                let frame = encoding.encode_upstream(&spelled_out(&message, &self.model.messages));
                self.step(shard, HubInput::Frame { from: slot, frame }, None, |model, _, outputs| {
                    model.message(connection, &message, outputs);
                });
            }
            Up::Close(code) => self.closed(shard, slot, connection, code),
            Up::Lost => self.closed(shard, slot, connection, CloseCode::ABNORMAL),
            Up::Noise => {
                let done = self.step(shard, HubInput::Broken { slot }, None, |model, _, _| {
                    model.broken(connection);
                });
                // The platform has closed it.
                if done && let Some(socket) = &mut self.sockets[at] {
                    socket.whole = false;
                    if socket.heard {
                        socket.down.push_back(Down::Lost);
                    }
                    self.drop_if_dead(at);
                }
            }
        }
    }

    fn closed(&mut self, shard: usize, slot: Slot, connection: usize, code: CloseCode) {
        self.step(shard, HubInput::Closed { slot, code }, None, |model, now, _| {
            model.closed(now, connection, code);
        });
    }

    // What goes from shard to shard.

    fn dispatch(&mut self, from: usize, to: ShardNumber, rows: &[u64]) {
        let machine = &self.shards[from];
        let message = |row: &u64| {
            let message = machine.messages.get(row).cloned();
            (*row, message.unwrap_or_else(|| broken(format!("row {row} is relayed and is not there"))))
        };
        let batch = Batch { from: machine.place.shard, messages: rows.iter().map(message).collect() };
        let life = Some(machine.life);
        self.network.push(Flight::Batch { from, to: usize::from(to.0), batch, life });
    }

    /// Something between two shards arrives, or does not.
    pub(super) fn relay(&mut self) {
        if self.network.is_empty() {
            return;
        }
        let flight = self.network.swap_remove(self.random.below(self.network.len()));
        match flight {
            Flight::Batch { from, to, batch, life } => self.batch(from, to, batch, life),
            Flight::Answer { from, to, life, last, taken } => {
                if self.shards[from].life != life {
                    return;
                }
                self.note(|| format!("  shard {from} hears of shard {to}: {last} taken: {taken}"));
                let to_number = ShardNumber(to as u16);
                let input = HubInput::Relayed { to: to_number, last, taken };
                self.step(from, input, None, |model, _, _| {
                    if taken {
                        model.confirmed(from, to, last);
                    }
                });
            }
        }
    }

    fn batch(&mut self, from: usize, to: usize, batch: Batch, life: Option<u32>) {
        let (last, _) = *batch.messages.last().unwrap_or_else(|| broken("a batch is empty"));
        let (lost, again) = if self.calm {
            (false, false)
        } else {
            (self.random.chance(self.faults.relay_lost), self.random.chance(self.faults.relay_again))
        };
        // A batch that its sender gave up can still come, however late.
        if again {
            self.network.push(Flight::Batch { from, to, batch: batch.clone(), life: None });
        }
        let arrives = !lost || self.random.chance(500);
        let mut taken = false;
        if arrives {
            self.count(Happening::Batch);
            let batch = if self.random.chance(100) {
                let text = batch.encode().expect("a batch is JSON");
                Batch::decode(&text).expect("a batch is read as it was written")
            } else {
                batch
            };
            let rows: Vec<u64> = batch.messages.iter().map(|(row, _)| *row).collect();
            self.note(|| format!("  shard {to} is brought rows {rows:?} of shard {from}"));
            let mut fresh = 0;
            taken = self.step(to, HubInput::Batch(batch), None, |model, _, _| {
                fresh = model.batch(to, from, &rows);
            });
            if taken && fresh < rows.len() {
                self.count(Happening::BatchAgain);
            }
        }
        if let Some(life) = life {
            self.network.push(Flight::Answer { from, to, life, last, taken: taken && !lost });
        }
    }
}
