//! Picks frames at a steady rate.

use std::time::{Duration, Instant};

/// A rate below this is this.
const HZ_MIN: f64 = 0.001;
/// A frame may come before its time by this share of the interval, so that a source that has the
/// wanted rate and jitters loses nothing.
const EARLY_SHARE: u32 = 4;

/// Picks frames at a steady rate, whatever the rate at which they come.
///
/// Invariant: over any time, at most two frames more than fit into it at the wanted rate.
#[derive(Debug)]
pub struct Grid {
    interval: Duration,
    next: Option<Instant>,
}

/// The interval of a rate; `None` for one that limits nothing.
fn interval(max_hz: Option<f64>) -> Option<Duration> {
    let hz = max_hz.filter(|hz| hz.is_finite())?.max(HZ_MIN);
    Some(Duration::from_secs_f64(1.0 / hz))
}

impl Grid {
    /// `None` for a rate that limits nothing.
    #[must_use]
    pub fn new(max_hz: Option<f64>) -> Option<Self> {
        Some(Self { interval: interval(max_hz)?, next: None })
    }

    /// Whether it picks at this rate.
    pub(crate) fn is_of(&self, max_hz: Option<f64>) -> bool {
        interval(max_hz) == Some(self.interval)
    }

    /// Whether a frame that arrives now is wanted.
    pub fn pick(&mut self, now: Instant) -> bool {
        let next = self.next.unwrap_or(now);
        let picked = now + self.interval / EARLY_SHARE >= next;
        if picked {
            // After a pause the grid begins anew, else it would owe frames.
            let paused = now > next + self.interval;
            self.next = Some(if paused { now } else { next } + self.interval);
        }
        picked
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Grid;

    /// Frames picked of `count` at `hz`, each up to `jitter` of their interval late.
    fn picked(max_hz: f64, hz: f64, count: u32, jitter: f64) -> usize {
        #[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
        let start = Instant::now();
        let mut grid = Grid::new(Some(max_hz)).unwrap();
        let mut random = fastrand::Rng::with_seed(7);
        let at =
            |index: u32, late: f64| start + Duration::from_secs_f64((f64::from(index) + late * jitter) / hz);
        (0..count).filter(|index| grid.pick(at(*index, random.f64()))).count()
    }

    #[track_caller]
    fn check(max_hz: f64, hz: f64, jitter: f64, expected: std::ops::RangeInclusive<usize>) {
        let picked = picked(max_hz, hz, 1_000, jitter);
        assert!(expected.contains(&picked), "{picked} of 1,000 at {hz} Hz for {max_hz} Hz");
    }

    #[test]
    fn frames_are_picked_at_the_wanted_rate() {
        check(30.0, 60.0, 0.0, 499..=501);
        check(30.0, 60.0, 0.2, 490..=501);
        check(30.0, 30.0, 0.0, 1_000..=1_000);
        check(30.0, 30.0, 0.2, 995..=1_000);
        check(30.0, 10.0, 0.2, 1_000..=1_000);
        check(10.0, 1_000.0, 0.5, 10..=11);
        check(7.0, 10.0, 0.0, 698..=702);
        check(0.0, 1_000.0, 0.0, 1..=1);
    }

    /// A server picks, the path delays each frame by up to so much, and the subscriber picks again.
    #[track_caller]
    fn check_twice(max_hz: [f64; 2], source_hz: f64, delay_ms: f64) {
        #[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
        let start = Instant::now();
        let mut grids = max_hz.map(|hz| Grid::new(Some(hz)).unwrap());
        let mut random = fastrand::Rng::with_seed(11);
        let (mut last, mut picked) = (start, 0);
        for index in 0..3_000 {
            let at = start + Duration::from_secs_f64((f64::from(index) + random.f64() * 0.2) / source_hz);
            if grids[0].pick(at) {
                last = last.max(at + Duration::from_secs_f64(random.f64() * delay_ms / 1e3));
                picked += usize::from(grids[1].pick(last));
            }
        }
        let wanted = max_hz[0].min(max_hz[1]) * 3_000.0 / source_hz;
        let share = picked as f64 / wanted;
        assert!((0.98..=1.01).contains(&share), "{share} of {max_hz:?} from {source_hz} Hz, {delay_ms} ms");
    }

    #[test]
    fn picking_twice_costs_next_to_nothing_and_the_lower_rate_wins() {
        check_twice([30.0, 30.0], 60.0, 0.0);
        check_twice([30.0, 30.0], 60.0, 10.0);
        check_twice([30.0, 30.0], 30.0, 10.0);
        check_twice([10.0, 10.0], 30.0, 30.0);
        check_twice([30.0, 10.0], 60.0, 10.0);
        check_twice([10.0, 30.0], 60.0, 10.0);
    }

    #[test]
    fn a_pause_is_not_made_up_for() {
        #[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
        let start = Instant::now();
        let mut grid = Grid::new(Some(10.0)).unwrap();
        assert!(grid.pick(start));
        let later = start + Duration::from_secs(60);
        assert!(grid.pick(later));
        assert!(!grid.pick(later + Duration::from_millis(10)));
    }

    #[test]
    fn no_number_is_no_limit() {
        assert!(Grid::new(None).is_none());
        assert!(Grid::new(Some(f64::NAN)).is_none());
        assert!(Grid::new(Some(f64::INFINITY)).is_none());
    }
}
