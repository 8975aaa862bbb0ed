//! What the channel may hold: as much as the path carries without queueing, and little more.
//!
//! All that is known of the path is how many bytes the channel holds, those in flight included. It
//! falls when the receiver acknowledges. So the rate is what is released while the channel holds
//! anything, the round trip is the time from a write to its release when nothing can have queued
//! before it, and their product is what has to be in flight. What is allowed beyond that product
//! both keeps the path busy and lets the estimate rise when the path can take more.
//!
//! Measured over the real association in virtual time (`sim`, `worlds::estimator`) at 5 to 200 ms of round trip, 1 to 20 Mbit/s and
//! drop-tail queues of 50 to 500 ms, frames of 1,000 B and of 64 KiB beyond the link's rate (`docs/performance.md` has the table):
//!
//! - Where the queue holds 200 ms and more, 94 to 100 % of 5 and 20 Mbit/s arrives in intact frames, and up to 50 ms of round
//!   trip nothing is lost at the queue, and a frame waits about 50 ms in the path beyond its round trip.
//! - A queue that slow start overshoots by loses once. The association is shown one of those losses (`peer`, `sctp::flight`) and
//!   halves what is in flight once; what is said above holds from two seconds on.
//! - Less room at the start is no help: below some ten packets in flight an acknowledgement that the receiver withholds
//!   outlasts the 50 ms, and the estimate never rises (4 % of 5 Mbit/s at 200 ms). Nor is more: 128 KiB would bring nearly every frame of 16 KiB
//!   at 50 Hz through the first second at 100 ms, and makes small frames wait a second at 1 Mbit/s.
//! - A queue of 50 ms is what may wait in the path, so it overflows now and then, and each time what is in flight is halved and comes back
//!   by a datagram per round trip: at 200 ms a link is used to 28 to 60 %. At 1 Mbit/s a frame of 64 KiB alone takes half a second: it
//!   outlasts shorter queues.

mod delivery_rate;
mod round_trip;

use std::time::{Duration, Instant};

use crate::OutboxConfig;
use delivery_rate::DeliveryRate;
use round_trip::RoundTrip;

/// While the rate still grows, the channel may hold so many times what is on its way: a sender in
/// slow start doubles what it has in flight, and only while more waits.
const STARTUP_GAIN: f64 = 3.0;
/// To measure the round trip, the channel is held below what is on its way.
const PROBE_GAIN: f64 = 0.85;
/// A rate so much lower than before makes the round trip worth measuring again.
const SLOWER: f64 = 0.7;

/// So little in the channel is no queue: the messages that open it are counted with it until they are acknowledged.
const NO_QUEUE_BYTES: usize = 64;

/// Invariant: without knowledge there is a fixed room, with it the product of rate and time.
#[derive(Debug)]
pub(crate) struct Estimator {
    config: OutboxConfig,
    /// What the channel holds.
    buffered: usize,
    /// When that was last told.
    updated: Option<Instant>,
    /// The channel has refused a packet since.
    blocked: bool,
    /// A packet found no room since the last sample of the rate.
    limited: bool,
    rate: DeliveryRate,
    /// The rate since the round trip was last measured for its fall.
    rate_before: f64,
    round_trip: RoundTrip,
}

impl Estimator {
    pub(crate) fn new(config: OutboxConfig) -> Self {
        Self {
            config,
            buffered: 0,
            updated: None,
            blocked: false,
            limited: false,
            rate: DeliveryRate::default(),
            rate_before: 0.0,
            round_trip: RoundTrip::default(),
        }
    }

    /// Another channel: nothing is known of it.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.config);
    }

    /// The channel holds so much.
    pub(crate) fn update(&mut self, buffered: usize, now: Instant) {
        let since = self.updated.replace(now).unwrap_or(now);
        let busy = if self.buffered > 0 { now.saturating_duration_since(since) } else { Duration::ZERO };
        let released = self.buffered.saturating_sub(buffered);
        self.round_trip.found(buffered.saturating_sub(self.buffered));
        self.buffered = buffered;
        self.blocked = false;
        self.round_trip.released(released, now);
        if self.rate.released(released, busy, self.round_trip.least()) {
            self.rate.sample(std::mem::take(&mut self.limited), now);
            self.probe_if_slower();
        }
        if buffered > 0 {
            self.round_trip.probe_if_stale(now);
        }
    }

    /// The channel has taken so much.
    pub(crate) fn wrote(&mut self, bytes: usize, now: Instant) {
        let clean = self.buffered <= NO_QUEUE_BYTES
            || (self.buffered as f64) < self.in_flight() * PROBE_GAIN
            || self.is_remnant(self.buffered);
        self.round_trip.wrote(bytes, clean, now);
        if self.buffered == 0 {
            self.updated = Some(now);
        }
        self.buffered += bytes;
    }

    /// The channel has refused a packet; until it is told what it holds, there is no room.
    pub(crate) fn refused(&mut self) {
        self.blocked = true;
        self.limited = true;
    }

    /// A packet was there and found no room: what is released is all the path can do.
    pub(crate) fn note_limited(&mut self) {
        self.limited = true;
    }

    /// There is room for a packet of this length behind `waiting` bytes. One of a `sparse` lane
    /// does not have to wait until the channel is drained to measure the round trip.
    pub(crate) fn has_room(&self, waiting: usize, length: usize, sparse: bool) -> bool {
        let held = self.buffered + waiting;
        let room =
            if self.round_trip.is_probing() && !sparse { self.probe_room() } else { self.room(length) };
        !self.blocked && (held == 0 || held < room || self.is_remnant(held))
    }

    /// What keeps a probe from draining the channel is no queue: the receiver withholds its
    /// acknowledgement of the last packet until the next one comes, or up to 200 ms.
    fn is_remnant(&self, held: usize) -> bool {
        self.round_trip.is_stalled() && held < self.config.room_min_bytes
    }

    /// What was measured while the rate was thought to be greater may have been a queue; and if the
    /// round trip has become longer, that shows as a lower rate.
    fn probe_if_slower(&mut self) {
        let rate = self.rate.bytes_per_second();
        if rate < self.rate_before * SLOWER {
            self.round_trip.probe();
            self.rate_before = rate;
        }
        self.rate_before = self.rate_before.max(rate);
    }

    /// What the channel may hold when a packet of this length is to be written.
    fn room(&self, length: usize) -> usize {
        let in_flight = self.in_flight();
        let queue = self.rate.bytes_per_second() * self.config.queue_time.as_secs_f64();
        let gain = if self.rate.is_growing() { STARTUP_GAIN } else { 1.0 };
        let estimate = (in_flight + queue).max(in_flight * gain) as usize;
        let start = if self.rate.is_known() { 0 } else { self.config.room_start_bytes };
        let floor = self.config.room_min_bytes.max(2 * length);
        estimate.max(start).max(floor).min(self.config.room_max_bytes.max(floor))
    }

    /// What the channel may hold while the round trip is measured.
    fn probe_room(&self) -> usize {
        (self.in_flight() * PROBE_GAIN) as usize
    }

    /// Bytes on their way when the path is busy and nothing queues.
    fn in_flight(&self) -> f64 {
        self.rate.bytes_per_second() * self.round_trip.least().as_secs_f64()
    }
}

#[cfg(test)]
mod tests;
