//! What waits for the client's own channel.

use std::collections::VecDeque;

use trackyard_peer::{ChannelKind, Connection};

/// Packets on their way to the channel, in order.
pub(super) struct Uplink {
    waiting: VecDeque<Vec<u8>>,
    waiting_bytes: usize,
    bytes_max: usize,
    dropped: u64,
}

impl Uplink {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { waiting: VecDeque::new(), waiting_bytes: 0, bytes_max, dropped: 0 }
    }

    /// Whether another frame may be queued; counts the frame as dropped if not.
    pub(super) fn has_room(&mut self) -> bool {
        let room = self.waiting_bytes < self.bytes_max;
        self.dropped += u64::from(!room);
        room
    }

    /// Frames dropped so far.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn push(&mut self, packet: Vec<u8>) {
        self.waiting_bytes += packet.len();
        self.waiting.push_back(packet);
    }

    /// Writes what fits; `true` if anything did.
    pub(super) fn flush(&mut self, connection: &mut impl Connection) -> bool {
        let before = self.waiting.len();
        while let Some(packet) = self.waiting.front() {
            if !connection.write(ChannelKind::DataTrack, packet) {
                break;
            }
            self.waiting_bytes -= packet.len();
            self.waiting.pop_front();
        }
        self.waiting.len() < before
    }
}
