//! The estimate against a path of known rate and round trip.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Estimator;
use crate::OutboxConfig;

const PACKET_BYTES: usize = 1_000;
const STEP: Duration = Duration::from_millis(1);

/// A path that releases what is written after its round trip, and no faster than its rate.
struct Path {
    estimator: Estimator,
    now: Instant,
    bytes_per_second: f64,
    round_trip: Duration,
    free_at: Instant,
    flight: VecDeque<Instant>,
}

impl Path {
    fn new(bytes_per_second: f64, round_trip_ms: u64) -> Self {
        #[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
        let now = Instant::now();
        Self {
            estimator: Estimator::new(OutboxConfig::default()),
            now,
            bytes_per_second,
            round_trip: Duration::from_millis(round_trip_ms),
            free_at: now,
            flight: VecDeque::new(),
        }
    }

    fn write(&mut self) {
        self.estimator.wrote(PACKET_BYTES, self.now);
        let serialised = Duration::from_secs_f64(PACKET_BYTES as f64 / self.bytes_per_second);
        self.free_at = self.free_at.max(self.now) + serialised;
        self.flight.push_back(self.free_at + self.round_trip);
    }

    fn step(&mut self) {
        self.now += STEP;
        while self.flight.front().is_some_and(|release| *release <= self.now) {
            self.flight.pop_front();
        }
        self.estimator.update(self.flight.len() * PACKET_BYTES, self.now);
    }

    /// For so long there is always more to send; answers bytes sent per second.
    fn saturate(&mut self, seconds: u64) -> f64 {
        let mut packets = 0;
        for _ in 0..seconds * 1_000 {
            self.step();
            while self.estimator.has_room(0, PACKET_BYTES, false) {
                self.write();
                packets += 1;
            }
            self.estimator.note_limited();
        }
        (packets * PACKET_BYTES) as f64 / seconds as f64
    }

    /// For so long there is a packet now and then.
    fn trickle(&mut self, seconds: u64, interval_ms: u64) {
        for ms in 0..seconds * 1_000 {
            self.step();
            if ms % interval_ms == 0 {
                assert!(self.estimator.has_room(0, PACKET_BYTES, false));
                self.write();
            }
        }
    }

    /// How long a packet written now would take beyond the round trip.
    fn queue_time(&self) -> Duration {
        self.free_at.saturating_duration_since(self.now)
    }
}

#[track_caller]
fn check(bytes_per_second: f64, round_trip_ms: u64) {
    let mut path = Path::new(bytes_per_second, round_trip_ms);
    path.saturate(5);
    for second in 0..30 {
        let sent = path.saturate(1);
        assert!(sent >= bytes_per_second * 0.9, "{sent} in second {second}");
        let queued = path.queue_time();
        assert!(queued <= Duration::from_millis(90), "{queued:?} after second {second}");
    }
}

#[test]
fn a_path_is_kept_busy_and_its_queue_short() {
    check(625_000.0, 20);
    check(625_000.0, 100);
    check(2_500_000.0, 50);
    check(2_500_000.0, 200);
    check(125_000.0, 50);
    check(10_000_000.0, 5);
}

#[test]
fn without_knowledge_there_is_a_start() {
    let mut path = Path::new(1e6, 50);
    let start = OutboxConfig::default().room_start_bytes;
    assert_eq!(path.estimator.room(PACKET_BYTES), start);
    path.trickle(20, 100);
    assert_eq!(path.estimator.room(PACKET_BYTES), start);
}

#[test]
fn there_is_always_room_for_a_packet_in_an_empty_channel() {
    let config =
        OutboxConfig { room_start_bytes: 0, room_min_bytes: 0, room_max_bytes: 0, ..OutboxConfig::default() };
    assert!(Estimator::new(config).has_room(0, 65_535, false));
}

#[test]
fn a_sender_with_little_to_send_learns_nothing_worse() {
    let mut path = Path::new(2_500_000.0, 50);
    path.saturate(5);
    let before = path.estimator.room(PACKET_BYTES);
    path.trickle(30, 10);
    assert!(path.estimator.room(PACKET_BYTES) >= before / 2);
}

#[test]
fn a_path_that_becomes_slower_is_followed() {
    let mut path = Path::new(2_500_000.0, 50);
    path.saturate(10);
    path.bytes_per_second = 625_000.0;
    path.saturate(5);
    assert!(path.queue_time() <= Duration::from_millis(120), "{:?}", path.queue_time());
}

#[test]
fn a_path_that_becomes_faster_is_followed() {
    let mut path = Path::new(125_000.0, 100);
    path.saturate(10);
    path.bytes_per_second = 2_500_000.0;
    path.saturate(10);
    let sent = path.saturate(1);
    assert!(sent >= 2_250_000.0, "{sent}");
}

#[test]
fn a_path_that_becomes_longer_is_followed() {
    let mut path = Path::new(625_000.0, 20);
    path.saturate(10);
    path.round_trip = Duration::from_millis(300);
    path.saturate(20);
    let sent = path.saturate(2);
    assert!(sent >= 560_000.0, "{sent}");
}

#[test]
fn a_refusal_holds_until_the_channel_is_looked_at() {
    let mut path = Path::new(1e6, 50);
    path.estimator.refused();
    assert!(!path.estimator.has_room(0, PACKET_BYTES, false));
    path.step();
    assert!(path.estimator.has_room(0, PACKET_BYTES, false));
}

#[test]
fn an_acknowledgement_that_is_withheld_does_not_hold_up_a_probe() {
    let mut path = Path::new(1e6, 0);
    let mut probes = 0;
    for frame in 0..1_000 {
        path.now += Duration::from_millis(20);
        path.estimator.update(if frame == 0 { 0 } else { 100 }, path.now);
        probes += usize::from(path.estimator.round_trip.is_probing());
        assert!(path.estimator.has_room(0, PACKET_BYTES, false), "frame {frame}");
        path.estimator.wrote(PACKET_BYTES, path.now);
        path.now += Duration::from_micros(1);
        path.estimator.update(100, path.now);
    }
    assert!(probes > 0, "the round trip is measured again and again");
    assert!(probes < 20, "{probes} probes: each ends at once");
}

#[test]
fn messages_that_open_the_channel_do_not_shorten_the_round_trip() {
    let mut path = Path::new(1e6, 50);
    path.estimator.update(23, path.now);
    for _ in 0..20 {
        path.write();
    }
    path.now += STEP;
    let written = path.flight.len() * PACKET_BYTES;
    path.estimator.update(written, path.now);
    assert_eq!(path.estimator.round_trip.least(), Duration::ZERO, "no byte of ours has been released");
    for _ in 0..100 {
        path.step();
    }
    let least = path.estimator.round_trip.least();
    assert!(least >= Duration::from_millis(50), "{least:?}");
}
