//! When lanes want to be looked at.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use crate::slab::Key;

/// Deadlines of lanes, earliest first. A lane says itself which of its deadlines is valid, and has
/// one at a time, so that this grows with the lanes and not with their packets.
#[derive(Debug, Default)]
pub(crate) struct Timers(BinaryHeap<Reverse<(Instant, Key)>>);

impl Timers {
    pub(crate) fn arm(&mut self, at: Instant, lane: Key) {
        self.0.push(Reverse((at, lane)));
    }

    pub(crate) fn earliest(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<(Instant, Key)> {
        if self.earliest()? > now {
            return None;
        }
        self.0.pop().map(|Reverse(entry)| entry)
    }
}
