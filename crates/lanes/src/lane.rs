//! One track's frames for one receiver.

mod queue;
mod sending;

use std::time::{Duration, Instant};

use trackyard_wire::{FrameNumber, Handle};

use crate::estimator::Estimator;
use crate::frame::Frame;
use crate::grid::Grid;
use crate::packet::Packet;
use crate::ring::Turn;
use crate::rules::LaneSchedule;
use crate::seen::SeenFrames;
use crate::sequencer::{Arrival, Ordered, Sequencer};
use crate::slab::Key;
use crate::store::{FrameList, Store};
use crate::{DropReason, FRAME_PACKETS_MAX, LaneRules, LaneStats, OutboxConfig};

/// What the lanes of an outbox have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: OutboxConfig,
    pub(crate) store: Store,
    pub(crate) totals: LaneStats,
    pub(crate) room: Estimator,
    pub(crate) channel: Channel,
    /// The longest packet that the receiver takes.
    pub(crate) packet_bytes_max: usize,
    /// Frames that have been counted and of which only held packets are here.
    pub(crate) held_frames: usize,
}

/// How the channel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    /// It has never been open: frames wait for it as they do for room, and grow too old.
    Opening,
    /// It can be written.
    Open,
    /// It was open, and nobody knows when it will be again.
    Closed,
}

/// Where the packets go that come in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Incoming {
    /// Nothing has come yet.
    Nothing,
    /// Into the newest frame, which waits for more.
    Open(Key, FrameNumber),
    /// This frame is whole or dead: what else comes of it is ignored.
    Closed(FrameNumber),
}

impl Incoming {
    fn frame(self) -> Option<FrameNumber> {
        match self {
            Self::Nothing => None,
            Self::Open(_, frame) | Self::Closed(frame) => Some(frame),
        }
    }
}

/// Invariants: only the oldest frame has begun; only the newest may be incomplete; a frame that is
/// dropped gets no more packets.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) handle: Handle,
    pub(crate) schedule: LaneSchedule,
    /// Tells it apart from earlier lanes in its slot.
    pub(crate) generation: u32,
    pub(crate) stats: LaneStats,
    pub(crate) turn: Turn,
    pub(crate) alarms: Alarms,
    sequencer: Sequencer,
    seen: SeenFrames,
    incoming: Incoming,
    list: FrameList,
    /// Frames that may be dropped in favour of others.
    replaceable: u32,
    /// Bytes of frames of one packet that wait.
    single_bytes: u32,
    /// The larger frame that may be replaced.
    replaceable_multi: Key,
    /// Frames left out for the sake of a rate.
    left_out: u16,
    /// Few lanes limit their rate.
    grid: Option<Box<Grid>>,
}

/// Which timers a lane has armed.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    pub(crate) gap: bool,
    pub(crate) age: bool,
}

impl Lane {
    pub(crate) fn new(handle: Handle, rules: LaneRules, generation: u32) -> Self {
        Self {
            handle,
            schedule: rules.into(),
            generation,
            grid: Grid::new(rules.max_hz).map(Box::new),
            stats: LaneStats::default(),
            turn: Turn::default(),
            alarms: Alarms::default(),
            sequencer: Sequencer::default(),
            seen: SeenFrames::default(),
            incoming: Incoming::Nothing,
            list: FrameList::new(),
            replaceable: 0,
            single_bytes: 0,
            replaceable_multi: Key::NONE,
            left_out: 0,
        }
    }

    pub(crate) fn set_rules(&mut self, rules: LaneRules) {
        self.schedule = rules.into();
        // A grid that goes on picks no frame out of turn.
        if !self.grid.as_ref().is_some_and(|grid| grid.is_of(rules.max_hz)) {
            self.grid = Grid::new(rules.max_hz).map(Box::new);
        }
    }

    /// Its receiver does not know its handle, or does: what waits stays, or may go.
    pub(crate) fn set_held(&mut self, held: bool, shared: &mut Shared) {
        shared.store.set_held(&mut self.list, held);
    }

    /// Nothing of it is sent.
    pub(crate) fn is_held(&self) -> bool {
        self.list.held
    }

    /// Frames that wait or are under way.
    pub(crate) fn waiting(&self) -> u64 {
        u64::from(self.list.frames) + self.sequencer.counted() as u64
    }

    /// The newest of those that are in the queue.
    pub(crate) fn newest(&self, shared: &Shared) -> Option<FrameNumber> {
        shared.store.frame(self.list.newest).map(|frame| frame.number)
    }

    /// Takes a packet of the publisher.
    pub(crate) fn push(&mut self, packet: Packet, shared: &mut Shared) {
        let length = packet.bytes.len();
        self.count(shared, |stats| stats.count_in(length));
        match self.sequencer.arrive(packet, self.incoming.frame()) {
            Arrival::Next(packet) => {
                self.accept(Ordered { packet, after_gap: false, counted: false }, shared);
            }
            Arrival::Held { newly: Some(frame) } => {
                shared.held_frames += 1;
                self.seen.mark(frame);
                self.count(shared, |stats| stats.frames_in += 1);
            }
            Arrival::Late(packet) => self.miss(&packet, shared),
            Arrival::Restart(packet) => self.restart(packet, shared),
            Arrival::Held { newly: None } | Arrival::Duplicate => {}
        }
    }

    /// Processes held packets whose turn has come.
    pub(crate) fn accept_due(&mut self, now: Instant, shared: &mut Shared) {
        while let Some(ordered) = self.sequencer.due(now) {
            self.accept(ordered, shared);
        }
    }

    /// When a missing packet is given up.
    pub(crate) fn gap_deadline(&self) -> Option<Instant> {
        self.sequencer.deadline()
    }

    /// Drops everything, held packets included.
    pub(crate) fn clear(&mut self, reason: DropReason, shared: &mut Shared) {
        while let Some(ordered) = self.sequencer.drain() {
            self.accept(ordered, shared);
        }
        while !self.list.oldest.is_none() {
            self.drop_frame(self.list.oldest, reason, shared);
        }
    }

    /// Its sender has begun anew; what is left of its past comes to its end.
    fn restart(&mut self, packet: Packet, shared: &mut Shared) {
        while let Some(ordered) = self.sequencer.drain() {
            self.accept(ordered, shared);
        }
        let packet = self.sequencer.advance(packet);
        self.accept(Ordered { packet, after_gap: true, counted: false }, shared);
    }

    /// A packet comes too late. If it is the first of its frame, that counts.
    fn miss(&mut self, packet: &Packet, shared: &mut Shared) {
        if self.seen.mark_late(packet.frame) {
            self.count(shared, |stats| {
                stats.frames_in += 1;
                stats.count_dropped(DropReason::Incomplete, 0);
            });
        }
    }

    fn accept(&mut self, ordered: Ordered, shared: &mut Shared) {
        let Ordered { packet, after_gap, counted } = ordered;
        if after_gap || packet.start || self.incoming.frame() != Some(packet.frame) {
            self.break_off(DropReason::Incomplete, shared);
        }
        if packet.start {
            self.enter(packet.frame, counted, shared);
            return self.begin(packet, shared);
        }
        match self.incoming {
            Incoming::Open(key, frame) if frame == packet.frame => {
                self.settle_counted(counted, shared);
                self.append(key, packet, shared);
            }
            Incoming::Closed(frame) if frame == packet.frame => self.settle_counted(counted, shared),
            _ => {
                self.enter(packet.frame, counted, shared);
                self.refuse(packet.frame, DropReason::Incomplete, shared);
            }
        }
    }

    /// Counts a frame, unless that was done when a packet of it was held.
    fn enter(&mut self, frame: FrameNumber, counted: bool, shared: &mut Shared) {
        if counted || self.sequencer.take_counted(frame) {
            shared.held_frames -= 1;
        } else {
            self.seen.mark(frame);
            self.count(shared, |stats| stats.frames_in += 1);
        }
    }

    /// A packet made its frame count and turns out to belong to one that is counted already, which
    /// takes a sender that numbers its frames wrongly.
    fn settle_counted(&mut self, counted: bool, shared: &mut Shared) {
        if counted {
            shared.held_frames -= 1;
            self.count(shared, |stats| stats.count_dropped(DropReason::Incomplete, 0));
        }
    }

    /// The frame that waits for more packets, if there is one, will not get them.
    fn break_off(&mut self, reason: DropReason, shared: &mut Shared) {
        if let Incoming::Open(key, _) = self.incoming {
            self.drop_frame(key, reason, shared);
        }
    }

    /// Drops a frame that never got into the queue.
    fn refuse(&mut self, frame: FrameNumber, reason: DropReason, shared: &mut Shared) {
        self.incoming = Incoming::Closed(frame);
        self.count(shared, |stats| stats.count_dropped(reason, 0));
    }

    fn begin(&mut self, packet: Packet, shared: &mut Shared) {
        if shared.channel == Channel::Closed {
            return self.refuse(packet.frame, DropReason::NoChannel, shared);
        }
        if self.grid.as_mut().is_some_and(|grid| !grid.pick(packet.arrived)) {
            self.left_out = self.left_out.wrapping_add(1);
            return self.refuse(packet.frame, DropReason::RateLimited, shared);
        }
        let has_room = shared.room.has_room(shared.store.bytes_waiting_for_room(), packet.bytes.len(), false);
        let admitted = has_room && !self.list.held && shared.channel == Channel::Open;
        if !admitted {
            self.make_place(&packet, shared);
        }
        let key = shared.store.push_frame(&mut self.list, Frame::new(&packet, self.left_out, admitted));
        self.note_replaceable(key, shared);
        self.incoming = Incoming::Open(key, packet.frame);
        self.append(key, packet, shared);
    }

    fn append(&mut self, key: Key, packet: Packet, shared: &mut Shared) {
        let packets_in = shared.store.frame(key).map_or(0, |frame| frame.packets_in);
        if packet.bytes.len() > shared.packet_bytes_max || packets_in >= FRAME_PACKETS_MAX {
            return self.drop_frame(key, DropReason::TooLarge, shared);
        }
        if !self.make_space(key, packet.bytes.len(), shared) {
            return self.drop_frame(key, DropReason::QueueFull, shared);
        }
        let length = shared.store.push_packet(&mut self.list, key, packet.bytes);
        let Some(frame) = shared.store.frame_mut(key) else { return };
        if frame.single {
            self.single_bytes += length;
        }
        if packet.last {
            frame.complete = true;
            self.incoming = Incoming::Closed(packet.frame);
        }
    }

    fn drop_frame(&mut self, key: Key, reason: DropReason, shared: &mut Shared) {
        self.forget_replaceable(key, shared);
        let Some(waiting) = shared.store.frame(key).map(|frame| (frame.single, frame.waiting_bytes)) else {
            return;
        };
        if waiting.0 {
            self.single_bytes -= waiting.1;
        }
        let Some(frame) = shared.store.remove_frame(&mut self.list, key) else { return };
        if self.incoming == Incoming::Open(key, frame.number) {
            self.incoming = Incoming::Closed(frame.number);
        }
        self.count(shared, |stats| stats.count_dropped(reason, frame.sent_bytes));
    }

    fn count(&mut self, shared: &mut Shared, change: impl Fn(&mut LaneStats)) {
        change(&mut self.stats);
        change(&mut shared.totals);
    }
}

/// `at + duration`, as far as instants reach.
fn later(at: Instant, duration: Duration) -> Instant {
    at.checked_add(duration).unwrap_or(at)
}
