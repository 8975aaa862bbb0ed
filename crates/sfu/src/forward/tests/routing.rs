//! Who gets which packets, and what is counted.

use std::time::Duration;

use trackyard_lanes::{DropReason, LaneRules};

use super::bench::{Bench, add_hop, add_track, packet, subscribe};
use crate::control::{Command, Event, PeerId, RouteChange, TrackKey, WorkerId};
use crate::forward::{Crossing, WorkerCounters};

/// Each packet has exactly one fate.
fn assert_accounted(counters: &WorkerCounters) {
    let malformed = counters.malformed_short
        + counters.malformed_version
        + counters.malformed_handle
        + counters.malformed_extensions;
    let fates = counters.data_tracks_disabled
        + malformed
        + counters.unknown_handle
        + counters.no_route
        + counters.routed;
    assert_eq!(counters.packets_in, fates, "{counters:?}");
}

#[test]
fn packets_reach_each_subscriber_in_order_under_its_own_handle_and_otherwise_verbatim() {
    let mut bench = Bench::new(0);
    let [publisher, one, two] = [1, 2, 3].map(|peer| bench.join(peer));
    bench.routes(vec![add_track(5, publisher, 100), subscribe(5, one, 1), subscribe(5, two, 65_535)]);
    for number in 0..50 {
        bench.publish(publisher, &packet(100, number, b"payload"));
    }
    bench.run();
    for (client, handle) in [(one, 1), (two, 65_535)] {
        let expected: Vec<Vec<u8>> = (0..50).map(|number| packet(handle, number, b"payload")).collect();
        assert_eq!(bench.received(client), expected);
    }
    let counters = *bench.worker.counters();
    assert_eq!((counters.packets_in, counters.routed, counters.forwarded), (50, 50, 100));
    assert_accounted(&counters);
}

#[test]
fn reserved_bits_and_unknown_extensions_pass() {
    let mut bench = Bench::new(0);
    let [publisher, subscriber] = [1, 2].map(|peer| bench.join(peer));
    bench.routes(vec![add_track(5, publisher, 9), subscribe(5, subscriber, 8)]);
    let mut odd = packet(9, 0, &[0, 1, 77, 4, 1, 2, 3, 4, b'x']);
    odd[0] |= 0b0000_0111;
    odd[1] = 0xAB;
    bench.publish(publisher, &odd);
    bench.run();
    odd[3] = 8;
    assert_eq!(bench.received(subscriber), [odd]);
}

#[test]
fn packets_that_are_no_tracks_are_counted_by_what_is_wrong_with_them() {
    let mut bench = Bench::new(0);
    let publisher = bench.join(1);
    bench.routes(vec![add_track(5, publisher, 9)]);
    let mut version = packet(9, 0, b"");
    version[0] |= 1 << 5;
    let mut overrun = packet(9, 0, &[0xff, 0xff]);
    overrun[0] |= 1 << 2;
    for bytes in
        [&b"short"[..], &version, &packet(0, 0, b""), &overrun, &packet(77, 0, b""), &packet(9, 0, b"")]
    {
        bench.publish(publisher, bytes);
    }
    bench.run();
    let counters = *bench.worker.counters();
    assert_eq!(
        (
            counters.malformed_short,
            counters.malformed_version,
            counters.malformed_handle,
            counters.malformed_extensions
        ),
        (1, 1, 1, 1)
    );
    assert_eq!((counters.unknown_handle, counters.no_route, counters.routed), (1, 1, 0));
    assert_accounted(&counters);
    assert!(bench.sent.is_empty());
}

#[test]
fn a_handle_means_something_only_to_its_publisher() {
    let mut bench = Bench::new(0);
    let [publisher, other, subscriber] = [1, 2, 3].map(|peer| bench.join(peer));
    bench.routes(vec![add_track(5, publisher, 9), subscribe(5, subscriber, 8)]);
    bench.publish(other, &packet(9, 0, b"forged"));
    bench.run();
    assert!(bench.received(subscriber).is_empty());
    assert_eq!(bench.worker.counters().unknown_handle, 1);
}

#[test]
fn a_packet_crosses_once_per_worker_and_is_served_there() {
    let (mut here, mut there) = (Bench::new(0), Bench::new(1));
    let (publisher, local) = (here.join(1), here.join(2));
    let [one, two] = [3, 4].map(|peer| there.join(peer));
    here.routes(vec![add_track(5, publisher, 9), subscribe(5, local, 1), add_hop(5, 1), add_hop(5, 1)]);
    there.routes(vec![subscribe(5, one, 2), subscribe(5, two, 3)]);
    here.publish(publisher, &packet(9, 0, b"x"));
    here.run();
    let [(to, crossing)] = &here.crossed[..] else { panic!("one crossing: {:?}", here.crossed) };
    assert_eq!((*to, crossing.track), (WorkerId(1), TrackKey(5)));
    assert_eq!((&crossing.packet[..], crossing.received), (&packet(9, 0, b"x")[..], here.now));
    there.worker.handle_crossing(crossing, there.now);
    there.run();
    assert_eq!(here.received(local), [packet(1, 0, b"x")]);
    assert_eq!(there.received(one), [packet(2, 0, b"x")]);
    assert_eq!(there.received(two), [packet(3, 0, b"x")]);
    assert_eq!((here.worker.counters().crossings_out, there.worker.counters().crossings_in), (1, 1));
    assert_eq!(there.worker.counters().packets_in, 0, "counted where the publisher is");
    assert_accounted(here.worker.counters());
}

#[test]
fn what_has_waited_outside_is_as_old_as_that_on_either_worker() {
    let age_max = LaneRules::default().age_max;
    let check = |waited: Duration, expected: usize| {
        let (mut here, mut there) = (Bench::new(0), Bench::new(1));
        let (publisher, local) = (here.join(1), here.join(2));
        let remote = there.join(3);
        here.routes(vec![add_track(5, publisher, 9), subscribe(5, local, 1), add_hop(5, 1)]);
        there.routes(vec![subscribe(5, remote, 2)]);
        // Every worker has lived for longer than anything waits.
        for bench in [&mut here, &mut there] {
            bench.now += Duration::from_secs(10);
        }
        here.publish_received(publisher, &packet(9, 0, b"x"), here.now - waited);
        here.run();
        let (_, crossing) = here.crossed.pop().unwrap();
        there.worker.handle_crossing(&crossing, there.now);
        there.run();
        assert_eq!((here.received(local).len(), there.received(remote).len()), (expected, expected));
        for bench in [&here, &there] {
            let expired = bench.worker.lane_totals().dropped(DropReason::Expired);
            assert_eq!(expired, 1 - expected as u64, "dropped whole, and counted");
        }
        assert_accounted(here.worker.counters());
    };
    check(Duration::ZERO, 1);
    check(age_max / 2, 1);
    check(age_max, 0);
    check(Duration::from_secs(5), 0);
}

#[test]
fn crossings_that_nobody_wants_are_counted() {
    let mut bench = Bench::new(1);
    for packet in [packet(9, 0, b"x"), b"bad".to_vec()] {
        let crossing = Crossing {
            track: TrackKey(5),
            from: None,
            packet: packet.into(),
            received: bench.now,
            handed: bench.now,
        };
        bench.worker.handle_crossing(&crossing, bench.now);
    }
    bench.run();
    assert_eq!(bench.worker.counters().crossings_unrouted, 2);
}

#[test]
fn unsubscribing_and_removing_end_the_flow_at_once() {
    let mut bench = Bench::new(0);
    let [publisher, one, two] = [1, 2, 3].map(|peer| bench.join(peer));
    bench.routes(vec![add_track(5, publisher, 9), subscribe(5, one, 1), subscribe(5, two, 2)]);
    bench.routes(vec![RouteChange::Unsubscribe { track: TrackKey(5), subscriber: one.peer }]);
    bench.publish(publisher, &packet(9, 0, b"x"));
    bench.run();
    assert_eq!((bench.received(one).len(), bench.received(two).len()), (0, 1));
    bench.routes(vec![RouteChange::RemoveTrack { track: TrackKey(5) }]);
    bench.publish(publisher, &packet(9, 1, b"x"));
    bench.run();
    assert_eq!(bench.received(two).len(), 1);
    assert_eq!(bench.worker.counters().unknown_handle, 1);
    assert!(bench.worker.routes.is_empty());
}

#[test]
fn a_new_subscription_takes_the_place_of_the_old() {
    let mut bench = Bench::new(0);
    let [publisher, subscriber] = [1, 2].map(|peer| bench.join(peer));
    bench.routes(vec![add_track(5, publisher, 9), add_track(6, publisher, 10), subscribe(5, subscriber, 1)]);
    bench.routes(vec![subscribe(5, subscriber, 2)]);
    bench.publish(publisher, &packet(9, 0, b"x"));
    bench.run();
    assert_eq!(bench.received(subscriber), [packet(2, 0, b"x")]);
    bench.routes(vec![subscribe(6, subscriber, 2)]);
    bench.publish(publisher, &packet(9, 1, b"y"));
    bench.publish(publisher, &packet(10, 0, b"z"));
    bench.run();
    assert_eq!(bench.received(subscriber)[1..], [packet(2, 0, b"z")]);
}

#[test]
fn a_batch_is_confirmed_after_it_serves_whatever_it_names() {
    let mut bench = Bench::new(3);
    let [publisher, gone] = [1, 2].map(|peer| bench.join(peer));
    bench.command(Command::Close { peer: gone.peer });
    bench.events.clear();
    let missing = RouteChange::Unsubscribe { track: TrackKey(99), subscriber: PeerId(99) };
    bench.prepare(vec![add_track(5, publisher, 9), subscribe(5, gone, 1), add_track(6, gone, 1), missing]);
    assert!(
        matches!(bench.events[..], [Event::Applied { worker: WorkerId(3), version: 1, .. }]),
        "{:?}",
        bench.events
    );
    assert_eq!(bench.worker.counters().stale_commands, 3);
    bench.publish(publisher, &packet(9, 0, b"x"));
    bench.run();
    assert_eq!(bench.worker.counters().no_route, 1);
}

#[test]
fn accounting_is_exact_under_any_mix() {
    let mut random = fastrand::Rng::with_seed(11);
    let mut bench = Bench::new(0);
    let clients: Vec<_> = (1..=6).map(|peer| bench.join(peer)).collect();
    let mut delivered = 0;
    for number in 0..5_000u16 {
        let client = clients[random.usize(..clients.len())];
        let track = random.u64(1..4);
        match random.u8(..20) {
            0 => bench.routes(vec![add_track(track, client, u16::try_from(track).unwrap())]),
            1 => bench.routes(vec![subscribe(track, client, 1_000 + u16::try_from(track).unwrap())]),
            2 => bench.routes(vec![RouteChange::RemoveTrack { track: TrackKey(track) }]),
            3 => bench
                .routes(vec![RouteChange::Unsubscribe { track: TrackKey(track), subscriber: client.peer }]),
            4 => bench.publish(client, &packet(0, number, b"")),
            _ => bench.publish(client, &packet(u16::try_from(track).unwrap(), number, b"x")),
        }
        bench.run();
        bench.advance(Duration::from_millis(1));
        delivered += bench.sent.len() as u64;
        bench.sent.clear();
        assert_accounted(bench.worker.counters());
    }
    for client in &clients {
        bench.command(Command::Close { peer: client.peer });
    }
    let lanes = bench.worker.lane_totals();
    assert_eq!(lanes.frames_in, lanes.frames_delivered + lanes.dropped_total(), "{lanes:?}");
    assert_eq!(lanes.packets_in, bench.worker.counters().forwarded, "closed lanes and peers included");
    assert_eq!(lanes.packets_out, delivered);
    assert!(delivered > 100, "{delivered}: the mix must route something");
}

#[test]
fn what_comes_before_the_subscriber_knows_its_handle_waits_until_it_does() {
    let mut bench = Bench::new(0);
    let [publisher, subscriber] = [1, 2].map(|peer| bench.join(peer));
    bench.prepare(vec![add_track(5, publisher, 9), subscribe(5, subscriber, 8)]);
    bench.publish(publisher, &packet(9, 0, b"early"));
    bench.run();
    assert!(bench.received(subscriber).is_empty());
    bench.prepare(vec![RouteChange::Flow { track: TrackKey(5), subscriber: subscriber.peer }]);
    bench.publish(publisher, &packet(9, 1, b"due"));
    bench.run();
    assert_eq!(bench.received(subscriber), [packet(8, 0, b"early"), packet(8, 1, b"due")]);
}
