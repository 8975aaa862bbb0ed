//! One track on its way to one receiver.

mod sequencer;

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use trackyard_wire::{FrameNumber, Header};

use crate::rules::{LaneRules, Policy};
use crate::stats::{DropReason, LaneStats};
pub(crate) use sequencer::Packet;
use sequencer::{Sequencer, Step};

/// Packets of one frame; official receivers hold as many.
pub const FRAME_PACKETS_MAX: usize = 128;
/// Bytes of one packet; official receivers take no longer message.
pub const PACKET_BYTES_MAX: usize = 65_535;
/// Bytes of frames of one packet that wait under [`Policy::Auto`].
const AUTO_BYTES_MAX: usize = 64 * 1024;

/// One track on its way to one receiver.
///
/// Frames stand in order; only the first may be under way, only the last may still be growing.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) rules: LaneRules,
    pub(crate) stats: LaneStats,
    pub(crate) deficit: usize,
    /// Stands in the round of lanes that may have something to send.
    pub(crate) active: bool,
    sequencer: Sequencer,
    frames: VecDeque<Frame>,
    /// The packets of all frames, one after the other.
    packets: VecDeque<Bytes>,
    waiting_bytes: usize,
    /// The rest of this frame is not wanted.
    ignoring: Option<FrameNumber>,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    number: FrameNumber,
    /// When its first packet came.
    arrived: Instant,
    /// When its first packet was given to the channel.
    begun: Option<Instant>,
    /// Its final packet is here.
    complete: bool,
    /// Packets that came.
    packets_in: u16,
    /// Packets that stand in the queue.
    queued: u16,
    queued_bytes: usize,
    sent_bytes: usize,
}

/// What a lane is told with each packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings {
    /// The channel can be written.
    pub(crate) open: bool,
    /// Bytes that may still be queued in all lanes together.
    pub(crate) bytes_left: usize,
}

impl Lane {
    pub(crate) fn new(rules: LaneRules) -> Self {
        Self {
            rules,
            stats: LaneStats::default(),
            deficit: 0,
            active: false,
            sequencer: Sequencer::default(),
            frames: VecDeque::new(),
            packets: VecDeque::new(),
            waiting_bytes: 0,
            ignoring: None,
        }
    }

    /// Bytes that wait in this lane.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Until when it waits for a missing packet.
    pub(crate) fn gap_until(&self) -> Option<Instant> {
        self.sequencer.gap_until()
    }

    /// A packet has come.
    pub(crate) fn push(&mut self, packet: Packet, around: Surroundings, now: Instant) {
        self.stats.packets_in += 1;
        self.stats.bytes_in += packet.bytes.len() as u64;
        if !self.sequencer.push(packet, now) {
            self.stats.packets_ignored += 1;
        }
        self.sequence(around, now);
    }

    /// A missing packet may have been waited for long enough.
    pub(crate) fn handle_timeout(&mut self, around: Surroundings, now: Instant) {
        self.sequencer.handle_timeout(now);
        self.sequence(around, now);
    }

    /// The next packet to send, if there is one. Frames that are too old are dropped on the way.
    pub(crate) fn peek(&mut self, now: Instant) -> Option<&Bytes> {
        while let Some(reason) = self.overdue(now) {
            self.drop_frame(0, reason);
        }
        self.packets.front()
    }

    /// The packet that was last peeked is with the channel.
    pub(crate) fn sent(&mut self, now: Instant) {
        let (Some(packet), Some(frame)) = (self.packets.pop_front(), self.frames.front_mut()) else { return };
        let bytes = packet.len();
        if frame.begun.is_none() {
            frame.begun = Some(now);
            self.stats.begun(now.saturating_duration_since(frame.arrived));
        }
        frame.queued -= 1;
        frame.queued_bytes -= bytes;
        frame.sent_bytes += bytes;
        self.waiting_bytes -= bytes;
        self.stats.packets_out += 1;
        self.stats.bytes_out += bytes as u64;
        if frame.complete && frame.queued == 0 {
            self.frames.pop_front();
            self.stats.frames_waiting -= 1;
            self.stats.frames_delivered += 1;
        }
    }

    /// Drops everything that waits or is under way.
    pub(crate) fn clear(&mut self, reason: DropReason) {
        self.ignoring = self.frames.back().filter(|frame| !frame.complete).map(|frame| frame.number);
        while !self.frames.is_empty() {
            self.drop_frame(0, reason);
        }
    }

    fn sequence(&mut self, around: Surroundings, now: Instant) {
        while let Some(step) = self.sequencer.step() {
            match step {
                Step::Packet(packet) => self.accept(packet, around, now),
                Step::Gap => self.abandon_growing(),
            }
        }
    }

    /// What was missing may have been the rest of the last frame.
    fn abandon_growing(&mut self) {
        if let Some(frame) = self.frames.back().copied().filter(|frame| !frame.complete) {
            self.ignoring = Some(frame.number);
            self.drop_frame(self.frames.len() - 1, DropReason::Incomplete);
        }
    }

    fn accept(&mut self, packet: Packet, around: Surroundings, now: Instant) {
        let Packet { header, bytes } = packet;
        if header.start {
            self.abandon_growing();
            self.begin(&header, now);
        } else if self.growing() != Some(header.frame) {
            self.stray(&header, now);
            return;
        }
        self.grow(&header, bytes, around);
    }

    fn growing(&self) -> Option<FrameNumber> {
        self.frames.back().filter(|frame| !frame.complete).map(|frame| frame.number)
    }

    fn begin(&mut self, header: &Header, now: Instant) {
        self.ignoring = None;
        self.stats.frames_in += 1;
        self.stats.frames_waiting += 1;
        self.frames.push_back(Frame {
            number: header.frame,
            arrived: now,
            begun: None,
            complete: false,
            packets_in: 0,
            queued: 0,
            queued_bytes: 0,
            sent_bytes: 0,
        });
    }

    /// A packet of a frame that is not wanted, or whose start never came.
    fn stray(&mut self, header: &Header, now: Instant) {
        self.stats.packets_ignored += 1;
        if self.ignoring != Some(header.frame) {
            self.abandon_growing();
            self.begin(header, now);
            self.drop_frame(self.frames.len() - 1, DropReason::Incomplete);
            self.ignoring = Some(header.frame);
        }
        if header.last {
            self.ignoring = None;
        }
    }

    fn grow(&mut self, header: &Header, bytes: Bytes, around: Surroundings) {
        let length = bytes.len();
        let Some(frame) = self.frames.back_mut() else { return };
        frame.packets_in += 1;
        frame.complete = header.last;
        let refused = if !around.open {
            Some(DropReason::NoChannel)
        } else if usize::from(frame.packets_in) > FRAME_PACKETS_MAX || length > PACKET_BYTES_MAX {
            Some(DropReason::TooLarge)
        } else if length > around.bytes_left {
            Some(DropReason::QueueFull)
        } else {
            None
        };
        if let Some(reason) = refused {
            self.stats.packets_ignored += 1;
            self.ignoring = (!header.last).then_some(header.frame);
            self.drop_frame(self.frames.len() - 1, reason);
            return;
        }
        frame.queued += 1;
        frame.queued_bytes += length;
        self.waiting_bytes += length;
        self.packets.push_back(bytes);
        self.make_room();
    }

    /// Drops the oldest waiting frames that the policy does not keep beside the newest.
    fn make_room(&mut self) {
        while let Some(reason) = self.surplus() {
            let oldest = usize::from(self.frames.front().is_some_and(|frame| frame.begun.is_some()));
            self.drop_frame(oldest, reason);
        }
    }

    /// Whether one waiting frame is too many; the newest always stays.
    fn surplus(&self) -> Option<DropReason> {
        let begun = usize::from(self.frames.front().is_some_and(|frame| frame.begun.is_some()));
        let waiting = self.frames.len() - begun;
        if waiting < 2 {
            return None;
        }
        match self.rules.policy {
            Policy::Latest => Some(DropReason::Superseded),
            Policy::Queue(frames) => (waiting > usize::from(frames.max(1))).then_some(DropReason::QueueFull),
            Policy::Auto => {
                let newest = self.frames.back()?;
                let single = newest.complete && newest.packets_in == 1;
                let bytes: usize = self.frames.iter().skip(begun).map(|frame| frame.queued_bytes).sum();
                if !single {
                    return Some(DropReason::Superseded);
                }
                (bytes > AUTO_BYTES_MAX).then_some(DropReason::QueueFull)
            }
        }
    }

    /// Why the first frame must not be sent any more.
    fn overdue(&self, now: Instant) -> Option<DropReason> {
        let frame = self.frames.front()?;
        match frame.begun {
            None => (now.saturating_duration_since(frame.arrived) > self.rules.age_max)
                .then_some(DropReason::Expired),
            Some(begun) => (now.saturating_duration_since(begun) > self.rules.finish_max)
                .then_some(DropReason::Unfinished),
        }
    }

    fn drop_frame(&mut self, at: usize, reason: DropReason) {
        let before: usize = self.frames.iter().take(at).map(|frame| usize::from(frame.queued)).sum();
        let Some(frame) = self.frames.remove(at) else { return };
        self.packets.drain(before..before + usize::from(frame.queued));
        self.waiting_bytes -= frame.queued_bytes;
        self.stats.wasted_bytes += frame.sent_bytes as u64;
        self.stats.drop_frame(reason);
        if !frame.complete {
            self.ignoring = Some(frame.number);
        }
    }
}
