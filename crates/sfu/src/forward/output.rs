//! What a worker answers.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use trackyard_peer::Transmit;

use super::{DemuxKey, Endpoint, Garbage};
use crate::control::{Event, PeerId, RoomKey, TrackKey, UserPacket, WorkerId};

/// A packet for the subscribers of another worker.
#[derive(Debug, Clone)]
pub struct Crossing {
    /// The packet's track.
    pub track: TrackKey,
    /// Who has sent it; `None` for what was kept of a latched track, which is nobody's share.
    pub from: Option<PeerId>,
    /// The packet as its publisher has sent it.
    pub packet: Bytes,
    /// When it came to this machine.
    pub received: Instant,
    /// When the publisher's worker has handed it over.
    pub handed: Instant,
}

/// When something came to this machine, and when it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) received: Instant,
    pub(super) now: Instant,
}

impl Times {
    /// It has not waited.
    pub(super) fn at(now: Instant) -> Self {
        Self { received: now, now }
    }
}

/// What a worker wants done.
#[derive(Debug)]
pub enum WorkerOutput {
    /// Send this. Datagrams to one destination tend to come one after the other.
    Transmit(Transmit),
    /// Tell the room.
    Event(RoomKey, Event),
    /// Hand the packet to another worker's [`handle_crossing`](super::Worker::handle_crossing).
    Cross {
        /// Which worker.
        to: WorkerId,
        /// What crosses.
        crossing: Crossing,
    },
    /// Hand the user packet to another worker's [`handle_user_packet`](super::Worker::handle_user_packet), in this order; if that
    /// cannot be, call [`handle_user_packets_lost`](super::Worker::handle_user_packets_lost) there.
    CrossUserPacket {
        /// Which worker.
        to: WorkerId,
        /// The sender's room.
        room: RoomKey,
        /// The packet.
        packet: Arc<UserPacket>,
    },
    /// Datagrams recognised by this key are for this worker. Comes before any event by which a client may learn of it.
    Claim(DemuxKey),
    /// They are no longer.
    Release(DemuxKey),
    /// Nothing more until then; `None`: until the next input.
    Timeout(Option<Instant>),
}

impl WorkerOutput {
    /// A datagram to there.
    pub(super) fn is_to(&self, endpoint: &Endpoint) -> bool {
        matches!(self, Self::Transmit(Transmit { transport, destination, .. })
            if *transport == endpoint.transport && *destination == endpoint.address)
    }
}

/// Whose a datagram was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Demux<'a> {
    /// A peer of this worker has it.
    Mine,
    /// No peer of this worker's: perhaps another worker's.
    Foreign(Foreign<'a>),
    /// Nobody's.
    Garbage(Garbage),
}

/// By what to look up the worker of a foreign datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign<'a> {
    /// A binding request to this ufrag.
    Ufrag(&'a str),
    /// Anything else, from there.
    Address(Endpoint),
}
