//! What a driver asks of its host: what, in which order, and when to take a turn.
#![expect(clippy::expect_used, reason = "a broken expectation is a failed test")]

mod clocks;
mod host;

use std::time::Duration;

use expect_test::expect;
use webpubsub_mqtt::{Connect, Properties, Property, Qos, UpstreamPacket, Version, Will};
use webpubsub_protocol::client::{Frame, Subprotocol};
use webpubsub_shard::{Answer, Command, Driver, Full, Input, Reply, ShardConfig, ShardId, Slot, Target};
use webpubsub_testkit::MqttClient;

use crate::host::{DiskFull, PUBLISH, ScriptedHost, connect, cut, driver, id, publish, send, step};

#[test]
fn a_connect_is_answered_with_what_its_client_speaks() {
    let (mut driver, mut host) = driver(ShardConfig { capacity: 1, ..ShardConfig::only() });
    let answer = connect(&mut driver, &mut host, 1, Subprotocol::Json);
    assert_eq!(answer, Answer { accepted: Some(Subprotocol::Json), ..Answer::default() });
    let answer = connect(&mut driver, &mut host, 2, Subprotocol::Json);
    assert_eq!(answer, Answer { refused: Some(Full::Shard), ..Answer::default() });
    let answer =
        step(&mut driver, &mut host, Input::Recover { connection: id(3), reconnection_token: String::new() });
    assert_eq!(answer, Answer::default());
}

#[test]
fn a_command_is_answered_with_its_reply() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    let answer = step(&mut driver, &mut host, Input::Command(Command::Exists(Target::All)));
    assert!(answer.reply.is_some());
    let answer = step(&mut driver, &mut host, publish());
    assert_eq!(answer, Answer { reply: Some(Reply::Done), ..Answer::default() });
}

#[test]
fn nothing_leaves_before_it_is_stored() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect(&mut driver, &mut host, 1, Subprotocol::JsonReliable);
    send(&mut driver, &mut host, 0, PUBLISH);
    driver.turn(&mut host).expect("the disk has space");
    host.check(&expect![[r#"
        turn Soon
        store UseAcks
        store Log
        send numbered [(0, 1)]
        send [0] ack
    "#]]);
}

#[test]
fn nothing_leaves_after_the_disk_has_failed() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect(&mut driver, &mut host, 1, Subprotocol::JsonReliable);
    host.space = 0;
    assert_eq!(driver.step(&mut host, publish()), Err(DiskFull));
    host.check(&expect![[r#""#]]);
}

#[test]
fn sockets_that_turn_out_lost_are_closed_in_order() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    for number in 0..4 {
        connect(&mut driver, &mut host, number, Subprotocol::Json);
    }
    host.gone = vec![Slot(3), Slot(1), Slot(2)];
    step(&mut driver, &mut host, publish());
    host.check(&expect![[r#"
        send [0, 1, 2, 3] message
        turn Soon
    "#]]);
    driver.turn(&mut host).expect("the disk has space");
    host.check(&expect![[r#"
        forget 1
        forget 2
        forget 3
    "#]]);
    assert_eq!(driver.shard.connections(), 1);
}

#[test]
fn a_socket_that_is_lost_and_closed_at_once_ends_once() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect(&mut driver, &mut host, 1, Subprotocol::JsonReliable);
    host.gone = vec![Slot(0)];
    send(&mut driver, &mut host, 0, PUBLISH);
    step(&mut driver, &mut host, cut(0));
    driver.turn(&mut host).expect("the disk has space");
    host.check(&expect![[r#"
        turn Soon
        turn Soon
        store UseAcks
        store Log
        store Detach
        send numbered [(0, 1)]
        send [0] ack
        forget 0
        alarm in 60s
    "#]]);
    driver.turn(&mut host).expect("the disk has space");
    host.check(&expect![""]);
}

/// A device in this slot goes on with its session of 30 s, and has a will.
fn connect_device(driver: &mut Driver, host: &mut ScriptedHost, slot: u8) {
    connect(driver, host, slot, Subprotocol::Mqtt);
    let mut hello = Connect { clean_start: false, ..MqttClient::hello(Version::V5, "device") };
    hello.properties.push_number(Property::SessionExpiryInterval, 30);
    let mut properties = Properties::default();
    properties.push_number(Property::WillDelayInterval, 30);
    let will = Will { topic: "g".into(), payload: vec![0], qos: Qos::AtMostOnce, retain: false, properties };
    hello.will = Some(will);
    let bytes = UpstreamPacket::Connect(Box::new(hello)).encode(Version::V5);
    step(driver, host, Input::Frame { from: Slot(slot.into()), frame: Frame::Binary(bytes) });
}

#[test]
fn a_socket_is_not_lost_with_the_one_before_its_recovery() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect_device(&mut driver, &mut host, 0);
    connect(&mut driver, &mut host, 1, Subprotocol::JsonReliable);
    step(&mut driver, &mut host, cut(0));
    driver.turn(&mut host).expect("the disk has space");
    host.done.clear();
    // The client is what wakes the shard, before any timer.
    host.now = host.now.after(Duration::from_secs(31));
    host.gone = vec![Slot(1)];
    step(&mut driver, &mut host, Input::Recover { connection: id(1), reconnection_token: String::new() });
    host.check(&expect![[r#"
        store Log
        send numbered [(1, 1)]
        store RemoveMqtt
        store RemoveConnection
        close 1 1001
        accept 1 JsonReliable
        attach 1
        read row 1
        send numbered [(1, 1)]
    "#]]);
    driver.turn(&mut host).expect("the disk has space");
    host.check(&expect![""]);
}

#[test]
fn a_socket_is_not_lost_with_the_one_whose_session_it_takes() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect_device(&mut driver, &mut host, 0);
    host.gone = vec![Slot(0)];
    connect_device(&mut driver, &mut host, 1);
    host.check(&expect![[r#"
        send [0] bytes
        close 0 1001
        store PutMqtt
        rename 1 0
        send [0] bytes
        attach 0
        timer never
    "#]]);
    driver.turn(&mut host).expect("the disk has space");
    host.check(&expect![""]);
}

#[test]
fn a_connection_ends_if_its_socket_is_not_accepted() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    host.gone = vec![Slot(0)];
    let answer = connect(&mut driver, &mut host, 1, Subprotocol::Json);
    assert_eq!(answer, Answer { refused: Some(Full::Shard), ..Answer::default() });
    assert_eq!(driver.shard.connections(), 0);
}

#[test]
fn rows_are_read_and_sent_where_they_are_asked_for() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect(&mut driver, &mut host, 1, Subprotocol::JsonReliable);
    step(&mut driver, &mut host, publish());
    step(&mut driver, &mut host, publish());
    host.done.clear();
    let answer =
        step(&mut driver, &mut host, Input::Recover { connection: id(1), reconnection_token: String::new() });
    assert_eq!(answer.accepted, Some(Subprotocol::JsonReliable));
    host.check(&expect![[r#"
        close 0 1001
        accept 0 JsonReliable
        attach 0
        read row 1
        send numbered [(0, 1)]
        read row 2
        send numbered [(0, 2)]
    "#]]);
}

#[test]
fn a_client_that_does_not_read_is_closed() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect(&mut driver, &mut host, 1, Subprotocol::Json);
    step(&mut driver, &mut host, Input::Measure);
    host.check(&expect![[r#""#]]);
    host.unread_bytes = 1 << 30;
    step(&mut driver, &mut host, Input::Measure);
    host.check(&expect![[r#"
        send [0] system
        close 0 1008
    "#]]);
}

#[test]
fn a_turn_is_scheduled_while_something_waits_for_it() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect(&mut driver, &mut host, 1, Subprotocol::JsonReliable);
    send(&mut driver, &mut host, 0, r#"{"type":"leaveGroup","group":"g","ackId":1}"#);
    host.check(&expect![[r#"
        turn Soon
    "#]]);
    driver.catch_up(&mut host).expect("the disk has space");
    host.check(&expect![[r#"
        store UseAcks
        store Leave
        send [0] ack
    "#]]);
    driver.catch_up(&mut host).expect("the disk has space");
    host.check(&expect![[r#""#]]);
}

#[test]
fn a_turn_comes_before_more_once_enough_has_arrived() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    connect(&mut driver, &mut host, 1, Subprotocol::Json);
    for _ in 0..128 {
        send(&mut driver, &mut host, 0, r#"{"type":"ping"}"#);
    }
    assert_eq!(host.done.last().map(String::as_str), Some("turn BeforeMore"));
    assert_eq!(host.done.iter().filter(|done| done.starts_with("turn")).count(), 1);
}

#[test]
fn rows_that_are_gone_are_left_out_of_a_batch() {
    let (mut driver, mut host) = driver(ShardConfig { shards: 2, ..ShardConfig::only() });
    connect(&mut driver, &mut host, 1, Subprotocol::JsonReliable);
    send(&mut driver, &mut host, 0, PUBLISH);
    send(&mut driver, &mut host, 0, &PUBLISH.replace(r#""ackId":1"#, r#""ackId":2"#));
    driver.turn(&mut host).expect("the disk has space");
    let failed = Input::Relayed { to: ShardId(1), last: 2, taken: false };
    step(&mut driver, &mut host, failed);
    host.log.remove(&2);
    host.now = host.now.after(Duration::from_secs(1));
    host.done.clear();
    step(&mut driver, &mut host, Input::Timeout);
    host.done.retain(|done| done.starts_with("relay"));
    host.check(&expect![[r#"
        relay [1] up to 2 from 0 to 1
    "#]]);
}

#[test]
fn what_may_write_for_a_request_shares_a_commit() {
    let (mut driver, mut host) = driver(ShardConfig::only());
    let Input::Command(publish) = publish() else { return };
    assert!(!driver.shard.shares_commit(&publish), "nothing is written for clients that are not reliable");
    connect(&mut driver, &mut host, 1, Subprotocol::JsonReliable);
    assert!(driver.shard.shares_commit(&publish));
    assert!(!driver.shard.shares_commit(&Command::Exists(Target::All)), "it is a question");
}
