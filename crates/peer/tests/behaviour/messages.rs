//! User packets over real channels: nothing reliable is lost, nobody waits for the wrong thing.

use std::time::Duration;

use bytes::Bytes;
use trackyard_lanes::LaneRules;
use trackyard_peer::{ChannelKind, FlowChange, MessageCounts, Parcel, PeerEvent, Target};
use trackyard_wire::{Extensions, Handle, Header, Packetizer, SourceFrame};

use crate::world::World;

const MEGABIT: f64 = 125_000.0;

fn parcel(flow: u64, sequence: u32, bytes: usize) -> Parcel {
    let mut message = vec![0; bytes.max(12)];
    message[..8].copy_from_slice(&flow.to_be_bytes());
    message[8..12].copy_from_slice(&sequence.to_be_bytes());
    Parcel { flow, sequence, is_named: false, message: Bytes::from(message) }
}

/// Sequences that the client has received of a flow, in order.
fn numbers(messages: &[Bytes], flow: u64) -> Vec<u32> {
    let of_flow = messages.iter().filter(|message| message[..8] == flow.to_be_bytes());
    of_flow.map(|message| u32::from_be_bytes(message[8..12].try_into().unwrap())).collect()
}

#[test]
fn reliable_packets_arrive_once_and_in_order_whatever_the_link_loses() {
    for (mut world, target) in [(World::single(), Target::Publisher), (World::dual(), Target::Subscriber)] {
        world.link.loss = 3;
        for sequence in 1..=200 {
            world.peer.push_reliable(parcel(1, sequence, 5_000), world.now);
            world.peer.push_reliable(parcel(2, sequence, 100), world.now);
        }
        let mut all = Vec::new();
        world.run_until(|world| {
            all.extend(world.received(target, ChannelKind::Reliable));
            all.len() >= 400
        });
        world.run_for(Duration::from_secs(2));
        all.extend(world.received(target, ChannelKind::Reliable));
        for flow in [1, 2] {
            assert_eq!(numbers(&all, flow), (1..=200).collect::<Vec<_>>());
        }
        let counts = world.peer.take_message_counts();
        assert_eq!((counts.reliable, counts.reliable_bytes), (400, 200 * 5_100));
        assert_eq!(world.peer.take_message_counts(), MessageCounts::default());
    }
}

#[test]
fn one_sender_s_bulk_does_not_hold_another_s_packet_up() {
    let mut world = World::single();
    world.link.bytes_per_second = Some(10.0 * MEGABIT);
    for sequence in 1..=200 {
        world.peer.push_reliable(parcel(1, sequence, 15_000), world.now);
    }
    world.run_for(Duration::from_millis(500));
    world.received(Target::Publisher, ChannelKind::Reliable);
    world.peer.push_reliable(parcel(2, 1, 100), world.now);
    let sent_at = world.now;
    world.run_until(|world| {
        let received = world.received(Target::Publisher, ChannelKind::Reliable);
        !numbers(&received, 2).is_empty()
    });
    let waited = world.now - sent_at;
    assert!(waited < Duration::from_millis(150), "behind what the path holds, not behind 3 MB: {waited:?}");
}

#[test]
fn a_full_reliable_channel_does_not_hold_up_data_tracks() {
    let mut world = World::single();
    world.link.bytes_per_second = Some(5.0 * MEGABIT);
    let lane = Handle::new(77).unwrap();
    let rules = LaneRules { age_max: Duration::from_millis(500), ..LaneRules::default() };
    world.peer.add_lane(lane, rules, world.now);
    for sequence in 1..=400 {
        world.peer.push_reliable(parcel(1, sequence, 15_000), world.now);
    }
    world.run_for(Duration::from_secs(1));
    let mut packetizer = Packetizer::new(Handle::new(5).unwrap(), 16_000).unwrap();
    let mut worst = Duration::ZERO;
    for number in 0..50 {
        let frame = SourceFrame { payload: &[number; 200], extensions: Extensions::default(), timestamp: 90 };
        let packet = packetizer.packetize(frame).unwrap().next().unwrap();
        let header = Header::parse(&packet).unwrap();
        world.peer.push(lane, &header, &Bytes::from(packet), world.now);
        let pushed = world.now;
        world.run_until(|world| !world.received(Target::Publisher, ChannelKind::DataTrack).is_empty());
        worst = worst.max(world.now - pushed);
        world.run_for(Duration::from_millis(20));
    }
    assert!(worst < Duration::from_millis(250), "6 MB wait on the reliable channel: {worst:?}");
    assert_eq!(world.peer.totals().frames_delivered, 50);
    let waiting = world.received(Target::Publisher, ChannelKind::Reliable);
    assert!(numbers(&waiting, 1).len() < 400, "it was still busy");
}

#[test]
fn lossy_packets_go_at_once_or_not_at_all() {
    let mut world = World::single();
    world.link.bytes_per_second = Some(MEGABIT);
    for _ in 0..40 {
        world.peer.push_lossy(Bytes::from(vec![1; 10_000]), world.now);
    }
    world.run_for(Duration::from_secs(5));
    let counts = world.peer.take_message_counts();
    assert_eq!(counts.lossy + counts.lossy_full, 40);
    assert!(counts.lossy_full > 20, "{counts:?}");
    let received = world.received(Target::Publisher, ChannelKind::Lossy);
    assert_eq!(received.len() as u64, counts.lossy);
}

#[test]
fn what_is_longer_than_the_client_takes_is_counted_and_blocks_nothing() {
    let mut world = World::single();
    world.peer.push_reliable(parcel(1, 1, 300_000), world.now);
    world.peer.push_reliable(parcel(1, 2, 100), world.now);
    world.peer.push_lossy(Bytes::from(vec![0; 300_000]), world.now);
    world.run_for(Duration::from_secs(1));
    assert_eq!(numbers(&world.received(Target::Publisher, ChannelKind::Reliable), 1), [2]);
    assert_eq!(world.peer.take_message_counts().too_large, 2);
}

#[test]
fn a_sender_to_named_receivers_is_asked_to_pause_and_to_go_on() {
    let mut world = World::single();
    world.link.bytes_per_second = Some(10.0 * MEGABIT);
    let changes = |world: &World| -> Vec<FlowChange> {
        world
            .said
            .iter()
            .filter_map(|event| if let PeerEvent::Flow(change) = event { Some(*change) } else { None })
            .collect()
    };
    for sequence in 1..=200 {
        world.peer.push_reliable(parcel(1, sequence, 15_000), world.now);
    }
    world.run_for(Duration::from_millis(100));
    assert_eq!(changes(&world), [], "who speaks to all is not slowed by one");
    for sequence in 1..=100 {
        world.peer.push_reliable(Parcel { is_named: true, ..parcel(2, sequence, 15_000) }, world.now);
    }
    world.settle();
    assert_eq!(changes(&world), [FlowChange { flow: 2, pauses: true }]);
    world.run_for(Duration::from_secs(10));
    assert_eq!(changes(&world)[1..], [FlowChange { flow: 2, pauses: false }]);
}

#[test]
fn a_file_may_take_its_time_as_long_as_it_goes_on() {
    let mut world = World::single();
    world.link.bytes_per_second = Some(8.0 * MEGABIT);
    for sequence in 1..=1_400 {
        world.peer.push_reliable(parcel(1, sequence, 15_000), world.now);
    }
    world.run_for(Duration::from_secs(24));
    assert_eq!(world.count_said(|event| matches!(event, PeerEvent::Behind)), 0);
    let received = world.received(Target::Publisher, ChannelKind::Reliable);
    assert_eq!(numbers(&received, 1), (1..=1_400).collect::<Vec<_>>());
}

#[test]
fn who_falls_64_mib_behind_is_behind_at_once() {
    let mut world = World::single();
    world.link.is_cut = true;
    for sequence in 1..=1_100 {
        world.peer.push_reliable(parcel(1, sequence, 64_000), world.now);
    }
    world.settle();
    assert_eq!(world.count_said(|event| matches!(event, PeerEvent::Behind)), 1);
}

#[test]
fn a_client_that_reads_nothing_is_behind_after_10_s_and_not_before() {
    let mut world = World::single();
    for sequence in 1..=40 {
        world.peer.push_reliable(parcel(1, sequence, 64_000), world.now);
    }
    world.link.is_cut = true;
    let behind = |world: &World| world.count_said(|event| matches!(event, PeerEvent::Behind));
    world.run_for(Duration::from_secs(9));
    assert_eq!(behind(&world), 0);
    world.run_for(Duration::from_secs(3));
    assert_eq!(behind(&world), 1);
    let counts = world.peer.take_message_counts();
    assert_eq!(counts.overflowed + counts.reliable, 40, "{counts:?}");
}
