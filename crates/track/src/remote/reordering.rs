//! How long a frame waits for those before it that have not come.
//!
//! A frame that is missing was most likely lost or never sent, so waiting only makes the next one older.
//! But some paths reorder. So the wait is learned: it shrinks with each one that was in vain, to nothing
//! after a few, and grows when a frame comes that was given up.

use std::time::Duration;

/// What is waited at first, and for what is left of a frame that has begun to come.
const WAIT_START: Duration = Duration::from_millis(2);
/// Nothing is waited for longer.
const WAIT_MAX: Duration = Duration::from_millis(50);
/// A wait that has shrunk below this is none.
const WAIT_LEAST: Duration = Duration::from_micros(300);

/// What is known of how a path reorders.
#[derive(Debug)]
pub(super) struct Reordering {
    wait: Duration,
}

impl Default for Reordering {
    fn default() -> Self {
        Self { wait: WAIT_START }
    }
}

impl Reordering {
    /// For a frame of which nothing has come.
    pub(super) fn wait_for_missing(&self) -> Duration {
        self.wait
    }

    /// For the rest of a frame.
    pub(super) fn wait_for_rest(&self) -> Duration {
        self.wait.max(WAIT_START)
    }

    /// What was waited for did not come in time.
    pub(super) fn waited_in_vain(&mut self) {
        let shorter = self.wait * 3 / 4;
        self.wait = if shorter < WAIT_LEAST { Duration::ZERO } else { shorter };
    }

    /// It came so long after it was given up.
    pub(super) fn came_late(&mut self, by: Duration) {
        let needed = (self.wait + by) * 2;
        self.wait = needed.clamp(WAIT_START.max(self.wait), WAIT_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_in_vain_ends_soon_and_lateness_brings_it_back() {
        let mut reordering = Reordering::default();
        for _ in 0..7 {
            assert!(reordering.wait_for_missing() > Duration::ZERO);
            reordering.waited_in_vain();
        }
        assert_eq!(reordering.wait_for_missing(), Duration::ZERO);
        assert_eq!(reordering.wait_for_rest(), WAIT_START);
        reordering.came_late(Duration::from_millis(4));
        assert_eq!(reordering.wait_for_missing(), Duration::from_millis(8));
        reordering.came_late(Duration::ZERO);
        assert_eq!(reordering.wait_for_missing(), Duration::from_millis(16));
        reordering.came_late(Duration::from_secs(1));
        assert_eq!(reordering.wait_for_rest(), WAIT_MAX);
    }
}
