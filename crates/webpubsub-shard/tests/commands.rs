//! What servers have done to connections and groups.
#![expect(clippy::expect_used, reason = "a broken expectation is a failed test")]

use expect_test::expect;
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::rest::Member;
use webpubsub_shard::{Command, ConnectRequest, Groups, Reply, Selection, Target};
use webpubsub_testkit::{TestShard, group, json, text, user};

fn join(to: Target, groups: &[&str]) -> Command {
    Command::Join { to: to.into(), groups: groups.iter().map(|name| group(name)).collect() }
}

fn leave(to: Target, groups: &[&str]) -> Command {
    let groups = Groups::These(groups.iter().map(|name| group(name)).collect());
    Command::Leave { to: to.into(), groups }
}

fn no_connection() -> Target {
    Target::Connection(ConnectionId::parse("none").expect("an id"))
}

#[test]
fn a_close_by_a_server_has_a_message_of_any_length_and_1000() {
    let mut shard = TestShard::new();
    let reason = "because ".repeat(30);
    for (reason, message) in [
        (None, "Application server closed the connection.".to_owned()),
        (Some(reason.clone()), format!("Application server closed the connection. Reason: {reason}")),
    ] {
        let client = shard.connected(json("alice"));
        let to = Target::Connection(shard.id(client)).into();
        assert_eq!(shard.command(Command::Close { to, reason }), Reply::Done);
        let closed = shard.closed.pop().expect("a closed connection");
        assert_eq!((closed.code, closed.reason.as_str()), (1000, ""));
        assert_eq!(
            closed.received,
            [format!(r#"{{"type":"system","event":"disconnected","message":"{message}"}}"#)]
        );
        assert!(shard.kept().connections.is_empty());
    }
}

#[test]
fn a_simple_client_that_is_closed_gets_the_close_frame_only() {
    let mut shard = TestShard::new();
    shard.connected(ConnectRequest::default());
    shard.command(Command::Close { to: Target::All.into(), reason: Some("x".into()) });
    let closed = shard.closed.pop().expect("a closed connection");
    assert_eq!(closed.received, [""; 0]);
}

#[test]
fn closing_a_user_or_a_group_spares_the_excluded_and_all_others() {
    let mut shard = TestShard::new();
    let [first, second] = [0, 1].map(|_| shard.connected(json("alice")));
    let other = shard.connected(json("bob"));
    let excluded = vec![shard.id(second)];
    let to = Selection { excluded, ..Selection::from(Target::User(user("alice"))) };
    shard.command(Command::Close { to, reason: None });
    assert!(!shard.is_open(first) && shard.is_open(second) && shard.is_open(other));
    assert_eq!(shard.command(Command::Close { to: no_connection().into(), reason: None }), Reply::Done);
}

#[test]
fn a_users_connections_join_together_and_later_ones_do_not() {
    let mut shard = TestShard::new();
    let [first, second] = [0, 1].map(|_| shard.connected(json("alice")));
    assert_eq!(shard.command(join(Target::User(user("alice")), &["g"])), Reply::Done);
    let later = shard.connected(json("alice"));
    shard.publish(Target::Group(group("g")), text("hi"));
    assert_eq!([first, second, later].map(|slot| shard.take(slot).len()), [1, 1, 0]);
    assert_eq!(shard.command(leave(Target::User(user("alice")), &["g"])), Reply::Done);
    assert!(!shard.exists(Target::Group(group("g"))));
}

#[test]
fn joining_no_connection_is_not_found_and_leaving_is_done() {
    let mut shard = TestShard::new();
    assert_eq!(shard.command(join(no_connection(), &["g"])), Reply::NotFound);
    assert_eq!(shard.command(join(Target::User(user("x")), &["g"])), Reply::NotFound);
    assert_eq!(shard.command(leave(no_connection(), &["g"])), Reply::Done);
}

#[test]
fn leaving_every_group_leaves_every_group() {
    let mut shard = TestShard::new();
    let alice = shard.connected(ConnectRequest { groups: vec![group("a"), group("b")], ..json("alice") });
    let bob = shard.connected(ConnectRequest { groups: vec![group("a")], ..json("bob") });
    shard.command(Command::Leave { to: Target::User(user("alice")).into(), groups: Groups::All });
    shard.publish(Target::Group(group("a")), text("hi"));
    assert_eq!([alice, bob].map(|slot| shard.take(slot).len()), [0, 1]);
    assert!(!shard.exists(Target::Group(group("b"))));
    shard.hibernate();
    assert!(!shard.exists(Target::Group(group("b"))));
}

#[test]
fn many_groups_are_joined_at_once() {
    let mut shard = TestShard::new();
    shard.connected(json("alice"));
    assert_eq!(shard.command(join(Target::All, &["a", "b", "a"])), Reply::Done);
    assert!(["a", "b"].iter().all(|name| shard.exists(Target::Group(group(name)))));
    assert_eq!(shard.kept().memberships.len(), 2);
}

#[test]
fn members_are_listed_by_connection_id_a_page_at_a_time() {
    let mut shard = TestShard::new();
    for name in ["alice", "bob", "carol"] {
        shard.connected(ConnectRequest { groups: vec![group("g")], ..json(name) });
    }
    shard.connected(json("outsider"));
    let page = |shard: &mut TestShard, after: Option<ConnectionId>| {
        let reply = shard.command(Command::Members { group: group("g"), after, limit: 2 });
        let Reply::Members(members) = reply else { panic!("{reply:?}") };
        members
    };
    let first = page(&mut shard, None);
    let names = |members: &[Member]| {
        members.iter().map(|member| member.user.as_ref().unwrap().to_string()).collect::<Vec<_>>().join(" ")
    };
    expect!["alice bob"].assert_eq(&names(&first));
    let second = page(&mut shard, Some(first[1].connection.clone()));
    expect!["carol"].assert_eq(&names(&second));
    assert!(page(&mut shard, Some(second[0].connection.clone())).is_empty());
}
