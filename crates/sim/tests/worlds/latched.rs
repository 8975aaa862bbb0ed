//! Late joiners of latched tracks, on every worker and of every kind; and rates, which leave no gaps.

use std::time::Duration;

use bytes::Bytes;
use trackyard_proto::DeliveryWish;
use trackyard_proto::signal::SubscriptionOptions;
use trackyard_session::{EngineEvent, SessionConfig, SessionEvent, SignalVersion};
use trackyard_sim::client::ClientEvent;
use trackyard_sim::world::{ClientId, NodeConfig, Str0mRealm};
use trackyard_sim::{GuestEvent, MixedWorld};
use trackyard_track::{Frame, LocalEvent, LocalTrackId, PublishOptions, Received, RemoteEvent};

use crate::support::{PATIENCE, begin, seat, sees};

type World = MixedWorld<Str0mRealm>;

/// A publisher of ours with one latched track.
struct Stage {
    world: World,
    publisher: ClientId,
    track: LocalTrackId,
    joined: usize,
}

/// A frame as a subscriber has got it: its first byte, and whether it is marked, as far as that can be told.
type Got = (u8, Option<bool>);

impl Stage {
    fn new(options: PublishOptions) -> Self {
        let mut world: World =
            MixedWorld::with_inhabitants(Str0mRealm::new(begin()), NodeConfig::default(), 5);
        let publisher = connect(&mut world, "publisher", SignalVersion::V1);
        let track =
            world.with(publisher, |guest, now| guest.session().publish(options, now)).expect("a name");
        let mut stage = Self { world, publisher, track, joined: 0 };
        stage.published();
        stage
    }

    fn latched() -> Self {
        Self::new(PublishOptions { latch: true, ..PublishOptions::new("map") })
    }

    /// Waits until the server has taken the track; answers whether it keeps the last frame.
    fn published(&mut self) -> bool {
        let track = self.track;
        sees(&mut self.world, self.publisher, 3 * PATIENCE, |event| match event {
            GuestEvent::Ours(SessionEvent::Local(
                LocalEvent::Published { track: known, latched, .. }
                | LocalEvent::Republished { track: known, latched, .. },
            )) if *known == track => Some(*latched),
            _ => None,
        })
    }

    fn push(&mut self, number: u8, bytes: usize) {
        let frame = Frame { payload: Bytes::from(vec![number; bytes]), user_timestamp: None };
        let track = self.track;
        self.world
            .with(self.publisher, |guest, now| guest.session().try_push(track, frame, now))
            .expect("there is room");
    }

    /// A client of ours joins and subscribes.
    fn ours(&mut self, version: SignalVersion, options: SubscriptionOptions) -> ClientId {
        self.joined += 1;
        let config = SessionConfig { version, ..SessionConfig::default() };
        let client = self.world.connect(seat(&format!("ours-{}", self.joined), true), config);
        let remote = sees(&mut self.world, client, PATIENCE, |event| match event {
            GuestEvent::Ours(SessionEvent::Remote(RemoteEvent::Published { track, .. })) => Some(*track),
            _ => None,
        });
        self.world
            .with(client, |guest, now| guest.session().subscribe(remote, options, now))
            .expect("it is published");
        client
    }

    /// A raw client joins and subscribes.
    fn raw(&mut self, single: bool) -> ClientId {
        self.joined += 1;
        let client = self.world.join_raw(seat(&format!("raw-{}", self.joined), single));
        let sid = sees(&mut self.world, client, PATIENCE, |event| match event {
            GuestEvent::Raw(ClientEvent::Joined(join)) => {
                let mut tracks = join.other_participants.iter().flat_map(|info| &info.data_tracks);
                tracks.next().map(|track| track.sid.clone())
            }
            _ => None,
        });
        self.world.with(client, |guest, _| guest.raw().subscribe(&sid));
        client
    }

    fn got(&mut self, client: ClientId) -> Vec<Got> {
        let events = self.world.events(client);
        let got = |event: GuestEvent| match event {
            GuestEvent::Ours(SessionEvent::Item(_, Received::Frame(frame))) => {
                assert!(frame.payload.iter().all(|byte| *byte == frame.payload[0]), "another frame's bytes");
                Some((frame.payload[0], Some(frame.is_latched)))
            }
            GuestEvent::Ours(SessionEvent::Item(_, Received::Gap(gap))) => panic!("{gap:?}"),
            GuestEvent::Raw(ClientEvent::Frame(frame)) => Some((frame.payload[0], None)),
            GuestEvent::Raw(
                event @ (ClientEvent::Malformed | ClientEvent::UnknownHandle(_) | ClientEvent::Broken { .. }),
            ) => panic!("{event:?}"),
            _ => None,
        };
        events.into_iter().filter_map(|(_, event)| got(event)).collect()
    }

    fn rest(&mut self) {
        self.world.run_for(Duration::from_secs(2));
    }

    fn set_path(&mut self, up: bool) {
        self.world.seat(self.publisher).set_reachable(up);
        if !up {
            self.world.break_signal(self.publisher);
        }
    }

    /// Every frame that came in was delivered or dropped for a reason, on every worker.
    fn assert_accounted(&mut self) {
        let node = self.world.node();
        for id in 0..node.workers() {
            let worker = node.worker(id);
            let totals = worker.lane_totals();
            let accounted = totals.frames_delivered + totals.dropped_total() + worker.frames_waiting();
            assert_eq!(totals.frames_in, accounted, "worker {id}: {totals:?}");
            assert_eq!(totals.packets_in, worker.counters().forwarded, "worker {id}");
        }
    }
}

fn connect(world: &mut World, identity: &str, version: SignalVersion) -> ClientId {
    let client = world.connect(seat(identity, true), SessionConfig { version, ..SessionConfig::default() });
    sees(world, client, PATIENCE, |event| match event {
        GuestEvent::Ours(SessionEvent::Engine(EngineEvent::Connected)) => Some(()),
        _ => None,
    });
    client
}

#[test]
fn late_joiners_get_the_last_frame_once_and_then_newer_ones() {
    for bytes in [100, 200_000] {
        let mut stage = Stage::latched();
        (1..=3).for_each(|number| {
            stage.push(number, bytes);
            stage.rest();
        });
        let ours = [SignalVersion::V1, SignalVersion::V0]
            .map(|version| stage.ours(version, SubscriptionOptions::default()));
        let raw = [true, false].map(|single| stage.raw(single));
        stage.rest();
        stage.push(4, bytes);
        stage.rest();
        for client in ours {
            assert_eq!(stage.got(client), [(3, Some(true)), (4, Some(false))], "{bytes} bytes");
        }
        for client in raw {
            assert_eq!(stage.got(client), [(3, None), (4, None)], "{bytes} bytes");
        }
        let last = stage.raw(true);
        stage.rest();
        assert_eq!(stage.got(last), [(4, None)]);
        stage.assert_accounted();
        let node = stage.world.node();
        let served = (0..node.workers()).filter(|id| node.worker(*id).counters().forwarded > 0).count();
        assert!(served > 1, "late joiners were on one worker");
    }
}

#[test]
fn a_track_that_nobody_latches_has_nothing_for_late_joiners() {
    let mut stage = Stage::new(PublishOptions::new("pose"));
    stage.push(1, 100);
    stage.rest();
    let late = [stage.ours(SignalVersion::V1, SubscriptionOptions::default()), stage.raw(true)];
    stage.rest();
    for client in late {
        assert_eq!(stage.got(client), []);
    }
}

#[test]
fn a_publisher_that_resumes_or_begins_anew_still_has_its_last_frame() {
    for away in [8, 40] {
        let mut stage = Stage::latched();
        stage.push(7, 30_000);
        stage.rest();
        stage.set_path(false);
        stage.world.run_for(Duration::from_secs(away));
        stage.set_path(true);
        sees(&mut stage.world, stage.publisher, 3 * PATIENCE, |event| match event {
            GuestEvent::Ours(SessionEvent::Engine(EngineEvent::Reconnected { resumed })) => {
                assert_eq!(*resumed, away == 8);
                Some(())
            }
            _ => None,
        });
        stage.world.run_for(Duration::from_secs(5));
        let late = [stage.ours(SignalVersion::V1, SubscriptionOptions::default()), stage.raw(true)];
        stage.rest();
        assert_eq!(stage.got(late[0]), [(7, Some(true))], "away for {away} s");
        assert_eq!(stage.got(late[1]), [(7, None)], "away for {away} s");
        stage.assert_accounted();
    }
}

#[test]
fn what_ends_with_its_track_is_not_the_next_ones() {
    let mut stage = Stage::latched();
    stage.push(1, 1_000);
    stage.rest();
    let (publisher, track) = (stage.publisher, stage.track);
    stage.track = stage.world.with(publisher, |guest, now| {
        guest.session().unpublish(track, now);
        let options = PublishOptions { latch: true, ..PublishOptions::new("map") };
        guest.session().publish(options, now).expect("the name is free")
    });
    assert!(stage.published());
    let late = stage.raw(true);
    stage.rest();
    assert_eq!(stage.got(late), []);
    stage.push(2, 1_000);
    stage.rest();
    assert_eq!(stage.got(late), [(2, None)]);
}

/// Frames that are left out take no number: no client takes them for lost.
#[test]
fn frames_left_out_for_a_rate_leave_no_gap() {
    let mut stage = Stage::new(PublishOptions::new("pose"));
    let hz = |hz: f64| DeliveryWish::new().with_max_hz(hz);
    let wishes = [(Some(10), hz(50.0), 10), (Some(50), hz(5.0), 5), (Some(20), DeliveryWish::new(), 20)];
    let clients = wishes.map(|(target_fps, delivery, _)| {
        stage.ours(SignalVersion::V1, SubscriptionOptions { target_fps, delivery })
    });
    stage.rest();
    let mut random = fastrand::Rng::with_seed(3);
    for number in 0..600_u32 {
        stage.push((number % 250) as u8, if number % 7 == 0 { 20_000 } else { 100 });
        let jitter = random.u64(0..6_000);
        stage.world.run_for(Duration::from_micros(13_666 + jitter));
    }
    stage.rest();
    for (client, (_, _, rate)) in clients.into_iter().zip(wishes) {
        // Ten seconds of frames; a gap would have been told.
        let got = stage.got(client).len();
        assert!((rate * 19 / 2..=rate * 10 + 3).contains(&got), "{got} frames in 10 s at {rate} Hz");
    }
    stage.assert_accounted();
}
