//! What the room estimator makes of links of every rate, round trip and queue: real SCTP, virtual time.
//!
//! A few cells of the matrix are gated. The whole of it is written to `estimator.md` by
//! `cargo test -p trackyard-sim --test worlds -- --ignored estimator`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use trackyard_sim::world::{NodeConfig, Str0mRealm, World};

use crate::figures::figure;
use crate::support::{begin, join, lane_totals, path, publish, seat, subscribe};
use crate::traffic::{Stream, Summary};

const ROUND_TRIPS_MS: [u64; 5] = [5, 20, 50, 100, 200];
const MEGABITS: [u64; 4] = [1, 5, 20, 100];
const QUEUES_MS: [u64; 4] = [50, 100, 200, 500];
/// From then on it is steady.
const WARM_SECONDS: u64 = 2;
/// IP, UDP, DTLS and SCTP around what one datagram carries.
const DATAGRAM_OVERHEAD_BYTES: f64 = 101.0;

/// A link towards the subscriber.
#[derive(Debug, Clone, Copy)]
struct Path {
    round_trip_ms: u64,
    megabits: u64,
    queue_ms: u64,
}

/// What is published: always more than the link carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Frames of one packet of 1,000 bytes at 1.2 times the link's rate.
    Small,
    /// Frames of 64 KiB at 1.5 times the link's rate.
    Large,
}

/// What became of it.
#[derive(Debug, Clone, Copy)]
struct Cell {
    /// Of what the link can carry of such frames, that much arrived in them, whole.
    used: f64,
    /// The same in the first second.
    first: f64,
    /// Of datagrams sent, that share found the link's queue full.
    overflowed: f64,
    steady: Summary,
    wasted: f64,
}

impl Shape {
    fn bytes(self) -> usize {
        match self {
            Self::Small => 1_000,
            Self::Large => 65_536,
        }
    }

    fn rate_hz(self, megabits: u64) -> f64 {
        let excess = if self == Self::Small { 1.2 } else { 1.5 };
        (megabits * 1_000_000) as f64 * excess / (self.bytes() * 8) as f64
    }

    /// What of a full link is frames: the rest is headers.
    fn ceiling(self) -> f64 {
        let datagram_payload = if self == Self::Small { 1_012.0 } else { 1_140.0 };
        let frame_share = if self == Self::Small { 1_000.0 / 1_012.0 } else { 1.0 };
        frame_share * datagram_payload / (datagram_payload + DATAGRAM_OVERHEAD_BYTES)
    }
}

fn measure(link: Path, shape: Shape, seconds: u64) -> Cell {
    let mut world = World::new(Str0mRealm::new(begin()), NodeConfig::default(), 11);
    let mut config = seat("publisher", true);
    config.client.uplink_bytes_max = 4 << 20;
    path(&mut config, Duration::from_millis(1), None);
    let publisher = join(&mut world, config);
    let sid = publish(&mut world, publisher, 7, "camera");
    let mut config = seat("subscriber", true);
    path(&mut config, Duration::from_millis(link.round_trip_ms), Some(link.megabits * 1_000_000));
    config.down.queue = Duration::from_millis(link.queue_ms);
    let subscriber = join(&mut world, config);
    subscribe(&mut world, subscriber, &sid);
    let period = Duration::from_secs_f64(1.0 / shape.rate_hz(link.megabits));
    let duration = Duration::from_secs(seconds + WARM_SECONDS);
    let stream = Stream { publisher, handle: 7, bytes: shape.bytes(), period, duration };
    let before = world.seat(subscriber).down().stats();
    let flow = stream.run_without_rest(&mut world, &[subscriber]);
    let after = world.seat(subscriber).down().stats();
    let capacity_bps = (link.megabits * 1_000_000) as f64 * shape.ceiling();
    let start = flow.part(subscriber, Duration::ZERO..Duration::from_secs(1));
    // What was pushed last has had no time to arrive.
    let late = Duration::from_secs(1);
    let steady = flow.part(subscriber, Duration::from_secs(WARM_SECONDS)..duration - late);
    let (carried, overflowed) = (after.carried - before.carried, after.overflowed - before.overflowed);
    let totals = lane_totals(&mut world);
    Cell {
        used: steady.goodput_bps / capacity_bps,
        first: start.goodput_bps / capacity_bps,
        overflowed: overflowed as f64 / (carried + overflowed).max(1) as f64,
        wasted: totals.wasted_bytes as f64 / totals.bytes_out.max(1) as f64,
        steady,
    }
}

impl Cell {
    fn row(&self, link: Path, shape: Shape) -> String {
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let millis = |age: Duration| format!("{:.0}", age.as_secs_f64() * 1e3);
        format!(
            "| {shape:?} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            link.round_trip_ms,
            link.megabits,
            link.queue_ms,
            percent(self.used),
            percent(self.first),
            millis(self.steady.p50),
            millis(self.steady.p95),
            percent(self.overflowed),
            percent(self.wasted),
        )
    }
}

#[track_caller]
fn check(link: Path, shape: Shape, p95_max_ms: u64) {
    let cell = measure(link, shape, 6);
    figure(format!("estimator, {shape:?} frames, {link:?}"), cell.row(link, shape));
    assert!(cell.used >= 0.95, "{link:?} {shape:?}: {cell:?}");
    assert!(cell.steady.p95 <= Duration::from_millis(p95_max_ms), "{link:?} {shape:?}: {cell:?}");
    assert!(cell.overflowed <= 0.001, "{link:?} {shape:?}: {cell:?}");
}

/// Where the queue holds what slow start overshoots by, a link is filled and never overrun.
#[test]
fn links_are_filled_without_loss_at_their_queues() {
    let path = |round_trip_ms, megabits, queue_ms| Path { round_trip_ms, megabits, queue_ms };
    check(path(20, 5, 200), Shape::Large, 300);
    check(path(50, 5, 200), Shape::Small, 220);
    check(path(100, 20, 500), Shape::Large, 220);
}

/// Where the queue is shorter than what slow start overshoots by, a link is filled all the same: one loss is one step back.
#[test]
fn links_with_short_queues_are_filled() {
    let path = |round_trip_ms, megabits, queue_ms| Path { round_trip_ms, megabits, queue_ms };
    for (link, shape) in [
        (path(50, 20, 50), Shape::Large),
        (path(100, 20, 50), Shape::Large),
        (path(100, 20, 200), Shape::Large),
        (path(100, 20, 200), Shape::Small),
        (path(200, 20, 200), Shape::Large),
        (path(200, 20, 200), Shape::Small),
    ] {
        let cell = measure(link, shape, 6);
        figure(format!("estimator, {shape:?} frames, {link:?}"), cell.row(link, shape));
        assert!(cell.used >= 0.85, "{link:?} {shape:?}: {cell:?}");
        assert!(cell.steady.p95 <= Duration::from_millis(500), "{link:?} {shape:?}: {cell:?}");
        assert!(cell.overflowed <= 0.03, "{link:?} {shape:?}: {cell:?}");
    }
}

const HEAD: &str = "| frames | round trip, ms | Mbit/s | queue, ms | link used | first second | age p50, ms | p95, ms | lost at the queue | begun and dropped |\n|---|---|---|---|---|---|---|---|---|---|\n";

#[test]
#[ignore = "takes minutes; writes a table"]
#[expect(clippy::disallowed_methods, reason = "whoever runs it by hand may choose cells")]
fn estimator_matrix() {
    let chosen = std::env::var("TRACKYARD_ESTIMATOR_CELLS").unwrap_or_default();
    let mut table = String::from("# The room estimator\n\nReal ICE, DTLS and SCTP in virtual time.\n\n");
    table.push_str(HEAD);
    for shape in [Shape::Large, Shape::Small] {
        for megabits in MEGABITS {
            for round_trip_ms in ROUND_TRIPS_MS {
                for queue_ms in QUEUES_MS {
                    let link = Path { round_trip_ms, megabits, queue_ms };
                    let name = format!("{shape:?}-{megabits}-{round_trip_ms}-{queue_ms}");
                    if !name.contains(&chosen) {
                        continue;
                    }
                    let row = measure(link, shape, if megabits >= 100 { 4 } else { 10 }).row(link, shape);
                    figure(&name, &row);
                    writeln!(table, "{row}").expect("strings take everything");
                }
            }
        }
    }
    let directory = std::env::var_os("TRACKYARD_ARTIFACTS").map(PathBuf::from);
    let directory =
        directory.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../artifacts")));
    std::fs::create_dir_all(&directory).expect("a place for the table");
    std::fs::write(directory.join("estimator.md"), table).expect("the table is written");
}
