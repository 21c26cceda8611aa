//! What a shard writes whose sockets end with its memory: no more than what outlives a socket.

use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::event_handler::HandlerAnswer;
use webpubsub_shard::{ConnectRequest, Input, Output, ShardConfig, Snapshot, Sockets, Target};
use webpubsub_testkit::{
    ALL_EVENTS, TestShard, group, json, policy, reliable, settings, status, text, with_handlers,
};

const CONFIG: ShardConfig = ShardConfig { sockets: Sockets::EndWithMemory, ..ShardConfig::only() };

fn in_group(request: ConnectRequest) -> ConnectRequest {
    ConnectRequest { groups: vec![group("g")], ..request }
}

/// The events that its handler is called with, all of which it takes.
fn events(shard: &mut TestShard) -> Vec<String> {
    let mut events = Vec::new();
    while !shard.calls.is_empty() {
        let answer: HandlerAnswer = status(204);
        events.push(shard.end_call(Ok(answer)).event);
    }
    events
}

#[test]
fn a_plain_connection_writes_and_carries_nothing() {
    let mut shard = TestShard::at(CONFIG);
    let alice = shard.connected(in_group(json("alice")));
    let mut outputs = Vec::new();
    for message in [
        r#"{"type":"joinGroup","group":"h","ackId":1}"#,
        r#"{"type":"sendToGroup","group":"h","data":1,"ackId":2}"#,
        r#"{"type":"leaveGroup","group":"g","ackId":3}"#,
        r#"{"type":"joinGroup","group":"h","ackId":1}"#,
    ] {
        let frame = webpubsub_protocol::client::Frame::Text(message.into());
        outputs.extend(shard.input(Input::Frame { from: alice, frame }));
    }
    assert!(shard.take(alice).join("").contains("Duplicate"), "the rules are the same");
    shard.close(alice, CloseCode::NORMAL);
    assert!(outputs.iter().all(|output| matches!(output, Output::Send { .. })), "{outputs:?}");
    assert_eq!(shard.disk, Snapshot::default());
}

#[test]
fn a_reliable_connection_is_recovered_after_a_crash() {
    let mut shard = TestShard::at(CONFIG);
    let bob = shard.connected(in_group(reliable("bob")));
    let id = shard.id(bob);
    shard.take(bob);
    shard.publish(Target::Group(group("g")), text("before"));
    shard.crash();
    shard.publish(Target::Group(group("g")), text("after"));
    let bob = shard.recover(&id).expect("it is recovered");
    let received = shard.take(bob).join("\n");
    assert!(received.contains("before") && received.contains("after"), "{received}");
}

#[test]
fn handlers_receive_the_end_of_what_a_crash_ends() {
    let mut shard = TestShard::with(CONFIG, with_handlers(ALL_EVENTS));
    shard.connected(in_group(json("alice")));
    assert_eq!(events(&mut shard), ["connected", "joined"]);
    shard.crash();
    assert_eq!(events(&mut shard), ["left", "disconnected"]);
    assert_eq!(shard.disk.connections, []);
}

#[test]
fn handlers_that_come_later_receive_the_ends_as_well() {
    let mut shard = TestShard::with(CONFIG, policy());
    shard.connected(in_group(json("alice")));
    assert_eq!(shard.disk.connections.len(), 0);
    shard.input(Input::Settings { settings: Some(settings(ALL_EVENTS)), since: 1 });
    assert_eq!((shard.disk.connections.len(), shard.disk.memberships.len()), (1, 1));
    shard.crash();
    assert_eq!(events(&mut shard), ["left", "disconnected"]);
}

#[test]
fn a_state_is_ended_for_those_who_outlive_its_member() {
    let mut shard = TestShard::at(CONFIG);
    let bob = shard.connected(in_group(reliable("bob")));
    let id = shard.id(bob);
    shard.send(bob, r#"{"type":"subscribeGroupState","group":"g","ackId":1}"#);
    let alice = shard.connected(in_group(json("alice")));
    shard.send(alice, r#"{"type":"setGroupState","group":"g","state":{"x":"1"},"ackId":1}"#);
    assert!(shard.take(bob).last().is_some_and(|last| last.contains(r#""x":"1""#)));
    shard.crash();
    let bob = shard.recover(&id).expect("it is recovered");
    let received = shard.take(bob);
    let end = received.last().expect("the end of the state");
    assert!(end.contains("groupState") && !end.contains(r#""x""#), "{received:?}");
    assert_eq!(shard.disk.states, []);
}
