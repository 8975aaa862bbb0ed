//! Takes turns between lanes by bytes: deficit round robin.

use std::collections::VecDeque;

use crate::slab::Key;

/// Bytes a lane of weight 1 may send per turn: about one datagram, so that a small frame waits for
/// little.
pub(crate) const QUANTUM_BYTES: u32 = 1_536;

/// Lanes that have a packet to send, each once.
#[derive(Debug, Default)]
pub(crate) struct Ring(VecDeque<Key>);

impl Ring {
    pub(crate) fn front(&self) -> Option<Key> {
        self.0.front().copied()
    }

    pub(crate) fn join(&mut self, lane: Key) {
        self.0.push_back(lane);
    }

    /// The front lane's turn is over.
    pub(crate) fn rotate(&mut self) {
        if let Some(lane) = self.0.pop_front() {
            self.0.push_back(lane);
        }
    }

    pub(crate) fn leave_front(&mut self) {
        self.0.pop_front();
    }

    /// For lanes that are removed, which is rare.
    pub(crate) fn leave(&mut self, lane: Key) {
        self.0.retain(|other| *other != lane);
    }
}
