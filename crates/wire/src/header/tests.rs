//! What a header says, and which packets are refused.

use super::{Header, ParseError, patch_handle};
use crate::{Encryption, Extension, Extensions, FrameNumber, Handle, Sequence};

/// Bytes of a header without its flags: handle 0x8811, sequence 0x4422, frame 0x4433, and a time.
const FIXED: [u8; 11] = [0, 0x88, 0x11, 0x44, 0x22, 0x44, 0x33, 0x01, 0x02, 0x03, 0x04];

fn packet(flags: u8, rest: &[u8]) -> Vec<u8> {
    [&[flags], &FIXED[..], rest].concat()
}

#[track_caller]
fn check_refused(packet: &[u8], error: ParseError) {
    assert_eq!(Header::parse(packet), Err(error), "{packet:02x?}");
}

/// `block` is what follows the block's length field.
#[track_caller]
fn check_block(words: u16, block: &[u8], extensions: Result<Extensions, ParseError>) {
    let packet = packet(0x1c, &[&words.to_be_bytes(), block, b"payload"].concat());
    let parsed = Header::parse(&packet);
    assert_eq!(parsed.map(|header| header.extensions(&packet)), extensions, "{packet:02x?}");
    if let Ok(header) = parsed {
        assert_eq!(&packet[header.payload_offset..], b"payload");
    }
}

#[test]
fn fields_are_big_endian() {
    let header = Header::parse(&packet(0, b"x")).unwrap();
    assert_eq!(header.handle, Handle::new(0x8811).unwrap());
    assert_eq!(header.sequence, Sequence::new(0x4422));
    assert_eq!(header.frame, FrameNumber::new(0x4433));
    assert_eq!(header.timestamp, 0x0102_0304);
    assert_eq!(header.payload_offset, 12);
}

#[test]
fn start_and_final_flags_are_bits_4_and_3() {
    for (flags, start, last) in
        [(0x00, false, false), (0x08, false, true), (0x10, true, false), (0x18, true, true)]
    {
        let header = Header::parse(&packet(flags, b"")).unwrap();
        assert_eq!((header.start, header.last), (start, last), "flags {flags:#x}");
        assert_eq!(header.is_single(), start && last);
    }
}

#[test]
fn reserved_bits_are_tolerated() {
    let mut reserved = packet(0x1b, b"x");
    reserved[1] = 0xff;
    assert_eq!(Header::parse(&reserved), Header::parse(&packet(0x18, b"x")));
}

#[test]
fn a_payload_may_be_empty() {
    assert_eq!(Header::parse(&packet(0x18, b"")).unwrap().payload_offset, 12);
}

#[test]
fn packets_shorter_than_a_header_are_refused() {
    for length in 0..12 {
        check_refused(&packet(0x18, b"")[..length], ParseError::Short);
    }
}

#[test]
fn versions_above_0_are_refused() {
    for version in 1..8 {
        check_refused(&packet(version << 5 | 0x18, b"x"), ParseError::Version(version));
    }
}

#[test]
fn handle_0_is_refused() {
    let mut zero = packet(0x18, b"x");
    zero[2..4].fill(0);
    check_refused(&zero, ParseError::HandleZero);
}

#[test]
fn a_block_beyond_the_packet_is_refused() {
    check_refused(&packet(0x1c, b""), ParseError::BlockOverrun);
    check_refused(&packet(0x1c, &[0]), ParseError::BlockOverrun);
    check_refused(&packet(0x1c, &[0, 0]), ParseError::BlockOverrun);
    check_refused(&packet(0x1c, &[0, 0, 0]), ParseError::BlockOverrun);
    check_refused(&packet(0x1c, &[0, 1, 0, 0, 0, 0, 0]), ParseError::BlockOverrun);
    check_refused(&packet(0x1c, &[0xff; 300]), ParseError::BlockOverrun);
}

#[test]
fn an_extension_beyond_its_block_is_refused() {
    check_block(0, &[9, 1], Err(ParseError::ExtensionOverrun(9)));
    check_block(1, &[1, 13, 0, 0, 0, 0], Err(ParseError::ExtensionOverrun(1)));
    check_block(2, &[9, 2, 0, 0, 2, 8, 0, 0, 0, 0], Err(ParseError::ExtensionOverrun(2)));
}

#[test]
fn the_largest_block_is_read() {
    let mut large = packet(0x1c, &[0xff, 0xff]);
    large.resize(12 + 4 * 65_536, 0);
    assert_eq!(Header::parse(&large).unwrap().payload_offset, large.len());
}

#[test]
fn a_block_without_extensions_is_accepted() {
    check_block(0, &[0, 0], Ok(Extensions::default()));
    check_block(3, &[0; 14], Ok(Extensions::default()));
}

#[test]
fn one_byte_left_over_ends_the_block() {
    check_block(1, &[9, 3, 1, 2, 3, 7], Ok(Extensions::default()));
}

#[test]
fn a_longer_extension_is_read_as_far_as_known() {
    let timestamp = Extensions { user_timestamp: Some(5), ..Default::default() };
    check_block(3, &[2, 12, 0, 0, 0, 0, 0, 0, 0, 5, 9, 9, 9, 9], Ok(timestamp));
}

#[test]
fn a_shorter_extension_is_treated_as_unknown() {
    check_block(1, &[2, 4, 1, 2, 3, 4], Ok(Extensions::default()));
    check_block(1, &[1, 3, 1, 2, 3, 0], Ok(Extensions::default()));
}

#[test]
fn padding_inside_a_block_is_skipped_as_receivers_do() {
    let timestamp = Extensions { user_timestamp: Some(5), ..Default::default() };
    // The byte after the padding id is skipped too, whatever it says.
    check_block(3, &[0, 77, 2, 8, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0], Ok(timestamp));
}

#[test]
fn the_last_of_a_repeated_extension_counts() {
    let timestamp = Extensions { user_timestamp: Some(6), ..Default::default() };
    let block = [2, 8, 0, 0, 0, 0, 0, 0, 0, 5, 2, 8, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0];
    check_block(5, &block, Ok(timestamp));
}

#[test]
fn a_short_repetition_does_not_erase_an_extension() {
    let encryption = Encryption { key_index: 1, iv: [7; 12] };
    let known = Extensions { encryption: Some(encryption), ..Default::default() };
    let block = [&[1, 13, 1][..], &[7; 12], &[1, 1, 9]].concat();
    check_block(4, &block, Ok(known));
}

#[test]
fn unknown_extensions_are_tolerated_and_listed() {
    let block = [&[255, 15][..], &[b's'; 15], &[7, 0, 0, 0, 0]].concat();
    let packet = packet(0x1c, &[&[0, 5], &block[..], b"payload"].concat());
    let header = Header::parse(&packet).unwrap();
    let listed: Vec<_> = header.extension_iter(&packet).collect();
    let sid = Extension { id: 255, data: &[b's'; 15] };
    assert_eq!(listed, [sid, Extension { id: 7, data: &[] }]);
    assert_eq!(header.extensions(&packet), Extensions::default());
}

#[test]
fn a_header_of_another_packet_lists_nothing() {
    let long = packet(0x1c, &[0, 2, 2, 8, 0, 0, 0, 0, 0, 0, 0, 5]);
    let header = Header::parse(&long).unwrap();
    assert_eq!(header.extension_iter(&long[..14]).count(), 0);
}

#[test]
fn patching_touches_the_handle_only() {
    let mut patched = packet(0x1f, &[0, 0, 9, 0, 1, 2, 3]);
    patched[1] = 0xa5;
    let mut expected = patched.clone();
    expected[2..4].copy_from_slice(&[0xab, 0xcd]);
    patch_handle(&mut patched, Handle::new(0xabcd).unwrap());
    assert_eq!(patched, expected);
}

#[test]
fn patching_a_stump_leaves_it_as_it_is() {
    for length in 0..4 {
        let mut stump = vec![9; length];
        patch_handle(&mut stump, Handle::new(1).unwrap());
        assert_eq!(stump, vec![9; length]);
    }
}
