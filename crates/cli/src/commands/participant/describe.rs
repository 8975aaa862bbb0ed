//! Participants for people and programs.

use serde_json::{Value, json};
use trackyard_api::{Kind, ParticipantInfo, ParticipantState, Permission};

use crate::text::printable;

/// A participant, and below it what it publishes.
pub(super) fn lines(info: &ParticipantInfo) -> String {
    let mut text = printable(&info.identity).into_owned();
    if !info.name.is_empty() {
        text += &format!(" ({})", printable(&info.name));
    }
    text += &format!("  {}", state(info.state));
    if info.kind != Kind::Standard {
        text += &format!(" {}", kind(info.kind));
    }
    if info.permission.hidden {
        text += " hidden";
    }
    text += &format!("  {}\n", printable(&info.sid));
    for (key, value) in &info.attributes {
        text += &format!("  {}={}\n", printable(key), printable(value));
    }
    for track in &info.data_tracks {
        text += &format!("  {}  {}\n", printable(&track.name), printable(&track.sid));
    }
    for track in &info.tracks {
        text += &format!("  {} (media)  {}\n", printable(&track.name), printable(&track.sid));
    }
    text
}

/// A participant for programs, always with the same keys.
pub(super) fn json(info: &ParticipantInfo) -> Value {
    let tracks = info.data_tracks.iter().map(|track| json!({ "name": track.name, "sid": track.sid }));
    let media =
        info.tracks.iter().map(|track| json!({ "name": track.name, "sid": track.sid, "muted": track.muted }));
    json!({
        "identity": info.identity,
        "sid": info.sid,
        "name": info.name,
        "state": state(info.state),
        "kind": kind(info.kind),
        "metadata": info.metadata,
        "attributes": info.attributes,
        "joined_at_ms": info.joined_at_ms,
        "permission": permission(&info.permission),
        "tracks": tracks.collect::<Vec<_>>(),
        "media_tracks": media.collect::<Vec<_>>(),
    })
}

fn permission(permission: &Permission) -> Value {
    json!({
        "can_subscribe": permission.can_subscribe,
        "can_publish": permission.can_publish,
        "can_publish_data": permission.can_publish_data,
        "can_update_metadata": permission.can_update_metadata,
        "hidden": permission.hidden,
    })
}

fn state(state: ParticipantState) -> &'static str {
    match state {
        ParticipantState::Joining => "joining",
        ParticipantState::Joined => "joined",
        ParticipantState::Active => "active",
        ParticipantState::Disconnected => "disconnected",
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Standard => "standard",
        Kind::Ingress => "ingress",
        Kind::Egress => "egress",
        Kind::Sip => "sip",
        Kind::Agent => "agent",
        Kind::Connector => "connector",
        Kind::Bridge => "bridge",
    }
}
