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
    pub(crate) arrived: Instant,
    pub(crate) bytes: Bytes,
}

impl Packet {
    pub(crate) fn new(header: &Header, bytes: Bytes, arrived: Instant) -> Self {
        let Header { start, last, sequence, frame, .. } = *header;
        Self { start, last, sequence, frame, arrived, bytes }
    }
}
