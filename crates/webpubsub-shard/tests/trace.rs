//! An operator watches what happens in a shard.
#![expect(clippy::unwrap_used, reason = "a broken expectation is a failed test")]

use std::time::Duration;

use webpubsub_protocol::close::CloseCode;
use webpubsub_shard::{Input, Target, TraceFilter};
use webpubsub_testkit::{TestShard, group, json, reliable, text, user};

const WINDOW: Duration = Duration::from_millis(100);

/// The records that a watcher has received, without their times, after those that are collected were sent.
fn records(shard: &mut TestShard) -> Vec<String> {
    shard.pass(WINDOW);
    let frames = std::mem::take(&mut shard.traced);
    let inner = frames.iter().filter_map(|(_, frame)| {
        let (_, records) = frame.split_once(r#""records":["#)?;
        records.strip_suffix("]}")
    });
    let all = inner.flat_map(|records| records.split(r#"{"time":"#).skip(1));
    all.map(|record| record.split_once(',').unwrap().1.trim_end_matches([',', '}']).to_owned()).collect()
}

fn watched(filter: TraceFilter) -> TestShard {
    let mut shard = TestShard::new();
    shard.core_mut().watch(filter).unwrap();
    shard
}

#[test]
fn without_a_watcher_nothing_is_recorded() {
    let mut shard = TestShard::new();
    shard.connected(json("alice"));
    shard.publish(Target::All, text("x"));
    assert_eq!(shard.core().next_timeout(), None);
    assert_eq!(records(&mut shard), [""; 0]);
}

#[test]
fn a_connection_is_recorded_from_its_beginning_to_its_end() {
    let mut shard = watched(TraceFilter::default());
    let bob = shard.connected(reliable("bob"));
    let id = shard.id(bob);
    shard.cut(bob);
    shard.recover(&id);
    shard.close(bob, CloseCode::NORMAL);
    let about = format!(r#""connectionId":"{id}","userId":"bob""#);
    assert_eq!(
        records(&mut shard),
        [
            format!(r#""kind":"connected",{about},"subprotocol":"json.reliable.webpubsub.azure.v1""#),
            format!(r#""kind":"detached",{about}"#),
            format!(r#""kind":"recovered",{about}"#),
            format!(r#""kind":"disconnected",{about},"reason":"""#),
        ]
    );
}

#[test]
fn a_message_is_recorded_where_it_comes_and_where_it_goes() {
    let mut shard = watched(TraceFilter::default());
    let alice = shard.connected(json("alice"));
    let id = shard.id(alice);
    shard.send(alice, r#"{"type":"joinGroup","group":"g"}"#);
    shard.send(alice, r#"{"type":"sendToGroup","group":"g","dataType":"text","data":"hi"}"#);
    let about = format!(r#""connectionId":"{id}","userId":"alice""#);
    assert_eq!(
        records(&mut shard)[1..],
        [
            format!(r#""kind":"received",{about},"type":"joinGroup","group":"g","event":null,"bytes":0"#),
            format!(r#""kind":"received",{about},"type":"sendToGroup","group":"g","event":null,"bytes":2"#),
            r#""kind":"delivered","group":"g","receivers":1,"bytes":2"#.to_owned(),
        ]
    );
}

#[test]
fn a_servers_request_is_recorded_with_its_target() {
    let mut shard = watched(TraceFilter { payloads: true, ..TraceFilter::default() });
    shard.publish(Target::User(user("bob")), text("hi"));
    assert_eq!(
        records(&mut shard),
        [
            r#""kind":"command","operation":"send","target":"user","name":"bob""#,
            r#""kind":"delivered","group":null,"receivers":0,"bytes":2,"data":{"dataType":"text","data":"hi","isCut":false"#,
        ]
    );
}

#[test]
fn a_filter_has_what_a_connection_receives() {
    let mut shard = TestShard::new();
    let [alice, bob] = ["alice", "bob"].map(|name| shard.connected(json(name)));
    let connection = Some(shard.id(bob));
    shard.core_mut().watch(TraceFilter { connection, ..TraceFilter::default() }).unwrap();
    shard.publish(Target::All, text("to both"));
    shard.publish(Target::User(user("alice")), text("to alice"));
    shard.send(alice, r#"{"type":"joinGroup","group":"g"}"#);
    shard.send(bob, r#"{"type":"joinGroup","group":"g"}"#);
    let kinds: Vec<_> = records(&mut shard);
    assert_eq!(kinds.len(), 2, "{kinds:?}");
    assert!(kinds[0].contains(r#""receivers":2"#) && kinds[1].contains("joinGroup"), "{kinds:?}");
}

#[test]
fn a_call_of_a_handler_is_recorded_with_its_user() {
    let mut shard = watched(TraceFilter { user: Some(user("alice")), ..TraceFilter::default() });
    let alice = shard.connected(json("alice"));
    let (id, now) = (shard.id(alice), shard.now);
    let delivery = format!(r#"{{"time":5,"event":"e","connectionId":"{id}","attempt":1}}"#);
    shard.core_mut().record_call(now, &delivery);
    shard.core_mut().record_call(now, r#"{"time":6,"event":"validate","connectionId":null}"#);
    shard.pass(WINDOW);
    let (_, frame) = shard.traced.last().unwrap();
    let record = format!(r#"{{"kind":"called","userId":"alice",{}]}}"#, delivery.trim_start_matches('{'));
    assert!(frame.ends_with(&record), "{frame}");
}

#[test]
fn a_stop_of_the_service_ends_the_trace() {
    let mut shard = watched(TraceFilter { group: Some(group("g")), ..TraceFilter::default() });
    shard.input(Input::GoAway);
    assert_eq!(shard.trace_ends.len(), 1);
    shard.publish(Target::Group(group("g")), text("x"));
    assert_eq!(records(&mut shard), [""; 0]);
}

#[test]
fn a_watcher_that_does_not_read_is_closed() {
    let mut shard = watched(TraceFilter { payloads: true, ..TraceFilter::default() });
    let long = "x".repeat(1024);
    for _ in 0..60 {
        for _ in 0..50 {
            shard.publish(Target::All, text(&long));
        }
        shard.pass(WINDOW);
    }
    assert_eq!(shard.trace_ends.len(), 1);
    let sent: usize = shard.traced.iter().map(|(_, frame)| frame.len()).sum();
    assert!((1 << 20..1 << 21).contains(&sent), "{sent}");
    assert_eq!(shard.core().next_timeout(), None, "nothing is collected for it any more");
}
