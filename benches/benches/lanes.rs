//! `cargo bench -p trackyard-benches --bench lanes`: packets through an outbox, reliable messages through a backlog.

use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use trackyard_lanes::{Backlog, LaneRules, Outbox, OutboxConfig};
use trackyard_wire::{Extensions, FrameNumber, Handle, Header, PacketBuilder, Sequence};

const LANES: [u16; 3] = [1, 100, 10_000];
const FLOWS: [u64; 3] = [1, 20, 1_000];
const INTERVAL: Duration = Duration::from_micros(100);

fn handle(number: u16) -> Handle {
    Handle::new(number).expect("lanes count from 1")
}

/// Frames of one packet; all there are before numbers begin anew.
fn frames() -> Vec<(Header, Bytes)> {
    let frame = |number| {
        let builder = PacketBuilder {
            start: true,
            last: true,
            handle: handle(1),
            sequence: Sequence::new(number),
            frame: FrameNumber::new(number),
            timestamp: 0,
            extensions: Extensions::default(),
        };
        let packet = Bytes::from(builder.build(&[7; 100]));
        (Header::parse(&packet).expect("what is built can be read"), packet)
    };
    (0..=u16::MAX).map(frame).collect()
}

fn outbox(criterion: &mut Criterion) {
    let frames = frames();
    let mut group = criterion.benchmark_group("outbox, a packet in and out, by lanes");
    group.throughput(Throughput::Elements(1));
    for lanes in LANES {
        let (mut outbox, mut now) = (Outbox::new(OutboxConfig::default()), beginning());
        (1..=lanes).for_each(|number| outbox.add_lane(handle(number), LaneRules::default()));
        outbox.set_open(true, now);
        // Each lane takes its turn, and gets the same frames.
        let mut packets = frames.iter().flat_map(|frame| (1..=lanes).map(move |lane| (lane, frame))).cycle();
        group.bench_function(BenchmarkId::from_parameter(lanes), |bencher| {
            bencher.iter(|| {
                let Some((lane, (header, packet))) = packets.next() else { return };
                now += INTERVAL;
                outbox.push(handle(lane), header, packet, now);
                outbox.update_buffered(0, now);
                while outbox.peek(now).is_some() {
                    outbox.written(now);
                }
            });
        });
    }
    group.finish();
}

fn backlog(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("backlog, a message in and out, by flows");
    group.throughput(Throughput::Elements(1));
    let (message, now) = (Bytes::from_static(&[7; 1_000]), beginning());
    for flows in FLOWS {
        let mut backlog = Backlog::new(64 << 20);
        let mut flow = (0..flows).cycle();
        let mut push = |backlog: &mut Backlog<u64, Bytes>| {
            let flow = flow.next().unwrap_or_default();
            backlog.push(flow, message.clone(), message.len(), now)
        };
        // Each flow has something waiting all the time.
        (0..flows).for_each(|_| push(&mut backlog).expect("it is empty"));
        group.bench_function(BenchmarkId::from_parameter(flows), |bencher| {
            bencher.iter(|| {
                push(&mut backlog).expect("as much goes out as comes in");
                let bytes = backlog.peek().map_or(0, |(_, message)| message.len());
                backlog.written(bytes);
                backlog.released(0);
            });
        });
    }
    group.finish();
}

#[allow(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]
fn beginning() -> Instant {
    Instant::now()
}

criterion_group!(benches, outbox, backlog);
criterion_main!(benches);
