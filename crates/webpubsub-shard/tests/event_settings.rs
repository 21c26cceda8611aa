//! Settings of event handlers that change while there are events.

use webpubsub_shard::{HubSettings, Input, ShardConfig};
use webpubsub_testkit::{TestShard, USER_EVENTS, json, says, settings, status, with_handlers};

const FAILED: &str = r#"{"type":"ack","ackId":1,"success":false,"error":{"name":"InternalServerError","message":"Internal server error"}}"#;

/// A shard whose event handler subscribes to user events.
fn shard() -> TestShard {
    TestShard::with(ShardConfig::only(), with_handlers(USER_EVENTS))
}

fn event(name: &str, ack_id: Option<u64>) -> String {
    let ack_id = ack_id.map_or(String::new(), |id| format!(r#","ackId":{id}"#));
    format!(r#"{{"type":"event","event":"{name}","dataType":"text","data":"hi"{ack_id}}}"#)
}

#[test]
fn settings_that_change_hold_from_the_next_event_on() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    shard.send(alice, &event("one", Some(1)));
    shard.send(alice, &event("two", Some(2)));
    let moved = settings(r#"[{"urlTemplate":"https://moved.example.com/","userEventPattern":"two"}]"#);
    shard.input(Input::Settings { settings: Some(moved.clone()), since: 1 });
    assert_eq!(shard.disk.settings, Some(moved.clone()));
    assert!(shard.input(Input::Settings { settings: Some(moved), since: 1 }).is_empty(), "it is known");
    let call = shard.end_call(Ok(says("text/plain", "still delivered")));
    assert_eq!(call.url, "https://example.com/one");
    assert_eq!(shard.take(alice).len(), 2);
    assert_eq!(shard.calls[0].url, "https://moved.example.com/");
    shard.send(alice, &event("one", Some(3)));
    assert!(shard.take(alice).concat().contains("InternalServerError"), "no handler takes it any more");
    shard.end_call(Ok(status(204)));
    shard.take(alice);
    shard.hibernate();
    shard.send(alice, &event("two", None));
    assert_eq!(shard.end_call(Ok(status(204))).url, "https://moved.example.com/", "it is on disk");
    shard.input(Input::Settings { settings: None, since: 1 });
    assert_eq!(shard.disk.settings, None);
    shard.send(alice, &event("two", None));
    assert_eq!(shard.calls[0].url, "https://example.com/two", "as the variables say");
}

#[test]
fn events_that_wait_fail_when_their_handler_is_removed() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    shard.send(alice, &event("e", Some(9)));
    shard.send(alice, &event("e", Some(1)));
    shard.input(Input::Settings { settings: Some(settings("[]")), since: 1 });
    shard.end_call(Ok(status(500)));
    let acks = shard.take(alice);
    assert_eq!(acks.len(), 2, "no further attempt is made: {acks:?}");
    assert!(acks[1] == FAILED && shard.calls.is_empty() && shard.due().is_none());
}

#[test]
fn settings_that_come_after_newer_ones_are_left_out() {
    let mut shard = shard();
    let mut take = |since, shards| {
        let settings = HubSettings { shards: Some(shards), ..HubSettings::default() };
        !shard.input(Input::Settings { settings: Some(settings), since }).is_empty()
    };
    assert!(take(7, 1));
    assert!(!take(6, 2), "older ones");
    assert!(take(8, 3));
    assert!(take(8, 4), "the same, which may have been stored in part");
}
