//! The last packet of a vanished publisher's track.

use bytes::Bytes;
use trackyard_lanes::{LaneRules, Policy};
use trackyard_wire::Header;

use super::bench::{Bench, add_track, packet, subscribe};
use crate::control::{Command, RouteChange, TrackKey};

fn will(payload: &[u8]) -> RouteChange {
    let packet = Bytes::from(packet(100, 0, payload));
    let rules = LaneRules { policy: Policy::Queue(16), ..LaneRules::default() };
    RouteChange::LastWill { track: TrackKey(5), packet, rules }
}

fn numbers(packet: &[u8]) -> (u16, u16, u16) {
    let header = Header::parse(packet).unwrap();
    (header.handle.get(), header.sequence.get(), header.frame.get())
}

#[test]
fn each_subscriber_gets_it_as_the_next_frame_under_its_own_handle() {
    let mut bench = Bench::new(0);
    let [publisher, one, two] = [1, 2, 3].map(|peer| bench.join(peer));
    bench.routes(vec![add_track(5, publisher, 100), subscribe(5, one, 1), subscribe(5, two, 65_535)]);
    for number in [7, 9, 8] {
        bench.publish(publisher, &packet(100, number, b"go"));
    }
    bench.run();
    let frame = Header::parse(&packet(100, 9, b"go")).unwrap().frame.next().get();
    bench.prepare(vec![will(b"stop")]);
    for (client, handle) in [(one, 1), (two, 65_535)] {
        let received = bench.received(client);
        assert_eq!(received.len(), 4);
        assert_eq!(numbers(&received[3]), (handle, 10, frame));
        assert!(received[3].ends_with(b"stop"));
    }
    assert_eq!(bench.worker.counters().last_wills, 2);
    bench.publish(publisher, &packet(100, 11, b"late"));
    bench.run();
    assert_eq!(bench.worker.counters().unknown_handle, 1, "nothing follows it");
    bench.prepare(vec![RouteChange::RemoveTrack { track: TrackKey(5) }]);
    assert_eq!(bench.received(one).len(), 4);
}

#[test]
fn it_goes_out_though_its_publisher_is_gone_and_nothing_was_ever_sent() {
    let mut bench = Bench::new(0);
    let [publisher, subscriber] = [1, 2].map(|peer| bench.join(peer));
    bench.routes(vec![add_track(5, publisher, 100), subscribe(5, subscriber, 1)]);
    bench.command(Command::Close { peer: publisher.peer });
    bench.prepare(vec![will(b"stop")]);
    assert_eq!(bench.received(subscriber), [packet(1, 0, b"stop")]);
}

#[test]
fn a_rate_that_has_been_spent_does_not_hold_it_back() {
    let mut bench = Bench::new(0);
    let [publisher, subscriber] = [1, 2].map(|peer| bench.join(peer));
    let mut slow = subscribe(5, subscriber, 1);
    let RouteChange::Subscribe { rules, .. } = &mut slow else { panic!("a subscription") };
    rules.max_hz = Some(0.1);
    bench.routes(vec![add_track(5, publisher, 100), slow]);
    for number in 0..5 {
        bench.publish(publisher, &packet(100, number, b"go"));
    }
    bench.run();
    assert_eq!(bench.received(subscriber).len(), 1);
    bench.prepare(vec![will(b"stop")]);
    assert!(bench.received(subscriber)[1].ends_with(b"stop"));
}

#[test]
fn where_nobody_receives_the_track_nothing_happens() {
    let mut bench = Bench::new(0);
    let publisher = bench.join(1);
    bench.routes(vec![add_track(5, publisher, 100)]);
    bench.prepare(vec![will(b"stop")]);
    bench.prepare(vec![will(b"stop"), RouteChange::RemoveTrack { track: TrackKey(5) }, will(b"stop")]);
    assert_eq!((bench.sent.len(), bench.worker.counters().last_wills), (0, 0));
}
