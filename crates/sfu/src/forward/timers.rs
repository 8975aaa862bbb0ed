//! When each peer wants to be called. Idle peers cost nothing, and a deadline that only moves
//! later costs nothing either: the old one fires once and is put off.

use std::collections::BTreeSet;
use std::time::Instant;

use super::ids::IdMap;
use crate::control::PeerId;

/// Deadlines of peers. Invariant: each peer has at most one entry in `armed`, at or before its deadline.
#[derive(Debug, Default)]
pub(super) struct Timers {
    peers: IdMap<PeerId, Deadline>,
    armed: BTreeSet<(Instant, PeerId)>,
}

#[derive(Debug, Clone, Copy)]
struct Deadline {
    wanted: Instant,
    armed: Instant,
}

impl Timers {
    /// The peer wants to be called then, and no longer at any earlier agreed time.
    pub(super) fn set(&mut self, peer: PeerId, wanted: Instant) {
        match self.peers.get_mut(&peer) {
            Some(deadline) if deadline.armed <= wanted => deadline.wanted = wanted,
            Some(deadline) => {
                self.armed.remove(&(deadline.armed, peer));
                self.arm(peer, wanted);
            }
            None => self.arm(peer, wanted),
        }
    }

    /// Forgets a peer.
    pub(super) fn remove(&mut self, peer: PeerId) {
        if let Some(deadline) = self.peers.remove(&peer) {
            self.armed.remove(&(deadline.armed, peer));
        }
    }

    /// A peer whose time has come; it has no deadline until it sets the next.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<PeerId> {
        while let Some(&(armed, peer)) = self.armed.first() {
            if armed > now {
                return None;
            }
            self.armed.pop_first();
            match self.peers.remove(&peer) {
                Some(deadline) if deadline.wanted > now => self.arm(peer, deadline.wanted),
                _ => return Some(peer),
            }
        }
        None
    }

    /// When to look again.
    pub(super) fn next(&self) -> Option<Instant> {
        self.armed.first().map(|(armed, _)| *armed)
    }

    fn arm(&mut self, peer: PeerId, at: Instant) {
        self.peers.insert(peer, Deadline { wanted: at, armed: at });
        self.armed.insert((at, peer));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Any fixed origin will do.
    #[allow(clippy::disallowed_methods)]
    fn origin() -> Instant {
        Instant::now()
    }

    #[test]
    fn deadlines_fire_in_order_and_once() {
        let (start, ms) = (origin(), Duration::from_millis(1));
        let mut timers = Timers::default();
        timers.set(PeerId(1), start + 3 * ms);
        timers.set(PeerId(2), start + ms);
        assert_eq!(timers.next(), Some(start + ms));
        assert_eq!(timers.pop_due(start), None);
        assert_eq!(timers.pop_due(start + 5 * ms), Some(PeerId(2)));
        assert_eq!(timers.pop_due(start + 5 * ms), Some(PeerId(1)));
        assert_eq!(timers.pop_due(start + 5 * ms), None);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn a_deadline_moves_both_ways() {
        let (start, ms) = (origin(), Duration::from_millis(1));
        let mut timers = Timers::default();
        timers.set(PeerId(1), start + 5 * ms);
        timers.set(PeerId(1), start + 9 * ms);
        assert_eq!(timers.pop_due(start + 5 * ms), None, "put off");
        assert_eq!(timers.next(), Some(start + 9 * ms));
        timers.set(PeerId(1), start + 2 * ms);
        assert_eq!(timers.pop_due(start + 2 * ms), Some(PeerId(1)));
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn a_forgotten_peer_leaves_nothing() {
        let start = origin();
        let mut timers = Timers::default();
        timers.set(PeerId(1), start);
        timers.remove(PeerId(1));
        assert_eq!((timers.pop_due(start), timers.next()), (None, None));
        assert!(timers.peers.is_empty());
    }
}
