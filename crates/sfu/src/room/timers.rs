//! When the room wants to be called next: at most one time per timer.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use crate::control::PeerId;

/// What is to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Timer {
    /// Others are told how this participant is now.
    Announce(PeerId),
    /// Others are told of those who came and went without publishing.
    Presence,
    /// Handles that had to wait behind their tracks' announcement are sent.
    Handles(PeerId),
    /// It should be active by now.
    Join(PeerId),
    /// It should have answered the offer by now.
    Negotiation(PeerId),
    /// Its connection has failed, and it has not said goodbye.
    Failure(PeerId),
    /// Its connection has failed, and should be up again by now.
    Grace(PeerId),
    /// It gets a fresh token.
    Refresh(PeerId),
    /// The oldest of its subscriptions to unknown tracks is given up.
    Pending(PeerId),
    /// Last wills have had their time.
    LastWills,
    /// What a call of a participant's method waits for should have happened by now.
    Calls,
    /// Senders that pause are asked to go on doing so.
    Flows,
    /// The room's counts are sent.
    RoomUpdate,
    /// Nobody has come, or come back.
    RoomEnd,
}

impl Timer {
    /// Every timer of one participant.
    pub(super) fn of(peer: PeerId) -> [Self; 8] {
        [
            Self::Announce(peer),
            Self::Handles(peer),
            Self::Join(peer),
            Self::Negotiation(peer),
            Self::Failure(peer),
            Self::Grace(peer),
            Self::Refresh(peer),
            Self::Pending(peer),
        ]
    }
}

/// Timers by time.
#[derive(Debug, Default)]
pub(super) struct Timers {
    by_time: BTreeSet<(Instant, Timer)>,
    at: HashMap<Timer, Instant>,
}

impl Timers {
    /// Sets a timer, which forgets its former time.
    pub(super) fn set(&mut self, timer: Timer, at: Instant) {
        self.cancel(timer);
        self.at.insert(timer, at);
        self.by_time.insert((at, timer));
    }

    /// Sets a timer unless it is set to an earlier time.
    pub(super) fn set_by(&mut self, timer: Timer, at: Instant) {
        if self.at.get(&timer).is_none_or(|set| *set > at) {
            self.set(timer, at);
        }
    }

    /// Unsets a timer.
    pub(super) fn cancel(&mut self, timer: Timer) {
        if let Some(at) = self.at.remove(&timer) {
            self.by_time.remove(&(at, timer));
        }
    }

    /// It is set.
    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.at.contains_key(&timer)
    }

    /// The earliest time.
    pub(super) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes the earliest timer, if its time has come.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Timer> {
        let (at, timer) = *self.by_time.first()?;
        (at <= now).then(|| {
            self.cancel(timer);
            timer
        })
    }

    /// Unsets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
