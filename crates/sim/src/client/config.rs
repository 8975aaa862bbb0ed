//! How a raw client behaves.

/// How a raw client behaves.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// One connection instead of two.
    pub single: bool,
    /// Bytes of frames that may wait for the channel; a frame is dropped whole while more are waiting.
    pub uplink_bytes_max: usize,
    /// Size of the packets that frames are cut into, header included.
    pub packet_bytes_max: usize,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self { single: true, uplink_bytes_max: 1024 * 1024, packet_bytes_max: 16_000 }
    }
}
