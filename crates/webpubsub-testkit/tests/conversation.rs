//! Sessions of the client core talk through hubs, with every frame that crosses a socket in sight.

use std::time::Duration;

use expect_test::expect;
use webpubsub_client_core::{Delivery, Operation};
use webpubsub_protocol::client::{Echo, Subprotocol};
use webpubsub_protocol::data::MessageData;
use webpubsub_protocol::name::EventName;
use webpubsub_shard::{ConnectRequest, Target};
use webpubsub_testkit::{Net, TestShard, USER_EVENTS, group, json, reliable, says, text, with_handlers};

fn join(name: &str) -> Operation<MessageData> {
    Operation::JoinGroup { group: group(name), ack_id: None }
}

fn send(name: &str, data: MessageData) -> Operation<MessageData> {
    let delivery = Delivery::Acknowledged { ack_id: None };
    Operation::SendToGroup { group: group(name), data, echo: Echo::Send, delivery }
}

#[test]
fn a_message_goes_from_one_client_to_another() {
    let mut net = Net::new(1);
    let [alice, bob] = ["alice", "bob"].map(|name| net.connected(json(name)));
    net.operate(bob, join("g"));
    net.operate(alice, send("g", text("hi")));
    net.run_until_quiet();
    net.check(&expect![[r#"
        c0 → {"type":"sendToGroup","group":"g","ackId":1,"noEcho":false,"dataType":"text","data":"hi"}
        c1 → {"type":"joinGroup","group":"g","ackId":1}
        c0 ← {"type":"ack","ackId":1,"success":true}
        c1 ← {"type":"ack","ackId":1,"success":true}
        c0 done
        c1 done
    "#]]);
    net.operate(alice, send("g", text("hi")));
    net.run_until_quiet();
    net.check(&expect![[r#"
        c0 → {"type":"sendToGroup","group":"g","ackId":2,"noEcho":false,"dataType":"text","data":"hi"}
        c0 ← {"type":"ack","ackId":2,"success":true}
        c1 ← {"type":"message","from":"group","fromUserId":"alice","group":"g","dataType":"text","data":"hi"}
        c0 done
        c1 • message
    "#]]);
}

#[test]
fn clients_that_write_differently_understand_each_other() {
    let mut net = Net::new(2);
    let alice = net.connected(json("alice"));
    let bob = net.connected(ConnectRequest { subprotocol: Subprotocol::ProtobufReliable, ..json("bob") });
    for client in [alice, bob] {
        net.operate(client, join("g"));
    }
    net.run_until_quiet();
    net.forget();
    net.operate(alice, send("g", MessageData::Protobuf(vec![10, 3, b'a', b'/', b'b'])));
    net.run_until_quiet();
    net.operate(bob, send("g", text("hi")));
    net.run_until_quiet();
    net.check(&expect![[r#"
        c0 → {"type":"sendToGroup","group":"g","ackId":2,"noEcho":false,"dataType":"protobuf","data":"CgNhL2I="}
        c0 ← {"type":"message","from":"group","fromUserId":"alice","group":"g","dataType":"protobuf","data":"CgNhL2I="}
        c0 ← {"type":"ack","ackId":2,"success":true}
        c0 • message
        c0 done
        c1 ← {"type":"message","from":"group","group":"g","dataType":"protobuf","data":"CgNhL2I=","sequenceId":1}
        c1 • message
        c1 → {"type":"sendToGroup","group":"g","ackId":2,"noEcho":false,"dataType":"text","data":"hi"}
        c1 ← {"type":"message","from":"group","group":"g","dataType":"text","data":"hi","sequenceId":2}
        c1 ← {"type":"ack","ackId":2,"success":true}
        c1 • message
        c1 done
        c0 ← {"type":"message","from":"group","fromUserId":"bob","group":"g","dataType":"text","data":"hi"}
        c0 • message
    "#]]);
}

#[test]
fn connecting_ends_with_the_connected_event() {
    let mut net = Net::new(1);
    let client = net.add(reliable("alice"));
    net.start(client);
    net.run_until_quiet();
    net.check(&expect![[r#"
        c0 start: Ok(())
        c0 → {"type":"ping"}
        c0 ← {"type":"system","event":"connected","userId":"alice","connectionId":"AQAAAQEBAQEBAQEBAQEBAQEBAQ","reconnectionToken":"token"}
        c0 ← {"type":"pong"}
        c0 • connected
    "#]]);
}

#[test]
fn four_shards_are_one_hub() {
    let mut net = Net::new(4);
    let members: Vec<_> = (0..8).map(|n| net.connected(json(&format!("user{n}")))).collect();
    for member in &members {
        net.operate(*member, join("g"));
    }
    net.run_until_quiet();
    net.forget();
    net.operate(members[0], send("g", text("from a client")));
    net.run_until_quiet();
    net.publish(&Target::Group(group("g")), &text("from a server"));
    net.run_until_quiet();
    net.check(&expect![[r#"
        c0 → {"type":"sendToGroup","group":"g","ackId":2,"noEcho":false,"dataType":"text","data":"from a client"}
        c0 ← {"type":"message","from":"group","fromUserId":"user0","group":"g","dataType":"text","data":"from a client"}
        c0 ← {"type":"ack","ackId":2,"success":true}
        c4 ← {"type":"message","from":"group","fromUserId":"user0","group":"g","dataType":"text","data":"from a client"}
        c0 • message
        c0 done
        c4 • message
        c1 ← {"type":"message","from":"group","fromUserId":"user0","group":"g","dataType":"text","data":"from a client"}
        c2 ← {"type":"message","from":"group","fromUserId":"user0","group":"g","dataType":"text","data":"from a client"}
        c3 ← {"type":"message","from":"group","fromUserId":"user0","group":"g","dataType":"text","data":"from a client"}
        c5 ← {"type":"message","from":"group","fromUserId":"user0","group":"g","dataType":"text","data":"from a client"}
        c6 ← {"type":"message","from":"group","fromUserId":"user0","group":"g","dataType":"text","data":"from a client"}
        c7 ← {"type":"message","from":"group","fromUserId":"user0","group":"g","dataType":"text","data":"from a client"}
        c1 • message
        c2 • message
        c3 • message
        c5 • message
        c6 • message
        c7 • message
        c0 ← {"type":"message","from":"group","group":"g","dataType":"text","data":"from a server"}
        c1 ← {"type":"message","from":"group","group":"g","dataType":"text","data":"from a server"}
        c2 ← {"type":"message","from":"group","group":"g","dataType":"text","data":"from a server"}
        c3 ← {"type":"message","from":"group","group":"g","dataType":"text","data":"from a server"}
        c4 ← {"type":"message","from":"group","group":"g","dataType":"text","data":"from a server"}
        c5 ← {"type":"message","from":"group","group":"g","dataType":"text","data":"from a server"}
        c6 ← {"type":"message","from":"group","group":"g","dataType":"text","data":"from a server"}
        c7 ← {"type":"message","from":"group","group":"g","dataType":"text","data":"from a server"}
        c0 • message
        c1 • message
        c2 • message
        c3 • message
        c4 • message
        c5 • message
        c6 • message
        c7 • message
    "#]]);
}

#[test]
fn a_client_that_was_cut_off_comes_back_with_its_groups() {
    let mut net = Net::new(1);
    let alice = net.connected(json("alice"));
    net.operate(alice, join("g"));
    net.run_until_quiet();
    net.forget();
    net.cut(alice);
    net.run_until_quiet();
    net.check(&expect![[r#"
        c0 • disconnected with 1006, will reconnect
        c0 → {"type":"ping"}
        c0 ← {"type":"system","event":"connected","userId":"alice","connectionId":"AQAAAgICAgICAgICAgICAgICAg"}
        c0 ← {"type":"pong"}
        c0 → {"type":"joinGroup","group":"g","ackId":2}
        c0 ← {"type":"ack","ackId":2,"success":true}
        c0 • connected
    "#]]);
    net.publish(&Target::Group(group("g")), &text("back"));
    net.run_until_quiet();
    net.check(&expect![[r#"
        c0 ← {"type":"message","from":"group","group":"g","dataType":"text","data":"back"}
        c0 • message
    "#]]);
}

#[test]
fn a_client_that_was_cut_off_receives_every_message_once() {
    let mut net = Net::new(1);
    let alice = net.connected(reliable("alice"));
    net.operate(alice, join("g"));
    net.publish(&Target::All, &text("before"));
    net.run_until_quiet();
    net.forget();
    net.cut(alice);
    net.publish(&Target::All, &text("meanwhile"));
    net.run_until_quiet();
    net.publish(&Target::Group(group("g")), &text("after"));
    net.pass(Duration::from_millis(1500));
    net.check(&expect![[r#"
        c0 • recovering
        c0 → recover
        c0 → {"type":"ping"}
        c0 → {"type":"sequenceAck","sequenceId":1}
        c0 ← {"type":"message","from":"server","dataType":"text","data":"before","sequenceId":1}
        c0 ← {"type":"message","from":"server","dataType":"text","data":"meanwhile","sequenceId":2}
        c0 ← {"type":"pong"}
        c0 • recovered
        c0 • message
        c0 ← {"type":"message","from":"group","group":"g","dataType":"text","data":"after","sequenceId":3}
        c0 • message
        c0 → {"type":"sequenceAck","sequenceId":3}
    "#]]);
}

#[test]
fn a_recovery_that_is_refused_becomes_a_fresh_connection() {
    let mut net = Net::new(1);
    let alice = net.connected(reliable("alice"));
    net.operate(alice, join("g"));
    net.run_until_quiet();
    net.forget();
    net.cut(alice);
    net.shards[0] = TestShard::new();
    net.run_until_quiet();
    net.check(&expect![[r#"
        c0 • recovering
        c0 → recover
        c0 → {"type":"ping"}
        c0 • disconnected with 1008, will reconnect
        c0 → {"type":"ping"}
        c0 ← {"type":"system","event":"connected","userId":"alice","connectionId":"AQAAAQEBAQEBAQEBAQEBAQEBAQ","reconnectionToken":"token"}
        c0 ← {"type":"pong"}
        c0 → {"type":"joinGroup","group":"g","ackId":2}
        c0 ← {"type":"ack","ackId":2,"success":true}
        c0 • connected
    "#]]);
}

#[test]
fn a_forbidden_operation_is_tried_four_times_and_fails() {
    let mut net = Net::new(1);
    let mute = net.connected(ConnectRequest { roles: vec![], ..json("mute") });
    net.operate(mute, join("g"));
    net.pass(Duration::from_secs(5));
    net.check(&expect![[r#"
        c0 → {"type":"joinGroup","group":"g","ackId":1}
        c0 ← {"type":"ack","ackId":1,"success":false,"error":{"name":"Forbidden","message":"The client does not have permission to join group 'g'."}}
        c0 → {"type":"joinGroup","group":"g","ackId":2}
        c0 ← {"type":"ack","ackId":2,"success":false,"error":{"name":"Forbidden","message":"The client does not have permission to join group 'g'."}}
        c0 → {"type":"joinGroup","group":"g","ackId":3}
        c0 ← {"type":"ack","ackId":3,"success":false,"error":{"name":"Forbidden","message":"The client does not have permission to join group 'g'."}}
        c0 → {"type":"joinGroup","group":"g","ackId":4}
        c0 ← {"type":"ack","ackId":4,"success":false,"error":{"name":"Forbidden","message":"The client does not have permission to join group 'g'."}}
        c0 failed: the service refused it: The client does not have permission to join group 'g'.
    "#]]);
}

#[test]
fn reliable_clients_acknowledge_what_arrived_within_a_second() {
    let mut net = Net::new(1);
    let alice = net.connected(reliable("alice"));
    net.publish(&Target::All, &text("one"));
    net.publish(&Target::All, &text("two"));
    net.pass(Duration::from_millis(1500));
    net.check(&expect![[r#"
        c0 ← {"type":"message","from":"server","dataType":"text","data":"one","sequenceId":1}
        c0 ← {"type":"message","from":"server","dataType":"text","data":"two","sequenceId":2}
        c0 • message
        c0 • message
        c0 → {"type":"sequenceAck","sequenceId":2}
    "#]]);
    net.stop(alice);
    net.run_until_quiet();
    net.check(&expect![[r#"
        c0 • disconnected with 1005, will stop
        c0 • stopped
    "#]]);
}

#[test]
fn an_idle_client_pings_every_twenty_seconds() {
    let mut net = Net::new(1);
    net.connected(json("alice"));
    net.pass(Duration::from_secs(45));
    net.check(&expect![[r#"
        c0 → {"type":"ping"}
        c0 ← {"type":"pong"}
        c0 → {"type":"ping"}
        c0 ← {"type":"pong"}
    "#]]);
}

#[test]
fn an_event_is_answered_before_its_ack() {
    let mut net = Net::with(1, &with_handlers(USER_EVENTS));
    let bob = ConnectRequest { subprotocol: Subprotocol::ProtobufReliable, ..json("bob") };
    let clients = [json("alice"), bob].map(|request| net.connected(request));
    for client in clients {
        let event = EventName::parse("greet").unwrap();
        let delivery = Delivery::Acknowledged { ack_id: None };
        net.operate(client, Operation::SendEvent { event, data: text("hi"), delivery });
    }
    net.run_until_quiet();
    assert_eq!(net.shards[0].calls_in_words(), ["alice greet 2", "bob greet 2"]);
    for _ in clients {
        net.shards[0].end_call(Ok(says("text/plain", "hello")));
    }
    net.run_until_quiet();
    net.check(&expect![[r#"
        c0 → {"type":"event","event":"greet","ackId":1,"dataType":"text","data":"hi"}
        c1 → {"type":"event","event":"greet","ackId":1,"dataType":"text","data":"hi"}
        c0 ← {"type":"message","from":"server","dataType":"text","data":"hello"}
        c0 ← {"type":"ack","ackId":1,"success":true}
        c1 ← {"type":"message","from":"server","dataType":"text","data":"hello","sequenceId":1}
        c1 ← {"type":"ack","ackId":1,"success":true}
        c0 • message
        c0 done
        c1 • message
        c1 done
    "#]]);
}

#[test]
fn an_event_without_a_handler_fails_on_the_client() {
    let mut net = Net::new(1);
    let alice = net.connected(json("alice"));
    let event = EventName::parse("message").unwrap();
    let delivery = Delivery::Acknowledged { ack_id: None };
    net.operate(alice, Operation::SendEvent { event, data: text("hi"), delivery });
    net.run_until_quiet();
    net.pass(Duration::from_secs(10));
    net.check(&expect![[r#"
        c0 → {"type":"event","event":"message","ackId":1,"dataType":"text","data":"hi"}
        c0 ← {"type":"ack","ackId":1,"success":false,"error":{"name":"InternalServerError","message":"Internal server error"}}
        c0 → {"type":"event","event":"message","ackId":2,"dataType":"text","data":"hi"}
        c0 ← {"type":"ack","ackId":2,"success":false,"error":{"name":"InternalServerError","message":"Internal server error"}}
        c0 → {"type":"event","event":"message","ackId":3,"dataType":"text","data":"hi"}
        c0 ← {"type":"ack","ackId":3,"success":false,"error":{"name":"InternalServerError","message":"Internal server error"}}
        c0 → {"type":"event","event":"message","ackId":4,"dataType":"text","data":"hi"}
        c0 ← {"type":"ack","ackId":4,"success":false,"error":{"name":"InternalServerError","message":"Internal server error"}}
        c0 failed: the service refused it: Internal server error
    "#]]);
}
