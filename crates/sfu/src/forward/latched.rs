//! The last frame of a latched track, for those who come late.
//!
//! Each worker that knows a latched track keeps its last whole frame, and what has come of newer ones: where the
//! publisher is, from its packets, elsewhere from crossings. Whoever begins to receive the track gets that before
//! anything else of it, so never after a newer frame. The first packet of the kept frame is marked by an extension,
//! since the frame may be as old as the track.
//!
//! Invariant: what is kept is the newest frame that was whole here, or nothing once a newer one could not be kept; and
//! what is under way is newer than either. Late joiners never get a frame that is known to be outdated.

use std::cmp::Ordering;
use std::time::Instant;

use bytes::Bytes;
use trackyard_lanes::{FRAME_PACKETS_MAX, PACKET_BYTES_MAX};
use trackyard_peer::ConnectionFactory;
use trackyard_wire::{FrameNumber, Header, MARKED_BYTES_MAX, Sequence, id, is_marked, with_mark};

use super::routes::Sink;
use super::slot::Urgency;
use super::{Crossing, Worker, WorkerOutput};
use crate::control::{PeerId, TrackKey, WorkerId};

mod share;

use share::Full;
pub(super) use share::{LatchShare, LatchShares};

/// Bytes of one frame that are kept: the largest that official receivers take.
pub(super) const FRAME_BYTES_MAX: usize = 2 << 20;
/// What a packet's bookkeeping is charged at, so that tiny packets are bounded too.
const PACKET_CHARGE: usize = 128;
/// A frame further behind is no late one: its sender has begun anew.
const LATE_FRAMES_MAX: u16 = 512;
/// Frames that may be under way at once: the packets of two may come mixed up.
const UNDER_WAY_MAX: usize = 2;

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Its frame is not whole yet.
    UnderWay,
    /// Its frame is the one that is kept now.
    Kept,
    /// Its frame is too large, or the worker keeps enough: from now on nothing is kept of the track until another
    /// frame is whole.
    GivenUp,
    /// The same, because its publisher has all of its share.
    OverShare,
    /// It is of an older frame, or of one that was given up, or it is here already.
    Ignored,
}

/// What one worker keeps of one track.
#[derive(Debug)]
pub(super) struct Latch {
    kept: Pieces,
    under_way: [Pieces; UNDER_WAY_MAX],
    /// The newest frame that was kept or given up.
    settled: Option<FrameNumber>,
    share: LatchShare,
}

/// Packets of one frame.
#[derive(Debug, Default)]
struct Pieces {
    /// Of no frame at present if it has none.
    number: Option<FrameNumber>,
    /// In sequence.
    packets: Vec<Piece>,
    /// What they are charged at.
    bytes: usize,
}

#[derive(Debug)]
struct Piece {
    sequence: Sequence,
    start: bool,
    last: bool,
    bytes: Bytes,
}

impl Latch {
    pub(super) fn new(share: LatchShare) -> Self {
        Self { kept: Pieces::default(), under_way: Default::default(), settled: None, share }
    }

    /// A packet of the track has come.
    pub(super) fn take(&mut self, header: &Header, packet: &Bytes) -> Taken {
        self.forget_if_begun_anew(header.frame);
        if self.settled.is_some_and(|settled| !header.frame.is_newer_than(settled)) {
            return Taken::Ignored;
        }
        let Some(index) = self.place(header.frame) else { return Taken::Ignored };
        let Some(pieces) = self.under_way.get_mut(index) else { return Taken::Ignored };
        if !pieces.insert(header, packet) {
            return Taken::Ignored;
        }
        let charge = packet.len() + PACKET_CHARGE;
        let is_small = pieces.bytes <= FRAME_BYTES_MAX && pieces.packets.len() <= FRAME_PACKETS_MAX.into();
        if let Err(full) = self.share.take(charge) {
            pieces.bytes -= charge;
            self.give_up(header.frame);
            return if full == Full::Share { Taken::OverShare } else { Taken::GivenUp };
        }
        if !is_small {
            self.give_up(header.frame);
            return Taken::GivenUp;
        }
        if !pieces.is_whole() {
            return Taken::UnderWay;
        }
        self.keep(index);
        Taken::Kept
    }

    /// What a late joiner gets, in order: the kept frame, marked, and what has come of newer ones.
    pub(super) fn replay(&self) -> Vec<Bytes> {
        let mut newer: Vec<&Pieces> = self.under_way.iter().filter(|pieces| pieces.has_begun()).collect();
        newer.sort_by(|one, other| match (one.number, other.number) {
            (Some(one), Some(other)) => one.distance_from(other).cmp(&0),
            _ => Ordering::Equal,
        });
        let newer = newer.into_iter().flat_map(|pieces| &pieces.packets).map(|piece| piece.bytes.clone());
        let kept = self.kept.packets.iter().map(|piece| piece.marked());
        kept.chain(newer).collect()
    }

    /// A whole frame is kept.
    pub(super) fn has_frame(&self) -> bool {
        self.kept.number.is_some()
    }

    /// A sender that counts anew makes what came before it the past.
    fn forget_if_begun_anew(&mut self, frame: FrameNumber) {
        let is_far_behind = |number: Option<FrameNumber>| {
            let distance = number.map_or(0, |number| frame.distance_from(number));
            distance < 0 && distance.unsigned_abs() > LATE_FRAMES_MAX
        };
        for pieces in self.under_way.iter_mut().chain([&mut self.kept]) {
            if is_far_behind(pieces.number) {
                pieces.clear(&self.share);
            }
        }
        self.settled = self.settled.filter(|settled| !is_far_behind(Some(*settled)));
    }

    /// Where this frame's packets are put together; the oldest frame makes way for a newer one.
    fn place(&mut self, frame: FrameNumber) -> Option<usize> {
        let position = |number| self.under_way.iter().position(|pieces| pieces.number == number);
        if let Some(index) = position(Some(frame)) {
            return Some(index);
        }
        let index = position(None).or_else(|| {
            let behind = |index: &usize| frame.distance_from(self.under_way[*index].number.unwrap_or(frame));
            (0..UNDER_WAY_MAX).max_by_key(behind).filter(|index| behind(index) > 0)
        })?;
        let pieces = self.under_way.get_mut(index)?;
        pieces.clear(&self.share);
        pieces.number = Some(frame);
        Some(index)
    }

    fn keep(&mut self, index: usize) {
        if let Some(pieces) = self.under_way.get_mut(index) {
            std::mem::swap(&mut self.kept, pieces);
            pieces.clear(&self.share);
        }
        self.settle(self.kept.number);
    }

    fn give_up(&mut self, frame: FrameNumber) {
        self.kept.clear(&self.share);
        self.settle(Some(frame));
    }

    /// It is decided about this frame: what is under way of older ones goes.
    fn settle(&mut self, frame: Option<FrameNumber>) {
        self.settled = frame;
        for pieces in &mut self.under_way {
            let is_newer = |(number, settled): (FrameNumber, FrameNumber)| number.is_newer_than(settled);
            if !pieces.number.zip(frame).is_some_and(is_newer) {
                pieces.clear(&self.share);
            }
        }
    }
}

impl Drop for Latch {
    fn drop(&mut self) {
        let all = self.under_way.iter().chain([&self.kept]);
        self.share.give_back(all.map(|pieces| pieces.bytes).sum());
    }
}

impl Pieces {
    /// `false` if the packet is here already.
    fn insert(&mut self, header: &Header, packet: &Bytes) -> bool {
        let Header { sequence, start, last, .. } = *header;
        let later = |piece: &Piece| piece.sequence.distance_from(sequence) >= 0;
        // Most come in order.
        let in_order = self.packets.last().is_none_or(|piece| !later(piece));
        let place = if in_order {
            self.packets.len()
        } else {
            self.packets.iter().position(later).unwrap_or_default()
        };
        if self.packets.get(place).is_some_and(|piece| piece.sequence == sequence) {
            return false;
        }
        self.packets.insert(place, Piece { sequence, start, last, bytes: packet.clone() });
        self.bytes += packet.len() + PACKET_CHARGE;
        true
    }

    /// Its first packet is here.
    fn has_begun(&self) -> bool {
        self.packets.first().is_some_and(|piece| piece.start)
    }

    fn is_whole(&self) -> bool {
        let (Some(first), Some(last)) = (self.packets.first(), self.packets.last()) else { return false };
        let span = usize::from(last.sequence.distance_from(first.sequence).unsigned_abs());
        first.start && last.last && span + 1 == self.packets.len()
    }

    fn clear(&mut self, share: &LatchShare) {
        self.packets.clear();
        share.give_back(std::mem::take(&mut self.bytes));
        self.number = None;
    }
}

impl Piece {
    /// Marked if it is the first of its frame, and there is room for a mark.
    fn marked(&self) -> Bytes {
        let has_room = self.bytes.len() + MARKED_BYTES_MAX <= PACKET_BYTES_MAX;
        match Header::parse(&self.bytes) {
            Ok(header) if self.start && has_room && !is_marked(&header, &self.bytes, id::LATCHED) => {
                with_mark(&header, &self.bytes, id::LATCHED).into()
            }
            _ => self.bytes.clone(),
        }
    }
}

impl<F: ConnectionFactory> Worker<F> {
    /// Keeps the track's last frame from now on, as part of its publisher's share.
    pub(super) fn latch(&mut self, track: TrackKey, publisher: PeerId) {
        // A track that is not here is stale, and counted as such already.
        if let Some(entry) = self.routes.track_mut(track) {
            entry.latch.get_or_insert_with(|| Box::new(Latch::new(self.latched.of(publisher))));
        }
    }

    /// Gives a new subscriber of a latched track what it has missed, before anything else of the track.
    pub(super) fn send_latched(&mut self, track: TrackKey, sink: Sink, now: Instant) {
        let Some(latch) = self.routes.track(track).and_then(|entry| entry.latch.as_ref()) else { return };
        let (packets, has_frame) = (latch.replay(), latch.has_frame());
        for packet in &packets {
            let Ok(header) = Header::parse(packet) else { continue };
            self.with_peer(sink.peer, |peer| peer.push(sink.handle, &header, packet, now));
            self.counters.forwarded += 1;
            self.counters.forwarded_bytes += packet.len() as u64;
        }
        self.counters.latched_sent += u64::from(has_frame);
        self.mark(sink.peer, Urgency::Soon);
    }

    /// Gives another worker, which has its first subscriber of a latched track, what it has missed.
    pub(super) fn cross_latched(&mut self, track: TrackKey, to: WorkerId) {
        let Some(latch) = self.routes.track(track).and_then(|entry| entry.latch.as_ref()) else { return };
        let (packets, Some(received)) = (latch.replay(), self.now) else { return };
        self.counters.crossings_out += packets.len() as u64;
        // A late joiner is owed it however old it is, so that its age begins here.
        let crossing = |packet| WorkerOutput::Cross {
            to,
            crossing: Crossing { track, from: None, packet, received, handed: received },
        };
        self.outputs.extend(packets.into_iter().map(crossing));
    }
}

#[cfg(test)]
mod tests;
