//! How frames of data tracks are scheduled, by name (design §5).

use std::time::Duration;

use trackyard_auth::NamePattern;
use trackyard_lanes::{LaneRules, Policy};

/// One entry of `data_tracks.rules`.
#[derive(Debug, Clone)]
pub struct TrackRule {
    /// Which rooms.
    pub room: NamePattern,
    /// Which tracks.
    pub tracks: NamePattern,
    /// Which frames wait when there is no room.
    pub policy: Policy,
    /// A frame is not begun later than this after its first packet arrived.
    pub age_max: Duration,
    /// A frame that has begun is given up after this.
    pub finish_max: Duration,
    /// Share of the link beside other tracks.
    pub weight: u16,
    /// Frames per second at most, whole frames on a steady grid.
    pub max_hz: Option<f64>,
    /// The last frame is kept for late joiners.
    pub latch: bool,
    /// Where it stands in the file.
    pub line: usize,
}

impl TrackRule {
    /// What a lane needs of it.
    #[must_use]
    pub fn lane(&self) -> LaneRules {
        LaneRules {
            policy: self.policy,
            age_max: self.age_max,
            finish_max: self.finish_max,
            weight: self.weight,
        }
    }

    /// Whether it is about this track of this room.
    #[must_use]
    pub fn matches(&self, room: &str, track: &str) -> bool {
        self.room.matches(room) && self.tracks.matches(track)
    }
}

/// The rule that holds for a track: the first that matches.
#[must_use]
pub fn first_match<'a>(rules: &'a [TrackRule], room: &str, track: &str) -> Option<&'a TrackRule> {
    rules.iter().find(|rule| rule.matches(room, track))
}
