//! What the clients of one run share: what is sent, the time, and when to end.

use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use trackyard_bench::measure::{Interval, IntervalMeter};
use trackyard_bench::payload::Payloads;
use trackyard_bench::plan::Plan;

/// Systems wake threads about so much later than asked for: the rest of a wait is spent looking at the clock.
const WATCHFUL: Duration = Duration::from_micros(60);
/// Only waits longer than this end so, as it costs a core while it lasts: at most 6 % of it.
const WATCHFUL_AFTER: Duration = Duration::from_millis(1);

/// What the clients of one run share.
pub(super) struct Stage {
    pub(super) plan: Plan,
    pub(super) payloads: Payloads,
    /// When the run began.
    epoch: OnceLock<Instant>,
    interval: Mutex<IntervalMeter>,
    is_over: Mutex<bool>,
    ended: Condvar,
}

impl Stage {
    pub(super) fn new(plan: Plan, run: u64) -> Self {
        Self {
            plan,
            payloads: Payloads::new(run),
            epoch: OnceLock::new(),
            interval: Mutex::new(IntervalMeter::new(Duration::ZERO)),
            is_over: Mutex::new(false),
            ended: Condvar::new(),
        }
    }

    /// Time runs from now on.
    pub(super) fn begin(&self) {
        self.epoch.get_or_init(Instant::now);
    }

    /// The time since the run began; zero before.
    pub(super) fn now(&self) -> Duration {
        self.epoch.get().map_or(Duration::ZERO, Instant::elapsed)
    }

    /// When this moment of the run is.
    pub(super) fn at(&self, moment: Duration) -> Instant {
        *self.epoch.get_or_init(Instant::now) + moment
    }

    /// Blocks until this moment; `false` if the run is over before.
    pub(super) fn wait_until(&self, moment: Duration) -> bool {
        let is_watched = moment.saturating_sub(self.now()) > WATCHFUL_AFTER;
        let wake = moment.saturating_sub(if is_watched { WATCHFUL } else { Duration::ZERO });
        let mut is_over = lock(&self.is_over);
        loop {
            let left = wake.saturating_sub(self.now());
            if *is_over || left.is_zero() {
                break;
            }
            is_over = self.ended.wait_timeout(is_over, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if *is_over {
            return false;
        }
        drop(is_over);
        while self.now() < moment {
            std::hint::spin_loop();
        }
        true
    }

    /// Nothing is sent from now on.
    pub(super) fn end(&self) {
        *lock(&self.is_over) = true;
        self.ended.notify_all();
    }

    /// Counts something for the next line of progress.
    pub(super) fn count(&self, count: impl FnOnce(&mut IntervalMeter)) {
        count(&mut lock(&self.interval));
    }

    /// What has happened since the last line of progress.
    pub(super) fn take_interval(&self) -> Interval {
        lock(&self.interval).take(self.now())
    }
}

/// Whoever panics while holding a lock here has left numbers, at worst.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
