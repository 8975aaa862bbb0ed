//! Takes turns between lanes by bytes: deficit round robin, sparse lanes first.
//!
//! A lane that had nothing to send gets one turn before those that always have something, so that
//! a small frame waits for what the channel holds and not for every busy lane. Once that turn is
//! over it queues up with the others, even if it has nothing more: else it could come first always.

use std::collections::VecDeque;

use crate::slab::Key;

/// Bytes a lane of weight 1 may send per turn: about one datagram, so that a small frame waits for
/// little.
pub(crate) const QUANTUM_BYTES: u32 = 1_536;

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

    /// Looks at the front lane; `true` if its turn begins with that.
    pub(crate) fn begin_turn(&mut self) -> bool {
        let queue = self.first();
        !std::mem::replace(&mut queue.begun, true)
    }

    /// The front lane has used up its turn.
    pub(crate) fn end_turn(&mut self) {
        if let Some(lane) = self.first().pop() {
            self.busy.lanes.push_back(lane);
        }
    }

    /// The front lane has nothing to send; `true` if it leaves with that.
    pub(crate) fn skip_turn(&mut self) -> bool {
        let leaves = self.sparse.lanes.is_empty() || self.busy.lanes.is_empty();
        match self.first().pop() {
            Some(lane) if !leaves => self.busy.lanes.push_back(lane),
            _ => {}
        }
        leaves
    }

    /// For lanes that are removed, which is rare.
    pub(crate) fn leave(&mut self, lane: Key) {
        self.sparse.remove(lane);
        self.busy.remove(lane);
    }

    fn first(&mut self) -> &mut Queue {
        if self.sparse.lanes.is_empty() { &mut self.busy } else { &mut self.sparse }
    }
}
