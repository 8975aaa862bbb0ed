//! Rooms.

use livekit_protocol as pb;

use super::{signed, unix_ms};
use crate::room::RoomInfo;

impl From<&RoomInfo> for pb::Room {
    fn from(room: &RoomInfo) -> Self {
        Self {
            sid: room.sid.clone(),
            name: room.name.clone(),
            empty_timeout: room.empty_timeout_s,
            departure_timeout: room.departure_timeout_s,
            max_participants: room.max_participants,
            creation_time: signed(room.creation_time_ms / 1000),
            creation_time_ms: signed(room.creation_time_ms),
            metadata: room.metadata.clone(),
            num_participants: room.num_participants,
            num_publishers: room.num_publishers,
            active_recording: room.active_recording,
            ..Self::default()
        }
    }
}

impl From<pb::Room> for RoomInfo {
    fn from(room: pb::Room) -> Self {
        Self {
            sid: room.sid,
            name: room.name,
            empty_timeout_s: room.empty_timeout,
            departure_timeout_s: room.departure_timeout,
            max_participants: room.max_participants,
            creation_time_ms: unix_ms(room.creation_time_ms, room.creation_time),
            metadata: room.metadata,
            num_participants: room.num_participants,
            num_publishers: room.num_publishers,
            active_recording: room.active_recording,
        }
    }
}
