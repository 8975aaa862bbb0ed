//! What is on its way to the other side, and what of it is lost for good.
//!
//! An association takes each loss for congestion: it halves what it has in flight, and a datagram per round trip brings it
//! back. On channels that repeat nothing, one lost datagram in a hundred makes a link of any rate a slow one, though nobody
//! waits for what was lost. How much is in flight is for lanes to say, who know what the path delivers. So losses on
//! such channels are kept from the association: acknowledgements are changed on their way in to cover them, and the
//! other side is told from here to skip them (RFC 3758 §3.5). A loss that means congestion is shown to it, one for all that was sent
//! before it could slow down. All else goes on as before: losses of other channels, the window of the receiver, and the
//! timeout when nothing is acknowledged at all.
//!
//! A side that has dropped a burst gets shorter ones ([`ceiling`]): its window is made smaller on its way in, too.

mod ceiling;
mod congestion;
mod pieces;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::chunk::{self, Chunk, ChunkKind, Sack, acknowledgement, chunks, packet};
use pieces::{Piece, Pieces};

/// What comes so long after it was given up still counts; paths reorder.
const SKIP_WAIT: Duration = Duration::from_millis(10);
/// What the other side has not skipped is told again after this, and a round trip.
const SKIP_AGAIN: Duration = Duration::from_millis(100);
/// Pieces whose acknowledgement or skipping is outstanding; beyond it nothing more is written to such channels.
const PIECES_MAX: usize = 8_192;

/// Bytes of frames that may be on their way before the association has found out how much the path takes: what lanes admit at the start.
const ASSUMED_BYTES_MAX: usize = 64 << 10;
/// Of those, so many at a time: relays over TCP drop what comes faster than they hand it on.
const ASSUMED_STEP_BYTES: usize = 24 << 10;
const ASSUMED_STEP: Duration = Duration::from_millis(2);
/// Of those, what is not acknowledged within this is lost: twice what a receiver may withhold an acknowledgement.
const ASSUMED_MAX: Duration = Duration::from_millis(400);

/// Invariant: whatever the association was told is acknowledged, the other side has acknowledged, or is told to skip until it has.
#[derive(Debug, Default)]
pub(super) struct Flight {
    /// Streams that repeat nothing and keep no order.
    unrepeated: Vec<u16>,
    /// The one that carries data tracks.
    tracks: Option<u16>,
    pieces: Pieces,
    /// The other side knows how to skip.
    can_skip: bool,
    /// Ports and tag of packets to the other side.
    head: [u8; 8],
    /// Those of packets that come.
    head_in: [u8; 8],
    /// What the other side can take, by its latest word, or less.
    window: u32,
    /// Bytes of data tracks that may be on their way, as of that word.
    ceiling: Option<u32>,
    /// When what was assumed to be acknowledged is given up.
    give_up_at: Option<Instant>,
    /// When more may be assumed.
    assume_at: Option<Instant>,
    /// When the other side is next told to skip something.
    skip_at: Option<Instant>,
}

impl Flight {
    /// How a stream delivers from now on.
    pub(super) fn set_unrepeated(&mut self, stream: u16, unrepeated: bool) {
        self.unrepeated.retain(|known| *known != stream);
        if unrepeated {
            self.unrepeated.push(stream);
        }
    }

    /// The stream that carries data tracks.
    pub(super) fn set_tracks(&mut self, stream: u16) {
        self.tracks = Some(stream);
    }

    /// Bytes of data tracks that the association takes for acknowledged, though they are not.
    pub(super) fn assumed_bytes(&self) -> usize {
        self.pieces.assumed_bytes()
    }

    /// Too much is outstanding.
    pub(super) fn is_full(&self) -> bool {
        self.pieces.len() >= PIECES_MAX
    }

    /// The other side drops bursts.
    pub(super) fn is_bounded(&self) -> bool {
        self.ceiling.is_some()
    }

    /// The association holds so many bytes of data tracks, and more would only wait there: it sends all of them before what is ordered.
    pub(super) fn holds_enough(&self, held: usize, ordered_waits: bool) -> bool {
        let is_behind = ordered_waits && held > self.pieces.outstanding_bytes();
        is_behind || self.ceiling.is_some_and(|bytes| held + self.pieces.assumed_bytes() >= bytes as usize)
    }

    /// These packets go out.
    pub(super) fn sent(&mut self, records: &[Bytes], now: Instant) {
        for record in records {
            for chunk in chunks(record) {
                match chunk.kind {
                    ChunkKind::Data => self.sent_data(&chunk, now),
                    ChunkKind::ForwardTsn => self.pieces.skipped(chunk.number(0)),
                    _ => continue,
                }
                self.head.copy_from_slice(&record[..8]);
            }
        }
    }

    fn sent_data(&mut self, chunk: &Chunk<'_>, now: Instant) {
        let Some(data) = chunk.data() else { return };
        let is_unrepeated = data.is_unordered && !data.opens && self.unrepeated.contains(&data.stream);
        let is_counted = self.tracks == Some(data.stream);
        let piece = if is_unrepeated { Piece::unrepeated(&data, is_counted) } else { Piece::repeated() };
        self.pieces.push(data.tsn, piece, now);
    }

    /// A packet has come; answers it as the association is to see it.
    pub(super) fn received(&mut self, record: Bytes, now: Instant) -> Bytes {
        let mut sack = None;
        for chunk in chunks(&record) {
            match chunk.kind {
                ChunkKind::Sack => sack = Some(chunk),
                ChunkKind::Init => self.can_skip = chunk.knows_forward_tsn(),
                _ => {}
            }
        }
        let Some(sack) = sack.filter(|_| self.can_skip).and_then(|chunk| chunk.sack()) else { return record };
        if self.pieces.acknowledge(&sack, now).is_none() {
            return record;
        }
        self.head_in.copy_from_slice(&record[..8]);
        self.ceiling = self.pieces.congestion().ceiling(now);
        self.window = self.ceiling.map_or(sack.window, |ceiling| sack.window.min(ceiling));
        let has_assumed = self.pieces.assumed_bytes() > 0;
        self.give_up_at = has_assumed.then(|| now + ASSUMED_MAX);
        let is_lowered = self.window < sack.window;
        if self.pieces.lost() == 0 && sack.gaps.is_empty() && !has_assumed && !is_lowered {
            return record;
        }
        if self.pieces.lost() > 0 {
            self.skip_at.get_or_insert(now + SKIP_WAIT.max(self.pieces.round_trip() / 4));
        }
        packet(&record[..8], chunks(&record), &self.sack())
    }

    /// What the association is to know.
    fn sack(&self) -> Sack {
        let (cumulative, gaps) = self.pieces.resolved();
        let assumed = u32::try_from(self.pieces.assumed_bytes()).unwrap_or(u32::MAX);
        Sack { cumulative, window: self.window.saturating_sub(assumed), gaps }
    }

    /// The association holds so many bytes of data tracks. If it holds any back though a beginning has not been made, answers an
    /// acknowledgement that lets it go on: it begins with four datagrams, and doubles them once a round trip.
    pub(super) fn hasten(&mut self, held: usize, now: Instant) -> Option<Bytes> {
        let holds_back = held > self.pieces.outstanding_bytes();
        let on_its_way = self.pieces.outstanding_bytes() + self.pieces.assumed_bytes();
        let has_window = on_its_way < self.window as usize;
        let may = self.can_skip && has_window && self.pieces.congestion().is_near_and_clear();
        let bytes_max = ASSUMED_BYTES_MAX.min(self.pieces.assumed_bytes() + ASSUMED_STEP_BYTES);
        let is_early = self.assume_at.is_some_and(|at| now < at);
        if !holds_back || !may || is_early || !self.pieces.assume(bytes_max) {
            return None;
        }
        self.assume_at = Some(now + ASSUMED_STEP);
        self.give_up_at.get_or_insert(now + ASSUMED_MAX);
        Some(acknowledgement(&self.head_in, &self.sack()))
    }

    /// Time has passed.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.assume_at = self.assume_at.filter(|at| *at > now);
        if self.give_up_at.is_some_and(|at| at <= now) {
            self.give_up_at = None;
            self.pieces.give_up_assumed();
            self.skip_at = Some(now);
        }
    }

    /// A packet that tells the other side to skip what is lost, if it is time.
    pub(super) fn poll_transmit(&mut self, now: Instant) -> Option<Bytes> {
        self.skip_at.filter(|at| *at <= now)?;
        self.skip_at = (self.pieces.lost() > 0).then(|| now + SKIP_AGAIN + self.pieces.round_trip());
        Some(chunk::forward_tsn(&self.head, self.pieces.skippable()?))
    }

    /// When [`handle_timeout`](Self::handle_timeout) and [`poll_transmit`](Self::poll_transmit) are next of use.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.skip_at.into_iter().chain(self.give_up_at).chain(self.assume_at).min()
    }
}
