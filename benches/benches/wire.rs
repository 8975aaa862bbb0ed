//! `cargo bench -p trackyard-benches --bench wire`: headers, packetising, reassembly.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use trackyard_wire::{Handle, Header, Packetizer, Reassembler, SourceFrame, patch_handle};

const FRAME_BYTES: [usize; 3] = [100, 16 * 1024, 256 * 1024];
const FRAME_BYTES_MAX: usize = 2_048_000;

fn handle() -> Handle {
    Handle::new(9).expect("9 is not 0")
}

fn packets(packetizer: &mut Packetizer, payload: &[u8]) -> Vec<Vec<u8>> {
    let frame = SourceFrame { payload, ..SourceFrame::default() };
    packetizer.packetize(frame).expect("the frame is not too large").collect()
}

fn packetizer() -> Packetizer {
    Packetizer::new(handle(), 16_000).expect("packets have room for a payload")
}

fn header(criterion: &mut Criterion) {
    let mut packet = packets(&mut packetizer(), &[7; 1_000]).swap_remove(0);
    criterion.bench_function("parse and patch", |bencher| {
        bencher.iter(|| {
            patch_handle(black_box(&mut packet), handle());
            Header::parse(black_box(&packet))
        });
    });
}

fn cut(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("packetize");
    for bytes in FRAME_BYTES {
        let (payload, mut packetizer) = (vec![7; bytes], packetizer());
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(BenchmarkId::from_parameter(bytes), |bencher| {
            bencher.iter(|| packets(&mut packetizer, black_box(&payload)));
        });
    }
    group.finish();
}

fn reassemble(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reassemble");
    for bytes in FRAME_BYTES {
        let packets = packets(&mut packetizer(), &vec![7; bytes]);
        let mut reassembler = Reassembler::new(FRAME_BYTES_MAX);
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(BenchmarkId::from_parameter(bytes), |bencher| {
            bencher.iter(|| packets.iter().filter_map(|packet| reassembler.push(packet).ok()?.frame).last());
        });
    }
    group.finish();
}

criterion_group!(benches, header, cut, reassemble);
criterion_main!(benches);
