//! What can go wrong with a change of a participant's own state.

use trackyard_proto::signal::Reason;

use super::{PROFILE_REQUESTS_MAX, PROFILE_TIMEOUT};

/// Why a participant's own name, metadata or attributes are not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The participant may not change its own state.
    #[error(
        "the server does not allow it ({message}): the token needs `canUpdateOwnMetadata`, or a backend makes the change"
    )]
    NotAllowed {
        /// In the server's words.
        message: String,
    },
    /// Something is longer than the server takes.
    #[error(
        "the server takes less ({message}): names of 256 bytes, metadata of 512 KiB and attributes of 64 KiB in all, unless it says otherwise"
    )]
    LimitExceeded {
        /// In the server's words.
        message: String,
    },
    /// The server refuses it for another reason.
    #[error("the server refuses it ({reason:?}): {message}")]
    Refused {
        /// In the protocol's words.
        reason: Reason,
        /// In the server's words.
        message: String,
    },
    /// Servers take an empty name and empty metadata for no change.
    #[error("a name or metadata cannot be made empty: servers take that for no change")]
    Empty,
    /// Too many changes have not been answered yet.
    #[error("{PROFILE_REQUESTS_MAX} changes are unanswered; wait for an answer first")]
    TooManyRequests,
    /// The server has not answered.
    #[error("the server has not answered within {} s", PROFILE_TIMEOUT.as_secs())]
    Timeout,
    /// The session has ended.
    #[error("the session has ended")]
    Closed,
}
