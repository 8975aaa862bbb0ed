//! Where workers' events go.

use trackyard_sfu::control::{Event, RoomKey};

/// Takes events to rooms. Called on worker threads: it must not block and must not panic.
pub trait EventSink: Send + Clone + 'static {
    /// An event for a room, in the order of the worker that sends it.
    fn deliver(&self, room: RoomKey, event: Event);
}

impl<S: Fn(RoomKey, Event) + Send + Clone + 'static> EventSink for S {
    fn deliver(&self, room: RoomKey, event: Event) {
        self(room, event);
    }
}
