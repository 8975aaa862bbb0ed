//! What waits for one receiver: events of each room in their order, rooms beside each other.
//!
//! Pure: time comes in, and what is to be sent goes out. At any moment each event that was pushed is delivered,
//! dropped for a reason, waiting, or on its way; of each room at most one is on its way.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use trackyard_proto::webhook::WebhookEvent;

use super::Told;
use super::counters::Undelivered;

/// The pause after a first failure; it doubles with each.
const PAUSE_FIRST: Duration = Duration::from_millis(500);
/// And does not grow beyond this.
const PAUSE_MAX: Duration = Duration::from_secs(8);
/// What an event takes beside its texts.
const EVENT_BYTES: usize = 512;

/// How much of anything there may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Events on their way.
    pub(super) parallel_max: usize,
    /// Events of one room.
    pub(super) depth_max: usize,
    /// How long after it happened an event is given up.
    pub(super) age_max: Duration,
    /// Memory of all events.
    pub(super) bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            parallel_max: 10,
            depth_max: 200,
            age_max: Duration::from_secs(30),
            bytes_max: 64 * 1024 * 1024,
        }
    }
}

/// What becomes of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The receiver has it.
    Delivered,
    /// Worth another try.
    Failed,
    /// The receiver does not want it.
    Refused,
}

/// An event that is to be sent now.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    /// What it belongs to; to be given back with the outcome.
    pub(super) room: Arc<str>,
    /// What to send.
    pub(super) event: Arc<WebhookEvent>,
    /// How many were dropped that nobody has been told of.
    pub(super) num_dropped: u32,
}

/// What waits for one receiver.
#[derive(Debug)]
pub(super) struct Queues {
    limits: Limits,
    rooms: HashMap<Arc<str>, Queue>,
    /// Rooms whose first event may be sent, in turn.
    ready: VecDeque<Arc<str>>,
    /// Rooms whose first event has failed, by when it is tried again.
    paused: BTreeMap<(Instant, u64), Arc<str>>,
    pauses: u64,
    under_way: usize,
    waiting: usize,
    bytes: usize,
    /// Dropped, and not told yet.
    untold: u32,
    drops: BTreeMap<Undelivered, u64>,
    random: fastrand::Rng,
}

/// What waits of one room.
#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<Told>,
    /// Failures of the first event.
    failures: u32,
    /// The first event is on its way, with so many that were dropped.
    under_way: Option<u32>,
}

impl Queues {
    pub(super) fn new(limits: Limits, seed: u64) -> Self {
        Self {
            limits,
            rooms: HashMap::new(),
            ready: VecDeque::new(),
            paused: BTreeMap::new(),
            pauses: 0,
            under_way: 0,
            waiting: 0,
            bytes: 0,
            untold: 0,
            drops: BTreeMap::new(),
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// Something has happened. Where there is no room for it, events of tracks give way to all others.
    pub(super) fn push(&mut self, told: Told) {
        let room: Arc<str> = told.event.room.as_ref().map_or("", |room| room.name.as_str()).into();
        let bytes = weight(&told);
        if self.bytes + bytes > self.limits.bytes_max {
            return self.drop_events(Undelivered::Memory, 1);
        }
        let queue = self.rooms.entry(Arc::clone(&room)).or_default();
        if queue.events.len() >= self.limits.depth_max {
            let track = queue.newest_track().filter(|_| !told.event.kind.is_about_track());
            let evicted = track.and_then(|at| queue.events.remove(at));
            let Some(evicted) = evicted else { return self.drop_events(Undelivered::Depth, 1) };
            self.forget(&evicted);
            self.drop_events(Undelivered::Depth, 1);
        }
        self.bytes += bytes;
        self.waiting += 1;
        let queue = self.rooms.entry(Arc::clone(&room)).or_default();
        queue.events.push_back(told);
        if queue.events.len() == 1 {
            self.ready.push_back(room);
        }
    }

    /// The next event that is to be sent.
    pub(super) fn next(&mut self, now: Instant) -> Option<Attempt> {
        self.wake(now);
        while self.under_way < self.limits.parallel_max {
            let room = self.ready.pop_front()?;
            self.expire(&room, now);
            let num_dropped = self.untold;
            let Some(queue) = self.rooms.get_mut(&room) else { continue };
            let Some(first) = queue.events.front() else {
                self.rooms.remove(&room);
                continue;
            };
            let event = Arc::clone(&first.event);
            queue.under_way = Some(num_dropped);
            self.untold = 0;
            self.under_way += 1;
            return Some(Attempt { room, event, num_dropped });
        }
        None
    }

    /// What has become of a room's first event.
    pub(super) fn settle(&mut self, room: &Arc<str>, outcome: Outcome, now: Instant) {
        let Some(queue) = self.rooms.get_mut(room) else { return };
        let Some(num_dropped) = queue.under_way.take() else { return };
        self.under_way -= 1;
        if outcome == Outcome::Failed {
            self.untold = self.untold.saturating_add(num_dropped);
            return self.pause(room, now);
        }
        queue.failures = 0;
        let first = queue.events.pop_front();
        let is_empty = queue.events.is_empty();
        first.iter().for_each(|first| self.forget(first));
        if outcome == Outcome::Refused {
            self.untold = self.untold.saturating_add(num_dropped);
            self.drop_events(Undelivered::Refused, 1);
        }
        if is_empty {
            self.rooms.remove(room);
        } else {
            self.ready.push_back(Arc::clone(room));
        }
    }

    /// So many were dropped before they came here.
    pub(super) fn lost(&mut self, count: u32) {
        self.untold = self.untold.saturating_add(count);
    }

    /// When [`next`](Self::next) is worth asking again, if nothing else happens.
    pub(super) fn timeout(&self) -> Option<Instant> {
        let next = self.paused.keys().next().map(|(at, _)| *at);
        next.filter(|_| self.under_way < self.limits.parallel_max)
    }

    /// Events that wait or are on their way.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Gives everything up.
    pub(super) fn clear(&mut self) {
        self.drop_events(Undelivered::Shutdown, self.waiting as u64);
        (self.waiting, self.bytes) = (0, 0);
        self.rooms.clear();
    }

    /// What was dropped since this was asked last.
    pub(super) fn take_drops(&mut self) -> BTreeMap<Undelivered, u64> {
        std::mem::take(&mut self.drops)
    }

    /// Whose pause is over comes behind those that are ready.
    fn wake(&mut self, now: Instant) {
        while let Some(entry) = self.paused.first_entry() {
            if entry.key().0 > now {
                return;
            }
            self.ready.push_back(entry.remove());
        }
    }

    /// Gives up the events at the head of a room that are too old.
    fn expire(&mut self, room: &Arc<str>, now: Instant) {
        let Some(queue) = self.rooms.get_mut(room) else { return };
        let age_max = self.limits.age_max;
        let is_old = |told: &&Told| now.saturating_duration_since(told.at) > age_max;
        let count = queue.events.iter().take_while(is_old).count();
        let expired: Vec<Told> = queue.events.drain(..count).collect();
        if count > 0 {
            queue.failures = 0;
        }
        expired.iter().for_each(|told| self.forget(told));
        self.drop_events(Undelivered::Age, count as u64);
    }

    /// A pause of half to all of what its failures make it, so that rooms do not come all at once.
    fn pause(&mut self, room: &Arc<str>, now: Instant) {
        let Some(queue) = self.rooms.get_mut(room) else { return };
        let doubled = PAUSE_FIRST.saturating_mul(1 << queue.failures.min(8)).min(PAUSE_MAX);
        queue.failures += 1;
        self.pauses += 1;
        let at = now + doubled.mul_f64(0.5 + 0.5 * self.random.f64());
        self.paused.insert((at, self.pauses), Arc::clone(room));
    }

    fn forget(&mut self, told: &Told) {
        self.bytes -= weight(told);
        self.waiting -= 1;
    }

    fn drop_events(&mut self, reason: Undelivered, count: u64) {
        if count > 0 {
            *self.drops.entry(reason).or_default() += count;
            self.untold = self.untold.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        }
    }
}

impl Queue {
    /// The newest event of a track behind the first one, which may be on its way.
    fn newest_track(&self) -> Option<usize> {
        (1..self.events.len()).rev().find(|at| self.events[*at].event.kind.is_about_track())
    }
}

fn weight(told: &Told) -> usize {
    EVENT_BYTES + told.event.weight()
}

#[cfg(test)]
mod tests;
