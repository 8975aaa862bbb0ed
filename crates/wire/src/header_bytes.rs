//! A serialised header on the stack.

use core::ops::Deref;

use crate::HEADER_BYTES_MAX;

/// The bytes of one header; made by [`PacketBuilder::header`](crate::PacketBuilder::header).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderBytes {
    bytes: [u8; HEADER_BYTES_MAX],
    length: usize,
}

impl HeaderBytes {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; HEADER_BYTES_MAX], length: 0 }
    }

    /// Appends bytes. The longest header fits exactly; more would be a bug of this crate.
    pub(crate) fn push(&mut self, field: &[u8]) {
        let end = self.length + field.len();
        self.bytes[self.length..end].copy_from_slice(field);
        self.length = end;
    }

    /// Fills up to a length with zeros, which padding consists of.
    pub(crate) fn pad_to(&mut self, length: usize) {
        debug_assert!(self.length <= length && length <= HEADER_BYTES_MAX);
        self.length = length;
    }
}

impl Deref for HeaderBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}
