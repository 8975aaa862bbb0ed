//! What became of every frame.

use std::ops::AddAssign;
use std::time::Duration;

/// Why a frame was not delivered whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// A newer frame took its place before it had begun.
    Superseded,
    /// It was too old to begin.
    Expired,
    /// Its track sends more frames than the receiver wants.
    RateLimited,
    /// Some of its packets never came in.
    Incomplete,
    /// It had begun, and took too long.
    Unfinished,
    /// There was no channel to write it to.
    NoChannel,
    /// Its lane's queue, its lane's bytes or the outbox's bytes were used up.
    QueueFull,
    /// It had too many packets, or one that was too long.
    TooLarge,
    /// Its lane was removed.
    Removed,
}

impl DropReason {
    /// Every reason, in the order of their counters.
    pub const ALL: [Self; 9] = [
        Self::Superseded,
        Self::Expired,
        Self::RateLimited,
        Self::Incomplete,
        Self::Unfinished,
        Self::NoChannel,
        Self::QueueFull,
        Self::TooLarge,
        Self::Removed,
    ];

    /// The name by which metrics know it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::Expired => "expired",
            Self::RateLimited => "rate_limited",
            Self::Incomplete => "incomplete",
            Self::Unfinished => "unfinished",
            Self::NoChannel => "no_channel",
            Self::QueueFull => "queue_full",
            Self::TooLarge => "too_large",
            Self::Removed => "removed",
        }
    }
}

/// Counters of one lane, or of a whole outbox.
///
/// At every moment `frames_in` = `frames_delivered` + [`dropped_total`](Self::dropped_total) + the
/// frames that wait or are under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaneStats {
    /// Packets that came in, duplicates and late ones included.
    pub packets_in: u64,
    /// Bytes of them.
    pub bytes_in: u64,
    /// Packets the channel has taken.
    pub packets_out: u64,
    /// Bytes of them.
    pub bytes_out: u64,
    /// Frames of which at least one packet came in.
    pub frames_in: u64,
    /// Frames whose every packet the channel has taken.
    pub frames_delivered: u64,
    /// Bytes the channel had taken of frames that were dropped later.
    pub wasted_bytes: u64,
    /// Frames that have begun: what [`admission_age_sum`](Self::admission_age_sum) is divided by.
    pub frames_begun: u64,
    admission_age_sum_micros: u64,
    admission_age_max_micros: u32,
    drops: [u64; DropReason::ALL.len()],
}

impl LaneStats {
    /// Frames dropped for this reason.
    #[must_use]
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.drops[reason as usize]
    }

    /// Frames dropped for any reason.
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        self.drops.iter().sum()
    }

    /// Ages of frames when they were begun, summed.
    #[must_use]
    pub fn admission_age_sum(&self) -> Duration {
        Duration::from_micros(self.admission_age_sum_micros)
    }

    /// The greatest of those ages.
    #[must_use]
    pub fn admission_age_max(&self) -> Duration {
        Duration::from_micros(self.admission_age_max_micros.into())
    }

    pub(crate) fn count_in(&mut self, bytes: usize) {
        self.packets_in += 1;
        self.bytes_in += bytes as u64;
    }

    pub(crate) fn count_out(&mut self, bytes: usize) {
        self.packets_out += 1;
        self.bytes_out += bytes as u64;
    }

    pub(crate) fn count_begun(&mut self, age: Duration) {
        self.frames_begun += 1;
        let micros = u32::try_from(age.as_micros()).unwrap_or(u32::MAX);
        self.admission_age_sum_micros += u64::from(micros);
        self.admission_age_max_micros = self.admission_age_max_micros.max(micros);
    }

    pub(crate) fn count_dropped(&mut self, reason: DropReason, sent_bytes: u32) {
        self.drops[reason as usize] += 1;
        self.wasted_bytes += u64::from(sent_bytes);
    }
}

impl AddAssign for LaneStats {
    fn add_assign(&mut self, other: Self) {
        self.packets_in += other.packets_in;
        self.bytes_in += other.bytes_in;
        self.packets_out += other.packets_out;
        self.bytes_out += other.bytes_out;
        self.frames_in += other.frames_in;
        self.frames_delivered += other.frames_delivered;
        self.wasted_bytes += other.wasted_bytes;
        self.admission_age_sum_micros += other.admission_age_sum_micros;
        self.admission_age_max_micros = self.admission_age_max_micros.max(other.admission_age_max_micros);
        self.frames_begun += other.frames_begun;
        for (mine, theirs) in self.drops.iter_mut().zip(other.drops) {
            *mine += theirs;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DropReason, LaneStats};

    #[test]
    fn every_reason_has_its_own_counter() {
        let mut sum = LaneStats::default();
        for reason in DropReason::ALL {
            let mut one = LaneStats::default();
            one.count_dropped(reason, 7);
            assert_eq!(one.dropped(reason), 1, "{}", reason.label());
            assert_eq!(one.dropped_total(), 1);
            sum += one;
        }
        assert_eq!(sum.dropped_total(), 9);
        assert_eq!(sum.wasted_bytes, 63);
        assert!(DropReason::ALL.iter().all(|reason| sum.dropped(*reason) == 1));
    }
}
