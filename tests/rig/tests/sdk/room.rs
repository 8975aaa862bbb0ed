//! Rooms to test in.

use std::net::SocketAddr;
use std::time::Duration;

use trackyard::{
    DataTrackFrame, DataTrackStream, LocalDataTrack, RemoteDataTrack, Room, RoomEvent, RoomEvents,
    RoomOptions,
};
use trackyard_rig::token;

/// Everything a test waits for comes within this, or the test fails.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(20);

/// Options of a client with one peer connection, or with one for each direction.
pub(crate) fn options(single: bool) -> RoomOptions {
    RoomOptions::new().with_single_peer_connection(single)
}

/// Joins a room of the server at this address.
pub(crate) async fn join(http: SocketAddr, identity: &str, options: RoomOptions) -> (Room, RoomEvents) {
    let joined = Room::connect(&format!("ws://{http}"), token(identity, "yard"), options).await;
    joined.expect("a server that lets everyone in")
}

/// Waits for an event that is looked for, and passes over others.
pub(crate) async fn event<T>(events: &mut RoomEvents, look: impl FnMut(RoomEvent) -> Option<T>) -> T {
    event_within(WAIT_MAX, events, look).await
}

/// Waits so long for an event that is looked for, and passes over others.
pub(crate) async fn event_within<T>(
    limit: Duration,
    events: &mut RoomEvents,
    mut look: impl FnMut(RoomEvent) -> Option<T>,
) -> T {
    let found = async {
        loop {
            if let Some(found) = look(events.recv().await.expect("the room is not left")) {
                return found;
            }
        }
    };
    tokio::time::timeout(limit, found).await.expect("it is told in time")
}

/// The next track that is published.
pub(crate) async fn published(events: &mut RoomEvents) -> RemoteDataTrack {
    event(events, |event| match event {
        RoomEvent::DataTrackPublished(track) => Some(track),
        _ => None,
    })
    .await
}

/// Waits no longer than any test does.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(WAIT_MAX, future).await.expect("it comes in time")
}

/// Pushes frames until one arrives, which takes a moment after an interruption; what waited before counts
/// as well. Answers how long it took.
pub(crate) async fn flows(track: &LocalDataTrack, frames: &mut DataTrackStream, limit: Duration) -> Duration {
    let begin = tokio::time::Instant::now();
    while frames.try_next().is_some() {}
    let mut pushes = tokio::time::interval(Duration::from_millis(10));
    let arrived = async {
        loop {
            tokio::select! {
                frame = frames.next() => { frame.expect("the subscription goes on"); return; }
                // A frame that is dropped is what is being waited out.
                _ = pushes.tick() => drop(track.try_push(DataTrackFrame::new("now"))),
            }
        }
    };
    tokio::time::timeout(limit, arrived).await.expect("frames flow again in time");
    begin.elapsed()
}
