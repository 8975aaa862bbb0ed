//! What can go wrong with a data blob.

use trackyard_proto::limits::{BLOB_KEY_BYTES, BLOBS_BYTES};
use trackyard_proto::signal::Reason;

use super::{BLOB_REQUESTS_MAX, BLOB_TIMEOUT, BLOBS_MAX};

/// Why a data blob is not stored or not found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DataBlobError {
    /// The key is missing, empty or too long.
    #[error("a data blob's key has 1 to {BLOB_KEY_BYTES} bytes")]
    InvalidKey,
    /// There are no contents.
    #[error("the data blob is empty")]
    Empty,
    /// This client would store too many blobs, or too many bytes.
    #[error("a participant stores {BLOBS_BYTES} bytes in {BLOBS_MAX} data blobs at most")]
    LimitExceeded,
    /// Too many requests have not been answered yet.
    #[error("{BLOB_REQUESTS_MAX} requests for data blobs are unanswered; wait for an answer first")]
    TooManyRequests,
    /// The server refuses it, or knows of no such blob.
    #[error("the server refuses the request for a data blob ({reason:?}): {message}")]
    Refused {
        /// In the protocol's words.
        reason: Reason,
        /// In the server's words.
        message: String,
    },
    /// The server has not answered.
    #[error(
        "the server has not answered within {} s: most likely it is an old one that does not know data blobs",
        BLOB_TIMEOUT.as_secs()
    )]
    Timeout,
    /// The session has ended.
    #[error("the session has ended")]
    Closed,
}
