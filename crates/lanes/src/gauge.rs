//! What a channel may hold, for whoever writes other things to it than frames.

use std::time::{Duration, Instant};

use crate::OutboxConfig;
use crate::estimator::Estimator;

/// Tells when a channel has room: as much as its path carries without queueing, and little more.
///
/// The channel's own count of what it holds, in flight included, is all it needs to know.
#[derive(Debug)]
pub struct Gauge(Estimator);

impl Gauge {
    /// Nothing is known of the path. `queue_time` is what may wait in the path beyond what is on its way: everything
    /// else that is sent there waits behind it.
    #[must_use]
    pub fn new(queue_time: Duration, bytes_max: usize) -> Self {
        let config = OutboxConfig { queue_time, room_max_bytes: bytes_max, ..OutboxConfig::default() };
        Self(Estimator::new(config))
    }

    /// Another channel: nothing is known of it.
    pub fn reset(&mut self) {
        self.0.reset();
    }

    /// The channel holds so much.
    pub fn update(&mut self, buffered: usize, now: Instant) {
        self.0.update(buffered, now);
    }

    /// Whether a message of this length may be written. If not, one waits: what is released is all the path can do.
    #[must_use]
    pub fn admits(&mut self, length: usize) -> bool {
        let admits = self.0.has_room(0, length, false);
        if !admits {
            self.0.note_limited();
        }
        admits
    }

    /// The channel has taken so much.
    pub fn wrote(&mut self, bytes: usize, now: Instant) {
        self.0.wrote(bytes, now);
    }

    /// The channel has refused a message; until it is told what it holds, there is no room.
    pub fn refused(&mut self) {
        self.0.refused();
    }
}
