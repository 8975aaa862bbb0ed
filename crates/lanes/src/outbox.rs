//! All lanes of one receiver, and the one channel below them.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use trackyard_wire::{Handle, Header};

use crate::estimator::Estimator;
use crate::lane::{Lane, Packet, Surroundings};
use crate::rules::LaneRules;
use crate::stats::{DropReason, LaneStats};

/// Bytes a lane of weight 1 may send before it is another's turn.
const QUANTUM_BYTES: usize = 2_048;

/// Bounds of an outbox.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OutboxConfig {
    /// Bytes that wait in all lanes together; what comes beyond is dropped as queue-full.
    pub waiting_bytes_max: usize,
}

impl Default for OutboxConfig {
    fn default() -> Self {
        Self { waiting_bytes_max: 8 * 1024 * 1024 }
    }
}

/// All lanes of one receiver.
///
/// Its invariant: for each lane and in sum, `frames_in = frames_delivered + Σ drops + frames_waiting`.
#[derive(Debug)]
pub struct Outbox {
    config: OutboxConfig,
    lanes: HashMap<Handle, Lane>,
    /// Lanes that may have something to send, in the order of their turns.
    round: VecDeque<Handle>,
    /// Lanes that wait for a missing packet. All wait equally long, so the first ends first.
    gaps: VecDeque<(Instant, Handle)>,
    estimator: Estimator,
    waiting_bytes: usize,
    open: bool,
    /// The channel has refused a packet and has not released anything since.
    full: bool,
    /// What became of the frames of lanes that are gone.
    removed: LaneStats,
}

impl Outbox {
    /// No lanes yet, and no channel.
    #[must_use]
    pub fn new(config: OutboxConfig) -> Self {
        Self {
            config,
            lanes: HashMap::new(),
            round: VecDeque::new(),
            gaps: VecDeque::new(),
            estimator: Estimator::default(),
            waiting_bytes: 0,
            open: false,
            full: false,
            removed: LaneStats::default(),
        }
    }

    /// Adds a lane, or changes the rules of one.
    pub fn add_lane(&mut self, lane: Handle, rules: LaneRules) {
        self.lanes.entry(lane).or_insert_with(|| Lane::new(rules)).rules = rules;
    }

    /// Removes a lane and gives its final accounts; frames that waited are dropped as removed.
    pub fn remove_lane(&mut self, lane: Handle) -> Option<LaneStats> {
        let mut gone = self.lanes.remove(&lane)?;
        self.waiting_bytes -= gone.waiting_bytes();
        gone.clear(DropReason::Removed);
        if gone.active {
            self.round.retain(|handle| *handle != lane);
        }
        self.removed += gone.stats;
        Some(gone.stats)
    }

    /// A packet of a track has come, as its publisher has sent it. Without such a lane nothing happens.
    pub fn push(&mut self, lane: Handle, header: &Header, packet: &Bytes, now: Instant) {
        let around = self.surroundings();
        let Some(target) = self.lanes.get_mut(&lane) else { return };
        let (waited, gap) = (target.waiting_bytes(), target.gap_until());
        target.push(Packet { header: *header, bytes: packet.clone() }, around, now);
        self.waiting_bytes = self.waiting_bytes - waited + target.waiting_bytes();
        if let Some(until) = target.gap_until().filter(|until| gap != Some(*until)) {
            self.gaps.push_back((until, lane));
        }
        self.activate(lane);
    }

    /// The channel can be written from now on, or no longer. What waits for a channel that is gone is dropped.
    pub fn set_open(&mut self, open: bool, _now: Instant) {
        if self.open && !open {
            for lane in self.lanes.values_mut() {
                lane.clear(DropReason::NoChannel);
            }
            self.waiting_bytes = 0;
        }
        if self.open != open {
            self.estimator = Estimator::default();
            self.full = false;
        }
        self.open = open;
    }

    /// The channel holds so many bytes, queued or in flight.
    pub fn update_buffered(&mut self, bytes: usize, now: Instant) {
        self.estimator.update(bytes, now);
        self.full = false;
    }

    /// The next packet to write, if one is due and there is room for it.
    pub fn peek(&mut self, now: Instant) -> Option<(Handle, &Bytes)> {
        if !self.open || self.full {
            return None;
        }
        let handle = self.next_lane(now)?;
        let packet = self.lanes.get_mut(&handle)?.peek(now)?;
        Some((handle, packet))
    }

    /// The channel has taken the packet that was peeked.
    pub fn written(&mut self, now: Instant) {
        let Some(handle) = self.round.front() else { return };
        let Some(lane) = self.lanes.get_mut(handle) else { return };
        let before = lane.waiting_bytes();
        lane.sent(now);
        let bytes = before - lane.waiting_bytes();
        lane.deficit = lane.deficit.saturating_sub(bytes);
        self.waiting_bytes -= bytes;
        self.estimator.written(bytes, now);
    }

    /// The channel has not taken it; nothing is peeked until it has released something.
    pub fn refused(&mut self, _now: Instant) {
        self.full = true;
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((until, handle)) = self.gaps.front().copied().filter(|(until, _)| *until <= now) {
            self.gaps.pop_front();
            let around = self.surroundings();
            let Some(lane) = self.lanes.get_mut(&handle).filter(|lane| lane.gap_until() == Some(until))
            else {
                continue;
            };
            let waited = lane.waiting_bytes();
            lane.handle_timeout(around, now);
            let again = lane.gap_until();
            self.waiting_bytes = self.waiting_bytes - waited + lane.waiting_bytes();
            if let Some(until) = again {
                self.gaps.push_back((until.max(now), handle));
            }
            self.activate(handle);
        }
    }

    /// When time is next of importance.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.gaps.front().map(|(until, _)| *until)
    }

    /// What became of a lane's frames so far.
    #[must_use]
    pub fn lane_stats(&self, lane: Handle) -> Option<&LaneStats> {
        self.lanes.get(&lane).map(|lane| &lane.stats)
    }

    /// What became of all frames so far, those of removed lanes included.
    #[must_use]
    pub fn totals(&self) -> LaneStats {
        let mut totals = self.removed;
        self.lanes.values().for_each(|lane| totals += lane.stats);
        totals
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings {
            open: self.open,
            bytes_left: self.config.waiting_bytes_max.saturating_sub(self.waiting_bytes),
        }
    }

    fn activate(&mut self, handle: Handle) {
        let Some(lane) = self.lanes.get_mut(&handle) else { return };
        if !lane.active && lane.waiting_bytes() > 0 {
            lane.active = true;
            self.round.push_back(handle);
        }
    }

    /// The lane whose turn it is, at the front of the round: deficit round robin by bytes.
    fn next_lane(&mut self, now: Instant) -> Option<Handle> {
        loop {
            let handle = *self.round.front()?;
            let Some(lane) = self.lanes.get_mut(&handle) else {
                self.round.pop_front();
                continue;
            };
            let before = lane.waiting_bytes();
            let next = lane.peek(now).map(Bytes::len);
            self.waiting_bytes -= before - lane.waiting_bytes();
            let Some(bytes) = next else {
                lane.active = false;
                lane.deficit = 0;
                self.round.pop_front();
                continue;
            };
            if !self.estimator.has_room(bytes) {
                return None;
            }
            if lane.deficit >= bytes {
                return Some(handle);
            }
            lane.deficit += QUANTUM_BYTES * usize::from(lane.rules.weight.max(1));
            if lane.deficit < bytes || self.round.len() > 1 {
                self.round.rotate_left(1);
            }
        }
    }
}
