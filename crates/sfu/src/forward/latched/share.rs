//! How many bytes of latched frames a worker keeps, and how many of those are one publisher's.
//!
//! Invariant: whatever one publisher leaves to be kept, the others have all but its share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use super::super::ids::IdMap;
use crate::control::PeerId;

/// Shares that are known at least before those of publishers that are gone are looked for.
const KNOWN_MIN: usize = 64;

/// What one worker keeps, by publisher.
#[derive(Debug)]
pub(in super::super) struct LatchShares {
    worker: Arc<Budget>,
    share_max: usize,
    /// As long as a latch of theirs lives.
    publishers: IdMap<PeerId, Weak<Budget>>,
    /// So many are known when those that are gone are forgotten.
    forget_at: usize,
}

/// What may be kept of one publisher's tracks.
#[derive(Debug, Clone)]
pub(in super::super) struct LatchShare {
    own: Arc<Budget>,
    worker: Arc<Budget>,
}

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// The publisher has all of its share.
    Share,
    /// The worker keeps enough.
    Worker,
}

/// Bytes that are kept, bounded.
#[derive(Debug)]
struct Budget {
    bytes: AtomicUsize,
    bytes_max: usize,
}

impl LatchShares {
    /// So many bytes of all publishers together, and of each.
    pub(in super::super) fn new(bytes_max: usize, share_max: usize) -> Self {
        let worker = Budget::new(bytes_max);
        Self { worker, share_max, publishers: IdMap::default(), forget_at: KNOWN_MIN }
    }

    /// Bytes kept at present.
    pub(in super::super) fn bytes(&self) -> usize {
        self.worker.bytes()
    }

    /// The publisher's share, which all of its latches have together.
    pub(in super::super) fn of(&mut self, publisher: PeerId) -> LatchShare {
        let worker = Arc::clone(&self.worker);
        if let Some(own) = self.publishers.get(&publisher).and_then(Weak::upgrade) {
            return LatchShare { own, worker };
        }
        if self.publishers.len() >= self.forget_at {
            self.publishers.retain(|_, share| share.strong_count() > 0);
            self.forget_at = (2 * self.publishers.len()).max(KNOWN_MIN);
        }
        let own = Budget::new(self.share_max);
        self.publishers.insert(publisher, Arc::downgrade(&own));
        LatchShare { own, worker }
    }

    /// Shares that are remembered.
    #[cfg(test)]
    fn known(&self) -> usize {
        self.publishers.len()
    }
}

impl LatchShare {
    pub(super) fn take(&self, bytes: usize) -> Result<(), Full> {
        if !self.own.take(bytes) {
            return Err(Full::Share);
        }
        if !self.worker.take(bytes) {
            self.own.give_back(bytes);
            return Err(Full::Worker);
        }
        Ok(())
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.own.give_back(bytes);
        self.worker.give_back(bytes);
    }
}

impl Budget {
    fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { bytes: AtomicUsize::new(0), bytes_max })
    }

    fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> bool {
        let fits = self.bytes() + bytes <= self.bytes_max;
        if fits {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        fits
    }

    fn give_back(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: PeerId = PeerId(1);
    const BOB: PeerId = PeerId(2);

    #[test]
    fn a_publisher_has_one_share_for_all_its_tracks() {
        let mut shares = LatchShares::new(100, 60);
        let (one, two, other) = (shares.of(ADA), shares.of(ADA), shares.of(BOB));
        assert_eq!(one.take(40), Ok(()));
        assert_eq!(two.take(21), Err(Full::Share));
        assert_eq!(two.take(20), Ok(()));
        assert_eq!(other.take(41), Err(Full::Worker), "and it is not charged for what did not fit");
        assert_eq!(other.take(40), Ok(()));
        one.give_back(40);
        assert_eq!((shares.bytes(), other.take(20)), (60, Ok(())));
    }

    #[test]
    fn publishers_that_are_gone_are_forgotten() {
        let mut shares = LatchShares::new(100, 60);
        let kept: Vec<LatchShare> = (0..10).map(|publisher| shares.of(PeerId(publisher))).collect();
        for publisher in 10..10_000 {
            shares.of(PeerId(publisher));
            assert!(shares.known() <= KNOWN_MIN);
        }
        assert_eq!(kept[3].take(60), Ok(()));
        assert_eq!(shares.of(PeerId(3)).take(1), Err(Full::Share), "those who are here are not");
    }
}
