//! What a shard still knows when its memory was lost.

use webpubsub_protocol::client::Echo;
use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::role::PermissionType;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{Command, ConnectRequest, Input, Permission, Reply, Shard, ShardConfig, Target};
use webpubsub_testkit::{TestShard, group, json, policy, reliable, settings, text, user};

#[test]
fn clients_keep_their_groups_users_and_permissions() {
    let mut shard = TestShard::new();
    let alice = shard.connected(json("alice"));
    let simple = shard.connected(ConnectRequest { groups: vec![group("g")], ..ConnectRequest::default() });
    shard.send(alice, r#"{"type":"joinGroup","group":"g"}"#);
    shard.hibernate();
    shard.publish(Target::Group(group("g")), text("awake"));
    assert_eq!(shard.take(simple), ["awake"]);
    assert_eq!(shard.take(alice).len(), 1);
    assert!(shard.exists(Target::User(user("alice"))));
    shard.send(alice, r#"{"type":"sendToGroup","group":"g","data":1,"ackId":1}"#);
    assert_eq!(shard.take(simple), ["1"]);
    assert!(shard.take(alice)[1].contains(r#""success":true"#));
}

#[test]
fn a_group_that_was_left_stays_left() {
    let mut shard = TestShard::new();
    let alice = shard.connected(ConnectRequest { groups: vec![group("g"), group("h")], ..json("alice") });
    shard.send(alice, r#"{"type":"leaveGroup","group":"g"}"#);
    shard.hibernate();
    assert!(!shard.exists(Target::Group(group("g"))));
    assert!(shard.exists(Target::Group(group("h"))));
}

#[test]
fn ack_ids_stay_used() {
    let mut shard = TestShard::new();
    let alice = shard.connected(json("alice"));
    shard.send(alice, r#"{"type":"joinGroup","group":"g","ackId":18446744073709551615}"#);
    shard.take(alice);
    shard.hibernate();
    shard.send(alice, r#"{"type":"leaveGroup","group":"g","ackId":18446744073709551615}"#);
    assert!(shard.take(alice).join("").contains("Duplicate"));
}

#[test]
fn sequence_ids_have_no_gap_however_often_memory_is_lost() {
    let mut shard = TestShard::new();
    let early = shard.connected(reliable("early"));
    let mut late = None;
    let mut expected = (0, 0);
    for publish in 0..3000 {
        if publish % 700 == 699 {
            shard.hibernate();
        }
        if publish == 1500 {
            late = Some(shard.connected(reliable("late")));
        }
        shard.publish(Target::All, text("x"));
        expected.0 += 1;
        assert!(shard.take(early)[0].ends_with(&format!("\"sequenceId\":{}}}", expected.0)));
        shard.send(early, &format!(r#"{{"type":"sequenceAck","sequenceId":{}}}"#, expected.0));
        if let Some(late) = late {
            expected.1 += 1;
            assert!(shard.take(late)[0].ends_with(&format!("\"sequenceId\":{}}}", expected.1)));
            shard.send(late, &format!(r#"{{"type":"sequenceAck","sequenceId":{}}}"#, expected.1));
        }
    }
    assert!(shard.disk.log.len() <= 1024, "the log is trimmed");
    assert_eq!(shard.disk.log.len(), shard.messages.len());
}

#[test]
fn what_was_not_acknowledged_is_sent_again_before_anything_else() {
    let mut shard = TestShard::new();
    let alice = shard.connected(reliable("alice"));
    for message in ["one", "two", "three"] {
        shard.publish(Target::All, text(message));
    }
    let sent = shard.take(alice);
    shard.send(alice, r#"{"type":"sequenceAck","sequenceId":1}"#);
    shard.hibernate();
    shard.publish(Target::All, text("four"));
    let again = shard.take(alice);
    assert_eq!(again[..2], sent[1..]);
    assert!(again[2].contains("four") && again[2].ends_with("\"sequenceId\":4}"));
}

#[test]
fn one_message_that_is_never_acknowledged_keeps_one_row() {
    let mut shard = TestShard::new();
    let silent = shard.connected(reliable("silent"));
    let other = shard.connected(reliable("other"));
    shard.publish(Target::User(user("silent")), text("kept"));
    for number in 1..=5000 {
        shard.publish(Target::User(user("other")), text("x"));
        shard.send(other, &format!(r#"{{"type":"sequenceAck","sequenceId":{number}}}"#));
    }
    assert!(shard.disk.log.len() <= 1025, "{}", shard.disk.log.len());
    shard.take(silent);
    shard.take(other);
    shard.hibernate();
    assert!(shard.take(silent)[0].contains("kept"));
    assert!(shard.take(other).is_empty());
}

#[test]
fn a_slots_next_owner_counts_from_one() {
    let mut shard = TestShard::new();
    let first = shard.connected(reliable("first"));
    shard.publish(Target::All, text("x"));
    shard.close(first, CloseCode::NORMAL);
    let second = shard.connected(reliable("second"));
    assert_eq!(first, second);
    shard.hibernate();
    shard.publish(Target::All, text("x"));
    assert!(shard.take(second)[0].ends_with("\"sequenceId\":1}"));
}

#[test]
fn publishes_without_a_reliable_receiver_write_nothing() {
    let mut shard = TestShard::new();
    shard.connected(json("alice"));
    let before = shard.disk.clone();
    shard.publish(Target::All, text("x"));
    assert_eq!(shard.disk, before);
}

#[test]
fn a_simple_clients_mode_is_kept() {
    let mode = SimpleMode::SendToGroup { group: group("g"), echo: Echo::Send };
    let roles = vec!["webpubsub.sendToGroup".to_owned()];
    let mut shard = TestShard::new();
    let groups = vec![group("g")];
    let sender = shard.connected(ConnectRequest { roles, groups, mode, ..ConnectRequest::default() });
    shard.hibernate();
    shard.send(sender, "hi");
    assert_eq!(shard.take(sender), ["hi"]);
}

#[test]
fn plain_connections_without_a_socket_are_gone_after_a_crash() {
    let mut shard = TestShard::new();
    let alice = shard.connected(json("alice"));
    shard.send(alice, r#"{"type":"joinGroup","group":"g"}"#);
    shard.crash();
    assert_eq!(shard.core().connections(), 0);
    assert!(!shard.exists(Target::Group(group("g"))));
    assert!(shard.kept().connections.is_empty() && shard.kept().memberships.is_empty());
}

/// What a plain connection without an event handler leaves on disk, in any of its ways through life.
#[test]
fn a_plain_connection_that_fits_its_socket_writes_nothing() {
    let mut shard = TestShard::new();
    let before = shard.disk.clone();
    let alice = shard.connected(ConnectRequest { groups: vec![group("g")], ..json("alice") });
    for message in [
        r#"{"type":"joinGroup","group":"h","ackId":1}"#,
        r#"{"type":"leaveGroup","group":"g","ackId":2}"#,
        r#"{"type":"sendToGroup","group":"h","data":1,"ackId":3}"#,
    ] {
        shard.send(alice, message);
        shard.hibernate();
    }
    assert!(shard.exists(Target::Group(group("h"))) && !shard.exists(Target::Group(group("g"))));
    let to = Target::User(user("alice")).into();
    assert_eq!(shard.command(Command::Join { to, groups: vec![group("i")] }), Reply::Done);
    shard.hibernate();
    assert!(shard.exists(Target::Group(group("i"))));
    shard.close(alice, CloseCode::NORMAL);
    assert_eq!(shard.disk, before);
    shard.hibernate();
    assert_eq!(shard.core().connections(), 0);
}

#[test]
fn a_connection_that_outgrows_its_socket_is_on_disk() {
    let mut shard = TestShard::new();
    let alice = shard.connected(json("alice"));
    for name in ["a", "b", "c", "d"] {
        let join = format!(r#"{{"type":"joinGroup","group":"{}"}}"#, name.repeat(600));
        shard.send(alice, &join);
        shard.hibernate();
    }
    assert_eq!((shard.disk.connections.len(), shard.disk.memberships.len()), (1, 4));
    // What it leaves makes it no smaller than its rows.
    shard.send(alice, &format!(r#"{{"type":"leaveGroup","group":"{}"}}"#, "a".repeat(600)));
    assert_eq!(shard.disk.memberships.len(), 3);
    shard.close(alice, CloseCode::NORMAL);
    assert!(shard.disk.connections.is_empty() && shard.disk.memberships.is_empty());
}

#[test]
fn permissions_states_and_streams_bring_a_connection_to_disk() {
    for message in [
        r#"{"type":"setGroupState","group":"g","state":{"n":"1"},"ackId":1}"#,
        r#"{"type":"subscribeGroupState","group":"g","ackId":1}"#,
        r#"{"type":"sendToGroup","group":"g","stream":{"streamId":"s"},"ackId":1}"#,
        "",
    ] {
        let mut shard = TestShard::new();
        let alice = shard.connected(ConnectRequest { groups: vec![group("g")], ..json("alice") });
        if message.is_empty() {
            let (connection, group) = (shard.id(alice), group("other"));
            let permission = Permission { connection, kind: PermissionType::SendToGroup, group };
            assert_eq!(shard.command(Command::Revoke(permission)), Reply::Done);
        } else {
            shard.send(alice, message);
        }
        assert_eq!((shard.disk.connections.len(), shard.disk.memberships.len()), (1, 1), "{message}");
        shard.hibernate();
        shard.send(alice, r#"{"type":"leaveGroup","group":"g"}"#);
        assert!(shard.disk.memberships.is_empty());
        shard.crash();
        assert!(shard.disk.connections.is_empty() && shard.disk.states.is_empty(), "{message}");
    }
}

#[test]
fn connections_are_written_once_a_handler_awaits_their_end() {
    let mut shard = TestShard::new();
    for name in ["alice", "bob"] {
        shard.connected(ConnectRequest { groups: vec![group("g")], ..json(name) });
    }
    let handlers = r#"[{"urlTemplate":"https://a.example/","systemEvents":["disconnected"]}]"#;
    shard.input(Input::Settings { settings: Some(settings(handlers)), since: 1 });
    assert_eq!((shard.disk.connections.len(), shard.disk.memberships.len()), (2, 2));
    shard.hibernate();
    assert_eq!(shard.core().connections(), 2);
    shard.crash();
    assert_eq!(shard.calls_in_words(), ["alice disconnected 2", "bob disconnected 2"]);
}

#[test]
fn a_socket_without_a_connection_has_no_slot() {
    let mut shard = TestShard::new();
    shard.connected(json("alice"));
    let restored = Shard::restore(
        Timestamp::from_millis(0),
        ShardConfig::only(),
        policy(),
        webpubsub_shard::Snapshot::default(),
        vec![None],
    );
    assert_eq!(restored.slots, [None]);
}
