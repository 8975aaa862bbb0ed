//! What can go wrong with a subscription.

use crate::remote::SUBSCRIBE_TIMEOUT;

/// Why a track is not subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// There is no such track, or no longer.
    #[error("the track is not published")]
    Unpublished,
    /// Its frames are encrypted, and there is nothing to decrypt them with.
    #[error("the track is encrypted, and there is no decryptor")]
    NoDecryptor,
    /// Its publisher, or the server, does not allow it.
    #[error("the track may not be subscribed to by this participant")]
    NotAllowed,
    /// The room is left, or was left meanwhile.
    #[error("the room is left")]
    Closed,
    /// The server has not answered.
    #[error(
        "the server has not answered within {} s: most likely it is an old one that does not know data tracks",
        SUBSCRIBE_TIMEOUT.as_secs()
    )]
    Timeout,
}
