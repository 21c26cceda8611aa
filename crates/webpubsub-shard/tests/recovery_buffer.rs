//! What is kept for a reliable connection until it is acknowledged: how much, and for how long.
//!
//! Source: docs/spec/client.md#sequence-ids, docs/spec/client.md#detached-connections.
#![expect(clippy::expect_used, reason = "a broken expectation is a failed test")]

use std::time::Duration;

use webpubsub_protocol::client::{Encoding, UpstreamMessage};
use webpubsub_protocol::data::{Metadata, TimeToLive};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::ConnectionId;
use webpubsub_shard::{Command, ConnectRequest, Input, Selection, Slot, Target};
use webpubsub_testkit::{TestShard, group, json, reliable, text};

/// A shard with one reliable client, who is in the group `g`.
fn shard() -> (TestShard, Slot, ConnectionId) {
    let mut shard = TestShard::new();
    let alice = shard.connected(ConnectRequest { groups: vec![group("g")], ..reliable("alice") });
    let id = shard.id(alice);
    (shard, alice, id)
}

fn acknowledge(shard: &mut TestShard, slot: Slot, number: u64) {
    let message = UpstreamMessage::SequenceAck { sequence_id: SequenceId(number) };
    shard.input(Input::Frame { from: slot, frame: Encoding::Json.encode_upstream(&message) });
}

fn publish_for(shard: &mut TestShard, seconds: u64, message: &str) {
    let ttl = TimeToLive::from_seconds(seconds).expect("a time to live");
    let to = Selection::from(Target::All);
    shard.command(Command::Send { to, data: text(message), metadata: Metadata::default(), ttl });
}

#[test]
fn a_thousand_messages_are_kept_and_one_more_closes() {
    let (mut shard, alice, id) = shard();
    shard.cut(alice);
    for _ in 0..1000 {
        shard.publish(Target::All, text("x"));
    }
    assert_eq!(shard.recover(&id), Some(alice));
    assert_eq!(shard.take(alice).len(), 1000);
    shard.publish(Target::All, text("one more"));
    let closed = &shard.closed[0];
    assert_eq!((closed.code, closed.reason.as_str()), (1008, "The reliable message buffer is full."));
    assert_eq!(
        closed.received,
        [r#"{"type":"system","event":"disconnected","message":"The reliable message buffer is full."}"#]
    );
    assert_eq!(shard.recover(&id), None);
}

#[test]
fn a_shard_that_slept_keeps_no_more_than_one_that_did_not() {
    let (mut shard, alice, _) = shard();
    for _ in 0..1000 {
        shard.publish(Target::All, text("x"));
    }
    shard.hibernate();
    assert!(shard.is_open(alice));
    shard.publish(Target::All, text("one more"));
    assert_eq!(shard.closed[0].code, 1008);
}

#[test]
fn a_full_buffer_ends_a_connection_without_a_socket_too() {
    let (mut shard, alice, id) = shard();
    shard.cut(alice);
    for _ in 0..1001 {
        shard.publish(Target::All, text("x"));
    }
    assert!(!shard.exists(Target::Connection(id.clone())));
    assert_eq!(shard.recover(&id), None);
    assert!(shard.closed.is_empty());
}

#[test]
fn sixteen_mebibytes_are_kept_and_no_more() {
    let (mut shard, alice, id) = shard();
    let mebibyte = text(&"x".repeat(1024 * 1024 - 100));
    shard.cut(alice);
    for _ in 0..16 {
        shard.publish(Target::All, mebibyte.clone());
    }
    assert_eq!(shard.recover(&id), Some(alice));
    assert_eq!(shard.take(alice).len(), 16);
    shard.publish(Target::All, mebibyte);
    assert_eq!(shard.closed[0].code, 1008);
}

#[test]
fn what_was_acknowledged_before_a_crash_leaves_room_after_it() {
    for (message, count) in [(text("x"), 1000), (text(&"x".repeat(1024 * 1024 - 100)), 16)] {
        let (mut shard, alice, id) = shard();
        for number in 1..=count {
            shard.publish(Target::All, message.clone());
            acknowledge(&mut shard, alice, number);
        }
        shard.crash();
        for _ in 0..count {
            shard.publish(Target::All, message.clone());
        }
        assert_eq!(shard.recover(&id), Some(alice), "{count} messages");
        assert!(
            shard.take(alice).len() as u64 <= count + count / 10,
            "most of what it has is not sent again"
        );
        acknowledge(&mut shard, alice, count + 1);
        for _ in 0..2 {
            assert!(shard.is_open(alice));
            shard.publish(Target::All, message.clone());
        }
        assert!(!shard.is_open(alice), "since it spoke, its limits are those of everybody");
    }
}

#[test]
fn the_room_is_left_until_the_client_says_something() {
    let (mut shard, alice, id) = shard();
    for _ in 0..90 {
        shard.publish(Target::All, text("x"));
    }
    acknowledge(&mut shard, alice, 90);
    shard.crash();
    for _ in 0..950 {
        shard.publish(Target::All, text("x"));
    }
    assert_eq!(shard.recover(&id), Some(alice));
    shard.hibernate();
    shard.publish(Target::All, text("x"));
    assert!(shard.is_open(alice), "951 messages are outstanding");
    acknowledge(&mut shard, alice, 90);
    shard.publish(Target::All, text("x"));
    assert!(shard.is_open(alice));
}

#[test]
fn who_acknowledges_nothing_has_little_more_room_after_crashes() {
    let (mut shard, _, id) = shard();
    for _ in 0..1099 {
        shard.publish(Target::All, text("x"));
        shard.crash();
    }
    assert!(shard.exists(Target::Connection(id.clone())));
    for _ in 0..2 {
        shard.publish(Target::All, text("x"));
    }
    assert!(!shard.exists(Target::Connection(id)));
}

#[test]
fn copies_past_their_ttl_are_left_out() {
    let (mut shard, alice, id) = shard();
    shard.cut(alice);
    publish_for(&mut shard, 10, "short");
    publish_for(&mut shard, 0, "for ever");
    publish_for(&mut shard, 11, "long enough");
    shard.pass(Duration::from_secs(10));
    shard.recover(&id);
    let frames = shard.take(alice);
    assert_eq!(frames.len(), 2);
    assert!(frames[0].contains("for ever") && frames[0].ends_with("\"sequenceId\":2}"));
    assert!(frames[1].contains("long enough") && frames[1].ends_with("\"sequenceId\":3}"));
}

#[test]
fn a_clients_time_to_live_counts_as_well() {
    let (mut shard, alice, id) = shard();
    let bob = shard.connected(json("bob"));
    shard.cut(alice);
    shard.send(bob, r#"{"type":"sendToGroup","group":"g","data":1,"ttlSeconds":1}"#);
    shard.pass(Duration::from_secs(1));
    shard.recover(&id);
    assert_eq!(shard.take(alice), [""; 0]);
}
