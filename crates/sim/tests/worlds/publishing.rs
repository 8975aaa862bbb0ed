//! Data tracks that a client of ours publishes, as a raw client receives them.

use std::time::{Duration, Instant};

use trackyard_session::{EngineEvent, SessionConfig, SessionEvent, SignalVersion};
use trackyard_sim::client::ClientEvent;
use trackyard_sim::world::{ClientId, MessageRealm, NodeConfig, Realm, Str0mRealm};
use trackyard_sim::{GuestEvent, MixedWorld};
use trackyard_track::{Frame, LocalEvent, LocalTrackId, PublishOptions};

use crate::figures::figure;
use crate::support::{PATIENCE, begin, check_frame, frame, path, seat, sees};

const VERSIONS: [SignalVersion; 2] = [SignalVersion::V1, SignalVersion::V0];

/// A publisher of ours, and a raw subscriber to some of its tracks.
struct Stage<R: Realm> {
    world: MixedWorld<R>,
    publisher: ClientId,
    subscriber: ClientId,
}

impl<R: Realm> Stage<R> {
    fn new(realm: R, version: SignalVersion, round_trip: Duration) -> Self {
        let mut world = MixedWorld::with_inhabitants(realm, NodeConfig::default(), 3);
        let mut config = seat("ours", true);
        path(&mut config, round_trip, None);
        let publisher = world.connect(config, SessionConfig { version, ..SessionConfig::default() });
        let mut config = seat("raw", true);
        path(&mut config, round_trip, None);
        let subscriber = world.join_raw(config);
        let mut stage = Self { world, publisher, subscriber };
        stage.session_is(|event| matches!(event, EngineEvent::Connected));
        stage.raw_sees(|event| matches!(event, ClientEvent::ChannelOpen(..)).then_some(()));
        stage
    }

    fn session_is(&mut self, is_it: impl Fn(&EngineEvent) -> bool) {
        self.ours_sees(|event| match event {
            SessionEvent::Engine(event) => is_it(event).then_some(()),
            _ => None,
        });
    }

    fn ours_sees<T>(&mut self, pick: impl Fn(&SessionEvent) -> Option<T>) -> T {
        sees(&mut self.world, self.publisher, 3 * PATIENCE, |event| match event {
            GuestEvent::Ours(event) => pick(event),
            GuestEvent::Raw(_) => None,
        })
    }

    fn raw_sees<T>(&mut self, pick: impl Fn(&ClientEvent) -> Option<T>) -> T {
        sees(&mut self.world, self.subscriber, PATIENCE, |event| match event {
            GuestEvent::Raw(event) => pick(event),
            GuestEvent::Ours(_) => None,
        })
    }

    /// Publishes a track; answers it and its sid.
    fn publish(&mut self, options: PublishOptions) -> (LocalTrackId, String) {
        let publisher = self.publisher;
        let track = self
            .world
            .with(publisher, |guest, now| guest.session().publish(options, now))
            .expect("a good name");
        let sid = self.ours_sees(|event| match event {
            SessionEvent::Local(LocalEvent::Published { track: known, info, .. }) if *known == track => {
                Some(info.sid.clone())
            }
            _ => None,
        });
        (track, sid)
    }

    fn subscribe(&mut self, sid: &str) {
        let subscriber = self.subscriber;
        self.world.with(subscriber, |guest, _| guest.raw().subscribe(sid));
        self.raw_sees(|event| match event {
            ClientEvent::Handle { handle, announced: true } if handle.track.track_sid == sid => Some(()),
            _ => None,
        });
    }

    fn push(&mut self, track: LocalTrackId, payload: Vec<u8>) -> bool {
        let frame = Frame { payload: payload.into(), user_timestamp: None };
        self.world.with(self.publisher, |guest, now| guest.session().try_push(track, frame, now)).is_ok()
    }

    /// Sids, numbers and times of what has arrived, all of it intact.
    fn arrived(&mut self) -> Vec<(String, u32, Instant)> {
        let events = self.world.events(self.subscriber).into_iter();
        let frames = events.filter_map(|(at, event)| match event {
            GuestEvent::Raw(ClientEvent::Frame(frame)) => Some((frame.sid.clone(), check_frame(&frame), at)),
            GuestEvent::Raw(ClientEvent::Malformed | ClientEvent::UnknownHandle(_)) => panic!("{event:?}"),
            _ => None,
        });
        frames.collect()
    }

    /// Sends frames until one arrives.
    fn flows(&mut self, track: LocalTrackId) -> bool {
        self.arrived();
        (0..250).any(|number| {
            self.push(track, frame(number, 2_000));
            self.world.run_for(Duration::from_millis(20));
            !self.arrived().is_empty()
        })
    }
}

fn webrtc(version: SignalVersion) -> Stage<Str0mRealm> {
    Stage::new(Str0mRealm::new(begin()), version, Duration::from_millis(10))
}

fn check_frames_of_all_sizes<R: Realm>(mut stage: Stage<R>) {
    let (track, sid) = stage.publish(PublishOptions::new("sensor"));
    stage.subscribe(&sid);
    stage.world.run_for(Duration::from_secs(1));
    stage.arrived();
    let sizes = [4, 1_000, 16_000, 75_000, 300_000];
    for (number, bytes) in (0..).zip(sizes) {
        assert!(stage.push(track, frame(number, bytes)));
        stage.world.run_for(Duration::from_secs(2));
    }
    let numbers: Vec<u32> = stage.arrived().into_iter().map(|(_, number, _)| number).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4]);
    let publisher = stage.publisher;
    let stats =
        stage.world.with(publisher, |guest, _| guest.session().local_stats(track)).expect("it is published");
    assert_eq!((stats.pushed, stats.sent), (5, 5), "{stats:?}");
}

#[test]
fn frames_of_all_sizes_arrive_over_messages() {
    for version in VERSIONS {
        check_frames_of_all_sizes(Stage::new(MessageRealm::new(begin()), version, Duration::from_millis(10)));
    }
}

#[test]
fn frames_of_all_sizes_arrive_over_webrtc() {
    for version in VERSIONS {
        check_frames_of_all_sizes(webrtc(version));
    }
}

#[test]
fn a_resume_keeps_tracks_and_their_subscribers() {
    for version in VERSIONS {
        let mut stage = webrtc(version);
        let (track, sid) = stage.publish(PublishOptions::new("sensor"));
        stage.subscribe(&sid);
        assert!(stage.flows(track));
        stage.world.break_signal(stage.publisher);
        stage.session_is(|event| matches!(event, EngineEvent::Reconnected { resumed: true }));
        assert!(stage.flows(track), "the subscriber has done nothing");
    }
}

#[test]
fn a_new_session_publishes_the_same_tracks_again() {
    for version in VERSIONS {
        let mut stage = webrtc(version);
        let (track, sid) = stage.publish(PublishOptions::new("sensor"));
        stage.subscribe(&sid);
        assert!(stage.flows(track));
        stage.world.seat(stage.publisher).set_path(false);
        stage.world.seat(stage.publisher).set_signal_works(false);
        stage.world.break_signal(stage.publisher);
        stage.world.run_for(Duration::from_secs(40));
        stage.world.seat(stage.publisher).set_path(true);
        stage.world.seat(stage.publisher).set_signal_works(true);
        let sid = stage.ours_sees(|event| match event {
            SessionEvent::Local(LocalEvent::Republished { track: known, info, .. }) if *known == track => {
                assert_eq!(info.name, "sensor");
                Some(info.sid.clone())
            }
            _ => None,
        });
        stage.subscribe(&sid);
        assert!(stage.flows(track), "under the same id");
    }
}

#[test]
fn a_small_track_loses_nothing_beside_a_large_one() {
    let mut stage = Stage::new(Str0mRealm::new(begin()), SignalVersion::V1, Duration::from_millis(4));
    let (large, large_sid) = stage.publish(PublishOptions::new("lidar"));
    let (small, small_sid) = stage.publish(PublishOptions::new("cmd"));
    stage.subscribe(&large_sid);
    stage.subscribe(&small_sid);
    stage.world.seat(stage.publisher).up().set_config(carries_both());
    stage.world.run_for(Duration::from_secs(1));
    stage.arrived();
    let (mut pushed, mut ages) = (Vec::new(), Vec::new());
    for number in 0..1_000 {
        if number % 10 == 0 {
            stage.push(large, frame(number, 1 << 20));
        }
        assert!(stage.push(small, frame(number, 64)), "frame {number}");
        pushed.push(stage.world.now());
        stage.world.run_for(Duration::from_millis(10));
        let arrived = stage.arrived().into_iter().filter(|(sid, ..)| *sid == small_sid);
        ages.extend(arrived.map(|(_, number, at)| at - pushed[number as usize]));
    }
    stage.world.run_for(Duration::from_millis(100));
    let arrived = stage.arrived().into_iter().filter(|(sid, ..)| *sid == small_sid);
    ages.extend(arrived.map(|(_, number, at)| at - pushed[number as usize]));
    ages.sort_unstable();
    let p99 = ages[ages.len() * 99 / 100];
    let large = stage
        .world
        .with(stage.publisher, |guest, _| guest.session().local_stats(large))
        .expect("it is published");
    figure("64 B at 100 Hz beside 1 MiB at 10 Hz, 100 Mbit/s, 4 ms: small frames", ages.len());
    figure(
        "64 B at 100 Hz beside 1 MiB at 10 Hz, 100 Mbit/s, 4 ms: their p99 in ms",
        p99.as_secs_f64() * 1e3,
    );
    figure("64 B at 100 Hz beside 1 MiB at 10 Hz, 100 Mbit/s, 4 ms: large frames sent of 100", large.sent);
    assert_eq!(ages.len(), 1_000);
    assert!(p99 <= Duration::from_millis(20), "{p99:?}");
}

#[test]
fn a_publisher_far_away_fills_its_path() {
    for version in VERSIONS {
        let mut stage = Stage::new(Str0mRealm::new(begin()), version, Duration::from_millis(100));
        let (track, sid) = stage.publish(PublishOptions::new("sensor"));
        stage.subscribe(&sid);
        let mut received = Vec::new();
        // SCTP begins with four datagrams in flight, so the first second does not carry all of it.
        for (what, seconds) in [("first second", 1), ("next ten seconds", 10)] {
            stage.arrived();
            for number in 0..50 * seconds {
                stage.push(track, frame(number, 16_384));
                stage.world.run_for(Duration::from_millis(20));
            }
            received.push(stage.arrived().len());
            let share = received[received.len() - 1] as f64 / f64::from(50 * seconds);
            figure(format!("16 KiB at 50 Hz from 100 ms away, {version:?}, {what}: share"), share);
        }
        assert!(received[1] >= 495, "{received:?}");
    }
}

/// 84 Mbit/s are to be sent.
fn carries_both() -> trackyard_sim::link::LinkConfig {
    trackyard_sim::link::LinkConfig {
        delay: Duration::from_millis(2),
        rate_bps: Some(100_000_000),
        ..trackyard_sim::link::LinkConfig::default()
    }
}
