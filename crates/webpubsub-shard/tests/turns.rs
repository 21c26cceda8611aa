//! What clients send is carried out in turns: one commit a turn, and no client waits for another's share.
#![expect(clippy::indexing_slicing, reason = "a broken expectation is a failed test")]

use std::time::Duration;

use webpubsub_protocol::client::Frame;
use webpubsub_protocol::close::CloseCode;
use webpubsub_shard::{Change, ConnectRequest, Input, Limits, NextTurn, Output, ShardConfig, Slot, Sockets};
use webpubsub_testkit::{TestShard, group, json, reliable};

const PING: &str = r#"{"type":"ping"}"#;
const DUPLICATE: &str = "Duplicate";
/// What a turn takes, in messages of the smallest kind; a frame to one receiver costs as much.
const TURN: u64 = 256;

fn join(name: &str, ack: u64) -> String {
    format!(r#"{{"type":"joinGroup","group":"{name}","ackId":{ack}}}"#)
}

fn publish(name: &str, ack: u64) -> String {
    format!(r#"{{"type":"sendToGroup","group":"{name}","ackId":{ack},"dataType":"text","data":"x"}}"#)
}

/// A client sends something, and the shard has no turn yet.
fn arrive(shard: &mut TestShard, from: Slot, frame: &str) -> Vec<Output> {
    shard.feed(Input::Frame { from, frame: Frame::Text(frame.to_owned()) })
}

fn members(count: usize, shard: &mut TestShard) {
    for _ in 0..count {
        shard.connected(ConnectRequest { groups: vec![group("crowd")], ..json("member") });
    }
}

/// Whose acks these outputs send, in their order.
fn acked(outputs: &[Output]) -> Vec<Slot> {
    let acked = |output: &Output| {
        if let Output::Send { to, frame: Frame::Text(text) } = output
            && text.contains(r#""type":"ack""#)
        {
            Some(to[0])
        } else {
            None
        }
    };
    outputs.iter().filter_map(acked).collect()
}

fn stores(outputs: &[Output]) -> Vec<&Change> {
    outputs
        .iter()
        .filter_map(|output| if let Output::Store(change) = output { Some(change) } else { None })
        .collect()
}

#[test]
fn a_message_that_leads_to_no_write_is_carried_out_at_once() {
    let mut shard = TestShard::new();
    let client = shard.connected(json("alice"));
    let outputs = arrive(&mut shard, client, &publish("g", 1));
    assert_eq!(acked(&outputs), [client]);
    assert!(stores(&outputs).is_empty());
    // What its socket carries follows in a turn.
    assert_eq!(shard.core().next_turn(), Some(NextTurn::Soon));
    assert!(matches!(shard.turn()[..], [Output::Attach { .. }]));
    assert_eq!(shard.core().next_turn(), None);
}

#[test]
fn writes_wait_for_a_turn_and_come_before_all_frames() {
    let mut shard = TestShard::new();
    let (one, other) = (shard.connected(reliable("alice")), shard.connected(reliable("bob")));
    for (ack, client) in [(1, one), (1, other), (2, one), (3, one)] {
        assert!(arrive(&mut shard, client, &join("g", ack)).is_empty());
    }
    assert_eq!((shard.core().queued(one), shard.core().queued(other)), (3, 1));
    let outputs = shard.turn();
    let first_sent = outputs.iter().position(|output| !matches!(output, Output::Store(_)));
    let stored = stores(&outputs);
    assert_eq!(first_sent, Some(stored.len()));
    // Two memberships, and the ack ids of each connection once.
    let acks = stored.iter().filter(|change| matches!(change, Change::UseAcks { .. })).count();
    let joins = stored.iter().filter(|change| matches!(change, Change::Join(..))).count();
    assert_eq!((stored.len(), acks, joins), (4, 2, 2));
    assert_eq!(acked(&outputs).len(), 4);
    assert_eq!(shard.core().next_turn(), None);
}

#[test]
fn only_a_sequence_ack_overtakes_a_connections_messages() {
    let mut shard = TestShard::new();
    let client = shard.connected(ConnectRequest { groups: vec![group("g")], ..reliable("alice") });
    shard.send(client, &publish("g", 1));
    shard.take(client);
    for frame in [&publish("g", 2), PING, r#"{"type":"leaveGroup","group":"g"}"#, &publish("g", 3)] {
        assert!(arrive(&mut shard, client, frame).is_empty());
    }
    arrive(&mut shard, client, r#"{"type":"sequenceAck","sequenceId":1}"#);
    shard.input(Input::Closed { slot: client, code: CloseCode::ABNORMAL, reason: String::new() });
    let [record] = &shard.disk.connections[..] else { panic!("one connection") };
    assert_eq!((record.acknowledged.sequence_id.0, record.detached_until.is_some()), (1, true));
    assert_eq!(shard.messages.len(), 2, "the last publish comes after the leave");
}

#[test]
fn an_invalid_sequence_ack_waits_for_what_was_sent_before() {
    let mut shard = TestShard::new();
    let client = shard.connected(reliable("alice"));
    shard.take(client);
    for frame in [join("one", 1), join("two", 2), r#"{"type":"sequenceAck","sequenceId":7}"#.to_owned()] {
        assert!(arrive(&mut shard, client, &frame).is_empty());
    }
    let outputs = shard.turn();
    assert_eq!(acked(&outputs), [client, client]);
    assert!(!shard.is_open(client));
}

#[test]
fn a_turn_serves_every_connection_however_much_one_sent() {
    let mut shard = TestShard::new();
    let busy = shard.connected(reliable("busy"));
    let others: Vec<Slot> = (0..20).map(|_| shard.connected(reliable("other"))).collect();
    for ack in 0..60 {
        arrive(&mut shard, busy, &join(&format!("g{ack}"), ack));
    }
    for other in &others {
        arrive(&mut shard, *other, &join("g", 1));
    }
    let acked = acked(&shard.turn());
    let last = others.iter().map(|other| acked.iter().position(|slot| slot == other)).max().flatten();
    assert!(last.expect("all of them had an ack") < 30, "{acked:?}");
}

#[test]
fn a_message_counts_by_what_it_costs() {
    let mut shard = TestShard::new();
    members(600, &mut shard);
    let (loud, quiet) = (shard.connected(reliable("loud")), shard.connected(reliable("quiet")));
    for ack in 0..10 {
        arrive(&mut shard, loud, &publish("crowd", ack));
    }
    for ack in 0..10 {
        arrive(&mut shard, quiet, &publish("empty", ack));
    }
    // One such publish is more than a turn; the next turn is the other's.
    assert_eq!(acked(&shard.turn()), [loud]);
    assert_eq!(acked(&shard.turn())[..10], [quiet; 10]);
    let mut turns = 0;
    while shard.core().next_turn().is_some() {
        turns += usize::from(!shard.turn().is_empty());
    }
    assert_eq!(turns, 8, "the quiet client's turn had room for one more");
}

#[test]
fn nothing_more_is_taken_in_once_a_turn_is_full() {
    let mut shard = TestShard::new();
    let clients: Vec<Slot> = (0..8).map(|_| shard.connected(reliable("client"))).collect();
    for ack in 0..TURN / 8 {
        for client in &clients {
            assert_ne!(shard.core().next_turn(), Some(NextTurn::BeforeMore));
            arrive(&mut shard, *client, &join("g", ack));
        }
    }
    assert_eq!(shard.core().next_turn(), Some(NextTurn::BeforeMore));
    shard.turn();
    assert_ne!(shard.core().next_turn(), Some(NextTurn::BeforeMore));
}

#[test]
fn messages_that_are_carried_out_at_once_count_as_well() {
    let mut shard = TestShard::new();
    let client = shard.connected(json("alice"));
    let count = (1..).find(|_| {
        assert_eq!(arrive(&mut shard, client, PING).len(), 1);
        shard.core().next_turn() == Some(NextTurn::BeforeMore)
    });
    // A pong is a delivery.
    assert_eq!(count, Some(TURN / 2));
    assert!(arrive(&mut shard, client, PING).is_empty(), "what arrives all the same waits");
    assert_eq!(shard.turn().len(), 1);
}

/// How many publishes of so many bytes to so many members are taken in before a turn, where sockets end with the memory.
fn before_a_turn(receivers: usize, bytes: usize) -> Option<u64> {
    let config = ShardConfig { sockets: Sockets::EndWithMemory, ..ShardConfig::only() };
    let mut shard = TestShard::at(config);
    members(receivers, &mut shard);
    let client = shard.connected(json("alice"));
    let text = "x".repeat(bytes);
    (1..).find(|ack| {
        arrive(&mut shard, client, &publish("crowd", *ack).replace(r#""x""#, &format!(r#""{text}""#)));
        shard.core().next_turn() == Some(NextTurn::BeforeMore)
    })
}

#[test]
fn where_sockets_end_with_the_memory_a_turn_takes_more() {
    // Each costs itself, its deliveries and its ack.
    assert_eq!(before_a_turn(200, 1), Some(1536_u64.div_ceil(202)));
    let large = before_a_turn(2, 4096).unwrap();
    assert!(large * 4096 < 384 << 10, "{large} of 4 KiB are fewer, as each socket is owed them all");
}

#[test]
fn nothing_more_is_taken_in_once_a_share_is_waiting() {
    let mut shard = TestShard::new();
    members(600, &mut shard);
    let client = shard.connected(reliable("alice"));
    for ack in 1..=TURN {
        assert_eq!(shard.core().next_turn().is_some(), ack > 1);
        arrive(&mut shard, client, &publish("crowd", ack));
        assert_eq!(shard.core().next_turn() == Some(NextTurn::BeforeMore), ack == TURN);
    }
    shard.turn();
    assert_eq!(
        (shard.core().queued(client), shard.core().next_turn()),
        (TURN as usize - 1, Some(NextTurn::Soon))
    );
    arrive(&mut shard, client, &publish("crowd", TURN + 1));
    assert_eq!(shard.core().next_turn(), Some(NextTurn::BeforeMore));
}

#[test]
fn a_megabyte_that_waits_is_a_share_as_well() {
    let mut shard = TestShard::new();
    let client = shard.connected(reliable("alice"));
    let large = format!(
        r#"{{"type":"sendToGroup","group":"g","ackId":1,"dataType":"text","data":"{}"}}"#,
        "x".repeat(600_000)
    );
    arrive(&mut shard, client, &large);
    assert_eq!(shard.core().next_turn(), Some(NextTurn::Soon));
    arrive(&mut shard, client, &large);
    assert_eq!(shard.core().next_turn(), Some(NextTurn::BeforeMore));
}

#[test]
fn a_client_over_its_rate_is_slowed_down_without_loss() {
    let limits = Limits { messages_per_second: 10, message_burst: 5, ..Limits::DEFAULT };
    let mut shard = TestShard::at(ShardConfig { limits, ..ShardConfig::only() });
    let (fast, other) = (shard.connected(json("fast")), shard.connected(json("other")));
    for ack in 1..=25 {
        shard.send(fast, &join("g", ack));
    }
    shard.send(other, PING);
    assert_eq!((shard.take(fast).len(), shard.take(other).len()), (5, 1));
    assert_eq!(shard.core().next_turn(), None, "it delays no other");
    shard.pass(Duration::from_millis(99));
    assert_eq!(shard.take(fast).len(), 0);
    shard.pass(Duration::from_millis(1));
    assert_eq!(shard.take(fast), [r#"{"type":"ack","ackId":6,"success":true}"#]);
    shard.pass(Duration::from_millis(1_900));
    assert_eq!(shard.take(fast).len(), 19);
    assert_eq!((shard.core().queued(fast), shard.due()), (0, None));
}

#[test]
fn the_end_of_a_slowed_connection_waits_for_no_rate() {
    let limits = Limits { messages_per_second: 10, message_burst: 1, ..Limits::DEFAULT };
    let mut shard = TestShard::at(ShardConfig { limits, ..ShardConfig::only() });
    let client = shard.connected(reliable("alice"));
    shard.send(client, &join("one", 1));
    shard.send(client, &join("two", 2));
    assert_eq!(shard.kept().memberships.len(), 1);
    shard.cut(client);
    assert_eq!((shard.kept().memberships.len(), shard.is_open(client)), (2, false));
    assert_eq!(shard.core().next_timeout(), None, "nothing of it waits for its rate");
}

#[test]
fn slowed_clients_of_a_shard_share_a_bound_on_bytes_that_wait() {
    let limits = Limits { messages_per_second: 1, message_burst: 1, ..Limits::DEFAULT };
    let mut shard = TestShard::at(ShardConfig { limits, ..ShardConfig::only() });
    let large = publish("empty", 9).replace("\"x\"", &format!("\"{}\"", "x".repeat(512 * 1024)));
    let slowed: Vec<Slot> = (0..40).map(|_| shard.connected(json("fast"))).collect();
    let within_its_rate = shard.connected(json("slow"));
    for client in &slowed {
        shard.send(*client, PING);
        shard.send(*client, PING);
    }
    for client in slowed.iter().cycle().take(4 * slowed.len()) {
        shard.send(*client, &large);
    }
    let open: Vec<&Slot> = slowed.iter().filter(|client| shard.is_open(**client)).collect();
    let waiting: usize = open.iter().map(|client| shard.core().queued(**client) - 1).sum();
    assert!((100..=127).contains(&waiting), "{waiting} messages of half a megabyte");
    shard.send(within_its_rate, &large);
    assert!(shard.is_open(within_its_rate));
    for client in &slowed {
        shard.cut(*client);
    }
    assert_eq!(shard.core().connections(), 1);
}

#[test]
fn a_new_socket_drops_what_waits_of_the_old_one() {
    let mut shard = TestShard::new();
    let client = shard.connected(reliable("alice"));
    let id = shard.id(client);
    arrive(&mut shard, client, &join("g", 1));
    shard.feed(Input::Closed { slot: client, code: CloseCode::ABNORMAL, reason: String::new() });
    shard.feed(Input::Recover { connection: id, reconnection_token: String::new() });
    assert_eq!(shard.core().queued(client), 0);
    while shard.core().next_turn().is_some() {
        shard.turn();
    }
    assert!(shard.is_open(client), "the end of the old socket is not that of the new one");
    shard.send(client, &join("g", 1));
    assert_eq!(shard.take(client), [r#"{"type":"ack","ackId":1,"success":true}"#]);
}

#[test]
fn a_socket_carries_a_plain_connection_and_what_it_joins() {
    let mut shard = TestShard::new();
    let connection = webpubsub_shard::ShardId(0).connection_id([7; 16]);
    let input = Input::Connect { connection, request: json("alice"), reconnection_token: None };
    assert!(stores(&shard.feed(input)).is_empty());
    let outputs = arrive(&mut shard, Slot(0), &join("g", 1));
    assert_eq!((acked(&outputs).len(), stores(&outputs).len()), (1, 0));
    assert!(stores(&shard.turn()).is_empty());
    assert_eq!((shard.kept().connections.len(), shard.kept().memberships.len()), (1, 1));
    assert!(shard.disk.connections.is_empty() && shard.disk.memberships.is_empty());
    shard.hibernate();
    shard.send(Slot(0), &join("g", 1));
    assert!(shard.take(Slot(0)).concat().contains(DUPLICATE));
}

#[test]
fn what_waits_to_be_written_goes_with_the_next_write() {
    let mut shard = TestShard::new();
    // More than its socket carries.
    let groups = ["a", "b", "c"].map(|name| group(&name.repeat(900))).to_vec();
    let plain = shard.connected(ConnectRequest { groups, ..json("alice") });
    let there = shard.connected(reliable("bob"));
    arrive(&mut shard, plain, &join("g", 1));
    let id = shard.id(there);
    let to = webpubsub_shard::Target::Connection(id).into();
    let join = webpubsub_shard::Command::Join { to, groups: vec![group("g")] };
    let outputs = shard.feed(Input::Command(join));
    assert!(
        matches!(stores(&outputs)[..], [Change::Join(one, _), Change::Join(other, _)] if (*one, *other) == (plain, there))
    );
}

#[test]
fn ack_ids_are_written_in_parts_and_sometimes_all() {
    let mut shard = TestShard::new();
    let client = shard.connected(reliable("alice"));
    let mut bytes = Vec::new();
    // No two of them follow each other.
    for round in 0..300_u64 {
        for ack in 0..10 {
            arrive(&mut shard, client, &publish("g", (round * 10 + ack) * 2));
        }
        let outputs = shard.turn();
        let written = stores(&outputs);
        let [Change::UseAcks { acks, .. }] = written[..] else { panic!("{written:?}") };
        bytes.push(acks.len());
    }
    assert_eq!(bytes[..200], [100; 200]);
    assert_eq!(bytes.iter().filter(|bytes| **bytes > 100).collect::<Vec<_>>(), [&10_000]);
    shard.crash();
    let id = shard.kept().connections[0].id.clone();
    let client = shard.recover(&id).expect("it comes back");
    shard.take(client);
    for (ack, known) in [(4000, true), (5998, true), (3998, false), (6000, false)] {
        shard.send(client, &publish("g", ack));
        assert_eq!(shard.take(client).concat().contains(DUPLICATE), known, "{ack}");
    }
}
