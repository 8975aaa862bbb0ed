//! Which data tracks are scheduled how: ordered rules, of which the first that matches decides (design §5).

use std::time::Duration;

use trackyard_auth::NamePattern;
use trackyard_lanes::{LaneRules, Policy};

/// Ordered rules; a track that none matches is scheduled by the defaults of [`LaneRules`].
#[derive(Debug, Clone, Default)]
pub struct TrackRules(Vec<TrackRule>);

/// How tracks of some names in some rooms are scheduled.
#[derive(Debug, Clone)]
pub struct TrackRule {
    /// Which rooms.
    pub room: NamePattern,
    /// Which tracks, by name.
    pub tracks: NamePattern,
    /// Which frames wait.
    pub policy: Policy,
    /// A frame is not begun later than this.
    pub age_max: Duration,
    /// A frame that has begun is given up after this.
    pub finish_max: Duration,
    /// Share beside other tracks; 1..=1000.
    pub weight: u16,
    /// At most so many frames per second, on a steady grid.
    pub max_hz: Option<f64>,
    /// Late joiners get the last frame. Without effect yet.
    pub latch: bool,
}

impl TrackRule {
    /// A rule that schedules what it matches by the defaults.
    #[must_use]
    pub fn new(room: NamePattern, tracks: NamePattern) -> Self {
        let LaneRules { policy, age_max, finish_max, weight, max_hz } = LaneRules::default();
        Self { room, tracks, policy, age_max, finish_max, weight, max_hz, latch: false }
    }

    fn lane(&self) -> LaneRules {
        LaneRules {
            policy: self.policy,
            age_max: self.age_max,
            finish_max: self.finish_max,
            weight: self.weight,
            max_hz: self.max_hz,
        }
    }
}

impl TrackRules {
    /// Rules in this order.
    #[must_use]
    pub fn new(rules: Vec<TrackRule>) -> Self {
        Self(rules)
    }

    /// The rules that can match in this room, so that others cost nothing there.
    #[must_use]
    pub fn for_room(&self, room: &str) -> Self {
        Self(self.0.iter().filter(|rule| rule.room.matches(room)).cloned().collect())
    }

    /// How frames of this track are scheduled, by the rules of its room.
    #[must_use]
    pub fn lane(&self, track: &str) -> LaneRules {
        self.0.iter().find(|rule| rule.tracks.matches(track)).map_or_else(LaneRules::default, TrackRule::lane)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(room: &str, tracks: &str, weight: u16) -> TrackRule {
        let pattern = |text| NamePattern::new(text).unwrap();
        TrackRule { weight, ..TrackRule::new(pattern(room), pattern(tracks)) }
    }

    #[test]
    fn the_first_rule_that_matches_room_and_track_decides() {
        let rules = TrackRules::new(vec![
            rule("lab-*", "cam/**", 2),
            rule("*", "cam/front", 3),
            rule("*", "cam/**", 4),
        ]);
        let check = |room: &str, track: &str, weight| {
            assert_eq!(rules.for_room(room).lane(track).weight, weight, "{track} in {room}");
        };
        check("lab-1", "cam/front", 2);
        check("yard", "cam/front", 3);
        check("yard", "cam/rear", 4);
        check("yard", "pose", LaneRules::default().weight);
    }

    #[test]
    fn a_rule_sets_everything_a_lane_has() {
        let rule = TrackRule {
            policy: Policy::Queue(16),
            age_max: Duration::from_millis(40),
            finish_max: Duration::from_millis(500),
            max_hz: Some(30.0),
            ..rule("*", "*", 9)
        };
        let lane = TrackRules::new(vec![rule]).for_room("any").lane("track");
        assert_eq!(lane.policy, Policy::Queue(16));
        assert_eq!((lane.age_max, lane.finish_max), (Duration::from_millis(40), Duration::from_millis(500)));
        assert_eq!((lane.weight, lane.max_hz), (9, Some(30.0)));
    }
}
