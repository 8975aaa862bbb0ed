//! The process's clocks, read in one place.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use trackyard_sfu::control::Now;

/// Tells the time; clones tell the same. It can be set off, as a clock that is adjusted jumps.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock {
    offset_s: Arc<AtomicI64>,
}

impl Clock {
    /// From now on the time of day is so many seconds later than the machine's, or earlier.
    pub(crate) fn set_off_by(&self, seconds: i64) {
        self.offset_s.store(seconds, Ordering::Relaxed);
    }

    /// Both clocks at once.
    pub(crate) fn now(&self) -> Now {
        Now { instant: Instant::now(), unix_ms: self.unix_ms() }
    }

    /// Seconds since 1970; 0 if the clock stands before it.
    pub(crate) fn unix_s(&self) -> u64 {
        self.unix_ms() / 1_000
    }

    fn unix_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let offset_ms = self.offset_s.load(Ordering::Relaxed).saturating_mul(1_000);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX).saturating_add_signed(offset_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_off_tells_another_time_of_day_and_no_other_moment() {
        let clock = Clock::default();
        let (other, before) = (clock.clone(), clock.now());
        other.set_off_by(3_600);
        let later = clock.now();
        assert!(later.unix_ms >= before.unix_ms + 3_600_000);
        assert!(later.instant - before.instant < std::time::Duration::from_secs(600));
        other.set_off_by(-3_600);
        assert!(clock.unix_s() < before.unix_ms / 1_000);
        other.set_off_by(i64::MIN);
        assert_eq!(clock.unix_s(), 0, "no clock goes further back");
    }
}
