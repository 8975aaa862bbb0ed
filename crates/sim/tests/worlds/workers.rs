//! Many workers, and workers that die: whatever happens, the promises hold for those who are still there.

use std::time::Duration;

use trackyard_proto::DisconnectReason;
use trackyard_proto::Response;
use trackyard_proto::signal::LeaveAction;
use trackyard_sim::client::ClientEvent;
use trackyard_sim::world::{ClientId, MessageRealm, NodeConfig, World};

use crate::chance::{Cast, Links, play_with};
use crate::figures::figure;
use crate::support::{begin, frame, join, publish, seat, subscribe, wait};

const MANY: Cast = Cast { workers: Some(16), workers_die: false, seats_max: 24, identities: 24 };

#[test]
fn promises_hold_with_sixteen_workers() {
    let outcomes: Vec<_> = (5_000..5_080).map(|seed| play_with(seed, Links::Any, MANY)).collect();
    let frames: u64 = outcomes.iter().map(|outcome| outcome.frames).sum();
    let crossings: u64 = outcomes.iter().map(|outcome| outcome.crossings).sum();
    figure("scripts, 16 workers: frames received", frames);
    figure("scripts, 16 workers: packets crossed", crossings);
    assert!(frames > 1_000 && crossings > 1_000, "the scripts exercise little: {frames}, {crossings}");
}

#[test]
fn promises_hold_while_workers_die() {
    let cast = Cast { workers_die: true, ..MANY };
    let outcomes: Vec<_> = (6_000..6_080).map(|seed| play_with(seed, Links::Any, cast)).collect();
    let [frames, deaths] = outcomes
        .iter()
        .fold([0, 0], |[frames, deaths], outcome| [frames + outcome.frames, deaths + outcome.deaths]);
    figure("scripts, 16 workers that die: frames received", frames);
    assert!(frames > 500 && deaths > 100, "the scripts exercise little: {frames}, {deaths}");
    let few = Cast { workers: Some(2), seats_max: 8, identities: 6, ..cast };
    let frames: u64 = (7_000..7_080).map(|seed| play_with(seed, Links::Any, few).frames).sum();
    assert!(frames > 500, "the scripts exercise little: {frames}");
}

#[test]
fn the_same_seed_gives_the_same_run_while_workers_die() {
    let cast = Cast { workers_die: true, ..MANY };
    for seed in 8_000..8_010 {
        assert_eq!(play_with(seed, Links::Any, cast), play_with(seed, Links::Any, cast), "seed {seed}");
    }
}

fn told_to_come_back(event: &ClientEvent) -> Option<()> {
    let ClientEvent::Other(response) = event else { return None };
    let anew = Response::Leave { reason: DisconnectReason::StateMismatch, action: LeaveAction::Reconnect };
    (**response == anew).then_some(())
}

fn hears(world: &mut World<MessageRealm>, (from, to): (ClientId, ClientId), number: u32) {
    world.events(to);
    world.with(from, |client, now| client.push(1, &frame(number, 600), now));
    wait(world, to, |event| matches!(event, ClientEvent::Frame(_)).then_some(()));
}

#[test]
fn who_was_served_by_a_dead_worker_comes_back_to_the_same_frames() {
    let mut world = World::new(MessageRealm::new(begin()), NodeConfig::default(), 3);
    let publisher = join(&mut world, seat("publisher", true));
    let sid = publish(&mut world, publisher, 1, "pose");
    let subscribers = ["ada", "bob"].map(|name| join(&mut world, seat(name, true)));
    for subscriber in subscribers {
        subscribe(&mut world, subscriber, &sid);
        hears(&mut world, (publisher, subscriber), 1);
    }
    let worker = (0..2).find(|id| world.node().worker(*id).counters().packets_in == 0).unwrap();
    assert_eq!(world.node().worker(worker).peers(), 1, "one subscriber is apart from its publisher");
    let at = world.elapsed();
    world.fail_worker(worker);
    let told: Vec<_> = subscribers
        .map(|subscriber| {
            world.run_for(Duration::from_millis(20));
            world.events(subscriber).iter().any(|(_, event)| told_to_come_back(event).is_some())
        })
        .into();
    assert!(world.elapsed() - at < Duration::from_millis(50), "at once");
    assert_eq!(told.iter().filter(|told| **told).count(), 1, "{told:?}");
    let [lost, kept] = if told[0] { [0, 1] } else { [1, 0] };
    hears(&mut world, (publisher, subscribers[kept]), 2);
    let back = join(&mut world, seat(["ada", "bob"][lost], true));
    subscribe(&mut world, back, &sid);
    hears(&mut world, (publisher, back), 3);
}
