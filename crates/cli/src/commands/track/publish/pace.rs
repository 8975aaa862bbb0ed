//! When the next frame is pushed.

use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior};
use trackyard::LocalDataTrack;

/// How long the last frames may take to leave.
const DRAIN_MAX: Duration = Duration::from_secs(2);
/// How often it is looked whether they have left.
const DRAIN_STEP: Duration = Duration::from_millis(1);

/// When the next frame is pushed.
#[derive(Debug)]
pub(super) enum Pace {
    /// At a rate, whatever becomes of the frames before.
    Fixed(Interval),
    /// As soon as the one before has left.
    Following,
}

impl Pace {
    /// At a rate if there is one. What comes by itself, and late, is not caught up with.
    pub(super) fn new(rate_hz: Option<f64>, is_waited_for: bool) -> Self {
        let Some(rate_hz) = rate_hz else { return Self::Following };
        let mut interval = tokio::time::interval(Duration::from_secs_f64(rate_hz.recip()));
        interval.set_missed_tick_behavior(if is_waited_for {
            MissedTickBehavior::Delay
        } else {
            MissedTickBehavior::Burst
        });
        Self::Fixed(interval)
    }

    /// Waits until it is time.
    pub(super) async fn tick(&mut self, track: &LocalDataTrack) {
        match self {
            Self::Fixed(interval) => {
                interval.tick().await;
            }
            Self::Following => drain(track).await,
        }
    }
}

/// Waits until everything has left or been dropped.
pub(super) async fn drain(track: &LocalDataTrack) {
    let deadline = Instant::now() + DRAIN_MAX;
    while track.is_published() && track.stats().waiting > 0 && Instant::now() < deadline {
        tokio::time::sleep(DRAIN_STEP).await;
    }
}
