//! Participants over a path that keeps packets in order, and what comes from others.

mod hostile;
mod interleaved;
mod rpc;

use std::time::Instant;

use trackyard_proto::packet::StreamContent;

use super::*;
use crate::{Abilities, Origin, Outbound, Sending, StreamError, StreamOptions};

/// One participant, and what it was told.
pub(super) struct Side {
    pub(super) identity: &'static str,
    pub(super) streams: Streams,
    pub(super) sent: Vec<DataPacket>,
    pub(super) events: Vec<Event>,
    pub(super) wake: Option<Instant>,
}

impl Side {
    pub(super) fn new(identity: &'static str) -> Self {
        Self::with(identity, StreamsConfig::default())
    }

    pub(super) fn with(identity: &'static str, config: StreamsConfig) -> Self {
        let seed = identity.bytes().map(u64::from).sum();
        let streams = Streams::new(config, Rng::with_seed(seed));
        Self { identity, streams, sent: Vec::new(), events: Vec::new(), wake: None }
    }

    pub(super) fn settle(&mut self) {
        loop {
            match self.streams.poll_output() {
                Output::Send(packet) => self.sent.push(packet),
                Output::Event(event) => self.events.push(event),
                Output::Timeout(wake) => {
                    self.wake = wake;
                    return;
                }
            }
        }
    }

    pub(super) fn send(&mut self, outbound: Outbound) {
        match outbound {
            Outbound::Packet(packet) => self.sent.push(packet),
            Outbound::Stream(sending) => self.sent.extend(sending),
        }
    }

    /// As a server brings it: bytes there and back, with its sender.
    pub(super) fn receive(&mut self, sender: &str, packet: &DataPacket, now: Instant) {
        let mut packet = DataPacket::decode(&packet.encode()).unwrap();
        sender.clone_into(&mut packet.participant_identity);
        assert!(self.streams.handle(packet, Encryption::None, now).is_none());
        self.settle();
    }

    pub(super) fn origin(&mut self, abilities: Abilities) -> Origin {
        Origin { stream_id: self.streams.stream_id(), unix_ms: 1, abilities }
    }

    /// The only thing that it was told.
    pub(super) fn event(&mut self) -> Event {
        assert_eq!(self.events.len(), 1, "{:?}", self.events);
        self.events.pop().unwrap()
    }

    /// All of a stream.
    pub(super) fn read(&mut self, stream: StreamKey, content: &mut Content) -> Result<Vec<u8>, StreamError> {
        let mut bytes = Vec::new();
        loop {
            match self.streams.take(stream) {
                Taken::Chunk(chunk) => content.push(chunk),
                Taken::Waiting => panic!("it is not complete"),
                Taken::Ended(end) => {
                    end?;
                    content.finish()?;
                    return Ok(bytes);
                }
            }
            while let Some(block) = content.next_bytes()? {
                bytes.extend_from_slice(&block);
            }
        }
    }
}

/// Everything that either has sent gets to whom it is for.
pub(super) fn exchange(sides: &mut [&mut Side], now: Instant) {
    loop {
        let mut packets = Vec::new();
        for side in sides.iter_mut() {
            side.settle();
            packets.extend(side.sent.drain(..).map(|packet| (side.identity, packet)));
        }
        if packets.is_empty() {
            return;
        }
        for (sender, packet) in packets {
            let is_for = |side: &&mut &mut Side| {
                let to = &packet.destination_identities;
                side.identity != sender && (to.is_empty() || to.iter().any(|to| to == side.identity))
            };
            sides.iter_mut().filter(is_for).for_each(|side| side.receive(sender, &packet, now));
        }
    }
}

#[test]
fn names_are_drawn_from_what_was_given() {
    let id = random_id(&mut Rng::with_seed(1));
    assert_eq!(id, random_id(&mut Rng::with_seed(1)));
    assert_ne!(id, random_id(&mut Rng::with_seed(2)));
    let lengths: Vec<_> = id.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert_eq!(id.as_bytes()[14], b'4');
    assert!(b"89ab".contains(&id.as_bytes()[19]), "{id}");
}

#[test]
fn topics_of_calls_are_not_for_applications() {
    let mut side = Side::new("a");
    assert!(side.streams.register_topic(Medium::Text, "lk.rpc_request").is_err());
    side.streams.unregister_topic(Medium::Text, "lk.rpc_request");
    assert!(side.streams.register_topic(Medium::Text, "lk.rpc_request").is_err());
    assert!(side.streams.register_topic(Medium::Bytes, "lk.rpc_request").is_ok());
    side.streams.unregister_topic(Medium::Bytes, "lk.rpc_request");
    assert!(side.streams.register_topic(Medium::Bytes, "lk.rpc_request").is_ok());
}

#[test]
fn what_is_no_stream_and_no_call_is_given_back() {
    let mut side = Side::new("a");
    let packet = DataPacket { participant_identity: "b".to_owned(), ..DataPacket::default() };
    assert_eq!(side.streams.handle(packet.clone(), Encryption::None, Instant::now()), Some(packet));
}

#[test]
fn a_file_gets_to_everyone_who_wants_it() {
    let now = Instant::now();
    let [mut a, mut b, mut c] = ["a", "b", "c"].map(Side::new);
    b.streams.register_topic(Medium::Bytes, "files").unwrap();
    let file: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let origin = a.origin(Abilities::version(2));
    let options = StreamOptions {
        content: StreamContent::Bytes { name: "count.bin".to_owned() },
        ..StreamOptions::bytes("files")
    };
    a.sent.extend(Sending::new(options, file.clone(), &origin).unwrap());
    exchange(&mut [&mut a, &mut b, &mut c], now);
    let changed = b.events.pop();
    let Event::Opened { stream, sender, info, mut content } = b.event() else { panic!("it has begun") };
    assert!(matches!(changed, Some(Event::Changed(found)) if found == stream));
    assert_eq!((&*sender, info.name(), info.size), ("a", "count.bin", Some(800_000)));
    assert!(b.read(stream, &mut content).unwrap() == file);
    assert_eq!(content.progress(), Some(1.0));
    assert!(c.events.is_empty());
    assert_eq!(c.streams.incoming_counters().unhandled, 1);
}

#[test]
fn streams_of_one_who_leaves_end() {
    let now = Instant::now();
    let [mut a, mut b] = ["a", "b"].map(Side::new);
    b.streams.register_topic(Medium::Text, "chat").unwrap();
    let origin = a.origin(Abilities::NONE);
    a.sent.extend(Sending::new(StreamOptions::text("chat"), "hello", &origin).unwrap().take(2));
    exchange(&mut [&mut a, &mut b], now);
    b.events.truncate(1);
    let Event::Opened { stream, mut content, .. } = b.event() else { panic!("it has begun") };
    b.streams.participant_left("a");
    assert_eq!(b.read(stream, &mut content), Err(StreamError::SenderLeft));
}
