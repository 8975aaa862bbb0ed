//! Lossy packets of this participant: written at once, or dropped.

use std::time::{Duration, Instant};

use trackyard_lanes::Gauge;

/// What the channel may hold however fast the path is.
const ROOM_BYTES_MAX: usize = 256 << 10;
/// What may wait in the path beyond what is on its way: a packet that is older is worth nothing.
const QUEUE_TIME: Duration = Duration::from_millis(100);

/// Tells whether the lossy channel has room.
#[derive(Debug)]
pub(crate) struct Lossy {
    room: Gauge,
    is_open: bool,
}

impl Default for Lossy {
    fn default() -> Self {
        Self { room: Gauge::new(QUEUE_TIME, ROOM_BYTES_MAX), is_open: false }
    }
}

/// What to do with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LossyFate {
    /// Write it.
    Write,
    /// Drop it: the channel holds too much.
    Full,
    /// Drop it: there is no channel.
    NoChannel,
}

impl Lossy {
    /// Says whether the channel can be written, and what it holds. To be called after every input.
    pub(crate) fn update(&mut self, is_open: bool, buffered: usize, now: Instant) {
        if is_open && !self.is_open {
            self.room.reset();
        }
        self.is_open = is_open;
        if is_open {
            self.room.update(buffered, now);
        }
    }

    /// What to do with a packet of this length.
    pub(crate) fn fate(&mut self, length: usize) -> LossyFate {
        match self.is_open {
            false => LossyFate::NoChannel,
            true if self.room.admits(length) => LossyFate::Write,
            true => LossyFate::Full,
        }
    }

    /// The channel has taken it.
    pub(crate) fn written(&mut self, length: usize, now: Instant) {
        self.room.wrote(length, now);
    }

    /// The channel has refused it.
    pub(crate) fn refused(&mut self) {
        self.room.refused();
    }
}
