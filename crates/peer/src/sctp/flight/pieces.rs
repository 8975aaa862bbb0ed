//! The pieces of messages that are outstanding, by their numbers.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::PIECES_MAX;
use super::ceiling::RUN_MIN;
use super::congestion::Congestion;
use crate::sctp::chunk::{Data, Sack};

/// A piece is lost when one sent so much later has come (RFC 9260 §7.2.4).
const LATER: usize = 3;
/// Room that is kept while nothing is outstanding.
const KEPT: usize = 64;

/// As fine as what is on its way is remembered.
const IN_FLIGHT_UNIT: usize = 4 << 10;

const ACKNOWLEDGED: u8 = 1;
const LOST: u8 = 2;
const UNREPEATED: u8 = 4;
const END: u8 = 8;
/// Lost where the path had a queue: for the association to see.
const SHOWN: u8 = 16;
/// Of the stream whose bytes are counted.
const COUNTED: u8 = 32;
/// The association gave up its message.
const SKIPPED: u8 = LOST | UNREPEATED | END;

/// A piece of a message: one number of the association.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    flags: u8,
    /// Of the counted stream that was on its way when it was sent, in units.
    in_flight: u8,
    bytes: u16,
    /// By the clock of [`Congestion`].
    sent: u32,
}

impl Piece {
    /// Nothing is done about its loss but to repeat it.
    pub(super) fn repeated() -> Self {
        Self { flags: 0, in_flight: 0, bytes: 0, sent: 0 }
    }

    /// Of a stream that repeats nothing.
    pub(super) fn unrepeated(data: &Data, is_counted: bool) -> Self {
        let end = if data.is_end { END } else { 0 };
        let counted = if is_counted { COUNTED } else { 0 };
        Self { flags: UNREPEATED | end | counted, bytes: data.bytes, ..Self::repeated() }
    }

    fn is(self, flags: u8) -> bool {
        self.flags & flags != 0
    }

    fn in_flight(self) -> usize {
        usize::from(self.in_flight) * IN_FLIGHT_UNIT
    }

    fn counted_bytes(self) -> usize {
        if self.is(COUNTED) { self.bytes.into() } else { 0 }
    }

    fn is_outstanding(self) -> bool {
        !self.is(ACKNOWLEDGED | LOST)
    }

    /// It may be lost, or on its way.
    fn is_undecided(self) -> bool {
        self.is_outstanding() && self.is(UNREPEATED) && !self.is(SHOWN)
    }
}

/// Invariant: pieces follow each other by number, and the first one's is `first`.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    first: Option<u32>,
    pieces: VecDeque<Piece>,
    lost: usize,
    /// So many of the first the association takes for acknowledged.
    assumed: usize,
    /// Bytes of the counted stream that are outstanding: those, and the others.
    assumed_bytes: usize,
    outstanding_bytes: usize,
    congestion: Congestion,
}

impl Pieces {
    pub(super) fn len(&self) -> usize {
        self.pieces.len()
    }

    /// How many are lost that the other side has not skipped.
    pub(super) fn lost(&self) -> usize {
        self.lost
    }

    /// A piece goes out. Numbers left out before it are those of messages that the association gave up.
    pub(super) fn push(&mut self, tsn: u32, piece: Piece, now: Instant) {
        if self.extend_to(tsn) {
            let sent = self.congestion.clock(now);
            let units = (self.assumed_bytes + self.outstanding_bytes) / IN_FLIGHT_UNIT;
            let in_flight = u8::try_from(units).unwrap_or(u8::MAX);
            self.append(Piece { sent, in_flight, ..piece });
        }
    }

    /// The association has told the other side to skip all up to this one.
    pub(super) fn skipped(&mut self, tsn: u32) {
        self.extend_to(tsn.wrapping_add(1));
        let Some(count) = self.index(tsn.wrapping_add(1)) else { return };
        for index in 0..count.min(self.pieces.len()) {
            self.lose(index, SKIPPED);
        }
    }

    /// Takes in what the other side has; `None` if it cannot be, or is known to have more.
    pub(super) fn acknowledge(&mut self, sack: &Sack, now: Instant) -> Option<()> {
        let count =
            self.index(sack.cumulative.wrapping_add(1)).filter(|count| *count <= self.pieces.len())?;
        let highest = sack.gaps.last().map_or(0, |(_, end)| usize::from(*end));
        if count + highest > self.pieces.len() || !is_ascending(&sack.gaps) {
            return None;
        }
        self.time(count + highest, now);
        self.congestion.came(count);
        (0..count).for_each(|index| self.settle(index));
        self.assumed = self.assumed.saturating_sub(count);
        self.lost -= self.pieces.drain(..count).filter(|piece| piece.is(LOST)).count();
        self.first = Some(sack.cumulative.wrapping_add(1));
        for (start, end) in &sack.gaps {
            for index in usize::from(*start)..=usize::from(*end) {
                self.settle(index - 1);
                self.pieces[index - 1].flags |= ACKNOWLEDGED;
            }
        }
        self.find_lost(highest, now);
        if self.pieces.is_empty() {
            self.pieces.shrink_to(KEPT);
        }
        Some(())
    }

    /// What the association is to know: all up to this number has come or is lost, and of the rest these. What is behind
    /// an undecided piece stays untold, since whatever seems to miss counts there as lost soon.
    pub(super) fn resolved(&self) -> (u32, Vec<(u16, u16)>) {
        let through = self.told_count();
        let mut gaps: Vec<(u16, u16)> = Vec::new();
        let told = self.pieces.range(through..).take_while(|piece| !piece.is_undecided());
        for (offset, piece) in (1_u16..).zip(told) {
            match gaps.last_mut() {
                _ if piece.is_outstanding() => {}
                Some((_, end)) if *end + 1 == offset => *end = offset,
                _ => gaps.push((offset, offset)),
            }
        }
        (self.number(through).wrapping_sub(1), gaps)
    }

    /// The number up to which the other side may skip: no message is cut in two.
    pub(super) fn skippable(&self) -> Option<u32> {
        let whole = (0..self.resolved_count()).rev().find(|index| self.pieces[*index].is(END))?;
        Some(self.number(whole))
    }

    /// Has the association take more of what is outstanding for acknowledged, so many bytes of it in all at most; `true` if there was
    /// any. What is to be repeated ends it.
    pub(super) fn assume(&mut self, bytes_max: usize) -> bool {
        let before = self.outstanding_bytes;
        while let Some(piece) = self.pieces.get(self.assumed).copied() {
            if piece.is_outstanding() {
                if !piece.is_undecided() || self.assumed_bytes + usize::from(piece.bytes) > bytes_max {
                    break;
                }
                self.settle(self.assumed);
                self.assumed_bytes += piece.counted_bytes();
            }
            self.assumed += 1;
        }
        self.outstanding_bytes < before
    }

    /// Nothing has come for long: what was assumed is lost.
    pub(super) fn give_up_assumed(&mut self) {
        for index in 0..self.assumed {
            if self.pieces[index].is_outstanding() {
                self.lose(index, LOST);
            }
        }
        self.congestion.timed_out();
    }

    /// Bytes of the counted stream that the association takes for acknowledged, though they are not.
    pub(super) fn assumed_bytes(&self) -> usize {
        self.assumed_bytes
    }

    /// Bytes of the counted stream that the association has sent and knows to be outstanding.
    pub(super) fn outstanding_bytes(&self) -> usize {
        self.outstanding_bytes
    }

    /// What is known of the path.
    pub(super) fn congestion(&self) -> &Congestion {
        &self.congestion
    }

    /// How long the path takes now.
    pub(super) fn round_trip(&self) -> Duration {
        self.congestion.round_trip()
    }

    /// The newest of so many pieces has come, if that is news.
    fn time(&mut self, count: usize, now: Instant) {
        if let Some(newest) = count.checked_sub(1).map(|index| self.pieces[index])
            && newest.is_outstanding()
        {
            self.congestion.sample(newest.sent, now);
        }
    }

    fn find_lost(&mut self, highest: usize, now: Instant) {
        let mut run = 0;
        for index in 0..highest.saturating_sub(LATER) {
            let piece = self.pieces[index];
            run = if piece.is(ACKNOWLEDGED) { 0 } else { run + 1 };
            if piece.is_undecided() {
                if run >= RUN_MIN {
                    self.congestion.run_lost(piece.in_flight(), now);
                }
                let is_news = self.congestion.is_news(piece.sent, now);
                self.lose(index, if is_news && index >= self.assumed { SHOWN } else { LOST });
            }
        }
    }

    fn lose(&mut self, index: usize, flags: u8) {
        if flags & LOST != 0 {
            self.settle(index);
        }
        let piece = &mut self.pieces[index];
        self.lost += usize::from(flags & LOST != 0 && !piece.is(LOST));
        piece.flags |= flags;
    }

    /// A piece is about to be no longer outstanding.
    fn settle(&mut self, index: usize) {
        let piece = self.pieces[index];
        if piece.is_outstanding() {
            let bytes =
                if index < self.assumed { &mut self.assumed_bytes } else { &mut self.outstanding_bytes };
            *bytes -= piece.counted_bytes();
        }
    }

    /// Makes the next piece the one of that number; `false` if it is there already.
    fn extend_to(&mut self, tsn: u32) -> bool {
        let Some(index) = self.first.map_or(Some(0), |_| self.index(tsn)) else { return false };
        if self.first.is_none() || index > self.pieces.len() + PIECES_MAX {
            let congestion = std::mem::take(&mut self.congestion);
            *self = Self { first: Some(tsn), congestion, ..Self::default() };
        } else if index < self.pieces.len() {
            return false;
        }
        while self.number(self.pieces.len()) != tsn {
            self.append(Piece { flags: SKIPPED, ..Piece::repeated() });
        }
        true
    }

    fn append(&mut self, piece: Piece) {
        self.lost += usize::from(piece.is(LOST));
        if piece.is_outstanding() {
            self.outstanding_bytes += piece.counted_bytes();
        }
        self.pieces.push_back(piece);
    }

    /// So many of the first the association takes for acknowledged, or may.
    fn told_count(&self) -> usize {
        let told = |piece: &&Piece| !piece.is_outstanding();
        self.assumed + self.pieces.range(self.assumed..).take_while(told).count()
    }

    fn resolved_count(&self) -> usize {
        self.pieces.iter().take_while(|piece| !piece.is_outstanding()).count()
    }

    fn number(&self, index: usize) -> u32 {
        self.first.unwrap_or_default().wrapping_add(index as u32)
    }

    /// How far a number is behind the first; `None` if it is before it.
    fn index(&self, tsn: u32) -> Option<usize> {
        let distance = tsn.wrapping_sub(self.first?);
        (distance < 1 << 31).then_some(distance as usize)
    }
}

fn is_ascending(gaps: &[(u16, u16)]) -> bool {
    let mut before = 0;
    gaps.iter().all(|(start, end)| {
        let follows = *start > before && start <= end;
        before = *end;
        follows
    })
}
