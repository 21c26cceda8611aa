//! A hub, its clients, its servers, what lies between them, and what goes wrong.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use webpubsub_client_core::AttemptId;
use webpubsub_hub::{Attachment, Input as HubInput, Place, ShardNumber};
use webpubsub_protocol::client::Subprotocol;
use webpubsub_protocol::data::TimeToLive;
use webpubsub_protocol::role::PermissionType;
use webpubsub_protocol::time::Timestamp;

use super::client::Client;
use super::machine::{Flight, Machine};
use super::model::Model;
use super::random::Random;
use super::words::{Down, GROUPS, Message, Profile, Request, To, USERS, Up};
use super::{Bug, Happening, Summary, Trace};

/// A hub, its clients, its servers, what lies between them, and what goes wrong.
#[derive(Debug)]
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) random: Random,
    pub(super) faults: Faults,
    /// Nothing goes wrong for the time being.
    pub(super) calm: bool,
    pub(super) bug: Option<Bug>,
    pub(super) model: Model,
    pub(super) shards: Vec<Machine>,
    pub(super) clients: Vec<Client>,
    pub(super) sockets: Vec<Option<Socket>>,
    /// What servers have asked of which shard, and was not taken yet.
    pub(super) requests: Vec<(usize, Request)>,
    /// What is on its way from shard to shard.
    pub(super) network: Vec<Flight>,
    /// Connection ids given so far.
    pub(super) ids: u64,
    pub(super) summary: Summary,
    trace: Option<Trace>,
}

/// A WebSocket between a client and a shard.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) client: usize,
    pub(super) attempt: AttemptId,
    pub(super) shard: usize,
    pub(super) connection: usize,
    pub(super) attachment: Option<Attachment>,
    /// On its way to the shard, oldest first,
    pub(super) up: VecDeque<Up>,
    /// and to the client.
    pub(super) down: VecDeque<Down>,
    /// Whether the shard knows it,
    pub(super) known: bool,
    /// whether the client listens to it,
    pub(super) heard: bool,
    /// and whether anything more gets through.
    pub(super) whole: bool,
    /// Whether its client has seen it open,
    pub(super) opened: bool,
    /// and whether a close frame was put on it.
    pub(super) closed: bool,
}

/// What can happen next.
#[derive(Debug, Clone, Copy)]
enum Turn {
    Operate,
    StartOrStop,
    Dial,
    Reach,
    Arrive,
    Ask,
    Serve,
    Relay,
    Wait,
    Jump,
    Cut,
    Noise,
    Hibernate,
    Crash,
    Burst,
    Quiet,
}

/// How often what happens in one run, and what goes wrong.
#[derive(Debug)]
pub(super) struct Faults {
    turns: Vec<(usize, Turn)>,
    /// Out of a thousand times: a shard dies in the middle of a step,
    pub(super) doom: usize,
    /// a client does not get through to the service,
    pub(super) unreachable: usize,
    /// a batch or its answer is lost,
    pub(super) relay_lost: usize,
    /// a batch comes a second time,
    pub(super) relay_again: usize,
    /// a frame is lost with a shard's memory.
    pub(super) forgotten: usize,
    /// Bytes of large payloads.
    large: usize,
}

impl Faults {
    fn draw(random: &mut Random, steps: u32, shards: usize) -> Self {
        // Most runs lack some kinds of trouble, so that the others get further.
        let mut often = |most: usize| if random.chance(350) { 0 } else { random.between(1, most) };
        let turns = vec![
            (180, Turn::Operate),
            (250, Turn::Reach),
            (300, Turn::Arrive),
            (60, Turn::Dial),
            (60, Turn::Ask),
            (80, Turn::Serve),
            (80, Turn::Wait),
            (if shards > 1 { 150 } else { 0 }, Turn::Relay),
            (often(10), Turn::StartOrStop),
            (often(12), Turn::Jump),
            (often(30), Turn::Cut),
            (often(2), Turn::Noise),
            (often(15), Turn::Hibernate),
            (often(10), Turn::Crash),
            (often(3), Turn::Quiet),
            (if random.chance(60) { 2 } else { 0 }, Turn::Burst),
        ];
        let mut often = |most: usize| if random.chance(350) { 0 } else { random.between(1, most) };
        Self {
            turns,
            doom: often(10),
            unreachable: often(300),
            relay_lost: often(300),
            relay_again: often(200),
            forgotten: often(300),
            large: if steps >= 500 && random.chance(5) { 700_000 } else { 0 },
        }
    }
}

impl World {
    pub(super) fn new(seed: u64, steps: u32, bug: Option<Bug>, trace: Option<Trace>) -> Self {
        let mut random = Random::new(seed);
        let shards = random.pick(&[1, 1, 2, 3, 4]);
        let clients = random.between(2, 8);
        let faults = Faults::draw(&mut random, steps, shards);
        let mut limits = Place::only().limits;
        if faults.large > 0 {
            limits.outbound_bytes = 0;
        }
        let place = |shard: usize| Place {
            shard: ShardNumber(shard as u16),
            shards: shards as u16,
            limits,
            ..Place::only()
        };
        let machines = (0..shards).map(|shard| Machine::new(place(shard))).collect();
        let clients = (0..clients).map(|_| Client::new(Self::profile(&mut random))).collect();
        Self {
            now: Timestamp::from_millis(1_700_000_000_000),
            random,
            faults,
            calm: false,
            bug,
            model: Model::new(shards),
            shards: machines,
            clients,
            sockets: Vec::new(),
            requests: Vec::new(),
            network: Vec::new(),
            ids: 0,
            summary: Summary::default(),
            trace,
        }
    }

    fn profile(random: &mut Random) -> Profile {
        use Subprotocol::{Json, JsonReliable, Protobuf, ProtobufReliable};
        let subprotocol = random.pick(&[
            JsonReliable,
            JsonReliable,
            JsonReliable,
            ProtobufReliable,
            ProtobufReliable,
            Json,
            Protobuf,
        ]);
        let groups = (random.below(16) & random.below(16)) as u8;
        Profile {
            subprotocol,
            user: random.below(USERS.len()) as u8,
            groups,
            allowed: random.chance(850),
        }
    }

    /// Everybody starts, and so many things happen; at the end nothing goes wrong for long enough.
    pub(super) fn run(&mut self, steps: u32) {
        for client in 0..self.clients.len() {
            self.clients[client].start_or_stop();
            self.act(client);
        }
        for step in 0..steps {
            self.summary.steps += 1;
            let turn = self.draw();
            self.note(|| format!("step {step}: {turn:?}"));
            self.take(turn);
        }
        self.note(|| "the end".to_owned());
        self.quiet();
    }

    /// Writes down what happens, if anybody wants to know.
    pub(super) fn note(&self, line: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            trace.borrow_mut().push(line());
        }
    }

    pub(super) fn count(&mut self, happening: Happening) {
        self.summary.happened[happening as usize] += 1;
    }

    /// What happens next: something that can.
    fn draw(&mut self) -> Turn {
        let total = self.faults.turns.iter().map(|(often, _)| often).sum();
        loop {
            let mut at = self.random.below(total);
            let turn = self.faults.turns.iter().find(|(often, _)| match at.checked_sub(*often) {
                Some(rest) => {
                    at = rest;
                    false
                }
                None => true,
            });
            let (_, turn) = *turn.expect("one of them");
            let mut sockets = self.sockets.iter().flatten();
            let can_happen = match turn {
                Turn::Dial => self.clients.iter().any(|client| client.dial.is_some()),
                Turn::Reach => sockets.any(|socket| !socket.up.is_empty()),
                Turn::Arrive => sockets.any(|socket| !socket.down.is_empty()),
                Turn::Serve => !self.requests.is_empty(),
                Turn::Relay => !self.network.is_empty(),
                Turn::Cut => sockets.any(|socket| socket.whole),
                _ => true,
            };
            if can_happen {
                return turn;
            }
        }
    }

    fn take(&mut self, turn: Turn) {
        match turn {
            Turn::Operate => {
                let client = self.random.below(self.clients.len());
                self.clients[client].operate(&mut self.random, &mut self.model.messages);
                self.act(client);
            }
            Turn::StartOrStop => {
                let client = self.random.below(self.clients.len());
                self.clients[client].start_or_stop();
                self.act(client);
            }
            Turn::Dial => {
                let (count, start) = (self.clients.len(), self.random.below(self.clients.len()));
                let waits = |client: &usize| self.clients[*client].dial.is_some();
                if let Some(client) = (start..count).chain(0..start).find(waits) {
                    self.dial(client);
                }
            }
            Turn::Reach => {
                if let Some(socket) = self.some_socket(|socket| !socket.up.is_empty()) {
                    for _ in 0..self.random.between(1, 4) {
                        self.reach(socket);
                    }
                }
            }
            Turn::Arrive => {
                if let Some(socket) = self.some_socket(|socket| !socket.down.is_empty()) {
                    for _ in 0..self.random.between(1, 8) {
                        self.arrive(socket);
                    }
                }
            }
            Turn::Ask => self.ask(),
            Turn::Serve => self.serve(),
            Turn::Relay => self.relay(),
            Turn::Wait => {
                let milliseconds = match self.random.below(10) {
                    0..=5 => self.random.between(1, 50),
                    6..=8 => self.random.between(100, 1500),
                    _ => self.random.between(1500, 10_000),
                };
                self.wait(Duration::from_millis(milliseconds as u64));
            }
            Turn::Jump => {
                self.count(Happening::Jump);
                let seconds = self.random.pick(&[5, 12, 29, 31, 59, 61, 130, 400]);
                self.wait(Duration::from_secs(seconds));
            }
            Turn::Cut => {
                if let Some(socket) = self.some_socket(|socket| socket.whole) {
                    self.cut(socket);
                }
            }
            Turn::Noise => {
                if let Some(socket) = self.some_socket(|socket| socket.whole && socket.heard) {
                    self.sockets[socket].as_mut().expect("a socket").up.push_back(Up::Noise);
                }
            }
            Turn::Hibernate => {
                let shard = self.random.below(self.shards.len());
                self.hibernate(shard);
            }
            Turn::Crash => {
                let shard = self.random.below(self.shards.len());
                self.crash(shard);
            }
            Turn::Burst => self.burst(),
            Turn::Quiet => self.quiet(),
        }
    }

    /// One of the sockets that are like this, if any is.
    fn some_socket(&mut self, like: impl Fn(&Socket) -> bool) -> Option<usize> {
        let count = self.sockets.len();
        let start = self.random.below(count.max(1));
        (start..count).chain(0..start).find(|at| self.sockets[*at].as_ref().is_some_and(&like))
    }

    /// Time goes by, and those who waited for it notice; shards sometimes late.
    pub(super) fn wait(&mut self, duration: Duration) {
        self.now = self.now.after(duration);
        for client in 0..self.clients.len() {
            self.look_at_clock(client);
        }
        for shard in 0..self.shards.len() {
            if self.shards[shard].is_due(self.now) && (self.calm || self.random.chance(700)) {
                self.tell_time(shard);
            }
        }
    }

    /// The network loses a socket. What was on its way last is lost with it, and either end notices
    /// sooner or later, or never.
    fn cut(&mut self, at: usize) {
        self.count(Happening::Cut);
        let (notices, is_noticed) = (self.random.chance(700), self.random.chance(500));
        let random = &mut self.random;
        let socket = self.sockets[at].as_mut().expect("a socket");
        socket.whole = false;
        socket.up.truncate(random.below(socket.up.len() + 1));
        socket.down.truncate(random.below(socket.down.len() + 1));
        if notices && socket.heard {
            socket.down.push_back(Down::Lost);
        }
        if is_noticed {
            socket.up.push_back(Up::Lost);
        }
        self.note(|| format!("  socket {at} is cut; client notices: {notices}, shard notices: {is_noticed}"));
    }

    /// A server asks for something.
    fn ask(&mut self) {
        let connections = self.model.connections.len();
        let random = &mut self.random;
        let group = |random: &mut Random| random.below(GROUPS.len()) as u8;
        let to = match random.below(10) {
            0 | 1 => To::All,
            2..=5 => To::Group(group(random)),
            6 | 7 => To::User(random.below(USERS.len()) as u8),
            _ if connections == 0 => To::All,
            _ => To::Connection(random.below(connections)),
        };
        let kind = random.pick(&[PermissionType::SendToGroup, PermissionType::JoinLeaveGroup]);
        let request = match random.below(40) {
            0 => Request::Close(to),
            1..=4 => Request::Join(to, group(random)),
            5 | 6 => Request::Leave(to, random.chance(800).then(|| group(random))),
            7..=10 if connections > 0 => Request::Permit {
                connection: random.below(connections),
                kind,
                group: group(random),
                granted: random.chance(600),
            },
            11 | 12 if connections > 0 => {
                Request::Allowed { connection: random.below(connections), kind, group: group(random) }
            }
            13 | 14 => Request::Exists(to),
            15 | 16 => Request::Members(group(random)),
            _ => {
                let seconds = if random.chance(300) { random.pick(&[1, 3, 10, 60]) } else { 0 };
                let ttl = TimeToLive::from_seconds(seconds).expect("a time to live");
                let size = if random.chance(300) { self.faults.large } else { 0 };
                let excluded =
                    (connections > 0 && random.chance(200)).then(|| random.below(connections));
                return self.publish(to, excluded, size, ttl);
            }
        };
        self.submit(request);
    }

    /// A server publishes: every shard has a message of its own, for their clocks tell when each is
    /// over.
    fn publish(&mut self, to: To, excluded: Option<usize>, size: usize, ttl: TimeToLive) {
        let group = if let To::Group(group) = to { Some(group) } else { None };
        for shard in 0..self.shards.len() {
            let number = self.model.messages.len() as u32;
            let request = Request::Send { to, excluded, message: number, ttl };
            let concerned = request.connection().map(|at| self.model.connections[at].shard);
            if concerned.is_none_or(|concerned| concerned == shard) {
                self.model.messages.push(Message::new(number, size, group, None));
                self.requests.push((shard, request));
            }
        }
        if self.shards.len() == 1 {
            self.serve();
        }
    }

    fn submit(&mut self, request: Request) {
        match request.connection() {
            Some(at) => self.requests.push((self.model.connections[at].shard, request)),
            None => self.requests.extend((0..self.shards.len()).map(|shard| (shard, request))),
        }
        if self.shards.len() == 1 {
            self.serve();
        }
    }

    /// A server publishes very much at once.
    fn burst(&mut self) {
        self.count(Happening::Burst);
        let to = match self.random.below(3) {
            0 => To::All,
            1 => To::User(self.random.below(USERS.len()) as u8),
            _ => To::Group(self.random.below(GROUPS.len()) as u8),
        };
        for _ in 0..self.random.between(200, 1300) {
            self.publish(to, None, 0, TimeToLive::FOREVER);
            while !self.requests.is_empty() {
                self.serve();
            }
        }
    }

    /// A request that is on its way reaches its shard.
    pub(super) fn serve(&mut self) {
        if self.requests.is_empty() {
            return;
        }
        let (shard, request) = self.requests.swap_remove(self.random.below(self.requests.len()));
        self.note(|| format!("  shard {shard} is asked {request:?}"));
        let connections = &self.model.connections;
        let command = request.command(&self.model.messages, |at| &connections[at].id);
        if let Request::Send { message, ttl, .. } = request {
            self.model.messages[message as usize].expires = ttl.end(self.now);
        }
        self.step(shard, HubInput::Command(command), None, |model, _, outputs| {
            let reply = model.request(shard, &request);
            super::check!(
                outputs.last() == Some(&webpubsub_hub::Output::Reply(reply.clone())),
                "{request:?} is answered {:?}, and not {reply:?}",
                outputs.last()
            );
        });
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
