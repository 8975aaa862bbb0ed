//! By how much a subscriber's clock is ahead of its publisher's.

use std::time::Duration;

/// What is added to the publisher's time to come to the subscriber's, in nanoseconds.
///
/// Zero within one process. Across processes on one machine, both count from a common epoch (Unix time);
/// across machines somebody has to have measured it, and a latency is no better than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockOffset {
    /// Positive when the subscriber's clock is ahead.
    pub nanos: i64,
}

impl ClockOffset {
    /// The subscriber's moment as the publisher's clock shows it; `None` when that is before its epoch.
    #[must_use]
    pub fn to_publisher(self, received: Duration) -> Option<Duration> {
        let distance = Duration::from_nanos(self.nanos.unsigned_abs());
        if self.nanos >= 0 { received.checked_sub(distance) } else { received.checked_add(distance) }
    }

    /// How long after it was meant to be sent a frame was received; `None` when that was before, which
    /// only clocks can do.
    #[must_use]
    pub fn latency(self, intended: Duration, received: Duration) -> Option<Duration> {
        self.to_publisher(received)?.checked_sub(intended)
    }
}
