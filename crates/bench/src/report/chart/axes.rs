//! Where a share and a latency are on the plot: both axes are logarithmic, shares by their nines.

use super::super::fields::Report;

/// Beyond so many nines nothing is resolved.
const NINES_MAX: f64 = 7.0;
/// What a latency of nothing would be drawn as; logarithms end nowhere.
const LATENCY_MIN_MS: f64 = 0.001;

/// The range of both axes, in powers of ten.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axes {
    /// Nines of the rightmost share: 2 is 99 %.
    pub(super) nines: f64,
    /// Lowest latency in milliseconds, a power of ten.
    pub(super) low: i32,
    /// Highest.
    pub(super) high: i32,
}

impl Axes {
    /// So that every curve fits; `None` when there is none.
    pub(super) fn around(runs: &[Report]) -> Option<Self> {
        let points = || runs.iter().flat_map(|run| &run.latency_curve);
        let logs = || points().map(|point| logarithm(point.latency_ms));
        let frames = runs.iter().map(|run| run.latency.frames).max().unwrap_or(0);
        points().next()?;
        let low = logs().fold(f64::INFINITY, f64::min).floor() as i32;
        let high = logs().fold(f64::NEG_INFINITY, f64::max).ceil() as i32;
        Some(Self { nines: nines_of_last(frames).ceil().max(2.0), low, high: high.max(low + 1) })
    }

    /// How far right a share is, 0.0..=1.0. The last of so many frames is where it would be if one more
    /// had been longer.
    pub(super) fn across(&self, share: f64, frames: u64) -> f64 {
        let nines = if share < 1.0 { -(1.0 - share).log10() } else { f64::INFINITY };
        nines.min(nines_of_last(frames)).clamp(0.0, self.nines) / self.nines
    }

    /// How far up a latency is, 0.0..=1.0.
    pub(super) fn up(&self, latency_ms: f64) -> f64 {
        let from_low = logarithm(latency_ms) - f64::from(self.low);
        (from_low / f64::from(self.high - self.low)).clamp(0.0, 1.0)
    }

    /// Shares that have a line, and what it is called.
    pub(super) fn shares(&self) -> Vec<(f64, String)> {
        let whole = (0..=self.nines as i32).map(|nines| {
            let share = 1.0 - 10_f64.powi(-nines);
            let digits = (nines - 2).max(0) as usize;
            (share, format!("{:.digits$}%", share * 100.0))
        });
        std::iter::once((0.5, "50%".to_owned())).chain(whole).collect()
    }

    /// Latencies that have a line, in milliseconds: 1, 2 and 5 of each power of ten, only 1 of many.
    pub(super) fn latencies(&self) -> Vec<f64> {
        let steps: &[f64] = if self.high - self.low <= 3 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let below = (self.low..self.high).flat_map(|power| steps.iter().map(move |step| (power, *step)));
        below.chain([(self.high, 1.0)]).map(|(power, step)| step * 10_f64.powi(power)).collect()
    }
}

fn nines_of_last(frames: u64) -> f64 {
    (frames.max(1) as f64).log10().min(NINES_MAX)
}

fn logarithm(latency_ms: f64) -> f64 {
    latency_ms.max(LATENCY_MIN_MS).log10()
}
