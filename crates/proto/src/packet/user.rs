//! An application's own message.

use bytes::Bytes;

/// Bytes under a topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserPacket {
    /// What the application sent.
    pub payload: Bytes,
    /// Under which topic.
    pub topic: Option<String>,
    /// The message's own name.
    pub id: Option<String>,
    /// The time in media that it begins to belong to.
    pub start_time: Option<u64>,
    /// The time in media that it ends to belong to.
    pub end_time: Option<u64>,
    /// 16 random bytes by which repeats are known; empty where nothing repeats.
    pub nonce: Bytes,
}
