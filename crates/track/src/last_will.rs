//! The frame that a server sends for a publisher that has vanished.
//!
//! It is a whole packet, made by the publisher since it may be encrypted; a server fills in its handle and
//! numbers. An extension tells it from a frame that was pushed. Official clients skip extensions that they do
//! not know (protocol §5.4), and take it for a frame like any other.

use bytes::Bytes;
use trackyard_wire::{Handle, Header, PacketBuilder, SourceFrame};

/// The extension that marks a last will; it has no contents.
pub const LAST_WILL_EXTENSION: u8 = trackyard_wire::id::LAST_WILL;

/// A mark as it is on the wire: id and length.
const MARK: [u8; 2] = [LAST_WILL_EXTENSION, 0];
/// The flag that says that extensions follow the fixed header.
const FLAG_EXTENSIONS: u8 = 1 << 2;
/// Extension blocks are counted in words of so many bytes.
const WORD_BYTES: usize = 4;
/// The block's own length field.
const LENGTH_BYTES: usize = 2;

/// The packet of a last will.
pub(crate) fn packet(handle: Handle, source: SourceFrame<'_>) -> Bytes {
    let SourceFrame { payload, extensions, timestamp } = source;
    let (sequence, frame) = Default::default();
    let builder = PacketBuilder { start: true, last: true, handle, sequence, frame, timestamp, extensions };
    let header = builder.header();
    let (fixed, block) = header.split_at(trackyard_wire::HEADER_BYTES);
    // Padding may follow; it belongs behind the mark.
    let written: usize = Header::parse(&header)
        .map(|parsed| parsed.extension_iter(&header).map(|extension| 2 + extension.data.len()).sum())
        .unwrap_or_default();
    let known = block.get(LENGTH_BYTES..).and_then(|block| block.get(..written)).unwrap_or_default();
    let block_bytes = (LENGTH_BYTES + known.len() + MARK.len()).next_multiple_of(WORD_BYTES);
    let words = u16::try_from(block_bytes / WORD_BYTES - 1).expect("a block has a few words");
    let mut packet = Vec::with_capacity(fixed.len() + block_bytes + payload.len());
    packet.extend_from_slice(fixed);
    packet[0] |= FLAG_EXTENSIONS;
    packet.extend_from_slice(&words.to_be_bytes());
    packet.extend_from_slice(known);
    packet.extend_from_slice(&MARK);
    packet.resize(fixed.len() + block_bytes, 0);
    packet.extend_from_slice(payload);
    packet.into()
}

/// Whether a packet is marked as one.
pub(crate) fn is_marked(header: &Header, packet: &[u8]) -> bool {
    header.extension_iter(packet).any(|extension| extension.id == LAST_WILL_EXTENSION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use trackyard_wire::{Encryption, Extensions};

    fn check(extensions: Extensions) {
        let source = SourceFrame { payload: b"stop", extensions, timestamp: 7 };
        let packet = packet(Handle::new(9).unwrap(), source);
        let header = Header::parse(&packet).unwrap();
        assert!(header.is_single() && is_marked(&header, &packet));
        assert_eq!((header.handle.get(), header.timestamp), (9, 7));
        assert_eq!(&packet[header.payload_offset..], b"stop");
        assert_eq!(header.extensions(&packet), extensions);
        let last = header.extension_iter(&packet).last().unwrap();
        assert_eq!((last.id, last.data), (LAST_WILL_EXTENSION, &[][..]), "padding comes last");
        assert!(is_read_officially(&packet), "{extensions:?}");
    }

    /// Reads the block as official clients do: whatever they do not know is stepped over by its length.
    fn is_read_officially(packet: &[u8]) -> bool {
        let words = usize::from(u16::from_be_bytes([packet[12], packet[13]]));
        let mut rest = &packet[14..12 + (words + 1) * 4];
        while let [id, length, tail @ ..] = rest {
            let step = if *id == 0 { 0 } else { usize::from(*length) };
            let Some(next) = tail.get(step..) else { return false };
            rest = next;
        }
        &packet[12 + (words + 1) * 4..] == b"stop"
    }

    #[test]
    fn a_will_is_a_frame_with_a_mark_beside_its_extensions() {
        let encryption = Some(Encryption { key_index: 3, iv: [0; 12] });
        check(Extensions::default());
        check(Extensions { encryption, ..Extensions::default() });
        check(Extensions { user_timestamp: Some(0), ..Extensions::default() });
        check(Extensions { encryption, user_timestamp: Some(1) });
    }

    #[test]
    fn other_frames_are_not_marked() {
        for extensions in [Extensions::default(), Extensions { user_timestamp: Some(240), encryption: None }]
        {
            let builder = PacketBuilder {
                start: true,
                last: true,
                handle: Handle::new(9).unwrap(),
                sequence: Default::default(),
                frame: Default::default(),
                timestamp: 0,
                extensions,
            };
            let packet = builder.build(&MARK);
            assert!(!is_marked(&Header::parse(&packet).unwrap(), &packet));
        }
    }
}
