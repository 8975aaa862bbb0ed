//! What became of every frame.

use std::ops::AddAssign;
use std::time::Duration;

/// Why a frame was not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// A newer frame took its place.
    Superseded,
    /// It was not begun within `age_max`.
    Expired,
    /// The lane takes fewer frames per second.
    RateLimited,
    /// Packets of it never came.
    Incomplete,
    /// It was begun and not finished within `finish_max`.
    Unfinished,
    /// There was no channel to write to.
    NoChannel,
    /// Too much was waiting.
    QueueFull,
    /// More packets or bytes than a frame may have.
    TooLarge,
    /// The lane was taken away while the frame waited or was under way.
    Removed,
}

impl DropReason {
    /// Every reason, in the order of [`LaneStats::drops`].
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

    /// Its name in metrics.
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

/// Exact accounts of one lane, or of several together.
///
/// At every moment `frames_in = frames_delivered + Σ drops + frames_waiting`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaneStats {
    /// Packets that came.
    pub packets_in: u64,
    /// Their bytes, headers included.
    pub bytes_in: u64,
    /// Packets given to the channel.
    pub packets_out: u64,
    /// Their bytes, headers included.
    pub bytes_out: u64,
    /// Frames of which at least one packet came.
    pub frames_in: u64,
    /// Frames given to the channel whole.
    pub frames_delivered: u64,
    /// Frames that wait or are under way.
    pub frames_waiting: u64,
    /// Frames dropped, by reason; see [`Self::dropped`].
    pub drops: [u64; DropReason::ALL.len()],
    /// Bytes given to the channel of frames that were dropped later.
    pub wasted_bytes: u64,
    /// Packets that came twice, too late, or belong to a dropped frame.
    pub packets_ignored: u64,
    /// Sum of the ages at which frames were begun, in microseconds.
    pub age_sum_us: u64,
    /// The largest of them, in microseconds.
    pub age_max_us: u64,
}

impl LaneStats {
    /// Frames dropped for one reason.
    #[must_use]
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.drops[reason as usize]
    }

    /// Frames dropped for any reason.
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        self.drops.iter().sum()
    }

    /// Whether the accounts add up.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.frames_in == self.frames_delivered + self.dropped_total() + self.frames_waiting
    }

    pub(crate) fn drop_frame(&mut self, reason: DropReason) {
        self.drops[reason as usize] += 1;
        self.frames_waiting -= 1;
    }

    pub(crate) fn begun(&mut self, age: Duration) {
        let age_us = u64::try_from(age.as_micros()).unwrap_or(u64::MAX);
        self.age_sum_us = self.age_sum_us.saturating_add(age_us);
        self.age_max_us = self.age_max_us.max(age_us);
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
        self.frames_waiting += other.frames_waiting;
        self.drops.iter_mut().zip(other.drops).for_each(|(sum, drops)| *sum += drops);
        self.wasted_bytes += other.wasted_bytes;
        self.packets_ignored += other.packets_ignored;
        self.age_sum_us = self.age_sum_us.saturating_add(other.age_sum_us);
        self.age_max_us = self.age_max_us.max(other.age_max_us);
    }
}
