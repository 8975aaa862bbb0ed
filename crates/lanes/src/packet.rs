//! A publisher's packet with what a lane needs of its header.

use std::time::Instant;

use bytes::Bytes;
use trackyard_wire::{FrameNumber, Header, Sequence};

/// A packet on its way into a lane.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) start: bool,
    pub(crate) last: bool,
    pub(crate) sequence: Sequence,
    pub(crate) frame: FrameNumber,
    /// When it came to this machine: what its frame's age is counted from.
    pub(crate) arrived: Instant,
    /// When it came to its lane: what gaps before it are waited for from.
    pub(crate) taken: Instant,
    pub(crate) bytes: Bytes,
}

impl Packet {
    pub(crate) fn new(header: &Header, bytes: Bytes, (arrived, taken): (Instant, Instant)) -> Self {
        let Header { start, last, sequence, frame, .. } = *header;
        Self { start, last, sequence, frame, arrived, taken, bytes }
    }
}
