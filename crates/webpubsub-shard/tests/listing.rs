//! An operator looks at a shard's connections and groups.

use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::filter::Filter;
use webpubsub_protocol::name::ConnectionId;
use webpubsub_shard::{ConnectRequest, ConnectionQuery, MAX_LOOKED_AT, Slot, Target};
use webpubsub_testkit::{TestShard, group, json, reliable, text, user};

fn in_groups(request: ConnectRequest, groups: &[&str]) -> ConnectRequest {
    ConnectRequest { groups: groups.iter().map(|name| group(name)).collect(), ..request }
}

fn listed(shard: &TestShard, query: &ConnectionQuery) -> Vec<ConnectionId> {
    let page = shard.core().list_connections(query, Slot(0), 100);
    assert_eq!(page.next, None);
    page.connections.iter().map(|view| view.id.clone()).collect()
}

#[test]
fn a_list_has_the_connections_that_match_everything() {
    let mut shard = TestShard::new();
    let alice = shard.connected(in_groups(json("alice"), &["a", "b"]));
    let bob = shard.connected(in_groups(json("bob"), &["b"]));
    let [alice, bob] = [alice, bob].map(|slot| shard.id(slot));
    let all = ConnectionQuery::default();
    let of_alice = ConnectionQuery { user: Some(user("alice")), ..all.clone() };
    let of_b = ConnectionQuery { group: Some(group("b")), ..all.clone() };
    assert_eq!(listed(&shard, &all), [alice.clone(), bob.clone()]);
    assert_eq!(listed(&shard, &of_alice), std::slice::from_ref(&alice));
    assert_eq!(listed(&shard, &of_b), [alice.clone(), bob.clone()]);
    let both = ConnectionQuery { user: Some(user("bob")), ..of_b.clone() };
    assert_eq!(listed(&shard, &both), std::slice::from_ref(&bob));
    let filter = Filter::parse("'a' in groups").unwrap();
    let filtered = ConnectionQuery { filter: Some(filter), ..of_b };
    assert_eq!(listed(&shard, &filtered), std::slice::from_ref(&alice));
    let prefix = ConnectionQuery { id_prefix: bob.as_str().to_owned(), ..all.clone() };
    assert_eq!(listed(&shard, &prefix), [bob]);
    let none = ConnectionQuery { user: Some(user("carol")), ..all };
    assert_eq!(listed(&shard, &none), []);
}

#[test]
fn pages_follow_each_other_without_a_gap() {
    let mut shard = TestShard::new();
    let slots: Vec<Slot> = (0..5).map(|_| shard.connected(json("alice"))).collect();
    shard.close(slots[1], CloseCode::NORMAL);
    let mut found = Vec::new();
    let mut from = Some(Slot(0));
    let query = ConnectionQuery::default();
    while let Some(start) = from {
        let page = shard.core().list_connections(&query, start, 2);
        assert!(page.connections.len() <= 2);
        found.extend(page.connections.iter().map(|view| view.id.clone()));
        from = page.next;
    }
    let expected: Vec<_> = [0, 2, 3, 4].map(|at| shard.id(slots[at])).into();
    assert_eq!(found, expected);
}

#[test]
fn one_request_looks_at_a_bounded_number() {
    let mut shard = TestShard::new();
    for n in 0..=MAX_LOOKED_AT {
        shard.connected(json(if n == MAX_LOOKED_AT { "last" } else { "alice" }));
    }
    let query =
        ConnectionQuery { filter: Some(Filter::parse("userId eq 'last'").unwrap()), ..Default::default() };
    let first = shard.core().list_connections(&query, Slot(0), 100);
    assert_eq!((first.connections.len(), first.next), (0, Some(Slot(MAX_LOOKED_AT as u32))));
    let second = shard.core().list_connections(&query, first.next.unwrap(), 100);
    assert_eq!((second.connections.len(), second.next), (1, None));
    let by_user = ConnectionQuery { user: Some(user("last")), ..Default::default() };
    assert_eq!(shard.core().list_connections(&by_user, Slot(0), 100).connections.len(), 1);
}

#[test]
fn a_connection_is_shown_as_it_is() {
    let mut shard = TestShard::new();
    let bob = shard.connected(in_groups(reliable("bob"), &["b", "a"]));
    let id = shard.id(bob);
    let since = shard.now;
    shard.publish(Target::All, text("one"));
    let view = shard.core().view_connection(&id).unwrap();
    assert_eq!((view.id, view.user), (&id, Some(&user("bob"))));
    assert_eq!(view.groups, [group("a"), group("b")]);
    assert_eq!((view.unacknowledged, view.is_attached, view.since), (1, true, Some(since)));
    assert!(view.unacknowledged_bytes > 0 && view.send_to_group.all);
    shard.hibernate();
    assert_eq!(shard.core().view_connection(&id).unwrap().since, Some(since), "its socket carries it");
    shard.cut(bob);
    assert!(!shard.core().view_connection(&id).unwrap().is_attached);
    assert_eq!(shard.core().view_connection(&ConnectionId::parse("x").unwrap()), None);
}

#[test]
fn groups_are_listed_by_name() {
    let mut shard = TestShard::new();
    shard.connected(in_groups(json("alice"), &["b", "a", "ab"]));
    shard.connected(in_groups(json("bob"), &["b"]));
    let list = |prefix, after, limit| {
        let groups = shard.core().list_groups(prefix, after, limit);
        groups.iter().map(|(group, count)| format!("{group} {count}")).collect::<Vec<_>>()
    };
    assert_eq!(list("", None, 9), ["a 1", "ab 1", "b 2"]);
    assert_eq!(list("", None, 2), ["a 1", "ab 1"]);
    assert_eq!(list("", Some("ab"), 2), ["b 2"]);
    assert_eq!(list("a", None, 9), ["a 1", "ab 1"]);
    assert_eq!(list("a", Some("a"), 1), ["ab 1"]);
    assert_eq!(list("x", None, 1), [""; 0]);
}
