//! Whatever happens to shards, sockets and relays: in the end a subscriber knows the states that there are.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a broken expectation is a failed test")]

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use webpubsub_protocol::client::json::decode_downstream;
use webpubsub_protocol::client::{DownstreamMessage, Frame, GroupStates, GroupStatesKind};
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::name::ConnectionId;
use webpubsub_shard::{Batch, Input, ShardConfig, ShardId, ShardMap, ShardState, Slot};
use webpubsub_testkit::{TestShard, group, json, reliable};

const SHARDS: u16 = 4;

/// What a subscriber knows: states and when they changed.
type View = BTreeMap<ConnectionId, (String, u64)>;

struct Client {
    shard: usize,
    id: ConnectionId,
    /// `None` while a reliable client has no socket.
    slot: Option<Slot>,
    is_reliable: bool,
    /// What it set last; empty for nothing.
    state: String,
    view: Option<View>,
    /// The number of its last message.
    number: u64,
}

struct World {
    shards: Vec<TestShard>,
    map: ShardMap,
    clients: Vec<Client>,
    sets: u64,
}

impl World {
    fn new(shards: u16) -> Self {
        let config = |shard| ShardConfig { shard: ShardId(shard), shards, ..ShardConfig::only() };
        Self {
            shards: (0..SHARDS).map(|shard| TestShard::at(config(shard))).collect(),
            map: ShardMap::new(shards),
            clients: Vec::new(),
            sets: 0,
        }
    }

    fn act(&mut self, what: u8, n: usize) {
        match what % 16 {
            0 | 1 => self.connect(n),
            2..=4 => {
                self.sets += 1;
                let state = if n.is_multiple_of(4) { String::new() } else { self.sets.to_string() };
                self.set(n, &state);
            }
            5 => drop(self.say(n, "joinGroup")),
            6 => {
                if let Some(client) = self.say(n, "leaveGroup") {
                    self.clients[client].state.clear();
                }
            }
            7 => {
                if let Some(client) = self.say(n, "subscribeGroupState") {
                    self.clients[client].view.get_or_insert_default();
                    self.read();
                }
            }
            8 => {
                if let Some(client) = self.say(n, "unsubscribeGroupState") {
                    self.clients[client].view = None;
                }
            }
            9 => self.cut(n),
            10 => self.recover(n),
            11 => self.shards[n % usize::from(SHARDS)].hibernate(),
            12 => self.crash(n % usize::from(SHARDS)),
            13 => self.relay(n % 3, n.is_multiple_of(5)),
            14 => self.resize(n),
            _ => self.pass(Duration::from_millis(300 * (n as u64 % 3))),
        }
        self.read();
    }

    fn connect(&mut self, n: usize) {
        let shard = n % usize::from(self.map.accepting);
        let is_reliable = n.is_multiple_of(2);
        let request = if is_reliable { reliable("alice") } else { json("bob") };
        let Some(slot) = self.shards[shard].connect(request) else { return };
        let id = self.shards[shard].id(slot);
        self.clients.push(Client {
            shard,
            id,
            slot: Some(slot),
            is_reliable,
            state: String::new(),
            view: None,
            number: 0,
        });
        let last = self.clients.len() - 1;
        self.say(last, "joinGroup");
    }

    fn say(&mut self, n: usize, kind: &str) -> Option<usize> {
        let client = n.checked_rem(self.clients.len())?;
        let slot = self.clients[client].slot?;
        let shard = self.clients[client].shard;
        self.shards[shard].send(slot, &format!(r#"{{"type":"{kind}","group":"room"}}"#));
        Some(client)
    }

    fn set(&mut self, n: usize, state: &str) {
        let Some(at) = n.checked_rem(self.clients.len()) else { return };
        let Some(slot) = self.clients[at].slot else { return };
        let shard = &mut self.shards[self.clients[at].shard];
        let member = shard.kept().memberships.contains(&(slot, group("room")));
        let value = if state.is_empty() { String::new() } else { format!(r#""n":"{state}""#) };
        shard.send(slot, &format!(r#"{{"type":"setGroupState","group":"room","state":{{{value}}}}}"#));
        if member {
            self.clients[at].state = state.to_owned();
        }
    }

    fn cut(&mut self, n: usize) {
        let Some(at) = n.checked_rem(self.clients.len()) else { return };
        self.read();
        let Some(slot) = self.clients[at].slot.take() else { return };
        let code = if n.is_multiple_of(7) { CloseCode::NORMAL } else { CloseCode::ABNORMAL };
        self.shards[self.clients[at].shard].close(slot, code);
        self.forget_ended();
    }

    fn recover(&mut self, n: usize) {
        let Some(at) = n.checked_rem(self.clients.len()) else { return };
        let client = &mut self.clients[at];
        if client.slot.is_none() {
            client.slot = self.shards[client.shard].recover(&client.id);
        }
    }

    fn crash(&mut self, shard: usize) {
        self.read();
        self.shards[shard].crash();
        for client in self.clients.iter_mut().filter(|client| client.shard == shard) {
            client.slot = None;
        }
        self.forget_ended();
    }

    fn relay(&mut self, from: usize, fails: bool) {
        let from = from % self.shards.len();
        if self.shards[from].relayed.is_empty() {
            return;
        }
        let (to, batch) = self.shards[from].relayed.remove(0);
        let sent = Batch::decode(&batch.encode()).expect("a batch");
        self.shards[usize::from(to.0)].input(Input::Batch(sent));
        // It may have been taken, and the answer lost.
        self.shards[from].answer(to, &batch, !fails);
    }

    fn resize(&mut self, n: usize) {
        let now = self.shards[0].now;
        let loads = self.shards.iter().take(usize::from(self.map.reached));
        let loads: Vec<u64> = loads.map(|shard| shard.core().load() as u64).collect();
        if self.map.is_settled() {
            self.map.resize(now, 1 + n as u16 % SHARDS);
        } else {
            self.map.advance(now, Duration::ZERO, &loads);
        }
        self.read();
        for shard in 0..usize::from(self.map.reached) {
            self.shards[shard].set_map(self.map);
        }
        let closed = |client: &Client, shards: &[TestShard]| {
            client.slot.is_some_and(|slot| !shards[client.shard].is_open(slot))
        };
        for client in &mut self.clients {
            if closed(client, &self.shards) {
                client.slot = None;
            }
        }
        self.forget_ended();
    }

    fn pass(&mut self, duration: Duration) {
        for shard in &mut self.shards {
            shard.pass(duration);
        }
        self.forget_ended();
    }

    /// Leaves the clients that still have a connection.
    fn forget_ended(&mut self) {
        let shards = &self.shards;
        self.clients.retain(|client| {
            shards[client.shard].kept().connections.iter().any(|record| record.id == client.id)
        });
    }

    /// Everyone reads what came.
    fn read(&mut self) {
        for client in &mut self.clients {
            let Some(slot) = client.slot else { continue };
            for frame in self.shards[client.shard].take_frames(slot) {
                let Frame::Text(text) = frame else { continue };
                if let Ok(Some(DownstreamMessage::GroupStates { states, sequence_id })) =
                    decode_downstream(&text)
                {
                    assert_eq!(sequence_id.is_some(), client.is_reliable);
                    if let Some(number) = sequence_id {
                        if number.0 <= client.number {
                            continue;
                        }
                        assert_eq!(number.0, client.number + 1, "no message is missing");
                        client.number = number.0;
                    }
                    if let Some(view) = &mut client.view {
                        apply(view, states);
                    }
                }
            }
        }
    }

    /// Lets everything arrive: all relays, and those who have lost their sockets come back. Every shard is woken:
    /// one that has crashed knows by nothing else that its clients are gone.
    fn settle(&mut self) {
        for shard in 0..usize::from(self.map.reached) {
            self.shards[shard].set_map(self.map);
        }
        for _ in 0..3 {
            for client in 0..self.clients.len() {
                self.recover(client);
            }
            self.read();
            while let Some(from) = self.shards.iter().position(|shard| !shard.relayed.is_empty()) {
                self.relay(from, false);
                self.read();
            }
            self.pass(Duration::from_secs(6));
        }
    }

    fn check(&self) {
        let truth: BTreeMap<_, _> = (self.clients.iter())
            .filter(|client| !client.state.is_empty())
            .map(|client| (client.id.clone(), client.state.clone()))
            .collect();
        for (number, client) in self.clients.iter().enumerate() {
            if let (Some(view), Some(_)) = (&client.view, client.slot) {
                let known: BTreeMap<_, _> =
                    view.iter().map(|(id, (state, _))| (id.clone(), state.clone())).collect();
                assert_eq!(known, truth, "client {number} on shard {}", client.shard);
            }
        }
        for (number, shard) in (0..SHARDS).zip(&self.shards) {
            if self.map.state(ShardId(number)) != ShardState::Gone {
                assert_eq!(shard.disk.states.len(), truth.len(), "shard {number}");
            }
        }
    }
}

/// What a client makes of states.
fn apply(view: &mut View, GroupStates { kind, items, .. }: GroupStates) {
    if kind == GroupStatesKind::Snapshot {
        view.clear();
    }
    for item in items {
        let updated_at = item.updated_at.as_millis();
        if let Some((_, before)) = view.get(&item.connection_id) {
            assert!(updated_at > *before, "a connection's changes have growing times");
        }
        match item.state {
            Some(state) => {
                let value = state.iter().next().map(|(_, value)| value.into_owned()).unwrap_or_default();
                view.insert(item.connection_id, (value, updated_at));
            }
            None => drop(view.remove(&item.connection_id)),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn in_the_end_subscribers_know_the_states(
        shards in 1..=SHARDS, steps in prop::collection::vec((any::<u8>(), any::<u16>()), 1..150),
    ) {
        let mut world = World::new(shards);
        for (what, n) in steps {
            world.act(what, n.into());
        }
        world.settle();
        world.check();
    }
}
