//! A track that the client publishes.

use trackyard_wire::{Extensions, Handle, Packetizer, SourceFrame};

/// A track that the client publishes.
pub(super) struct LocalTrack {
    pub(super) sid: Option<String>,
    packetizer: Packetizer,
}

impl LocalTrack {
    pub(super) fn new(handle: Handle, packet_bytes_max: usize) -> Self {
        let packetizer =
            Packetizer::new(handle, packet_bytes_max).expect("the configured packet size is valid");
        Self { sid: None, packetizer }
    }

    /// The packets of one frame.
    pub(super) fn packets(&mut self, payload: &[u8]) -> Vec<Vec<u8>> {
        let frame = SourceFrame { payload, extensions: Extensions::default(), timestamp: 0 };
        self.packetizer.packetize(frame).expect("a test's frame fits into 128 packets").collect()
    }
}
