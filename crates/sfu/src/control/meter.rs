//! What one track's publisher has sent, counted where its packets come in and read wherever somebody asks.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one track. Only the publisher's worker writes them.
#[derive(Debug, Default)]
pub struct TrackMeter {
    packets: AtomicU64,
    bytes: AtomicU64,
}

impl TrackMeter {
    /// A packet has come in.
    pub(crate) fn count(&self, bytes: usize) {
        self.packets.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Packets so far.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.packets.load(Ordering::Relaxed)
    }

    /// Their bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}
