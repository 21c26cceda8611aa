//! A shard against a slow, obvious model of one, under random operations of clients and servers.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a broken expectation is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use webpubsub_protocol::client::Subprotocol;
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::role::PermissionType;
use webpubsub_shard::{Command, ConnectRequest, Groups, Permission, Reply, Selection, Slot, Target};
use webpubsub_testkit::{TestShard, group, text, user};

const GROUPS: [&str; 3] = ["a", "b", "c"];
const USERS: [&str; 2] = ["alice", "bob"];

/// Clients, groups and users by number; numbers wrap around.
#[derive(Debug, Clone)]
enum Operation {
    Connect { user: usize, kind: usize, member: usize, allowed: bool },
    Leave(usize),
    Drop(usize),
    Recover(usize),
    Acknowledge(usize),
    Expire,
    Client { client: usize, verb: Verb, group: usize, ack: Option<u64> },
    Publish { to: To, excluded: Option<usize> },
    Close(To),
    JoinMany { to: To, group: usize },
    LeaveMany { to: To, group: Option<usize> },
    Permit { client: usize, group: usize, grant: bool },
    Hibernate,
    Crash,
}

#[derive(Debug, Clone, Copy)]
enum Verb {
    Join,
    Leave,
    Send { no_echo: bool },
}

#[derive(Debug, Clone, Copy)]
enum To {
    All,
    Group(usize),
    User(usize),
    Client(usize),
}

fn operation() -> impl Strategy<Value = Operation> {
    let n = || 0..8_usize;
    let to = || {
        prop_oneof![Just(To::All), n().prop_map(To::Group), n().prop_map(To::User), n().prop_map(To::Client)]
    };
    let verb = prop_oneof![
        2 => Just(Verb::Join),
        1 => Just(Verb::Leave),
        4 => any::<bool>().prop_map(|no_echo| Verb::Send { no_echo }),
    ];
    prop_oneof![
        4 => (n(), n(), n(), any::<bool>())
            .prop_map(|(user, kind, member, allowed)| Operation::Connect { user, kind, member, allowed }),
        1 => n().prop_map(Operation::Leave),
        2 => n().prop_map(Operation::Drop),
        2 => n().prop_map(Operation::Recover),
        2 => n().prop_map(Operation::Acknowledge),
        1 => Just(Operation::Expire),
        8 => (n(), verb, n(), prop::option::of(0..6_u64))
            .prop_map(|(client, verb, group, ack)| Operation::Client { client, verb, group, ack }),
        6 => (to(), prop::option::of(n())).prop_map(|(to, excluded)| Operation::Publish { to, excluded }),
        1 => to().prop_map(Operation::Close),
        2 => (to(), n()).prop_map(|(to, group)| Operation::JoinMany { to, group }),
        2 => (to(), prop::option::of(n())).prop_map(|(to, group)| Operation::LeaveMany { to, group }),
        3 => (n(), n(), any::<bool>())
            .prop_map(|(client, group, grant)| Operation::Permit { client, group, grant }),
        2 => Just(Operation::Hibernate),
        1 => Just(Operation::Crash),
    ]
}

/// What is known of one client that is connected.
struct Client {
    id: ConnectionId,
    user: &'static str,
    subprotocol: Subprotocol,
    groups: BTreeSet<&'static str>,
    /// Whether its roles allow everything.
    allowed: bool,
    /// What a server said of single groups.
    verdicts: BTreeMap<&'static str, bool>,
    used_acks: BTreeSet<u64>,
    /// Payloads published to it.
    received: Vec<String>,
    /// How many of them a reliable client has acknowledged.
    acknowledged: usize,
    /// Whether the service may have forgotten some of these acknowledgements.
    crashed: bool,
    /// Whether it has a socket.
    here: bool,
}

impl Client {
    fn may(&self, group: &str) -> bool {
        self.verdicts.get(group).copied().unwrap_or(self.allowed)
    }
}

struct Both {
    shard: TestShard,
    clients: BTreeMap<Slot, Client>,
    /// What was taken from a socket and not yet looked at.
    taken: BTreeMap<Slot, Vec<String>>,
    published: u64,
}

fn pick<'a>(all: &[&'a str], n: usize) -> &'a str {
    all[n % all.len()]
}

impl Both {
    fn slot(&self, client: usize) -> Option<Slot> {
        let slots: Vec<_> = self.clients.keys().copied().collect();
        slots.get(client % slots.len().max(1)).copied()
    }

    fn target(&self, to: To) -> Option<Target> {
        Some(match to {
            To::All => Target::All,
            To::Group(n) => Target::Group(group(pick(&GROUPS, n))),
            To::User(n) => Target::User(user(pick(&USERS, n))),
            To::Client(n) => Target::Connection(self.clients[&self.slot(n)?].id.clone()),
        })
    }

    fn meant(&self, to: To) -> Vec<Slot> {
        let client = if let To::Client(n) = to { self.slot(n) } else { None };
        let meant = |slot: Slot, known: &Client| match to {
            To::All => true,
            To::Group(n) => known.groups.contains(pick(&GROUPS, n)),
            To::User(n) => known.user == pick(&USERS, n),
            To::Client(_) => client == Some(slot),
        };
        self.clients.iter().filter(|(slot, known)| meant(**slot, known)).map(|(slot, _)| *slot).collect()
    }

    /// Each of these has received the message, numbered if it counts, and no other client anything.
    fn expect_message(&mut self, receivers: &[Slot], payload: &str) {
        for (slot, client) in &mut self.clients {
            let mut frames = match self.taken.remove(slot) {
                Some(frames) => frames,
                None if client.here => self.shard.take(*slot),
                None => vec![],
            };
            if !receivers.contains(slot) {
                assert_eq!(frames, [""; 0], "{slot:?} receives what is not for it");
                continue;
            }
            client.received.push(payload.to_owned());
            if !client.here {
                continue;
            }
            let frame = frames.pop().expect("a message");
            assert!(frames.is_empty(), "{slot:?} receives it once");
            assert!(frame.contains(payload), "{frame}");
            let number = format!(",\"sequenceId\":{}}}", client.received.len());
            assert_eq!(frame.ends_with(&number), client.subprotocol.is_reliable(), "{frame}");
        }
    }

    fn quiet(&mut self) {
        self.expect_message(&[], "");
    }

    /// A client receives again what it has not acknowledged, and nothing else but what was acknowledged
    /// just before a crash.
    fn expect_again(&mut self, slot: Slot) {
        let frames = self.shard.take(slot);
        let client = self.clients.get_mut(&slot).expect("a client");
        if client.subprotocol.is_reliable() {
            let known = client.received.len().checked_sub(frames.len()).expect("nothing unheard of");
            assert!(known == client.acknowledged || client.crashed && known < client.acknowledged);
            (client.acknowledged, client.crashed) = (known, false);
        } else {
            assert_eq!(frames, [""; 0]);
        }
        for (frame, number) in frames.iter().zip(client.acknowledged..) {
            let payload = &client.received[number];
            assert!(frame.contains(&format!("\"{payload}\"")), "{frame} is {payload}");
            assert!(frame.ends_with(&format!(",\"sequenceId\":{}}}", number + 1)), "{frame}, {number}");
        }
    }

    fn gone(&mut self, slots: &[Slot]) {
        self.clients.retain(|slot, _| !slots.contains(slot));
        self.shard.closed.clear();
    }

    /// A client has lost its socket.
    fn lost(&mut self, slot: Slot) {
        let client = self.clients.get_mut(&slot).expect("a client");
        client.here = false;
        if !client.subprotocol.is_reliable() {
            self.gone(&[slot]);
        }
    }

    fn run(&mut self, operation: &Operation) {
        match *operation {
            Operation::Connect { user, kind, member, allowed } => self.connect(user, kind, member, allowed),
            Operation::Leave(client) => {
                let Some(slot) = self.present(client) else { return };
                self.shard.close(slot, CloseCode::NORMAL);
                self.gone(&[slot]);
            }
            Operation::Drop(client) => {
                let Some(slot) = self.present(client) else { return };
                self.shard.cut(slot);
                self.lost(slot);
            }
            Operation::Recover(client) => self.recover(client),
            Operation::Acknowledge(client) => self.acknowledge(client),
            Operation::Expire => {
                self.shard.pass(Duration::from_secs(61));
                self.clients.retain(|_, client| client.here);
            }
            Operation::Client { client, verb, group, ack } => {
                self.client(client, verb, pick(&GROUPS, group), ack);
            }
            Operation::Publish { to, excluded } => self.publish(to, excluded),
            Operation::Close(to) => self.close(to),
            Operation::JoinMany { to, group } => self.join_many(to, pick(&GROUPS, group)),
            Operation::LeaveMany { to, group } => {
                self.leave_many(to, group.map(|group| pick(&GROUPS, group)));
            }
            Operation::Permit { client, group, grant } => self.permit(client, pick(&GROUPS, group), grant),
            Operation::Hibernate => {
                self.shard.hibernate();
                for slot in self.clients.keys().copied().collect::<Vec<_>>() {
                    if self.clients[&slot].here {
                        self.expect_again(slot);
                    }
                }
            }
            Operation::Crash => {
                self.shard.crash();
                for slot in self.clients.keys().copied().collect::<Vec<_>>() {
                    self.clients.get_mut(&slot).expect("a client").crashed = true;
                    self.lost(slot);
                }
            }
        }
        self.quiet();
        self.compare();
    }

    /// The slot of a client that has its socket.
    fn present(&self, client: usize) -> Option<Slot> {
        self.slot(client).filter(|slot| self.clients[slot].here)
    }

    fn connect(&mut self, by: usize, kind: usize, member: usize, allowed: bool) {
        let kinds = [Subprotocol::Simple, Subprotocol::Json, Subprotocol::JsonReliable];
        let subprotocol = kinds[kind % kinds.len()];
        let roles = ["webpubsub.sendToGroup", "webpubsub.joinLeaveGroup"].map(str::to_owned);
        let (by, groups) = (pick(&USERS, by), BTreeSet::from([pick(&GROUPS, member)]));
        let slot = self.shard.connected(ConnectRequest {
            user: Some(user(by)),
            roles: if allowed { roles.to_vec() } else { vec![] },
            groups: groups.iter().map(|name| group(name)).collect(),
            subprotocol,
            ..ConnectRequest::default()
        });
        let (verdicts, used_acks) = (BTreeMap::new(), BTreeSet::new());
        let id = self.shard.id(slot);
        let client = Client {
            id,
            user: by,
            subprotocol,
            groups,
            allowed,
            verdicts,
            used_acks,
            received: vec![],
            acknowledged: 0,
            crashed: false,
            here: true,
        };
        assert!(self.clients.insert(slot, client).is_none(), "the slot was taken");
    }

    fn recover(&mut self, client: usize) {
        let Some(slot) = self.slot(client) else { return };
        let client = self.clients.get_mut(&slot).expect("a client");
        let reliable = client.subprotocol.is_reliable();
        assert_eq!(self.shard.recover(&client.id), reliable.then_some(slot));
        if reliable {
            client.here = true;
            self.shard.closed.clear();
            self.expect_again(slot);
        }
    }

    fn acknowledge(&mut self, client: usize) {
        let Some(slot) = self.present(client) else { return };
        let client = self.clients.get_mut(&slot).expect("a client");
        if !client.subprotocol.is_reliable() {
            return;
        }
        client.acknowledged += (client.received.len() - client.acknowledged).div_ceil(2);
        let number = client.acknowledged;
        self.shard.send(slot, &format!(r#"{{"type":"sequenceAck","sequenceId":{number}}}"#));
    }

    fn publish(&mut self, to: To, excluded: Option<usize>) {
        let Some(target) = self.target(to) else { return };
        let left_out = excluded.and_then(|client| self.slot(client));
        let mut receivers = self.meant(to);
        receivers.retain(|slot| Some(*slot) != left_out);
        let excluded = left_out.map(|slot| self.clients[&slot].id.clone()).into_iter().collect();
        self.published += 1;
        let payload = format!("publish {}", self.published);
        self.shard.publish_without(target, text(&payload), excluded);
        self.expect_message(&receivers, &payload);
    }

    fn close(&mut self, to: To) {
        let Some(target) = self.target(to) else { return };
        let meant = self.meant(to);
        assert_eq!(self.shard.command(Command::Close { to: target.into(), reason: None }), Reply::Done);
        let here = meant.iter().filter(|slot| self.clients[slot].here).count();
        assert_eq!(self.shard.closed.len(), here);
        self.gone(&meant);
    }

    fn join_many(&mut self, to: To, name: &'static str) {
        let Some(target) = self.target(to) else { return };
        let meant = self.meant(to);
        let reply = self.shard.command(Command::Join { to: target.into(), groups: vec![group(name)] });
        assert_eq!(reply == Reply::Done, !meant.is_empty());
        for slot in meant {
            self.clients.get_mut(&slot).expect("a client").groups.insert(name);
        }
    }

    fn leave_many(&mut self, to: To, name: Option<&'static str>) {
        let Some(target) = self.target(to) else { return };
        let meant = self.meant(to);
        let groups = name.map_or(Groups::All, |name| Groups::These(vec![group(name)]));
        let to = Selection::from(target);
        assert_eq!(self.shard.command(Command::Leave { to, groups }), Reply::Done);
        for slot in meant {
            let groups = &mut self.clients.get_mut(&slot).expect("a client").groups;
            groups.retain(|known| name.is_some_and(|name| name != *known));
        }
    }

    fn permit(&mut self, client: usize, name: &'static str, grant: bool) {
        let Some(slot) = self.slot(client) else { return };
        for kind in [PermissionType::SendToGroup, PermissionType::JoinLeaveGroup] {
            let permission =
                Permission { connection: self.clients[&slot].id.clone(), kind, group: group(name) };
            let command = if grant { Command::Grant(permission) } else { Command::Revoke(permission) };
            assert_eq!(self.shard.command(command), Reply::Done);
        }
        self.clients.get_mut(&slot).expect("a client").verdicts.insert(name, grant);
    }

    fn client(&mut self, client: usize, verb: Verb, name: &'static str, ack: Option<u64>) {
        let Some(slot) = self.present(client) else { return };
        if self.clients[&slot].subprotocol == Subprotocol::Simple {
            return;
        }
        self.published += 1;
        let payload = format!("message {}", self.published);
        let words = match verb {
            Verb::Join => "\"type\":\"joinGroup\"".to_owned(),
            Verb::Leave => "\"type\":\"leaveGroup\"".to_owned(),
            Verb::Send { no_echo } => {
                format!(r#""type":"sendToGroup","noEcho":{no_echo},"dataType":"text","data":"{payload}""#)
            }
        };
        let ack_id = ack.map_or(String::new(), |ack| format!(",\"ackId\":{ack}"));
        let mut receivers =
            self.meant(To::Group(GROUPS.iter().position(|known| *known == name).expect("a group")));
        self.shard.send(slot, &format!("{{{words},\"group\":\"{name}\"{ack_id}}}"));

        let known = self.clients.get_mut(&slot).expect("a client");
        let duplicate = ack.is_some_and(|ack| known.used_acks.contains(&ack));
        let done = !duplicate && known.may(name);
        if done {
            known.used_acks.extend(ack);
            match verb {
                Verb::Join => drop(known.groups.insert(name)),
                Verb::Leave => drop(known.groups.remove(name)),
                Verb::Send { .. } => {}
            }
        }
        if let Some(ack) = ack {
            let mut frames = self.shard.take(slot);
            let last = frames.pop().expect("an ack");
            let expected = match (done, duplicate) {
                (true, _) => "\"success\":true",
                (false, true) => "Duplicate",
                (false, false) => "Forbidden",
            };
            assert!(last.contains(&format!("\"ackId\":{ack},")) && last.contains(expected), "{last}");
            self.taken.insert(slot, frames);
        }
        match verb {
            Verb::Send { no_echo } if done => {
                receivers.retain(|receiver| !(no_echo && *receiver == slot));
                self.expect_message(&receivers, &payload);
            }
            Verb::Join | Verb::Leave | Verb::Send { .. } => {}
        }
    }

    fn compare(&mut self) {
        assert_eq!(self.shard.core().connections(), self.clients.len());
        assert_eq!(self.shard.kept().connections.len(), self.clients.len());
        let members: usize = self.clients.values().map(|client| client.groups.len()).sum();
        assert_eq!(self.shard.kept().memberships.len(), members);
        for name in GROUPS {
            let exists = self.clients.values().any(|client| client.groups.contains(name));
            assert_eq!(self.shard.exists(Target::Group(group(name))), exists, "{name}");
        }
        for name in USERS {
            let exists = self.clients.values().any(|client| client.user == name);
            assert_eq!(self.shard.exists(Target::User(user(name))), exists, "{name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn a_shard_does_what_the_model_does(operations in prop::collection::vec(operation(), 1..120)) {
        let mut both = Both { shard: TestShard::new(), clients: BTreeMap::new(), taken: BTreeMap::new(), published: 0 };
        for operation in &operations {
            both.run(operation);
        }
    }
}
