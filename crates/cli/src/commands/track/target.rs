//! The track that a verb is about, found by its name.

use std::time::Duration;

use tokio::time::Instant;
use trackyard::{EventsError, RemoteDataTrack, Room, RoomEvents};

use crate::failure::Failure;
use crate::text::printable;

/// Waits until there is one track of that name, `NAME` or `IDENTITY/NAME`.
///
/// # Errors
/// [`Failure::NotFound`] with what there is instead, if there is none in time, or more than one.
pub(super) async fn find(
    room: &Room,
    events: &mut RoomEvents,
    (wanted, timeout): (&str, Duration),
) -> Result<RemoteDataTrack, Failure> {
    let deadline = Instant::now() + timeout;
    loop {
        let mut tracks = tracks(room);
        tracks.retain(|track| is_meant(track, wanted));
        match tracks.as_slice() {
            [track] => return Ok(track.clone()),
            [] => {}
            several => return Err(ambiguous(wanted, several)),
        }
        match tokio::time::timeout_at(deadline, events.recv()).await {
            Err(_) => return Err(missing(room, wanted)),
            Ok(Err(EventsError::Closed)) => return Err(Failure::NotFound("the room is gone".to_owned())),
            // Whatever it is, or was, the room itself is looked at.
            Ok(Ok(_) | Err(EventsError::Overflowed { .. })) => {}
        }
    }
}

/// Every track of every participant.
pub(super) fn tracks(room: &Room) -> Vec<RemoteDataTrack> {
    room.remote_participants().iter().flat_map(|participant| participant.data_tracks().all()).collect()
}

/// What tells a track from all others, fit for a terminal.
pub(super) fn label(track: &RemoteDataTrack) -> String {
    printable(&full_name(track)).into_owned()
}

fn full_name(track: &RemoteDataTrack) -> String {
    format!("{}/{}", track.publisher_identity(), track.name())
}

/// Names and identities may hold slashes themselves, so the whole is compared.
fn is_meant(track: &RemoteDataTrack, wanted: &str) -> bool {
    track.name() == wanted || full_name(track) == wanted
}

fn ambiguous(wanted: &str, tracks: &[RemoteDataTrack]) -> Failure {
    Failure::NotFound(format!("`{}` is several tracks; say which:{}", printable(wanted), listed(tracks)))
}

fn missing(room: &Room, wanted: &str) -> Failure {
    let (wanted, name, tracks) = (printable(wanted), room.name(), tracks(room));
    let there = match tracks.as_slice() {
        [] => "; no data track is published".to_owned(),
        tracks => format!("; there is:{}", listed(tracks)),
    };
    Failure::NotFound(format!("no data track `{wanted}` in room `{}`{there}", printable(&name)))
}

fn listed(tracks: &[RemoteDataTrack]) -> String {
    tracks.iter().map(|track| format!("\n  {}", label(track))).collect()
}
