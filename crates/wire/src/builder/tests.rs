//! Golden bytes for every kind of header (protocol §5.4).

use super::{BufferTooSmall, PacketBuilder};
use crate::{Encryption, Extensions, FrameNumber, Handle, Header, Sequence};

const ENCRYPTION: Encryption = Encryption {
    key_index: 0xfa,
    iv: [0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b],
};
const TIMESTAMP: u64 = 0x0000_018b_cfe5_6800;
const NONE: Extensions = Extensions { encryption: None, user_timestamp: None };
const TIMED: Extensions = Extensions { encryption: None, user_timestamp: Some(TIMESTAMP) };
const ENCRYPTED: Extensions = Extensions { encryption: Some(ENCRYPTION), user_timestamp: None };
const BOTH: Extensions = Extensions { encryption: Some(ENCRYPTION), user_timestamp: Some(TIMESTAMP) };

const FIXED: [u8; 11] = [0, 0x88, 0x11, 0x44, 0x22, 0x44, 0x33, 0x01, 0x02, 0x03, 0x04];
const ENCRYPTION_FIELD: [u8; 15] =
    [1, 13, 0xfa, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b];
const TIMESTAMP_FIELD: [u8; 10] = [2, 8, 0x00, 0x00, 0x01, 0x8b, 0xcf, 0xe5, 0x68, 0x00];

fn builder(start: bool, last: bool, extensions: Extensions) -> PacketBuilder {
    PacketBuilder {
        start,
        last,
        handle: Handle::new(0x8811).unwrap(),
        sequence: Sequence::new(0x4422),
        frame: FrameNumber::new(0x4433),
        timestamp: 0x0102_0304,
        extensions,
    }
}

/// `block` is the extension block, its length field included.
#[track_caller]
fn check_golden(extensions: Extensions, header_bytes: usize, block: &[&[u8]]) {
    let flag = if block.is_empty() { 0x18 } else { 0x1c };
    let golden = [&[flag], &FIXED[..], &block.concat(), b"payload"].concat();
    let builder = builder(true, true, extensions);
    let packet = builder.build(b"payload");
    assert_eq!(packet, golden);
    assert_eq!(builder.header_bytes(), header_bytes);
    assert_eq!(builder.header().len(), header_bytes);
    assert_eq!(packet.capacity(), packet.len(), "allocated once");

    let header = Header::parse(&golden).unwrap();
    assert_eq!(header.payload_offset, header_bytes);
    assert_eq!(header.extensions(&golden), extensions);
}

#[test]
fn a_header_without_extensions_has_12_bytes() {
    check_golden(NONE, 12, &[]);
}

#[test]
fn a_header_with_user_timestamp_has_24_bytes() {
    check_golden(TIMED, 24, &[&[0, 2], &TIMESTAMP_FIELD]);
}

#[test]
fn a_header_with_encryption_has_32_bytes_padding_last() {
    check_golden(ENCRYPTED, 32, &[&[0, 4], &ENCRYPTION_FIELD, &[0, 0, 0]]);
}

#[test]
fn encryption_precedes_the_timestamp_in_40_bytes() {
    check_golden(BOTH, 40, &[&[0, 6], &ENCRYPTION_FIELD, &TIMESTAMP_FIELD, &[0]]);
}

#[test]
fn a_user_timestamp_of_0_is_sent() {
    let zero = Extensions { user_timestamp: Some(0), ..NONE };
    let packet = builder(true, true, zero).build(b"");
    assert_eq!(packet.len(), 24);
    assert_eq!(Header::parse(&packet).unwrap().extensions(&packet), zero);
}

#[test]
fn flags_tell_the_place_in_the_frame() {
    for (start, last, flags) in
        [(false, false, 0x00), (false, true, 0x08), (true, false, 0x10), (true, true, 0x18)]
    {
        assert_eq!(builder(start, last, NONE).header()[0], flags);
        assert_eq!(builder(start, last, TIMED).header()[0], flags | 0x04);
    }
}

#[test]
fn write_fills_a_buffer_of_exact_size() {
    let builder = builder(true, false, BOTH);
    let mut buffer = [0xee; 45];
    assert_eq!(builder.write(b"abc", &mut buffer), Ok(43));
    assert_eq!(buffer[..43], builder.build(b"abc"));
    assert_eq!(buffer[43..], [0xee; 2]);
}

#[test]
fn write_leaves_a_short_buffer_as_it_is() {
    let mut buffer = [0xee; 42];
    let refused = builder(true, false, BOTH).write(b"abc", &mut buffer);
    assert_eq!(refused, Err(BufferTooSmall { needed: 43 }));
    assert_eq!(buffer, [0xee; 42]);
}

#[test]
fn append_keeps_what_is_there() {
    let mut out = vec![1, 2];
    builder(true, true, NONE).append(b"x", &mut out);
    assert_eq!(out[..2], [1, 2]);
    assert_eq!(out[2..], builder(true, true, NONE).build(b"x"));
}
