//! Reliable connections lose their sockets and get new ones.
//!
//! Source: docs/spec/client.md#sequence-ids, docs/spec/client.md#detached-connections,
//! docs/spec/client.md#recovery.

use std::time::Duration;

use webpubsub_protocol::client::{Encoding, Subprotocol, UpstreamMessage};
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::data::{JsonText, MessageData, Metadata, TimeToLive};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::role::PermissionType;
use webpubsub_shard::{
    Command, ConnectRequest, Input, Permission, Reply, Selection, ShardConfig, Slot, Target,
};
use webpubsub_testkit::{TestShard, group, json, reliable, text, user};

const WINDOW: Duration = Duration::from_secs(60);
const MILLISECOND: Duration = Duration::from_millis(1);

/// A shard with one reliable client, who is in the group `g`.
fn shard() -> (TestShard, Slot, ConnectionId) {
    let mut shard = TestShard::new();
    let alice = shard.connected(ConnectRequest { groups: vec![group("g")], ..reliable("alice") });
    let id = shard.id(alice);
    (shard, alice, id)
}

fn acknowledge(shard: &mut TestShard, slot: Slot, number: u64) {
    acknowledge_in(Encoding::Json, shard, slot, number);
}

fn acknowledge_in(encoding: Encoding, shard: &mut TestShard, slot: Slot, number: u64) {
    let message = UpstreamMessage::SequenceAck { sequence_id: SequenceId(number) };
    shard.input(Input::Frame { from: slot, frame: encoding.encode_upstream(&message) });
}

#[test]
fn a_client_close_with_1000_is_final_and_every_other_end_is_not() {
    for (code, final_) in [
        (CloseCode::NORMAL, true),
        (CloseCode::NO_STATUS, false),
        (CloseCode::ABNORMAL, false),
        (CloseCode::GOING_AWAY, false),
        (CloseCode(1002), false),
        (CloseCode(1008), false),
        (CloseCode(4000), false),
    ] {
        let (mut shard, alice, id) = shard();
        shard.close(alice, code);
        assert!(!shard.is_open(alice));
        assert_eq!(shard.exists(Target::Connection(id.clone())), !final_, "{code:?}");
        assert_eq!(shard.recover(&id).is_none(), final_, "{code:?}");
    }
}

#[test]
fn a_protocol_violation_is_final() {
    for broken in ["{", r#"{"type":"unknown"}"#] {
        let (mut shard, alice, id) = shard();
        shard.send(alice, broken);
        assert_eq!(shard.closed[0].code, 1007);
        assert_eq!(shard.recover(&id), None);
    }
    let (mut shard, alice, id) = shard();
    shard.input(Input::Broken { slot: alice, cause: None });
    assert!(!shard.is_open(alice));
    assert_eq!(shard.recover(&id), None);
}

#[test]
fn an_ack_of_what_was_never_sent_is_a_protocol_violation() {
    for subprotocol in [Subprotocol::JsonReliable, Subprotocol::ProtobufReliable] {
        for never_sent in [4, u64::MAX] {
            let mut shard = TestShard::new();
            let alice = shard.connected(ConnectRequest { subprotocol, ..reliable("alice") });
            let id = shard.id(alice);
            let encoding = subprotocol.encoding().expect("an encoding");
            for number in 1..=3 {
                shard.publish(Target::All, text("x"));
                acknowledge_in(encoding, &mut shard, alice, number);
            }
            acknowledge_in(encoding, &mut shard, alice, 2);
            assert!(shard.is_open(alice), "what is known already does no harm");
            acknowledge_in(encoding, &mut shard, alice, never_sent);
            assert_eq!(shard.closed[0].code, 1007, "{subprotocol:?} {never_sent}");
            assert_eq!(shard.recover(&id), None, "{subprotocol:?} {never_sent}");
        }
    }
}

#[test]
fn all_that_was_sent_may_be_acknowledged_after_any_loss() {
    type Loss = fn(&mut TestShard, Slot, &ConnectionId);
    let losses: [(&str, Loss); 4] = [
        ("the socket", |shard, alice, id| {
            shard.cut(alice);
            assert_eq!(shard.recover(id), Some(alice));
        }),
        ("memory", |shard, _, _| shard.hibernate()),
        ("memory and the socket", |shard, alice, id| {
            shard.hibernate();
            shard.cut(alice);
            assert_eq!(shard.recover(id), Some(alice));
        }),
        ("all but the disk", |shard, alice, id| {
            shard.crash();
            assert_eq!(shard.recover(id), Some(alice));
        }),
    ];
    for (lost, lose) in losses {
        for acknowledged in [0, 3, 5] {
            let (mut shard, alice, id) = shard();
            for _ in 0..5 {
                shard.publish(Target::All, text("x"));
            }
            acknowledge(&mut shard, alice, acknowledged);
            lose(&mut shard, alice, &id);
            acknowledge(&mut shard, alice, 5);
            assert!(shard.is_open(alice), "{lost} after {acknowledged}");
            acknowledge(&mut shard, alice, 6);
            assert!(!shard.is_open(alice), "{lost} after {acknowledged}");
        }
    }
}

#[test]
fn a_servers_close_is_final_with_a_socket_and_without() {
    for cut in [false, true] {
        let (mut shard, alice, id) = shard();
        if cut {
            shard.cut(alice);
        }
        let to = Selection::from(Target::All);
        assert_eq!(shard.command(Command::Close { to, reason: None }), Reply::Done);
        assert_eq!(shard.closed.len(), usize::from(!cut));
        assert_eq!(shard.recover(&id), None);
        assert!(shard.kept().connections.is_empty());
    }
}

#[test]
fn other_subprotocols_end_with_their_socket() {
    let mut shard = TestShard::new();
    for subprotocol in [Subprotocol::Simple, Subprotocol::Json, Subprotocol::Protobuf] {
        let plain = shard.connected(ConnectRequest { subprotocol, ..json("plain") });
        let id = shard.id(plain);
        assert_eq!(shard.recover(&id), None, "not while it has one either");
        assert!(shard.is_open(plain));
        shard.cut(plain);
        assert!(!shard.exists(Target::Connection(id.clone())));
        assert_eq!(shard.recover(&id), None);
    }
}

#[test]
fn unacknowledged_messages_come_again_before_those_missed() {
    for subprotocol in [Subprotocol::JsonReliable, Subprotocol::ProtobufReliable] {
        let mut shard = TestShard::new();
        let member = || ConnectRequest { subprotocol, groups: vec![group("g")], ..reliable("alice") };
        let alice = shard.connected(member());
        // Has everything that alice is to have, in the frames in which it was sent first.
        let witness = shard.connected(member());
        let id = shard.id(alice);
        let from = shard.connected(json("bob"));
        let payloads = [
            text("ünï\"code"),
            MessageData::Binary(vec![0, 255, 7]),
            MessageData::Json(JsonText::parse(r#"{ "spaces" : [1.0, 1e400, "\u0041"] }"#).expect("JSON")),
            MessageData::Protobuf(vec![10, 3, b'a', b'/', b'b', 18, 1, 1]),
        ];
        let metadata =
            Metadata::parse(vec![("k".into(), "v".into()), ("A".into(), String::new())]).expect("metadata");
        for (number, data) in payloads.iter().cycle().take(10).enumerate() {
            if number == 5 {
                let encoding = subprotocol.encoding().expect("an encoding");
                acknowledge_in(encoding, &mut shard, alice, 3);
                shard.cut(alice);
            }
            let (data, metadata, ttl) = (data.clone(), metadata.clone(), TimeToLive::FOREVER);
            let to = Selection::from(if number % 2 == 0 { Target::All } else { Target::Group(group("g")) });
            shard.command(Command::Send { to, data, metadata, ttl });
        }
        shard.send(from, r#"{"type":"sendToGroup","group":"g","dataType":"text","data":"last"}"#);
        assert_eq!(shard.recover(&id), Some(alice));
        let frames = shard.take_frames(witness);
        assert_eq!(frames.len(), 11);
        assert_eq!(shard.take_frames(alice), frames[3..], "{subprotocol:?}");
    }
}

#[test]
fn only_messages_follow_a_recovery_and_are_numbered_on() {
    let (mut shard, alice, id) = shard();
    shard.publish(Target::All, text("one"));
    acknowledge(&mut shard, alice, 1);
    shard.cut(alice);
    assert_eq!(shard.recover(&id), Some(alice));
    assert_eq!(shard.take(alice), [""; 0]);
    shard.publish(Target::Group(group("g")), text("two"));
    assert!(shard.take(alice)[0].ends_with("\"sequenceId\":2}"));
}

#[test]
fn a_recovery_takes_over_from_a_socket_that_looks_alive() {
    let (mut shard, alice, id) = shard();
    shard.publish(Target::All, text("one"));
    assert_eq!(shard.recover(&id), Some(alice));
    assert_eq!(
        shard.closed[0].code, 1001,
        "the old one; and not 1008, which would end the new one's client too"
    );
    assert_eq!(shard.take(alice).len(), 1, "the new one");
}

#[test]
fn a_connection_can_be_recovered_for_a_minute_and_not_longer() {
    for (pause, found) in [(WINDOW - MILLISECOND, true), (WINDOW, false)] {
        let (mut shard, alice, id) = shard();
        shard.cut(alice);
        assert_eq!(shard.core().next_deadline(), Some(shard.now.after(WINDOW)));
        // No timeout is reported to the shard.
        shard.now = shard.now.after(pause);
        assert_eq!(shard.recover(&id).is_some(), found);
    }
    let (mut shard, alice, _) = shard();
    shard.cut(alice);
    shard.pass(WINDOW);
    assert!(!shard.exists(Target::User(user("alice"))) && !shard.exists(Target::Group(group("g"))));
    assert!(shard.kept().connections.is_empty() && shard.kept().memberships.is_empty());
    assert_eq!(shard.core().next_deadline(), None);
}

#[test]
fn the_window_is_a_setting() {
    let mut shard =
        TestShard::at(ShardConfig { recovery_window: Duration::from_secs(5), ..ShardConfig::only() });
    let alice = shard.connected(reliable("alice"));
    let id = shard.id(alice);
    for (pause, found) in [(4, true), (8, false)] {
        shard.cut(alice);
        shard.pass(Duration::from_secs(pause));
        assert_eq!(shard.recover(&id).is_some(), found);
    }
}

#[test]
fn every_loss_has_its_own_minute() {
    let (mut shard, alice, id) = shard();
    let bob = shard.connected(reliable("bob"));
    let bob_id = shard.id(bob);
    shard.cut(alice);
    shard.pass(Duration::from_secs(50));
    shard.cut(bob);
    assert_eq!(shard.recover(&id), Some(alice));
    shard.pass(Duration::from_secs(50));
    shard.cut(alice);
    shard.pass(Duration::from_secs(50));
    assert_eq!(shard.recover(&bob_id), None);
    assert_eq!(shard.recover(&id), Some(alice));
    shard.pass(WINDOW * 2);
    assert!(shard.exists(Target::Connection(id)));
}

#[test]
fn a_stop_closes_with_1001_and_keeps_reliable_connections() {
    let (mut shard, alice, id) = shard();
    let plain = shard.connected(json("plain"));
    let plain_id = shard.id(plain);
    shard.publish(Target::All, text("one"));
    assert_eq!(shard.take(alice).len(), 1);
    shard.input(Input::GoAway);
    let codes: Vec<_> = shard.closed.iter().map(|closed| (closed.slot, closed.code)).collect();
    assert_eq!(codes, [(alice, 1001), (plain, 1001)]);
    assert!(shard.closed[0].received.is_empty(), "who has read that it is disconnected does not come back");
    assert!(
        shard.closed[1]
            .received
            .join("")
            .contains(r#""event":"disconnected","message":"The service is going away.""#)
    );
    assert!(!shard.exists(Target::Connection(plain_id)));
    shard.crash();
    shard.publish(Target::All, text("two"));
    assert_eq!(shard.recover(&id), Some(alice));
    let again = shard.take(alice);
    assert!(again.len() == 2 && again[0].contains("one") && again[1].contains("two"), "{again:?}");
}

#[test]
fn groups_permissions_and_ack_ids_survive() {
    let mut shard = TestShard::new();
    let alice = shard.connected(ConnectRequest { roles: vec![], ..reliable("alice") });
    let id = shard.id(alice);
    let permit = |connection: &ConnectionId, name| Permission {
        connection: connection.clone(),
        kind: PermissionType::JoinLeaveGroup,
        group: group(name),
    };
    shard.command(Command::Grant(permit(&id, "room")));
    shard.send(alice, r#"{"type":"joinGroup","group":"room","ackId":7}"#);
    shard.cut(alice);
    // Permissions can be changed while it is away.
    shard.command(Command::Grant(permit(&id, "offline")));
    shard.command(Command::Revoke(permit(&id, "room")));
    shard.recover(&id);
    shard.send(alice, r#"{"type":"leaveGroup","group":"room","ackId":7}"#);
    shard.send(alice, r#"{"type":"leaveGroup","group":"room","ackId":8}"#);
    shard.send(alice, r#"{"type":"joinGroup","group":"offline","ackId":9}"#);
    let [duplicate, forbidden, joined] = &shard.take(alice)[..] else { panic!("three acks") };
    assert!(duplicate.contains("Duplicate") && forbidden.contains("Forbidden") && joined.contains("true"));
    assert!(shard.exists(Target::Group(group("room"))));
}

#[test]
fn a_client_can_be_reached_and_named_while_it_is_away() {
    let (mut shard, alice, id) = shard();
    shard.cut(alice);
    for target in [Target::User(user("alice")), Target::Connection(id.clone()), Target::Group(group("g"))] {
        assert!(shard.exists(target.clone()));
        shard.publish(target, text("for later"));
    }
    shard.recover(&id);
    assert_eq!(shard.take(alice).len(), 3);
}

#[test]
fn everything_survives_the_loss_of_memory_and_a_crash() {
    for crash in [false, true] {
        let (mut shard, alice, id) = shard();
        shard.send(alice, r#"{"type":"joinGroup","group":"h","ackId":18446744073709551615}"#);
        shard.take(alice);
        shard.publish(Target::All, text("one"));
        shard.publish(Target::All, text("two"));
        let sent = shard.take(alice);
        acknowledge(&mut shard, alice, 1);
        if crash {
            shard.crash();
        } else {
            shard.cut(alice);
        }
        shard.publish(Target::Group(group("h")), text("three"));
        shard.hibernate();
        assert_eq!(shard.recover(&id), Some(alice));
        let mut frames = shard.take(alice);
        if crash {
            // The acknowledgement was on the socket. The client knows the message and drops it.
            assert_eq!(frames.remove(0), sent[0]);
        }
        assert_eq!(frames[0], sent[1]);
        assert!(frames[1].contains("three") && frames[1].ends_with("\"sequenceId\":3}"));
        shard.send(alice, r#"{"type":"joinGroup","group":"h","ackId":18446744073709551615}"#);
        assert!(shard.take(alice)[0].contains("Duplicate"), "{crash}");
    }
}

#[test]
fn the_minute_is_not_begun_again_when_memory_is_lost() {
    let (mut shard, alice, id) = shard();
    shard.cut(alice);
    let due = shard.core().next_deadline();
    shard.pass(WINDOW - MILLISECOND);
    shard.hibernate();
    assert_eq!(shard.core().next_deadline(), due);
    shard.pass(MILLISECOND);
    assert_eq!(shard.recover(&id), None);
}

#[test]
fn after_a_crash_the_minute_begins_with_the_new_start() {
    let (mut shard, alice, id) = shard();
    shard.now = shard.now.after(WINDOW * 10);
    shard.crash();
    assert_eq!(shard.core().next_deadline(), Some(shard.now.after(WINDOW)));
    shard.hibernate();
    assert_eq!(shard.core().next_deadline(), Some(shard.now.after(WINDOW)), "and only with the first");
    assert_eq!(shard.recover(&id), Some(alice));
}

#[test]
fn a_message_that_is_lost_is_said_to_be_lost() {
    let (mut shard, alice, id) = shard();
    shard.cut(alice);
    shard.publish(Target::All, text("one"));
    shard.messages.clear();
    shard.recover(&id);
    assert_eq!(shard.closed[0].code, 1008);
    assert_eq!(shard.recover(&id), None);
}

#[test]
fn a_slot_is_used_again_without_the_old_messages() {
    let (mut shard, alice, id) = shard();
    shard.publish(Target::All, text("for alice"));
    shard.close(alice, CloseCode::NORMAL);
    let bob = shard.connected(reliable("bob"));
    assert_eq!(alice, bob);
    shard.hibernate();
    assert_eq!(shard.take(bob), [""; 0]);
    assert_eq!(shard.recover(&id), None);
}
