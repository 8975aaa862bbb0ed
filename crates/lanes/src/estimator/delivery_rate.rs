//! How fast the channel gives bytes away.

use std::time::{Duration, Instant};

/// A sample spans at least so much busy time, so that acknowledgements in batches do not look fast.
const SAMPLE_MIN: Duration = Duration::from_millis(100);
/// The greatest sample of the last one to two windows counts.
const WINDOW: Duration = Duration::from_secs(1);
/// In a window are at least so many round trips.
const WINDOW_ROUND_TRIPS: u32 = 4;
/// The rate grows when a sample is so many times the best before.
const GROWTH: f64 = 1.25;
/// It has stopped growing after so many samples that were not.
const FLAT_SAMPLES: u8 = 3;

/// A windowed maximum. Samples taken while the sender had too little to send can only raise it.
#[derive(Debug, Default)]
pub(super) struct DeliveryRate {
    /// Bytes released since the last sample.
    released: usize,
    /// How long the channel has held bytes since the last sample.
    busy: Duration,
    window: Duration,
    /// Greatest sample of this window, and of the one before.
    current: f64,
    previous: f64,
    turned: Option<Instant>,
    best: f64,
    flat: u8,
}

impl DeliveryRate {
    /// Bytes were released after the channel was busy for so long; `true` if a sample is due.
    pub(super) fn released(&mut self, bytes: usize, busy: Duration, round_trip: Duration) -> bool {
        self.released += bytes;
        self.busy += busy;
        self.window = WINDOW.max(round_trip * WINDOW_ROUND_TRIPS);
        bytes > 0 && self.busy >= SAMPLE_MIN.max(round_trip)
    }

    /// Takes a sample; `limited`: the sender had more to send.
    pub(super) fn sample(&mut self, limited: bool, now: Instant) {
        let rate = self.released as f64 / self.busy.as_secs_f64();
        (self.released, self.busy) = (0, Duration::ZERO);
        if limited {
            self.turn(now);
            self.follow_growth(rate);
        }
        self.current =
            if limited || rate > self.bytes_per_second() { self.current.max(rate) } else { self.current };
    }

    pub(super) fn bytes_per_second(&self) -> f64 {
        self.current.max(self.previous)
    }

    /// The path has been the limit at least once.
    pub(super) fn is_known(&self) -> bool {
        self.turned.is_some()
    }

    /// The path has not shown its limit yet.
    pub(super) fn is_growing(&self) -> bool {
        self.flat < FLAT_SAMPLES
    }

    fn turn(&mut self, now: Instant) {
        let turned = *self.turned.get_or_insert(now);
        if now.saturating_duration_since(turned) >= self.window {
            self.previous = std::mem::take(&mut self.current);
            self.turned = Some(now);
        }
    }

    fn follow_growth(&mut self, rate: f64) {
        if rate >= self.best * GROWTH {
            self.best = rate;
            self.flat = 0;
        } else {
            self.flat = self.flat.saturating_add(1);
        }
    }
}
