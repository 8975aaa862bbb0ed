//! Builds packets.

use alloc::vec::Vec;

use crate::header::{FLAG_EXTENSIONS, FLAG_LAST, FLAG_START};
use crate::header_bytes::HeaderBytes;
use crate::{Extensions, FrameNumber, Handle, Sequence};

/// All of a packet but its payload.
///
/// ```
/// use trackyard_wire::{Extensions, FrameNumber, Handle, Header, PacketBuilder, Sequence};
///
/// let builder = PacketBuilder {
///     start: true,
///     last: true,
///     handle: Handle::new(7).expect("7 is not 0"),
///     sequence: Sequence::new(1),
///     frame: FrameNumber::new(2),
///     timestamp: 3,
///     extensions: Extensions { user_timestamp: Some(1_700_000_000_000), ..Default::default() },
/// };
/// let packet = builder.build(b"hi");
/// assert_eq!(packet.len(), builder.header_bytes() + 2);
/// assert_eq!(Header::parse(&packet)?.extensions(&packet), builder.extensions);
/// # Ok::<(), trackyard_wire::ParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketBuilder {
    /// First packet of its frame.
    pub start: bool,
    /// Final packet of its frame.
    pub last: bool,
    /// The track on the channel it is sent on.
    pub handle: Handle,
    /// Number of the packet in its track.
    pub sequence: Sequence,
    /// Number of the frame in its track.
    pub frame: FrameNumber,
    /// 90 kHz from a random base.
    pub timestamp: u32,
    /// The same on every packet of a frame.
    pub extensions: Extensions,
}

impl PacketBuilder {
    /// Exact length of the header: 12, 24, 32 or 40 bytes.
    #[must_use]
    pub fn header_bytes(&self) -> usize {
        self.extensions.header_bytes()
    }

    /// The header alone, for senders that keep header and payload apart.
    #[must_use]
    pub fn header(&self) -> HeaderBytes {
        let mut header = HeaderBytes::new();
        header.push(&[self.flags(), 0]);
        header.push(&self.handle.get().to_be_bytes());
        header.push(&self.sequence.get().to_be_bytes());
        header.push(&self.frame.get().to_be_bytes());
        header.push(&self.timestamp.to_be_bytes());
        self.extensions.write_block(&mut header);
        header
    }

    /// The packet, allocated once at its exact size.
    #[must_use]
    pub fn build(&self, payload: &[u8]) -> Vec<u8> {
        let mut packet = Vec::with_capacity(self.header_bytes() + payload.len());
        self.append(payload, &mut packet);
        packet
    }

    /// Appends the packet to `out`.
    pub fn append(&self, payload: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&self.header());
        out.extend_from_slice(payload);
    }

    /// Writes the packet at the start of `out` and returns its length.
    ///
    /// # Errors
    /// [`BufferTooSmall`] with the length needed; nothing is written then.
    pub fn write(&self, payload: &[u8], out: &mut [u8]) -> Result<usize, BufferTooSmall> {
        let header = self.header();
        let needed = header.len() + payload.len();
        let target = out.get_mut(..needed).ok_or(BufferTooSmall { needed })?;
        let (target_header, target_payload) = target.split_at_mut(header.len());
        target_header.copy_from_slice(&header);
        target_payload.copy_from_slice(payload);
        Ok(needed)
    }

    fn flags(&self) -> u8 {
        let mut flags = 0;
        if self.start {
            flags |= FLAG_START;
        }
        if self.last {
            flags |= FLAG_LAST;
        }
        if self.extensions != Extensions::default() {
            flags |= FLAG_EXTENSIONS;
        }
        flags
    }
}

/// A buffer cannot hold the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("packet needs {needed} bytes")]
pub struct BufferTooSmall {
    /// Bytes the packet has.
    pub needed: usize,
}

#[cfg(test)]
mod tests;
