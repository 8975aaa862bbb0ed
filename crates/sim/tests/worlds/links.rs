//! What a slow, far or lossy link does to frames: the figures that the server has to reach.

use std::time::Duration;

use trackyard_sim::world::{ClientId, NodeConfig, Str0mRealm, World};

use crate::figures::figure;
use crate::support::{begin, drops, join, lane_totals, path, publish, seat, subscribe};
use crate::traffic::Stream;

const MBIT: u64 = 1_000_000;

/// A publisher with one track, on a good path.
fn stage(seed: u64) -> (World<Str0mRealm>, ClientId, String) {
    let mut world = World::new(Str0mRealm::new(begin()), NodeConfig::default(), seed);
    let mut config = seat("publisher", true);
    path(&mut config, Duration::from_millis(1), None);
    let publisher = join(&mut world, config);
    let sid = publish(&mut world, publisher, 7, "camera");
    (world, publisher, sid)
}

fn join_behind(
    world: &mut World<Str0mRealm>,
    identity: &str,
    round_trip_ms: u64,
    down_bps: Option<u64>,
) -> ClientId {
    join_mode(world, identity, (round_trip_ms, down_bps), true)
}

fn join_mode(
    world: &mut World<Str0mRealm>,
    identity: &str,
    (round_trip_ms, down_bps): (u64, Option<u64>),
    single: bool,
) -> ClientId {
    let mut config = seat(identity, single);
    path(&mut config, Duration::from_millis(round_trip_ms), down_bps);
    join(world, config)
}

fn stream(publisher: ClientId, bytes: usize, rate_hz: f64, seconds: u64) -> Stream {
    let period = Duration::from_secs_f64(1.0 / rate_hz);
    Stream { publisher, handle: 7, bytes, period, duration: Duration::from_secs(seconds) }
}

#[test]
fn a_slow_subscriber_fills_its_link_with_intact_frames_beside_a_fast_one() {
    let (mut world, publisher, sid) = stage(1);
    let fast = join_behind(&mut world, "fast", 1, None);
    let slow = join_behind(&mut world, "slow", 20, Some(5 * MBIT));
    subscribe(&mut world, fast, &sid);
    subscribe(&mut world, slow, &sid);
    let rate_hz = 20e6 / (65_536.0 * 8.0);
    let flow = stream(publisher, 65_536, rate_hz, 25).run(&mut world, &[fast, slow], |_, _| {});

    let unlimited = flow.summary(fast);
    unlimited.report("64 KiB at 20 Mbit/s, unlimited");
    let limited = flow.summary(slow);
    limited.report("64 KiB at 20 Mbit/s, behind 5 Mbit/s");
    let used = limited.goodput_bps / 5e6;
    figure(
        "64 KiB at 20 Mbit/s, behind 5 Mbit/s: share of the link in intact frames",
        format!("{:.1} %", used * 100.0),
    );
    let link = world.seat(slow).down().stats();
    figure(
        "64 KiB at 20 Mbit/s, behind 5 Mbit/s: datagrams carried / overflowed",
        format!("{} / {}", link.carried, link.overflowed),
    );

    assert!(unlimited.share() >= 0.99, "fast: {unlimited:?}");
    assert!(used >= 0.8, "slow uses {used:.3} of its link: {limited:?}");
    assert!(limited.p95 <= Duration::from_millis(400), "slow: {limited:?}");
    assert!(limited.is_steady(), "slow: {limited:?}");
}

#[test]
fn a_far_subscriber_gets_every_frame_with_one_connection() {
    far_subscriber(true);
}

#[test]
fn a_far_subscriber_gets_every_frame_with_two_connections() {
    far_subscriber(false);
}

fn far_subscriber(single: bool) {
    let (mut world, publisher, sid) = stage(2);
    let far = join_mode(&mut world, "far", (100, None), single);
    subscribe(&mut world, far, &sid);
    let start = stream(publisher, 16_384, 50.0, 1).run(&mut world, &[far], |_, _| {}).summary(far);
    start.report("16 KiB at 50 Hz, 100 ms round trip, first second");
    figure("16 KiB at 50 Hz, 100 ms round trip, first second: lanes", drops(&lane_totals(&mut world)));
    // Until the first acknowledgement, lanes admit 64 KiB: four frames of the five that are pushed within a round trip.
    assert!(start.share() >= 0.7, "{start:?}");
    let name = "16 KiB at 50 Hz, 100 ms round trip, next half minute";
    let steady = stream(publisher, 16_384, 50.0, 30).run(&mut world, &[far], |_, _| {}).summary(far);
    steady.report(name);
    figure(format!("{name}: lanes"), drops(&lane_totals(&mut world)));
    assert!(steady.share() >= 0.99, "{steady:?}");
    assert!(steady.is_steady(), "{steady:?}");
}

#[test]
fn a_far_subscriber_gets_small_frames_at_a_kilohertz() {
    let (mut world, publisher, sid) = stage(3);
    let far = join_behind(&mut world, "far", 100, None);
    subscribe(&mut world, far, &sid);
    let flow = stream(publisher, 1_000, 1_000.0, 10).run(&mut world, &[far], |_, _| {});
    let summary = flow.summary(far);
    summary.report("1,000 B at 1 kHz, 100 ms round trip");
    figure("1,000 B at 1 kHz, 100 ms round trip: lanes", drops(&lane_totals(&mut world)));
    assert!(summary.share() >= 0.9, "{summary:?}");
}

/// Of frames of that size at that rate, the share that arrives intact over 20 ms of round trip and this loss, and the share
/// that would if each datagram met its fate alone and nothing was ever repeated.
fn lossy_link(bytes: usize, rate_hz: f64, loss: f64) -> (f64, f64) {
    let (mut world, publisher, sid) = stage(4);
    let mut config = seat("lossy", true);
    path(&mut config, Duration::from_millis(20), None);
    config.down.loss = loss;
    let lossy = join(&mut world, config);
    subscribe(&mut world, lossy, &sid);
    let before = world.seat(lossy).down().stats();
    let flow = stream(publisher, bytes, rate_hz, 20).run(&mut world, &[lossy], |_, _| {});
    let after = world.seat(lossy).down().stats();
    let summary = flow.summary(lossy);
    let datagrams =
        (after.carried + after.lost - before.carried - before.lost) as f64 / summary.pushed as f64;
    let name = format!("{bytes} B at {rate_hz} Hz, 20 ms round trip, {} % loss", loss * 100.0);
    summary.report(&name);
    figure(
        format!("{name}: lanes"),
        format!("{}; {datagrams:.1} datagrams a frame", drops(&lane_totals(&mut world))),
    );
    let pieces = bytes.div_ceil(1_140) as i32;
    (summary.share(), (1.0 - loss).powi(pieces))
}

#[test]
fn a_lossy_link_costs_the_frames_it_hits_and_no_others() {
    for (bytes, rate_hz, loss) in [
        (16_384, 50.0, 0.01),
        (16_384, 50.0, 0.03),
        (76_800, 30.0, 0.01),
        (76_800, 30.0, 0.03),
        (76_800, 30.0, 0.05),
    ] {
        let (share, ceiling) = lossy_link(bytes, rate_hz, loss);
        assert!(share >= ceiling * 0.9, "{bytes} B at {loss}: {share:.3} of {ceiling:.3}");
    }
}
