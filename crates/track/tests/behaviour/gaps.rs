//! Over a path that loses, repeats and reorders, a subscriber learns of every frame: it gets it, or is
//! told that it does not.

use std::time::Duration;

use fastrand::Rng;
use trackyard_track::{Delivery, Frame, FrameQueue, PublishOptions, QueueOptions, RemoteOutput};

use crate::differential::mangled;
use crate::pair::{base, flush, publisher, subscriber};

const ROUNDS: usize = 300;

fn check(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let mut now = base();
    let (mut sender, ids) = publisher(&[PublishOptions::new("track")], now);
    let (mut receiver, track) = subscriber(sender.handle(ids[0]).unwrap().get(), now);
    let mut queue = FrameQueue::new(QueueOptions { capacity: 2, ..QueueOptions::default() }, None, now);
    let (mut first, mut told) = (None, 0);
    for round in 0..ROUNDS {
        let mut packets = Vec::new();
        for _ in 0..4 {
            let payload = vec![0; *rng.choice(&[10, 3_000, 40_000]).unwrap()].into();
            sender.try_push(ids[0], Frame { payload, user_timestamp: None }, now).unwrap();
            packets.extend(flush(&mut sender, now));
        }
        for packet in mangled(&mut rng, packets) {
            receiver.packet(&packet, now);
        }
        now += Duration::from_millis(40);
        receiver.handle_timeout(now);
        loop {
            match receiver.poll_output() {
                RemoteOutput::Item(_, received) => queue.push(received, now),
                RemoteOutput::Timeout(_) => break,
                RemoteOutput::Request(_) | RemoteOutput::Event(_) => {}
            }
        }
        while let Some(delivery) = queue.pop(now) {
            match delivery {
                Delivery::Gap(gap) => told += gap.frames,
                Delivery::Silent { .. } => panic!("nobody has asked for that"),
                Delivery::Frame(frame) => {
                    told += 1;
                    // What the buffer has dropped before its first frame counts as told.
                    let first = *first.get_or_insert(frame.number + 1 - told);
                    assert_eq!(frame.number - first + 1, told, "seed {seed:#x}, round {round}");
                }
            }
        }
    }
    let (stats, queued) = (receiver.stats(track).unwrap(), queue.stats());
    assert_eq!(queued.received, stats.frames_delivered);
    assert!(queued.delivered > 300 && queued.missed > 50 && queued.overflowed > 50, "{queued:?}");
}

#[test]
fn a_subscriber_is_told_of_every_frame() {
    for seed in 0x67_6170..0x67_6170 + 10 {
        check(seed);
    }
}
