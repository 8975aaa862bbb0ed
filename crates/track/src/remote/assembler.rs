//! Puts the packets of one track together again and hands its frames on in their order.
//!
//! Unlike official receivers, it keeps as many unfinished frames as bytes and age allow, and takes the
//! packets of a frame in any order: a sender or path that interleaves frames loses nothing.

mod decide;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_wire::{Extensions, FrameNumber, Header};

use crate::remote::history::{History, Past};
use crate::remote::partial::{Added, PACKET_CHARGE, Partial, Start};
use crate::remote::reordering::Reordering;
use crate::remote::stats::{RemoteDropReason, RemoteTrackStats};

/// Unfinished frames that are kept, however small they are.
const FRAMES_MAX: usize = 64;
/// A frame is given up when its packets take longer.
const FRAME_AGE_MAX: Duration = Duration::from_secs(2);
/// A frame further behind than this is no late one: its sender has begun anew.
const LATE_FRAMES_MAX: u64 = 512;
/// Nor are so many late ones in a row.
const LATE_RUN_MAX: u8 = 32;
/// Nor is any after so long a silence.
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// Numbers grow from here, so that none before the first is negative.
const NUMBER_BASE: u64 = 1 << 16;

/// What comes out, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Assembled {
    /// A whole frame, encrypted if its track is.
    Frame(Whole),
    /// Frames that will not come.
    Gap(u64, RemoteDropReason),
}

/// A frame of which every packet is here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Whole {
    /// Does not wrap; its low 16 bits are those on the wire.
    pub(super) number: u64,
    pub(super) timestamp: u32,
    pub(super) extensions: Extensions,
    pub(super) is_last_will: bool,
    pub(super) is_latched: bool,
    pub(super) payload: Bytes,
    /// When its last packet came.
    pub(super) received: Instant,
}

/// A frame between its first packet and its turn.
#[derive(Debug)]
enum Slot {
    Partial(Partial),
    Whole(Whole),
    /// It has been dropped; its packets are ignored.
    Dead(RemoteDropReason, Instant),
}

impl Slot {
    fn charge(&self) -> usize {
        match self {
            Self::Partial(partial) => partial.charge(),
            Self::Whole(whole) => whole.payload.len() + PACKET_CHARGE,
            Self::Dead(..) => PACKET_CHARGE,
        }
    }
}

/// Invariant: frames received = handed out + dropped + waiting, and everything up to `decided` is
/// handed out, dropped or missing.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    /// The newest frame that has been decided about; nothing before the first packet.
    decided: Option<u64>,
    /// When frames were last given up of which something may still come.
    gave_up: Option<Instant>,
    slots: BTreeMap<u64, Slot>,
    bytes: usize,
    history: History,
    reordering: Reordering,
    late_run: u8,
    /// When something came that was not late.
    accepted: Option<Instant>,
    /// Frames may be numbered anew.
    is_renewed: bool,
    has_delivered: bool,
    out: Vec<Assembled>,
    /// When something has been waited for long enough.
    deadline: Option<Instant>,
    /// All but deliveries, which are counted once frames are decrypted.
    pub(super) stats: RemoteTrackStats,
}

impl Assembler {
    /// Takes a packet, while at most `bytes_max` may be held; what comes of it is [taken](Self::take) out.
    pub(super) fn push(&mut self, header: &Header, packet: &Bytes, bytes_max: usize, now: Instant) {
        self.stats.packets += 1;
        self.stats.bytes += packet.len() as u64;
        let Some(number) = self.number(header, now) else { return };
        self.accepted = Some(now);
        self.late_run = 0;
        if header.is_single() && self.slots.is_empty() && self.decided.is_some_and(|last| last + 1 == number)
        {
            self.stats.frames_received += 1;
            let start = Start::of(header, packet);
            let payload = packet.slice(header.payload_offset..);
            self.decide(number, Ok(whole(number, start, payload, now)), now);
            return;
        }
        self.insert(number, header, packet, now);
        self.advance(now);
        while self.bytes > bytes_max || self.slots.len() > FRAMES_MAX {
            self.force(now);
            self.advance(now);
        }
    }

    /// What has come out since the last time; to be given back, empty, so that it is allocated once.
    pub(super) fn take(&mut self) -> Vec<Assembled> {
        std::mem::take(&mut self.out)
    }

    /// Gives back what was [taken](Self::take).
    pub(super) fn recycle(&mut self, emptied: Vec<Assembled>) {
        debug_assert!(emptied.is_empty() && self.out.is_empty(), "what has come out is lost");
        self.out = emptied;
    }

    /// Gives up what has been waited for long enough.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is next of use.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// Bytes held, bookkeeping included.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Hands out what is whole and drops the rest: the track has ended, or goes on in another publication or session.
    /// Numbers do not go on there: the sender may count anew, and a server that leaves frames out for the sake of a rate
    /// numbers the others without gaps from each beginning on.
    pub(super) fn renew(&mut self, now: Instant) {
        while let Some((number, slot)) = self.slots.first_key_value() {
            let number = *number;
            if matches!(slot, Slot::Partial(_)) {
                self.kill(number, RemoteDropReason::Ended, now);
            }
            self.decide_first(now);
        }
        self.is_renewed = true;
    }

    /// Drops everything, since nobody wants it.
    pub(super) fn clear(&mut self, now: Instant) {
        let numbers: Vec<u64> = self.slots.keys().copied().collect();
        for number in numbers {
            self.kill(number, RemoteDropReason::Ended, now);
        }
        self.renew(now);
        self.out.clear();
        *self = Self { stats: self.stats, ..Self::default() };
    }

    /// The frame's number without wrapping; nothing if it comes too late.
    fn number(&mut self, header: &Header, now: Instant) -> Option<u64> {
        let Some(decided) = self.decided else {
            let number = NUMBER_BASE + u64::from(header.frame.get());
            self.decided = Some(number - 1);
            return Some(number);
        };
        let newest = self.slots.last_key_value().map_or(decided, |(number, _)| *number);
        let distance = header.frame.distance_from(FrameNumber::new((newest & 0xffff) as u16));
        let number = newest.saturating_add_signed(distance.into());
        if std::mem::take(&mut self.is_renewed) && distance != 1 {
            return Some(self.restart(header, now));
        }
        if number > decided { Some(number) } else { self.late(header, decided - number, now) }
    }

    /// A packet of a frame that has been decided about.
    fn late(&mut self, header: &Header, behind: u64, now: Instant) -> Option<u64> {
        let past = self.history.past(behind);
        let is_new_frame = past == Past::Missing || past == Past::Forgotten && header.start;
        self.late_run += u8::from(is_new_frame);
        let silent = self.accepted.is_some_and(|at| now.saturating_duration_since(at) > SILENCE_MAX);
        if behind > LATE_FRAMES_MAX || self.late_run >= LATE_RUN_MAX || silent && past != Past::Delivered {
            return Some(self.restart(header, now));
        }
        if past == Past::Delivered {
            self.stats.duplicate_packets += 1;
            return None;
        }
        self.stats.late_packets += 1;
        if past == Past::Missing {
            self.history.mark_seen(behind);
            self.stats.frames_received += 1;
            self.stats.frames_missing = self.stats.frames_missing.saturating_sub(1);
            self.stats.drop_frame(RemoteDropReason::Late);
        }
        if past != Past::Forgotten
            && let Some(gave_up) = self.gave_up
        {
            self.reordering.came_late(now.saturating_duration_since(gave_up));
        }
        None
    }

    /// The sender counts anew from this packet's frame.
    fn restart(&mut self, header: &Header, now: Instant) -> u64 {
        self.renew(now);
        self.is_renewed = false;
        let decided = self.decided.unwrap_or_default();
        let number = (((decided >> 16) + 1) << 16) + u64::from(header.frame.get());
        self.decided = Some(number - 1);
        self.history = History::default();
        self.gap(0, RemoteDropReason::Restarted);
        number
    }

    fn insert(&mut self, number: u64, header: &Header, packet: &Bytes, now: Instant) {
        let slot = self.slots.entry(number).or_insert_with(|| {
            self.stats.frames_received += 1;
            self.stats.frames_waiting += 1;
            Slot::Partial(Partial::new(header, now))
        });
        let Slot::Partial(partial) = slot else {
            self.stats.duplicate_packets += u64::from(matches!(slot, Slot::Whole(_)));
            self.stats.late_packets += u64::from(matches!(slot, Slot::Dead(..)));
            return;
        };
        let before = partial.charge();
        match partial.add(header, packet) {
            Added::Duplicate => self.stats.duplicate_packets += 1,
            Added::TooLarge => self.kill(number, RemoteDropReason::TooLarge, now),
            Added::New => {
                if let Some((start, payload)) = partial.whole() {
                    *slot = Slot::Whole(whole(number, start, payload, now));
                }
                self.bytes = self.bytes - before + slot.charge();
            }
        }
    }
}

fn whole(number: u64, start: Start, payload: Bytes, received: Instant) -> Whole {
    let Start { timestamp, extensions, is_last_will, is_latched } = start;
    Whole { number, timestamp, extensions, is_last_will, is_latched, payload, received }
}
