//! What a shard's rules cost: publishing, joining, filtering, and coming back from the disk.
#![allow(missing_docs, reason = "Criterion's macros make public items")]
#![expect(clippy::unwrap_used, reason = "a benchmark is a test")]

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::{Measurement, WallTime};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use webpubsub_hub::{Command, ConnectRequest, Input, Selection, Slot, Target};
use webpubsub_protocol::data::{Metadata, TimeToLive};
use webpubsub_protocol::filter::Filter;
use webpubsub_testkit::{Shard, group, json, reliable, text};

const MEMBERS: [u32; 3] = [10, 1_000, 10_000];

/// A kind of client.
type Client = fn(&str) -> ConnectRequest;
const KINDS: [(&str, Client); 2] = [("plain", json), ("reliable", reliable)];

/// A shard with so many connections in the group `g`, every second one of a user `even`.
fn crowd(count: u32, client: Client) -> Shard {
    let mut shard = Shard::new();
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

/// How many publishes a crowd takes, none of which it acknowledges.
const AT_MOST: u64 = 500;

fn publish(criterion: &mut Criterion) {
    let mut benchmark = criterion.benchmark_group("publish");
    benchmark.sample_size(10);
    for (kind, client) in KINDS {
        for members in MEMBERS {
            benchmark.throughput(Throughput::Elements(members.into()));
            benchmark.bench_function(BenchmarkId::new(kind, members), |bencher| {
                bencher.iter_custom(|publishes| {
                    let mut sum = WallTime.zero();
                    for done in (0..publishes).step_by(usize::try_from(AT_MOST).unwrap()) {
                        let mut shard = crowd(members, client);
                        let started = WallTime.start();
                        for _ in done..publishes.min(done + AT_MOST) {
                            let publish = send(Target::Group(group("g")).into());
                            black_box(shard.hub.handle(shard.now, publish));
                        }
                        sum = WallTime.add(&sum, &WallTime.end(started));
                    }
                    sum
                });
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
            black_box(shard.hub.handle(shard.now, send(to.clone())))
        });
    });
}

fn join(criterion: &mut Criterion) {
    let join = |ack: u32| format!(r#"{{"type":"joinGroup","group":"g{ack}","ackId":{ack}}}"#);
    let mut benchmark = criterion.benchmark_group("join");
    for (kind, client) in KINDS {
        benchmark.bench_function(kind, |bencher| {
            let mut shard = Shard::new();
            let mut clients: Vec<(Slot, u32)> = Vec::new();
            bencher.iter(|| {
                let &mut (slot, ref mut joined) = match clients.last_mut() {
                    Some(client) if client.1 < 100 => client,
                    _ => {
                        clients.push((shard.connected(client("joining")), 0));
                        clients.last_mut().unwrap()
                    }
                };
                *joined += 1;
                shard.send(slot, &join(*joined));
            });
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

criterion_group!(hub, publish, filter, join, restore);
criterion_main!(hub);
