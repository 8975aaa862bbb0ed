//! What one publisher did with the frames that were due.

use std::ops::Range;

use super::seen::Seen;
use crate::plan::{Plan, PlanError};

/// The account of one publisher. Frames of the warm-up do not count.
#[derive(Debug, Clone)]
pub struct SendMeter {
    tracks: Range<u32>,
    sent: Vec<Seen>,
    refused: u64,
}

impl SendMeter {
    /// For the publisher of that number.
    ///
    /// # Errors
    /// When the plan cannot be carried out: its bounds are those of this account.
    pub fn new(plan: &Plan, publisher: u32) -> Result<Self, PlanError> {
        plan.check()?;
        let tracks = plan.tracks_of(publisher);
        let sent = tracks.clone().map(|_| Seen::new(plan.window())).collect();
        Ok(Self { tracks, sent, refused: 0 })
    }

    /// The frame was taken for sending.
    pub fn sent(&mut self, track: u32, number: u64) {
        if let Some(sent) = self.index(track).and_then(|index| self.sent.get_mut(index)) {
            sent.insert(number);
        }
    }

    /// The frame was not taken: the track has more waiting than it may, or is gone.
    pub fn refused(&mut self, track: u32, number: u64) {
        let counts = self.index(track).and_then(|index| self.sent.get(index));
        self.refused += u64::from(counts.is_some_and(|sent| sent.spans(number)));
    }

    /// Frames that counted and were sent so far.
    #[must_use]
    pub fn sent_count(&self) -> u64 {
        self.sent.iter().map(Seen::count).sum()
    }

    /// Frames that counted and were refused so far.
    #[must_use]
    pub fn refused_count(&self) -> u64 {
        self.refused
    }

    /// Each of its tracks with the frames that were sent.
    pub(super) fn tracks(&self) -> impl Iterator<Item = (u32, &Seen)> {
        self.tracks.clone().zip(&self.sent)
    }

    fn index(&self, track: u32) -> Option<usize> {
        self.tracks.contains(&track).then(|| (track - self.tracks.start) as usize)
    }
}
