//! How frames are cut (protocol §5.5).

use super::{PACKET_BYTES_DEFAULT, PacketSizeError, PacketizeError, Packetizer, Packets, SourceFrame};
use crate::{Encryption, Extensions, FrameNumber, Handle, Header, Sequence};

const TIMED: Extensions = Extensions { encryption: None, user_timestamp: Some(1) };
const BOTH: Extensions =
    Extensions { encryption: Some(Encryption { key_index: 0, iv: [1; 12] }), user_timestamp: Some(1) };

fn packetizer() -> Packetizer {
    Packetizer::new(Handle::new(7).unwrap(), PACKET_BYTES_DEFAULT).unwrap()
}

fn cut(bytes: usize, extensions: Extensions) -> Vec<Vec<u8>> {
    let frame = SourceFrame { payload: &vec![0xaa; bytes], extensions, timestamp: 9 };
    packetizer().packetize(frame).map(Packets::collect).unwrap()
}

#[track_caller]
fn check_sizes(bytes: usize, extensions: Extensions, sizes: &[usize]) {
    let packets = cut(bytes, extensions);
    assert_eq!(packets.iter().map(Vec::len).collect::<Vec<_>>(), sizes);
}

#[test]
fn packets_are_filled_and_the_last_carries_the_remainder() {
    let none = Extensions::default();
    check_sizes(1, none, &[13]);
    check_sizes(15_988, none, &[16_000]);
    check_sizes(15_989, none, &[16_000, 13]);
    check_sizes(31_976, none, &[16_000, 16_000]);
    check_sizes(15_976, TIMED, &[16_000]);
    check_sizes(15_977, TIMED, &[16_000, 25]);
    check_sizes(15_960, BOTH, &[16_000]);
    check_sizes(40_000, BOTH, &[16_000, 16_000, 8_120]);
}

#[test]
fn an_empty_frame_is_one_packet() {
    let packets = cut(0, Extensions::default());
    assert_eq!(packets.len(), 1);
    assert!(Header::parse(&packets[0]).unwrap().is_single());
}

#[test]
fn extensions_are_repeated_on_every_packet() {
    for packet in cut(40_000, BOTH) {
        assert_eq!(Header::parse(&packet).unwrap().extensions(&packet), BOTH);
    }
}

#[test]
fn flags_mark_first_and_final_packet() {
    let flags = |packet: &Vec<u8>| packet[0];
    assert_eq!(
        cut(60_000, Extensions::default()).iter().map(flags).collect::<Vec<_>>(),
        [0x10, 0x00, 0x00, 0x08]
    );
}

#[test]
fn numbers_start_at_0_and_go_on_across_frames() {
    let mut packetizer = packetizer();
    let payload = vec![0; 20_000];
    let mut numbers = Vec::new();
    for _ in 0..3 {
        let frame = SourceFrame { payload: &payload, ..Default::default() };
        for packet in packetizer.packetize(frame).unwrap() {
            let header = Header::parse(&packet).unwrap();
            numbers.push((header.frame.get(), header.sequence.get()));
        }
    }
    assert_eq!(numbers, [(0, 0), (0, 1), (1, 2), (1, 3), (2, 4), (2, 5)]);
}

#[test]
fn numbers_wrap() {
    let last = (Sequence::new(u16::MAX), FrameNumber::new(u16::MAX));
    let mut packetizer = packetizer().starting_at(last.0, last.1);
    let payload = vec![0; 20_000];
    let frame = SourceFrame { payload: &payload, ..Default::default() };
    let mut headers = Vec::new();
    for _ in 0..2 {
        for packet in packetizer.packetize(frame).unwrap() {
            let header = Header::parse(&packet).unwrap();
            headers.push((header.frame.get(), header.sequence.get()));
        }
    }
    assert_eq!(headers, [(65_535, 65_535), (65_535, 0), (0, 1), (0, 2)]);
}

#[test]
fn numbers_are_spent_even_if_packets_are_not_taken() {
    let mut packetizer = packetizer();
    let payload = vec![0; 40_000];
    let frame = SourceFrame { payload: &payload, ..Default::default() };
    assert_eq!(packetizer.packetize(frame).unwrap().len(), 3);
    let packet = packetizer.packetize(frame).unwrap().next().unwrap();
    let header = Header::parse(&packet).unwrap();
    assert_eq!((header.frame.get(), header.sequence.get()), (1, 3));
}

#[test]
fn a_frame_of_128_packets_is_the_largest() {
    let bytes_max = 128 * 15_988;
    assert_eq!(packetizer().frame_bytes_max(&Extensions::default()), bytes_max);
    assert_eq!(cut(bytes_max, Extensions::default()).len(), 128);

    let mut packetizer = packetizer();
    let payload = vec![0; bytes_max + 1];
    let too_large = SourceFrame { payload: &payload, ..Default::default() };
    let refused = packetizer.packetize(too_large).unwrap_err();
    assert_eq!(refused, PacketizeError::FrameTooLarge { bytes: bytes_max + 1, bytes_max });

    let packet = packetizer.packetize(SourceFrame::default()).unwrap().next().unwrap();
    let header = Header::parse(&packet).unwrap();
    assert_eq!((header.frame.get(), header.sequence.get()), (0, 0), "no number was spent");
}

#[test]
fn packets_must_have_room_for_a_payload() {
    let handle = Handle::new(7).unwrap();
    for packet_bytes_max in [0, 12, 40] {
        let refused = Packetizer::new(handle, packet_bytes_max).unwrap_err();
        assert_eq!(refused, PacketSizeError { packet_bytes_max });
    }
    assert!(Packetizer::new(handle, 41).is_ok());
}

#[test]
fn packets_left_are_counted() {
    let payload = vec![0; 40_000];
    let frame = SourceFrame { payload: &payload, ..Default::default() };
    let mut packets = packetizer().packetize(frame).unwrap();
    for left in [3, 2, 1] {
        assert_eq!(packets.len(), left);
        assert!(packets.next().is_some());
    }
    assert_eq!(packets.len(), 0);
    assert_eq!(packets.next(), None);
}
