//! Groups, users, permissions, acks.

use expect_test::expect;
use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{Echo, Frame};
use webpubsub_protocol::close::CloseCode;
use webpubsub_shard::{Command, ConnectRequest, Input, Limits, Reply, ShardConfig, Target};
use webpubsub_testkit::{Closed, TestShard, group, json, reliable, text, user};

const JOIN: &str = r#"{"type":"joinGroup","group":"g"}"#;
const LEAVE: &str = r#"{"type":"leaveGroup","group":"g"}"#;

#[test]
fn members_receive_a_publish_and_others_do_not() {
    let mut shard = TestShard::new();
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| shard.connected(json(name)));
    shard.send(alice, JOIN);
    shard.send(bob, JOIN);
    shard.send(carol, r#"{"type":"sendToGroup","group":"g","dataType":"text","data":"hi"}"#);
    let received =
        r#"{"type":"message","from":"group","fromUserId":"carol","group":"g","dataType":"text","data":"hi"}"#;
    assert_eq!(shard.take(alice), [received]);
    assert_eq!(shard.take(bob), [received]);
    assert_eq!(shard.take(carol), [""; 0]);
}

#[test]
fn leaving_a_group_stops_its_messages() {
    let mut shard = TestShard::new();
    let alice = shard.connected(json("alice"));
    shard.send(alice, JOIN);
    assert!(shard.exists(Target::Group(group("g"))));
    shard.send(alice, LEAVE);
    shard.publish(Target::Group(group("g")), text("late"));
    assert_eq!(shard.take(alice), [""; 0]);
    assert!(!shard.exists(Target::Group(group("g"))));
    assert!(shard.kept().memberships.is_empty());
}

#[test]
fn joining_twice_is_one_membership() {
    let mut shard = TestShard::new();
    let alice = shard.connected(ConnectRequest { groups: vec![group("g"), group("g")], ..json("alice") });
    shard.send(alice, JOIN);
    shard.publish(Target::Group(group("g")), text("once"));
    assert_eq!(shard.take(alice).len(), 1);
    assert_eq!(shard.kept().memberships.len(), 1);
}

/// A shard whose connections may be in `groups` groups.
fn with_groups(groups: u32) -> TestShard {
    TestShard::at(ShardConfig { limits: Limits { groups, ..Limits::DEFAULT }, ..ShardConfig::only() })
}

fn join(shard: &mut TestShard, to: Target, groups: &[&str]) -> Reply {
    shard.command(Command::Join { to: to.into(), groups: groups.iter().map(|name| group(name)).collect() })
}

#[test]
fn a_client_in_as_many_groups_as_it_may_be_joins_no_more() {
    for request in [json("alice"), reliable("alice")] {
        let mut shard = with_groups(2);
        let alice = shard.connected(ConnectRequest { groups: vec![group("g")], ..request });
        for (frame, ack) in [
            (r#"{"type":"joinGroup","group":"h","ackId":1}"#, r#""ackId":1,"success":true}"#),
            (
                r#"{"type":"joinGroup","group":"i","ackId":2}"#,
                r#""ackId":2,"success":false,"error":{"name":"Forbidden","message":"The client is in 2 groups, which is the limit."}}"#,
            ),
            (r#"{"type":"joinGroup","group":"h","ackId":3}"#, r#""ackId":3,"success":true}"#),
        ] {
            shard.send(alice, frame);
            assert_eq!(shard.take(alice), [format!(r#"{{"type":"ack",{ack}"#)]);
        }
        shard.send(alice, r#"{"type":"joinGroup","group":"i"}"#);
        assert_eq!(shard.take(alice), [""; 0], "who asks for no ack gets none");
        assert_eq!(shard.kept().memberships.len(), 2);
        shard.hibernate();
        shard.send(alice, LEAVE);
        shard.send(alice, r#"{"type":"joinGroup","group":"i","ackId":2}"#);
        assert_eq!(shard.take(alice), [r#"{"type":"ack","ackId":2,"success":true}"#], "there is room again");
    }
}

#[test]
fn servers_add_no_connection_to_more_groups_than_it_may_be_in() {
    let mut shard = with_groups(2);
    let [full, other] =
        [vec![group("g"), group("h")], vec![]].map(|groups| ConnectRequest { groups, ..json("alice") });
    let (full, _) = (shard.connected(full), shard.connected(other));
    let full = Target::Connection(shard.id(full));
    for to in [full.clone(), Target::User(user("alice")), Target::All] {
        assert_eq!(join(&mut shard, to, &["i"]), Reply::Conflict);
        assert!(!shard.exists(Target::Group(group("i"))), "none is added where one of them cannot be");
    }
    assert_eq!(join(&mut shard, full, &["g", "h"]), Reply::Done, "it is a member of these already");
    assert_eq!(join(&mut shard, Target::User(user("alice")), &["g", "h"]), Reply::Done);
    assert_eq!(join(&mut shard, Target::User(user("bob")), &["i"]), Reply::NotFound);
}

#[test]
fn a_client_may_be_in_4096_groups_or_as_many_as_there_are() {
    for (mut shard, is_full) in [(TestShard::new(), true), (with_groups(0), false)] {
        let groups = (0..4096).map(|n| group(&n.to_string())).collect();
        let alice = shard.connected(ConnectRequest { groups, ..json("alice") });
        shard.send(alice, r#"{"type":"joinGroup","group":"g","ackId":1}"#);
        assert_eq!(shard.take(alice)[0].contains("Forbidden"), is_full);
    }
}

#[test]
fn no_echo_leaves_out_the_sending_connection_only() {
    let mut shard = TestShard::new();
    let [first, second] = [0, 1].map(|_| shard.connected(json("alice")));
    shard.send(first, JOIN);
    shard.send(second, JOIN);
    shard.send(first, r#"{"type":"sendToGroup","group":"g","noEcho":true,"data":1}"#);
    assert_eq!(shard.take(first), [""; 0]);
    assert_eq!(shard.take(second).len(), 1);
}

#[test]
fn without_the_permission_an_ack_id_gets_forbidden() {
    let mut shard = TestShard::new();
    let mute = shard.connected(ConnectRequest { roles: vec![], ..json("mute") });
    for frame in [JOIN, LEAVE, r#"{"type":"sendToGroup","group":"g","data":1}"#] {
        shard.send(mute, frame);
    }
    assert_eq!(shard.take(mute), [""; 0]);
    shard.send(mute, r#"{"type":"joinGroup","group":"g","ackId":1}"#);
    shard.send(mute, r#"{"type":"leaveGroup","group":"g","ackId":1}"#);
    shard.send(mute, r#"{"type":"sendToGroup","group":"g","data":1,"ackId":0}"#);
    expect![[r#"
        {"type":"ack","ackId":1,"success":false,"error":{"name":"Forbidden","message":"The client does not have permission to join group 'g'."}}
        {"type":"ack","ackId":1,"success":false,"error":{"name":"Forbidden","message":"The client does not have permission to leave group 'g'."}}
        {"type":"ack","ackId":0,"success":false,"error":{"name":"Forbidden","message":"The client does not have permission to send to group 'g'."}}"#]]
    .assert_eq(&shard.take(mute).join("\n"));
    assert!(!shard.exists(Target::Group(group("g"))));
}

#[test]
fn being_put_into_a_group_grants_nothing_but_its_messages() {
    let mut shard = TestShard::new();
    let member = shard.connected(ConnectRequest { roles: vec![], groups: vec![group("g")], ..json("mute") });
    shard.send(member, r#"{"type":"leaveGroup","group":"g","ackId":1}"#);
    assert!(shard.take(member).join("").contains("Forbidden"));
    shard.publish(Target::Group(group("g")), text("hi"));
    expect![[r#"{"type":"message","from":"group","group":"g","dataType":"text","data":"hi"}"#]]
        .assert_eq(&shard.take(member).join("\n"));
}

#[test]
fn an_ack_id_is_good_for_one_success_whatever_the_operation() {
    let mut shard = TestShard::new();
    let alice = shard.connected(json("alice"));
    shard.send(alice, r#"{"type":"joinGroup","group":"g","ackId":7}"#);
    shard.send(alice, r#"{"type":"leaveGroup","group":"g","ackId":7}"#);
    expect![[r#"
        {"type":"ack","ackId":7,"success":true}
        {"type":"ack","ackId":7,"success":false,"error":{"name":"Duplicate","message":"Message with ack-id: 7 has been processed"}}"#]]
    .assert_eq(&shard.take(alice).join("\n"));
    assert!(shard.exists(Target::Group(group("g"))), "the duplicate was not carried out");
}

#[test]
fn a_failed_operation_does_not_use_its_ack_id_up() {
    let mut shard = TestShard::new();
    let roles = vec!["webpubsub.joinLeaveGroup".into()];
    let alice = shard.connected(ConnectRequest { roles, ..json("alice") });
    shard.send(alice, r#"{"type":"sendToGroup","group":"g","data":1,"ackId":7}"#);
    shard.send(alice, r#"{"type":"joinGroup","group":"g","ackId":7}"#);
    let acks = shard.take(alice);
    assert!(acks[0].contains("Forbidden"));
    assert_eq!(acks[1], r#"{"type":"ack","ackId":7,"success":true}"#);
}

#[test]
fn an_event_without_a_handler_keeps_the_connection() {
    let mut shard = TestShard::new();
    let alice = shard.connected(json("alice"));
    shard.send(alice, r#"{"type":"event","event":"message","data":1,"ackId":1}"#);
    shard.send(alice, r#"{"type":"event","event":"message","data":1}"#);
    expect![[r#"{"type":"ack","ackId":1,"success":false,"error":{"name":"InternalServerError","message":"Internal server error"}}"#]]
        .assert_eq(&shard.take(alice).join("\n"));
    shard.send(alice, r#"{"type":"ping"}"#);
    assert_eq!(shard.take(alice).len(), 1);
}

#[test]
fn a_publishers_own_copy_comes_before_its_ack() {
    let mut shard = TestShard::new();
    let alice = shard.connected(json("alice"));
    shard.send(alice, JOIN);
    shard.send(alice, r#"{"type":"sendToGroup","group":"g","data":1,"ackId":1}"#);
    let received = shard.take(alice);
    assert!(received[0].contains(r#""type":"message""#) && received[1].contains(r#""type":"ack""#));
}

#[test]
fn a_user_receives_on_every_connection_and_has_case() {
    let mut shard = TestShard::new();
    let [first, second] = [0, 1].map(|_| shard.connected(json("alice")));
    let other = shard.connected(json("Alice"));
    shard.publish(Target::User(user("alice")), text("hi"));
    let received = r#"{"type":"message","from":"server","dataType":"text","data":"hi"}"#;
    assert_eq!(shard.take(first), [received]);
    assert_eq!(shard.take(second), [received]);
    assert_eq!(shard.take(other), [""; 0]);
    shard.close(first, CloseCode::NORMAL);
    assert!(shard.exists(Target::User(user("alice"))));
    shard.close(second, CloseCode::NORMAL);
    assert!(!shard.exists(Target::User(user("alice"))));
}

#[test]
fn excluded_connections_are_left_out() {
    let mut shard = TestShard::new();
    let [alice, bob] = ["alice", "bob"].map(|name| shard.connected(json(name)));
    let excluded = vec![shard.id(alice)];
    shard.publish_without(Target::All, text("hi"), excluded);
    assert_eq!(shard.take(alice), [""; 0]);
    assert_eq!(shard.take(bob).len(), 1);
}

#[test]
fn every_client_receives_every_kind_of_data() {
    let mut shard = TestShard::new();
    let groups = vec![group("g")];
    let simple = shard.connected(ConnectRequest { groups: groups.clone(), ..ConnectRequest::default() });
    let plain = shard.connected(ConnectRequest { groups: groups.clone(), ..json("alice") });
    let numbered = shard.connected(ConnectRequest { groups, ..reliable("bob") });
    for frame in [
        r#"{"type":"sendToGroup","group":"g","dataType":"text","data":"h\u00e9"}"#,
        r#"{"type":"sendToGroup","group":"g","data":{"n": 1.00}}"#,
        r#"{"type":"sendToGroup","group":"g","dataType":"binary","data":"AP8="}"#,
        r#"{"type":"sendToGroup","group":"g","dataType":"protobuf","data":"CgA="}"#,
    ] {
        shard.send(plain, frame);
    }
    expect![[r#"
        {"type":"message","from":"group","fromUserId":"alice","group":"g","dataType":"text","data":"hé"}
        {"type":"message","from":"group","fromUserId":"alice","group":"g","dataType":"json","data":{"n": 1.00}}
        {"type":"message","from":"group","fromUserId":"alice","group":"g","dataType":"binary","data":"AP8="}
        {"type":"message","from":"group","fromUserId":"alice","group":"g","dataType":"protobuf","data":"CgA="}"#]]
    .assert_eq(&shard.take(plain).join("\n"));
    assert_eq!(shard.take(simple), ["hé", r#"{"n": 1.00}"#, "binary [0, 255]", "binary [10, 0]"]);
    let numbers = shard.take(numbered);
    assert!(numbers.iter().zip(1..).all(|(frame, n)| frame.ends_with(&format!(r#","sequenceId":{n}}}"#))));
    assert_eq!(numbers.len(), 4);
}

#[test]
fn a_simple_client_in_send_to_group_mode_publishes_its_frames() {
    let mode = SimpleMode::SendToGroup { group: group("g"), echo: Echo::Skip };
    let roles = vec!["webpubsub.sendToGroup.g".to_owned()];
    let mut shard = TestShard::new();
    let sender =
        ConnectRequest { roles, groups: vec![group("g")], mode: mode.clone(), ..ConnectRequest::default() };
    let sender = shard.connected(sender);
    let member = shard.connected(ConnectRequest { groups: vec![group("g")], ..ConnectRequest::default() });
    shard.send(sender, "hi");
    shard.input(Input::Frame { from: sender, frame: Frame::Binary(vec![1, 2]) });
    assert_eq!(shard.take(member), ["hi", "binary [1, 2]"]);
    assert_eq!(shard.take(sender), [""; 0]);

    let mute = shard.connected(ConnectRequest { mode, ..ConnectRequest::default() });
    shard.send(mute, "hi");
    let Closed { code, reason, .. } = shard.closed.pop().expect("a closed connection");
    assert_eq!((code, reason.as_str()), (1008, "The connection is not authorized for raw sendToGroup mode."));
}
