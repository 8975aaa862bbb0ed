//! Late joiners of latched tracks.

use trackyard_lanes::LaneRules;
use trackyard_wire::{Header, id, is_marked};

use super::super::Crossing;
use super::bench::{Bench, Client, add_hop, add_track, packet, subscribe};
use crate::control::{Command, PeerId, RouteChange, TrackKey, WorkerId};
use crate::forward::{WorkerConfig, WorkerCounters};

const LATCH: RouteChange = latch(5, PeerId(1));

const fn latch(track: u64, publisher: PeerId) -> RouteChange {
    RouteChange::LatchTrack { track: TrackKey(track), publisher }
}

fn late(subscriber: Client, handle: u16) -> RouteChange {
    let mut change = subscribe(5, subscriber, handle);
    let RouteChange::Subscribe { rules, .. } = &mut change else { panic!("a subscription") };
    rules.latch = true;
    change
}

/// Frame numbers with payloads, those that are marked with a `*`.
fn received(bench: &Bench, client: Client) -> Vec<String> {
    let received = bench.received(client);
    let text = |packet: &Vec<u8>| {
        let header = Header::parse(packet).unwrap();
        let mark = if is_marked(&header, packet, id::LATCHED) { "*" } else { "" };
        let payload = String::from_utf8_lossy(&packet[header.payload_offset..]).into_owned();
        format!("{}:{payload}{mark}", header.frame.get())
    };
    received.iter().map(text).collect()
}

/// Sends a frame, and lets the worker hand it on.
fn publish(bench: &mut Bench, publisher: Client, number: u16, payload: &[u8]) {
    bench.publish(publisher, &packet(100, number, payload));
    bench.run();
}

fn assert_accounted(bench: &Bench) {
    let totals = bench.worker.lane_totals();
    let waiting = bench.worker.frames_waiting();
    assert_eq!(totals.frames_in, totals.frames_delivered + totals.dropped_total() + waiting);
    assert_eq!(bench.worker.counters().forwarded, totals.packets_in);
}

#[test]
fn a_late_joiner_gets_the_last_frame_and_then_newer_ones() {
    let mut bench = Bench::new(0);
    let [publisher, early, one, two] = [1, 2, 3, 4].map(|peer| bench.join(peer));
    bench.routes(vec![add_track(5, publisher, 100), LATCH, late(early, 9)]);
    for number in 0..3 {
        publish(&mut bench, publisher, number, b"map");
    }
    bench.routes(vec![late(one, 1)]);
    publish(&mut bench, publisher, 3, b"new");
    bench.routes(vec![late(two, 65_535)]);
    bench.run();
    assert_eq!(received(&bench, early), ["0:map", "1:map", "2:map", "3:new"]);
    assert_eq!(received(&bench, one), ["2:map*", "3:new"]);
    assert_eq!(received(&bench, two), ["3:new*"]);
    assert_eq!(Header::parse(&bench.received(two)[0]).unwrap().handle.get(), 65_535);
    let counters = bench.worker.counters();
    assert_eq!((counters.latched_kept, counters.latched_sent), (4, 2));
    assert_accounted(&bench);
}

#[test]
fn it_waits_for_the_handle_however_old_it_gets() {
    let mut bench = Bench::new(0);
    let [publisher, subscriber] = [1, 2].map(|peer| bench.join(peer));
    bench.routes(vec![add_track(5, publisher, 100), LATCH]);
    publish(&mut bench, publisher, 7, b"map");
    bench.advance(std::time::Duration::from_secs(3_600));
    bench.prepare(vec![late(subscriber, 1)]);
    bench.advance(std::time::Duration::from_secs(30));
    assert_eq!(received(&bench, subscriber), [""; 0], "the handle was not told");
    bench.prepare(vec![RouteChange::Flow { track: TrackKey(5), subscriber: subscriber.peer }]);
    assert_eq!(received(&bench, subscriber), ["7:map*"]);
    assert_accounted(&bench);
}

#[test]
fn one_that_is_overtaken_before_the_handle_is_told_comes_first_or_not_at_all() {
    let mut bench = Bench::new(0);
    let [publisher, subscriber] = [1, 2].map(|peer| bench.join(peer));
    bench.routes(vec![add_track(5, publisher, 100), LATCH]);
    publish(&mut bench, publisher, 7, b"old");
    bench.prepare(vec![late(subscriber, 1)]);
    publish(&mut bench, publisher, 8, b"new");
    bench.advance(std::time::Duration::from_secs(1));
    bench.prepare(vec![RouteChange::Flow { track: TrackKey(5), subscriber: subscriber.peer }]);
    assert_eq!(received(&bench, subscriber), ["8:new"], "the older one has grown too old");
    assert_accounted(&bench);
}

#[test]
fn another_worker_gets_it_before_anything_else_and_keeps_it() {
    let mut home = Bench::new(0);
    let publisher = home.join(1);
    home.routes(vec![add_track(5, publisher, 100), LATCH]);
    publish(&mut home, publisher, 3, b"map");
    home.routes(vec![add_hop(5, 1)]);
    publish(&mut home, publisher, 4, b"new");
    home.run();
    assert!(home.crossed.iter().all(|(to, crossing)| (*to, crossing.track) == (WorkerId(1), TrackKey(5))));
    assert_eq!(home.worker.counters().crossings_out, 2);

    let mut away = Bench::new(1);
    let [one, two] = [11, 12].map(|peer| away.join(peer));
    away.routes(vec![late(one, 1)]);
    let now = away.now;
    let crossed: Vec<_> = home
        .crossed
        .into_iter()
        .map(|(_, crossing)| Crossing { received: now, handed: now, ..crossing })
        .collect();
    assert_eq!(crossed.len(), 2);
    away.worker.handle_crossing(&crossed[0], away.now);
    away.routes(vec![late(two, 1)]);
    away.worker.handle_crossing(&crossed[1], away.now);
    away.run();
    for client in [one, two] {
        assert_eq!(received(&away, client), ["3:map*", "4:new"]);
    }
    assert_eq!(away.worker.counters().latched_sent, 1, "the first got it as it came");
    assert_accounted(&away);
}

#[test]
fn it_ends_with_its_track() {
    let mut bench = Bench::new(0);
    let [publisher, subscriber] = [1, 2].map(|peer| bench.join(peer));
    bench.routes(vec![add_track(5, publisher, 100), LATCH, late(subscriber, 1)]);
    publish(&mut bench, publisher, 3, b"map");
    assert!(bench.worker.latched_bytes() > 0);
    bench.routes(vec![RouteChange::RemoveTrack { track: TrackKey(5) }]);
    assert_eq!(bench.worker.latched_bytes(), 0);
    bench.routes(vec![add_track(6, publisher, 101), late(subscriber, 2)]);
    bench.command(Command::Close { peer: subscriber.peer });
    bench.command(Command::Close { peer: publisher.peer });
    assert_eq!(bench.worker.latched_bytes(), 0);
    assert_eq!(bench.worker.counters().latched_sent, 0);
}

#[test]
fn other_rules_for_who_has_it_send_nothing_again() {
    let mut bench = Bench::new(0);
    let [publisher, subscriber] = [1, 2].map(|peer| bench.join(peer));
    bench.routes(vec![add_track(5, publisher, 100), LATCH]);
    publish(&mut bench, publisher, 3, b"map");
    bench.routes(vec![late(subscriber, 1)]);
    let rules = LaneRules { latch: true, max_hz: Some(5.0), ..LaneRules::default() };
    bench.routes(vec![RouteChange::Reschedule { track: TrackKey(5), subscriber: subscriber.peer, rules }]);
    for number in 4..8 {
        publish(&mut bench, publisher, number, b"new");
    }
    bench.run();
    assert_eq!(received(&bench, subscriber), ["3:map*", "4:new"]);
    bench.advance(std::time::Duration::from_secs(1));
    publish(&mut bench, publisher, 8, b"new");
    bench.run();
    assert_eq!(received(&bench, subscriber)[2..], ["5:new"], "what is left out takes no number");
    assert_accounted(&bench);
}

/// A worker that keeps so little of each publisher, after `ada` has published more than that on two tracks and `bob`
/// one frame.
fn crowded(latched_share_max: usize) -> (Bench, WorkerCounters) {
    let limits = WorkerConfig { latched_bytes_max: 4_000, latched_share_max, ..WorkerConfig::default() };
    let mut bench = Bench::with(0, limits);
    let [ada, bob] = [1, 2].map(|peer| bench.join(peer));
    bench.routes(vec![add_track(5, bob, 100), latch(5, bob.peer)]);
    bench.routes(vec![
        add_track(6, ada, 100),
        latch(6, ada.peer),
        add_track(7, ada, 101),
        latch(7, ada.peer),
    ]);
    publish(&mut bench, bob, 0, b"map");
    for number in 0..3 {
        bench.publish(ada, &packet(100, number, &[0; 1_800]));
        bench.publish(ada, &packet(101, number, &[0; 1_800]));
        bench.run();
    }
    publish(&mut bench, bob, 1, b"new");
    let counters = *bench.worker.counters();
    (bench, counters)
}

#[test]
fn no_publisher_takes_what_others_may_keep() {
    let (mut bench, counters) = crowded(2_500);
    let late_comer = bench.join(3);
    bench.routes(vec![late(late_comer, 1)]);
    assert_eq!(received(&bench, late_comer), ["1:new*"]);
    assert!(bench.worker.latched_bytes() <= 2_500 + 500, "{}", bench.worker.latched_bytes());
    assert!(counters.latched_over_share > 0);
    assert_eq!(counters.latched_over_share, counters.latched_given_up);
}

#[test]
fn on_another_worker_too() {
    let limits =
        WorkerConfig { latched_bytes_max: 4_000, latched_share_max: 2_500, ..WorkerConfig::default() };
    let mut away = Bench::with(1, limits);
    let subscriber = away.join(3);
    let of = |track, publisher, handle| {
        let mut change = late(subscriber, handle);
        let RouteChange::Subscribe { track: key, publisher: whose, .. } = &mut change else { panic!() };
        (*key, *whose) = (TrackKey(track), PeerId(publisher));
        change
    };
    away.routes(vec![of(5, 12, 1), of(6, 11, 2), of(7, 11, 3)]);
    let cross = |away: &mut Bench, track, number, payload: &[u8]| {
        let (packet, received) = (packet(100, number, payload).into(), away.now);
        let crossing = Crossing { track: TrackKey(track), from: None, packet, received, handed: received };
        away.worker.handle_crossing(&crossing, away.now);
        away.run();
    };
    cross(&mut away, 5, 0, b"map");
    for number in 0..3 {
        cross(&mut away, 6, number, &[0; 1_800]);
        cross(&mut away, 7, number, &[0; 1_800]);
    }
    let late_comer = away.join(4);
    away.routes(vec![late(late_comer, 1)]);
    assert_eq!(received(&away, late_comer), ["0:map*"]);
    assert!(away.worker.counters().latched_over_share > 0);
}
