//! What a shard reports to its operator.

use std::time::Duration;

use webpubsub_mqtt::Version;
use webpubsub_protocol::close::CloseCode;
use webpubsub_shard::{HISTORY_MINUTES, Input, Limits, METRICS, MetricHistory, ShardConfig, Slot, Target};
use webpubsub_testkit::{MqttClient, TestShard, json, mqtt, reliable, text};

fn value(shard: &TestShard, name: &str) -> u64 {
    let values = METRICS.iter().zip(shard.core().metrics());
    values.filter(|(metric, _)| metric.name == name).map(|(_, value)| value).sum()
}

#[test]
fn every_metric_counts_what_it_says() {
    let mut shard = TestShard::new();
    shard.connected(json("alice"));
    let bob = shard.connected(reliable("bob"));
    let id = shard.id(bob);
    shard.publish(Target::All, text("one"));
    shard.publish(Target::All, text("two"));
    shard.cut(bob);
    assert_eq!(value(&shard, "webpubsub_connections"), 2);
    assert_eq!(value(&shard, "webpubsub_detached_connections"), 1);
    assert_eq!(value(&shard, "webpubsub_unacknowledged_messages"), 2);
    let bytes: usize = shard.disk.log.iter().map(|row| row.bytes).sum();
    assert_eq!(value(&shard, "webpubsub_unacknowledged_bytes"), bytes as u64);
    assert_eq!(value(&shard, "webpubsub_log_rows"), 2);
    shard.recover(&id);
    assert_eq!(value(&shard, "webpubsub_detached_connections"), 0);
    assert_eq!(value(&shard, "webpubsub_recoveries_total"), 1);
    assert_eq!(value(&shard, "webpubsub_replays_total"), 2);
    for _ in 0..999 {
        shard.publish(Target::All, text("x"));
    }
    assert_eq!(value(&shard, "webpubsub_drops_total"), 1);
    assert_eq!(value(&shard, "webpubsub_connections"), 1);
    assert_eq!(value(&shard, "webpubsub_batches_total"), 0);
}

/// How many connections were opened and closed, and how many there are.
fn connections(shard: &TestShard) -> [u64; 3] {
    ["s_opened_total", "s_closed_total", "s"].map(|name| value(shard, &format!("webpubsub_connection{name}")))
}

#[test]
fn opened_connections_count_once_and_closed_ones_at_the_end() {
    let mut shard = TestShard::new();
    let alice = shard.connected(json("alice"));
    let bob = shard.connected(reliable("bob"));
    let id = shard.id(bob);
    assert_eq!(connections(&shard), [2, 0, 2]);
    shard.close(alice, CloseCode::NORMAL);
    shard.cut(bob);
    assert_eq!(connections(&shard), [2, 1, 1]);
    shard.recover(&id);
    assert_eq!(connections(&shard), [2, 1, 1]);
    shard.cut(bob);
    shard.pass(Duration::from_secs(61));
    assert_eq!(connections(&shard), [2, 2, 0]);
    MqttClient::connected(&mut shard, mqtt("carol"), MqttClient::hello(Version::V5, "carol"));
    assert_eq!(connections(&shard), [3, 2, 1]);
}

#[test]
fn a_shard_that_wakes_has_opened_no_connection() {
    let mut shard = TestShard::new();
    shard.connected(json("alice"));
    shard.connected(reliable("bob"));
    shard.hibernate();
    assert_eq!(connections(&shard), [0, 0, 2]);
}

/// Bytes that were received and sent.
fn traffic(shard: &TestShard) -> [u64; 2] {
    ["received", "sent"].map(|way| value(shard, &format!("webpubsub_{way}_bytes_total")))
}

fn bytes(shard: &TestShard, slots: &[Slot]) -> u64 {
    slots.iter().flat_map(|slot| shard.frames(*slot)).map(|frame| frame.len() as u64).sum()
}

#[test]
fn frames_count_with_their_bytes_whatever_the_limits() {
    for outbound_bytes in [0, Limits::DEFAULT.outbound_bytes] {
        let limits = Limits { outbound_bytes, ..Limits::DEFAULT };
        let mut shard = TestShard::at(ShardConfig { limits, ..ShardConfig::only() });
        let slots = [shard.connected(json("alice")), shard.connected(reliable("bob"))];
        // Of these the sockets have been asked.
        let [received, greetings] = traffic(&shard);
        assert_eq!((received, greetings > 0), (0, true));
        let frame = r#"{"type":"event","event":"x","dataType":"text","data":"y","ackId":1}"#;
        shard.send(slots[0], frame);
        shard.publish(Target::All, text("to both"));
        // What reliable clients are sent counts without its sequence id.
        let numbers = r#""sequenceId":1,"#.len() as u64;
        assert_eq!(traffic(&shard), [frame.len() as u64, greetings + bytes(&shard, &slots) - numbers]);
    }
}

#[test]
fn the_quota_is_the_share_of_the_shard() {
    let quota = |shards, connection_quota| {
        let shard = TestShard::at(ShardConfig { shards, connection_quota, ..ShardConfig::only() });
        value(&shard, "webpubsub_connection_quota")
    };
    assert_eq!([quota(1, 0), quota(1, 100), quota(2, 101)], [0, 100, 51]);
}

/// What is known of a metric's minutes up to now, oldest first.
fn history(shard: &TestShard, name: &str) -> Vec<u64> {
    let MetricHistory { minutes, metrics } = shard.core().history(shard.now);
    let unknown = (HISTORY_MINUTES - minutes) as usize;
    let of_name = METRICS.iter().zip(metrics).filter(|(metric, _)| metric.name == name);
    of_name.flat_map(|(_, values)| values.into_iter().skip(unknown)).collect()
}

#[test]
fn a_minutes_history_has_what_happened_in_it() {
    let mut shard = TestShard::new();
    shard.connected(json("alice"));
    shard.pass(Duration::from_secs(60));
    let bob = shard.connected(json("bob"));
    shard.connected(json("carol"));
    shard.pass(Duration::from_secs(120));
    shard.close(bob, CloseCode::NORMAL);
    assert_eq!(history(&shard, "webpubsub_connections"), [1, 3, 3, 2]);
    assert_eq!(history(&shard, "webpubsub_connections_opened_total"), [1, 2, 0, 0]);
    assert_eq!(history(&shard, "webpubsub_connections_closed_total"), [0, 0, 0, 1]);
    shard.pass(Duration::from_secs(7200));
    assert_eq!(history(&shard, "webpubsub_connections"), [2; 60]);
}

#[test]
fn a_turn_counts_in_the_minute_in_which_it_is_taken() {
    let mut shard = TestShard::new();
    let slot = shard.connected(json("alice"));
    shard.feed(Input::Closed { slot, code: CloseCode::NORMAL, reason: String::new() });
    shard.pass(Duration::from_secs(60));
    shard.turn();
    assert_eq!(history(&shard, "webpubsub_connections"), [1, 0]);
    assert_eq!(history(&shard, "webpubsub_connections_closed_total"), [0, 1]);
}

#[test]
fn a_history_is_lost_with_the_memory() {
    let mut shard = TestShard::new();
    shard.connected(json("alice"));
    shard.pass(Duration::from_secs(180));
    shard.hibernate();
    assert_eq!(history(&shard, "webpubsub_connections"), [1]);
    assert_eq!(history(&shard, "webpubsub_connections_opened_total"), [0]);
}
