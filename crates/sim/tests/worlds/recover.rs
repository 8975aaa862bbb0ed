//! Real connections that lose their signalling, their path or their client, in both modes.

use std::time::{Duration, Instant};

use trackyard_proto::ParticipantState;
use trackyard_sim::client::{ClientEvent, ReceivedFrame};
use trackyard_sim::world::{ClientId, NodeConfig, Str0mRealm, World};

use crate::figures::figure;
use crate::support::{
    assert_clean, begin, check_frame, drops, frame, frames, join, lane_totals, path, publish, seat, subscribe,
};
use crate::traffic::Stream;

/// A silent client is removed by then (protocol §9.2).
const REMOVED_WITHIN: Duration = Duration::from_secs(25);
const PERIOD: Duration = Duration::from_millis(20);

/// Two clients on a path of 20 ms, and a track between them.
struct Pair {
    world: World<Str0mRealm>,
    publisher: ClientId,
    subscriber: ClientId,
    sid: String,
    handle: u16,
    next: u32,
}

impl Pair {
    fn new(single: bool) -> Self {
        let mut world = World::new(Str0mRealm::new(begin()), NodeConfig::default(), 11);
        let [publisher, subscriber] = ["publisher", "subscriber"].map(|identity| {
            let mut config = seat(identity, single);
            path(&mut config, Duration::from_millis(20), None);
            join(&mut world, config)
        });
        let sid = publish(&mut world, publisher, 7, "pose");
        let handle = subscribe(&mut world, subscriber, &sid);
        let mut pair = Self { world, publisher, subscriber, sid, handle, next: 0 };
        assert!(pair.first_frame(Duration::from_secs(2)).is_some(), "frames flow at first");
        pair.world.run_for(Duration::from_millis(500));
        pair.world.events(subscriber);
        pair
    }

    /// Sends frames until the first of them arrives: how long that takes.
    fn first_frame(&mut self, limit: Duration) -> Option<Duration> {
        let begin = self.world.now();
        let first = self.next;
        self.world.events(self.subscriber);
        while self.world.now() - begin < limit {
            self.push();
            self.world.run_for(PERIOD);
            let events = self.world.events(self.subscriber);
            let arrived = frames(&events).into_iter().find(|(_, number)| *number >= first);
            if let Some((at, _)) = arrived {
                return Some(at - begin);
            }
        }
        None
    }

    fn push(&mut self) {
        let payload = frame(self.next, 1_000);
        self.next += 1;
        self.world.with(self.publisher, |client, now| client.push(7, &payload, now));
    }

    fn run_for(&mut self, duration: Duration) {
        let end = self.world.now() + duration;
        while self.world.now() < end {
            self.push();
            self.world.run_for(PERIOD);
        }
    }

    fn set_links(&mut self, id: ClientId, up: bool) {
        self.world.seat(id).up().set_up(up);
        self.world.seat(id).down().set_up(up);
    }

    fn sids(&mut self) -> Vec<(String, Vec<String>)> {
        let room = self.world.node().room("room").expect("the room is open");
        let tracks = |info: &trackyard_proto::ParticipantInfo| {
            info.data_tracks.iter().map(|track| track.sid.clone()).collect()
        };
        let mut sids: Vec<_> = room.participants().map(|info| (info.sid.clone(), tracks(&info))).collect();
        sids.sort_unstable();
        sids
    }

    /// Frames still arrive as the track and under the handle of the beginning.
    fn assert_same_subscription(&mut self) {
        let (publisher, sid) = (self.publisher, self.sid.clone());
        let events = self.world.events(self.subscriber);
        for (_, event) in &events {
            if let ClientEvent::Handle { handle, .. } = event {
                assert_eq!((handle.handle, handle.track.track_sid.as_str()), (self.handle, sid.as_str()));
            }
        }
        assert_clean(&events);
        assert_clean(&self.world.events(publisher));
    }
}

/// Both modes, for each of the two clients.
fn for_each_client(mut check: impl FnMut(Pair, ClientId, &str)) {
    for single in [true, false] {
        for role in ["publisher", "subscriber"] {
            let pair = Pair::new(single);
            let id = if role == "publisher" { pair.publisher } else { pair.subscriber };
            check(pair, id, &format!("{role}, {} mode", if single { "single" } else { "dual" }));
        }
    }
}

#[test]
fn a_resume_keeps_sids_and_handles_and_frames_flow_again() {
    for_each_client(|mut pair, id, name| {
        let before = pair.sids();
        pair.world.cut_signal(id);
        pair.run_for(Duration::from_secs(2));
        pair.assert_same_subscription();
        pair.world.resume(id);
        let took = pair.first_frame(Duration::from_secs(5)).expect("frames flow after the resume");
        figure(format!("resume of the {name}: ms to the first frame"), took.as_millis());
        pair.run_for(Duration::from_secs(3));
        assert!(pair.first_frame(Duration::from_secs(1)).is_some(), "{name}: and go on");
        assert_eq!(pair.sids(), before, "{name}");
        pair.assert_same_subscription();
    });
}

#[test]
fn a_restart_of_ice_interrupts_nothing() {
    for single in [true, false] {
        let mut pair = Pair::new(single);
        let first = pair.next;
        for _ in 0..3 {
            let id = pair.publisher;
            pair.world.with(id, |client, now| client.offer(true, now));
            pair.run_for(Duration::from_secs(2));
        }
        pair.world.run_for(Duration::from_secs(1));
        let events = pair.world.events(pair.subscriber);
        assert_clean(&events);
        let pushed = pair.next - first;
        let received = frames(&events).len();
        figure(
            format!("three restarts of ICE, single {single}: frames received"),
            format!("{received} of {pushed}"),
        );
        assert!(received as f64 >= f64::from(pushed) * 0.9, "single {single}: {received} of {pushed}");
    }
}

#[test]
fn a_path_that_is_gone_for_8_s_comes_back_with_its_session() {
    for_each_client(|mut pair, id, name| {
        let before = pair.sids();
        pair.set_links(id, false);
        pair.run_for(Duration::from_secs(8));
        pair.set_links(id, true);
        pair.world.resume(id);
        let took = pair.first_frame(Duration::from_secs(20)).expect("frames flow after the outage");
        figure(format!("8 s outage of the {name}: ms to the first frame"), took.as_millis());
        assert_eq!(pair.sids(), before, "{name}");
        pair.assert_same_subscription();
    });
}

#[test]
fn a_client_that_vanishes_is_removed_with_its_tracks() {
    for_each_client(|mut pair, id, name| {
        let other = if id == pair.publisher { pair.subscriber } else { pair.publisher };
        pair.world.events(other);
        let gone = pair.world.with(id, |client, _| client.sid().to_owned());
        pair.set_links(id, false);
        pair.world.cut_signal(id);
        let begin = pair.world.now();
        pair.run_for(REMOVED_WITHIN);
        let removed_at = pair.world.events(other).into_iter().find_map(|(at, event)| match event {
            ClientEvent::Update(infos) => infos
                .iter()
                .any(|info| info.sid == gone && info.state == ParticipantState::Disconnected)
                .then_some(at),
            _ => None,
        });
        let took = removed_at.unwrap_or_else(|| panic!("{name}: not removed")) - begin;
        figure(format!("vanished {name}: s to its removal"), format!("{:.1}", took.as_secs_f64()));
        assert!(pair.sids().iter().all(|(sid, _)| *sid != gone), "{name}");
        let workers = pair.world.node().workers();
        let peers: usize = (0..workers).map(|worker| pair.world.node().worker(worker).peers()).sum();
        assert_eq!(peers, 1, "{name}");
    });
}

#[test]
fn a_late_joiner_gets_its_first_frame_soon() {
    for single in [true, false] {
        let mut pair = Pair::new(single);
        let mut config = seat("late", single);
        path(&mut config, Duration::from_millis(20), None);
        let begin = pair.world.now();
        let late = pair.world.join(config);
        pair.world.with(late, |_, _| ());
        let mut asked = false;
        let mut first = None;
        while first.is_none() && pair.world.now() - begin < Duration::from_secs(5) {
            pair.push();
            pair.world.run_for(PERIOD);
            let events = pair.world.events(late);
            let joined = events.iter().any(|(_, event)| matches!(event, ClientEvent::Joined(_)));
            if joined && !asked {
                asked = true;
                let sid = pair.sid.clone();
                pair.world.with(late, |client, _| client.subscribe(&sid));
            }
            first = frames(&events).first().map(|(at, _)| *at - begin);
        }
        let first = first.expect("a first frame");
        let mode = if single { "single" } else { "dual" };
        figure(
            format!("late joiner, {mode} mode, 20 ms round trip, 50 Hz: ms to its first frame"),
            first.as_millis(),
        );
        assert!(first < Duration::from_secs(2), "{first:?}");
    }
}

/// Numbers of intact frames of a track, in the order they came.
fn received(events: &[(Instant, ClientEvent)]) -> Vec<u32> {
    let frame = |(_, event): &(Instant, ClientEvent)| match event {
        ClientEvent::Frame(frame @ ReceivedFrame { .. }) => Some(check_frame(frame)),
        _ => None,
    };
    events.iter().filter_map(frame).collect()
}

#[test]
fn nothing_arrives_after_unsubscribing_under_fire() {
    for single in [true, false] {
        let mut pair = Pair::new(single);
        let sid = pair.sid.clone();
        for round in 0..5 {
            pair.run_for(Duration::from_millis(500));
            pair.world.with(pair.subscriber, |client, _| client.unsubscribe(&sid));
            pair.run_for(Duration::from_millis(100));
            pair.world.events(pair.subscriber);
            pair.run_for(Duration::from_millis(500));
            assert_eq!(
                received(&pair.world.events(pair.subscriber)),
                Vec::<u32>::new(),
                "round {round}, single {single}"
            );
            subscribe(&mut pair.world, pair.subscriber, &sid);
            assert!(pair.first_frame(Duration::from_secs(1)).is_some(), "round {round}, single {single}");
        }
    }
}

#[test]
fn frames_of_two_megabytes_arrive_whole() {
    for single in [true, false] {
        let mut pair = Pair::new(single);
        pair.world.run_for(Duration::from_secs(1));
        let (publisher, subscriber) = (pair.publisher, pair.subscriber);
        let stream = Stream {
            publisher,
            handle: 7,
            bytes: 2_000_000,
            period: Duration::from_secs(1),
            duration: Duration::from_secs(10),
        };
        pair.world.events(subscriber);
        let summary = stream.run(&mut pair.world, &[subscriber], |_, _| {}).summary(subscriber);
        summary.report(&format!("2 MB at 1 Hz, 20 ms round trip, single {single}"));
        assert!(summary.received > 0, "{}", drops(&lane_totals(&mut pair.world)));
    }
}

#[test]
fn a_subscriber_that_stops_reading_costs_others_nothing() {
    let mut pair = Pair::new(true);
    let sid = pair.sid.clone();
    let reader = join(&mut pair.world, seat("reader", true));
    subscribe(&mut pair.world, reader, &sid);
    let (publisher, subscriber) = (pair.publisher, pair.subscriber);
    pair.world.seat(subscriber).set_reads(false);
    pair.world.events(reader);
    let stream =
        Stream { publisher, handle: 7, bytes: 10_000, period: PERIOD, duration: Duration::from_secs(20) };
    let summary = stream.run(&mut pair.world, &[reader], |_, _| {}).summary(reader);
    summary.report("10 kB at 50 Hz beside a subscriber that does not read");
    figure(
        "10 kB at 50 Hz beside a subscriber that does not read: lanes",
        drops(&lane_totals(&mut pair.world)),
    );
    assert!(summary.share() >= 0.999, "{summary:?}");
    assert!(summary.p95 < Duration::from_millis(30), "{summary:?}");
}

#[test]
fn bursts_of_loss_on_the_way_up_leave_intact_frames_only() {
    for single in [true, false] {
        let mut pair = Pair::new(single);
        let (publisher, subscriber) = (pair.publisher, pair.subscriber);
        let stream = Stream {
            publisher,
            handle: 7,
            bytes: 20_000,
            period: Duration::from_millis(25),
            duration: Duration::from_secs(10),
        };
        let flow = stream.run(&mut pair.world, &[subscriber], |world, number| {
            // A quarter of a second in each second and a half nothing gets through.
            world.seat(publisher).up().set_up(number % 60 >= 10);
        });
        let summary = flow.summary(subscriber);
        summary.report(&format!("20 kB at 40 Hz, outages of 250 ms on the way up, single {single}"));
        assert!(summary.received > 50, "single {single}: {summary:?}");
    }
}

#[test]
fn datagrams_that_overtake_each_other_leave_frames_intact() {
    for single in [true, false] {
        let mut pair = Pair::new(single);
        let (publisher, subscriber) = (pair.publisher, pair.subscriber);
        for id in [publisher, subscriber] {
            let seat = pair.world.seat(id);
            let (mut up, mut down) = (seat.config().up, seat.config().down);
            (up.detours, down.detours) = (0.1, 0.1);
            seat.up().set_config(up);
            seat.down().set_config(down);
        }
        let stream =
            Stream { publisher, handle: 7, bytes: 20_000, period: PERIOD, duration: Duration::from_secs(10) };
        let summary = stream.run(&mut pair.world, &[subscriber], |_, _| {}).summary(subscriber);
        summary.report(&format!("20 kB at 50 Hz, a tenth of datagrams overtaken, single {single}"));
        assert!(summary.received > 50, "single {single}: {summary:?}");
    }
}

#[test]
fn a_full_reconnect_publishes_and_subscribes_anew() {
    for single in [true, false] {
        let mut pair = Pair::new(single);
        let begin = pair.world.now();
        let before = pair.sids();
        // Both come again while the server still has their former sessions.
        for identity in ["publisher", "subscriber"] {
            let mut config = seat(identity, single);
            path(&mut config, Duration::from_millis(20), None);
            let id = join(&mut pair.world, config);
            if identity == "publisher" {
                pair.publisher = id;
                pair.sid = publish(&mut pair.world, id, 7, "pose");
            } else {
                pair.subscriber = id;
            }
        }
        let sid = pair.sid.clone();
        pair.handle = subscribe(&mut pair.world, pair.subscriber, &sid);
        assert!(pair.first_frame(Duration::from_secs(2)).is_some(), "single {single}");
        let took = pair.world.now() - begin;
        figure(format!("both clients join anew, single {single}: ms to the first frame"), took.as_millis());
        let after = pair.sids();
        assert_eq!(after.len(), 2, "single {single}: {after:?}");
        assert!(after.iter().all(|session| !before.contains(session)), "single {single}: {after:?}");
        pair.assert_same_subscription();
    }
}
