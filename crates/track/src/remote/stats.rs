//! What became of every frame of a track that others publish.

/// Why a frame is not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RemoteDropReason {
    /// None of its packets came: lost on the way, or dropped before it.
    Missing,
    /// Some of its packets did not come.
    Incomplete,
    /// Its first packet came when later frames had been delivered.
    Late,
    /// Too many bytes or frames were waiting for packets.
    BufferFull,
    /// It has more packets than any frame may.
    TooLarge,
    /// It is encrypted and could not be decrypted, or should have been encrypted and was not.
    Undecryptable,
    /// It waited for packets when its track ended or began anew, or nobody wanted it any more.
    Ended,
    /// The track goes on in another publication or session, or its sender has begun to count anew: how many are missing
    /// is not known.
    Restarted,
    /// It found the subscription's buffer full, or made place for a newer one.
    Overflow,
    /// It was too old when it was its turn.
    Stale,
}

impl RemoteDropReason {
    /// Every reason, in the order of their counters.
    pub const ALL: [Self; 10] = [
        Self::Missing,
        Self::Incomplete,
        Self::Late,
        Self::BufferFull,
        Self::TooLarge,
        Self::Undecryptable,
        Self::Ended,
        Self::Restarted,
        Self::Overflow,
        Self::Stale,
    ];

    /// The name by which metrics know it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Incomplete => "incomplete",
            Self::Late => "late",
            Self::BufferFull => "buffer_full",
            Self::TooLarge => "too_large",
            Self::Undecryptable => "undecryptable",
            Self::Ended => "ended",
            Self::Restarted => "restarted",
            Self::Overflow => "overflow",
            Self::Stale => "stale",
        }
    }
}

/// Counters by reason.
pub(super) type Drops = [u64; RemoteDropReason::ALL.len()];

/// Counters of one track while it is subscribed to.
///
/// At every moment `frames_received` = `frames_delivered` + [`dropped_total`](Self::dropped_total) +
/// `frames_waiting`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RemoteTrackStats {
    /// Packets that came in, of whatever use.
    pub packets: u64,
    /// Bytes of them, headers included.
    pub bytes: u64,
    /// Packets that were here already.
    pub duplicate_packets: u64,
    /// Packets of frames that had been given up, or came after later frames had been delivered.
    pub late_packets: u64,
    /// Frames of which at least one packet came.
    pub frames_received: u64,
    /// Frames handed to subscriptions.
    pub frames_delivered: u64,
    /// Frames that wait for packets, their own or those of earlier frames.
    pub frames_waiting: u64,
    /// Frames of which no packet came, by the numbers of those that did.
    pub frames_missing: u64,
    pub(super) drops: Drops,
}

impl RemoteTrackStats {
    /// Received frames dropped for this reason.
    #[must_use]
    pub fn dropped(&self, reason: RemoteDropReason) -> u64 {
        self.drops[reason as usize]
    }

    /// Received frames dropped for any reason.
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        self.drops.iter().sum()
    }

    pub(super) fn drop_frame(&mut self, reason: RemoteDropReason) {
        self.drops[reason as usize] += 1;
    }
}
