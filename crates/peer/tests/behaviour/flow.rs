//! Lanes above a real channel: data tracks reach the client whole, and nothing stalls.

use std::time::Duration;

use bytes::Bytes;
use trackyard_lanes::{DropReason, LaneRules, Policy};
use trackyard_peer::{ChannelKind, Connection, Mode, Str0mFactory, Target};
use trackyard_wire::{
    Extensions, FrameNumber, Handle, Header, Packetizer, Reassembler, Sequence, SourceFrame,
};

use crate::splice::attribute;
use crate::world::{World, server_factory};

/// Under which the client receives; publishers use another.
const LANE: u16 = 77;

fn handle(value: u16) -> Handle {
    Handle::new(value).unwrap()
}

/// Waits for ever, and for everything.
fn patient() -> LaneRules {
    LaneRules {
        policy: Policy::Queue(1_000),
        age_max: Duration::from_secs(60),
        finish_max: Duration::from_secs(60),
        ..LaneRules::default()
    }
}

struct Track {
    packetizer: Packetizer,
    reassembler: Reassembler,
    frames: Vec<Vec<u8>>,
}

impl Track {
    fn new(packet_bytes: usize) -> Self {
        Self {
            packetizer: Packetizer::new(handle(5), packet_bytes).unwrap(),
            reassembler: Reassembler::new(4 << 20),
            frames: Vec::new(),
        }
    }

    fn packets(&mut self, payload: &[u8]) -> Vec<Vec<u8>> {
        let frame = SourceFrame { payload, extensions: Extensions::default(), timestamp: 90 };
        self.packetizer.packetize(frame).unwrap().collect()
    }

    /// The peer is told to forward a frame.
    fn push(&mut self, world: &mut World, payload: &[u8]) {
        for packet in self.packets(payload) {
            let header = Header::parse(&packet).unwrap();
            world.peer.push(handle(LANE), &header, &Bytes::from(packet), world.now);
        }
    }

    /// Takes what the client has received.
    fn receive(&mut self, world: &mut World, target: Target) -> usize {
        for packet in world.received(target, ChannelKind::DataTrack) {
            assert_eq!(Header::parse(&packet).unwrap().handle, handle(LANE), "the handle is patched");
            let frame = self.reassembler.push(&packet).unwrap().frame;
            self.frames.extend(frame.map(|frame| frame.payload));
        }
        self.frames.len()
    }
}

fn frames(count: u8, bytes: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| vec![number; bytes]).collect()
}

#[track_caller]
fn check_delivered(world: &mut World, target: Target, track: &mut Track, frames: &[Vec<u8>]) {
    world.peer.add_lane(handle(LANE), patient(), world.now);
    for frame in frames {
        track.push(world, frame);
    }
    world.run_until(|world| track.receive(world, target) == frames.len());
    assert!(track.frames == frames, "every frame is whole and in order");
    let stats = world.peer.lane_stats(handle(LANE)).unwrap();
    assert_eq!(stats.frames_delivered, frames.len() as u64);
    assert_eq!(stats.dropped_total(), 0);
    assert_eq!(world.peer.totals(), stats);
    assert_eq!(world.peer.remove_lane(handle(LANE), world.now), Some(stats));
}

#[test]
fn frames_of_all_sizes_reach_the_client_in_single_mode() {
    for (count, bytes) in [(3, 1), (20, 1_000), (10, 75_000), (2, 1 << 20)] {
        let mut track = Track::new(16_000);
        check_delivered(&mut World::single(), Target::Publisher, &mut track, &frames(count, bytes));
    }
}

#[test]
fn frames_reach_the_client_over_its_subscriber_connection_in_dual_mode() {
    let mut track = Track::new(16_000);
    check_delivered(&mut World::dual(), Target::Subscriber, &mut track, &frames(10, 75_000));
}

#[test]
fn more_than_the_channel_holds_goes_on_when_it_holds_less() {
    // Less than two packets: the channel refuses again and again.
    let factory = Str0mFactory { buffered_bytes_max: 30_000, ..server_factory() };
    let mut world = World::with_factory(Mode::Single, &factory);
    world.exchange_publisher(false);
    world.run_until(World::is_open(Target::Publisher));
    world.link.delay = Duration::from_millis(20);
    check_delivered(&mut world, Target::Publisher, &mut Track::new(16_000), &frames(40, 60_000));
}

#[test]
fn a_reliable_channel_that_takes_all_room_does_not_stop_tracks_for_good() {
    let factory = Str0mFactory { buffered_bytes_max: 70_000, ..server_factory() };
    let mut world = World::with_factory(Mode::Single, &factory);
    world.exchange_publisher(false);
    world.run_until(World::is_open(Target::Publisher));
    let now = world.now;
    assert!(world.peer.write(ChannelKind::Reliable, &[0; 64_000], now));
    check_delivered(&mut world, Target::Publisher, &mut Track::new(16_000), &frames(3, 15_000));
}

#[test]
fn a_packet_after_a_long_pause_is_not_lost_to_timers_of_the_past() {
    let mut world = World::single();
    let mut track = Track::new(16_000);
    world.peer.add_lane(handle(LANE), patient(), world.now);
    for round in 1..=10 {
        world.run_for(Duration::from_millis(2_800));
        let before = world.now;
        track.push(&mut world, &[1; 15_000]);
        world.run_until(|world| track.receive(world, Target::Publisher) == round);
        assert!(world.now - before < Duration::from_millis(200), "{:?}", world.now - before);
    }
}

#[test]
fn frames_wait_for_the_channel_and_are_dropped_and_counted_once_it_has_ended() {
    let mut world = World::new(Mode::Single);
    let mut track = Track::new(16_000);
    world.peer.add_lane(handle(LANE), patient(), world.now);
    track.push(&mut world, b"early");
    world.exchange_publisher(false);
    world.run_until(|world| track.receive(world, Target::Publisher) == 1);
    let now = world.now;
    world.publisher().close(now);
    world.run_for(Duration::from_secs(1));
    track.push(&mut world, b"late");
    assert_eq!(world.peer.totals().dropped(DropReason::NoChannel), 1);
}

#[test]
fn frames_longer_than_the_client_takes_are_dropped_and_harm_no_others() {
    let mut world = World::new(Mode::Single);
    let now = world.now;
    let offer = world.publisher().create_offer(false, now).unwrap().unwrap();
    let limit = attribute(&offer, "max-message-size").unwrap().to_owned();
    let offer = offer.replace(&format!("max-message-size:{limit}"), "max-message-size:10000");
    let answer = world.peer.accept_offer(1, &offer, now).unwrap();
    world.publisher().accept_answer(&answer, now).unwrap();
    world.run_until(World::is_open(Target::Publisher));

    world.peer.add_lane(handle(LANE), patient(), world.now);
    let (mut track, sent) = (Track::new(9_000), frames(5, 20_000));
    Track::new(16_000).push(&mut world, &[9; 15_000]);
    assert_eq!(world.peer.totals().dropped(DropReason::TooLarge), 1);
    track.packetizer = track.packetizer.starting_at(Sequence::new(1), FrameNumber::new(1));
    sent.iter().for_each(|frame| track.push(&mut world, frame));
    world.run_until(|world| track.receive(world, Target::Publisher) == sent.len());
    assert!(track.frames == sent, "every other frame is whole and in order");
}

#[test]
fn many_datagrams_at_once_are_all_taken() {
    let mut world = World::single();
    world.link.delay = Duration::from_millis(20);
    for _ in 0..400 {
        assert!(world.client_writes(Target::Publisher, ChannelKind::DataTrack, &[4; 1_000]));
    }
    let mut arrived = 0;
    world.run_until(|world| {
        arrived += world.arrived(ChannelKind::DataTrack).len();
        arrived == 400
    });
    // DTLS takes 30 records between two polls.
    assert!(world.most_at_once > 40, "only {} at once", world.most_at_once);
}

#[test]
fn a_saturated_link_carries_whole_frames_and_recovers() {
    let mut world = World::single();
    world.link.delay = Duration::from_millis(10);
    world.link.loss = 2;
    let mut track = Track::new(16_000);
    world.peer.add_lane(handle(LANE), LaneRules::default(), world.now);
    for number in 0..200 {
        track.push(&mut world, &[number; 30_000]);
        world.run_for(Duration::from_millis(5));
        track.receive(&mut world, Target::Publisher);
    }
    world.link.loss = 0;
    world.run_for(Duration::from_secs(5));
    track.receive(&mut world, Target::Publisher);
    let before = track.frames.len();
    assert!(
        track.frames.iter().all(|frame| frame.len() == 30_000 && frame.iter().all(|byte| *byte == frame[0]))
    );
    assert!(track.frames.is_sorted(), "in order");
    track.push(&mut world, &[255; 30_000]);
    world.run_until(|world| track.receive(world, Target::Publisher) > before);
    let totals = world.peer.totals();
    assert_eq!(totals.frames_in, totals.frames_delivered + totals.dropped_total());
}
