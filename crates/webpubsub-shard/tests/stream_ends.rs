//! Streams time out, end with their connections, and outlive sockets, memory and shards.

use std::time::Duration;

use proptest::prelude::*;
use webpubsub_protocol::close::CloseCode;
use webpubsub_shard::{ConnectRequest, Input, Limits, Selection, ShardConfig, ShardId, Slot, Target};
use webpubsub_testkit::{TestShard, group, json, reliable, text};

const START: &str = r#"{"type":"sendToGroup","group":"g","stream":{"streamId":"s","idleTimeoutMs":1000}}"#;
const KEEP_ALIVE: &str = r#"{"type":"streamData","streamId":"s"}"#;
const IDLE: &str = r#"{"type":"streamClosed","streamId":"s","error":{"name":"IdleTimeout","message":"The stream was idle for too long."}}"#;
const SECOND: Duration = Duration::from_secs(1);

fn data(number: u64) -> String {
    format!(
        r#"{{"type":"streamData","streamId":"s","streamSequenceId":{number},"dataType":"text","data":"d{number}"}}"#
    )
}

fn ack(expected: u64) -> String {
    format!(r#"{{"type":"streamAck","streamId":"s","expectedSequenceId":{expected}}}"#)
}

fn member(request: ConnectRequest) -> ConnectRequest {
    ConnectRequest { groups: vec![group("g")], ..request }
}

/// A publisher with a stream that may be idle for a second, and a member of its group.
fn start(shard: &mut TestShard, publisher: ConnectRequest) -> (Slot, Slot) {
    let alice = shard.connected(publisher);
    let bob = shard.connected(member(json("bob")));
    shard.send(alice, START);
    assert_eq!(shard.take(alice), [ack(1)]);
    (alice, bob)
}

/// How the stream ends in the last of these frames.
fn end(received: &[String]) -> &str {
    received
        .last()
        .and_then(|frame| frame.split_once("\"endOfStream\":true"))
        .map_or("no end", |(_, end)| end)
}

#[test]
fn an_idle_stream_is_closed_for_both_sides() {
    let mut shard = TestShard::new();
    let (alice, bob) = start(&mut shard, json("alice"));
    shard.pass(SECOND - Duration::from_millis(1));
    assert_eq!(shard.take(alice), [""; 0]);
    shard.pass(Duration::from_millis(1));
    assert_eq!(shard.take(alice), [IDLE]);
    assert_eq!(end(&shard.take(bob)), r#","error":{"name":"IdleTimeout"}}}"#);
    assert!(shard.disk.streams.is_empty());
}

#[test]
fn fragments_and_keep_alives_keep_a_stream_open() {
    let mut shard = TestShard::new();
    let (alice, bob) = start(&mut shard, json("alice"));
    for number in 1..=3 {
        shard.pass(SECOND - Duration::from_millis(1));
        shard.send(alice, KEEP_ALIVE);
        assert_eq!(shard.take(alice), [""; 0], "a keep-alive is not answered");
        shard.pass(SECOND - Duration::from_millis(1));
        shard.send(alice, &data(number));
        assert_eq!(shard.take(alice), [ack(number + 1)]);
    }
    assert_eq!(shard.take(bob).len(), 3, "nor is it published");
    shard.pass(SECOND);
    assert_eq!(shard.take(alice), [IDLE]);
}

#[test]
fn a_stream_may_be_idle_for_five_minutes_by_default() {
    let mut shard = TestShard::new();
    let alice = shard.connected(json("alice"));
    shard.send(alice, &START.replace(r#","idleTimeoutMs":1000"#, ""));
    shard.take(alice);
    shard.pass(Duration::from_millis(299_999));
    assert_eq!(shard.take(alice), [""; 0]);
    shard.pass(Duration::from_millis(1));
    assert_eq!(shard.take(alice), [IDLE]);
}

#[test]
fn each_stream_has_an_idle_time_of_its_own() {
    let mut shard = TestShard::new();
    let alice = shard.connected(json("alice"));
    for (id, millis) in [("a", 3000), ("b", 1000), ("c", 2000)] {
        shard.send(alice, &START.replace("\"s\"", &format!("\"{id}\"")).replace("1000", &millis.to_string()));
    }
    shard.take(alice);
    for id in ["b", "c", "a"] {
        shard.pass(SECOND);
        assert_eq!(shard.take(alice), [IDLE.replace("\"s\"", &format!("\"{id}\""))]);
    }
    assert_eq!(shard.due(), None, "nothing waits for time to pass");
}

#[test]
fn the_end_of_a_connection_cancels_its_streams() {
    for publisher in [json("alice"), reliable("alice")] {
        for code in [CloseCode::NORMAL, CloseCode::ABNORMAL] {
            let mut shard = TestShard::new();
            let (alice, bob) = start(&mut shard, publisher.clone());
            shard.send(alice, &data(1));
            shard.close(alice, code);
            shard.pass(Duration::from_secs(60));
            let received = shard.take(bob);
            assert_eq!(end(&received), r#","error":{"name":"Cancelled"}}}"#, "{code:?}");
            assert_eq!(received.len(), 2);
            assert!(shard.disk.streams.is_empty());
            assert_eq!(shard.due(), None);
        }
    }
}

#[test]
fn a_server_that_closes_the_publisher_cancels_its_streams() {
    let mut shard = TestShard::new();
    let (alice, bob) = start(&mut shard, json("alice"));
    let to = Selection::from(Target::Connection(shard.id(alice)));
    shard.command(webpubsub_shard::Command::Close { to, reason: None });
    assert_eq!(end(&shard.take(bob)), r#","error":{"name":"Cancelled"}}}"#);
}

#[test]
fn a_recovered_publisher_is_connected_first_and_goes_on() {
    let mut shard = TestShard::new();
    let (alice, bob) = start(&mut shard, member(reliable("alice")));
    shard.send(alice, &data(1));
    let sent = shard.take(alice);
    let id = shard.id(alice);
    shard.cut(alice);
    shard.pass(10 * SECOND);
    assert_eq!(shard.recover(&id), Some(alice), "streams of a detached connection do not time out");
    let connected = format!(
        r#"{{"type":"system","event":"connected","userId":"alice","connectionId":"{}","reconnectionToken":"token"}}"#,
        id.as_str()
    );
    assert_eq!(shard.take(alice), [connected.as_str(), &sent[0]]);
    shard.send(alice, &data(1));
    shard.send(alice, &data(2));
    let acks: Vec<_> = shard.take(alice).into_iter().filter(|frame| frame.contains("streamAck")).collect();
    assert_eq!(acks, [ack(2), ack(3)]);
    assert_eq!(shard.take(bob).len(), 2);
    shard.pass(SECOND);
    assert!(shard.take(alice).contains(&IDLE.to_owned()), "its idle time began again");
}

#[test]
fn a_recovery_without_streams_says_nothing_of_its_own() {
    let mut shard = TestShard::new();
    let alice = shard.connected(reliable("alice"));
    let id = shard.id(alice);
    shard.cut(alice);
    assert_eq!(shard.recover(&id), Some(alice));
    assert_eq!(shard.take(alice), [""; 0]);
}

#[test]
fn a_recovery_after_the_last_stream_says_nothing() {
    let mut shard = TestShard::new();
    let (alice, _) = start(&mut shard, reliable("alice"));
    shard.send(alice, r#"{"type":"streamEnd","streamId":"s"}"#);
    let id = shard.id(alice);
    shard.cut(alice);
    assert_eq!(shard.recover(&id), Some(alice));
    assert_eq!(shard.take(alice), [""; 0]);
}

#[test]
fn streams_outlive_the_memory_of_their_shard() {
    for publisher in [json("alice"), reliable("alice")] {
        let mut shard = TestShard::new();
        let (alice, bob) = start(&mut shard, publisher);
        for number in 1..=4 {
            shard.send(alice, &data(number));
            shard.pass(SECOND / 2);
            shard.hibernate();
        }
        shard.send(alice, &data(4));
        assert_eq!(shard.take(alice).last(), Some(&ack(5)), "a duplicate is known as one");
        assert_eq!(shard.take(bob).len(), 4);
        shard.pass(SECOND / 2);
        shard.hibernate();
        assert_eq!(shard.take(alice), [""; 0]);
        shard.pass(SECOND / 2);
        assert_eq!(shard.take(alice), [IDLE]);
    }
}

#[test]
fn a_crash_ends_the_streams_of_plain_connections_only() {
    let mut shard = TestShard::new();
    let (alice, _) = start(&mut shard, reliable("alice"));
    let carol = shard.connected(json("carol"));
    shard.send(carol, &START.replace("\"s\"", "\"t\""));
    let witness = shard.connected(member(reliable("witness")));
    shard.send(alice, &data(1));
    let [alice_id, witness_id] = [alice, witness].map(|slot| shard.id(slot));
    shard.crash();
    let witness = shard.recover(&witness_id);
    let received = witness.map(|slot| shard.take(slot)).unwrap_or_default();
    assert!(received[0].contains("\"d1\""));
    assert!(received[1].contains(r#""streamId":"t","streamSequenceId":1,"endOfStream":true"#));
    assert_eq!(shard.recover(&alice_id), Some(alice));
    shard.take(alice);
    shard.send(alice, &data(2));
    assert_eq!(shard.take(alice), [ack(3)]);
}

#[test]
fn other_shards_receive_a_stream_in_order_to_its_end() {
    let two = ShardConfig { shards: 2, ..ShardConfig::only() };
    let mut here = TestShard::at(two);
    let mut there = TestShard::at(ShardConfig { shard: ShardId(1), ..two });
    let alice = here.connected(json("alice"));
    let [plain, numbered] = [there.connected(member(json("bob"))), there.connected(member(reliable("bob")))];
    here.send(alice, START);
    for number in 1..=3 {
        here.send(alice, &data(number));
    }
    here.close(alice, CloseCode::NORMAL);
    while let Some((to, batch)) = here.relayed.pop() {
        here.answer(to, &batch, true);
        there.input(Input::Batch(batch));
    }
    for (slot, error) in
        [(plain, r#"{"name":"Cancelled"}}}"#), (numbered, r#"{"name":"Cancelled"}},"sequenceId":4}"#)]
    {
        let received = there.take(slot);
        for (frame, number) in received.iter().zip(1..) {
            assert!(frame.contains(&format!(r#""streamSequenceId":{number}"#)), "{received:?}");
        }
        assert_eq!(end(&received), format!(r#","error":{error}"#));
        assert_eq!(received.len(), 4);
    }
}

#[test]
fn a_fragment_that_finds_no_room_can_be_sent_again() {
    let mut shard = TestShard::at(ShardConfig { shards: 2, ..ShardConfig::only() });
    let alice = shard.connected(json("alice"));
    shard.send(alice, START);
    let large = |number| data(number).replace(":\"d", &format!(":\"{}", "x".repeat(1_000_000)));
    // One batch is in flight and the rest waits, as nothing answers it.
    let mut number = 1;
    let refused = loop {
        shard.send(alice, &large(number));
        let answer = shard.take(alice).pop().unwrap_or_default();
        if answer.contains("streamNack") {
            break answer;
        }
        number += 1;
        assert!(number < 30, "what waits is bounded");
    };
    assert!(refused.contains(r#""name":"TransientError""#), "{refused}");
    assert!(refused.ends_with(&format!(r#""expectedSequenceId":{number}}}"#)));
    let (to, batch) = shard.relayed.remove(0);
    shard.answer(to, &batch, true);
    shard.send(alice, &large(number));
    assert!(shard.take(alice).contains(&ack(number + 1)));
}

#[test]
fn streams_that_end_each_other_are_all_cancelled() {
    let mut shard = TestShard::new();
    let members: Vec<_> = (0..40).map(|_| shard.connected(member(reliable("all")))).collect();
    for slot in &members {
        shard.send(*slot, START);
    }
    let publisher = shard.connected(json("alice"));
    for _ in 0..1001 {
        shard.send(publisher, r#"{"type":"sendToGroup","group":"g","dataType":"text","data":"x"}"#);
    }
    assert_eq!(shard.closed.len(), 40, "none of them has room for another message");
    assert!(shard.disk.streams.is_empty());
}

/// Lets the buffer of a reliable connection, which has so many messages in it, have no room for another.
fn fill(shard: &mut TestShard, slot: Slot, messages: usize) {
    for _ in messages..1000 {
        shard.publish(Target::Connection(shard.id(slot)), text("x"));
    }
    shard.take(slot);
}

/// A reliable subscriber of the states of the group `full`, with streams to the group `g`.
fn busy_subscriber(shard: &mut TestShard, streams: usize) -> Slot {
    let slot = shard.connected(ConnectRequest { groups: vec![group("full")], ..reliable("busy") });
    shard.send(slot, r#"{"type":"subscribeGroupState","group":"full"}"#);
    for number in 0..streams {
        shard.send(slot, &START.replace("\"s\"", &format!("\"busy{number}\"")).replace("1000", "1000000"));
        shard.take(slot);
    }
    slot
}

const SHOW: &str = r#"{"type":"setGroupState","group":"full","state":{"x":"1"}}"#;

#[test]
fn ends_of_streams_count_among_what_is_not_read() {
    let limits = Limits { outbound_bytes: 4000, ..Limits::DEFAULT };
    let mut shard = TestShard::at(ShardConfig { limits, ..ShardConfig::only() });
    let reader = shard.connected(member(json("reader")));
    let guest = shard.connected(ConnectRequest { groups: vec![group("full")], ..json("guest") });
    shard.send(guest, SHOW);
    let busy = busy_subscriber(&mut shard, 40);
    fill(&mut shard, busy, 1);
    // Its state ends, for which the subscriber has no room, whose streams end in turn.
    shard.close(guest, CloseCode::NORMAL);
    assert!(!shard.is_open(busy));
    assert!(!shard.is_open(reader), "more than 4,000 bytes wait on its socket");
}

#[test]
fn a_restored_subscriber_without_room_is_cancelled() {
    let mut shard = TestShard::new();
    let witness = shard.connected(member(reliable("witness")));
    let busy = busy_subscriber(&mut shard, 1);
    let guest = shard.connected(ConnectRequest { groups: vec![group("full")], ..json("guest") });
    shard.send(guest, SHOW);
    fill(&mut shard, busy, 2);
    // A shard that has lost its memory has room for a hundred messages more: the ends of these streams.
    for number in 0..100 {
        let start = START.replace("\"g\"", "\"full\"");
        shard.send(guest, &start.replace("\"s\"", &format!("\"s{number}\"")));
    }
    let id = shard.id(witness);
    shard.crash();
    let ends = |shard: &TestShard| {
        let rows = shard.messages.values();
        rows.filter(|row| row.message.contains("busy0") && row.message.contains("Cancelled")).count()
    };
    assert_eq!(ends(&shard), 1, "it does not wait for what happens next");
    let witness = shard.recover(&id);
    assert_eq!(witness.map_or(0, |slot| shard.take(slot).len()), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn fragments_reach_subscribers_in_order_and_once(steps in prop::collection::vec(0_u8..10, 1..80)) {
        let mut shard = TestShard::new();
        let alice = shard.connected(reliable("alice"));
        let subscribers = [shard.connected(member(json("bob"))), shard.connected(member(reliable("carol")))];
        let ids = [alice, subscribers[1]].map(|slot| shard.id(slot));
        shard.send(alice, &START.replace("1000", "100000000"));
        let (mut expected, mut received, mut acknowledged) = (1, [0, 0], 1);
        for step in steps {
            match step {
                // The next fragment, an old one and one that is to come.
                0..=3 => {
                    shard.send(alice, &data(expected));
                    expected += 1;
                }
                4 => shard.send(alice, &data((expected - 1).max(1).min(expected))),
                5 => shard.send(alice, &data(expected + 1)),
                6 => shard.hibernate(),
                7 | 8 => {
                    let which = usize::from(step - 7);
                    shard.take([alice, subscribers[1]][which]);
                    shard.cut([alice, subscribers[1]][which]);
                    shard.pass(SECOND);
                    prop_assert!(shard.recover(&ids[which]).is_some());
                }
                _ => shard.pass(SECOND),
            }
            if step == 4 && expected == 1 {
                // The "old" fragment was the next one.
                expected += 1;
            }
            for frame in shard.take(alice) {
                if let Some((_, number)) = frame.split_once(r#"streamAck","streamId":"s","expectedSequenceId":"#) {
                    let number: u64 = number.trim_end_matches('}').parse().map_err(|_| TestCaseError::fail("an ack"))?;
                    prop_assert!((acknowledged..=expected).contains(&number), "{number} after {acknowledged}");
                    acknowledged = number;
                }
            }
            for (at, slot) in subscribers.into_iter().enumerate() {
                for frame in shard.take(slot) {
                    let Some((_, rest)) = frame.split_once("\"streamSequenceId\":") else { continue };
                    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                    let number: u64 = digits.parse().map_err(|_| TestCaseError::fail("a fragment"))?;
                    // A reliable subscriber is sent again what it has not acknowledged.
                    prop_assert!(number == received[at] + 1 || (at == 1 && number <= received[at]), "{frame}");
                    received[at] = received[at].max(number);
                }
            }
        }
        prop_assert_eq!(received, [expected - 1; 2]);
        prop_assert_eq!(acknowledged, expected);
    }
}
