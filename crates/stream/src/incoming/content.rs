//! What a stream's chunks hold.

use std::fmt;

use bytes::Bytes;
use trackyard_proto::packet::Compression;

use super::inflate::Inflate;
use super::utf8::Utf8;
use crate::{StreamError, StreamInfo};

/// Most that a stream may hold, as in official clients.
const CONTENT_BYTES_MAX: u64 = 5_000_000_000;

/// Reads a stream's chunks: decompresses, checks lengths, and puts characters together.
///
/// Invariant: it gives out at most 64 KiB at a time and never more than was announced, whatever comes in.
pub struct Content {
    size: Option<u64>,
    limit: u64,
    received: u64,
    inflate: Option<Inflate>,
    utf8: Utf8,
    input: Bytes,
}

impl Content {
    pub(crate) fn new(info: &StreamInfo, compression: Compression) -> Self {
        let inflate = (compression == Compression::DeflateRaw).then(Inflate::new);
        let (utf8, input) = (Utf8::default(), Bytes::new());
        Self { size: info.size, limit: CONTENT_BYTES_MAX, received: 0, inflate, utf8, input }
    }

    /// Refuses more than that.
    pub fn set_limit(&mut self, bytes: u64) {
        self.limit = bytes;
    }

    /// The next chunk, once [`next_bytes`](Self::next_bytes) has given nothing.
    pub fn push(&mut self, chunk: Bytes) {
        debug_assert!(self.input.is_empty(), "a chunk is read before the next one comes");
        self.input = chunk;
    }

    /// The next bytes of the chunk; nothing once it is read.
    ///
    /// # Errors
    /// [`StreamError`]: more than was announced or is taken, or damaged.
    pub fn next_bytes(&mut self) -> Result<Option<Bytes>, StreamError> {
        let block = match &mut self.inflate {
            Some(inflate) => inflate.next(&mut self.input)?,
            None => Some(std::mem::take(&mut self.input)).filter(|chunk| !chunk.is_empty()),
        };
        if let Some(block) = &block {
            self.received += u64::try_from(block.len()).unwrap_or(u64::MAX);
            self.check_excess()?;
        }
        Ok(block)
    }

    /// The same for text; may be empty where a character is not complete.
    ///
    /// # Errors
    /// Those of [`next_bytes`](Self::next_bytes), and [`StreamError::Utf8`].
    pub fn next_text(&mut self) -> Result<Option<String>, StreamError> {
        let block = self.next_bytes()?;
        block.map(|block| self.utf8.push(&block)).transpose()
    }

    /// The end has come.
    ///
    /// # Errors
    /// [`StreamError`]: less than was announced, or cut off.
    pub fn finish(&self) -> Result<(), StreamError> {
        let received = self.received;
        if let Some(size) = self.size.filter(|size| received < *size) {
            return Err(StreamError::Incomplete { received, size });
        }
        if self.inflate.as_ref().is_some_and(|inflate| !inflate.is_finished()) {
            return Err(StreamError::Compression);
        }
        self.utf8.finish()
    }

    /// Bytes so far, decompressed.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Between 0 and 1; nothing where the size is not known.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a fraction for people")]
    pub fn progress(&self) -> Option<f64> {
        let size = self.size?;
        Some(if size == 0 { 1.0 } else { (self.received as f64 / size as f64).min(1.0) })
    }

    fn check_excess(&self) -> Result<(), StreamError> {
        if let Some(size) = self.size.filter(|size| self.received > *size) {
            return Err(StreamError::LengthExceeded { size });
        }
        if self.received > self.limit {
            return Err(StreamError::TooLarge { limit: self.limit });
        }
        Ok(())
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("received", &self.received)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}
