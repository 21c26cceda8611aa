//! What a shard reports to its operator.

use webpubsub_shard::{METRICS, Target};
use webpubsub_testkit::{TestShard, json, reliable, text};

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
