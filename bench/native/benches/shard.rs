//! What a shard's rules cost: publishing, joining, filtering, and coming back from the disk.
#![allow(missing_docs, reason = "Criterion's macros make public items")]
#![expect(clippy::unwrap_used, reason = "a benchmark is a test")]

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::{Measurement, WallTime};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use webpubsub_protocol::data::{Metadata, TimeToLive};
use webpubsub_protocol::filter::Filter;
use webpubsub_shard::{Command, ConnectRequest, Input, Selection, Slot, Target};
use webpubsub_testkit::{TestShard, group, json, reliable, text};

const MEMBERS: [u32; 3] = [10, 1_000, 10_000];

/// A kind of client.
type Client = fn(&str) -> ConnectRequest;
const KINDS: [(&str, Client); 2] = [("plain", json), ("reliable", reliable)];

/// A shard with so many connections in the group `g`, every second one of a user `even`.
fn crowd(count: u32, client: Client) -> TestShard {
    let mut shard = TestShard::new();
    for number in 0..count {
        let user = if number % 2 == 0 { "even" } else { "odd" };
        shard.connected(ConnectRequest { groups: vec![group("g")], ..client(user) });
    }
    shard
}

fn send(to: Selection) -> Input {
    let (metadata, ttl) = (Metadata::default(), TimeToLive::FOREVER);
    Input::Command(Command::Send { to, data: text("a message of thirty-two letters."), metadata, ttl })
}

/// How long `total` of something takes, of which a shard takes so many before it is made anew.
fn timed(
    total: u64,
    at_most: u64,
    make: impl Fn() -> TestShard,
    work: impl Fn(&mut TestShard, u64),
) -> Duration {
    let mut sum = Duration::ZERO;
    let mut done = 0;
    while done < total {
        let count = at_most.min(total - done);
        let mut shard = make();
        let started = WallTime.start();
        (0..count).for_each(|number| work(&mut shard, number));
        sum += WallTime.end(started);
        done += count;
    }
    sum
}

/// How many publishes a crowd takes, none of which it acknowledges.
const PUBLISHES: u64 = 500;

fn publish(criterion: &mut Criterion) {
    let mut benchmark = criterion.benchmark_group("publish");
    benchmark.sample_size(10);
    for (kind, client) in KINDS {
        for members in MEMBERS {
            benchmark.throughput(Throughput::Elements(members.into()));
            benchmark.bench_function(BenchmarkId::new(kind, members), |bencher| {
                let publish = |shard: &mut TestShard, _| {
                    black_box(shard.outputs(send(Target::Group(group("g")).into())));
                };
                bencher.iter_custom(|total| timed(total, PUBLISHES, || crowd(members, client), publish));
            });
        }
    }
}

fn filter(criterion: &mut Criterion) {
    let mut shard = crowd(10_000, json);
    let filter = Filter::parse("userId eq 'even' and 'g' in groups").unwrap();
    let to = Selection { filter: Some(filter), ..Selection::from(Target::All) };
    let second = Duration::from_secs(1);
    let mut benchmark = criterion.benchmark_group("filter");
    benchmark.throughput(Throughput::Elements(10_000));
    benchmark.bench_function("10000", |bencher| {
        bencher.iter(|| {
            // Time in which clients read what they are sent.
            shard.now = shard.now.after(second);
            black_box(shard.outputs(send(to.clone())))
        });
    });
}

/// How many groups a client joins.
const JOINS: u64 = 100;

fn join(criterion: &mut Criterion) {
    let mut benchmark = criterion.benchmark_group("join");
    for (kind, client) in KINDS {
        benchmark.bench_function(kind, |bencher| {
            let join = |shard: &mut TestShard, ack| {
                shard.send(Slot(0), &format!(r#"{{"type":"joinGroup","group":"g{ack}","ackId":{ack}}}"#));
            };
            bencher.iter_custom(|total| timed(total, JOINS, || crowd(1, client), join));
        });
    }
}

fn restore(criterion: &mut Criterion) {
    let mut benchmark = criterion.benchmark_group("restore");
    benchmark.sample_size(20);
    for (kind, client) in KINDS {
        let mut shard = crowd(10_000, client);
        benchmark
            .bench_function(BenchmarkId::new(kind, 10_000), |bencher| bencher.iter(|| shard.hibernate()));
    }
}

criterion_group!(shard, publish, filter, join, restore);
criterion_main!(shard);
