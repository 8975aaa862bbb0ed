//! One scenario: what is published, how often, to how many, and for how long.

mod matrix;

use std::fmt;
use std::time::Duration;

use thiserror::Error;

pub use matrix::{Matrix, SCENARIOS_MAX};

use crate::payload;
use crate::units::{Rate, format_bytes};

/// No frame is larger: official receivers hold 128 packets of 16,000 bytes at most (protocol §5.5).
pub const FRAME_BYTES_MAX: usize = 2_000_000;
/// Frames per second of one track at most.
pub const RATE_HZ_MAX: u64 = 100_000;
/// Tracks of one publisher at most.
pub const TRACKS_MAX: u32 = 10_000;
/// Publishers, and subscribers, at most.
pub const PARTICIPANTS_MAX: u32 = 1_000;
/// Tracks of all publishers, times subscribers, at most: each has its own account.
pub const SUBSCRIPTIONS_MAX: u64 = 1_000_000;
/// How long a scenario is measured at most.
pub const DURATION_MAX: Duration = Duration::from_secs(24 * 3_600);
/// How long a scenario warms up at most.
pub const WARM_UP_MAX: Duration = Duration::from_secs(600);
/// Frames expected at all subscribers together at most; one bit of memory is kept for each.
pub const DELIVERIES_MAX: u64 = 4_000_000_000;

/// A scenario. Every subscriber subscribes to every track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Of each frame, what [`payload`] writes at its head included.
    pub frame_bytes: usize,
    /// Of each track.
    pub rate: Rate,
    /// Of each publisher.
    pub tracks: u32,
    /// Each with its own connection.
    pub publishers: u32,
    /// Each with its own connection.
    pub subscribers: u32,
    /// How long is measured, after the warm-up.
    pub duration: Duration,
    /// How long frames flow before they count.
    pub warm_up: Duration,
}

/// Why a plan cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Below what makes a measurement.
    #[error("{what} {value} is too small; at least {min}")]
    TooSmall {
        /// Which value.
        what: &'static str,
        /// What it is.
        value: String,
        /// What it must be.
        min: String,
    },
    /// Beyond the limits of this crate.
    #[error("{what} {value} is too large; at most {max}")]
    TooLarge {
        /// Which value.
        what: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        max: String,
    },
    /// Nothing would be due while it is measured.
    #[error("no frame is due within {duration:?} at {rate}; measure for longer")]
    Nothing {
        /// Of the plan.
        duration: Duration,
        /// Of the plan.
        rate: Rate,
    },
    /// A matrix with an empty list.
    #[error("no {what} is given")]
    Empty {
        /// Which list.
        what: &'static str,
    },
}

/// What a plan asks of the server, per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Frames that publishers send.
    pub in_frames_per_s: f64,
    /// Bits of them, headers of packets and of the network aside.
    pub in_bits_per_s: f64,
    /// Frames that subscribers expect.
    pub out_frames_per_s: f64,
    /// Bits of them.
    pub out_bits_per_s: f64,
}

impl Default for Plan {
    /// One to one, 1,000 B at 100 Hz, for 10 s after 2 s.
    fn default() -> Self {
        Self {
            frame_bytes: 1_000,
            rate: Rate::from_millihertz(100_000).expect("it is not zero"),
            tracks: 1,
            publishers: 1,
            subscribers: 1,
            duration: Duration::from_secs(10),
            warm_up: Duration::from_secs(2),
        }
    }
}

impl Plan {
    /// Whether it can be carried out and measured.
    ///
    /// # Errors
    /// Names the first value that is out of bounds, and its bound.
    pub fn check(&self) -> Result<(), PlanError> {
        let count = |n: u64| n.to_string();
        let spoken = |time: Duration| format!("{time:?}");
        within("frame size", self.frame_bytes, (payload::FRAME_BYTES_MIN, FRAME_BYTES_MAX), format_bytes)?;
        within("rate in mHz", self.rate.millihertz(), (1, RATE_HZ_MAX * 1_000), count)?;
        within("number of tracks", self.tracks, (1, TRACKS_MAX), |n| count(n.into()))?;
        within("number of publishers", self.publishers, (1, PARTICIPANTS_MAX), |n| count(n.into()))?;
        within("number of subscribers", self.subscribers, (1, PARTICIPANTS_MAX), |n| count(n.into()))?;
        within("duration", self.duration, (Duration::from_millis(100), DURATION_MAX), spoken)?;
        within("warm-up", self.warm_up, (Duration::ZERO, WARM_UP_MAX), spoken)?;
        let subscriptions = u64::from(self.track_count()) * u64::from(self.subscribers);
        within("number of subscriptions", subscriptions, (1, SUBSCRIPTIONS_MAX), count)?;
        if self.window().is_empty() {
            return Err(PlanError::Nothing { duration: self.duration, rate: self.rate });
        }
        let deliveries = subscriptions.saturating_mul(self.frames_per_track());
        within("number of frames at all subscribers", deliveries, (1, DELIVERIES_MAX), count)
    }

    /// Tracks of all publishers; they are numbered from 0, publisher by publisher.
    #[must_use]
    pub fn track_count(&self) -> u32 {
        self.tracks.saturating_mul(self.publishers)
    }

    /// The numbers of a publisher's tracks.
    #[must_use]
    pub fn tracks_of(&self, publisher: u32) -> std::ops::Range<u32> {
        let first = publisher.saturating_mul(self.tracks);
        first..first.saturating_add(self.tracks)
    }

    /// The numbers of those frames of each track that count: warm-up frames have lower ones.
    #[must_use]
    pub fn window(&self) -> std::ops::Range<u64> {
        self.rate.count_before(self.warm_up)
            ..self.rate.count_before(self.warm_up.saturating_add(self.duration))
    }

    /// Frames of each track that count.
    #[must_use]
    pub fn frames_per_track(&self) -> u64 {
        let window = self.window();
        window.end.saturating_sub(window.start)
    }

    /// What it asks of the server.
    #[must_use]
    pub fn load(&self) -> Load {
        let frames = f64::from(self.track_count()) * self.rate.hertz();
        let bits = frames * self.frame_bytes as f64 * 8.0;
        let fan_out = f64::from(self.subscribers);
        Load {
            in_frames_per_s: frames,
            in_bits_per_s: bits,
            out_frames_per_s: frames * fan_out,
            out_bits_per_s: bits * fan_out,
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} @ {}", format_bytes(self.frame_bytes), self.rate)?;
        if self.tracks > 1 {
            write!(f, " x {} tracks", self.tracks)?;
        }
        write!(f, ", {} -> {}", self.publishers, self.subscribers)
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = |frames: f64, bits: f64| format!("{frames:.1} frames/s ({:.2} Mbit/s)", bits / 1e6);
        let in_ = one(self.in_frames_per_s, self.in_bits_per_s);
        write!(f, "{in_} in, {} out", one(self.out_frames_per_s, self.out_bits_per_s))
    }
}

fn within<T: PartialOrd>(
    what: &'static str,
    value: T,
    (min, max): (T, T),
    spoken: impl Fn(T) -> String,
) -> Result<(), PlanError> {
    if value < min {
        return Err(PlanError::TooSmall { what, value: spoken(value), min: spoken(min) });
    }
    if value > max {
        return Err(PlanError::TooLarge { what, value: spoken(value), max: spoken(max) });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
