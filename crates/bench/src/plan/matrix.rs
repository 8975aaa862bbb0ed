//! Many scenarios from lists of sizes, rates, tracks and subscribers.

use super::{Plan, PlanError};
use crate::units::Rate;

/// Scenarios of one matrix at most.
pub const SCENARIOS_MAX: usize = 1_000;

/// Every combination of its lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// Whatever the lists do not say.
    pub base: Plan,
    /// Frame sizes.
    pub frame_bytes: Vec<usize>,
    /// Rates of each track.
    pub rates: Vec<Rate>,
    /// Tracks per publisher.
    pub tracks: Vec<u32>,
    /// Numbers of subscribers.
    pub subscribers: Vec<u32>,
}

impl Matrix {
    /// All plans, checked; sizes change slowest, subscribers fastest.
    ///
    /// # Errors
    /// When a list is empty, there are too many combinations, or one of them cannot be carried out.
    pub fn plans(&self) -> Result<Vec<Plan>, PlanError> {
        let lists = [
            ("frame size", self.frame_bytes.len()),
            ("rate", self.rates.len()),
            ("number of tracks", self.tracks.len()),
            ("number of subscribers", self.subscribers.len()),
        ];
        if let Some((what, _)) = lists.iter().find(|(_, length)| *length == 0) {
            return Err(PlanError::Empty { what });
        }
        let count = lists.iter().fold(1usize, |count, (_, length)| count.saturating_mul(*length));
        super::within("number of scenarios", count, (1, SCENARIOS_MAX), |n| n.to_string())?;
        let plans = self.combinations();
        plans.iter().try_for_each(Plan::check)?;
        Ok(plans)
    }

    fn combinations(&self) -> Vec<Plan> {
        let mut plans = Vec::new();
        for &frame_bytes in &self.frame_bytes {
            for &rate in &self.rates {
                for &tracks in &self.tracks {
                    plans.extend(self.subscribers.iter().map(|&subscribers| Plan {
                        frame_bytes,
                        rate,
                        tracks,
                        subscribers,
                        ..self.base.clone()
                    }));
                }
            }
        }
        plans
    }
}
