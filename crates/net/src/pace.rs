//! When a worker lets what comes gather for a moment before it looks again.
//!
//! To wake a thread costs several times what a datagram does. Where datagrams come so densely that it is woken for nearly each
//! of them, a pause gives them one wakeup together; where they come less densely nothing waits for anything.

use std::time::{Duration, Instant};

/// How long to pause; a sleeping thread's timer adds some 50 µs (`PR_SET_TIMERSLACK`).
const PAUSE: Duration = Duration::from_micros(100);
/// Wakeups are counted over so long.
const WINDOW: Duration = Duration::from_millis(20);
/// Wakeups in it from which on to pause: 5,000 a second.
const DENSE: u32 = 100;
/// And below which to pause no longer: with pauses there are fewer, and a worker that has much to do for each needs none.
const SPARSE: u32 = 40;

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

    /// The worker has been woken.
    pub(crate) fn woken(&mut self, now: Instant) {
        if now.saturating_duration_since(self.began) >= WINDOW {
            let bound = if self.is_dense { SPARSE } else { DENSE };
            self.is_dense = self.wakeups >= bound;
            (self.began, self.wakeups) = (now, 0);
        }
        self.wakeups += 1;
    }

    /// How long to pause before waiting for at most `timeout`.
    pub(crate) fn pause(&self, timeout: Option<Duration>) -> Option<Duration> {
        (self.is_dense && timeout.is_none_or(|timeout| timeout > PAUSE)).then_some(PAUSE)
    }
}
