//! A frame of which packets are still missing.

use std::time::Instant;

use crate::last_will;
use bytes::{Bytes, BytesMut};
use trackyard_wire::{Extensions, Header, PACKETS_PER_FRAME_MAX, Sequence, id};

/// What a packet's bookkeeping is charged at, so that tiny packets are bounded too.
pub(super) const PACKET_CHARGE: usize = 128;

/// Its packets, in whatever order they came.
#[derive(Debug)]
pub(super) struct Partial {
    /// When its first packet came.
    pub(super) since: Instant,
    /// The packet from which distances are counted: the one that came first.
    base: Sequence,
    start: Option<(i16, Start)>,
    last: Option<i16>,
    /// By distance from `base`.
    packets: Vec<(i16, Bytes)>,
    payload_bytes: usize,
}

/// What a frame takes from its first packet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) timestamp: u32,
    pub(super) extensions: Extensions,
    /// It is marked as its publisher's last will.
    pub(super) is_last_will: bool,
    /// It is marked as one that the server has kept.
    pub(super) is_latched: bool,
}

/// What came of a packet.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// It was missing.
    New,
    /// It is here already.
    Duplicate,
    /// No frame is so large.
    TooLarge,
}

impl Start {
    pub(super) fn of(header: &Header, packet: &[u8]) -> Self {
        let is_last_will = last_will::is_marked(header, packet);
        let is_latched = trackyard_wire::is_marked(header, packet, id::LATCHED);
        Self { timestamp: header.timestamp, extensions: header.extensions(packet), is_last_will, is_latched }
    }
}

impl Partial {
    pub(super) fn new(header: &Header, now: Instant) -> Self {
        Self {
            since: now,
            base: header.sequence,
            start: None,
            last: None,
            packets: Vec::new(),
            payload_bytes: 0,
        }
    }

    pub(super) fn add(&mut self, header: &Header, packet: &Bytes) -> Added {
        let at = header.sequence.distance_from(self.base);
        let Err(place) = self.packets.binary_search_by_key(&at, |(at, _)| *at) else {
            return Added::Duplicate;
        };
        if self.packets.len() >= PACKETS_PER_FRAME_MAX {
            return Added::TooLarge;
        }
        let payload = packet.slice(header.payload_offset..);
        self.payload_bytes += payload.len();
        self.packets.insert(place, (at, payload));
        if header.start && self.start.is_none() {
            self.start = Some((at, Start::of(header, packet)));
        }
        if header.last && self.last.is_none() {
            self.last = Some(at);
        }
        Added::New
    }

    /// Bytes it holds, bookkeeping included.
    pub(super) fn charge(&self) -> usize {
        self.payload_bytes + self.packets.len() * PACKET_CHARGE
    }

    /// The frame, once nothing is missing between its first packet and its last. Packets beyond them are
    /// not part of it.
    pub(super) fn whole(&mut self) -> Option<(Start, Bytes)> {
        let ((first, start), last) = (self.start?, self.last?);
        let is_within = |at: i16| (first..=last).contains(&at);
        let expected = usize::try_from(i32::from(last) - i32::from(first) + 1).ok()?;
        if self.packets.iter().filter(|(at, _)| is_within(*at)).count() != expected {
            return None;
        }
        let mut parts = self.packets.drain(..).filter(|(at, _)| is_within(*at)).map(|(_, payload)| payload);
        if expected == 1 {
            return Some((start, parts.next()?));
        }
        let mut payload = BytesMut::with_capacity(self.payload_bytes);
        parts.for_each(|part| payload.extend_from_slice(&part));
        Some((start, payload.freeze()))
    }
}
