//! A distribution of latencies in bounded memory.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Longer ones are recorded as this, and counted.
pub const LATENCY_MAX: Duration = Duration::from_secs(600);

/// Digits that percentiles are true to.
const SIGNIFICANT_DIGITS: u8 = 3;
/// Points of a curve between one percentile and half of what is left.
const CURVE_STEPS: u32 = 5;

/// Latencies from a microsecond to [`LATENCY_MAX`], true to three digits, in about 90 kB.
#[derive(Debug, Clone)]
pub struct Latency {
    /// In microseconds, one where it is less.
    histogram: Histogram<u32>,
    sum: Duration,
    max: Duration,
    clamped: u64,
}

impl Default for Latency {
    fn default() -> Self {
        Self::new()
    }
}

impl Latency {
    /// Of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        let max = LATENCY_MAX.as_micros() as u64;
        let histogram = Histogram::new_with_bounds(1, max, SIGNIFICANT_DIGITS);
        Self {
            histogram: histogram.expect("the bounds are constants that it accepts"),
            sum: Duration::ZERO,
            max: Duration::ZERO,
            clamped: 0,
        }
    }

    /// Adds one.
    pub fn record(&mut self, latency: Duration) {
        self.clamped += u64::from(latency > LATENCY_MAX);
        self.sum = self.sum.saturating_add(latency);
        self.max = self.max.max(latency);
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.histogram.saturating_record(micros.max(1));
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        self.histogram.add(&other.histogram).expect("both have the same bounds");
        self.sum = self.sum.saturating_add(other.sum);
        self.max = self.max.max(other.max);
        self.clamped += other.clamped;
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// How many were longer than [`LATENCY_MAX`].
    #[must_use]
    pub fn clamped(&self) -> u64 {
        self.clamped
    }

    /// The latency that this share of frames (0.0..=1.0) does not exceed; `None` of nothing.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let value = || Duration::from_micros(self.histogram.value_at_quantile(share));
        (self.count() > 0).then(|| value().min(self.max))
    }

    /// The shortest, to the microsecond.
    #[must_use]
    pub fn min(&self) -> Option<Duration> {
        (self.count() > 0).then(|| Duration::from_micros(self.histogram.min()).min(self.max))
    }

    /// The longest, exactly.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (self.count() > 0).then_some(self.max)
    }

    /// The mean, exactly.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        let count = u128::from(self.count());
        let nanos = self.sum.as_nanos().checked_div(count)?;
        Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    /// Points (share, latency) for a plot: denser the nearer the share is to one. The last has share one.
    #[must_use]
    pub fn curve(&self) -> Vec<(f64, Duration)> {
        let points = self.histogram.iter_quantiles(CURVE_STEPS);
        points
            .map(|point| {
                let latency = Duration::from_micros(point.value_iterated_to()).min(self.max);
                (point.quantile_iterated_to(), latency)
            })
            .collect()
    }
}
