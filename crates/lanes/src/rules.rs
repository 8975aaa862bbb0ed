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
}

impl Default for LaneRules {
    fn default() -> Self {
        Self {
            policy: Policy::Auto,
            age_max: Duration::from_millis(100),
            finish_max: Duration::from_secs(2),
            weight: 1,
        }
    }
}

/// Ages beyond this mean the same: never too old.
const AGE_BOUND: Duration = Duration::from_secs(3_600);

impl LaneRules {
    /// With every value in its range.
    pub(crate) fn bounded(self) -> Self {
        Self {
            age_max: self.age_max.min(AGE_BOUND),
            finish_max: self.finish_max.min(AGE_BOUND),
            weight: self.weight.clamp(1, 1_000),
            ..self
        }
    }
}
