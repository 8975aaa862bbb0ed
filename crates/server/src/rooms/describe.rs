//! What a room looks like from outside, for lists and metrics.

use std::sync::Arc;

use trackyard_proto::{ParticipantInfo, RoomInfo};
use trackyard_sfu::room::{Room, RoomCounters, TrackFigures};

/// A room at one moment.
#[derive(Debug, Clone)]
pub(crate) struct RoomDescription {
    /// The room itself.
    pub(crate) info: Arc<RoomInfo>,
    /// Everyone in it, hidden ones included.
    pub(crate) participants: Vec<Arc<ParticipantInfo>>,
    /// What it has counted.
    pub(crate) counters: RoomCounters,
    /// Its data tracks, if they are metered.
    pub(crate) tracks: Vec<TrackFigures>,
}

/// All rooms at one moment, or nearly so.
#[derive(Debug)]
pub(crate) struct Survey {
    /// Those that are open.
    pub(crate) rooms: Vec<RoomDescription>,
    /// What they have counted, and those that have ended.
    pub(crate) counters: RoomCounters,
}

impl RoomDescription {
    pub(super) fn of(room: &Room) -> Self {
        Self {
            info: room.info(),
            participants: room.participants().collect(),
            counters: *room.counters(),
            tracks: room.track_figures().collect(),
        }
    }
}
