//! What goes wrong with streams.

use thiserror::Error;

/// Why a stream is not sent, or ends before it is complete.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The header's packet would be too large, most often because of attributes.
    #[error("the stream's header takes {bytes} bytes of at most {limit}: send less in attributes")]
    HeaderTooLarge {
        /// What it would take.
        bytes: usize,
        /// What it may take.
        limit: usize,
    },
    /// Chunks are missing.
    #[error("chunk {expected} of the stream is missing, chunk {found} has come")]
    Gap {
        /// The next in order.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// It ended before all of its content had come.
    #[error("the stream has ended after {received} of {size} bytes")]
    Incomplete {
        /// What came.
        received: u64,
        /// What was announced.
        size: u64,
    },
    /// It has more content than was announced.
    #[error("the stream has more than the {size} bytes that were announced")]
    LengthExceeded {
        /// What was announced.
        size: u64,
    },
    /// It has more content than is taken.
    #[error("the stream has more than {limit} bytes")]
    TooLarge {
        /// What is taken.
        limit: u64,
    },
    /// The sender has given it up.
    #[error("the sender has ended the stream early: {reason}")]
    Aborted {
        /// In the sender's words.
        reason: String,
    },
    /// The sender has left, or this client has.
    #[error("the sender has left before the stream was complete")]
    SenderLeft,
    /// Nothing came for too long.
    #[error("the stream has brought nothing for too long")]
    Stalled,
    /// It was not read as fast as it came.
    #[error("the stream was not read in time: {waiting} bytes of it waited")]
    Overflow {
        /// Its bytes that waited.
        waiting: usize,
    },
    /// Some of its packets are encrypted and others are not.
    #[error("the stream is encrypted in part")]
    EncryptionMismatch,
    /// It is said to be text and is not.
    #[error("the stream is not valid UTF-8")]
    Utf8,
    /// It is said to be compressed and cannot be read.
    #[error("the stream's compressed content is damaged")]
    Compression,
}
