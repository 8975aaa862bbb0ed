//! Puts the packets of one track in their order, and gives up on those that do not come.

use std::time::{Duration, Instant};

use trackyard_wire::{FrameNumber, Sequence};

use crate::packet::Packet;

/// How long a missing packet is waited for.
pub(crate) const GAP_WAIT: Duration = Duration::from_millis(2);
/// A missing packet is given up when so many later ones have come.
pub(crate) const GAP_PACKETS: usize = 3;
/// A packet further behind than this is no late one: its sender has begun anew.
const LATE_PACKETS_MAX: u16 = 512;
/// Nor are so many late ones in a row: more than a path that changes under way delays.
const LATE_RUN_MAX: u8 = 64;

/// What to do with a packet that has come.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// It is the next in order: process it, then ask for more that have become due.
    Next(Packet),
    /// It waits for those before it; its frame counts from now on if it did not before.
    Held { newly: Option<FrameNumber> },
    /// It was given up before it came.
    Late(Packet),
    /// Its sender has begun anew: [`drain`](Sequencer::drain) what is held, then
    /// [`advance`](Sequencer::advance) to it.
    Restart(Packet),
    /// It is here already.
    Duplicate,
}

/// A packet in its order.
#[derive(Debug)]
pub(crate) struct Ordered {
    pub(crate) packet: Packet,
    /// Packets before it are missing.
    pub(crate) after_gap: bool,
    /// Its frame has been counted when it was held.
    pub(crate) counted: bool,
}

#[derive(Debug)]
struct Held {
    packet: Packet,
    counted: bool,
}

/// Invariant: packets leave in ascending sequence, except where their sender begins anew.
#[derive(Debug, Default)]
pub(crate) struct Sequencer {
    next: Option<Sequence>,
    /// Later packets in their order, fewer than [`GAP_PACKETS`] between calls.
    held: Vec<Held>,
    late_run: u8,
}

impl Sequencer {
    /// Takes a packet, while the packets that came in order last belong to the frame `incoming`.
    pub(crate) fn arrive(&mut self, packet: Packet, incoming: Option<FrameNumber>) -> Arrival {
        let next = self.next.unwrap_or(packet.sequence);
        match packet.sequence.distance_from(next) {
            0 => Arrival::Next(self.advance(packet)),
            1.. => self.hold(packet, incoming),
            behind => self.late(packet, behind.unsigned_abs()),
        }
    }

    /// A held packet whose turn has come, by order, by time or because enough later ones are here.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Ordered> {
        let lowest = self.held.first()?;
        let after_gap = Some(lowest.packet.sequence) != self.next;
        let given_up = || self.held.len() >= GAP_PACKETS || self.deadline().is_some_and(|at| at <= now);
        if after_gap && !given_up() {
            return None;
        }
        self.drain()
    }

    /// The lowest packet held, whether it is due or not.
    pub(crate) fn drain(&mut self) -> Option<Ordered> {
        let after_gap = self.held.first()?.packet.sequence != self.next?;
        let Held { packet, counted } = self.held.remove(0);
        Some(Ordered { packet: self.advance(packet), after_gap, counted })
    }

    /// This packet is the one in order, whatever came before.
    pub(crate) fn advance(&mut self, packet: Packet) -> Packet {
        self.next = Some(packet.sequence.next());
        self.late_run = 0;
        packet
    }

    /// When the gap is given up.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.held.iter().map(|held| held.packet.taken).min().map(|first| first + GAP_WAIT)
    }

    /// Frames that have been counted and not been processed.
    pub(crate) fn counted(&self) -> usize {
        self.held.iter().filter(|held| held.counted).count()
    }

    /// Whether this frame has been counted already; its packets no longer say so.
    pub(crate) fn take_counted(&mut self, frame: FrameNumber) -> bool {
        let of_frame = |held: &&mut Held| held.counted && held.packet.frame == frame;
        match self.held.iter_mut().find(of_frame) {
            Some(held) => std::mem::replace(&mut held.counted, false),
            None => false,
        }
    }

    fn hold(&mut self, packet: Packet, incoming: Option<FrameNumber>) -> Arrival {
        self.late_run = 0;
        let later = |held: &Held| held.packet.sequence.distance_from(packet.sequence) >= 0;
        let place = self.held.iter().position(later).unwrap_or(self.held.len());
        if self.held.get(place).is_some_and(|held| held.packet.sequence == packet.sequence) {
            return Arrival::Duplicate;
        }
        let frame = packet.frame;
        let counted = incoming != Some(frame) && self.held.iter().all(|held| held.packet.frame != frame);
        self.held.insert(place, Held { packet, counted });
        Arrival::Held { newly: counted.then_some(frame) }
    }

    fn late(&mut self, packet: Packet, behind: u16) -> Arrival {
        self.late_run = self.late_run.saturating_add(1);
        if behind > LATE_PACKETS_MAX || self.late_run >= LATE_RUN_MAX {
            Arrival::Restart(packet)
        } else {
            Arrival::Late(packet)
        }
    }
}
