//! When to try again.

use std::time::Duration;

/// Resuming is given up after so many attempts, and so is joining anew.
pub(crate) const ATTEMPTS_MAX: u32 = 10;
/// The first attempt follows at once, and none waits longer than the last.
const DELAYS_MS: [u64; 6] = [0, 300, 1_200, 2_700, 4_800, 7_000];

/// Counts attempts and draws how long to wait before each.
#[derive(Debug)]
pub(crate) struct Attempts {
    made: u32,
    random: fastrand::Rng,
}

impl Attempts {
    pub(crate) fn new(seed: u64) -> Self {
        Self { made: 0, random: fastrand::Rng::with_seed(seed) }
    }

    /// It has worked.
    pub(crate) fn reset(&mut self) {
        self.made = 0;
    }

    /// How long to wait before the next attempt, or `None` if there were enough.
    pub(crate) fn next(&mut self) -> Option<Duration> {
        if self.made >= ATTEMPTS_MAX {
            return None;
        }
        let index = usize::try_from(self.made).unwrap_or(usize::MAX).min(DELAYS_MS.len() - 1);
        self.made += 1;
        // Clients of a server that was restarted do not come back all at once.
        let share = self.draw() + 0.5;
        Some(Duration::from_millis(DELAYS_MS[index]).mul_f64(share))
    }

    /// From 0 up to 1.
    pub(crate) fn draw(&mut self) -> f64 {
        self.random.f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_with_jitter_and_end() {
        let mut attempts = Attempts::new(7);
        let delays: Vec<_> = std::iter::from_fn(|| attempts.next()).collect();
        assert_eq!(delays.len(), 10);
        assert_eq!(delays[0], Duration::ZERO);
        for (index, delay) in delays.iter().enumerate() {
            let nominal = DELAYS_MS[index.min(5)];
            let range = nominal / 2..=nominal * 3 / 2;
            assert!(range.contains(&u64::try_from(delay.as_millis()).unwrap()), "{index}: {delay:?}");
        }
        attempts.reset();
        assert_eq!(attempts.next(), Some(Duration::ZERO));
    }
}
