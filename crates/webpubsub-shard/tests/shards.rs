//! A hub's number of shards changes while it is in use.

use std::time::Duration;

use webpubsub_protocol::client::Subprotocol;
use webpubsub_protocol::close::CloseCode;
use webpubsub_shard::{ConnectRequest, Input, Output, ShardConfig, ShardId, ShardMap, Target};
use webpubsub_testkit::{TestShard, json, reliable, text};

/// The second of two shards, and the map in which it is to go.
fn draining() -> (TestShard, ShardMap) {
    draining_for(None)
}

/// The same, with a drain window for reliable connections.
fn draining_for(drain_window: Option<Duration>) -> (TestShard, ShardMap) {
    let shard =
        TestShard::at(ShardConfig { shard: ShardId(1), shards: 2, drain_window, ..ShardConfig::only() });
    let mut map = ShardMap::new(2);
    map.resize(shard.now, 1);
    (shard, map)
}

#[test]
fn a_draining_shard_closes_its_clients_and_takes_no_others() {
    let (mut shard, map) = draining();
    shard.connected(json("alice"));
    shard.connected(ConnectRequest { subprotocol: Subprotocol::Simple, ..json("bob") });
    assert_eq!(shard.core().load(), 2);
    shard.set_map(map);
    assert_eq!(shard.closed.iter().map(|closed| closed.code).collect::<Vec<_>>(), [1008, 1008]);
    assert!(shard.closed[0].received[0].contains(r#""event":"disconnected""#));
    assert_eq!(shard.core().load(), 0);
    assert_eq!(shard.connect(json("carol")), None);
    shard.hibernate();
    assert_eq!(shard.connect(json("carol")), None, "that is kept");
}

#[test]
fn reliable_connections_stay_on_a_shard_that_is_to_go() {
    for subprotocol in [Subprotocol::JsonReliable, Subprotocol::ProtobufReliable] {
        let (mut shard, map) = draining();
        let slot = shard.connected(ConnectRequest { subprotocol, ..reliable("alice") });
        shard.set_map(map);
        shard.publish(Target::All, text("while it drains"));
        assert_eq!(shard.take(slot).len(), 1);
        let id = shard.id(slot);
        shard.cut(slot);
        shard.publish(Target::All, text("missed"));
        assert_eq!(shard.recover(&id), Some(slot), "and can be recovered there");
        assert_eq!(shard.take(slot).len(), 2);
        shard.set_map(map);
        assert!(shard.closed.is_empty());
        assert_eq!(shard.core().load(), 1);
        shard.close(slot, CloseCode::NORMAL);
        assert_eq!(shard.core().load(), 0);
    }
}

#[test]
fn reliable_connections_leave_a_shard_when_its_window_is_over() {
    let window = Duration::from_secs(3600);
    let (mut shard, map) = draining_for(Some(window));
    let alice = shard.connected(reliable("alice"));
    shard.now = map.since.after(window - Duration::from_millis(1));
    shard.set_map(map);
    assert!(shard.is_open(alice));
    shard.now = map.since.after(window);
    shard.set_map(map);
    assert_eq!(shard.closed[0].code, 1008);
    assert_eq!(shard.core().load(), 0);
}

#[test]
fn many_clients_are_sent_away_a_part_at_a_time() {
    let (mut shard, map) = draining();
    for _ in 0..1200 {
        shard.connect(json("alice"));
    }
    let mut left = Vec::new();
    while left.last() != Some(&0) {
        shard.set_map(map);
        left.push(shard.core().connections());
    }
    assert_eq!(left, [700, 200, 0]);
}

#[test]
fn a_detached_client_gets_what_it_missed_before_a_drain() {
    let (mut shard, map) = draining_for(Some(Duration::ZERO));
    let alice = shard.connected(reliable("alice"));
    let id = shard.id(alice);
    shard.cut(alice);
    shard.set_map(map);
    shard.publish(Target::All, text("missed"));
    assert_eq!(shard.core().load(), 1, "it has its time to come back");
    assert_eq!(shard.recover(&id), Some(alice));
    assert!(shard.take(alice)[0].contains("missed"));
    shard.set_map(map);
    assert_eq!(shard.closed[0].code, 1008);
    assert_eq!(shard.core().load(), 0);
}

#[test]
fn a_message_that_another_shard_has_not_taken_is_work_left() {
    let (mut shard, map) = draining();
    let alice = shard.connected(json("alice"));
    shard.send(alice, r#"{"type":"sendToGroup","group":"g","data":1}"#);
    shard.set_map(map);
    assert_eq!(shard.core().load(), 1);
    let (to, batch) = shard.relayed.remove(0);
    shard.answer(to, &batch, true);
    assert_eq!(shard.core().load(), 0);
}

#[test]
fn a_shard_that_stays_keeps_its_clients_and_forgets_who_is_gone() {
    let mut shard = TestShard::at(ShardConfig { shards: 2, ..ShardConfig::only() });
    let alice = shard.connected(json("alice"));
    shard.send(alice, r#"{"type":"sendToGroup","group":"g","data":1}"#);
    assert_eq!(shard.core().load(), 2);
    let gone = ShardMap { version: 7, ..ShardMap::new(1) };
    shard.set_map(gone);
    assert!(shard.is_open(alice));
    assert_eq!(shard.core().load(), 1, "no shard waits for the message there");
    shard.relayed.clear();
    shard.send(alice, r#"{"type":"sendToGroup","group":"g","data":2}"#);
    assert!(shard.relayed.is_empty());
}

#[test]
fn an_older_map_changes_nothing() {
    let mut shard = TestShard::new();
    shard.set_map(ShardMap { version: 2, ..ShardMap::new(3) });
    let outputs = shard.input(Input::Map(ShardMap { version: 1, ..ShardMap::new(1) }));
    assert_eq!(outputs, Vec::<Output>::new());
    let alice = shard.connected(json("alice"));
    shard.send(alice, r#"{"type":"sendToGroup","group":"g","data":1}"#);
    assert_eq!(shard.relayed.len(), 2);
    shard.close(alice, CloseCode::NORMAL);
}
