//! What can go wrong with streams.

use std::io;

use trackyard_session::{PacketDropReason, SendError};
use trackyard_stream::StreamError;

/// Why a stream is not sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendStreamError {
    /// It cannot be sent as it is.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// Its packets are not taken.
    #[error(transparent)]
    Refused(#[from] SendError),
    /// Its packets have waited for the connection, and were dropped.
    #[error("the stream is dropped: {0}")]
    Dropped(#[from] PacketDropReason),
    /// The session has ended in which it was begun: receivers have lost its sender. Send it anew.
    #[error("the stream was interrupted by a new session: send it anew")]
    Interrupted,
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Why a stream is not received to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadStreamError {
    /// It is not what it should be, or not complete.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The file cannot be written.
    #[error("the file cannot be written: {0}")]
    Io(#[from] io::Error),
}
