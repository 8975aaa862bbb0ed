//! Channels by label and the sizes of messages (protocol §4.6), with a client that does what ours never would.

use std::time::{Duration, Instant};

use str0m::channel::ChannelId;
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};
use trackyard_peer::{ChannelKind, Datagram, Mode, Peer, PeerEvent, PeerOutput, Str0m, Target, Transport};

use crate::world::{World, client_address, new_peer, server_factory};

const KINDS: [ChannelKind; 3] = [ChannelKind::Reliable, ChannelKind::Lossy, ChannelKind::DataTrack];

/// A client of bare str0m.
struct Bare {
    rtc: Rtc,
    peer: Peer<Str0m>,
    now: Instant,
    said: Vec<PeerEvent>,
    open: Vec<(ChannelId, String)>,
    closed: Vec<ChannelId>,
    received: Vec<(ChannelId, usize)>,
}

impl Bare {
    /// Connected, with these channels; the answer is changed on its way.
    fn connect(labels: &[&str], change: impl Fn(&str) -> String) -> Self {
        let now = World::new(Mode::Single).now;
        let mut rtc = RtcConfig::new().set_sctp_max_buffered_amount(1 << 20).build(now);
        rtc.add_local_candidate(Candidate::host(client_address(Target::Publisher), "udp").unwrap());
        let mut peer = new_peer(Mode::Single, &server_factory(), now);
        let mut api = rtc.sdp_api();
        for label in labels {
            api.add_channel((*label).to_owned());
        }
        let (offer, pending) = api.apply().unwrap();
        let answer = peer.accept_offer(1, &offer.to_sdp_string(), now).unwrap();
        let answer = str0m::change::SdpAnswer::from_sdp_string(&change(&answer)).unwrap();
        rtc.sdp_api().accept_answer(pending, answer).unwrap();
        let mut bare = Self { rtc, peer, now, said: vec![], open: vec![], closed: vec![], received: vec![] };
        bare.run(Duration::from_secs(2));
        assert_eq!(bare.open.len(), labels.len());
        bare
    }

    fn add(&mut self, label: &str) {
        let mut api = self.rtc.sdp_api();
        api.add_channel(label.to_owned());
        assert!(api.apply().is_none(), "another channel needs no offer");
    }

    fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.now < end {
            let mut wakes = end;
            loop {
                let moved = self.client_says(&mut wakes) | self.peer_says(&mut wakes);
                if !moved {
                    break;
                }
            }
            self.now = wakes.max(self.now + Duration::from_millis(1));
            self.rtc.handle_input(Input::Timeout(self.now)).unwrap();
            self.peer.handle_timeout(self.now);
        }
    }

    fn client_says(&mut self, wakes: &mut Instant) -> bool {
        let mut moved = false;
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Transmit(transmit) => {
                    let (source, destination) = (transmit.source, transmit.destination);
                    let contents = &transmit.contents;
                    let datagram = Datagram { transport: Transport::Udp, source, destination, contents };
                    self.peer.handle_datagram(Target::Publisher, datagram, self.now);
                }
                Output::Event(Event::ChannelOpen(id, label)) => self.open.push((id, label)),
                Output::Event(Event::ChannelClose(id)) => self.closed.push(id),
                Output::Event(Event::ChannelData(data)) => self.received.push((data.id, data.data.len())),
                Output::Event(_) => {}
                Output::Timeout(at) => {
                    *wakes = at.min(*wakes);
                    return moved;
                }
            }
            moved = true;
        }
    }

    fn peer_says(&mut self, wakes: &mut Instant) -> bool {
        let mut moved = false;
        loop {
            match self.peer.poll_output() {
                PeerOutput::Transmit(transmit) => {
                    let (source, destination) = (transmit.source, transmit.destination);
                    let receive =
                        Receive::new(Protocol::Udp, source, destination, &transmit.contents).unwrap();
                    self.rtc.handle_input(Input::Receive(self.now, receive)).unwrap();
                    self.client_says(wakes);
                }
                PeerOutput::Event(event) => self.said.push(event),
                PeerOutput::Timeout(at) => {
                    *wakes = at.map_or(*wakes, |at| at.min(*wakes));
                    return moved;
                }
            }
            moved = true;
        }
    }

    fn write(&mut self, index: usize, message: &[u8]) -> bool {
        self.rtc.channel(self.open[index].0).unwrap().write(true, message).unwrap()
    }

    fn opened(&self) -> Vec<ChannelKind> {
        let kinds = self.said.iter().filter_map(|event| match event {
            PeerEvent::ChannelOpen(_, kind) => Some(*kind),
            _ => None,
        });
        kinds.collect()
    }
}

#[test]
fn labels_alone_tell_what_a_channel_is() {
    let mut bare = Bare::connect(&["_data_track", "chat", "_lossy", "_reliable"], str::to_owned);
    let mut opened = bare.opened();
    opened.sort_by_key(|kind| kind.label());
    assert_eq!(opened, [ChannelKind::DataTrack, ChannelKind::Lossy, ChannelKind::Reliable]);
    for index in 0..4 {
        assert!(bare.write(index, bare.open[index].1.clone().as_bytes()));
    }
    bare.run(Duration::from_millis(100));
    let messages = bare.said.iter().filter_map(|event| match event {
        PeerEvent::Packet(message) => Some((ChannelKind::DataTrack, message.clone())),
        PeerEvent::Message(kind, message) => Some((*kind, message.clone())),
        _ => None,
    });
    let messages: Vec<_> = messages.collect();
    assert_eq!(messages.len(), 3, "what unknown labels carry is passed over");
    assert_eq!(bare.peer.counters().unknown_channels, 1);
    for (kind, message) in messages {
        assert_eq!(message, kind.label().as_bytes());
    }
}

#[test]
fn a_second_channel_with_a_label_takes_the_first_one_s_place() {
    let mut bare = Bare::connect(&["_reliable", "_lossy", "_data_track"], str::to_owned);
    let first = bare.open.iter().find(|(_, label)| label == "_lossy").unwrap().0;
    bare.add("_lossy");
    bare.run(Duration::from_secs(1));
    assert_eq!(bare.closed, [first], "the first one is closed");
    let second = bare.open[3].0;
    let now = bare.now;
    assert!(bare.peer.write(ChannelKind::Lossy, b"hello", now));
    bare.run(Duration::from_millis(100));
    assert_eq!(bare.received, [(second, 5)]);
}

#[test]
fn channels_without_meaning_are_bounded() {
    let mut bare = Bare::connect(&["_reliable", "_lossy", "_data_track"], str::to_owned);
    for count in 0..40 {
        bare.add(&format!("x{count}"));
    }
    bare.run(Duration::from_secs(3));
    assert_eq!(bare.open.len(), 43);
    assert_eq!(bare.closed.len(), 40 - 16);
    assert!(bare.write(0, b"hello"));
    bare.run(Duration::from_millis(100));
    assert_eq!(bare.said.iter().filter(|event| matches!(event, PeerEvent::Message(..))).count(), 1);
}

#[test]
fn a_message_beyond_65535_bytes_ends_the_connection() {
    let lying = |answer: &str| answer.replace("a=max-message-size:65535", "a=max-message-size:262144");
    let mut bare = Bare::connect(&["_reliable", "_lossy", "_data_track"], lying);
    assert!(bare.write(0, &[1; 65_535]));
    bare.run(Duration::from_secs(1));
    assert_eq!(bare.said.iter().filter(|event| matches!(event, PeerEvent::Message(..))).count(), 1);
    assert!(bare.write(0, &[1; 65_536]));
    bare.run(Duration::from_secs(1));
    assert!(matches!(bare.said.last(), Some(PeerEvent::Failed(Target::Publisher))));
    assert_eq!(bare.said.iter().filter(|event| matches!(event, PeerEvent::Message(..))).count(), 1);
}

#[test]
fn a_client_s_own_limit_is_kept() {
    let mut bare = Bare::connect(&["_reliable", "_lossy", "_data_track"], str::to_owned);
    let now = bare.now;
    assert!(!bare.peer.write(ChannelKind::Reliable, &vec![0; 300_000], now), "it takes 256 KiB");
    assert!(bare.peer.write(ChannelKind::Reliable, &vec![0; 64_000], now));
    bare.run(Duration::from_secs(1));
    assert_eq!(bare.received.len(), 1);
}

#[test]
fn messages_from_1_to_65535_bytes_pass_both_ways() {
    let mut world = World::single();
    for bytes in [1, 1_060, 1_200, 16_000, 64_000, 65_535] {
        let message = vec![bytes as u8; bytes];
        for kind in KINDS {
            assert!(world.client_writes(Target::Publisher, kind, &message), "{bytes}");
            world.run_until(|world| world.arrived(kind).iter().any(|arrived| arrived == &message));
            let now = world.now;
            assert!(world.peer.write(kind, &message, now), "{bytes}");
            world
                .run_until(|world| world.received(Target::Publisher, kind).iter().any(|got| got == &message));
        }
    }
}

#[test]
fn a_message_is_refused_while_there_is_no_room_and_taken_again_after() {
    let factory = trackyard_peer::Str0mFactory { buffered_bytes_max: 100_000, ..server_factory() };
    let mut world = World::with_factory(Mode::Single, &factory);
    world.exchange_publisher(false);
    world.run_until(World::is_open(Target::Publisher));
    let now = world.now;
    let message = vec![3; 40_000];
    assert!(world.peer.write(ChannelKind::Reliable, &message, now));
    assert!(world.peer.write(ChannelKind::Reliable, &message, now));
    assert!(!world.peer.write(ChannelKind::Reliable, &message, now));
    let mut received = 0;
    world.run_until(|world| {
        received += world.received(Target::Publisher, ChannelKind::Reliable).len();
        received == 2
    });
    world.run_for(Duration::from_secs(1));
    let now = world.now;
    assert!(world.peer.write(ChannelKind::Reliable, &message, now));
    world.run_until(|world| world.received(Target::Publisher, ChannelKind::Reliable).len() == 1);
}
