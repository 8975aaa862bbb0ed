//! What arrives, and how old, on paths that matter.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_lanes::{LaneRules, Outbox, OutboxConfig};
use trackyard_wire::{Handle, Header};

use crate::link::{Channel, Link};

/// A publisher's packets hold at most so much, as official ones do.
const PACKET_BYTES: usize = 16_000;

/// A track that publishes frames of one length on a grid.
#[derive(Debug, Clone, Copy)]
struct Source {
    frame_bytes: usize,
    hz: f64,
    packet_bytes: usize,
}

impl Source {
    fn new(frame_bytes: usize, hz: f64) -> Self {
        Self { frame_bytes, hz, packet_bytes: PACKET_BYTES }
    }
}

/// A frame and when its first packet was pushed.
#[derive(Debug, Clone, Copy)]
struct Pushed {
    at: Instant,
    packets_missing: usize,
    done: Option<Instant>,
}

struct Lane {
    handle: Handle,
    source: Source,
    sequence: u16,
    pushed: Vec<Pushed>,
}

struct Run {
    start: Instant,
    now: Instant,
    outbox: Outbox,
    channel: Channel,
    lanes: Vec<Lane>,
}

/// What became of one lane's frames.
#[derive(Debug)]
struct Report {
    /// Share of the frames that arrived intact.
    share: f64,
    intact_bytes: usize,
    ages: Vec<Duration>,
}

impl Report {
    fn age(&self, quantile: f64) -> Duration {
        let mut ages = self.ages.clone();
        ages.sort_unstable();
        ages[((ages.len() - 1) as f64 * quantile) as usize]
    }
}

impl Run {
    fn new(link: Link, sources: &[Source]) -> Self {
        #[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
        let start = Instant::now();
        let mut outbox = Outbox::new(OutboxConfig::default());
        outbox.set_open(true, start);
        let mut lanes = Vec::new();
        for (number, source) in (1..).zip(sources) {
            let handle = Handle::new(number).unwrap();
            outbox.add_lane(handle, LaneRules::default());
            lanes.push(Lane { handle, source: *source, sequence: 0, pushed: Vec::new() });
        }
        Self { start, now: start, outbox, channel: Channel::new(link, start), lanes }
    }

    fn run(&mut self, seconds: u64) -> &mut Self {
        let end = self.now + Duration::from_secs(seconds);
        loop {
            let frames = self.lanes.iter().map(|lane| lane.due(self.start)).min();
            let due = [frames, self.outbox.poll_timeout(), self.channel.poll_timeout()];
            let at = due.into_iter().flatten().min().unwrap_or(end).max(self.now);
            if at >= end {
                self.now = end;
                return self;
            }
            self.now = at;
            self.step();
        }
    }

    fn step(&mut self) {
        self.channel.handle_timeout(self.now);
        self.outbox.update_buffered(self.channel.buffered(), self.now);
        self.outbox.handle_timeout(self.now);
        self.flush();
        for index in 0..self.lanes.len() {
            if self.lanes[index].due(self.start) <= self.now {
                self.push_frame(index);
            }
        }
        let totals = self.outbox.totals();
        let accounted = totals.frames_delivered + totals.dropped_total() + self.outbox.frames_waiting();
        assert_eq!(totals.frames_in, accounted);
    }

    fn push_frame(&mut self, index: usize) {
        for packet in self.lanes[index].next_frame(self.now) {
            let header = Header::parse(&packet).unwrap();
            self.outbox.push(self.lanes[index].handle, &header, &packet, self.now);
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.outbox.update_buffered(self.channel.buffered(), self.now);
        while let Some((handle, packet)) = self.outbox.peek(self.now) {
            assert_eq!(Header::parse(packet).unwrap().handle, handle);
            self.channel.write(packet, self.now);
            self.outbox.written(self.now);
        }
    }

    /// What became of the frames pushed after `from` seconds and before the last second.
    fn report(&mut self, from: u64) -> Vec<Report> {
        let from = self.start + Duration::from_secs(from);
        let until = self.now - Duration::from_secs(1);
        let mut lanes: HashMap<Handle, &mut Lane> =
            self.lanes.iter_mut().map(|lane| (lane.handle, lane)).collect();
        for delivery in self.channel.delivered.drain(..) {
            let header = Header::parse(&delivery.packet).unwrap();
            lanes.get_mut(&header.handle).unwrap().arrive(&header, delivery.at);
        }
        self.lanes.iter().map(|lane| lane.report(from, until)).collect()
    }
}

impl Lane {
    fn due(&self, start: Instant) -> Instant {
        start + Duration::from_secs_f64(self.pushed.len() as f64 / self.source.hz)
    }

    fn next_frame(&mut self, now: Instant) -> Vec<Bytes> {
        let frame = u16::try_from(self.pushed.len() % 65_536).unwrap();
        let payload = self.source.packet_bytes - 12;
        let count = self.source.frame_bytes.div_ceil(payload);
        self.pushed.push(Pushed { at: now, packets_missing: count, done: None });
        let length = |index: usize| payload.min(self.source.frame_bytes - index * payload);
        (0..count)
            .map(|index| {
                let flags = u8::from(index == 0) << 4 | u8::from(index + 1 == count) << 3;
                let mut packet = vec![0; 12 + length(index)];
                packet[0] = flags;
                packet[2..4].copy_from_slice(&self.handle.get().to_be_bytes());
                packet[4..6].copy_from_slice(&self.sequence.to_be_bytes());
                packet[6..8].copy_from_slice(&frame.to_be_bytes());
                self.sequence = self.sequence.wrapping_add(1);
                Bytes::from(packet)
            })
            .collect()
    }

    /// A packet arrives; its frame number is that of the latest frame it can be of.
    fn arrive(&mut self, header: &Header, at: Instant) {
        let number = usize::from(header.frame.get());
        let turns = (number..self.pushed.len()).step_by(65_536).rev();
        let frame = turns.into_iter().find(|frame| self.pushed[*frame].at <= at).unwrap();
        let pushed = &mut self.pushed[frame];
        pushed.packets_missing -= 1;
        if pushed.packets_missing == 0 {
            pushed.done = Some(at);
        }
    }

    fn report(&self, from: Instant, until: Instant) -> Report {
        let frames: Vec<&Pushed> =
            self.pushed.iter().filter(|frame| (from..until).contains(&frame.at)).collect();
        let ages: Vec<Duration> =
            frames.iter().filter_map(|frame| Some(frame.done?.duration_since(frame.at))).collect();
        Report {
            share: ages.len() as f64 / frames.len() as f64,
            intact_bytes: ages.len() * self.source.frame_bytes,
            ages,
        }
    }
}

fn link(megabits: f64, round_trip_ms: u64) -> Link {
    Link {
        bytes_per_second: megabits * 125_000.0,
        round_trip: Duration::from_millis(round_trip_ms),
        queue_bytes: 256 << 10,
    }
}

/// 64 KiB at 38 Hz, about 20 Mbit/s.
#[track_caller]
fn check_slow(link: Link, packet_bytes: usize) {
    let source = Source { packet_bytes, ..Source::new(64 << 10, 38.0) };
    let mut run = Run::new(link, &[source]);
    run.run(62);
    let report = &run.report(1)[0];
    let share = report.intact_bytes as f64 / (link.bytes_per_second * 60.0);
    let (early, late) = report.ages.split_at(report.ages.len() / 2);
    let mean = |ages: &[Duration]| ages.iter().sum::<Duration>() / u32::try_from(ages.len()).unwrap();
    let figures = format!(
        "{link:?} packets of {packet_bytes}: {:.1} % of the link, age p50 {:?} p95 {:?}, means {:?} {:?}, wasted {}",
        share * 100.0,
        report.age(0.5),
        report.age(0.95),
        mean(early),
        mean(late),
        run.outbox.totals().wasted_bytes,
    );
    assert!(share >= 0.8, "{figures}");
    assert!(report.age(0.95) <= Duration::from_millis(400), "{figures}");
    assert!(mean(late) <= mean(early) + Duration::from_millis(20), "{figures}");
}

#[test]
fn a_slow_link_is_filled_with_intact_frames_of_bounded_age() {
    check_slow(link(5.0, 20), PACKET_BYTES);
    check_slow(link(5.0, 50), PACKET_BYTES);
    check_slow(link(5.0, 100), PACKET_BYTES);
    check_slow(link(5.0, 20), 1_060);
    check_slow(link(5.0, 50), 4_096);
    check_slow(Link { queue_bytes: 64 << 10, ..link(5.0, 40) }, PACKET_BYTES);
}

#[track_caller]
fn check_far(link: Link, source: Source, from: u64) {
    let mut run = Run::new(link, &[source]);
    run.run(61);
    let report = &run.report(from)[0];
    let figures =
        format!("{source:?} {link:?}: {:.2} %, age p95 {:?}", report.share * 100.0, report.age(0.95));
    assert!(report.share >= 0.99, "{figures}");
}

#[test]
fn a_far_receiver_gets_nearly_everything() {
    check_far(link(100.0, 100), Source::new(16 << 10, 50.0), 0);
    check_far(link(1_000.0, 100), Source::new(16 << 10, 50.0), 0);
    check_far(link(100.0, 100), Source::new(1_000, 1_000.0), 0);
    check_far(link(100.0, 50), Source::new(75 << 10, 30.0), 0);
}

/// What the sender's slow start takes of the first seconds is not the lanes' to give.
#[test]
fn a_very_far_receiver_gets_nearly_everything_after_slow_start() {
    check_far(link(100.0, 200), Source::new(16 << 10, 50.0), 2);
    check_far(link(100.0, 300), Source::new(16 << 10, 50.0), 4);
    check_far(link(100.0, 100), Source::new(256 << 10, 5.0), 4);
    check_far(link(100.0, 150), Source::new(75 << 10, 30.0), 4);
}

#[test]
fn an_unlimited_receiver_gets_everything() {
    let mut run = Run::new(link(1_000.0, 1), &[Source::new(64 << 10, 38.0)]);
    run.run(20);
    let report = &run.report(0)[0];
    assert!(report.share >= 0.999, "{}", report.share);
}

#[track_caller]
fn check_beside(link: Link, heavy: Source, from: u64) {
    let mut run = Run::new(link, &[heavy, Source::new(64, 100.0)]);
    run.run(61);
    let reports = run.report(from);
    let small = &reports[1];
    let heavy_share = reports[0].intact_bytes as f64 / (link.bytes_per_second * (60 - from) as f64);
    let figures = format!(
        "{heavy:?} {link:?}: small {:.3} %, age p50 {:?} p95 {:?} max {:?}; heavy {:.1} % of the link",
        small.share * 100.0,
        small.age(0.5),
        small.age(0.95),
        small.age(1.0),
        heavy_share * 100.0
    );
    assert!(small.share >= 1.0, "{figures} {:?}", run.outbox.totals());
    assert!(heavy_share >= 0.75, "{figures}");
}

/// Measured from when the sender's window has found its size: until then the channel itself queues.
#[test]
fn a_small_lane_beside_a_saturating_one_loses_nothing() {
    check_beside(link(5.0, 20), Source::new(64 << 10, 38.0), 1);
    check_beside(link(5.0, 50), Source::new(64 << 10, 38.0), 1);
    check_beside(link(5.0, 150), Source::new(64 << 10, 38.0), 3);
    check_beside(link(20.0, 100), Source::new(256 << 10, 30.0), 4);
    check_beside(link(5.0, 50), Source { packet_bytes: 1_060, ..Source::new(64 << 10, 38.0) }, 1);
}
