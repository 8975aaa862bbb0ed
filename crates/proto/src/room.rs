//! A room as clients see it.

/// A snapshot of a room's own state (`Room`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoomInfo {
    /// `RM_…`.
    pub sid: String,
    /// The name it was created under.
    pub name: String,
    /// How long it stays without anyone ever having joined, in seconds.
    pub empty_timeout_s: u32,
    /// How long it stays after the last participant has left, in seconds.
    pub departure_timeout_s: u32,
    /// 0 means no limit.
    pub max_participants: u32,
    /// Unix milliseconds; also fills the legacy field in seconds.
    pub creation_time_ms: u64,
    /// Free text of at most 512 KiB.
    pub metadata: String,
    /// Dependent kinds (agent, egress, recorder) are not counted.
    pub num_participants: u32,
    /// Participants that publish something.
    pub num_publishers: u32,
    /// A recorder is present.
    pub active_recording: bool,
}
