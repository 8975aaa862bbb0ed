//! Handles, late joiners, and sessions that replace or outrun each other.

use std::time::{Duration, Instant};

use trackyard_proto::signal::LeaveAction;
use trackyard_proto::{DisconnectReason, Response};
use trackyard_sim::client::ClientEvent;
use trackyard_sim::world::{ClientId, MessageRealm, NodeConfig, World};

use crate::support::{begin, check_frame, frame, frames, join, path, publish, seat, subscribe, wait};
use crate::view::View;

fn world(seed: u64) -> World<MessageRealm> {
    World::new(MessageRealm::new(begin()), NodeConfig::default(), seed)
}

/// The handles in each message, as sids.
fn handle_sids(events: &[(Instant, ClientEvent)]) -> Vec<String> {
    let handle = |(_, event): &(Instant, ClientEvent)| match event {
        ClientEvent::Handle { handle, .. } => Some(handle.track.track_sid.clone()),
        _ => None,
    };
    events.iter().filter_map(handle).collect()
}

#[test]
fn handles_are_told_as_differences() {
    for seed in 0..50 {
        let mut world = world(seed);
        let publisher = join(&mut world, seat("publisher", true));
        let subscriber = join(&mut world, seat("subscriber", seed % 2 == 0));
        let sids: Vec<_> = (1..=5).map(|n| publish(&mut world, publisher, n, &format!("t{n}"))).collect();
        world.run_for(Duration::from_millis(300));
        world.events(subscriber);
        for sid in &sids {
            world.with(subscriber, |client, _| client.subscribe(sid));
            world.run_for(Duration::from_millis(50));
            assert_eq!(
                handle_sids(&world.events(subscriber)),
                [sid.as_str()],
                "seed {seed}: only what is new"
            );
        }
    }
}

#[test]
fn a_handle_is_told_again_after_subscribing_again() {
    for seed in 0..50 {
        let mut world = world(seed);
        let publisher = join(&mut world, seat("publisher", true));
        let subscriber = join(&mut world, seat("subscriber", true));
        let sid = publish(&mut world, publisher, 1, "t");
        subscribe(&mut world, subscriber, &sid);
        world.with(subscriber, |client, _| client.unsubscribe(&sid));
        subscribe(&mut world, subscriber, &sid);
        world.with(publisher, |client, now| client.push(1, &frame(1, 700), now));
        world.run_for(Duration::from_millis(100));
        assert_eq!(frames(&world.events(subscriber)).len(), 1, "seed {seed}");
    }
}

#[test]
fn a_late_joiner_sees_everything_in_the_join_response() {
    for seed in 0..30 {
        let mut world = world(seed);
        let publisher = join(&mut world, seat("publisher", true));
        let mut sids: Vec<_> =
            (1..=40).map(|n| publish(&mut world, publisher, n, &format!("t{n}"))).collect();
        sids.sort_unstable();
        // The last ones may not even be announced to others yet.
        let late = world.join(seat("late", true));
        let mut seen = wait(&mut world, late, |event| match event {
            ClientEvent::Joined(join) => {
                let tracks = join.other_participants.iter().flat_map(|info| &info.data_tracks);
                Some(tracks.map(|track| track.sid.clone()).collect::<Vec<_>>())
            }
            _ => None,
        });
        seen.sort_unstable();
        assert_eq!(seen, sids, "seed {seed}");
    }
}

#[test]
fn observers_agree_on_joins_leaves_and_tracks() {
    for seed in 0..50 {
        let mut world = world(seed);
        let observers = [join(&mut world, seat("a", true)), join(&mut world, seat("b", false))];
        let mut views = [View::default(), View::default()];
        let publishers: Vec<_> =
            (0..5).map(|n| join(&mut world, seat(&format!("p{n}"), n % 2 == 0))).collect();
        for publisher in &publishers {
            publish(&mut world, *publisher, 1, "one");
            publish(&mut world, *publisher, 2, "two");
        }
        world.with(publishers[0], |client, _| client.unpublish(1));
        world.with(publishers[1], |client, now| client.leave(now));
        world.run_for(Duration::from_secs(2));
        for (view, observer) in views.iter_mut().zip(observers) {
            view.take(world.events(observer));
            view.known.retain(|identity, _| identity.starts_with('p'));
        }
        let tracks: Vec<_> =
            ["p0", "p2", "p3", "p4"].map(|identity| views[0].known[identity].1.len()).into_iter().collect();
        assert_eq!(tracks, [1, 2, 2, 2], "seed {seed}");
        assert_eq!(views[0].known, views[1].known, "seed {seed}");
        assert_eq!(views[0].known.len(), 4, "seed {seed}");
    }
}

#[test]
fn a_second_session_of_an_identity_ends_the_first() {
    for seed in 0..50 {
        let mut world = world(seed);
        let watcher = join(&mut world, seat("watcher", true));
        let first = join(&mut world, seat("twin", true));
        publish(&mut world, first, 1, "t");
        let second = join(&mut world, seat("twin", false));
        let sid = publish(&mut world, second, 1, "t");
        world.run_for(Duration::from_secs(1));
        let mut ended = View::default();
        ended.take(world.events(first));
        let duplicate = Some(Response::Leave {
            reason: DisconnectReason::DuplicateIdentity,
            action: LeaveAction::Disconnect,
        });
        assert_eq!(format!("{:?}", ended.leave), format!("{duplicate:?}"), "seed {seed}");
        assert!(ended.ended, "seed {seed}");
        let mut view = View::default();
        view.take(world.events(watcher));
        let (session, tracks) = &view.known["twin"];
        assert_eq!(session, world.with(second, |client, _| client.sid().to_owned()).as_str());
        assert_eq!(tracks.iter().collect::<Vec<_>>(), [&sid], "seed {seed}");
    }
}

/// Whether frames of `publisher` still reach `subscriber` under the handle it was told once.
fn frames_flow(
    world: &mut World<MessageRealm>,
    publisher: ClientId,
    subscriber: ClientId,
    number: u32,
) -> bool {
    world.events(subscriber);
    world.with(publisher, |client, now| client.push(1, &frame(number, 900), now));
    world.run_for(Duration::from_millis(200));
    let arrived = |(_, event): &(Instant, ClientEvent)| match event {
        ClientEvent::Frame(received) => check_frame(received) == number,
        _ => false,
    };
    world.events(subscriber).iter().any(arrived)
}

#[test]
fn resumes_that_outrun_each_other_keep_one_session() {
    for seed in 0..100 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut world = world(seed);
        let publisher = join(&mut world, seat("publisher", random.bool()));
        let subscriber = join(&mut world, seat("subscriber", random.bool()));
        let sid = publish(&mut world, publisher, 1, "t");
        subscribe(&mut world, subscriber, &sid);
        assert!(frames_flow(&mut world, publisher, subscriber, 1), "seed {seed}: before");
        let sids = [publisher, subscriber].map(|id| world.with(id, |client, _| client.sid().to_owned()));
        for _ in 0..random.u8(1..5) {
            let who = if random.bool() { publisher } else { subscriber };
            if random.bool() {
                world.resume(who)
            } else {
                world.resume_unnoticed(who)
            }
            world.run_for(Duration::from_micros(random.u64(..6_000)));
        }
        world.run_for(Duration::from_secs(1));
        assert!(frames_flow(&mut world, publisher, subscriber, 2), "seed {seed}: after");
        let mut now: Vec<_> =
            world.node().room("room").expect("open").participants().map(|info| info.sid.clone()).collect();
        let mut before = sids.to_vec();
        now.sort_unstable();
        before.sort_unstable();
        assert_eq!(now, before, "seed {seed}: sids are kept");
    }
}

#[test]
fn an_unknown_session_is_told_to_join_anew() {
    for seed in 0..30 {
        let mut world = world(seed);
        let client = join(&mut world, seat("gone", seed % 2 == 0));
        let stays = join(&mut world, seat("stays", true));
        world.with(client, |client, now| client.leave(now));
        world.run_for(Duration::from_secs(1));
        world.events(client);
        world.resume(client);
        world.run_for(Duration::from_secs(1));
        let mut view = View::default();
        view.take(world.events(client));
        let told = match view.leave {
            Some(Response::Leave { reason, action }) => Some((reason, action)),
            _ => None,
        };
        assert_eq!(told, Some((DisconnectReason::StateMismatch, LeaveAction::Reconnect)), "seed {seed}");
        assert!(view.ended, "seed {seed}: the connection is closed");
        assert!(world.seat(stays).connection().is_some(), "seed {seed}");
    }
}

#[test]
fn subscribing_to_a_running_stream_tells_the_handle_before_its_packets() {
    for seed in 0..30 {
        let mut world = world(seed);
        let publisher = join(&mut world, seat("publisher", true));
        // Signalling takes at most 2 ms here, so what is sent in order arrives in order.
        let mut config = seat("subscriber", seed % 2 == 0);
        path(&mut config, Duration::from_millis(10), None);
        let subscriber = join(&mut world, config);
        let sid = publish(&mut world, publisher, 1, "t");
        world.run_for(Duration::from_secs(1));
        let mut view = View::default();
        view.take(world.events(subscriber));
        for number in 0..300 {
            if number == 100 {
                world.with(subscriber, |client, _| client.subscribe(&sid));
            }
            world.with(publisher, |client, now| client.push(1, &frame(number, 900), now));
            world.run_for(Duration::from_millis(1));
        }
        world.run_for(Duration::from_millis(100));
        view.take(world.events(subscriber));
        view.assert_no_strays();
        assert!(view.frames > 180, "seed {seed}: {} frames", view.frames);
        assert_eq!(view.early_packets, 0, "seed {seed}: packets before their handle");
    }
}
