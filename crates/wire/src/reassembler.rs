//! Puts packets of one track together again (protocol §5.5).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::{Extensions, FrameNumber, Header, PACKETS_PER_FRAME_MAX, ParseError, Sequence};

/// Reassembles the frames of one track as official receivers do: one frame is open at a time, its
/// packets may come in any order between the first and the final one, a duplicate replaces what
/// was there, and nothing is waited for once the final packet is in.
///
/// Invariant: it holds at most `bytes_max` bytes of payload in at most [`PACKETS_PER_FRAME_MAX`]
/// packets.
#[derive(Debug)]
pub struct Reassembler {
    bytes_max: usize,
    open: Option<OpenFrame>,
}

/// A whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its number in the track.
    pub number: FrameNumber,
    /// From its first packet.
    pub timestamp: u32,
    /// From its first packet.
    pub extensions: Extensions,
    /// Still encrypted if `extensions` say so.
    pub payload: Vec<u8>,
}

/// What a packet brought about; both at once if a new frame interrupts an open one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pushed {
    /// A frame is whole.
    pub frame: Option<Frame>,
    /// A frame, or a packet without one, is lost. If the first packet of a frame interrupts another
    /// and is itself too large to buffer, this is the frame it interrupts.
    pub dropped: Option<Dropped>,
}

/// A loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped {
    /// The frame it happened to.
    pub frame: FrameNumber,
    /// Why.
    pub reason: DropReason,
}

/// Why a frame or packet is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// Another frame began before it was whole.
    Interrupted {
        /// The one that began.
        by: FrameNumber,
    },
    /// A packet's frame is not open; reported for each such packet.
    UnknownFrame,
    /// It has more packets or bytes than may be buffered.
    BufferFull,
    /// The final packet came before all others.
    Incomplete {
        /// Packets that came.
        received: u16,
        /// Packets the frame has.
        expected: u16,
    },
}

impl Reassembler {
    /// Buffers at most `bytes_max` bytes of payload.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, open: None }
    }

    /// Takes a packet; its handle is not looked at.
    ///
    /// # Errors
    /// [`ParseError`] if it is malformed; an open frame stays open.
    pub fn push(&mut self, packet: &[u8]) -> Result<Pushed, ParseError> {
        let header = Header::parse(packet)?;
        // A parsed header's offset is within its packet.
        let payload = packet.get(header.payload_offset..).unwrap_or_default();
        if !header.start {
            return Ok(self.continue_frame(&header, payload));
        }
        let dropped = self.open.take().map(|open| open.drop_for(interrupted(&header)));
        let pushed = self.begin_frame(&header, packet, payload);
        Ok(Pushed { dropped: dropped.or(pushed.dropped), ..pushed })
    }

    /// Payload bytes held for the open frame.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.bytes)
    }

    fn begin_frame(&mut self, header: &Header, packet: &[u8], payload: &[u8]) -> Pushed {
        if payload.len() > self.bytes_max {
            return dropped(header.frame, DropReason::BufferFull);
        }
        let open = OpenFrame::new(header, header.extensions(packet), payload);
        if header.last {
            return open.finish(header.sequence);
        }
        self.open = Some(open);
        Pushed::default()
    }

    fn continue_frame(&mut self, header: &Header, payload: &[u8]) -> Pushed {
        let Some(mut open) = self.open.take_if(|open| open.number == header.frame) else {
            return dropped(header.frame, DropReason::UnknownFrame);
        };
        if !open.has_room_for(header.sequence, payload, self.bytes_max) {
            return dropped(header.frame, DropReason::BufferFull);
        }
        open.insert(header.sequence, payload);
        if header.last {
            return open.finish(header.sequence);
        }
        self.open = Some(open);
        Pushed::default()
    }
}

/// A frame of which the first packet has come, but not the final one.
#[derive(Debug)]
struct OpenFrame {
    number: FrameNumber,
    timestamp: u32,
    extensions: Extensions,
    first: Sequence,
    /// By distance from `first`, so that order survives the wrap.
    payloads: BTreeMap<u16, Vec<u8>>,
    bytes: usize,
}

impl OpenFrame {
    fn new(header: &Header, extensions: Extensions, payload: &[u8]) -> Self {
        let mut open = Self {
            number: header.frame,
            timestamp: header.timestamp,
            extensions,
            first: header.sequence,
            payloads: BTreeMap::new(),
            bytes: 0,
        };
        open.insert(header.sequence, payload);
        open
    }

    fn has_room_for(&self, sequence: Sequence, payload: &[u8], bytes_max: usize) -> bool {
        let replaced = self.payloads.get(&self.index(sequence)).map_or(0, Vec::len);
        self.payloads.len() < PACKETS_PER_FRAME_MAX && self.bytes - replaced + payload.len() <= bytes_max
    }

    fn insert(&mut self, sequence: Sequence, payload: &[u8]) {
        self.bytes += payload.len();
        let replaced = self.payloads.insert(self.index(sequence), payload.to_vec());
        self.bytes -= replaced.map_or(0, |payload| payload.len());
    }

    /// The frame, if all packets up to `last` are there. One beyond it is not part of the frame.
    fn finish(self, last: Sequence) -> Pushed {
        let last_index = self.index(last);
        let whole = (0..=last_index).zip(self.payloads.keys()).all(|(index, key)| index == *key)
            && self.payloads.len() > usize::from(last_index);
        if !whole {
            let received = u16::try_from(self.payloads.len()).unwrap_or(u16::MAX);
            let expected = last_index.wrapping_add(1);
            return dropped(self.number, DropReason::Incomplete { received, expected });
        }
        let payloads = self.payloads.range(..=last_index).map(|(_, payload)| payload);
        let mut payload = Vec::with_capacity(self.bytes);
        payloads.for_each(|part| payload.extend_from_slice(part));
        let Self { number, timestamp, extensions, .. } = self;
        let frame = Some(Frame { number, timestamp, extensions, payload });
        Pushed { frame, dropped: None }
    }

    fn drop_for(self, reason: DropReason) -> Dropped {
        Dropped { frame: self.number, reason }
    }

    fn index(&self, sequence: Sequence) -> u16 {
        sequence.distance_from(self.first).cast_unsigned()
    }
}

fn interrupted(by: &Header) -> DropReason {
    DropReason::Interrupted { by: by.frame }
}

fn dropped(frame: FrameNumber, reason: DropReason) -> Pushed {
    Pushed { frame: None, dropped: Some(Dropped { frame, reason }) }
}

#[cfg(test)]
mod tests;
