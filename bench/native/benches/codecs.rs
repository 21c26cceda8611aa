//! What reading and writing messages costs, in JSON and in protobuf.
#![allow(missing_docs, reason = "Criterion's macros make public items")]
#![expect(clippy::unwrap_used, reason = "a benchmark is a test")]

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use webpubsub_protocol::client::{DownstreamMessage, Echo, Encoding, Origin, UpstreamMessage};
use webpubsub_protocol::data::{MessageData, Metadata, TimeToLive};
use webpubsub_protocol::id::{AckId, SequenceId};
use webpubsub_protocol::name::GroupName;

const SIZES: [usize; 3] = [16, 1_024, 65_536];

fn group() -> GroupName {
    GroupName::parse("a-group").unwrap()
}

fn codecs(criterion: &mut Criterion) {
    for (name, encoding) in [("json", Encoding::Json), ("protobuf", Encoding::Protobuf)] {
        let mut benchmark = criterion.benchmark_group(name);
        for size in SIZES {
            let data = MessageData::Text("x".repeat(size));
            let up = UpstreamMessage::SendToGroup {
                group: group(),
                ack_id: Some(AckId(7)),
                echo: Echo::Send,
                ttl: TimeToLive::FOREVER,
                data: data.clone(),
                metadata: Metadata::default(),
            };
            let down = DownstreamMessage::Data {
                from: Origin::Group { group: group(), from_user: None },
                data,
                metadata: Metadata::default(),
                sequence_id: Some(SequenceId(9)),
                stream: None,
            };
            let (sent, received) = (encoding.encode_upstream(&up), encoding.encode_downstream(down.clone()));
            benchmark.throughput(Throughput::Bytes(size as u64));
            let id = |what| BenchmarkId::new(what, size);
            benchmark.bench_function(id("write upstream"), |bencher| {
                bencher.iter(|| encoding.encode_upstream(black_box(&up)));
            });
            benchmark.bench_function(id("read upstream"), |bencher| {
                bencher.iter(|| encoding.decode_upstream(black_box(&sent)).unwrap());
            });
            benchmark.bench_function(id("write downstream"), |bencher| {
                let write = |message| encoding.encode_downstream(black_box(message));
                bencher.iter_batched(|| down.clone(), write, BatchSize::SmallInput);
            });
            benchmark.bench_function(id("read downstream"), |bencher| {
                bencher.iter(|| encoding.decode_downstream(black_box(&received)).unwrap());
            });
        }
    }
}

criterion_group!(all, codecs);
criterion_main!(all);
