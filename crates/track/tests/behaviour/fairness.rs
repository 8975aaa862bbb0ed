//! A large track beside a small one, over a path that carries both.

use std::time::{Duration, Instant};

use trackyard_track::{Frame, LocalTrackId, LocalTrackStats, LocalTracks, PublishOptions, RemoteTracks};
use trackyard_wire::Header;

use crate::link::{Channel, Link};
use crate::pair::{base, publisher, received, subscriber};

const SECONDS: u64 = 20;
/// Before this, what the path carries is still being found out.
const SETTLED: u64 = 2;
/// What is pushed later may still be on its way at the end.
const LAST: u64 = SECONDS - 1;

struct Source {
    track: LocalTrackId,
    bytes: usize,
    period: Duration,
    pushed: u32,
    receiver: RemoteTracks,
    ages: Vec<Duration>,
}

impl Source {
    fn due(&self, start: Instant) -> Instant {
        start + self.period * self.pushed
    }
}

struct Run {
    start: Instant,
    now: Instant,
    tracks: LocalTracks,
    channel: Channel,
    sources: Vec<Source>,
}

/// What became of one track.
#[derive(Debug)]
struct Report {
    stats: LocalTrackStats,
    /// Of frames that were pushed in the time that counts.
    received: usize,
    expected: usize,
    age_p99: Duration,
}

impl Run {
    fn new(link: Link, loads: &[(usize, u32)]) -> Self {
        let start = base();
        let options = |name: usize| PublishOptions::new(name.to_string());
        let (tracks, ids) = publisher(&(0..loads.len()).map(options).collect::<Vec<_>>(), start);
        let source = |(track, (bytes, hz)): (LocalTrackId, &(usize, u32))| Source {
            track,
            bytes: *bytes,
            period: Duration::from_secs(1) / *hz,
            pushed: 0,
            receiver: subscriber(tracks.handle(track).unwrap().get(), start).0,
            ages: Vec::new(),
        };
        let sources = ids.into_iter().zip(loads).map(source).collect();
        Self { start, now: start, tracks, channel: Channel::new(link, start), sources }
    }

    fn run(mut self) -> Vec<Report> {
        let end = self.start + Duration::from_secs(SECONDS);
        loop {
            let due = self.sources.iter().map(|source| source.due(self.start)).min();
            let due = [due, self.tracks.poll_timeout(), self.channel.poll_timeout()];
            self.now = due.into_iter().flatten().min().unwrap_or(end).max(self.now);
            if self.now >= end {
                return self.report();
            }
            self.channel.handle_timeout(self.now);
            self.tracks.handle_timeout(self.now);
            self.flush();
            for index in 0..self.sources.len() {
                self.push(index);
                self.flush();
            }
            self.receive();
        }
    }

    fn push(&mut self, index: usize) {
        let source = &mut self.sources[index];
        if source.due(self.start) > self.now {
            return;
        }
        source.pushed += 1;
        let at = u64::try_from((self.now - self.start).as_micros()).unwrap();
        let frame = Frame { payload: vec![0; source.bytes].into(), user_timestamp: Some(at) };
        self.tracks.try_push(source.track, frame, self.now).unwrap();
        let stats = self.tracks.stats(source.track).unwrap();
        assert_eq!(stats.pushed, stats.sent + stats.dropped_total() + stats.waiting);
    }

    fn flush(&mut self) {
        self.tracks.update_buffered(self.channel.buffered(), self.now);
        while let Some(packet) = self.tracks.peek(self.now) {
            self.channel.write(packet, self.now);
            self.tracks.written(self.now);
        }
    }

    fn receive(&mut self) {
        for delivery in self.channel.delivered.drain(..) {
            let handle = Header::parse(&delivery.packet).unwrap().handle;
            let of_track = |source: &&mut Source| self.tracks.handle(source.track) == Some(handle);
            let source = self.sources.iter_mut().find(of_track).unwrap();
            source.receiver.handle_timeout(delivery.at);
            source.receiver.packet(&delivery.packet, delivery.at);
            for frame in received(&mut source.receiver).0 {
                let pushed = Duration::from_micros(frame.user_timestamp.unwrap());
                if (SETTLED..LAST).contains(&pushed.as_secs()) {
                    source.ages.push(delivery.at - (self.start + pushed));
                }
            }
        }
    }

    fn report(mut self) -> Vec<Report> {
        let report = |source: &mut Source| {
            source.ages.sort_unstable();
            let age = |percent: usize| source.ages[(source.ages.len() - 1) * percent / 100];
            Report {
                stats: self.tracks.stats(source.track).unwrap(),
                received: source.ages.len(),
                expected: usize::try_from((LAST - SETTLED) * 1_000).unwrap()
                    / source.period.as_millis() as usize,
                age_p99: age(99),
            }
        };
        self.sources.iter_mut().map(report).collect()
    }
}

fn link(megabits: f64, round_trip_ms: u64) -> Link {
    Link {
        bytes_per_second: megabits * 125_000.0,
        round_trip: Duration::from_millis(round_trip_ms),
        queue_bytes: 512 << 10,
    }
}

#[track_caller]
fn check(megabits: f64, round_trip_ms: u64, age_max_ms: u64) {
    let reports = Run::new(link(megabits, round_trip_ms), &[(1 << 20, 10), (64, 100)]).run();
    let [large, small] = reports.as_slice() else { panic!("two tracks") };
    eprintln!("{megabits} Mbit/s, {round_trip_ms} ms: 1 MiB {large:?}, 64 B {small:?}");
    assert_eq!((small.received, small.stats.dropped_total()), (small.expected, 0), "{small:?}");
    assert!(small.age_p99 <= Duration::from_millis(age_max_ms), "{small:?}");
    assert_eq!(large.received, large.expected, "{large:?}");
}

#[test]
fn a_heavy_track_takes_nothing_from_a_light_one() {
    check(110.0, 5, 20);
    check(150.0, 5, 20);
    check(200.0, 10, 20);
    check(1_000.0, 5, 20);
    check(1_000.0, 10, 20);
}

/// What SCTP has in flight when a small frame comes takes up to a round trip.
#[test]
fn on_a_longer_path_a_light_track_waits_for_a_round_trip_at_most() {
    check(150.0, 20, 32);
    check(1_000.0, 20, 32);
}
