//! What the time of day is at an instant, as far as a frame's own timestamp is concerned.

use std::time::{Duration, Instant};

/// A timestamp may be ahead of the clock here by this; it is then taken for now.
pub const CLOCK_AHEAD_MAX: Duration = Duration::from_secs(1);
/// Beyond this it is no time of day in milliseconds, or that of a clock that was never set.
pub const CLOCK_BEHIND_MAX: Duration = Duration::from_secs(24 * 3_600);

/// The time of day at one instant, from which that at any other follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallClock {
    /// An instant.
    pub at: Instant,
    /// Milliseconds since the Unix epoch at that instant.
    pub unix_ms: u64,
}

impl WallClock {
    /// How long before `now` the timestamp was taken, in Unix milliseconds; nothing if it cannot be one,
    /// by [`CLOCK_AHEAD_MAX`] and [`CLOCK_BEHIND_MAX`].
    #[must_use]
    pub fn since(&self, user_timestamp: u64, now: Instant) -> Option<Duration> {
        let elapsed = i128::try_from(now.saturating_duration_since(self.at).as_millis()).ok()?;
        let before = i128::try_from(self.at.saturating_duration_since(now).as_millis()).ok()?;
        let age_ms = i128::from(self.unix_ms) + elapsed - before - i128::from(user_timestamp);
        if age_ms < -i128::try_from(CLOCK_AHEAD_MAX.as_millis()).ok()? {
            return None;
        }
        let age = Duration::from_millis(u64::try_from(age_ms.max(0)).ok()?);
        (age <= CLOCK_BEHIND_MAX).then_some(age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(user_timestamp: u64, expected_ms: Option<u64>) {
        #[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
        let at = Instant::now() + Duration::from_secs(10);
        let clock = WallClock { at, unix_ms: 1_000_000_000 };
        let since = |now| clock.since(user_timestamp, now);
        assert_eq!(since(at), expected_ms.map(Duration::from_millis));
        let later = since(at + Duration::from_secs(2));
        let earlier = since(at - Duration::from_secs(2));
        if let (Some(later), Some(earlier), Some(ms @ 2_000..)) = (later, earlier, expected_ms) {
            assert_eq!(later - earlier, Duration::from_secs(4), "{ms}");
        }
    }

    #[test]
    fn implausible_timestamps_are_refused() {
        check(1_000_000_000, Some(0));
        check(999_995_000, Some(5_000));
        check(1_000_001_000, Some(0));
        check(1_000_001_001, None);
        check(1_000_000_000 - 86_400_000, Some(86_400_000));
        check(1_000_000_000 - 86_400_001, None);
        check(0, None);
        check(u64::MAX, None);
    }
}
