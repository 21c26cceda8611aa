//! How event handlers are called: how often, how many at once, and what is kept for them.
//!
//! Source: docs/spec/cloudevents.md#retries.

use std::time::Duration;

use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::event_handler::CallFailure;
use webpubsub_shard::{
    Command, ConnectRequest, EventPolicy, Input, Limits, METRICS, Output, Selection, ShardConfig, Slot,
    Sockets, Target,
};
use webpubsub_testkit::{
    ALL_EVENTS, TestShard, USER_EVENTS, group, header, json, reliable, says, settings, status, user,
    with_handlers,
};

const SECOND: Duration = Duration::from_secs(1);

fn shard() -> TestShard {
    TestShard::with(ShardConfig::only(), with_handlers(USER_EVENTS))
}

fn send(shard: &mut TestShard, from: Slot, event: &str, ack_id: u64) {
    shard.send(
        from,
        &format!(r#"{{"type":"event","event":"{event}","dataType":"text","data":"hi","ackId":{ack_id}}}"#),
    );
}

/// So many clients, called `c1`, `c2`, ….
fn clients(shard: &mut TestShard, count: usize) -> Vec<Slot> {
    (1..=count).map(|number| shard.connected(json(&format!("c{number}")))).collect()
}

fn is_refused(frames: &[String]) -> bool {
    !frames.is_empty() && frames.iter().all(|frame| frame.contains("InternalServerError"))
}

fn value(shard: &TestShard, name: &str) -> u64 {
    let values = METRICS.iter().zip(shard.core().metrics());
    values.filter(|(metric, _)| metric.name == name).map(|(_, value)| value).sum()
}

#[test]
fn retries_follow_after_1_3_and_5_seconds_with_the_same_request() {
    for failure in [Err(CallFailure::Network), Ok(status(408)), Ok(status(500)), Ok(status(599))] {
        let mut shard = shard();
        let alice = shard.connected(json("alice"));
        send(&mut shard, alice, "e", 1);
        let first = shard.end_call(failure.clone());
        for (attempt, pause) in [(2, 1), (3, 3), (4, 5)] {
            shard.pass(SECOND * pause - Duration::from_millis(1));
            assert!(shard.calls.is_empty());
            shard.pass(Duration::from_millis(1));
            let call = shard.end_call(failure.clone());
            assert_eq!((call.attempt, &call.request), (attempt, &first.request));
            assert_ne!(call.id, first.id);
        }
        assert!(is_refused(&shard.take(alice)));
        assert!(shard.calls.is_empty() && shard.core().next_timeout().is_none());
        let given_up: Vec<&str> = shard.gave_up.iter().map(|(event, _)| event.as_str()).collect();
        assert_eq!(given_up, ["e"]);
    }
}

#[test]
fn an_attempt_that_succeeds_is_the_last() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    send(&mut shard, alice, "e", 1);
    shard.end_call(Ok(status(503)));
    shard.pass(SECOND);
    shard.end_call(Ok(says("text/plain", "hello")));
    assert_eq!(shard.take(alice).len(), 2);
    shard.pass(SECOND * 100);
    assert!(shard.calls.is_empty() && shard.gave_up.is_empty());
}

#[test]
fn an_answer_may_take_all_the_time_that_an_event_has() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    send(&mut shard, alice, "e", 1);
    assert_eq!(shard.calls[0].limit, SECOND * 100);
    shard.pass(SECOND * 10);
    shard.end_call(Err(CallFailure::Network));
    shard.pass(SECOND);
    assert_eq!(shard.calls[0].limit, SECOND * 89, "what is left of it");
    send(&mut shard, alice, "e", 2);
    shard.pass(SECOND * 89);
    shard.end_call(Err(CallFailure::TimedOut));
    assert!(is_refused(&shard.take(alice)), "it is not repeated");
    assert_eq!(shard.calls[0].limit, SECOND * 100, "its time begins with its first attempt");
}

#[test]
fn each_attempt_at_a_notification_has_an_even_share_of_the_time() {
    let mut shard = TestShard::with(ShardConfig::only(), with_handlers(ALL_EVENTS));
    shard.connected(json("alice"));
    let start = shard.now;
    for pause in [1, 3, 5] {
        let limit = shard.calls[0].limit;
        assert!((18..=25).contains(&limit.as_secs()), "{limit:?}");
        shard.pass(limit);
        shard.end_call(Err(CallFailure::TimedOut));
        shard.pass(SECOND * pause);
    }
    let limit = shard.calls[0].limit;
    assert_eq!(shard.now.after(limit), start.after(SECOND * 100));
}

#[test]
fn at_most_six_calls_are_under_way_and_connections_take_turns() {
    let mut shard = shard();
    let clients = clients(&mut shard, 8);
    for ack_id in 1..=3 {
        for client in clients.iter().take(if ack_id == 1 { 8 } else { 1 }) {
            send(&mut shard, *client, "e", ack_id);
        }
    }
    assert_eq!(shard.calls_in_words(), ["c1 e 2", "c2 e 2", "c3 e 2", "c4 e 2", "c5 e 2", "c6 e 2"]);
    shard.end_call(Ok(status(204)));
    shard.end_call(Ok(status(204)));
    assert_eq!(
        shard.calls_in_words(),
        ["c3 e 2", "c4 e 2", "c5 e 2", "c6 e 2", "c7 e 2", "c8 e 2"],
        "each connection comes once before any comes twice"
    );
    assert_eq!(
        shard.end_calls(),
        ["c3 e 2", "c4 e 2", "c5 e 2", "c6 e 2", "c7 e 2", "c8 e 2", "c1 e 3", "c1 e 4"]
    );
}

#[test]
fn a_hundred_calls_are_under_way_where_sockets_end_with_memory() {
    let config = ShardConfig { sockets: Sockets::EndWithMemory, ..ShardConfig::only() };
    let mut shard = TestShard::with(config, with_handlers(USER_EVENTS));
    for client in clients(&mut shard, 101) {
        send(&mut shard, client, "e", 1);
    }
    assert_eq!(shard.calls.len(), 100);
    shard.end_call(Ok(status(204)));
    assert_eq!(shard.calls_in_words().last().map(String::as_str), Some("c101 e 2"));
}

#[test]
fn a_thousand_events_of_a_connection_wait_and_one_more_fails() {
    let mut shard = shard();
    let [alice, bob] = clients(&mut shard, 2)[..] else { panic!("two clients") };
    for ack_id in 1..=1001 {
        send(&mut shard, alice, "e", ack_id);
    }
    let refused = shard.take(alice);
    assert!(is_refused(&refused) && refused[0].contains(r#""ackId":1001"#), "{refused:?}");
    assert_eq!(value(&shard, "webpubsub_waiting_events"), 1000);
    send(&mut shard, bob, "e", 1);
    assert_eq!(shard.calls_in_words(), ["c1 e 2", "c2 e 2"], "another connection has room");
    shard.end_call(Ok(status(204)));
    send(&mut shard, alice, "e", 1001);
    assert_eq!(shard.take(alice).len(), 1, "there is room again");
    assert_eq!(shard.end_calls().len(), 1001);
    assert_eq!(value(&shard, "webpubsub_waiting_events"), 0);
}

#[test]
fn sixteen_mebibytes_of_a_shards_events_wait_and_more_fail() {
    let mut shard = shard();
    let clients = clients(&mut shard, 20);
    let data = "x".repeat(1_000_000);
    let mut refused = 0;
    for client in clients {
        shard.send(
            client,
            &format!(r#"{{"type":"event","event":"e","dataType":"text","data":"{data}","ackId":1}}"#),
        );
        refused += shard.take(client).len();
    }
    assert_eq!(refused, 4);
    assert_eq!(shard.end_calls().len(), 16);
    let simple = shard.connected(ConnectRequest::default());
    for _ in 0..17 {
        shard.send(simple, &data);
    }
    assert_eq!(shard.closed.pop().map(|closed| closed.code), Some(1011));
    assert_eq!(shard.end_calls().len(), 16, "what was taken is delivered");
}

#[test]
fn events_without_payloads_are_bounded_too() {
    let mut shard = shard();
    let mut taken = 0;
    while taken == value(&shard, "webpubsub_waiting_events") {
        let simple = shard.connected(ConnectRequest::default());
        for _ in 0..1000 {
            shard.send(simple, "");
            taken += 1;
            if !shard.is_open(simple) {
                break;
            }
        }
        if shard.is_open(simple) {
            shard.close(simple, CloseCode::NORMAL);
        }
    }
    assert_eq!(taken - 1, 65_536);
}

#[test]
fn a_hundred_thousand_durable_events_wait_and_one_more_fails() {
    let limits = Limits { groups: 0, ..Limits::DEFAULT };
    let mut shard = TestShard::with(
        ShardConfig { limits, ..ShardConfig::only() },
        with_handlers(
            r#"[{"urlTemplate":"https://example.com/","groupPresenceEvents":{"eventNames":["joined"]}}]"#,
        ),
    );
    let alice = shard.connected(json("alice"));
    let mut join = |groups: std::ops::Range<u32>| {
        let groups = groups.map(|number| group(&format!("g{number}"))).collect();
        let to = Selection::from(Target::User(user("alice")));
        // The disk of the testkit would take long for this many.
        let outputs = shard.outputs(Input::Command(Command::Join { to, groups }));
        outputs.into_iter().filter(|output| matches!(output, Output::EventFailed { .. })).collect::<Vec<_>>()
    };
    assert!(join(0..100_000).is_empty());
    let given_up = join(100_000..100_001);
    let [Output::EventFailed { connection, event, failure }] = &given_up[..] else { panic!("{given_up:?}") };
    assert_eq!((event.as_str(), *failure), ("joined", CallFailure::TooMany));
    assert_eq!(*connection, shard.id(alice));
    assert_eq!(value(&shard, "webpubsub_outbox_rows"), 100_000);
}

#[test]
fn a_breaker_opens_for_ten_seconds_and_lets_one_probe_through() {
    let mut shard = shard();
    let clients = clients(&mut shard, 8);
    for client in &clients {
        send(&mut shard, *client, "e", 1);
    }
    for _ in 0..4 {
        shard.end_call(Ok(status(500)));
    }
    assert_eq!(shard.calls.len(), 4, "the seventh and eighth are tried");
    for client in &clients {
        assert!(shard.take(*client).is_empty(), "nothing is final yet");
    }
    shard.end_call(Err(CallFailure::TimedOut));
    assert_eq!(shard.calls.len(), 3, "those that are under way may end");
    for client in &clients[..5] {
        assert!(is_refused(&shard.take(*client)), "what waits for its next attempt fails");
    }
    send(&mut shard, clients[0], "e", 2);
    assert!(is_refused(&shard.take(clients[0])), "at once");
    while !shard.calls.is_empty() {
        shard.end_call(Ok(status(500)));
    }
    shard.pass(SECOND * 9);
    send(&mut shard, clients[0], "e", 3);
    assert!(is_refused(&shard.take(clients[0])));
    shard.pass(SECOND);
    send(&mut shard, clients[0], "e", 4);
    send(&mut shard, clients[1], "e", 4);
    assert_eq!(shard.calls_in_words(), ["c1 e 3"], "one probe, and what fails at once has no number");
    assert!(is_refused(&shard.take(clients[1])));
    shard.end_call(Ok(status(500)));
    assert!(is_refused(&shard.take(clients[0])), "the probe failed");
    shard.pass(SECOND * 10);
    send(&mut shard, clients[0], "e", 5);
    shard.end_call(Ok(status(400)));
    send(&mut shard, clients[1], "e", 5);
    assert_eq!(shard.calls.len(), 1, "a handler that answers is not left alone");
}

#[test]
fn durable_events_wait_for_a_closed_breaker() {
    let mut shard = TestShard::with(ShardConfig::only(), with_handlers(ALL_EVENTS));
    let clients = clients(&mut shard, 20);
    send(&mut shard, clients[0], "e", 1);
    for _ in 0..10 {
        shard.end_call(Err(CallFailure::Network));
    }
    assert!(shard.calls.is_empty(), "five fail, and five that were under way by then");
    assert!(
        is_refused(&shard.take(clients[0])),
        "a user event does not wait for durable events behind a breaker"
    );
    shard.pass(SECOND * 9);
    assert!(shard.calls.is_empty());
    shard.pass(SECOND);
    assert_eq!(shard.calls.len(), 1, "one probe");
    shard.end_call(Ok(status(500)));
    shard.pass(SECOND * 9);
    assert!(shard.calls.is_empty());
    shard.pass(SECOND);
    shard.end_call(Ok(status(204)));
    assert_eq!(shard.calls.len(), 6, "it is back");
    assert_eq!(shard.end_calls().len(), 19);
    assert!(shard.disk.durable_events.is_empty() && shard.gave_up.is_empty());
}

#[test]
fn handlers_with_other_urls_are_called_all_the_same() {
    let handlers = r#"[{"urlTemplate":"https://bad.example.com/","userEventPattern":"bad"},
        {"urlTemplate":"https://good.example.com/","userEventPattern":"*"}]"#;
    let mut shard = TestShard::with(ShardConfig::only(), with_handlers(handlers));
    let clients = clients(&mut shard, 5);
    for client in &clients {
        send(&mut shard, *client, "bad", 1);
    }
    for _ in 0..5 {
        shard.end_call(Err(CallFailure::NotValidated));
    }
    send(&mut shard, clients[0], "good", 2);
    send(&mut shard, clients[0], "bad", 3);
    assert_eq!(shard.calls[0].url, "https://good.example.com/");
    shard.end_call(Ok(status(204)));
    assert_eq!(shard.take(clients[0]).len(), 3);
    assert!(shard.calls.is_empty(), "the other was not called");
}

#[test]
fn a_private_url_is_called_only_where_that_is_allowed() {
    let handlers =
        r#"[{"urlTemplate":"http://localhost:3000/","userEventPattern":"*","systemEvents":["connected"]}]"#;
    for private_allowed in [false, true] {
        let policy = EventPolicy { private_allowed, ..with_handlers(handlers) };
        let mut shard = TestShard::with(ShardConfig::only(), policy);
        let alice = shard.connected(json("alice"));
        let barred = (!private_allowed).then_some(CallFailure::NotPublic);
        assert_eq!(shard.calls[0].barred, barred);
        shard.end_calls();
        send(&mut shard, alice, "e", 1);
        assert_eq!(shard.calls[0].barred, barred);
        shard.end_calls();
        assert_eq!(is_refused(&shard.take(alice)), !private_allowed);
        let not_public = |event: &str| (event.to_owned(), CallFailure::NotPublic);
        let expected = if private_allowed { vec![] } else { vec![not_public("connected"), not_public("e")] };
        assert_eq!(shard.gave_up, expected);
    }
}

#[test]
fn a_call_is_given_up_when_its_connection_is_gone() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    for (ack_id, event) in [(1, "one"), (2, "two")] {
        send(&mut shard, alice, event, ack_id);
    }
    shard.pass(Duration::from_millis(300));
    shard.cut(alice);
    let first = shard.calls[0].id;
    assert_eq!(shard.given_up, [(first, Duration::from_millis(700))], "it has a second to be sent");
    shard.end_call(Err(CallFailure::GivenUp));
    let second = shard.calls[0].id;
    assert_eq!(shard.calls_in_words(), ["alice two 3"], "what came before the end is delivered");
    assert_eq!(shard.given_up[1..], [(second, SECOND)]);
    shard.end_call(Err(CallFailure::Network));
    shard.pass(SECOND * 10);
    assert!(shard.calls.is_empty(), "once");
    assert!(shard.gave_up.iter().all(|(_, failure)| *failure != CallFailure::GivenUp));
}

#[test]
fn no_further_attempt_is_made_when_the_connection_is_gone() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    send(&mut shard, alice, "e", 1);
    shard.end_call(Ok(status(500)));
    shard.cut(alice);
    assert!(shard.given_up.is_empty());
    shard.pass(SECOND * 10);
    assert!(shard.calls.is_empty());
    assert_eq!((shard.due(), value(&shard, "webpubsub_waiting_events")), (None, 0));
}

#[test]
fn a_call_of_a_reliable_client_that_is_away_goes_on() {
    let mut shard = shard();
    let alice = shard.connected(reliable("alice"));
    send(&mut shard, alice, "e", 1);
    shard.cut(alice);
    shard.end_call(Ok(status(500)));
    shard.pass(SECOND);
    assert_eq!((shard.calls_in_words(), shard.given_up.len()), (vec!["alice e 2, attempt 2".to_owned()], 0));
    shard.pass(SECOND * 59);
    assert_eq!(shard.given_up.len(), 1, "its time to come back is over");
    assert_eq!(shard.given_up[0].1, Duration::ZERO);
}

#[test]
fn a_cancelled_invocation_gives_its_call_up() {
    let mut shard = shard();
    let alice = shard.connected(json("alice"));
    for id in ["a", "b", "c"] {
        shard.send(
            alice,
            &format!(r#"{{"type":"invoke","invocationId":"{id}","target":"event","event":"{id}","data":1}}"#),
        );
    }
    let cancel = |shard: &mut TestShard, id: &str| {
        shard.send(alice, &format!(r#"{{"type":"cancelInvocation","invocationId":"{id}"}}"#));
    };
    cancel(&mut shard, "b");
    assert!(shard.given_up.is_empty(), "it waits, and is not delivered");
    cancel(&mut shard, "a");
    assert_eq!(shard.given_up, [(shard.calls[0].id, SECOND)]);
    shard.end_call(Err(CallFailure::TimedOut));
    assert_eq!(shard.calls_in_words(), ["alice c 4"]);
    shard.end_call(Ok(status(500)));
    cancel(&mut shard, "c");
    shard.pass(SECOND * 10);
    assert!(shard.calls.is_empty(), "there is no further attempt");
}

#[test]
fn pauses_and_the_time_are_as_they_were_set() {
    let policy =
        EventPolicy { timeout: SECOND * 4, retries: vec![Duration::ZERO; 2], ..with_handlers(USER_EVENTS) };
    let mut shard = TestShard::with(ShardConfig::only(), policy);
    let alice = shard.connected(json("alice"));
    send(&mut shard, alice, "e", 1);
    let attempts = [1, 2, 3].map(|attempt| {
        let call = shard.end_call(Ok(status(500)));
        assert_eq!(call.attempt, attempt);
        call.limit.as_millis()
    });
    assert_eq!(attempts, [4000, 4000, 4000]);
    assert!(is_refused(&shard.take(alice)));
}

#[test]
fn the_credentials_of_a_handler_go_with_its_calls() {
    let handlers = r#"[{"urlTemplate":"https://example.com/","userEventPattern":"*",
        "auth":{"type":"Bearer","token":{"secret":"HANDLER_SECRET_TOKEN"}}}]"#;
    let mut shard = TestShard::with(ShardConfig::only(), with_handlers(handlers));
    let alice = shard.connected(json("alice"));
    send(&mut shard, alice, "e", 1);
    let known = settings(handlers).event_handlers[0].auth.clone();
    assert!(known.is_some() && shard.calls[0].auth == known);
    assert_eq!(header(&shard.calls[0], "Authorization"), None, "only who sends it knows the secret");
}

#[test]
fn calls_and_what_waits_are_counted() {
    let mut shard = TestShard::with(ShardConfig::only(), with_handlers(ALL_EVENTS));
    let alice = shard.connected(json("alice"));
    send(&mut shard, alice, "e", 1);
    send(&mut shard, alice, "e", 2);
    let counts = |shard: &TestShard| {
        [
            "webpubsub_waiting_events",
            "webpubsub_outbox_rows",
            "webpubsub_event_calls_total",
            "webpubsub_event_call_failures_total",
        ]
        .map(|name| value(shard, name))
    };
    assert_eq!(counts(&shard), [2, 1, 1, 0]);
    shard.end_call(Ok(status(500)));
    assert_eq!(counts(&shard), [2, 1, 2, 1]);
    shard.end_call(Ok(says("text/html", "")));
    assert_eq!(counts(&shard), [1, 1, 3, 1]);
    shard.end_call(Ok(says("text/html", "<p>")));
    shard.pass(SECOND);
    shard.end_call(Ok(status(204)));
    assert_eq!(counts(&shard), [0, 0, 4, 2]);
}
