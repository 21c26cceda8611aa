//! What a shard takes from its clients: how many there are, how fast they send, how much they leave unread.
#![expect(clippy::expect_used, reason = "a broken expectation is a failed test")]

use std::time::Duration;

use webpubsub_protocol::client::endpoint::SimpleMode;
use webpubsub_protocol::client::{Echo, Subprotocol, UpstreamMessage};
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::data::{Metadata, TimeToLive};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{
    ConnectRequest, Full, Input, Limits, Loads, Output, Placement, Selection, ShardConfig, ShardId, Slot,
    Target,
};
use webpubsub_testkit::{Closed, TestShard, group, json, reliable, text};

const PING: &str = r#"{"type":"ping"}"#;
const PONG: &str = r#"{"type":"pong"}"#;
const MEGABYTE: usize = 1024 * 1024;

fn with(limits: Limits) -> TestShard {
    TestShard::at(ShardConfig { limits, ..ShardConfig::only() })
}

/// Two messages a second, three at once.
fn slow_bucket() -> TestShard {
    with(Limits { messages_per_second: 2, message_burst: 3, ..Limits::DEFAULT })
}

/// Ten bytes more than `mebibytes` may be on their way.
fn short_queue(mebibytes: u32) -> TestShard {
    with(Limits { outbound_bytes: mebibytes * 1024 * 1024 + 10, ..Limits::DEFAULT })
}

fn pass(shard: &mut TestShard, milliseconds: u64) {
    shard.now = shard.now.after(Duration::from_millis(milliseconds));
}

/// A simple client, which is sent payloads and nothing else: the bytes are the payload's.
fn simple() -> ConnectRequest {
    let mode = SimpleMode::SendToGroup { group: group("g"), echo: Echo::Skip };
    ConnectRequest { subprotocol: Subprotocol::Simple, mode, ..json("simple") }
}

fn disconnected(reason: &str) -> String {
    format!(r#"{{"type":"system","event":"disconnected","message":"{reason}"}}"#)
}

fn only_closed(shard: &mut TestShard) -> Closed {
    let closed = shard.closed.pop().expect("a closed connection");
    assert!(shard.closed.is_empty(), "no other client is closed");
    assert!(shard.kept().connections.iter().all(|record| record.slot != closed.slot), "it is gone for good");
    closed
}

fn publish(shard: &mut TestShard, bytes: usize) {
    shard.publish(Target::All, text(&"x".repeat(bytes)));
}

/// Why the next client is refused.
fn refusal(shard: &mut TestShard) -> Option<Full> {
    let connection = ShardId(0).connection_id([0xFF; 16]);
    let outputs = shard.input(Input::Connect { connection, request: json("x"), reconnection_token: None });
    match &outputs[..] {
        [Output::Refuse(full)] => Some(*full),
        _ => None,
    }
}

#[test]
fn a_client_that_sends_too_fast_for_its_queue_is_closed() {
    for request in [json("alice"), reliable("alice")] {
        let mut shard = slow_bucket();
        let client = shard.connected(request);
        for _ in 0..1_003 {
            shard.send(client, PING);
        }
        assert!(shard.is_open(client));
        shard.send(client, PING);
        let closed = only_closed(&mut shard);
        let reason = "The client sends messages too fast.";
        assert_eq!((closed.slot, closed.code, closed.reason.as_str()), (client, 1008, reason));
        assert_eq!(closed.received, [PONG, PONG, PONG, &disconnected(reason)]);
        assert_eq!(shard.core().connections(), 0);
    }
}

#[test]
fn bytes_that_wait_count_as_well() {
    let mut shard = slow_bucket();
    let client = shard.connected(simple());
    let large = "x".repeat(MEGABYTE - 100);
    for _ in 0..8 {
        shard.send(client, &large);
    }
    assert!(shard.is_open(client));
    shard.send(client, "x");
    assert_eq!(only_closed(&mut shard).code, 1008);
}

#[test]
fn a_simple_client_that_sends_too_fast_gets_a_close_frame() {
    let mut shard = slow_bucket();
    let client = shard.connected(simple());
    for _ in 0..1_004 {
        shard.send(client, "x");
    }
    let Closed { code, reason, received, .. } = only_closed(&mut shard);
    assert_eq!((code, reason.as_str()), (1008, "The client sends messages too fast."));
    assert_eq!(received, [""; 0]);
}

#[test]
fn what_is_sent_too_fast_is_carried_out_later_and_in_order() {
    let mut shard = slow_bucket();
    let member = shard.connected(ConnectRequest { groups: vec![group("g")], ..simple() });
    let client = shard.connected(simple());
    for frame in ["1", "2", "3", "4", "5"] {
        shard.send(client, frame);
    }
    assert_eq!(shard.take(member), ["1", "2", "3"]);
    shard.pass(Duration::from_millis(500));
    assert_eq!(shard.take(member), ["4"]);
    shard.pass(Duration::from_millis(500));
    assert_eq!(shard.take(member), ["5"]);
    assert!(shard.is_open(client));
}

#[test]
fn messages_of_any_kind_count_for_their_client_only() {
    let mut shard = slow_bucket();
    let (alice, bob) = (shard.connected(json("alice")), shard.connected(json("bob")));
    for ack in 1..=3 {
        shard.send(bob, PING);
        shard.send(alice, &format!(r#"{{"type":"joinGroup","group":"g","ackId":{ack}}}"#));
    }
    for (client, queued) in [(alice, 1), (bob, 1)] {
        shard.send(client, r#"{"type":"sequenceAck","sequenceId":1}"#);
        assert_eq!(shard.core().queued(client), queued);
    }
}

#[test]
fn a_client_within_its_rate_may_send_for_ever() {
    let mut shard = slow_bucket();
    let client = shard.connected(json("alice"));
    for _ in 0..100 {
        shard.send(client, PING);
        pass(&mut shard, 500);
    }
    pass(&mut shard, 1_500);
    for _ in 0..3 {
        shard.send(client, PING);
    }
    assert_eq!(shard.take(client).len(), 103);
    pass(&mut shard, 499);
    shard.send(client, PING);
    assert_eq!((shard.take(client).len(), shard.core().queued(client)), (0, 1));
}

#[test]
fn without_limits_a_client_is_never_closed() {
    let mut shard =
        with(Limits { messages_per_second: 0, message_burst: 0, outbound_bytes: 0, ..Limits::DEFAULT });
    let (client, listener) = (shard.connected(simple()), shard.connected(simple()));
    for _ in 0..200_000 {
        shard.send(client, "x");
    }
    for _ in 0..20 {
        publish(&mut shard, MEGABYTE);
    }
    assert!(shard.is_open(client) && shard.is_open(listener));
}

#[test]
fn a_plain_client_that_leaves_too_much_unread_is_closed() {
    let mut shard = short_queue(3);
    let client = shard.connected(simple());
    for _ in 0..3 {
        publish(&mut shard, MEGABYTE);
    }
    publish(&mut shard, 10);
    assert!(shard.is_open(client), "as much as is allowed");
    publish(&mut shard, 1);
    let Closed { slot, code, reason, received, .. } = only_closed(&mut shard);
    assert_eq!((slot, code, reason.as_str()), (client, 1008, "slow consumer"));
    assert_eq!(received.len(), 5, "what was on its way stays so");
    assert!(!shard.exists(Target::All));
}

#[test]
fn an_answer_longer_than_the_limit_may_wait() {
    let mut shard = with(Limits::DEFAULT);
    let client = shard.connected(simple());
    publish(&mut shard, 20 * MEGABYTE);
    publish(&mut shard, 2 * MEGABYTE);
    assert!(shard.is_open(client));
    publish(&mut shard, 1);
    assert_eq!(only_closed(&mut shard).reason, "slow consumer");
}

#[test]
fn clients_with_a_subprotocol_get_the_reason_for_slowness() {
    let protobuf = ConnectRequest { subprotocol: Subprotocol::Protobuf, ..json("bob") };
    for (request, last) in [(json("alice"), disconnected("slow consumer")), (protobuf, "binary [".to_owned())]
    {
        let mut shard = short_queue(1);
        let client = shard.connected(request);
        publish(&mut shard, MEGABYTE + 10);
        let Closed { slot, code, received, .. } = only_closed(&mut shard);
        assert_eq!((slot, code, received.len()), (client, 1008, 2));
        assert!(received.last().is_some_and(|frame| frame.starts_with(&last)), "{received:?}");
    }
}

#[test]
fn the_frame_counts_and_not_the_payload() {
    let mut shard = short_queue(1);
    let bare = shard.connected(simple());
    let wrapped = shard.connected(json("alice"));
    publish(&mut shard, MEGABYTE);
    assert_eq!(only_closed(&mut shard).slot, wrapped);
    assert!(shard.is_open(bare));
}

#[test]
fn every_client_is_judged_by_what_it_was_sent_itself() {
    let mut shard = short_queue(1);
    let (alone, other) = (shard.connected(simple()), shard.connected(simple()));
    let id = shard.id(alone);
    for _ in 0..2 {
        assert!(shard.is_open(alone));
        shard.publish(Target::Connection(id.clone()), text(&"x".repeat(MEGABYTE)));
    }
    assert_eq!(only_closed(&mut shard).slot, alone);
    publish(&mut shard, MEGABYTE);
    assert!(shard.is_open(other));
}

#[test]
fn a_client_that_reads_is_never_too_slow() {
    for (request, reliable) in [(json("alice"), false), (simple(), false), (reliable("bob"), true)] {
        let mut shard = short_queue(2);
        let client = shard.connected(request);
        for number in 1..=100 {
            publish(&mut shard, MEGABYTE);
            assert_eq!(shard.take(client).len(), 1);
            if reliable {
                shard.send(client, &format!(r#"{{"type":"sequenceAck","sequenceId":{number}}}"#));
            }
        }
        assert!(shard.is_open(client), "whatever it says meanwhile");
    }
}

#[test]
fn sending_is_no_proof_of_reading() {
    for (request, word) in [(json("alice"), PING), (simple(), "word")] {
        let mut shard = short_queue(2);
        let (client, reading) = (shard.connected(request), shard.connected(simple()));
        for _ in 0..2 {
            assert!(shard.is_open(client));
            publish(&mut shard, MEGABYTE);
            shard.send(client, word);
            shard.take(reading);
        }
        publish(&mut shard, MEGABYTE);
        let closed = only_closed(&mut shard);
        assert_eq!((closed.slot, closed.code), (client, 1008));
    }
}

#[test]
fn acknowledging_is_no_proof_of_reading() {
    let protobuf = ConnectRequest { subprotocol: Subprotocol::ProtobufReliable, ..json("bob") };
    for request in [reliable("alice"), protobuf] {
        let mut shard = short_queue(3);
        let encoding = request.subprotocol.encoding().expect("it has messages");
        let client = shard.connected(request);
        let mut number = 0;
        while shard.is_open(client) {
            number += 1;
            publish(&mut shard, MEGABYTE);
            let sequence_ack = UpstreamMessage::SequenceAck { sequence_id: SequenceId(number) };
            shard.input(Input::Frame { from: client, frame: encoding.encode_upstream(&sequence_ack) });
        }
        assert_eq!(number, 3);
        assert_eq!(only_closed(&mut shard).code, 1008);
    }
}

#[test]
fn what_a_reliable_client_has_not_acknowledged_may_wait() {
    let mut shard = short_queue(1);
    let protobuf = ConnectRequest { subprotocol: Subprotocol::ProtobufReliable, ..json("bob") };
    let clients = [reliable("alice"), protobuf].map(|request| shard.connected(request));
    for _ in 0..3 {
        publish(&mut shard, MEGABYTE);
    }
    shard.hibernate();
    publish(&mut shard, MEGABYTE);
    assert!(clients.iter().all(|client| shard.is_open(*client)));
}

#[test]
fn of_a_shard_that_leaves_too_much_unread_the_slowest_go_first() {
    let mut shard = short_queue(4);
    let id = |shard: &TestShard, slot| Target::Connection(shard.id(slot));
    let slow: Vec<Slot> = (0..17).map(|_| shard.connected(simple())).collect();
    let slowest = [shard.connected(simple()), shard.connected(reliable("bob"))];
    let recoverable = shard.id(slowest[1]);
    let modest: Vec<Slot> = (0..4).map(|_| shard.connected(simple())).collect();
    // The others leave 59 MB unread, of the 64 that there may be on all sockets together.
    for slot in &slow {
        let to = id(&shard, *slot);
        shard.publish(to, text(&"x".repeat(3 * MEGABYTE)));
    }
    for slot in &modest {
        let to = id(&shard, *slot);
        shard.publish(to, text(&"x".repeat(2 * MEGABYTE)));
    }
    assert!(shard.closed.is_empty());
    for slot in slowest {
        let to = id(&shard, slot);
        shard.publish(to, text(&"x".repeat(4 * MEGABYTE - 200)));
    }
    shard.input(Input::Measure);
    assert_eq!(shard.closed.iter().map(|closed| closed.slot).collect::<Vec<_>>(), [slowest[1]]);
    let closed = shard.closed.remove(0);
    assert_eq!((closed.code, closed.reason.as_str()), (1001, "slow consumer"));
    assert_eq!(shard.recover(&recoverable), Some(slowest[1]), "it had not acknowledged it");
    shard.input(Input::Measure);
    assert_eq!(shard.closed.remove(0).slot, slowest[1], "and has not read it yet");
    shard.publish(Target::All, text(&"x".repeat(MEGABYTE)));
    assert!(modest.iter().all(|slot| shard.is_open(*slot)));
}

#[test]
fn several_frames_too_many_in_one_step_close_once() {
    let mut sender = TestShard::at(ShardConfig { shards: 2, ..ShardConfig::only() });
    let limits = Limits { outbound_bytes: 10, ..Limits::DEFAULT };
    let mut receiver =
        TestShard::at(ShardConfig { shard: ShardId(1), shards: 2, limits, ..ShardConfig::only() });
    let client = sender.connected(simple());
    let member = receiver.connected(ConnectRequest { groups: vec![group("g")], ..simple() });
    for frame in ["the first batch", "the second,", "and more of it"] {
        sender.send(client, frame);
    }
    let (to, first) = sender.relayed.remove(0);
    sender.answer(to, &first, true);
    let (_, second) = sender.relayed.remove(0);
    let outputs = receiver.input(Input::Batch(second));
    assert_eq!(outputs.iter().filter(|output| matches!(output, Output::Send { .. })).count(), 2);
    assert_eq!(only_closed(&mut receiver).slot, member);
}

#[test]
fn a_server_is_answered_though_a_client_overflows() {
    let mut shard = short_queue(1);
    shard.connected(simple());
    let fine = shard.connected(reliable("alice"));
    let to = Selection::from(Target::All);
    let data = text(&"x".repeat(2 * MEGABYTE));
    let (metadata, ttl) = (Metadata::default(), TimeToLive::FOREVER);
    let outputs = shard.input(Input::Command(webpubsub_shard::Command::Send { to, data, metadata, ttl }));
    assert!(outputs.iter().any(|output| matches!(output, Output::Reply(webpubsub_shard::Reply::Done))));
    assert_eq!(only_closed(&mut shard).reason, "slow consumer");
    assert_eq!(shard.take(fine).len(), 1);
}

#[test]
fn a_shard_that_wakes_counts_messages_afresh() {
    let limits = Limits { messages_per_second: 1, message_burst: 2, ..Limits::DEFAULT };
    let mut shard = with(Limits { outbound_bytes: 25, ..limits });
    let (reading, client) = (shard.connected(simple()), shard.connected(simple()));
    for _ in 0..3 {
        shard.hibernate();
        shard.send(reading, "1");
        shard.send(reading, "2");
    }
    for _ in 0..3 {
        assert!(shard.is_open(client));
        shard.hibernate();
        shard.publish(Target::All, text("ten bytes."));
        shard.take(reading);
    }
    // Before what was put on it since then would be too much.
    shard.publish(Target::All, text("ten bytes."));
    shard.take(reading);
    shard.publish(Target::All, text("ten bytes."));
    assert_eq!(only_closed(&mut shard).slot, client);
}

#[test]
fn a_slot_that_is_used_again_owes_nothing() {
    let mut shard = short_queue(1);
    let first = shard.connected(simple());
    publish(&mut shard, MEGABYTE);
    shard.close(first, CloseCode::NORMAL);
    let second = shard.connected(simple());
    assert_eq!(second, first);
    publish(&mut shard, MEGABYTE);
    assert!(shard.is_open(second));
}

#[test]
fn a_shard_takes_its_share_of_the_quota() {
    let mut shard = TestShard::at(ShardConfig { connection_quota: 2, ..ShardConfig::only() });
    let first = shard.connected(json("alice"));
    shard.connected(reliable("bob"));
    assert_eq!(refusal(&mut shard), Some(Full::Quota));
    assert_eq!(shard.kept().connections.len(), 2);
    shard.close(first, CloseCode::NORMAL);
    assert_eq!(refusal(&mut shard), None);
    assert_eq!(refusal(&mut shard), Some(Full::Quota));
    shard.hibernate();
    assert_eq!(refusal(&mut shard), Some(Full::Quota));
    shard.crash();
    assert_eq!(refusal(&mut shard), None);
}

#[test]
fn whichever_of_quota_and_hard_limit_is_lower_refuses() {
    for (quota, capacity, refused) in
        [(1, 2, Full::Quota), (1, 1, Full::Quota), (2, 1, Full::Shard), (0, 1, Full::Shard)]
    {
        let mut shard =
            TestShard::at(ShardConfig { connection_quota: quota, capacity, ..ShardConfig::only() });
        shard.connected(json("alice"));
        assert_eq!(refusal(&mut shard), Some(refused), "{quota} of {capacity}");
    }
    let second = ShardConfig { shard: ShardId(1), shards: 2, connection_quota: 1, ..ShardConfig::only() };
    assert_eq!(refusal(&mut TestShard::at(second)), Some(Full::Quota));
}

#[test]
fn a_hub_takes_exactly_its_quota_over_all_its_shards() {
    for (quota, shards) in [(1, 1), (5, 1), (1, 4), (5, 4), (6, 4), (13, 5)] {
        let mut hub: Vec<TestShard> = (0..shards)
            .map(ShardId)
            .map(|shard| {
                TestShard::at(ShardConfig { shard, shards, connection_quota: quota, ..ShardConfig::only() })
            })
            .collect();
        let connect = |random: u16, hub: &mut Vec<TestShard>| -> Option<(usize, Slot)> {
            let (now, mut loads) = (Timestamp::from_millis(0), Loads::default());
            let mut offers = Placement::new(now, &loads, [random, 0], shards, [usize::MAX; 2]);
            while let Some(ShardId(shard)) = offers.next(now, &mut loads) {
                let shard = usize::from(shard);
                if let Some(slot) = hub.get_mut(shard)?.connect(json("alice")) {
                    return Some((shard, slot));
                }
                offers.refused(Full::Quota);
            }
            None
        };
        let inside: Vec<_> = (0..20).filter_map(|n| connect(n * 7, &mut hub)).collect();
        assert_eq!(inside.len(), quota as usize, "over {shards} shards");
        for (shard, slot) in inside {
            hub.get_mut(shard).expect("a shard").close(slot, CloseCode::NORMAL);
            assert!(connect(0, &mut hub).is_some());
            assert_eq!(connect(0, &mut hub), None);
        }
    }
}
