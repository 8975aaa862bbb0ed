//! When lanes want to be looked at.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use crate::slab::Key;

/// A lane that wants to be looked at. Its slot may have got another lane since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Alarm {
    pub(crate) at: Instant,
    pub(crate) lane: Key,
    pub(crate) generation: u32,
}

/// Deadlines of lanes, earliest first. A lane knows whether it has armed one and arms no second, so
/// that this grows with the lanes and not with their packets.
#[derive(Debug, Default)]
pub(crate) struct Timers(BinaryHeap<Reverse<Alarm>>);

impl Timers {
    pub(crate) fn arm(&mut self, alarm: Alarm) {
        self.0.push(Reverse(alarm));
    }

    pub(crate) fn earliest(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse(alarm)| alarm.at)
    }

    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Alarm> {
        if self.earliest()? > now {
            return None;
        }
        self.0.pop().map(|Reverse(alarm)| alarm)
    }
}
