//! When each frame is due, whatever became of those before it.
//!
//! The load is open loop: a sender that falls behind sends what is overdue at once, each frame with the
//! moment it was *meant* for, so that waiting for a slow path counts as latency and is not left out
//! (coordinated omission). How late the sender itself was is measured beside it.

use std::time::Duration;

use crate::measure::Latency;
use crate::plan::{Plan, PlanError};
use crate::units::Rate;

/// A frame that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Of all publishers' tracks.
    pub track: u32,
    /// Of the track's frames, from 0, warm-up included.
    pub number: u64,
    /// When it is meant to be sent, since the run's epoch.
    pub intended: Duration,
}

/// When the frames of one publisher's tracks are due.
///
/// They come out in the order in which they are due, and the n-th of a track exactly n periods after the
/// first: no error adds up, and nothing depends on when [`poll`](Self::poll) is called.
#[derive(Debug)]
pub struct Pacer {
    rate: Rate,
    /// By phase.
    phases: Vec<(Duration, u32)>,
    /// Index into `phases` of the next frame.
    turn: usize,
    number: u64,
    end: u64,
    window_start: u64,
    lateness: Latency,
}

impl Pacer {
    /// The frames of one publisher, from the beginning of the warm-up to the end of the plan.
    ///
    /// The seed spreads the phases of all publishers' tracks over one period; each publisher of a run has to
    /// be given the same one.
    ///
    /// # Errors
    /// When the plan cannot be carried out.
    pub fn new(plan: &Plan, publisher: u32, seed: u64) -> Result<Self, PlanError> {
        plan.check()?;
        let period = plan.rate.offset(1);
        let own = plan.tracks_of(publisher);
        let slots = slots(plan.track_count(), seed);
        let mut phases: Vec<_> =
            own.filter_map(|track| Some((slots.get(track as usize)?.phase(period), track))).collect();
        phases.sort_unstable();
        let window = plan.window();
        Ok(Self {
            rate: plan.rate,
            phases,
            turn: 0,
            number: 0,
            end: window.end,
            window_start: window.start,
            lateness: Latency::new(),
        })
    }

    /// When the next frame is due, since the run's epoch; `None` after the last.
    #[must_use]
    pub fn next_wake(&self) -> Option<Duration> {
        self.peek().map(|due| due.intended)
    }

    /// The next frame that is due by now. Call it until it gives `None`, and send what it gives.
    ///
    /// How late it is given counts as the sender's own lateness, warm-up aside: `now` has to be read anew
    /// for each call, so that the time that sending takes is seen.
    pub fn poll(&mut self, now: Duration) -> Option<Due> {
        let due = self.peek().filter(|due| due.intended <= now)?;
        self.turn += 1;
        if self.turn == self.phases.len() {
            self.turn = 0;
            self.number += 1;
        }
        if due.number >= self.window_start {
            self.lateness.record(now - due.intended);
        }
        Some(due)
    }

    /// How late the sender was with frames that count.
    #[must_use]
    pub fn lateness(&self) -> &Latency {
        &self.lateness
    }

    /// Frames that are due by now and not given out yet.
    #[must_use]
    pub fn behind(&self, now: Duration) -> u64 {
        let due = |phase: Duration| {
            let since = (now + Duration::from_nanos(1)).saturating_sub(phase);
            self.rate.count_before(since).min(self.end)
        };
        let given = |index: usize| self.number + u64::from(index < self.turn);
        let phases = self.phases.iter().enumerate();
        phases.map(|(index, (phase, _))| due(*phase).saturating_sub(given(index))).sum()
    }

    fn peek(&self) -> Option<Due> {
        let (phase, track) = *self.phases.get(self.turn)?;
        let number = self.number;
        (number < self.end).then(|| Due { track, number, intended: phase + self.rate.offset(number) })
    }
}

/// A track's place within the period, in parts of it.
#[derive(Debug, Clone, Copy)]
struct Slot {
    index: u32,
    count: u32,
}

impl Slot {
    /// Less than the period, so that frame n of every track is due before frame n + 1 of any.
    fn phase(self, period: Duration) -> Duration {
        let nanos = period.as_nanos() * u128::from(self.index) / u128::from(self.count);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// One slot for each track, evenly spread, in an order of the seed's.
fn slots(count: u32, seed: u64) -> Vec<Slot> {
    let mut slots: Vec<_> = (0..count).map(|index| Slot { index, count }).collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut slots);
    slots
}

#[cfg(test)]
mod tests;
