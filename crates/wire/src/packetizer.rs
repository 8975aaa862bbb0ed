//! Cuts frames into packets (protocol §5.5).

use alloc::vec::Vec;

use crate::{Extensions, FrameNumber, HEADER_BYTES_MAX, Handle, PacketBuilder, Sequence};

/// What official clients fill a packet to, header included.
pub const PACKET_BYTES_DEFAULT: usize = 16_000;

/// Official receivers buffer no more packets of a frame.
pub const PACKETS_PER_FRAME_MAX: usize = 128;

/// Cuts the frames of one track into packets and numbers both.
///
/// Every packet is filled up; the last carries the remainder. An empty frame becomes one packet
/// without payload: official senders lose such a frame silently, but every receiver can read it.
#[derive(Debug, Clone)]
pub struct Packetizer {
    handle: Handle,
    packet_bytes_max: usize,
    sequence: Sequence,
    frame: FrameNumber,
}

/// A frame to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SourceFrame<'f> {
    /// Bytes of the application, already encrypted if the track is.
    pub payload: &'f [u8],
    /// Repeated on every packet.
    pub extensions: Extensions,
    /// 90 kHz from a random base.
    pub timestamp: u32,
}

impl Packetizer {
    /// Starts a track at packet 0 of frame 0, with packets of at most `packet_bytes_max` bytes,
    /// header included.
    ///
    /// # Errors
    /// [`PacketSizeError`] if the longest header leaves no room for a payload.
    pub fn new(handle: Handle, packet_bytes_max: usize) -> Result<Self, PacketSizeError> {
        if packet_bytes_max <= HEADER_BYTES_MAX {
            return Err(PacketSizeError { packet_bytes_max });
        }
        let (sequence, frame) = Default::default();
        Ok(Self { handle, packet_bytes_max, sequence, frame })
    }

    /// Starts elsewhere, as for a track whose numbers must go on.
    #[must_use]
    pub fn starting_at(self, sequence: Sequence, frame: FrameNumber) -> Self {
        Self { sequence, frame, ..self }
    }

    /// The longest frame that fits into [`PACKETS_PER_FRAME_MAX`] packets.
    #[must_use]
    pub fn frame_bytes_max(&self, extensions: &Extensions) -> usize {
        self.payload_bytes_max(extensions) * PACKETS_PER_FRAME_MAX
    }

    /// Cuts a frame. Its numbers are spent even if not all packets are taken.
    ///
    /// # Errors
    /// [`PacketizeError::FrameTooLarge`] if receivers could not reassemble it; no number is spent.
    pub fn packetize<'f>(&mut self, frame: SourceFrame<'f>) -> Result<Packets<'f>, PacketizeError> {
        let payload_bytes_max = self.payload_bytes_max(&frame.extensions);
        let count = frame.payload.len().div_ceil(payload_bytes_max).max(1);
        let count = u16::try_from(count)
            .ok()
            .filter(|count| usize::from(*count) <= PACKETS_PER_FRAME_MAX)
            .ok_or(PacketizeError::FrameTooLarge {
                bytes: frame.payload.len(),
                bytes_max: self.frame_bytes_max(&frame.extensions),
            })?;
        let next = PacketBuilder {
            start: true,
            last: count == 1,
            handle: self.handle,
            sequence: self.sequence,
            frame: self.frame,
            timestamp: frame.timestamp,
            extensions: frame.extensions,
        };
        self.sequence = self.sequence.advanced(count);
        self.frame = self.frame.next();
        Ok(Packets { next, rest: frame.payload, payload_bytes_max, left: count })
    }

    fn payload_bytes_max(&self, extensions: &Extensions) -> usize {
        self.packet_bytes_max - extensions.header_bytes()
    }
}

/// The packets of one frame, in order; made by [`Packetizer::packetize`].
#[derive(Debug, Clone)]
pub struct Packets<'f> {
    next: PacketBuilder,
    rest: &'f [u8],
    payload_bytes_max: usize,
    left: u16,
}

impl Iterator for Packets<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        self.left = self.left.checked_sub(1)?;
        let (payload, rest) = self.rest.split_at(self.rest.len().min(self.payload_bytes_max));
        let packet = self.next.build(payload);
        self.rest = rest;
        self.next.start = false;
        self.next.last = self.left == 1;
        self.next.sequence = self.next.sequence.next();
        Some(packet)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::from(self.left);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Packets<'_> {}
impl core::iter::FusedIterator for Packets<'_> {}

/// Packets of this size could carry no payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("packets of {packet_bytes_max} bytes leave no room for a payload")]
pub struct PacketSizeError {
    /// The size asked for.
    pub packet_bytes_max: usize,
}

/// Why a frame is not cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PacketizeError {
    /// It would take more packets than receivers buffer.
    #[error("frame of {bytes} bytes exceeds {bytes_max}")]
    FrameTooLarge {
        /// Bytes of the frame.
        bytes: usize,
        /// Bytes it may have.
        bytes_max: usize,
    },
}

#[cfg(test)]
mod tests;
