//! Which rule holds for a data track.

use trackyard_sfu::room::rules::TrackRule;

/// One entry of `data_tracks.rules`, and where it stands.
#[derive(Debug, Clone)]
pub struct RuleEntry {
    /// What it says.
    pub rule: TrackRule,
    /// Where it is written, counted from 1.
    pub line: usize,
}

impl RuleEntry {
    /// Whether it is about this track of this room.
    #[must_use]
    pub fn matches(&self, room: &str, track: &str) -> bool {
        self.rule.room.matches(room) && self.rule.tracks.matches(track)
    }

    /// Keys of the rule that say nothing: what a track's ends wish in their place is granted.
    #[must_use]
    pub fn left_open(&self) -> Vec<&'static str> {
        let TrackRule { policy, age_max, weight, max_hz, latch, .. } = &self.rule;
        let open = [
            ("policy", policy.is_none()),
            ("age_max", age_max.is_none()),
            ("weight", weight.is_none()),
            ("max_hz", max_hz.is_none()),
            ("latch", latch.is_none()),
        ];
        open.into_iter().filter(|(_, is_open)| *is_open).map(|(key, _)| key).collect()
    }
}

/// The rule that holds for a track: the first that matches.
#[must_use]
pub fn first_match<'a>(rules: &'a [RuleEntry], room: &str, track: &str) -> Option<&'a RuleEntry> {
    rules.iter().find(|entry| entry.matches(room, track))
}
