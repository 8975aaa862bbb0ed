//! Reads a packet's header and patches its handle.

use crate::extension::{self, ExtensionIter, Extensions};
use crate::{FrameNumber, HEADER_BYTES, Handle, Sequence};

/// Bits 7..5 of the first byte.
const VERSION_SHIFT: u8 = 5;
/// First packet of a frame.
pub(crate) const FLAG_START: u8 = 1 << 4;
/// Final packet of a frame.
pub(crate) const FLAG_LAST: u8 = 1 << 3;
/// An extension block follows the fixed header.
pub(crate) const FLAG_EXTENSIONS: u8 = 1 << 2;
/// Extension blocks are counted in words of this many bytes.
pub(crate) const WORD_BYTES: usize = 4;
/// The extension block's own length field.
pub(crate) const BLOCK_LENGTH_BYTES: usize = 2;

/// A packet's header (protocol §5.4).
///
/// ```
/// use trackyard_wire::{Handle, Header, patch_handle};
///
/// let mut packet = [0x18, 0, 0, 7, 0, 1, 0, 2, 0, 0, 0, 3, b'h', b'i'];
/// let header = Header::parse(&packet)?;
/// assert!(header.is_single());
/// assert_eq!(&packet[header.payload_offset..], b"hi");
///
/// patch_handle(&mut packet, Handle::new(9).expect("9 is not 0"));
/// assert_eq!(Header::parse(&packet)?.handle.get(), 9);
/// # Ok::<(), trackyard_wire::ParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// First packet of its frame.
    pub start: bool,
    /// Final packet of its frame; with `start` the only one.
    pub last: bool,
    /// The sender's handle upstream, the receiver's downstream.
    pub handle: Handle,
    /// Number of the packet in its track.
    pub sequence: Sequence,
    /// Number of the frame in its track.
    pub frame: FrameNumber,
    /// 90 kHz from a random base. Not to be relied on: one official client never advances it.
    pub timestamp: u32,
    /// Where the payload begins; it reaches to the end of the packet and may be empty.
    pub payload_offset: usize,
}

impl Header {
    /// Reads the header of a packet. Reserved bits and unknown extensions are tolerated.
    ///
    /// # Errors
    /// [`ParseError`] if official receivers would refuse the packet too.
    pub fn parse(packet: &[u8]) -> Result<Self, ParseError> {
        let (fixed, rest) = packet.split_first_chunk::<HEADER_BYTES>().ok_or(ParseError::Short)?;
        let [flags, _reserved, h0, h1, s0, s1, f0, f1, timestamp @ ..] = *fixed;
        let version = flags >> VERSION_SHIFT;
        if version != 0 {
            return Err(ParseError::Version(version));
        }
        let handle = Handle::new(u16::from_be_bytes([h0, h1])).ok_or(ParseError::HandleZero)?;
        let block_bytes =
            if flags & FLAG_EXTENSIONS == 0 { 0 } else { extension::validated_block_bytes(rest)? };
        Ok(Self {
            start: flags & FLAG_START != 0,
            last: flags & FLAG_LAST != 0,
            handle,
            sequence: Sequence::new(u16::from_be_bytes([s0, s1])),
            frame: FrameNumber::new(u16::from_be_bytes([f0, f1])),
            timestamp: u32::from_be_bytes(timestamp),
            payload_offset: HEADER_BYTES + block_bytes,
        })
    }

    /// The frame is this one packet.
    #[must_use]
    pub fn is_single(&self) -> bool {
        self.start && self.last
    }

    /// The packet's extensions, in the order they were written, unknown ones included. Yields
    /// nothing if `packet` is not the one this header was read from and is too short for it.
    #[must_use]
    pub fn extension_iter<'p>(&self, packet: &'p [u8]) -> ExtensionIter<'p> {
        let block = HEADER_BYTES + BLOCK_LENGTH_BYTES..self.payload_offset;
        ExtensionIter::new(packet.get(block).unwrap_or_default())
    }

    /// The extensions this crate knows. If one is repeated, the last counts.
    #[must_use]
    pub fn extensions(&self, packet: &[u8]) -> Extensions {
        self.extension_iter(packet).collect()
    }
}

/// Why a packet is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Not even a fixed header.
    #[error("shorter than a header")]
    Short,
    /// Only version 0 is known.
    #[error("unsupported version {0}")]
    Version(u8),
    /// No track has the handle 0.
    #[error("handle is 0")]
    HandleZero,
    /// The extension block does not fit into the packet.
    #[error("extension block reaches beyond the packet")]
    BlockOverrun,
    /// An extension does not fit into its block.
    #[error("extension {0} reaches beyond its block")]
    ExtensionOverrun(u8),
}

/// Writes `handle` into bytes 2 and 3 of a packet and touches nothing else, so that whatever a
/// newer sender put into it survives. A slice shorter than that is left as it is.
pub fn patch_handle(packet: &mut [u8], handle: Handle) {
    if let Some(field) = packet.get_mut(2..4) {
        field.copy_from_slice(&handle.get().to_be_bytes());
    }
}

/// Writes `frame` into bytes 6 and 7 of a packet and touches nothing else. A slice shorter than that is left as
/// it is.
pub fn patch_frame(packet: &mut [u8], frame: FrameNumber) {
    if let Some(field) = packet.get_mut(6..8) {
        field.copy_from_slice(&frame.get().to_be_bytes());
    }
}

#[cfg(test)]
mod tests;
