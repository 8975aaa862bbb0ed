//! The time that all steps have together.

use std::time::Duration;

use tokio::time::Instant;

/// Leaves some of the 20 s for leaving rooms.
const TOTAL: Duration = Duration::from_secs(16);

/// The time that is left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    until: Instant,
}

impl Budget {
    /// All of it, from now on.
    pub(super) fn begin() -> Self {
        Self { until: Instant::now() + TOTAL }
    }

    /// For a step that wants so much.
    pub(super) fn limit(self, wanted: Duration) -> Duration {
        wanted.min(self.until.saturating_duration_since(Instant::now()))
    }
}
