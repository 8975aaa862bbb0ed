//! Marks a packet that is built already.

use alloc::vec::Vec;

use crate::header::{BLOCK_LENGTH_BYTES, FLAG_EXTENSIONS, WORD_BYTES};
use crate::{HEADER_BYTES, Header};

/// A mark is an extension without contents: its id and a length of 0.
const MARK_BYTES: usize = 2;

/// What a mark adds to a packet at most.
pub const MARKED_BYTES_MAX: usize = WORD_BYTES;

/// Whether a packet has an extension of this number.
#[must_use]
pub fn is_marked(header: &Header, packet: &[u8], id: u8) -> bool {
    header.extension_iter(packet).any(|extension| extension.id == id)
}

/// The packet with an empty extension of this number before those it has; whatever else is in it stays as it is.
/// Receivers that do not know the number step over it (protocol §5.4).
#[must_use]
pub fn with_mark(header: &Header, packet: &[u8], id: u8) -> Vec<u8> {
    let (fixed, rest) = packet.split_at(packet.len().min(HEADER_BYTES));
    let (block, payload) = rest.split_at(rest.len().min(header.payload_offset.saturating_sub(HEADER_BYTES)));
    let known = block.get(BLOCK_LENGTH_BYTES..).unwrap_or_default();
    let block_bytes = (BLOCK_LENGTH_BYTES + MARK_BYTES + known.len()).next_multiple_of(WORD_BYTES);
    // A block may be as long as a packet, which has far less than 65,536 words.
    let words = u16::try_from(block_bytes / WORD_BYTES - 1).unwrap_or(u16::MAX);
    let mut marked = Vec::with_capacity(fixed.len() + block_bytes + payload.len());
    marked.extend_from_slice(fixed);
    if let Some(flags) = marked.first_mut() {
        *flags |= FLAG_EXTENSIONS;
    }
    marked.extend_from_slice(&words.to_be_bytes());
    marked.extend_from_slice(&[id, 0]);
    marked.extend_from_slice(known);
    marked.resize(fixed.len() + block_bytes, 0);
    marked.extend_from_slice(payload);
    marked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Encryption, Extensions, Handle, PacketBuilder};

    #[track_caller]
    fn check(extensions: Extensions, payload: &[u8]) {
        let builder = PacketBuilder {
            start: true,
            last: false,
            handle: Handle::new(9).unwrap(),
            sequence: Default::default(),
            frame: Default::default(),
            timestamp: 7,
            extensions,
        };
        let plain = builder.build(payload);
        let before = Header::parse(&plain).unwrap();
        assert!(!is_marked(&before, &plain, 241));
        let marked = with_mark(&before, &plain, 241);
        let after = Header::parse(&marked).unwrap();
        assert!(is_marked(&after, &marked, 241));
        assert!(marked.len() <= plain.len() + MARKED_BYTES_MAX, "{} of {}", marked.len(), plain.len());
        assert_eq!(after.extensions(&marked), extensions);
        assert_eq!(&marked[after.payload_offset..], payload);
        assert_eq!(Header { payload_offset: before.payload_offset, ..after }, before);
    }

    #[test]
    fn a_mark_changes_nothing_else_of_a_packet() {
        let encryption = Some(Encryption { key_index: 3, iv: [9; 12] });
        for payload in [&b""[..], b"map"] {
            check(Extensions::default(), payload);
            check(Extensions { encryption, ..Extensions::default() }, payload);
            check(Extensions { user_timestamp: Some(5), ..Extensions::default() }, payload);
            check(Extensions { encryption, user_timestamp: Some(1) }, payload);
        }
    }

    #[test]
    fn what_nobody_knows_survives() {
        let packet = [0x1f, 0xaa, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 77, 2, 1, 2, 0, 0, b'x'];
        let header = Header::parse(&packet).unwrap();
        let marked = with_mark(&header, &packet, 241);
        let after = Header::parse(&marked).unwrap();
        let ids: Vec<_> =
            after.extension_iter(&marked).map(|extension| (extension.id, extension.data)).collect();
        assert_eq!(ids, [(241, &[][..]), (77, &[1, 2][..])]);
        assert_eq!((marked[0], marked[1]), (0x1f, 0xaa));
        assert_eq!(&marked[after.payload_offset..], b"x");
    }
}
