//! How a lane schedules its frames.

use std::time::Duration;

/// Which frames wait when there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Policy {
    /// Frames of one packet queue, bounded by age and 64 KiB; of larger frames the latest waits.
    #[default]
    Auto,
    /// One frame waits; a newer one replaces it.
    Latest,
    /// So many frames wait; the oldest goes first.
    Queue(u16),
}

/// How frames of one track are scheduled for one receiver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LaneRules {
    /// Which frames wait.
    pub policy: Policy,
    /// A frame is not begun later than this after its first packet arrived.
    pub age_max: Duration,
    /// A frame that has begun is given up after this.
    pub finish_max: Duration,
    /// Share of the link beside other lanes; 1..=1000.
    pub weight: u16,
    /// Frames per second at most, picked on a steady grid; `None` for every frame. Frames that are left out take no
    /// number: those that follow are numbered as if they had never been.
    pub max_hz: Option<f64>,
    /// Until the first frame has begun, the last whole one waits however old it is: somebody who comes late is to get
    /// it. [`policy`](Self::policy) still lets newer frames take its place.
    pub latch: bool,
}

impl Default for LaneRules {
    fn default() -> Self {
        Self {
            policy: Policy::Auto,
            age_max: Duration::from_millis(100),
            finish_max: Duration::from_secs(2),
            weight: 1,
            max_hz: None,
            latch: false,
        }
    }
}

/// Ages beyond this mean the same: never too old. In microseconds it fits into 32 bits.
const AGE_BOUND: Duration = Duration::from_secs(3_600);

/// Rules as a lane keeps them: every value in its range, and small, since lanes are many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LaneSchedule {
    pub(crate) policy: Policy,
    pub(crate) weight: u16,
    pub(crate) latch: bool,
    age_max_micros: u32,
    finish_max_micros: u32,
}

impl LaneSchedule {
    pub(crate) fn age_max(self) -> Duration {
        Duration::from_micros(self.age_max_micros.into())
    }

    pub(crate) fn finish_max(self) -> Duration {
        Duration::from_micros(self.finish_max_micros.into())
    }
}

impl From<LaneRules> for LaneSchedule {
    fn from(rules: LaneRules) -> Self {
        let micros = |age: Duration| u32::try_from(age.min(AGE_BOUND).as_micros()).unwrap_or(u32::MAX);
        Self {
            policy: rules.policy,
            weight: rules.weight.clamp(1, 1_000),
            latch: rules.latch,
            age_max_micros: micros(rules.age_max),
            finish_max_micros: micros(rules.finish_max),
        }
    }
}
