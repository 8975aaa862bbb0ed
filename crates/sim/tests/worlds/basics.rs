//! Joining, publishing, subscribing and frames, at both levels and in both modes.

use std::time::Duration;

use trackyard_sim::world::{MessageRealm, NodeConfig, Realm, Str0mRealm, World};

use crate::support::{begin, frame, frames, join, publish, seat, subscribe};

fn frames_flow<R: Realm>(realm: R, seed: u64, single: bool) {
    let mut world = World::new(realm, NodeConfig::default(), seed);
    let publisher = join(&mut world, seat("publisher", single));
    let subscriber = join(&mut world, seat("subscriber", single));
    let sid = publish(&mut world, publisher, 7, "pose");
    subscribe(&mut world, subscriber, &sid);
    let sizes = [4, 1_000, 15_988, 15_989, 75_000, 1_000_000];
    for (number, bytes) in sizes.into_iter().enumerate() {
        let frame = frame(number as u32, bytes);
        world.with(publisher, |client, now| client.push(7, &frame, now));
        world.run_for(Duration::from_millis(500));
    }
    let received: Vec<_> = frames(&world.events(subscriber)).into_iter().map(|(_, number)| number).collect();
    assert_eq!(received, [0, 1, 2, 3, 4, 5], "seed {seed}, single {single}");
}

#[test]
fn frames_flow_over_messages() {
    for seed in 0..50 {
        frames_flow(MessageRealm::new(begin()), seed, seed % 2 == 0);
    }
}

#[test]
fn frames_flow_over_webrtc() {
    for single in [true, false] {
        frames_flow(Str0mRealm::new(begin()), 1, single);
    }
}
