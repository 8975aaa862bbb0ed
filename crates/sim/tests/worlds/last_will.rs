//! What a publisher leaves to its subscribers when it vanishes: clients of ours and raw ones get it before they
//! are told of the track's end, encrypted or not, and only then.

use std::time::Duration;

use bytes::Bytes;
use trackyard_proto::{Encryption, ParticipantState};
use trackyard_session::{EngineEvent, SessionConfig, SessionEvent, SignalVersion};
use trackyard_sfu::room::Admin;
use trackyard_sim::client::ClientEvent;
use trackyard_sim::link::LinkConfig;
use trackyard_sim::world::{ClientId, NodeConfig, Str0mRealm};
use trackyard_sim::{GuestEvent, MixedWorld};
use trackyard_track::e2ee::{FrameDecryptor, FrameEncryptor, IvSeed, Key, KeyOptions, Secret};
use trackyard_track::{Frame, LocalEvent, LocalTrackId, PublishOptions, Received, RemoteEvent};

use crate::figures::figure;
use crate::support::{PATIENCE, begin, path, seat, sees};

const VERSIONS: [SignalVersion; 2] = [SignalVersion::V1, SignalVersion::V0];
const NAME: &str = "drive";
/// A connection fails after 15 s without a datagram, and its client may come back for 5 s more.
const GIVEN_UP: Duration = Duration::from_secs(25);

/// What a subscriber has got, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Got {
    Frame(Bytes),
    LastWill(Bytes),
    End,
}

/// A publisher of ours, and two subscribers far away, one of ours and a raw one.
struct Stage {
    world: MixedWorld<Str0mRealm>,
    publisher: ClientId,
    ours: ClientId,
    raw: ClientId,
    track: LocalTrackId,
}

impl Stage {
    fn new(version: SignalVersion, encryption: Encryption) -> Self {
        let mut world = MixedWorld::with_inhabitants(Str0mRealm::new(begin()), NodeConfig::default(), 11);
        let [publisher, ours] = ["publisher", "ours"].map(|identity| {
            let mut config = seat(identity, true);
            path(&mut config, Duration::from_millis(100), None);
            let client = world.connect(config, SessionConfig { version, ..SessionConfig::default() });
            sees(&mut world, client, PATIENCE, |event| match event {
                GuestEvent::Ours(SessionEvent::Engine(EngineEvent::Connected)) => Some(()),
                _ => None,
            });
            client
        });
        let mut config = seat("raw", true);
        path(&mut config, Duration::from_millis(100), None);
        let raw = world.join_raw(config);
        raw_sees(&mut world, raw, |event| matches!(event, ClientEvent::ChannelOpen(..)));
        let key = key();
        world.with(publisher, |guest, _| {
            let mut encryptor =
                FrameEncryptor::new("publisher", &IvSeed::new([7; 32]), &KeyOptions::default());
            encryptor.set_key(0, key.clone()).expect("index 0 is in the ring");
            guest.session().set_encryptor(Some(Box::new(encryptor)));
        });
        world.with(ours, |guest, _| {
            let mut decryptor = FrameDecryptor::new(KeyOptions::default());
            decryptor.set_shared_key(0, &key).expect("index 0 is in the ring");
            guest.session().set_decryptor(Some(Box::new(decryptor)));
        });
        let last_will = Some(frame(b"stop"));
        let options = PublishOptions { encryption, last_will, ..PublishOptions::new(NAME) };
        let track = world
            .with(publisher, |guest, now| guest.session().publish(options, now))
            .expect("a will of one packet");
        let mut stage = Self { world, publisher, ours, raw, track };
        let sid = stage.published();
        stage.subscribe(&sid);
        stage
    }

    /// Waits until the server has taken the track, and answers its sid.
    fn published(&mut self) -> String {
        let track = self.track;
        sees(&mut self.world, self.publisher, 3 * PATIENCE, |event| match event {
            GuestEvent::Ours(SessionEvent::Local(
                LocalEvent::Published { track: known, info, last_will, .. }
                | LocalEvent::Republished { track: known, info, last_will, .. },
            )) if *known == track => {
                assert!(last_will, "the server keeps it");
                Some(info.sid.clone())
            }
            _ => None,
        })
    }

    fn subscribe(&mut self, sid: &str) {
        let ours = self.ours;
        let remote = sees(&mut self.world, ours, PATIENCE, |event| match event {
            GuestEvent::Ours(SessionEvent::Remote(RemoteEvent::Published { track, .. })) => Some(*track),
            _ => None,
        });
        self.world
            .with(ours, |guest, now| guest.session().subscribe(remote, Default::default(), now))
            .expect("it is published");
        sees(&mut self.world, ours, PATIENCE, |event| match event {
            GuestEvent::Ours(SessionEvent::Remote(RemoteEvent::Subscribed { .. })) => Some(()),
            _ => None,
        });
        self.subscribe_raw(sid);
    }

    fn subscribe_raw(&mut self, sid: &str) {
        self.world.with(self.raw, |guest, _| guest.raw().subscribe(sid));
        raw_sees(&mut self.world, self.raw, |event| matches!(event, ClientEvent::Handle { .. }));
    }

    /// Sends frames, and waits until they are there.
    fn flows(&mut self, count: usize) {
        for _ in 0..count {
            let (publisher, track) = (self.publisher, self.track);
            self.world
                .with(publisher, |guest, now| guest.session().try_push(track, frame(b"go"), now))
                .expect("there is room");
            self.world.run_for(Duration::from_millis(20));
        }
        self.world.run_for(Duration::from_millis(200));
        let (ours, raw) = self.got();
        assert_eq!(ours, vec![Got::Frame(Bytes::from_static(b"go")); count]);
        assert_eq!(raw.len(), count, "{raw:?}");
    }

    fn set_path(&mut self, up: bool) {
        self.world.seat(self.publisher).set_reachable(up);
        if !up {
            self.world.break_signal(self.publisher);
        }
    }

    /// What our subscriber and the raw one have got since the last time.
    fn got(&mut self) -> (Vec<Got>, Vec<Got>) {
        let ours = self.world.events(self.ours).into_iter().filter_map(|(_, event)| match event {
            GuestEvent::Ours(SessionEvent::Item(_, Received::Frame(frame))) => Some(if frame.is_last_will {
                Got::LastWill(frame.payload)
            } else {
                Got::Frame(frame.payload)
            }),
            GuestEvent::Ours(SessionEvent::Item(_, Received::Gap(gap))) => panic!("{gap:?}"),
            GuestEvent::Ours(SessionEvent::Remote(RemoteEvent::Unpublished { .. })) => Some(Got::End),
            _ => None,
        });
        let ours: Vec<Got> = ours.collect();
        let raw = self.world.events(self.raw).into_iter().filter_map(|(_, event)| match event {
            GuestEvent::Raw(ClientEvent::Frame(frame)) => Some(Got::Frame(frame.payload.into())),
            GuestEvent::Raw(ClientEvent::Update(infos)) => infos
                .iter()
                .any(|info| {
                    let has_ended =
                        info.state == ParticipantState::Disconnected || info.data_tracks.is_empty();
                    info.identity == "publisher" && has_ended
                })
                .then_some(Got::End),
            GuestEvent::Raw(ClientEvent::Malformed | ClientEvent::UnknownHandle(_)) => panic!("{event:?}"),
            _ => None,
        });
        (ours, raw.collect())
    }

    #[track_caller]
    fn assert_will(&mut self, encryption: Encryption) {
        let (ours, raw) = self.got();
        assert_eq!(ours, [Got::LastWill(Bytes::from_static(b"stop")), Got::End]);
        let [Got::Frame(payload), Got::End] = raw.as_slice() else { panic!("{raw:?}") };
        if encryption == Encryption::None {
            assert_eq!(payload, "stop", "a frame like any other");
        } else {
            assert_eq!(payload.len(), 4 + 16, "sealed by its publisher");
        }
    }
}

fn frame(payload: &'static [u8]) -> Frame {
    Frame { payload: Bytes::from_static(payload), user_timestamp: None }
}

fn key() -> Key {
    let secret = Secret::passphrase("correct horse battery staple").expect("not empty");
    Key::derive(&secret, &KeyOptions::default()).expect("a passphrase")
}

fn raw_sees(world: &mut MixedWorld<Str0mRealm>, raw: ClientId, is_it: impl Fn(&ClientEvent) -> bool) {
    sees(world, raw, PATIENCE, |event| match event {
        GuestEvent::Raw(event) => is_it(event).then_some(()),
        GuestEvent::Ours(_) => None,
    });
}

#[test]
fn who_vanishes_leaves_its_last_frame_before_its_end_is_told() {
    for version in VERSIONS {
        for encryption in [Encryption::None, Encryption::Gcm] {
            let mut stage = Stage::new(version, encryption);
            stage.flows(5);
            stage.set_path(false);
            stage.world.run_for(GIVEN_UP);
            stage.assert_will(encryption);
        }
    }
}

#[test]
fn who_never_sent_anything_leaves_it_too() {
    let mut stage = Stage::new(SignalVersion::V1, Encryption::None);
    stage.set_path(false);
    stage.world.run_for(GIVEN_UP);
    stage.assert_will(Encryption::None);
}

#[test]
fn who_leaves_or_unpublishes_leaves_nothing() {
    for leaves in [true, false] {
        let mut stage = Stage::new(SignalVersion::V1, Encryption::None);
        stage.flows(5);
        let (publisher, track) = (stage.publisher, stage.track);
        stage.world.with(publisher, |guest, now| {
            if leaves {
                guest.session().close(now);
            } else {
                guest.session().unpublish(track, now);
            }
        });
        stage.world.run_for(GIVEN_UP);
        let (ours, raw) = stage.got();
        assert_eq!((ours, raw), (vec![Got::End], vec![Got::End]));
    }
}

#[test]
fn who_comes_back_to_its_session_leaves_nothing() {
    for version in VERSIONS {
        let mut stage = Stage::new(version, Encryption::None);
        stage.flows(5);
        stage.set_path(false);
        stage.world.run_for(Duration::from_secs(8));
        stage.set_path(true);
        sees(&mut stage.world, stage.publisher, PATIENCE, |event| match event {
            GuestEvent::Ours(SessionEvent::Engine(EngineEvent::Reconnected { resumed: true })) => Some(()),
            _ => None,
        });
        stage.world.run_for(Duration::from_secs(1));
        assert_eq!(stage.got(), (Vec::new(), Vec::new()));
        stage.flows(5);
        stage.set_path(false);
        stage.world.run_for(GIVEN_UP);
        stage.assert_will(Encryption::None);
    }
}

#[test]
fn a_new_session_leaves_it_anew() {
    let mut stage = Stage::new(SignalVersion::V1, Encryption::Gcm);
    for _ in 0..2 {
        stage.set_path(false);
        stage.world.run_for(Duration::from_secs(40));
        stage.assert_will(Encryption::Gcm);
        stage.set_path(true);
        let sid = stage.published();
        stage.subscribe_raw(&sid);
        stage.world.run_for(Duration::from_secs(1));
        stage.got();
        stage.flows(3);
    }
}

#[test]
fn a_second_session_of_the_identity_takes_over_without_it() {
    let mut stage = Stage::new(SignalVersion::V1, Encryption::None);
    stage.flows(5);
    let config = SessionConfig::default();
    let second = stage.world.connect(seat("publisher", true), config);
    sees(&mut stage.world, second, PATIENCE, |event| match event {
        GuestEvent::Ours(SessionEvent::Engine(EngineEvent::Connected)) => Some(()),
        _ => None,
    });
    stage.world.run_for(GIVEN_UP);
    let (ours, raw) = stage.got();
    assert_eq!(ours, [Got::End]);
    assert!(raw.iter().all(|got| *got == Got::End), "{raw:?}");
}

/// What waits in a lane for a slow path must neither take the will's place nor outlast its time.
#[test]
fn who_is_removed_while_its_subscribers_are_overrun_leaves_it_too() {
    for seed in 0..10 {
        let mut stage = Stage::new(SignalVersion::V1, Encryption::None);
        for subscriber in [stage.ours, stage.raw] {
            let seat = stage.world.seat(subscriber);
            let slow = LinkConfig {
                delay: Duration::from_millis(50),
                rate_bps: Some(5_000_000),
                ..LinkConfig::default()
            };
            seat.down().set_config(slow);
        }
        let payload = Bytes::from(vec![7; 64 << 10]);
        for _ in 0..100 + seed {
            let (publisher, track) = (stage.publisher, stage.track);
            let frame = Frame { payload: payload.clone(), user_timestamp: None };
            // 26 Mbit/s: what does not fit is dropped on the way.
            drop(stage.world.with(publisher, |guest, now| guest.session().try_push(track, frame, now)));
            stage.world.run_for(Duration::from_millis(20));
        }
        stage.world.run_for(Duration::from_millis(seed * 7));
        let now = stage.world.now();
        let removal = Admin::RemoveParticipant { identity: "publisher".to_owned() };
        stage.world.node().admin("room", removal, now);
        stage.world.run_for(Duration::from_secs(4));
        let ours = stage.world.events(stage.ours);
        let will = ours.iter().find_map(|(at, event)| match event {
            GuestEvent::Ours(SessionEvent::Item(_, Received::Frame(frame))) => {
                frame.is_last_will.then_some(*at - now)
            }
            _ => None,
        });
        let raw = stage.world.events(stage.raw);
        let at = |is_it: &dyn Fn(&ClientEvent) -> bool| {
            raw.iter().find_map(|(at, event)| match event {
                GuestEvent::Raw(event) => is_it(event).then_some(*at - now),
                GuestEvent::Ours(_) => None,
            })
        };
        let raw_will = at(&|event| matches!(event, ClientEvent::Frame(frame) if frame.payload == b"stop"));
        let end = at(&|event| matches!(event, ClientEvent::Update(_)));
        figure(
            format!("last will over a full path, {seed}: ours, raw, end"),
            format!("{will:?} {raw_will:?} {end:?}"),
        );
        assert!(will.is_some() && raw_will.is_some(), "{will:?} {raw_will:?} {end:?}");
    }
}
