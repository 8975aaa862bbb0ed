//! How busy a worker is: the share of its time in which it does not wait, and what that means for
//! who comes next.
//!
//! Time in which the machine runs something else counts as busy, since it is missing all the same.

use std::time::{Duration, Instant};

/// How long the worker is watched before it says how busy it is.
pub(crate) const WINDOW: Duration = Duration::from_millis(250);
/// A datagram that has waited in a socket for so long was late: it is what lanes allow a frame in all.
pub(crate) const LATE: Duration = Duration::from_millis(100);
/// Windows in a row in which a worker has to be too busy to count as overloaded. Handshakes of a crowd
/// that joins at once keep a worker as busy, but not with anything that would suffer.
const SUSTAINED_WINDOWS: u32 = 12;
/// Windows in a row in which datagrams have to be late for the same.
const LATE_WINDOWS: u32 = 8;
/// Windows in a row in which it has to be less busy than that to count as overloaded no longer.
const RELIEVED_WINDOWS: u32 = 4;
/// How much less, in thousandths of its time; of a low limit, half.
const RELIEF_PERMILLE: u32 = 100;

/// Watches one worker.
#[derive(Debug)]
pub(crate) struct LoadMeter {
    limit_permille: u32,
    began: Instant,
    busy: Duration,
    wait_max: Duration,
    forwarded: u64,
    load_permille: u32,
    overload: Overload,
}

/// What a worker says of its load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Load {
    /// Thousandths of its time, over the last windows.
    pub(crate) permille: u32,
    /// The longest that a datagram has waited in a socket during the last window.
    pub(crate) wait_max: Duration,
    pub(crate) is_overloaded: bool,
}

/// Invariant: at most one of the runs is not 0 unless both causes hold at once.
#[derive(Debug, Default)]
struct Overload {
    is_on: bool,
    busy_run: u32,
    late_run: u32,
    relieved_run: u32,
}

/// What a window has shown.
#[derive(Debug, Clone, Copy)]
struct Window {
    is_busy: bool,
    is_late: bool,
    is_relieved: bool,
    forwards: bool,
}

impl LoadMeter {
    /// Overloaded from so many thousandths of its time on; 0: never.
    pub(crate) fn new(limit_permille: u32, now: Instant) -> Self {
        Self {
            limit_permille,
            began: now,
            busy: Duration::ZERO,
            wait_max: Duration::ZERO,
            forwarded: 0,
            load_permille: 0,
            overload: Overload::default(),
        }
    }

    /// The worker has not waited for so long.
    pub(crate) fn add_busy(&mut self, busy: Duration) {
        self.busy += busy;
    }

    /// A datagram has waited in a socket for so long.
    pub(crate) fn add_wait(&mut self, wait: Duration) {
        self.wait_max = self.wait_max.max(wait);
    }

    /// At the end of a window: what it has shown. `forwarded` is all that was ever forwarded.
    pub(crate) fn sample(&mut self, forwarded: u64, now: Instant) -> Option<Load> {
        let elapsed = now.saturating_duration_since(self.began);
        if elapsed < WINDOW {
            return None;
        }
        let share = permille(self.busy, elapsed);
        self.load_permille = (self.load_permille + share) / 2;
        let window = Window {
            is_busy: self.limit_permille > 0 && share >= self.limit_permille,
            is_late: self.limit_permille > 0 && self.wait_max >= LATE,
            is_relieved: share < self.limit_permille - RELIEF_PERMILLE.min(self.limit_permille / 2),
            forwards: forwarded > self.forwarded,
        };
        self.overload.observe(window);
        let wait_max = std::mem::take(&mut self.wait_max);
        (self.began, self.busy, self.forwarded) = (now, Duration::ZERO, forwarded);
        Some(Load { permille: self.load_permille, wait_max, is_overloaded: self.overload.is_on })
    }

    /// When to sample next; `None`: nothing is left to say until something happens.
    pub(crate) fn next_sample(&self) -> Option<Instant> {
        let is_quiet = self.load_permille == 0 && !self.overload.is_on && self.wait_max.is_zero();
        (!is_quiet).then_some(self.began + WINDOW)
    }
}

impl Overload {
    fn observe(&mut self, window: Window) {
        let extend = |run: u32, holds: bool| if holds { run.saturating_add(1) } else { 0 };
        self.busy_run = extend(self.busy_run, window.is_busy && window.forwards);
        self.late_run = extend(self.late_run, window.is_late && window.forwards);
        self.relieved_run = extend(self.relieved_run, window.is_relieved && !window.is_late);
        if self.is_on {
            self.is_on = self.relieved_run < RELIEVED_WINDOWS;
        } else {
            self.is_on = self.busy_run >= SUSTAINED_WINDOWS || self.late_run >= LATE_WINDOWS;
        }
    }
}

fn permille(part: Duration, whole: Duration) -> u32 {
    let share = part.as_micros() * 1_000 / whole.as_micros().max(1);
    u32::try_from(share).unwrap_or(u32::MAX).min(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        meter: LoadMeter,
        now: Instant,
        forwarded: u64,
        load: Load,
    }

    fn bench(limit_permille: u32) -> Bench {
        let now = Instant::now();
        Bench { meter: LoadMeter::new(limit_permille, now), now, forwarded: 0, load: Load::default() }
    }

    impl Bench {
        /// One window with so much work; frames flow.
        fn window(&mut self, share: u32) -> Load {
            self.forwarded += 1;
            self.idle_window(share)
        }

        /// The same without frames.
        fn idle_window(&mut self, share: u32) -> Load {
            self.meter.add_busy(WINDOW * share / 1_000);
            self.now += WINDOW;
            self.load = self.meter.sample(self.forwarded, self.now).unwrap();
            self.load
        }

        fn windows(&mut self, count: u32, share: u32) -> Load {
            for _ in 0..count {
                self.window(share);
            }
            self.load
        }
    }

    #[test]
    fn the_load_follows_what_is_done_and_forgets_it() {
        let mut bench = bench(950);
        assert_eq!(bench.windows(20, 400).permille / 10, 39);
        assert!(bench.meter.next_sample().is_some());
        assert_eq!(bench.windows(20, 0).permille, 0);
        assert_eq!(bench.meter.next_sample(), None, "an idle worker is not woken to say so");
    }

    #[test]
    fn a_window_is_not_cut_short() {
        let mut bench = bench(950);
        assert_eq!(bench.meter.sample(0, bench.now + WINDOW / 2), None);
    }

    #[test]
    fn overload_has_to_last_and_so_has_relief() {
        let mut bench = bench(950);
        assert!(!bench.windows(SUSTAINED_WINDOWS - 1, 990).is_overloaded);
        assert!(!bench.window(500).is_overloaded, "one quiet window begins anew");
        assert!(bench.windows(SUSTAINED_WINDOWS, 990).is_overloaded);
        assert!(bench.windows(20, 900).is_overloaded, "a little less is no relief");
        assert!(bench.windows(RELIEVED_WINDOWS - 1, 700).is_overloaded);
        assert!(!bench.window(700).is_overloaded);
    }

    #[test]
    fn a_low_limit_is_relieved_as_well() {
        for limit in [1, 50, 100, 150] {
            let mut bench = bench(limit);
            assert!(bench.windows(SUSTAINED_WINDOWS, limit).is_overloaded, "{limit}");
            assert!(!bench.windows(RELIEVED_WINDOWS, 0).is_overloaded, "{limit}");
        }
    }

    #[test]
    fn a_crowd_that_joins_is_no_overload() {
        let mut bench = bench(950);
        assert!((0..100).all(|_| !bench.idle_window(1_000).is_overloaded));
    }

    #[test]
    fn datagrams_that_wait_are_an_overload_whatever_the_load_is() {
        let mut bench = bench(950);
        for window in 1..=LATE_WINDOWS {
            bench.meter.add_wait(LATE);
            assert_eq!(bench.window(300).is_overloaded, window == LATE_WINDOWS);
        }
        assert_eq!(bench.load.wait_max, LATE);
        assert!(!bench.windows(RELIEVED_WINDOWS, 300).is_overloaded);
    }

    #[test]
    fn without_a_limit_nothing_is_too_much() {
        let mut bench = bench(0);
        bench.meter.add_wait(LATE);
        assert!(!bench.windows(100, 1_000).is_overloaded);
    }
}
