//! What happens from one line of progress to the next.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use super::latency::Latency;
use super::subscriber::Arrival;

/// Intervals that a series keeps; the oldest make room.
pub const SERIES_MAX: usize = 3_600;

/// Counts from one line of progress to the next, warm-up included.
#[derive(Debug)]
pub struct IntervalMeter {
    begin: Duration,
    counts: Counts,
    latency: Latency,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    sent: u64,
    refused: u64,
    received: u64,
    received_bytes: u64,
}

/// One interval that is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Since the run's epoch.
    pub begin: Duration,
    /// Since the run's epoch.
    pub end: Duration,
    /// Frames taken for sending.
    pub sent: u64,
    /// Frames not taken.
    pub refused: u64,
    /// Intact frames at all subscribers.
    pub received: u64,
    /// Bytes of them.
    pub received_bytes: u64,
    /// Median of those that count; `None` of nothing.
    pub p50: Option<Duration>,
    /// 99th percentile.
    pub p99: Option<Duration>,
    /// The longest.
    pub max: Option<Duration>,
}

/// Intervals, the latest [`SERIES_MAX`] of them.
#[derive(Debug, Clone, Default)]
pub struct Series {
    intervals: VecDeque<Interval>,
    dropped: u64,
}

impl IntervalMeter {
    /// Counts from that moment on, since the run's epoch.
    #[must_use]
    pub fn new(begin: Duration) -> Self {
        Self { begin, counts: Counts::default(), latency: Latency::new() }
    }

    /// A frame was taken for sending.
    pub fn sent(&mut self) {
        self.counts.sent += 1;
    }

    /// A frame was not taken.
    pub fn refused(&mut self) {
        self.counts.refused += 1;
    }

    /// What a subscriber's meter said of a frame of so many bytes.
    pub fn arrived(&mut self, arrival: Arrival, bytes: usize) {
        if !matches!(arrival, Arrival::Received(_) | Arrival::WarmUp) {
            return;
        }
        self.counts.received += 1;
        self.counts.received_bytes += bytes as u64;
        if let Arrival::Received(Some(latency)) = arrival {
            self.latency.record(latency);
        }
    }

    /// Ends the interval and begins the next.
    pub fn take(&mut self, now: Duration) -> Interval {
        let Counts { sent, refused, received, received_bytes } = std::mem::take(&mut self.counts);
        let begin = std::mem::replace(&mut self.begin, now);
        let latency = std::mem::take(&mut self.latency);
        Interval {
            begin,
            end: now,
            sent,
            refused,
            received,
            received_bytes,
            p50: latency.quantile(0.5),
            p99: latency.quantile(0.99),
            max: latency.max(),
        }
    }
}

impl Interval {
    /// Received frames per second.
    #[must_use]
    pub fn received_per_s(&self) -> f64 {
        self.per_second(self.received as f64)
    }

    /// Received bits per second.
    #[must_use]
    pub fn received_bits_per_s(&self) -> f64 {
        self.per_second(self.received_bytes as f64 * 8.0)
    }

    fn per_second(&self, count: f64) -> f64 {
        let seconds = self.end.saturating_sub(self.begin).as_secs_f64();
        if seconds > 0.0 { count / seconds } else { 0.0 }
    }
}

impl fmt::Display for Interval {
    /// A line of progress.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mbit = self.received_bits_per_s() / 1e6;
        write!(f, "{:6.1} s  sent {:>7}  received {:>8}", self.end.as_secs_f64(), self.sent, self.received)?;
        write!(f, "  {mbit:8.2} Mbit/s")?;
        let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
        if let (Some(p50), Some(p99), Some(max)) = (self.p50, self.p99, self.max) {
            write!(f, "  p50 {:.2}  p99 {:.2}  max {:.2} ms", ms(p50), ms(p99), ms(max))?;
        }
        if self.refused > 0 {
            write!(f, "  refused {}", self.refused)?;
        }
        Ok(())
    }
}

impl Series {
    /// Adds the next.
    pub fn push(&mut self, interval: Interval) {
        if self.intervals.len() == SERIES_MAX {
            self.intervals.pop_front();
            self.dropped += 1;
        }
        self.intervals.push_back(interval);
    }

    /// Those that are kept, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Interval> {
        self.intervals.iter()
    }

    /// How many made room.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}
