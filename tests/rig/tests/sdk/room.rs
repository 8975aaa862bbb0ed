//! Rooms to test in.

use std::time::Duration;

use trackyard::{Room, RoomEvent, RoomEvents, RoomOptions};
use trackyard_rig::{Site, token};

/// Everything a test waits for comes within this, or the test fails.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(20);

/// Options of a client with one peer connection, or with one for each direction.
pub(crate) fn options(single: bool) -> RoomOptions {
    RoomOptions::new().with_single_peer_connection(single)
}

/// Joins a room of this site.
pub(crate) async fn join(site: &Site, identity: &str, options: RoomOptions) -> (Room, RoomEvents) {
    let url = format!("ws://{}", site.http());
    Room::connect(&url, token(identity, "yard"), options).await.expect("a server that lets everyone in")
}

/// Waits for an event that is looked for, and passes over others.
pub(crate) async fn event<T>(events: &mut RoomEvents, mut look: impl FnMut(RoomEvent) -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look(events.recv().await.expect("the room is not left")) {
                return found;
            }
        }
    };
    within(found).await
}

/// Waits no longer than any test does.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(WAIT_MAX, future).await.expect("it comes in time")
}
