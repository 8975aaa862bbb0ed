//! Which of the frames that have been decided about had come, and which were delivered.

/// Frames further back are not remembered.
pub(super) const REMEMBERED: u64 = 64;

/// What is remembered of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    /// It was delivered.
    Delivered,
    /// Packets of it came, and it was dropped.
    Dropped,
    /// Nothing of it came.
    Missing,
    /// It is too long ago.
    Forgotten,
}

/// A sliding window that ends with the newest frame that has been decided about.
#[derive(Debug, Default)]
pub(super) struct History {
    seen: u64,
    delivered: u64,
}

impl History {
    /// The frame so many after the newest is decided about; those between are missing.
    pub(super) fn decide(&mut self, steps: u64, delivered: bool) {
        let shifted =
            |bits: u64| u32::try_from(steps).ok().and_then(|steps| bits.checked_shl(steps)).unwrap_or(0);
        self.seen = shifted(self.seen) | 1;
        self.delivered = shifted(self.delivered) | u64::from(delivered);
    }

    /// What is remembered of the frame so many before the newest.
    pub(super) fn past(&self, behind: u64) -> Past {
        if behind >= REMEMBERED {
            return Past::Forgotten;
        }
        match (self.seen >> behind & 1, self.delivered >> behind & 1) {
            (_, 1) => Past::Delivered,
            (1, _) => Past::Dropped,
            _ => Past::Missing,
        }
    }

    /// Something of a frame came too late.
    pub(super) fn mark_seen(&mut self, behind: u64) {
        if behind < REMEMBERED {
            self.seen |= 1 << behind;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_64_frames_are_remembered() {
        let mut history = History::default();
        history.decide(1, true);
        history.decide(3, false);
        let past =
            |history: &History, behind: &[u64]| behind.iter().map(|at| history.past(*at)).collect::<Vec<_>>();
        use Past::{Delivered, Dropped, Forgotten, Missing};
        assert_eq!(past(&history, &[0, 1, 2, 3, 4]), [Dropped, Missing, Missing, Delivered, Missing]);
        history.mark_seen(1);
        history.decide(61, true);
        assert_eq!(past(&history, &[0, 61, 62, 63, 64]), [Delivered, Dropped, Dropped, Missing, Forgotten]);
        history.decide(1 << 40, true);
        assert_eq!(past(&history, &[0, 1, 63]), [Delivered, Missing, Missing]);
    }
}
