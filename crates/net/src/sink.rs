//! Where workers' events go.

use trackyard_sfu::control::{Event, RoomKey, WorkerId};

/// Takes events to rooms. Called on worker threads: it must not block and must not panic.
pub trait EventSink: Send + Clone + 'static {
    /// An event for a room, in the order of the worker that sends it.
    fn deliver(&self, room: RoomKey, event: Event);

    /// A worker has died of a defect, and begins anew with nothing. All its peers are gone, and every command for them
    /// that was sent before this is said. Whoever has peers there has to make them anew.
    fn worker_lost(&self, _worker: WorkerId) {}
}

impl<S: Fn(RoomKey, Event) + Send + Clone + 'static> EventSink for S {
    fn deliver(&self, room: RoomKey, event: Event) {
        self(room, event);
    }
}
