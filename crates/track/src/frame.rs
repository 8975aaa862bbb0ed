//! What an application sends and receives.

use bytes::Bytes;

/// A frame: bytes of the application, and when it says they were captured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// Up to about 2,040,000 bytes (protocol §5.5).
    pub payload: Bytes,
    /// Milliseconds since the Unix epoch by convention; travels with the frame (protocol §5.4).
    pub user_timestamp: Option<u64>,
}
