//! What a call of an event handler wants, step by step, with time that the test sets.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a broken expectation is a failed test"
)]

use std::time::Duration;

use webpubsub_auth::AccessKeys;
use webpubsub_protocol::event_handler::{CallFailure, Event};
use webpubsub_protocol::name::{HubName, UserId};
use webpubsub_protocol::time::Timestamp;
use webpubsub_service::directory::Handler;
use webpubsub_service::{AnswerBody, Done, EventCall, KnownHandlers, Newcomer, Wanted, first_attempt};
use webpubsub_shard::{EventPolicy, HubSettings, ShardId};

const MINUTE: Duration = Duration::from_secs(60);

/// Event handlers as JSON, one that is asked for `connect`.
const HANDLER: &str = r#"{"eventHandlers":[{"urlTemplate":"https://example.com/{event}?code=1",
    "userEventPattern":"*","systemEvents":["connect"]}]}"#;

fn policy(settings: &str) -> EventPolicy {
    let settings = HubSettings::parse(settings).unwrap();
    EventPolicy { settings, ..EventPolicy::new(HubName::parse("chat").unwrap()) }
}

const fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_000_000 + millis)
}

fn keys() -> AccessKeys {
    AccessKeys::new("primary", Some("secondary")).unwrap()
}

/// A call of the first handler, with `connect` and its retries, and `variables` that the host has.
fn connect<'a>(now: Timestamp, policy: &'a EventPolicy, variables: &[(&str, &str)]) -> EventCall<'a> {
    let handler = &policy.settings.event_handlers[0];
    let id = ShardId(0).connection_id([7; 16]);
    let event = Event::Connect { body: "{}".to_owned() };
    let user = UserId::parse("ann").unwrap();
    let newcomer = Newcomer { connection: &id, user: Some(&user), origin: "svc.example" };
    let call = first_attempt(now, policy, handler, newcomer, &event);
    let variable =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let mut call = EventCall::of("chat", call, &keys(), &variable);
    call.retry(now, policy, handler);
    call
}

/// What is wanted first, or where nothing has to be said of what was done.
fn next(call: &mut EventCall<'_>, known: &mut KnownHandlers, now: Timestamp) -> Wanted {
    call.next(now, known, Done::Nothing)
}

/// Answers a request that was sent, and returns the delivery record that is to be kept.
fn answer(call: &mut EventCall<'_>, known: &mut KnownHandlers, now: Timestamp, head: &str) -> String {
    let mut body = AnswerBody::new(call.request().max_answer_bytes);
    let answer = call.read(known, head, &mut body, &|_, _| None);
    let outcome = answer.and_then(|answer| CallFailure::of_status(answer.status).map_or(Ok(()), Err));
    record(call.next(now, known, Done::Judged(outcome)))
}

fn record(wanted: Wanted) -> String {
    match wanted {
        Wanted::Keep(record) => record,
        other => panic!("a record is wanted, not {other:?}"),
    }
}

/// Answers what the directory was asked for; returns what is wanted then.
fn validated(call: &mut EventCall<'_>, known: &mut KnownHandlers, now: Timestamp, answer: &str) -> Wanted {
    call.next(now, known, Done::Validated(answer.to_owned()))
}

/// Begins an attempt, whose handshake succeeds if it is asked for.
fn begin(call: &mut EventCall<'_>, known: &mut KnownHandlers, now: Timestamp) {
    let mut wanted = next(call, known, now);
    if matches!(wanted, Wanted::Validate { .. }) {
        wanted = validated(call, known, now, "204");
    }
    assert!(matches!(wanted, Wanted::Post { .. }), "{wanted:?}");
}

#[test]
fn the_handshake_comes_first_and_counts_for_10_seconds() {
    let (policy, mut known) = (policy(HANDLER), KnownHandlers::default());
    let mut call = connect(at(0), &policy, &[]);
    let url = "https://example.com/validate?code=1".to_owned();
    let handler = Handler { url, origin: "svc.example".to_owned() };
    let within = Duration::from_secs(100);
    assert_eq!(next(&mut call, &mut known, at(0)), Wanted::Validate { handler, within });
    assert!(matches!(validated(&mut call, &mut known, at(0), "204"), Wanted::Post { .. }));
    for (later, is_known) in [(9_999, true), (10_000, false)] {
        let wanted = next(&mut connect(at(later), &policy, &[]), &mut known, at(later));
        assert_eq!(matches!(wanted, Wanted::Post { .. }), is_known, "{later} ms later");
    }
}

#[test]
fn a_refused_handshake_ends_a_call_before_its_request() {
    let (policy, mut known) = (policy(HANDLER), KnownHandlers::default());
    let mut call = connect(at(0), &policy, &[]);
    assert!(matches!(next(&mut call, &mut known, at(0)), Wanted::Validate { .. }));
    let record = record(validated(&mut call, &mut known, at(30), "403"));
    assert!(
        record.contains(r#""attempt":1,"url":"https://example.com/connect","status":null,"durationMs":30"#)
    );
    assert!(record.contains(r#""error":"NotValidated""#), "{record}");
    assert_eq!(next(&mut call, &mut known, at(30)), Wanted::Over(Err(CallFailure::NotValidated)));
    let mut other = connect(at(40), &policy, &[]);
    assert!(matches!(next(&mut other, &mut known, at(40)), Wanted::Validate { .. }), "a refusal is not held");
}

#[test]
fn a_handshake_takes_from_the_time_of_the_request() {
    let (policy, mut known) = (policy(HANDLER), KnownHandlers::default());
    let mut call = connect(at(0), &policy, &[]);
    assert!(matches!(next(&mut call, &mut known, at(0)), Wanted::Validate { .. }));
    let wanted = validated(&mut call, &mut known, at(99_000), "204");
    let Wanted::Post { within } = wanted else { panic!("it is posted") };
    assert!(within <= Duration::from_secs(1), "{within:?}");
}

#[test]
fn four_attempts_carry_the_same_number_and_pause_1_3_5_s() {
    let (policy, mut known) = (policy(HANDLER), KnownHandlers::default());
    let mut call = connect(at(0), &policy, &[]);
    let (mut now, mut headers) = (at(0), Vec::new());
    for (attempt, pause) in [(1, Some(1)), (2, Some(3)), (3, Some(5)), (4, None)] {
        begin(&mut call, &mut known, now);
        headers.push(call.request().headers.clone());
        let record = answer(&mut call, &mut known, now, "503");
        assert!(record.contains(&format!(r#""attempt":{attempt},"#)) && record.contains(r#""status":503"#));
        let wanted = next(&mut call, &mut known, now);
        match pause.map(Duration::from_secs) {
            Some(pause) => {
                assert_eq!(wanted, Wanted::Wait(pause));
                now = now.after(pause);
            }
            None => assert_eq!(wanted, Wanted::Over(Err(CallFailure::Status(503)))),
        }
    }
    assert!(headers.iter().all(|other| *other == headers[0] && other.contains("ce-id\n0\n")));
}

#[test]
fn a_failure_that_will_not_pass_is_not_retried() {
    let (policy, mut known) = (policy(HANDLER), KnownHandlers::default());
    let mut call = connect(at(0), &policy, &[]);
    begin(&mut call, &mut known, at(0));
    let record = answer(&mut call, &mut known, at(5), "401\nx-other\ny");
    assert!(record.contains(r#""status":401,"durationMs":5,"error":"Status""#), "{record}");
    assert_eq!(next(&mut call, &mut known, at(5)), Wanted::Over(Err(CallFailure::Status(401))));
}

#[test]
fn five_failures_in_a_row_open_the_breaker_for_ten_s() {
    let retries = Vec::new();
    let (policy, mut known) = (EventPolicy { retries, ..policy(HANDLER) }, KnownHandlers::default());
    for _ in 0..5 {
        let mut call = connect(at(0), &policy, &[]);
        begin(&mut call, &mut known, at(0));
        answer(&mut call, &mut known, at(0), "Network");
    }
    let over = Wanted::Over(Err(CallFailure::BreakerOpen));
    let mut first = |now| next(&mut connect(now, &policy, &[]), &mut known, now);
    assert_eq!(first(at(9_999)), over, "and no record is kept");
    assert_ne!(first(at(10_000)), over, "a probe");
    assert_eq!(first(at(10_000)), over, "the others wait for it");
}

#[test]
fn a_private_address_is_never_called() {
    let settings = HANDLER.replace("example.com", "10.0.0.1");
    for (private_allowed, is_posted) in [(false, false), (true, true)] {
        let (policy, mut known) =
            (EventPolicy { private_allowed, ..policy(&settings) }, KnownHandlers::default());
        let mut calls = [
            connect(at(0), &policy, &[]),
            EventCall::handshake(at(0), &policy, "https://10.0.0.1/validate", "svc.example"),
        ];
        for call in &mut calls {
            let wanted = next(call, &mut known, at(0));
            assert_eq!(!matches!(wanted, Wanted::Keep(_)), is_posted, "{wanted:?}");
            if !is_posted {
                assert!(record(wanted).contains(r#""error":"NotPublic""#));
                assert_eq!(next(call, &mut known, at(0)), Wanted::Over(Err(CallFailure::NotPublic)));
            }
        }
    }
}

#[test]
fn a_request_is_signed_with_both_keys_and_has_the_secret() {
    let auth =
        r#""auth":{"type":"header","name":"X-Key","value":{"secret":"HANDLER_SECRET_A"}},"userEventPattern""#;
    let policy = policy(&HANDLER.replace(r#""userEventPattern""#, auth));
    let call = connect(at(0), &policy, &[("HANDLER_SECRET_A", "s3cret")]);
    assert_eq!(call.request().headers.matches("sha256=").count(), 2);
    assert!(call.request().headers.ends_with("X-Key\ns3cret\n"), "{}", call.request().headers);
    for variables in [&[][..], &[("HANDLER_SECRET_A", "a\r\nb: c")]] {
        let (mut call, mut known) = (connect(at(0), &policy, variables), KnownHandlers::default());
        assert!(record(next(&mut call, &mut known, at(0))).contains("Unsendable"));
    }
}

#[test]
fn a_handshake_asks_with_get_where_options_is_not_found() {
    let (policy, mut known) = (policy(HANDLER), KnownHandlers::default());
    let mut call = EventCall::handshake(at(0), &policy, "https://example.com/validate", "svc.example");
    assert_eq!(next(&mut call, &mut known, at(0)), Wanted::Post { within: Duration::from_secs(10) });
    assert_eq!(call.request().method, "OPTIONS");
    assert_eq!(call.request().headers, "WebHook-Request-Origin\nsvc.example\nce-awpsversion\n1.0\n");
    let record = answer(&mut call, &mut known, at(5), "404");
    assert!(record.contains(r#""event":"validate","connectionId":null,"attempt":1"#), "{record}");
    assert!(matches!(next(&mut call, &mut known, at(5)), Wanted::Post { .. }));
    assert_eq!(call.request().method, "GET");
    assert!(answer(&mut call, &mut known, at(9), "500").contains(r#""status":500"#));
    assert_eq!(next(&mut call, &mut known, at(9)), Wanted::Wait(Duration::from_secs(1)));
    assert!(matches!(next(&mut call, &mut known, at(1009)), Wanted::Post { .. }));
    assert_eq!(call.request().method, "OPTIONS", "every attempt begins with it");
    answer(&mut call, &mut known, at(1009), "404");
    begin(&mut call, &mut known, at(1009));
    answer(&mut call, &mut known, at(1009), "404");
    assert_eq!(next(&mut call, &mut known, at(1009)), Wanted::Over(Err(CallFailure::Status(404))));
}

// Source: docs/spec/cloudevents.md#validation.
#[test]
fn a_handshake_without_an_answer_in_time_is_not_retried() {
    let (policy, mut known) = (policy(HANDLER), KnownHandlers::default());
    for (word, wanted) in [
        ("TimedOut", Wanted::Over(Err(CallFailure::TimedOut))),
        ("Network", Wanted::Wait(Duration::from_secs(1))),
    ] {
        let mut call = EventCall::handshake(at(0), &policy, "https://example.com/validate", "svc.example");
        begin(&mut call, &mut known, at(0));
        let _ = answer(&mut call, &mut known, at(10), word);
        assert_eq!(next(&mut call, &mut known, at(10)), wanted);
    }
}

#[test]
fn an_attempt_of_a_shard_and_a_test_are_not_retried() {
    let (policy, mut known) = (policy(HANDLER), KnownHandlers::default());
    let handler = &policy.settings.event_handlers[0];
    let id = ShardId(0).connection_id([7; 16]);
    let newcomer = Newcomer { connection: &id, user: None, origin: "svc.example" };
    let call = first_attempt(at(0), &policy, handler, newcomer, &Event::Connected);
    let mut event = EventCall::of("chat", call, &keys(), &|_| None);
    event.skip_handshake();
    let mut handshake = EventCall::handshake(at(0), &policy, "https://example.com/validate", "svc.example");
    handshake.once(at(0));
    let mut calls = [event, handshake];
    assert_eq!(calls[0].request().max_answer_bytes, 0, "nothing is read of an answer that says nothing");
    for call in &mut calls {
        assert!(matches!(next(call, &mut known, at(0)), Wanted::Post { .. }));
        assert!(answer(call, &mut known, at(1), "TimedOut").contains(r#""error":"TimedOut""#));
        assert_eq!(next(call, &mut known, at(1)), Wanted::Over(Err(CallFailure::TimedOut)));
    }
}

#[test]
fn all_attempts_together_keep_within_the_timeout() {
    let policy = EventPolicy { timeout: MINUTE, ..policy(HANDLER) };
    let (mut known, mut now) = (KnownHandlers::default(), at(0));
    let mut call = connect(now, &policy, &[]);
    let mut done = Done::Nothing;
    loop {
        let wanted = call.next(now, &mut known, done);
        done = Done::Nothing;
        match wanted {
            Wanted::Validate { within, .. } => {
                now = now.after(within / 10);
                done = Done::Validated("204".to_owned());
            }
            Wanted::Post { within } => {
                now = now.after(within);
                done = Done::Judged(Err(CallFailure::TimedOut));
            }
            Wanted::Wait(pause) => now = now.after(pause),
            Wanted::Keep(_) => {}
            Wanted::Over(outcome) => break assert_eq!(outcome, Err(CallFailure::TimedOut)),
        }
    }
    assert!(now <= at(60_000), "{now:?}");
}

#[test]
fn a_handshake_is_to_allow_this_service() {
    let (policy, mut known) = (policy(HANDLER), KnownHandlers::default());
    for (head, outcome) in [
        ("200\nwebhook-allowed-origin\nother, SVC.example", Ok(())),
        ("200\nwebhook-allowed-origin\n*", Ok(())),
        ("200\nwebhook-allowed-origin\nother", Err(CallFailure::OtherOrigin)),
        ("200", Err(CallFailure::NoAllowedOrigin)),
    ] {
        let mut call = EventCall::handshake(at(0), &policy, "https://example.com/validate", "svc.example");
        begin(&mut call, &mut known, at(0));
        let _ = answer(&mut call, &mut known, at(0), head);
        assert_eq!(next(&mut call, &mut known, at(0)), Wanted::Over(outcome), "{head}");
    }
}
