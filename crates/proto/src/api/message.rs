//! What every message of the API can do.

use crate::signal::{DecodeError, Encoding};

/// A request or an answer.
pub trait Message: Sized {
    /// Longer bodies are not read.
    const BYTES_MAX: usize;

    /// Reads a body.
    ///
    /// # Errors
    /// It is larger than [`BYTES_MAX`](Self::BYTES_MAX), has too many parts, or is no such message.
    fn decode(body: &[u8], encoding: Encoding) -> Result<Self, DecodeError>;

    /// Writes a body.
    fn encode(&self, encoding: Encoding) -> Vec<u8>;
}
