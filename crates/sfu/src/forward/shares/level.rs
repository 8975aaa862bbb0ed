//! The level to which publishers are held, and how it follows what the worker can carry.

use std::time::Duration;

/// Windows in a row in which a worker has to be behind before anybody is held to anything: it may have had to wait for
/// the machine.
const BEHIND_WINDOWS: u32 = 2;
/// Windows in a row in which nobody was held back by the level before there is none.
const QUIET_WINDOWS: u32 = 10;
/// Nobody gets less than this, in units a second.
const RATE_MIN: f32 = 2.0;
/// What is let in while the worker is behind, of what was let in before: a little less as long as it is a little
/// behind.
const CUT: f32 = 0.85;
const DEEP_CUT: f32 = 0.6;
/// So many times the wait that is allowed are more than a little.
const FAR: u32 = 3;
/// By how much the level rises in a window.
const RISE: f32 = 1.08;

/// A rate for everyone, or none.
#[derive(Debug)]
pub(super) struct Level {
    /// The worker is behind from then on.
    wait_max: Duration,
    rate: Option<f32>,
    behind_run: u32,
    quiet_run: u32,
    /// It was cut in the last window: what waited before is still to be seen.
    settles: bool,
}

impl Level {
    /// No level until inputs wait for so long.
    pub(super) fn new(wait_max: Duration) -> Self {
        Self { wait_max, rate: None, behind_run: 0, quiet_run: 0, settles: false }
    }

    /// Units a second, if anybody is held to it.
    pub(super) fn rate(&self) -> Option<f32> {
        self.rate
    }

    /// A window has shown how long inputs have waited, and what each publisher wanted to send.
    pub(super) fn turn(&mut self, wait: Duration, offers: &mut [u32], seconds: f32) {
        if wait >= self.wait_max {
            self.behind_run = self.behind_run.saturating_add(1);
            self.quiet_run = 0;
            let settles = std::mem::take(&mut self.settles);
            if !settles && (self.rate.is_some() || self.behind_run >= BEHIND_WINDOWS) {
                self.cut(wait, offers, seconds);
            }
            return;
        }
        (self.behind_run, self.settles) = (0, false);
        if wait < self.wait_max / 2 {
            self.rise(offers, seconds);
        }
    }

    /// Publishers share less than they had.
    fn cut(&mut self, wait: Duration, offers: &mut [u32], seconds: f32) {
        if offers.is_empty() {
            return;
        }
        let part = if wait >= self.wait_max * FAR { DEEP_CUT } else { CUT };
        let level = self.rate.map_or(f32::INFINITY, |rate| rate * seconds);
        let had: f32 = offers.iter().map(|&offered| level.min(offered as f32)).sum();
        self.rate = Some((fill(offers, had * part) / seconds).max(RATE_MIN));
        self.settles = true;
    }

    fn rise(&mut self, offers: &[u32], seconds: f32) {
        let Some(rate) = self.rate.map(|rate| rate * RISE) else { return };
        let most = offers.iter().copied().max().unwrap_or_default() as f32;
        self.quiet_run = if most <= rate * seconds { self.quiet_run + 1 } else { 0 };
        self.rate = (self.quiet_run < QUIET_WINDOWS).then_some(rate);
    }
}

/// The level at which all together get `total`, where nobody gets more than offered.
fn fill(offers: &mut [u32], total: f32) -> f32 {
    offers.sort_unstable();
    let (mut left, mut sharers) = (total, offers.len());
    for &offered in &*offers {
        let even = left / sharers as f32;
        if offered as f32 > even {
            return even;
        }
        left -= offered as f32;
        sharers -= 1;
    }
    offers.last().map_or(total, |&most| most as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEHIND: Duration = Duration::from_millis(30);
    const FAR_BEHIND: Duration = Duration::from_millis(90);

    fn check(offers: &[u32], total: f32, expected: f32) {
        assert!((fill(&mut offers.to_vec(), total) - expected).abs() < 0.01, "{offers:?} share {total}");
    }

    #[test]
    fn who_wants_less_than_the_level_gets_it_and_the_others_share_the_rest() {
        check(&[10, 10, 10, 10], 20.0, 5.0);
        check(&[100, 2, 3], 15.0, 10.0);
        check(&[50, 4, 50], 24.0, 10.0);
        check(&[7], 3.0, 3.0);
        check(&[1, 2], 10.0, 2.0);
    }

    #[test]
    fn a_worker_that_was_behind_once_holds_nobody_to_anything() {
        let mut level = Level::new(BEHIND);
        level.turn(BEHIND, &mut [100], 0.1);
        assert_eq!(level.rate(), None);
        level.turn(Duration::ZERO, &mut [100], 0.1);
        level.turn(BEHIND, &mut [100], 0.1);
        assert_eq!(level.rate(), None, "not in a row");
        level.turn(BEHIND, &mut [100], 0.1);
        assert!(level.rate().is_some_and(|rate| rate < 1_000.0));
    }

    #[test]
    fn the_level_falls_on_whoever_sends_most() {
        let mut level = Level::new(BEHIND);
        for _ in 0..BEHIND_WINDOWS {
            level.turn(FAR_BEHIND, &mut [1_000, 10, 10], 0.1);
        }
        let rate = level.rate().expect("it is behind");
        assert!((rate / (0.6 * 1_020.0 - 20.0) / 10.0 - 1.0).abs() < 0.01, "{rate}");
    }

    #[test]
    fn the_level_goes_when_nobody_is_held_back() {
        let mut level = Level::new(BEHIND);
        (0..5).for_each(|_| level.turn(FAR_BEHIND, &mut [100], 0.1));
        let low = level.rate().expect("it is behind");
        level.turn(Duration::ZERO, &mut [100], 0.1);
        assert!(level.rate().is_some_and(|rate| rate > low), "it rises");
        (0..QUIET_WINDOWS).for_each(|_| level.turn(Duration::ZERO, &mut [1], 0.1));
        assert_eq!(level.rate(), None);
    }

    #[test]
    fn nobody_is_cut_off() {
        let mut level = Level::new(BEHIND);
        (0..99).for_each(|_| level.turn(FAR_BEHIND, &mut [1; 50], 0.1));
        assert_eq!(level.rate(), Some(RATE_MIN));
        level.turn(FAR_BEHIND, &mut [], 0.1);
        assert_eq!(level.rate(), Some(RATE_MIN), "with nobody there is nothing to share");
    }
}
