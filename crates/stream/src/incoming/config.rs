//! Bounds of incoming streams, and what has become of them.

use std::time::Duration;

/// Bounds of incoming streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncomingConfig {
    /// Streams that are open or not read to their end.
    pub streams_max: usize,
    /// Of those, of one sender.
    pub streams_per_sender_max: usize,
    /// What may wait to be read, as it came.
    pub bytes_max: usize,
    /// Of that, of one stream.
    pub stream_bytes_max: usize,
    /// Streams that wait for somebody to register their topic, at the beginning of a session.
    pub held_max: usize,
    /// An open stream that brings nothing for so long has failed.
    pub idle_max: Duration,
}

impl Default for IncomingConfig {
    fn default() -> Self {
        Self {
            streams_max: 1024,
            streams_per_sender_max: 256,
            bytes_max: 256 * 1024 * 1024,
            stream_bytes_max: 128 * 1024 * 1024,
            held_max: 64,
            idle_max: Duration::from_secs(60 * 60),
        }
    }
}

/// What has become of incoming streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct IncomingCounters {
    /// Streams that have begun.
    pub opened: u64,
    /// Of those, ended before they were complete.
    pub failed: u64,
    /// Of those, for they were not read in time.
    pub overflowed: u64,
    /// Headers under a topic that has no handler.
    pub unhandled: u64,
    /// Headers beyond the bound of streams.
    pub refused: u64,
    /// Headers that say neither text nor bytes, or name an unknown compression.
    pub unreadable: u64,
    /// Headers and chunks that had come before.
    pub duplicates: u64,
    /// Chunks and trailers of no open stream.
    pub late: u64,
}
