//! DEFLATE read bit by bit, so that a small stream never becomes a large allocation.

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};

use crate::StreamError;

/// What comes out at a time, at most.
pub(super) const BLOCK_BYTES: usize = 64 * 1024;

/// A decompressor that gives out a block at a time.
pub(super) struct Inflate {
    state: Decompress,
    is_finished: bool,
}

impl Inflate {
    pub(super) fn new() -> Self {
        Self { state: Decompress::new(false), is_finished: false }
    }

    /// A block out of the front of `input`; nothing if it needs more input.
    pub(super) fn next(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, StreamError> {
        if self.is_finished {
            // A stream ends where its content does.
            return if input.is_empty() { Ok(None) } else { Err(StreamError::Compression) };
        }
        let before = self.state.total_in();
        let mut out = Vec::with_capacity(BLOCK_BYTES);
        let status = self.state.decompress_vec(input, &mut out, FlushDecompress::None);
        let status = status.map_err(|_| StreamError::Compression)?;
        let taken = usize::try_from(self.state.total_in() - before).unwrap_or(input.len());
        let _ = input.split_to(taken.min(input.len()));
        self.is_finished = matches!(status, Status::StreamEnd);
        if out.is_empty() && !input.is_empty() {
            return Err(StreamError::Compression);
        }
        Ok((!out.is_empty()).then(|| Bytes::from(out)))
    }

    /// All of it has come.
    pub(super) fn is_finished(&self) -> bool {
        self.is_finished
    }
}
