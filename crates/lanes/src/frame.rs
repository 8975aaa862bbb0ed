//! A frame that waits or is under way.

use std::time::Instant;

use trackyard_wire::FrameNumber;

use crate::packet::Packet;
use crate::slab::Key;

/// Its packets are a list in the store; frames of a lane are a list too.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) number: FrameNumber,
    /// Frames before it that were left out for the sake of a rate: by so many its number is less when it leaves.
    pub(crate) left_out: u16,
    /// When its first packet came.
    pub(crate) arrived: Instant,
    /// When the channel took its first packet.
    pub(crate) begun: Option<Instant>,
    /// There was room for it when it came: it is no longer replaced.
    pub(crate) admitted: bool,
    /// It is one packet.
    pub(crate) single: bool,
    /// Its last packet has come.
    pub(crate) complete: bool,
    /// Packets that have come, sent ones included.
    pub(crate) packets_in: u16,
    /// Bytes that wait.
    pub(crate) waiting_bytes: u32,
    /// Bytes the channel has taken.
    pub(crate) sent_bytes: u32,
    pub(crate) first_packet: Key,
    pub(crate) last_packet: Key,
    pub(crate) older: Key,
    pub(crate) newer: Key,
}

impl Frame {
    /// A frame that begins with this packet, which is still to be appended.
    pub(crate) fn new(start: &Packet, left_out: u16, admitted: bool) -> Self {
        Self {
            number: start.frame,
            left_out,
            arrived: start.arrived,
            begun: None,
            admitted,
            single: start.last,
            complete: false,
            packets_in: 0,
            waiting_bytes: 0,
            sent_bytes: 0,
            first_packet: Key::NONE,
            last_packet: Key::NONE,
            older: Key::NONE,
            newer: Key::NONE,
        }
    }

    /// The number that its packets carry when they leave, if that is another than their publisher's.
    pub(crate) fn renumbered(&self) -> Option<FrameNumber> {
        (self.left_out > 0).then(|| FrameNumber::new(self.number.get().wrapping_sub(self.left_out)))
    }

    /// It may still be dropped in favour of another.
    pub(crate) fn is_replaceable(&self) -> bool {
        self.begun.is_none() && !self.admitted
    }
}
