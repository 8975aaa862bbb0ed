//! What happens to a room, as it is reported.

use serde_json::{Value, json};
use trackyard::{CloseReason, DataReceived, Participant, RoomEvent, RoomEvents};

use crate::failure::variant;
use crate::output::report;
use crate::payload;
use crate::talk;
use crate::tracks;

/// Reports everything that happens to a room.
pub(crate) async fn listen(identity: String, mut events: RoomEvents) {
    loop {
        match events.recv().await {
            Ok(event) => tell(&identity, &event),
            Err(trackyard::EventsError::Closed) => return,
            Err(error) => report(&identity, "events_lost", &json!({"error": error.to_string()})),
        }
    }
}

fn tell(identity: &str, event: &RoomEvent) {
    let (kind, fields) = match event {
        RoomEvent::ParticipantConnected(who) => {
            ("participant_connected", json!({"identity": who.identity()}))
        }
        RoomEvent::ParticipantDisconnected(who) => {
            ("participant_disconnected", json!({"identity": who.identity()}))
        }
        RoomEvent::DataTrackPublished(track) | RoomEvent::DataTrackRepublished(track) => {
            ("track_published", tracks::describe(track))
        }
        RoomEvent::DataTrackUnpublished(track) => ("track_unpublished", json!({"sid": track.sid()})),
        RoomEvent::DataTrackUndecryptable { track, error } => {
            let error = error.as_ref().map(variant);
            let (publisher, name) = (track.publisher_identity(), track.name());
            ("undecryptable", json!({"publisher": publisher, "name": name, "error": error}))
        }
        RoomEvent::LocalDataTrackUnpublished(track) => ("local_unpublished", json!({"name": track.name()})),
        RoomEvent::DataReceived(packet) => ("packet", received(packet)),
        RoomEvent::Reconnecting => ("reconnecting", json!({})),
        RoomEvent::Reconnected { resumed } => ("reconnected", json!({"resumed": resumed})),
        RoomEvent::Disconnected(reason) => ("disconnected", json!({"reason": closed(reason)})),
        other => match changed(other) {
            Some(change) => change,
            None => return,
        },
    };
    report(identity, kind, &fields);
}

/// Changes of what participants and the room say about themselves.
fn changed(event: &RoomEvent) -> Option<(&'static str, Value)> {
    let (kind, who) = match event {
        RoomEvent::ParticipantNameChanged { participant, .. } => ("name_changed", participant),
        RoomEvent::ParticipantMetadataChanged { participant, .. } => ("metadata_changed", participant),
        RoomEvent::ParticipantAttributesChanged { participant, .. } => ("attributes_changed", participant),
        RoomEvent::ParticipantPermissionsChanged { participant, .. } => ("permissions_changed", participant),
        RoomEvent::RoomMetadataChanged { metadata } => {
            return Some(("room_metadata_changed", json!({"metadata": metadata})));
        }
        RoomEvent::DataUndecryptable { participant_identity, error } => {
            let error = error.as_ref().map(variant);
            return Some(("data_undecryptable", json!({"from": participant_identity, "error": error})));
        }
        RoomEvent::DataUnconfirmed { packets } => {
            return Some(("data_unconfirmed", json!({"packets": packets})));
        }
        _ => return None,
    };
    Some((kind, described(who)))
}

fn described(who: &Participant) -> Value {
    let mut fields = talk::described(who);
    fields["identity"] = json!(who.identity());
    fields
}

fn received(packet: &DataReceived) -> Value {
    let verdict = payload::inspect(&packet.payload);
    json!({
        "from": packet.participant_identity,
        "topic": packet.topic.as_deref().unwrap_or_default(),
        "reliable": packet.kind == trackyard::DataPacketKind::Reliable,
        "sequence": verdict.sequence,
        "size": packet.payload.len(),
        "intact": verdict.is_intact,
    })
}

/// The protocol's word for it where it is the server's doing: `DUPLICATE_IDENTITY`.
fn closed(reason: &CloseReason) -> String {
    let CloseReason::Server(reason) = reason else { return variant(reason) };
    let mut word = String::new();
    for letter in variant(reason).chars() {
        if letter.is_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(letter.to_ascii_uppercase());
    }
    word
}
