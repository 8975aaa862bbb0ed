//! Takes turns between lanes by bytes: deficit round robin, sparse lanes first.
//!
//! A lane that had nothing to send comes before those that always have something, so that a small
//! frame waits for what the channel holds and not for every busy lane. It may do so with the bytes
//! of one turn while the busy lanes take one each; beyond that it queues up with them.

use std::collections::VecDeque;

use crate::slab::Key;

/// Bytes a lane of weight 1 may send per turn: about one datagram, so that a small frame waits for
/// little.
const QUANTUM_BYTES: u32 = 1_536;

#[derive(Debug, Default)]
struct Queue {
    lanes: VecDeque<Key>,
    /// The first lane has got its bytes for this turn.
    begun: bool,
}

impl Queue {
    fn pop(&mut self) -> Option<Key> {
        self.begun = false;
        self.lanes.pop_front()
    }

    fn remove(&mut self, lane: Key) {
        self.begun &= self.lanes.front() != Some(&lane);
        self.lanes.retain(|other| *other != lane);
    }
}

/// The lane whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Front {
    pub(crate) lane: Key,
    /// It had nothing to send before.
    pub(crate) sparse: bool,
}

/// Lanes that have a packet to send, each once.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    sparse: Queue,
    busy: Queue,
    round: u16,
    /// Turns of busy lanes until the next round.
    turns_left: usize,
}

/// A lane's place among others.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// It is in the ring.
    pub(crate) joined: bool,
    /// Bytes it may still send in this turn.
    pub(crate) deficit: u32,
    /// In which round it got them.
    round: Option<u16>,
}

impl Ring {
    pub(crate) fn front(&self) -> Option<Front> {
        let front = |queue: &Queue, sparse| queue.lanes.front().map(|lane| Front { lane: *lane, sparse });
        front(&self.sparse, true).or_else(|| front(&self.busy, false))
    }

    /// A lane has got something to send.
    pub(crate) fn join(&mut self, lane: Key) {
        self.sparse.lanes.push_back(lane);
    }

    /// Looks at the front lane, and gives it the bytes of a turn if it has not had them.
    pub(crate) fn begin_turn(&mut self, turn: &mut Turn, weight: u16) {
        let (sparse, alone) = (!self.sparse.lanes.is_empty(), self.busy.lanes.is_empty());
        if std::mem::replace(&mut self.first().begun, true) {
            return;
        }
        let bytes = QUANTUM_BYTES * u32::from(weight);
        if !sparse {
            turn.deficit += bytes;
        } else if alone || turn.round != Some(self.round) {
            turn.deficit = bytes;
        }
        turn.round = Some(self.round);
    }

    /// The front lane has used up its turn.
    pub(crate) fn end_turn(&mut self) {
        if let Some(lane) = self.pop() {
            self.busy.lanes.push_back(lane);
        }
    }

    /// The front lane has nothing to send. What is left of its turn is good for this round only.
    pub(crate) fn leave_front(&mut self, turn: &mut Turn) {
        turn.joined = false;
        self.pop();
    }

    /// For lanes that are removed, which is rare.
    pub(crate) fn leave(&mut self, lane: Key) {
        self.sparse.remove(lane);
        self.busy.remove(lane);
    }

    fn pop(&mut self) -> Option<Key> {
        if self.sparse.lanes.is_empty() {
            self.turns_left = self.turns_left.saturating_sub(1);
            if self.turns_left == 0 {
                self.round = self.round.wrapping_add(1);
                self.turns_left = self.busy.lanes.len();
            }
        }
        self.first().pop()
    }

    fn first(&mut self) -> &mut Queue {
        if self.sparse.lanes.is_empty() { &mut self.busy } else { &mut self.sparse }
    }
}
