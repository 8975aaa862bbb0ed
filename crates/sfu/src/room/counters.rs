//! What a room counts.

/// Counters of one room since it began; each names a reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomCounters {
    /// Sessions that began.
    pub joins: u64,
    /// Sessions that came back on a new signal connection.
    pub resumes: u64,
    /// Resumes of sessions that are not here.
    pub resumes_unknown: u64,
    /// Joins refused because the room was full.
    pub refused_full: u64,
    /// Joins refused because the room was ending.
    pub refused_closed: u64,
    /// Joins refused because the directory could not be changed.
    pub refused_directory: u64,
    /// Sessions replaced by another of the same identity.
    pub duplicate_identities: u64,
    /// Sessions that never became active.
    pub join_failures: u64,
    /// Sessions whose connection failed and that did not come back.
    pub connection_timeouts: u64,
    /// Sessions that did not answer an offer.
    pub negotiation_timeouts: u64,
    /// Sessions ended by a description that could not be used.
    pub bad_descriptions: u64,
    /// Candidates that could not be read.
    pub bad_candidates: u64,
    /// Sessions that a worker lost.
    pub peers_lost: u64,
    /// Sessions ended because they sent too many signal messages.
    pub signal_floods: u64,
    /// Sessions whose state after a resume was not the server's.
    pub sync_mismatches: u64,
    /// Data tracks published.
    pub tracks_published: u64,
    /// Publications refused, whatever the reason.
    pub tracks_refused: u64,
    /// Data tracks taken away because their publisher may no longer publish.
    pub tracks_revoked: u64,
    /// Data subscriptions that were given a handle.
    pub subscriptions: u64,
    /// Subscriptions to tracks that are not known.
    pub subscriptions_unknown: u64,
    /// Of those: dropped because too many were waiting.
    pub subscriptions_dropped: u64,
    /// Of those: dropped because the track did not appear in time.
    pub subscriptions_expired: u64,
    /// Subscriptions refused because all 65,535 handles were in use.
    pub handles_exhausted: u64,
    /// Subscription permissions refused because they were too long.
    pub permissions_too_long: u64,
    /// Requests without effect here.
    pub requests_ignored: u64,
    /// User packets without effect yet.
    pub packets_ignored: u64,
    /// Inputs for sessions that are gone.
    pub stale_inputs: u64,
}
