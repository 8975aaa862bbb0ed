//! Tracks for people.

use trackyard::{RemoteDataTrack, RemoteParticipant};

use super::super::encoding::{frame_name, schema_name};
use super::super::target;
use crate::text::printable;

/// Each participant, and its tracks as other verbs take them.
pub(super) fn rows(people: &[RemoteParticipant]) -> String {
    let mut text = String::new();
    for participant in people {
        text += &printable(participant.identity());
        if !participant.name().is_empty() {
            text += &format!(" ({})", printable(participant.name()));
        }
        text.push('\n');
        for track in participant.data_tracks().all() {
            text += &format!("  {}{}\n", target::label(&track), details(&track));
        }
    }
    text
}

/// How a track's payloads are to be understood, as far as that is announced.
pub(super) fn details(track: &RemoteDataTrack) -> String {
    let mut details: Vec<String> = Vec::new();
    details.extend(track.frame_encoding().map(frame_name));
    details.extend(track.schema().map(schema_name));
    if track.is_encrypted() {
        details.push("encrypted".to_owned());
    }
    if details.is_empty() { String::new() } else { format!("  [{}]", printable(&details.join(", "))) }
}
