//! Rooms for people and programs.

use serde_json::{Value, json};
use trackyard_api::RoomInfo;

use crate::text::printable;

/// A room on a line.
pub(super) fn line(room: &RoomInfo) -> String {
    let most = match room.max_participants {
        0 => String::new(),
        most => format!(" of {most}"),
    };
    let (name, here) = (printable(&room.name), room.num_participants);
    let noun = if here == 1 && most.is_empty() { "participant" } else { "participants" };
    format!("{name}  {here}{most} {noun}, {} publishing  {}\n", room.num_publishers, printable(&room.sid))
}

/// A room for programs, always with the same keys.
pub(super) fn json(room: &RoomInfo) -> Value {
    json!({
        "name": room.name,
        "sid": room.sid,
        "participants": room.num_participants,
        "publishers": room.num_publishers,
        "max_participants": room.max_participants,
        "empty_timeout_s": room.empty_timeout_s,
        "departure_timeout_s": room.departure_timeout_s,
        "created_at_ms": room.creation_time_ms,
        "metadata": room.metadata,
    })
}
