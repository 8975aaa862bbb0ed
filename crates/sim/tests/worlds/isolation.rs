//! A subscriber that never reads is nobody else's loss.

use std::time::Duration;

use trackyard_sim::world::{MessageRealm, NodeConfig, World};

use crate::support::{begin, join, path, publish, seat, subscribe};
use crate::traffic::Stream;

/// Per subscriber that reads: when each frame came, since the beginning, and its number.
type Times = Vec<Vec<(Duration, u32)>>;

fn frame_times(seed: u64, last_one_reads: bool) -> Times {
    let mut random = fastrand::Rng::with_seed(seed);
    let config = NodeConfig { workers: random.u16(2..=4), ..NodeConfig::default() };
    let mut world = World::new(MessageRealm::new(begin()), config, seed);
    let publisher = join(&mut world, seat("publisher", true));
    let sid = publish(&mut world, publisher, 7, "camera");
    let subscribers: Vec<_> = (0..4)
        .map(|index| {
            let mut config = seat(&format!("s{index}"), random.bool());
            path(&mut config, Duration::from_millis(random.u64(0..60)), None);
            let subscriber = join(&mut world, config);
            subscribe(&mut world, subscriber, &sid);
            subscriber
        })
        .collect();
    world.seat(subscribers[3]).set_reads(last_one_reads);
    let stream = Stream {
        publisher,
        handle: 7,
        bytes: random.usize(100..60_000),
        period: Duration::from_millis(10),
        duration: Duration::from_secs(3),
    };
    let flow = stream.run(&mut world, &subscribers, |_, _| {});
    let since = world.now() - world.elapsed();
    assert_eq!(flow.arrivals(subscribers[3]).is_empty(), !last_one_reads);
    let times =
        |subscriber| flow.arrivals(subscriber).iter().map(|(at, number)| (*at - since, *number)).collect();
    subscribers[..3].iter().copied().map(times).collect()
}

#[test]
fn a_subscriber_that_never_reads_changes_no_frame_time_of_others() {
    for seed in 0..25 {
        let alone = frame_times(seed, true);
        assert!(alone.iter().all(|frames| !frames.is_empty()), "seed {seed}: nothing arrived");
        assert_eq!(alone, frame_times(seed, false), "seed {seed}");
    }
}
