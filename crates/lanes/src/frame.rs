//! A frame that waits or is under way.

use std::time::Instant;

use trackyard_wire::FrameNumber;

use crate::packet::Packet;
use crate::slab::Key;

/// Its packets are a list in the store; frames of a lane are a list too.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) number: FrameNumber,
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
    pub(crate) fn new(start: &Packet, admitted: bool) -> Self {
        Self {
            number: start.frame,
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

    /// It may still be dropped in favour of another.
    pub(crate) fn is_replaceable(&self) -> bool {
        self.begun.is_none() && !self.admitted
    }
}
