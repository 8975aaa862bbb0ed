//! Reliable packets that were written, for as long as a resumed session may want them once more (protocol §6.2).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::PacketId;

/// What is kept of packets that the channel has let go of; the oldest go first.
pub const KEPT_BYTES_MAX: usize = 16 << 20;
/// What the channel has let go of is with the server, which may have to wait so long for something that was lost before
/// it, and takes a moment to look at it.
const LOOK_TIME: Duration = Duration::from_secs(5);

/// Reliable packets that were written. Those that are to be repeated are the last ones.
///
/// A channel tells how many bytes it holds, not which: it lets go of what has arrived behind a gap as well, and nobody
/// gets that before the gap is filled. So what it has let go of is certain to have arrived only once it holds nothing,
/// and is forgotten only while it goes on letting go of things.
#[derive(Debug, Default)]
pub(super) struct Kept {
    packets: VecDeque<Packet>,
    bytes: usize,
    /// How many of the last packets are to be written once more.
    to_repeat: usize,
    /// Bytes that this session's channel has taken.
    taken: u64,
    /// Bytes that it has let go of.
    released: u64,
}

#[derive(Debug)]
struct Packet {
    sequence: u32,
    id: PacketId,
    bytes: Bytes,
    /// What the channel had taken with it.
    taken: u64,
    /// When the channel was seen to have let go of as much.
    released: Option<Instant>,
    /// It has arrived.
    is_certain: bool,
}

impl Kept {
    /// One has been written. Nobody would know an unnumbered one for a repetition, so it is not kept.
    pub(super) fn push(&mut self, sequence: u32, id: PacketId, bytes: Bytes) {
        debug_assert_eq!(self.to_repeat, 0, "what is repeated comes first");
        self.taken += bytes.len() as u64;
        if sequence == 0 {
            return;
        }
        self.bytes += bytes.len();
        self.packets.push_back(Packet {
            sequence,
            id,
            bytes,
            taken: self.taken,
            released: None,
            is_certain: false,
        });
    }

    /// The channel holds so much.
    pub(super) fn update_buffered(&mut self, buffered: usize, now: Instant) {
        let released = self.taken.saturating_sub(buffered as u64);
        if released == self.released && buffered > 0 {
            return;
        }
        self.released = released;
        let written = self.packets.len() - self.to_repeat;
        // Those before the first one without a time have one.
        let first = self.packets.partition_point(|packet| packet.released.is_some()).min(written);
        let fresh = self.packets.range_mut(first..written).take_while(|packet| packet.taken <= released);
        fresh.for_each(|packet| packet.released = Some(now));
        if buffered == 0 {
            let uncertain = self.packets.range_mut(..written).rev().take_while(|packet| !packet.is_certain);
            uncertain.for_each(|packet| packet.is_certain = true);
        }
        self.forget(now);
    }

    /// The server has seen packets up to this one.
    pub(super) fn resume(&mut self, last_sequence: u32) {
        while self.packets.front().is_some_and(|packet| packet.sequence <= last_sequence) {
            self.pop();
        }
        self.packets.iter_mut().for_each(|packet| (packet.released, packet.is_certain) = (None, false));
        self.to_repeat = self.packets.len();
    }

    /// The next one to write once more.
    pub(super) fn repeat(&self) -> Option<&[u8]> {
        let index = self.packets.len().checked_sub(self.to_repeat).filter(|_| self.to_repeat > 0)?;
        self.packets.get(index).map(|packet| packet.bytes.as_ref())
    }

    /// It has been written; answers its length, or nothing if there was none.
    pub(super) fn repeated(&mut self) -> Option<usize> {
        let index = self.packets.len().checked_sub(self.to_repeat).filter(|_| self.to_repeat > 0)?;
        let packet = self.packets.get_mut(index)?;
        self.to_repeat -= 1;
        self.taken += packet.bytes.len() as u64;
        packet.taken = self.taken;
        Some(packet.bytes.len())
    }

    /// Another session: answers those that are not certain to have arrived.
    pub(super) fn restart(&mut self) -> Vec<PacketId> {
        let packets = std::mem::take(self).packets;
        packets.into_iter().filter(|packet| !packet.is_certain).map(|packet| packet.id).collect()
    }

    /// How many the channel still holds; none if and only if all have arrived.
    pub(super) fn unreleased(&self) -> usize {
        self.packets.iter().rev().take_while(|packet| packet.released.is_none()).count()
    }

    fn forget(&mut self, now: Instant) {
        while let Some(released) = self.packets.front().and_then(|packet| packet.released) {
            let is_old = now.saturating_duration_since(released) >= LOOK_TIME;
            if !is_old && self.bytes <= KEPT_BYTES_MAX {
                return;
            }
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(packet) = self.packets.pop_front() {
            self.bytes -= packet.bytes.len();
            self.to_repeat = self.to_repeat.min(self.packets.len());
        }
    }
}
