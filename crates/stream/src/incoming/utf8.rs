//! Text out of pieces that may end within a character.

use bytes::Bytes;

use crate::StreamError;

/// Bytes of a character whose rest has not come; at most three.
#[derive(Debug, Default)]
pub(super) struct Utf8 {
    carried: Vec<u8>,
}

impl Utf8 {
    /// The complete characters so far.
    pub(super) fn push(&mut self, bytes: &Bytes) -> Result<String, StreamError> {
        let mut all = std::mem::take(&mut self.carried);
        all.extend_from_slice(bytes);
        match String::from_utf8(all) {
            Ok(text) => Ok(text),
            Err(error) => {
                let valid = error.utf8_error();
                if valid.error_len().is_some() {
                    return Err(StreamError::Utf8);
                }
                let mut all = error.into_bytes();
                self.carried = all.split_off(valid.valid_up_to());
                String::from_utf8(all).map_err(|_| StreamError::Utf8)
            }
        }
    }

    /// No character is left incomplete.
    pub(super) fn finish(&self) -> Result<(), StreamError> {
        if self.carried.is_empty() { Ok(()) } else { Err(StreamError::Utf8) }
    }
}
