//! What became of every frame that was pushed.

use trackyard_lanes::{DropReason, LaneStats};

/// Why a frame was not sent whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LocalDropReason {
    /// A newer frame took its place before it had begun.
    Superseded,
    /// It was too old to begin.
    Expired,
    /// It had begun, and took too long.
    Unfinished,
    /// There was no channel to write it to.
    NoChannel,
    /// Too many frames, or too many bytes, waited.
    QueueFull,
    /// It has more bytes than receivers take.
    TooLarge,
    /// It waited when its track was unpublished.
    Unpublished,
    /// A new session had begun, and the server had not taken the track into it yet.
    Republishing,
    /// It could not be encrypted.
    NotEncrypted,
}

impl LocalDropReason {
    /// Every reason, in the order of their counters.
    pub const ALL: [Self; 9] = [
        Self::Superseded,
        Self::Expired,
        Self::Unfinished,
        Self::NoChannel,
        Self::QueueFull,
        Self::TooLarge,
        Self::Unpublished,
        Self::Republishing,
        Self::NotEncrypted,
    ];

    /// The name by which metrics know it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::Expired => "expired",
            Self::Unfinished => "unfinished",
            Self::NoChannel => "no_channel",
            Self::QueueFull => "queue_full",
            Self::TooLarge => "too_large",
            Self::Unpublished => "unpublished",
            Self::Republishing => "republishing",
            Self::NotEncrypted => "not_encrypted",
        }
    }
}

/// Counters of one published track.
///
/// At every moment `pushed` = `sent` + [`dropped_total`](Self::dropped_total) + `waiting`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LocalTrackStats {
    /// Frames pushed while the track was published or published anew, refused ones included.
    pub pushed: u64,
    /// Frames whose every packet the channel has taken.
    pub sent: u64,
    /// Frames that wait or are under way.
    pub waiting: u64,
    /// Packets the channel has taken.
    pub packets_sent: u64,
    /// Bytes of them, headers included.
    pub bytes_sent: u64,
    /// Bytes the channel had taken of frames that were dropped later.
    pub wasted_bytes: u64,
    drops: [u64; LocalDropReason::ALL.len()],
}

impl LocalTrackStats {
    /// Frames dropped for this reason.
    #[must_use]
    pub fn dropped(&self, reason: LocalDropReason) -> u64 {
        self.drops[reason as usize]
    }

    /// Frames dropped for any reason.
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        self.drops.iter().sum()
    }
}

/// What a track has counted beside its lane, which does not outlive a session.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Frames given back, by reason.
    refused: [u64; LocalDropReason::ALL.len()],
    /// Of lanes in earlier sessions.
    earlier: LaneStats,
    /// Frames that waited in them when they ended.
    left_behind: u64,
}

impl Tally {
    pub(super) fn refuse(&mut self, reason: LocalDropReason) {
        self.refused[reason as usize] += 1;
    }

    /// The track's lane has ended with its session, with so many frames in it.
    pub(super) fn end_lane(&mut self, stats: LaneStats, waiting: u64) {
        self.earlier += stats;
        self.left_behind += waiting;
    }

    /// All there is to say while the lane has these counters and so many frames wait in it.
    pub(super) fn stats(&self, lane: LaneStats, waiting: u64) -> LocalTrackStats {
        let mut lanes = self.earlier;
        lanes += lane;
        let mut drops = self.refused;
        for reason in DropReason::ALL {
            drops[counted_as(reason) as usize] += lanes.dropped(reason);
        }
        drops[LocalDropReason::Unpublished as usize] -= self.left_behind;
        drops[LocalDropReason::Republishing as usize] += self.left_behind;
        LocalTrackStats {
            pushed: lanes.frames_in + self.refused.iter().sum::<u64>(),
            sent: lanes.frames_delivered,
            waiting,
            packets_sent: lanes.packets_out,
            bytes_sent: lanes.bytes_out,
            wasted_bytes: lanes.wasted_bytes,
            drops,
        }
    }
}

/// A lane of a publisher sees whole frames in order and has no rate: it drops none as incomplete or
/// above its rate.
fn counted_as(reason: DropReason) -> LocalDropReason {
    match reason {
        DropReason::Superseded => LocalDropReason::Superseded,
        DropReason::Expired => LocalDropReason::Expired,
        DropReason::NoChannel => LocalDropReason::NoChannel,
        DropReason::QueueFull => LocalDropReason::QueueFull,
        DropReason::TooLarge => LocalDropReason::TooLarge,
        DropReason::Removed => LocalDropReason::Unpublished,
        _ => LocalDropReason::Unfinished,
    }
}
