//! The lanes of one receiver and the channel they share.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Instant;

use bytes::Bytes;
use trackyard_wire::{FrameNumber, Handle, Header};

use crate::estimator::Estimator;
use crate::lane::{Channel, Lane, Shared};
use crate::packet::Packet;
use crate::ring::{Front, Ring};
use crate::slab::{Key, Slab};
use crate::store::Store;
use crate::timers::{Alarm, Timers};
use crate::{DropReason, LaneRules, LaneStats, OutboxConfig, PACKET_BYTES_MAX};

/// Decides which packet goes next to one receiver.
///
/// Push what publishers send, say what the channel still holds, then write what is
/// [peeked](Self::peek) until there is nothing more:
///
/// ```
/// use std::time::Instant;
/// use bytes::Bytes;
/// use trackyard_lanes::{LaneRules, Outbox, OutboxConfig};
/// use trackyard_wire::{Handle, Header};
///
/// # fn example(now: Instant) -> Result<(), Box<dyn std::error::Error>> {
/// let mut outbox = Outbox::new(OutboxConfig::default());
/// let handle = Handle::new(9).ok_or("0")?;
/// outbox.add_lane(handle, LaneRules::default());
/// outbox.set_open(true, now);
///
/// let packet = Bytes::from_static(&[0x18, 0, 0, 7, 0, 1, 0, 2, 0, 0, 0, 3, b'h', b'i']);
/// outbox.push(handle, &Header::parse(&packet)?, &packet, now);
/// assert_eq!(outbox.peek(now), Some((handle, &packet)));
/// outbox.written(now);
/// assert_eq!(outbox.peek(now), None);
/// assert_eq!(outbox.totals().frames_delivered, 1);
/// # Ok(())
/// # }
/// # example(Instant::now()).expect("the packet is well formed");
/// ```
///
/// Invariant: frames in = delivered + dropped + [waiting](Self::frames_waiting).
#[derive(Debug)]
pub struct Outbox {
    shared: Shared,
    lanes: Slab<Lane>,
    by_handle: HashMap<Handle, Key, BuildHasherDefault<HandleHasher>>,
    ring: Ring,
    /// The lane whose packet has been peeked.
    chosen: Option<Key>,
    gaps: Timers,
    ages: Timers,
    /// Tells lanes apart that have the same slot one after the other.
    generation: u32,
    unrouted_packets: u64,
}

impl Outbox {
    /// An outbox without lanes, whose channel is still to be opened: frames wait for it.
    #[must_use]
    pub fn new(config: OutboxConfig) -> Self {
        Self {
            shared: Shared {
                config,
                store: Store::new(),
                totals: LaneStats::default(),
                room: Estimator::new(config),
                channel: Channel::Opening,
                packet_bytes_max: PACKET_BYTES_MAX,
                held_frames: 0,
            },
            lanes: Slab::new(),
            by_handle: HashMap::default(),
            ring: Ring::default(),
            chosen: None,
            gaps: Timers::default(),
            ages: Timers::default(),
            generation: 0,
            unrouted_packets: 0,
        }
    }

    /// Adds a lane; if there is one of that name, it goes on under these rules.
    pub fn add_lane(&mut self, lane: Handle, rules: LaneRules) {
        match self.by_handle.get(&lane).and_then(|key| self.lanes.get_mut(*key)) {
            Some(known) => known.set_rules(rules),
            None => {
                self.generation = self.generation.wrapping_add(1);
                let key = self.lanes.insert(Lane::new(lane, rules, self.generation));
                self.by_handle.insert(lane, key);
            }
        }
    }

    /// Keeps what comes for a lane waiting, by its rules, until [`release_lane`](Self::release_lane):
    /// the receiver does not know the lane's handle yet.
    pub fn hold_lane(&mut self, lane: Handle) {
        let key = self.by_handle.get(&lane).copied();
        if let Some(lane) = key.and_then(|key| self.lanes.get_mut(key)) {
            lane.set_held(true, &mut self.shared);
        }
    }

    /// Lets a lane send what waits in it, and what comes from now on.
    pub fn release_lane(&mut self, lane: Handle, now: Instant) {
        self.chosen = None;
        let Some(key) = self.by_handle.get(&lane).copied() else { return };
        if let Some(lane) = self.lanes.get_mut(key) {
            lane.set_held(false, &mut self.shared);
        }
        self.attend(key, now);
    }

    /// Removes a lane and drops what waits in it; answers what it has counted.
    pub fn remove_lane(&mut self, lane: Handle) -> Option<LaneStats> {
        self.chosen = None;
        let key = self.by_handle.remove(&lane)?;
        let mut lane = self.lanes.remove(key)?;
        lane.clear(DropReason::Removed, &mut self.shared);
        if lane.turn.joined {
            self.ring.leave(key);
        }
        Some(lane.stats)
    }

    /// Takes a packet as its publisher sent it. One for a lane that is not there is
    /// [counted](Self::unrouted_packets) and forgotten.
    pub fn push(&mut self, lane: Handle, header: &Header, packet: &Bytes, now: Instant) {
        self.push_owned(lane, header, packet.clone(), now);
    }

    /// As [`push`](Self::push), for a packet that has waited since it was received: its frame is as old as that.
    pub fn push_received(
        &mut self,
        lane: Handle,
        header: &Header,
        packet: &Bytes,
        (received, now): (Instant, Instant),
    ) {
        self.take(lane, Packet::new(header, packet.clone(), (received, now)), now);
    }

    /// As [`push`](Self::push), for a packet that nobody else holds: it is not allocated for again.
    pub fn push_owned(&mut self, lane: Handle, header: &Header, packet: Bytes, now: Instant) {
        self.take(lane, Packet::new(header, packet, (now, now)), now);
    }

    fn take(&mut self, lane: Handle, packet: Packet, now: Instant) {
        self.chosen = None;
        let Some(key) = self.by_handle.get(&lane).copied() else {
            self.unrouted_packets += 1;
            return;
        };
        let Some(lane) = self.lanes.get_mut(key) else { return };
        lane.push(packet, &mut self.shared);
        lane.accept_due(now, &mut self.shared);
        self.attend(key, now);
    }

    /// Says whether the channel can be written. While one that was open cannot, frames are dropped.
    pub fn set_open(&mut self, open: bool, _now: Instant) {
        self.chosen = None;
        if (self.shared.channel == Channel::Open) == open {
            return;
        }
        self.shared.channel = if open { Channel::Open } else { Channel::Closed };
        self.shared.room.reset();
        if !open {
            for key in self.lanes.keys() {
                if let Some(lane) = self.lanes.get_mut(key) {
                    lane.clear(DropReason::NoChannel, &mut self.shared);
                }
            }
        }
    }

    /// Says how long a packet the receiver takes, if that is less than [`PACKET_BYTES_MAX`]. Frames with a longer
    /// one are dropped whole from then on.
    pub fn set_packet_bytes_max(&mut self, bytes: usize) {
        self.shared.packet_bytes_max = bytes.min(PACKET_BYTES_MAX);
    }

    /// Says what the channel holds, queued and in flight. To be called after every input.
    pub fn update_buffered(&mut self, bytes: usize, now: Instant) {
        self.shared.room.update(bytes, now);
    }

    /// The next packet to write, if there is room and one is due. To be followed at once by
    /// [`written`](Self::written) or [`refused`](Self::refused), or left.
    pub fn peek(&mut self, now: Instant) -> Option<(Handle, &Bytes)> {
        self.chosen = self.choose(now);
        let lane = self.lanes.get(self.chosen?)?;
        Some((lane.handle, lane.next_packet(&self.shared)?))
    }

    /// The frame number that the packet just peeked is to carry, if that is another than the one in it: frames left
    /// out for the sake of a rate leave no gap in the numbers.
    #[must_use]
    pub fn peeked_number(&self) -> Option<FrameNumber> {
        self.lanes.get(self.chosen?)?.next_number(&self.shared)
    }

    /// The channel has taken the packet just peeked.
    pub fn written(&mut self, now: Instant) {
        debug_assert!(self.chosen.is_some(), "only what has just been peeked can have been written");
        let Some(lane) = self.chosen.take().and_then(|key| self.lanes.get_mut(key)) else { return };
        let Some(length) = lane.sent(now, &mut self.shared) else { return };
        lane.turn.deficit = lane.turn.deficit.saturating_sub(u32::try_from(length).unwrap_or(u32::MAX));
        self.shared.room.wrote(length, now);
    }

    /// The channel was full; the packet just peeked stays until it holds less.
    pub fn refused(&mut self, _now: Instant) {
        self.chosen = None;
        self.shared.room.refused();
    }

    /// Gives up on packets that have not come and frames that are too old.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.chosen = None;
        while let Some(alarm) = self.gaps.pop_due(now) {
            let Some(lane) = alarmed(&mut self.lanes, alarm) else { continue };
            lane.alarms.gap = false;
            lane.accept_due(now, &mut self.shared);
            self.attend(alarm.lane, now);
        }
        while let Some(alarm) = self.ages.pop_due(now) {
            let Some(lane) = alarmed(&mut self.lanes, alarm) else { continue };
            lane.alarms.age = false;
            lane.expire(now, &mut self.shared);
            self.attend(alarm.lane, now);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is next of use.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.gaps.earliest(), self.ages.earliest()].into_iter().flatten().min()
    }

    /// What a lane has counted.
    #[must_use]
    pub fn lane_stats(&self, lane: Handle) -> Option<&LaneStats> {
        self.lanes.get(*self.by_handle.get(&lane)?).map(|lane| &lane.stats)
    }

    /// What all lanes have counted, those that were removed included.
    #[must_use]
    pub fn totals(&self) -> LaneStats {
        self.shared.totals
    }

    /// Frames that wait or are under way, over all lanes.
    #[must_use]
    pub fn frames_waiting(&self) -> u64 {
        (self.shared.store.frame_count() + self.shared.held_frames) as u64
    }

    /// Frames that wait or are under way in one lane.
    #[must_use]
    pub fn lane_frames_waiting(&self, lane: Handle) -> Option<u64> {
        self.lanes.get(*self.by_handle.get(&lane)?).map(Lane::waiting)
    }

    /// The newest frame that waits or is under way in one lane.
    #[must_use]
    pub fn lane_newest(&self, lane: Handle) -> Option<FrameNumber> {
        self.lanes.get(*self.by_handle.get(&lane)?)?.newest(&self.shared)
    }

    /// Packets for lanes that were not there.
    #[must_use]
    pub fn unrouted_packets(&self) -> u64 {
        self.unrouted_packets
    }

    /// The lane whose turn it is and that has a packet for which there is room.
    fn choose(&mut self, now: Instant) -> Option<Key> {
        if self.shared.channel != Channel::Open {
            return None;
        }
        loop {
            let Front { lane: key, sparse } = self.ring.front()?;
            let lane = self.lanes.get_mut(key)?;
            let Some(length) = lane.next_length(now, &mut self.shared) else {
                self.ring.leave_front(&mut lane.turn);
                continue;
            };
            self.ring.begin_turn(&mut lane.turn, lane.schedule.weight);
            if (lane.turn.deficit as usize) < length {
                self.ring.end_turn();
            } else if self.shared.room.has_room(0, length, sparse) {
                return Some(key);
            } else {
                self.shared.room.note_limited();
                return None;
            }
        }
    }

    /// A lane has changed: it may have something to send, and deadlines.
    fn attend(&mut self, key: Key, now: Instant) {
        let Some(lane) = self.lanes.get_mut(key) else { return };
        if !lane.turn.joined && !lane.is_held() && lane.has_packet(&self.shared) {
            lane.turn.joined = true;
            self.ring.join(key);
        }
        let alarm = |at| Alarm { at, lane: key, generation: lane.generation };
        if !lane.alarms.gap
            && let Some(at) = lane.gap_deadline()
        {
            lane.alarms.gap = true;
            self.gaps.arm(alarm(at));
        }
        if !lane.alarms.age
            && let Some(at) = lane.age_deadline(now, &self.shared)
        {
            lane.alarms.age = true;
            self.ages.arm(alarm(at));
        }
    }
}

/// The lane that has armed this, if it is still there.
fn alarmed(lanes: &mut Slab<Lane>, alarm: Alarm) -> Option<&mut Lane> {
    lanes.get_mut(alarm.lane).filter(|lane| lane.generation == alarm.generation)
}

/// Spreads handles, which this server gives out itself, over a table.
#[derive(Debug, Default)]
struct HandleHasher(u64);

impl Hasher for HandleHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u16(u16::from(*byte));
        }
    }

    fn write_u16(&mut self, value: u16) {
        self.0 = (self.0 ^ u64::from(value)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }
}

#[cfg(test)]
mod tests;
