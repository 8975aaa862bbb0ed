//! When a worker lets what comes gather for a moment before it looks again.
//!
//! To wake a thread costs several times what a datagram does. Where datagrams come so densely that it is woken for nearly each
//! of them, a pause gives them one wakeup together; where they come less densely nothing waits for anything.

use std::time::{Duration, Instant};

/// How long to pause; a sleeping thread's timer adds some 50 µs (`PR_SET_TIMERSLACK`).
const PAUSE: Duration = Duration::from_micros(100);
/// Wakeups are counted over so long, or until the next one after it.
const WINDOW: Duration = Duration::from_millis(20);
/// Wakeups a second from which on to pause.
const DENSE: u128 = 8_000;
/// And below which to pause no longer: with pauses there are fewer, and a worker that has much to do for each needs none.
const SPARSE: u128 = 2_500;

/// Watches one worker's wakeups.
#[derive(Debug)]
pub(crate) struct Pace {
    began: Instant,
    wakeups: u32,
    is_dense: bool,
}

impl Pace {
    pub(crate) fn new(now: Instant) -> Self {
        Self { began: now, wakeups: 0, is_dense: false }
    }

    /// The worker has been woken; a look without waiting is none.
    pub(crate) fn woken(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.began);
        if elapsed >= WINDOW {
            let bound = if self.is_dense { SPARSE } else { DENSE };
            self.is_dense = u128::from(self.wakeups) * 1_000_000 >= bound * elapsed.as_micros();
            (self.began, self.wakeups) = (now, 0);
        }
        self.wakeups += 1;
    }

    /// How long to pause before waiting for at most `timeout`.
    pub(crate) fn pause(&self, timeout: Option<Duration>) -> Option<Duration> {
        (self.is_dense && timeout.is_none_or(|timeout| timeout > PAUSE)).then_some(PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        pace: Pace,
        now: Instant,
    }

    impl Bench {
        fn new() -> Self {
            let now = Instant::now();
            Self { pace: Pace::new(now), now }
        }

        /// Wakes it so many times a second, for a tenth of one; whether it pauses then.
        fn wake(&mut self, per_second: u32) -> bool {
            self.wake_each(Duration::from_secs(1) / per_second, per_second / 10)
        }

        fn wake_each(&mut self, interval: Duration, times: u32) -> bool {
            for _ in 0..times {
                self.now += interval;
                self.pace.woken(self.now);
            }
            self.pace.pause(None) == Some(PAUSE)
        }
    }

    #[test]
    fn only_who_is_woken_densely_pauses() {
        let mut bench = Bench::new();
        assert!(!bench.wake(1_500));
        assert!(!bench.wake(7_500));
        assert!(bench.wake(9_000));
        assert!(bench.wake(3_000), "with pauses there are fewer wakeups for as many datagrams");
        assert!(!bench.wake(2_000));
        assert!(!bench.wake(7_500));
    }

    /// Large frames at 30 Hz, each of which wakes it a hundred times within 5 ms.
    #[test]
    fn bursts_with_much_between_them_are_not_dense() {
        let mut bench = Bench::new();
        for _ in 0..20 {
            assert!(!bench.wake_each(Duration::from_micros(50), 100));
            bench.now += Duration::from_millis(28);
        }
    }

    #[test]
    fn nothing_that_is_due_waits() {
        let mut bench = Bench::new();
        assert!(bench.wake(10_000));
        for (timeout, pauses) in [(0, false), (100, false), (101, true)] {
            let timeout = Some(Duration::from_micros(timeout));
            assert_eq!(bench.pace.pause(timeout).is_some(), pauses, "{timeout:?}");
        }
    }
}
