//! What the path can take without queueing.

use std::time::{Duration, Instant};

use crate::OutboxConfig;

/// What may wait in the path beyond what is on its way.
const QUEUE_TIME: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(crate) struct Estimator {
    config: OutboxConfig,
    buffered: usize,
    blocked: bool,
}

impl Estimator {
    pub(crate) fn new(config: OutboxConfig) -> Self {
        Self { config, buffered: 0, blocked: false }
    }
    pub(crate) fn reset(&mut self, _now: Instant) {
        *self = Self::new(self.config);
    }
    pub(crate) fn update(&mut self, buffered: usize, _now: Instant) {
        if buffered < self.buffered {
            self.blocked = false;
        }
        self.buffered = buffered;
    }
    pub(crate) fn wrote(&mut self, bytes: usize, _now: Instant) {
        self.buffered += bytes;
    }
    pub(crate) fn refused(&mut self) {
        self.blocked = true;
    }
    pub(crate) fn note_limited(&mut self) {}
    pub(crate) fn has_room(&self, waiting: usize, next: usize) -> bool {
        let _ = QUEUE_TIME;
        !self.blocked && self.buffered + waiting < self.config.room_start_bytes.max(2 * next)
    }
}
