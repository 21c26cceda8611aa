//! Durable events are delivered, whatever happens meanwhile.
//!
//! Source: docs/spec/cloudevents.md#notifications.
#![expect(clippy::expect_used, reason = "a broken expectation is a failed test")]

use std::time::Duration;

use webpubsub_protocol::close::{CloseCause, CloseCode};
use webpubsub_protocol::event_handler::{CallFailure, HandlerAnswer};
use webpubsub_shard::{Command, ConnectRequest, EventPolicy, Groups, Input, Selection, ShardConfig, Target};
use webpubsub_testkit::{
    ALL_EVENTS, TestShard, group, header, json, reliable, settings, status, user, with_handlers,
};

const SECOND: Duration = Duration::from_secs(1);
/// An event handler that subscribes to `connected` and `disconnected` only.
const SYSTEM_EVENTS: &str =
    r#"[{"urlTemplate":"https://example.com/","systemEvents":["connected","disconnected"]}]"#;

fn shard() -> TestShard {
    TestShard::with(ShardConfig::only(), with_handlers(ALL_EVENTS))
}

/// Every call succeeds; what `disconnected` says of why.
fn reason(shard: &mut TestShard) -> String {
    let mut reason = None;
    while !shard.calls.is_empty() {
        let call = shard.end_call(Ok(status(204)));
        if call.event == "disconnected" {
            reason = Some(String::from_utf8(call.request.body).expect("text"));
        }
    }
    reason.expect("it is delivered")
}

#[test]
fn connected_and_disconnected_are_delivered() {
    let mut shard = shard();
    let alice = shard.connected(ConnectRequest { origin: "chat.example.com".into(), ..json("alice") });
    let id = shard.id(alice);
    assert_eq!(shard.calls_in_words(), ["alice connected 1"]);
    let call = shard.end_call(Ok(status(200)));
    for (name, value) in [
        ("ce-type", "azure.webpubsub.sys.connected"),
        ("ce-connectionId", id.as_str()),
        ("ce-time", "1970-01-01T00:16:40Z"),
        ("WebHook-Request-Origin", "chat.example.com"),
        ("Content-Type", "application/json; charset=utf-8"),
    ] {
        assert_eq!(header(&call, name), Some(value), "{name}");
    }
    assert_eq!((call.url.as_str(), &call.request.body[..]), ("https://example.com/connected", &b"{}"[..]));
    assert!(shard.disk.durable_events.is_empty() && shard.gave_up.is_empty());
    shard.pass(SECOND);
    shard.close_with(alice, CloseCode::NORMAL, "bye");
    let call = shard.end_call(Ok(status(200)));
    assert_eq!(call.request.body, br#"{"reason":"bye"}"#);
    assert_eq!(header(&call, "ce-id"), Some("2"));
    assert_eq!(header(&call, "ce-time"), Some("1970-01-01T00:16:41Z"));
    assert!(shard.disk.durable_events.is_empty());
}

#[test]
fn words_without_a_close_frame_are_no_reason() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    shard.end_calls();
    shard.close_with(alice, CloseCode::ABNORMAL, "WebSocket disconnected without sending Close frame.");
    assert_eq!(reason(&mut shard), r#"{"reason":""}"#);
}

// Source: docs/spec/cloudevents.md#notifications; docs/spec/client.md#detached-connections,
// docs/spec/client.md#close-codes.
#[test]
fn disconnected_has_the_reason_of_the_spec() {
    let close = |reason: Option<&str>| {
        let reason = reason.map(str::to_owned);
        Input::Command(Command::Close { to: Selection::from(Target::User(user("alice"))), reason })
    };
    let said = |slot, code, reason: &str| Input::Closed { slot, code, reason: reason.to_owned() };
    for request in [json("alice"), reliable("alice")] {
        let is_reliable = request.subprotocol.is_reliable();
        let mut shard = shard();
        let mut ended = |input: &dyn Fn(webpubsub_shard::Slot) -> Input| {
            let alice = shard.connected(request.clone());
            shard.input(input(alice));
            shard.pass(SECOND * 60);
            reason(&mut shard)
        };
        let cases = [
            (ended(&|slot| said(slot, CloseCode::NORMAL, "bye")), "bye"),
            (ended(&|slot| said(slot, CloseCode::NORMAL, "")), ""),
            (
                ended(&|slot| said(slot, CloseCode::NO_STATUS, "")),
                if is_reliable { "The connection recovery timeout expired." } else { "" },
            ),
            (
                ended(&|slot| said(slot, CloseCode::ABNORMAL, "")),
                if is_reliable { "The connection recovery timeout expired." } else { "" },
            ),
            (ended(&|_| close(None)), "Application server closed the connection."),
            (
                ended(&|_| close(Some("too loud"))),
                "Application server closed the connection. Reason: too loud",
            ),
            (
                ended(&|from| Input::Frame {
                    from,
                    frame: webpubsub_protocol::client::Frame::Text("{".into()),
                }),
                "The client message is not a valid JSON protocol message.",
            ),
            (ended(&|slot| Input::Broken { slot, cause: None }), "The client frame is invalid."),
            (
                ended(&|slot| Input::Broken { slot, cause: Some(CloseCause::MessageTooSlow) }),
                "The client message did not come whole in time.",
            ),
        ];
        for (body, reason) in cases {
            assert_eq!(body, format!(r#"{{"reason":"{reason}"}}"#));
        }
    }
}

#[test]
fn memberships_are_delivered_however_they_change() {
    let mut shard = shard();
    let groups = vec![group("token")];
    let alice = shard.connected(ConnectRequest { groups, ..json("alice") });
    shard.send(alice, r#"{"type":"joinGroup","group":"a"}"#);
    shard.send(alice, r#"{"type":"joinGroup","group":"a"}"#);
    let to = || Selection::from(Target::User(user("alice")));
    shard.command(Command::Join { to: to(), groups: vec![group("b"), group("c")] });
    shard.send(alice, r#"{"type":"leaveGroup","group":"a"}"#);
    shard.send(alice, r#"{"type":"leaveGroup","group":"a"}"#);
    shard.command(Command::Leave { to: to(), groups: Groups::These(vec![group("b"), group("x")]) });
    shard.close(alice, CloseCode::NORMAL);
    let mut delivered = Vec::new();
    while !shard.calls.is_empty() {
        let call = shard.end_call(Ok(status(204)));
        delivered.push(format!("{} {}", call.event, String::from_utf8_lossy(&call.request.body)));
    }
    assert_eq!(
        delivered,
        [
            "connected {}",
            r#"joined {"group":"token"}"#,
            r#"joined {"group":"a"}"#,
            r#"joined {"group":"b"}"#,
            r#"joined {"group":"c"}"#,
            r#"left {"group":"a"}"#,
            r#"left {"group":"b"}"#,
            r#"left {"group":"c"}"#,
            r#"left {"group":"token"}"#,
            r#"disconnected {"reason":""}"#,
        ]
    );
}

#[test]
fn an_event_without_a_subscription_is_not_kept_nor_numbered() {
    let mut shard = TestShard::with(
        ShardConfig::only(),
        with_handlers(
            r#"[{"urlTemplate":"https://example.com/","userEventPattern":"*",
                "groupPresenceEvents":{"eventNames":["left"],"groupFilters":["a"]}}]"#,
        ),
    );
    let alice = shard.connected(ConnectRequest { groups: vec![group("a"), group("b")], ..json("alice") });
    assert!(shard.disk.durable_events.is_empty() && shard.calls.is_empty());
    shard.send(alice, r#"{"type":"leaveGroup","group":"b"}"#);
    shard.send(alice, r#"{"type":"leaveGroup","group":"a"}"#);
    assert_eq!(shard.calls_in_words(), ["alice left 2"]);
    shard.close(alice, CloseCode::NORMAL);
    assert_eq!(shard.end_calls(), ["alice left 2"]);
}

#[test]
fn a_hub_without_event_handlers_keeps_nothing() {
    let mut shard = TestShard::new();
    let alice = shard.connected(ConnectRequest { groups: vec![group("a")], ..json("alice") });
    shard.close(alice, CloseCode::NORMAL);
    assert!(shard.disk.durable_events.is_empty() && shard.calls.is_empty());
    assert_eq!(shard.due(), None);
}

#[test]
fn a_recovery_is_no_event() {
    let mut shard = shard();
    let alice = shard.connected(reliable("alice"));
    shard.end_calls();
    let id = shard.id(alice);
    shard.cut(alice);
    shard.recover(&id);
    assert!(shard.calls.is_empty());
    shard.send(alice, r#"{"type":"event","event":"e","dataType":"text","data":"x"}"#);
    assert_eq!(shard.calls_in_words(), ["alice e 2"], "its count goes on");
}

#[test]
fn a_user_event_waits_for_one_attempt_at_events_before_it() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    shard.send(alice, r#"{"type":"joinGroup","group":"g"}"#);
    shard.send(alice, r#"{"type":"event","event":"e","dataType":"text","data":"x"}"#);
    shard.send(alice, r#"{"type":"joinGroup","group":"h"}"#);
    assert_eq!(shard.calls_in_words(), ["alice connected 1"]);
    shard.end_call(Ok(status(500)));
    assert_eq!(shard.calls_in_words(), [""; 0], "`joined` waits for `connected`, and the event for `joined`");
    shard.pass(SECOND);
    shard.end_call(Ok(status(204)));
    assert_eq!(shard.calls_in_words(), ["alice joined 2"]);
    shard.end_call(Ok(status(500)));
    assert_eq!(shard.calls_in_words(), ["alice e 3"], "it does not wait for the second attempt");
    shard.pass(SECOND);
    assert_eq!(shard.calls_in_words(), ["alice e 3", "alice joined 2, attempt 2"]);
    assert_eq!(shard.end_calls(), ["alice e 3", "alice joined 2, attempt 2", "alice joined 4"]);
}

#[test]
fn disconnected_is_delivered_last() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    shard.end_calls();
    for event in ["one", "two"] {
        shard.send(alice, &format!(r#"{{"type":"event","event":"{event}","dataType":"text","data":"x"}}"#));
    }
    shard.close(alice, CloseCode::NORMAL);
    shard.end_call(Ok(status(500)));
    shard.end_call(Ok(status(500)));
    shard.end_call(Ok(status(500)));
    assert_eq!(shard.calls_in_words(), [""; 0]);
    shard.pass(SECOND);
    assert_eq!(
        shard.end_calls(),
        ["alice disconnected 4, attempt 2"],
        "an event without a receiver is attempted once"
    );
}

#[test]
fn a_durable_event_is_on_disk_until_it_is_delivered() {
    let mut shard = shard();
    let alice = shard.connected(ConnectRequest { state: Some("s".into()), ..reliable("alice") });
    shard.send(alice, r#"{"type":"joinGroup","group":"g"}"#);
    assert_eq!(shard.disk.durable_events.len(), 2);
    let id = shard.id(alice);
    let first = shard.calls[0].clone();
    for crash in 0..3 {
        shard.crash();
        assert_eq!(shard.calls_in_words(), ["alice connected 1"], "crash {crash}");
        assert_eq!(shard.calls[0].request, first.request, "in the same words");
    }
    shard.end_call(Ok(status(200)));
    shard.crash();
    assert_eq!(shard.calls_in_words(), ["alice joined 2"], "what was taken does not come again");
    assert_eq!(header(&shard.calls[0], "ce-connectionState"), Some("s"));
    shard.end_calls();
    shard.crash();
    assert!(shard.calls.is_empty());
    shard.recover(&id).expect("its time is not over");
    shard.send(alice, r#"{"type":"leaveGroup","group":"g"}"#);
    assert_eq!(shard.calls_in_words(), ["alice left 3"], "its count goes on");
}

#[test]
fn what_waits_of_a_connection_that_is_gone_survives_a_crash() {
    let mut shard = shard();
    let request = ConnectRequest {
        state: Some("s".into()),
        custom_subprotocol: Some("chess".into()),
        origin: "chat.example.com".into(),
        ..ConnectRequest::default()
    };
    let simple = shard.connected(request);
    let id = shard.id(simple);
    shard.close_with(simple, CloseCode::NORMAL, "bye \"now\"");
    shard.crash();
    let first = shard.end_call(Ok(status(204)));
    let second = shard.end_call(Ok(status(204)));
    assert_eq!([&*first.event, &*second.event], ["connected", "disconnected"]);
    assert_eq!(second.request.body, br#"{"reason":"bye \"now\""}"#);
    for call in [first, second] {
        assert_eq!(header(&call, "ce-connectionState"), Some("s"));
        assert_eq!(header(&call, "ce-subprotocol"), Some("chess"));
        assert_eq!(header(&call, "ce-userId"), None);
        assert_eq!((call.connection, call.origin.as_str()), (id.clone(), "chat.example.com"));
    }
    assert!(shard.disk.durable_events.is_empty() && shard.calls.is_empty());
}

#[test]
fn connections_that_a_crash_ended_are_delivered() {
    let mut shard = TestShard::with(ShardConfig::only(), with_handlers(ALL_EVENTS));
    let plain = shard.connected(ConnectRequest { groups: vec![group("g")], ..json("plain") });
    let lost = shard.connected(reliable("lost"));
    let found = shard.connected(reliable("found"));
    let (_, _, found) = (plain, lost, shard.id(found));
    shard.end_calls();
    shard.crash();
    assert_eq!(shard.calls_in_words(), ["plain left 3"]);
    shard.crash();
    assert_eq!(shard.end_calls(), ["plain left 3", "plain disconnected 4"], "once");
    shard.recover(&found).expect("its time is not over");
    shard.pass(SECOND * 59);
    assert!(shard.calls.is_empty());
    shard.pass(SECOND);
    let call = shard.end_call(Ok(status(204)));
    assert_eq!(call.request.body, br#"{"reason":"The connection recovery timeout expired."}"#);
    assert_eq!(header(&call, "ce-userId"), Some("lost"));
    assert_eq!(shard.core().connections(), 1);
}

#[test]
fn a_shard_wakes_for_what_it_owes_even_without_its_memory() {
    let mut shard = TestShard::with(ShardConfig::only(), with_handlers(SYSTEM_EVENTS));
    let alice = shard.connected(json("alice"));
    let due = shard.core().next_deadline().expect("it wants to be woken");
    assert!(due <= shard.now.after(SECOND * 10), "{due:?}");
    shard.end_calls();
    shard.pass(SECOND * 10);
    let due =
        shard.core().next_deadline().expect("it looks once in a while whether its connections are there");
    assert!(due >= shard.now.after(SECOND * 240), "{due:?}");
    assert_eq!(shard.core().next_timeout(), None, "it may sleep");
    shard.close(alice, CloseCode::NORMAL);
    shard.end_calls();
    shard.pass(SECOND * 300);
    assert_eq!(shard.due(), None);
}

#[test]
fn a_shard_that_slept_goes_on_as_if_it_had_not() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    shard.send(alice, r#"{"type":"joinGroup","group":"g"}"#);
    shard.end_calls();
    shard.hibernate();
    assert!(shard.calls.is_empty() && shard.disk.durable_events.is_empty());
    shard.close_with(alice, CloseCode::NORMAL, "bye");
    assert_eq!(shard.end_calls(), ["alice left 3", "alice disconnected 4"]);
}

#[test]
fn a_durable_event_that_is_refused_for_good_is_dropped() {
    for (failures, failure) in [
        (vec![Ok(status(404))], CallFailure::Status(404)),
        (vec![Err(CallFailure::NotValidated)], CallFailure::NotValidated),
        (vec![Err(CallFailure::Network); 4], CallFailure::Network),
        (
            vec![Ok(status(500)), Ok(status(503)), Err(CallFailure::TimedOut), Ok(status(408))],
            CallFailure::Status(408),
        ),
    ] {
        let mut shard = shard();
        shard.connected(json("alice"));
        for failure in failures {
            assert_eq!(shard.disk.durable_events.len(), 1);
            shard.end_call(failure);
            shard.pass(SECOND * 5);
        }
        assert_eq!(shard.gave_up, [("connected".to_owned(), failure)]);
        assert!(shard.disk.durable_events.is_empty() && shard.calls.is_empty());
    }
}

#[test]
fn time_behind_an_open_breaker_is_not_an_attempts_time() {
    let retries = vec![Duration::ZERO; 3];
    let mut shard = TestShard::with(
        ShardConfig::only(),
        EventPolicy { timeout: SECOND * 8, retries, ..with_handlers(SYSTEM_EVENTS) },
    );
    let alice = shard.connected(json("alice"));
    shard.close(alice, CloseCode::NORMAL);
    // Four attempts at `connected`, and one at `disconnected`, open the circuit breaker.
    for _ in 0..5 {
        shard.end_call(Err(CallFailure::Network));
    }
    shard.pass(SECOND * 9);
    assert!(shard.calls.is_empty(), "the breaker is open");
    shard.pass(SECOND);
    let probe = shard.calls.first().expect("a probe");
    assert_eq!((probe.event.as_str(), probe.attempt), ("disconnected", 1));
    assert!(probe.limit > SECOND, "it has its share of the time: {:?}", probe.limit);
    shard.end_call(Ok(status(200)));
    assert!(shard.disk.durable_events.is_empty());
}

#[test]
fn durable_events_without_a_handler_are_dropped() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    shard.send(alice, r#"{"type":"joinGroup","group":"g"}"#);
    shard.input(Input::Settings { settings: Some(settings(SYSTEM_EVENTS)), since: 1 });
    shard.close(alice, CloseCode::NORMAL);
    assert_eq!(shard.end_calls(), ["alice connected 1", "alice disconnected 3"]);
    let alice = shard.connected(json("alice"));
    shard.input(Input::Settings { settings: Some(settings("[]")), since: 1 });
    shard.end_call(Ok(status(500)));
    shard.close(alice, CloseCode::NORMAL);
    assert!(shard.disk.durable_events.is_empty() && shard.calls.is_empty() && shard.gave_up.is_empty());
}

#[test]
fn handlers_that_are_removed_during_a_sleep_are_not_called() {
    let mut shard = shard();
    shard.connected(json("alice"));
    shard.policy.settings = settings("[]");
    shard.crash();
    assert!(shard.calls.is_empty() && shard.disk.durable_events.is_empty());
    let core = shard.core();
    assert_eq!((core.next_timeout(), core.next_deadline()), (None, None));
}

#[test]
fn a_row_of_the_outbox_that_cannot_be_read_is_deleted() {
    let mut shard = shard();
    for form in [
        "",
        "{}",
        r#"{"connection":"c","event":"connect","about":"","origin":"","cookies":"","number":1,"time":1}"#,
    ] {
        let row = shard.disk.durable_events.last().map_or(1, |(row, _)| row + 1);
        shard.disk.durable_events.push((row, form.to_owned()));
    }
    shard.crash();
    assert!(shard.disk.durable_events.is_empty() && shard.calls.is_empty());
}

#[test]
fn of_the_answer_to_a_durable_event_only_cookies_count() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    let answer = HandlerAnswer {
        status: 200,
        content_type: Some("text/html".into()),
        state: Some("x".repeat(100_000)),
        cookies: vec!["a=1; Path=/".into()],
        body: b"<p>".to_vec(),
        ..HandlerAnswer::default()
    };
    shard.end_call(Ok(answer));
    assert!(shard.gave_up.is_empty() && shard.take(alice).is_empty());
    shard.close(alice, CloseCode::NORMAL);
    let call = shard.end_call(Ok(status(204)));
    assert_eq!(header(&call, "ce-connectionState"), None);
    assert_eq!(header(&call, "Cookie"), Some("a=1"));
}
