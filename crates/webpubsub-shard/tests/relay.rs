//! What clients publish reaches the members on other shards: once, and in order.
#![expect(clippy::expect_used, reason = "a broken expectation is a failed test")]

use std::time::Duration;

use webpubsub_shard::{Batch, Input, Output, ShardConfig, ShardId, ShardMap, Slot};
use webpubsub_testkit::{TestShard, json, reliable};

fn shards() -> [TestShard; 2] {
    [0, 1].map(|shard| TestShard::at(ShardConfig { shard: ShardId(shard), shards: 2, ..ShardConfig::only() }))
}

/// A shard with a client that publishes, and another with a member of the group.
fn publisher_and_member() -> (TestShard, Slot, TestShard, Slot) {
    let [mut near, mut far] = shards();
    let publisher = near.connected(json("alice"));
    let member = far.connected(json("bob"));
    far.send(member, r#"{"type":"joinGroup","group":"g"}"#);
    (near, publisher, far, member)
}

fn publish(shard: &mut TestShard, from: Slot, n: usize) {
    shard.send(from, &format!(r#"{{"type":"sendToGroup","group":"g","data":{n}}}"#));
}

/// Through the wire and into another shard.
fn pass_on(batch: &Batch, to: &mut TestShard) {
    let text = batch.encode();
    let outputs = to.input(Input::Batch(Batch::decode(&text).expect("a batch is read as written")));
    assert_eq!(outputs.last(), Some(&Output::BatchTaken));
}

#[test]
fn a_publish_reaches_members_of_another_shard() {
    let [mut near, mut far] = shards();
    let publisher = near.connected(json("ålice"));
    let member = far.connected(json("bob"));
    far.send(member, r#"{"type":"joinGroup","group":"g"}"#);
    near.send(
        publisher,
        r#"{"type":"sendToGroup","group":"g","data":{"a":"\n","n":1.0},"metadata":{"k":"v"}}"#,
    );
    let (to, batch) = near.relayed.remove(0);
    assert_eq!(to, ShardId(1));
    pass_on(&batch, &mut far);
    assert_eq!(
        far.take(member),
        [
            r#"{"type":"message","from":"group","fromUserId":"ålice","group":"g","dataType":"json","data":{"a":"\n","n":1.0},"metadata":{"k":"v"}}"#
        ]
    );
}

#[test]
fn one_batch_is_in_flight_and_the_rest_waits_for_it_in_order() {
    let (mut near, publisher, mut far, member) = publisher_and_member();
    for n in 0..5 {
        publish(&mut near, publisher, n);
    }
    assert_eq!(near.relayed.len(), 1, "four publishes wait");
    let (to, first) = near.relayed.remove(0);
    pass_on(&first, &mut far);
    near.answer(to, &first, true);
    let (_, second) = near.relayed.remove(0);
    pass_on(&second, &mut far);
    near.answer(to, &second, true);
    assert!(near.relayed.is_empty());
    let numbers: Vec<_> =
        far.take(member).iter().map(|frame| frame.replace(|c: char| !c.is_ascii_digit(), "")).collect();
    assert_eq!(numbers, ["0", "1", "2", "3", "4"]);
}

#[test]
fn a_batch_that_was_not_taken_is_sent_again_and_taken_once() {
    let (mut near, publisher, mut far, member) = publisher_and_member();
    publish(&mut near, publisher, 1);
    let (to, batch) = near.relayed.remove(0);
    // It arrived, but the answer was lost.
    pass_on(&batch, &mut far);
    assert_eq!(near.core().next_timeout(), None);
    near.answer(to, &batch, false);
    let due = near.core().next_timeout().expect("a pause");
    near.input(Input::Timeout);
    assert!(near.relayed.is_empty(), "not before the pause is over");
    near.now = due;
    near.input(Input::Timeout);
    let (_, again) = near.relayed.remove(0);
    assert_eq!(again, batch);
    pass_on(&again, &mut far);
    assert_eq!(far.take(member).len(), 1);
    near.answer(to, &again, true);
    assert_eq!(near.core().next_timeout(), None);
}

#[test]
fn the_pause_grows_to_five_seconds_and_no_further() {
    let [mut near, _] = shards();
    let publisher = near.connected(json("alice"));
    publish(&mut near, publisher, 1);
    let mut pauses = Vec::new();
    for _ in 0..9 {
        let (to, batch) = near.relayed.remove(0);
        near.answer(to, &batch, false);
        let due = near.core().next_timeout().expect("a pause");
        pauses.push(due.since(near.now).as_millis());
        near.now = due;
        near.input(Input::Timeout);
    }
    assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
}

#[test]
fn a_shard_that_takes_nothing_makes_publishes_fail() {
    let [mut near, _] = shards();
    let publisher = near.connected(json("alice"));
    let large = "x".repeat(1_000_000);
    let frame = |id| {
        format!(r#"{{"type":"sendToGroup","group":"g","dataType":"text","data":"{large}","ackId":{id}}}"#)
    };
    let accepted = (0..100).filter(|id| {
        near.send(publisher, &frame(*id));
        near.take(publisher).join("").contains(r#""success":true"#)
    });
    // One in flight, and 16 MiB waiting.
    assert_eq!(accepted.count(), 1 + 17);
}

#[test]
fn what_was_not_taken_survives_a_crash_and_is_taken_once() {
    for arrived in [false, true] {
        let (mut near, publisher, mut far, member) = publisher_and_member();
        publish(&mut near, publisher, 1);
        publish(&mut near, publisher, 2);
        let (_, first) = near.relayed.remove(0);
        if arrived {
            pass_on(&first, &mut far);
        }
        near.crash();
        let (to, again) = near.relayed.remove(0);
        assert_eq!(again.messages.len(), 2, "both, and nothing else is in flight");
        pass_on(&again, &mut far);
        near.answer(to, &again, true);
        assert_eq!(far.take(member).len(), 2);
        near.crash();
        assert!(near.relayed.is_empty());
    }
}

#[test]
fn what_was_taken_survives_the_end_of_its_receiver() {
    let (mut near, publisher, mut far, member) = publisher_and_member();
    publish(&mut near, publisher, 1);
    let (_, batch) = near.relayed.remove(0);
    pass_on(&batch, &mut far);
    far.hibernate();
    pass_on(&batch, &mut far);
    assert_eq!(far.take(member).len(), 1);
}

#[test]
fn rows_keep_their_numbers_when_the_whole_log_was_taken() {
    let (mut near, publisher, mut far, member) = publisher_and_member();
    for n in 0..3000 {
        publish(&mut near, publisher, n);
        let (to, batch) = near.relayed.remove(0);
        pass_on(&batch, &mut far);
        near.answer(to, &batch, true);
    }
    assert!(near.disk.log.len() <= 1024, "{}", near.disk.log.len());
    near.crash();
    let publisher = near.connected(json("alice"));
    publish(&mut near, publisher, 3000);
    pass_on(&near.relayed.remove(0).1, &mut far);
    assert_eq!(far.take(member).len(), 3001);
}

#[test]
fn a_new_shard_receives_nothing_of_the_past() {
    let (mut near, publisher, mut far, _) = publisher_and_member();
    publish(&mut near, publisher, 1);
    let (_, batch) = near.relayed.remove(0);
    let mut map = ShardMap::new(2);
    map.resize(near.now, 3);
    near.set_map(map);
    assert!(near.relayed.is_empty(), "nothing for the third");
    publish(&mut near, publisher, 2);
    let (to, second) = near.relayed.remove(0);
    assert_eq!((to, second.messages.len()), (ShardId(2), 1));
    pass_on(&batch, &mut far);
    near.answer(ShardId(1), &batch, true);
    let (to, second) = near.relayed.remove(0);
    assert_eq!((to, second.messages.len()), (ShardId(1), 1));
    near.hibernate();
    assert_eq!(near.relayed.len(), 2, "both are known still");
}

#[test]
fn a_shard_that_sleeps_on_what_it_owes_is_woken() {
    let [mut near, _] = shards();
    let publisher = near.connected(json("alice"));
    assert_eq!(near.core().next_deadline(), None);
    publish(&mut near, publisher, 1);
    let due = near.core().next_deadline().expect("a deadline");
    assert_eq!(due.since(near.now).as_secs(), 10);
    let (to, batch) = near.relayed.remove(0);
    near.answer(to, &batch, true);
    near.now = due;
    near.input(Input::Timeout);
    assert_eq!(near.core().next_deadline(), None);
}

#[test]
fn messages_take_their_time_to_live_with_them() {
    let [mut near, mut far] = shards();
    let publisher = near.connected(json("alice"));
    let member = far.connected(reliable("bob"));
    far.send(member, r#"{"type":"joinGroup","group":"g"}"#);
    let id = far.id(member);
    near.send(publisher, r#"{"type":"sendToGroup","group":"g","data":1,"ttlSeconds":1}"#);
    far.cut(member);
    pass_on(&near.relayed.remove(0).1, &mut far);
    far.pass(Duration::from_secs(1));
    far.recover(&id);
    assert!(far.take(member).is_empty());
}

#[test]
fn a_lone_shard_relays_nothing() {
    let mut shard = TestShard::new();
    let publisher = shard.connected(json("alice"));
    publish(&mut shard, publisher, 1);
    assert!(shard.relayed.is_empty());
}
