//! The clock of packet timestamps.

use std::time::Instant;

/// Ticks per second (protocol §5.4).
const TICKS_PER_SECOND: u128 = 90_000;
const MICROS_PER_SECOND: u128 = 1_000_000;

/// Counts 90,000 ticks a second from a base, and wraps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MediaClock {
    base: u32,
    start: Instant,
}

impl MediaClock {
    /// Shows `base` at `start`.
    pub(crate) fn new(base: u32, start: Instant) -> Self {
        Self { base, start }
    }

    /// What it shows at `now`; the base before it was started.
    pub(crate) fn at(self, now: Instant) -> u32 {
        let elapsed = now.saturating_duration_since(self.start).as_micros();
        let ticks = elapsed * TICKS_PER_SECOND / MICROS_PER_SECOND % (1 << u32::BITS);
        self.base.wrapping_add(u32::try_from(ticks).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[track_caller]
    fn check(base: u32, micros: u64, expected: u32) {
        #[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
        let start = Instant::now();
        assert_eq!(MediaClock::new(base, start).at(start + Duration::from_micros(micros)), expected);
    }

    #[test]
    fn the_clock_has_90000_ticks_a_second_from_its_base() {
        check(0, 0, 0);
        check(7, 1_000_000, 90_007);
        check(0, 33_333, 2_999);
        check(u32::MAX, 1_000_000, 89_999);
        check(5, (1 << 32) * 1_000_000 / 90_000 + 1, 5);
    }
}
