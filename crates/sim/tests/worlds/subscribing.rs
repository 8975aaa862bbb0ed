//! Data tracks between clients of ours: the subscription goes on whatever breaks (protocol §5.9).

use std::time::{Duration, Instant};

use trackyard_proto::signal::SubscriptionOptions;
use trackyard_session::{EngineEvent, SessionConfig, SessionEvent, SignalVersion};
use trackyard_sim::link::LinkConfig;
use trackyard_sim::world::{ClientId, NodeConfig, Str0mRealm};
use trackyard_sim::{GuestEvent, MixedWorld};
use trackyard_track::{
    Frame, LocalTrackId, PublishOptions, Received, RemoteEvent, RemoteTrackId, SubscriptionId,
};

use crate::figures::figure;
use crate::support::{PATIENCE, begin, frame, seat, sees};

const VERSIONS: [SignalVersion; 2] = [SignalVersion::V1, SignalVersion::V0];
const NAME: &str = "sensor";

/// A publisher and a subscriber of ours, and a track between them.
struct Pair {
    world: MixedWorld<Str0mRealm>,
    publisher: ClientId,
    subscriber: ClientId,
    local: LocalTrackId,
    remote: RemoteTrackId,
    subscription: SubscriptionId,
    next: u32,
}

impl Pair {
    fn new(version: SignalVersion, link: LinkConfig) -> Self {
        let mut world = MixedWorld::with_inhabitants(Str0mRealm::new(begin()), NodeConfig::default(), 5);
        let [publisher, subscriber] = ["publisher", "subscriber"].map(|identity| {
            let mut config = seat(identity, true);
            let whole = LinkConfig { loss: 0.0, ..link };
            (config.up, config.down) = if identity == "publisher" { (link, whole) } else { (whole, whole) };
            let client = world.connect(config, SessionConfig { version, ..SessionConfig::default() });
            sees(&mut world, client, PATIENCE, |event| match event {
                GuestEvent::Ours(SessionEvent::Engine(EngineEvent::Connected)) => Some(()),
                _ => None,
            });
            client
        });
        let options = PublishOptions::new(NAME);
        let local =
            world.with(publisher, |guest, now| guest.session().publish(options, now)).expect("a good name");
        let remote = sees(&mut world, subscriber, PATIENCE, |event| match event {
            GuestEvent::Ours(SessionEvent::Remote(RemoteEvent::Published { track, .. })) => Some(*track),
            _ => None,
        });
        let subscription = subscribe(&mut world, subscriber, remote);
        Self { world, publisher, subscriber, local, remote, subscription, next: 0 }
    }

    fn push(&mut self, bytes: usize) {
        let payload = frame(self.next, bytes).into();
        self.next += 1;
        let (publisher, local) = (self.publisher, self.local);
        let frame = Frame { payload, user_timestamp: None };
        // What is refused is counted at the publisher.
        drop(self.world.with(publisher, |guest, now| guest.session().try_push(local, frame, now)));
    }

    /// Numbers and times of the frames that have arrived, all of them intact.
    fn arrived(&mut self) -> Vec<(u32, Instant)> {
        let events = self.world.events(self.subscriber).into_iter();
        let frames = events.filter_map(|(at, event)| match event {
            GuestEvent::Ours(SessionEvent::Item(_, Received::Frame(received))) => {
                let number = u32::from_be_bytes(received.payload[..4].try_into().expect("four bytes"));
                assert_eq!(received.payload, frame(number, received.payload.len()), "wrong bytes");
                Some((number, at))
            }
            _ => None,
        });
        frames.collect()
    }

    /// Sends frames until one of them arrives.
    fn flows(&mut self) -> bool {
        self.arrived();
        let first = self.next;
        (0..1_000).any(|_| {
            self.push(2_000);
            self.world.run_for(Duration::from_millis(20));
            self.arrived().iter().any(|(number, _)| *number >= first)
        })
    }

    fn session_of(&mut self, client: ClientId, is_it: impl Fn(&EngineEvent) -> bool) {
        sees(&mut self.world, client, 3 * PATIENCE, |event| match event {
            GuestEvent::Ours(SessionEvent::Engine(event)) => is_it(event).then_some(()),
            _ => None,
        });
    }

    /// Everything of a client is gone for so long.
    fn cut_off(&mut self, client: ClientId, duration: Duration) {
        let set = |pair: &mut Self, works: bool| {
            let seat = pair.world.seat(client);
            seat.up().set_up(works);
            seat.down().set_up(works);
            seat.set_signal_works(works);
        };
        set(self, false);
        self.world.break_signal(client);
        self.world.run_for(duration);
        set(self, true);
    }
}

fn path(round_trip_ms: u64, loss: f64) -> LinkConfig {
    LinkConfig { delay: Duration::from_millis(round_trip_ms) / 4, loss, ..LinkConfig::default() }
}

fn subscribe(
    world: &mut MixedWorld<Str0mRealm>,
    subscriber: ClientId,
    track: RemoteTrackId,
) -> SubscriptionId {
    let options = SubscriptionOptions::default();
    let subscription = world
        .with(subscriber, |guest, now| guest.session().subscribe(track, options, now))
        .expect("it is published");
    sees(world, subscriber, PATIENCE, |event| match event {
        GuestEvent::Ours(SessionEvent::Remote(RemoteEvent::Subscribed { subscriptions, .. })) => {
            subscriptions.contains(&subscription).then_some(())
        }
        _ => None,
    });
    subscription
}

#[test]
fn several_subscriptions_share_one_and_the_last_one_ends_it() {
    for version in VERSIONS {
        let mut pair = Pair::new(version, path(10, 0.0));
        let (subscriber, remote) = (pair.subscriber, pair.remote);
        let second = pair.world.with(subscriber, |guest, now| {
            guest.session().subscribe(remote, SubscriptionOptions::default(), now)
        });
        assert!(pair.flows());
        let first = pair.subscription;
        pair.world.with(subscriber, |guest, now| guest.session().unsubscribe(first, now));
        assert!(pair.flows(), "the second one still has it");
        pair.world.with(subscriber, |guest, now| {
            guest.session().unsubscribe(second.expect("it is published"), now)
        });
        pair.world.run_for(Duration::from_millis(200));
        pair.arrived();
        (0..50).for_each(|_| pair.push(1_000));
        pair.world.run_for(Duration::from_secs(1));
        assert_eq!(pair.arrived(), []);
        pair.subscription = subscribe(&mut pair.world, subscriber, remote);
        assert!(pair.flows(), "subscribed to anew");
    }
}

#[test]
fn a_resume_of_either_changes_nothing_for_the_subscription() {
    for version in VERSIONS {
        let mut pair = Pair::new(version, path(10, 0.0));
        for client in [pair.publisher, pair.subscriber] {
            assert!(pair.flows());
            pair.world.break_signal(client);
            pair.session_of(client, |event| matches!(event, EngineEvent::Reconnected { resumed: true }));
            assert!(pair.flows());
        }
    }
}

#[test]
fn the_subscription_goes_on_over_8_s_and_over_40_s_of_nothing_on_either_side() {
    for version in VERSIONS {
        for seconds in [8, 40] {
            let mut pair = Pair::new(version, path(10, 0.0));
            for client in [pair.publisher, pair.subscriber] {
                assert!(pair.flows());
                pair.cut_off(client, Duration::from_secs(seconds));
                let back = pair.world.now();
                let resumed = seconds < 20;
                pair.session_of(
                    client,
                    |event| matches!(event, EngineEvent::Reconnected { resumed: how } if *how == resumed),
                );
                assert!(pair.flows(), "{version:?}, {seconds} s: without the application's doing");
                let role = if client == pair.publisher { "publisher" } else { "subscriber" };
                let took = pair.world.now() - back;
                figure(
                    format!("nothing for {seconds} s at the {role}, {version:?}: ms to the next frame"),
                    took.as_millis(),
                );
            }
        }
    }
}

#[test]
fn links_with_loss_deliver_what_sctp_can() {
    // Datagrams per frame at the packet sizes that the publisher chooses.
    for load in [(64, 100, 1), (16_384, 50, 16), (76_800, 30, 70)] {
        for loss in [0.0, 0.01, 0.03] {
            for round_trip_ms in [5, 50, 100] {
                check_lossy(load, loss, round_trip_ms);
            }
        }
    }
}

fn check_lossy((bytes, rate_hz, datagrams): (usize, u32, i32), loss: f64, round_trip_ms: u64) {
    let count = rate_hz * 10;
    let mut ages = ages(Pair::new(SignalVersion::V1, path(round_trip_ms, loss)), bytes, rate_hz, count);
    ages.sort_unstable();
    let share = ages.len() as f64 / f64::from(count);
    let p99 = ages.get(ages.len() * 99 / 100).copied().unwrap_or_default();
    let name = format!("{bytes} B at {rate_hz} Hz, {} % loss, {round_trip_ms} ms", loss * 100.0);
    figure(
        format!("ours to ours, {name}: delivered, age p99 in ms"),
        format!("{:.1} %, {:.0}", share * 100.0, p99.as_secs_f64() * 1e3),
    );
    // Larger frames under loss are at the mercy of SCTP's congestion control.
    if loss == 0.0 || datagrams == 1 {
        let possible = 0.9 * (1.0_f64 - loss).powi(datagrams);
        assert!(share >= possible, "{name}: {share}");
        assert!(p99 <= Duration::from_millis(round_trip_ms / 2 + 150), "{name}: {p99:?}");
    }
}

/// Ages of those of `count` frames that arrive, once SCTP has left its slow start behind.
fn ages(mut pair: Pair, bytes: usize, rate_hz: u32, count: u32) -> Vec<Duration> {
    let warm = rate_hz * 3;
    let (mut pushed, mut arrived) = (Vec::new(), Vec::new());
    for _ in 0..warm + count {
        pair.push(bytes);
        pushed.push(pair.world.now());
        pair.world.run_for(Duration::from_secs(1) / rate_hz);
        arrived.extend(pair.arrived());
    }
    pair.world.run_for(Duration::from_secs(2));
    arrived.extend(pair.arrived());
    let late = arrived.into_iter().filter(|(number, _)| *number >= warm);
    late.map(|(number, at)| at - pushed[number as usize]).collect()
}
