//! What arrived at one subscriber.

use std::time::Duration;

use super::latency::Latency;
use super::seen::Seen;
use crate::payload::{ClockOffset, PayloadError, Stamp};
use crate::plan::{Plan, PlanError};

/// The account of one subscriber.
#[derive(Debug, Clone)]
pub struct SubscriberMeter {
    warm_up_end: u64,
    frames_end: u64,
    clock: ClockOffset,
    /// Warm-up included.
    intact: u64,
    pub(super) tracks: Vec<TrackMeter>,
    pub(super) latency: Latency,
    pub(super) strays: Strays,
}

/// The account of one track at one subscriber.
#[derive(Debug, Clone)]
pub(super) struct TrackMeter {
    pub(super) seen: Seen,
    /// Of those that count.
    highest: Option<u64>,
    pub(super) received_bytes: u64,
    pub(super) duplicates: u64,
    pub(super) out_of_order: u64,
    pub(super) corrupt: u64,
    pub(super) wrong_bytes: u64,
}

/// What arrived and belongs to no frame that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Strays {
    /// Frames of the warm-up, spoilt ones and duplicates included.
    pub warm_up: u64,
    /// Somebody else's frames, too short ones, frames of another run.
    pub foreign: u64,
    /// Frames whose header was changed, so that nobody knows which they were.
    pub header: u64,
    /// Frames of tracks or numbers that the plan does not have.
    pub unknown: u64,
    /// Frames that came before they were sent, by the clocks: they count as received and have no latency.
    pub clock: u64,
}

/// What one arrival was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// An intact frame that counts, and how long after its intended moment it came; `None` where the
    /// clocks contradict each other.
    Received(Option<Duration>),
    /// It came before.
    Duplicate,
    /// Some of its bytes were changed, or missing.
    Corrupt,
    /// An intact frame that does not count yet.
    WarmUp,
    /// It is no frame of this plan.
    Stray,
}

impl SubscriberMeter {
    /// For one subscriber of the plan, whose clock differs from the publishers' by `clock`.
    ///
    /// # Errors
    /// When the plan cannot be carried out: its bounds are those of this account.
    pub fn new(plan: &Plan, clock: ClockOffset) -> Result<Self, PlanError> {
        plan.check()?;
        let window = plan.window();
        let track = TrackMeter::new(Seen::new(window.clone()));
        Ok(Self {
            warm_up_end: window.start,
            frames_end: window.end,
            clock,
            intact: 0,
            tracks: vec![track; plan.track_count() as usize],
            latency: Latency::new(),
            strays: Strays::default(),
        })
    }

    /// Takes down what [`Payloads::read`](crate::payload::Payloads::read) says of a frame of so many bytes
    /// that came at `received`, since the run's epoch.
    pub fn record(
        &mut self,
        read: &Result<Stamp, PayloadError>,
        bytes: usize,
        received: Duration,
    ) -> Arrival {
        let stamp = match read {
            Ok(stamp) => Some(*stamp),
            Err(error) => error.stamp(),
        };
        let Some(stamp) = stamp else { return self.stray(read) };
        let Some(track) =
            self.tracks.get_mut(stamp.track as usize).filter(|_| stamp.number < self.frames_end)
        else {
            self.strays.unknown += 1;
            return Arrival::Stray;
        };
        if stamp.number < self.warm_up_end {
            self.strays.warm_up += 1;
            self.intact += u64::from(read.is_ok());
            return if read.is_ok() { Arrival::WarmUp } else { Arrival::Corrupt };
        }
        match read {
            Ok(_) if track.insert(stamp.number, bytes) => self.arrived(&stamp, received),
            Ok(_) => Arrival::Duplicate,
            Err(error) => track.spoilt(error),
        }
    }

    /// Frames that counted and were received so far, over all tracks.
    #[must_use]
    pub fn received_count(&self) -> u64 {
        self.tracks.iter().map(|track| track.seen.count()).sum()
    }

    /// Intact frames so far, duplicates aside, warm-up included: what CPU time is divided by.
    #[must_use]
    pub fn intact_count(&self) -> u64 {
        self.intact
    }

    /// What belonged to no frame that counts.
    #[must_use]
    pub fn strays(&self) -> Strays {
        self.strays
    }

    fn stray(&mut self, read: &Result<Stamp, PayloadError>) -> Arrival {
        match read {
            Err(PayloadError::Header) => self.strays.header += 1,
            _ => self.strays.foreign += 1,
        }
        Arrival::Stray
    }

    fn arrived(&mut self, stamp: &Stamp, received: Duration) -> Arrival {
        self.intact += 1;
        let latency = self.clock.latency(stamp.intended, received);
        match latency {
            Some(latency) => self.latency.record(latency),
            None => self.strays.clock += 1,
        }
        Arrival::Received(latency)
    }
}

impl TrackMeter {
    fn new(seen: Seen) -> Self {
        Self {
            seen,
            highest: None,
            received_bytes: 0,
            duplicates: 0,
            out_of_order: 0,
            corrupt: 0,
            wrong_bytes: 0,
        }
    }

    /// `true` unless it came before.
    fn insert(&mut self, number: u64, bytes: usize) -> bool {
        if !self.seen.insert(number) {
            self.duplicates += 1;
            return false;
        }
        self.out_of_order += u64::from(self.highest.is_some_and(|highest| number < highest));
        self.highest = self.highest.max(Some(number));
        self.received_bytes += bytes as u64;
        true
    }

    fn spoilt(&mut self, error: &PayloadError) -> Arrival {
        self.corrupt += 1;
        self.wrong_bytes += match error {
            PayloadError::Content { wrong_bytes, .. } => *wrong_bytes as u64,
            PayloadError::Length { bytes, expected, .. } => bytes.abs_diff(*expected) as u64,
            _ => 0,
        };
        Arrival::Corrupt
    }
}
