//! What the members of groups show of themselves, as far as a client knows it.
#![allow(clippy::unwrap_used, reason = "tests may")]

use webpubsub_client_core::{GroupStateItem, GroupStates, NotSubscribed, Renewal};
use webpubsub_protocol::time::Timestamp;

type States = GroupStates<&'static str>;

const fn at(milliseconds: u64) -> Timestamp {
    Timestamp::from_millis(milliseconds)
}

fn item(
    connection_id: impl Into<String>,
    updated_at: u64,
    state: Option<&'static str>,
) -> GroupStateItem<&'static str> {
    GroupStateItem { connection_id: connection_id.into(), updated_at, state }
}

/// What a client knows that has subscribed to `g`.
fn subscribed() -> States {
    let mut states = States::default();
    states.subscribing("g");
    states.subscribed("g", true);
    states
}

fn list(states: &States) -> Vec<&'static str> {
    states.list("g").unwrap().copied().collect()
}

#[test]
fn only_an_accepted_subscription_can_be_listed() {
    let mut states = States::default();
    assert_eq!(states.list("g").err(), Some(NotSubscribed));
    states.subscribing("g");
    assert_eq!(states.list("g").err(), Some(NotSubscribed));
    states.subscribed("g", false);
    assert_eq!(states.list("g").err(), Some(NotSubscribed));
    states.subscribing("g");
    states.subscribed("g", true);
    assert!(list(&states).is_empty());
    states.unsubscribed("g");
    assert_eq!(states.list("g").err(), Some(NotSubscribed));
}

#[test]
fn a_snapshot_before_the_ack_counts() {
    let mut states = States::default();
    assert!(!states.snapshot(at(0), "g", vec![item("c1", 1, Some("a"))]));
    states.subscribing("g");
    assert!(states.snapshot(at(0), "g", vec![item("c1", 1, Some("a"))]));
    states.subscribed("g", true);
    assert_eq!(list(&states), ["a"]);
}

#[test]
fn a_failed_renewal_keeps_the_subscription() {
    let mut states = subscribed();
    states.subscribing("g");
    states.subscribed("g", false);
    assert!(list(&states).is_empty());
}

#[test]
fn a_snapshot_replaces_the_one_before() {
    let mut states = subscribed();
    assert!(states.snapshot(at(0), "g", vec![item("c1", 1, Some("a")), item("c2", 1, Some("b"))]));
    assert_eq!(list(&states), ["a", "b"]);
    assert!(!states.snapshot(at(0), "g", vec![item("c1", 1, Some("a")), item("c2", 1, Some("b"))]));
    assert!(states.snapshot(at(0), "g", vec![item("c2", 2, Some("c"))]));
    assert_eq!(list(&states), ["c"]);
    assert!(states.snapshot(at(0), "g", vec![]));
    assert!(!states.snapshot(at(0), "g", vec![]));
    assert!(list(&states).is_empty());
}

#[test]
fn of_two_updates_the_one_with_the_larger_time_counts() {
    let mut states = subscribed();
    assert!(states.update(at(0), "g", vec![item("c1", 5, Some("new"))]));
    assert!(!states.update(at(0), "g", vec![item("c1", 4, Some("old"))]));
    assert!(!states.update(at(0), "g", vec![item("c1", 5, Some("same time"))]));
    assert_eq!(list(&states), ["new"]);
    assert!(!states.snapshot(at(0), "g", vec![item("c1", 3, Some("older snapshot"))]));
    assert_eq!(list(&states), ["new"]);
}

#[test]
fn a_cleared_state_does_not_come_back_with_older_news() {
    let mut states = subscribed();
    states.update(at(0), "g", vec![item("c1", 5, Some("a"))]);
    assert!(states.update(at(0), "g", vec![item("c1", 6, None)]));
    assert!(list(&states).is_empty());
    assert!(!states.update(at(299_999), "g", vec![item("c1", 5, Some("a"))]));
    assert!(!states.snapshot(at(299_999), "g", vec![item("c1", 5, Some("a"))]));
    assert!(!states.update(at(0), "g", vec![item("c9", 6, None)]));
    assert!(states.update(at(0), "g", vec![item("c1", 7, Some("b"))]));
}

#[test]
fn an_update_outweighs_snapshots_for_5_minutes() {
    let mut states = subscribed();
    states.update(at(0), "g", vec![item("c1", 5, Some("a")), item("c2", 5, None)]);
    assert!(!states.snapshot(at(299_999), "g", vec![item("c2", 4, Some("b"))]));
    assert_eq!(list(&states), ["a"]);
    assert!(states.snapshot(at(300_000), "g", vec![item("c2", 4, Some("b"))]));
    assert_eq!(list(&states), ["b"]);
}

#[test]
fn at_most_200_cleared_states_are_remembered() {
    let mut states = subscribed();
    states.update(at(0), "g", vec![item("live", 1, Some("live"))]);
    for number in 0..201 {
        states.update(at(number), "g", vec![item(format!("c{number}"), 5, None)]);
    }
    // The first is forgotten, the second is not.
    assert!(states.update(at(201), "g", vec![item("c0", 4, Some("zero"))]));
    assert!(!states.update(at(201), "g", vec![item("c1", 4, Some("one"))]));
    assert_eq!(list(&states), ["zero", "live"]);
}

#[test]
fn many_cleared_at_once_are_forgotten_down_to_200() {
    let mut states = subscribed();
    let cleared = |time: u64, state| (0..300).map(|n| item(format!("c{n}"), time, state)).collect::<Vec<_>>();
    states.update(at(0), "g", cleared(5, None));
    states.update(at(0), "g", cleared(4, Some("back")));
    assert_eq!(list(&states).len(), 100);
}

#[test]
fn a_new_connection_renews_subscriptions_and_knows_nothing() {
    let mut states = subscribed();
    states.snapshot(at(0), "g", vec![item("c1", 1, Some("a"))]);
    states.set("g", Some("mine"));
    states.subscribing("h");
    states.subscribed("h", true);
    states.subscribing("asked");
    states.lost();
    let renewal = Renewal { subscribe: vec!["g".to_owned(), "h".to_owned()], changed: vec!["g".to_owned()] };
    assert_eq!(states.connected(), renewal);
    assert!(list(&states).is_empty());
    assert_eq!(states.own("g"), None);
    assert!(states.snapshot(at(0), "g", vec![item("c1", 1, Some("a"))]));
}

#[test]
fn the_own_state_is_what_was_last_set() {
    let mut states = States::default();
    assert_eq!(states.own("g"), None);
    states.set("g", Some("a"));
    states.set("g", Some("b"));
    states.set("h", Some("c"));
    assert_eq!(states.own("g"), Some(&"b"));
    states.set("g", None);
    assert_eq!(states.own("g"), None);
    states.left("h");
    assert_eq!(states.own("h"), None);
}
