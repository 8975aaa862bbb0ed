//! Which packets make a frame, and why others do not (protocol §5.5).

use super::{DropReason, Dropped, Frame, Pushed, Reassembler};
use crate::{Extensions, FrameNumber, Handle, PacketBuilder, ParseError, Sequence};

const START: u8 = 1;
const LAST: u8 = 2;

/// A packet of `frame` with one byte of payload: its sequence number.
fn packet(flags: u8, frame: u16, sequence: u16) -> Vec<u8> {
    sized(flags, frame, sequence, 1)
}

fn sized(flags: u8, frame: u16, sequence: u16, bytes: usize) -> Vec<u8> {
    let builder = PacketBuilder {
        start: flags & START != 0,
        last: flags & LAST != 0,
        handle: Handle::new(1).unwrap(),
        sequence: Sequence::new(sequence),
        frame: FrameNumber::new(frame),
        timestamp: u32::from(frame),
        extensions: Extensions { user_timestamp: Some(u64::from(sequence)), ..Default::default() },
    };
    builder.build(&vec![sequence.to_be_bytes()[1]; bytes])
}

/// Frame `number` of these sequence numbers, with the extensions of packet `first`.
fn whole(number: u16, first: u16, payload: &[u8]) -> Pushed {
    let frame = Frame {
        number: FrameNumber::new(number),
        timestamp: u32::from(number),
        extensions: Extensions { user_timestamp: Some(u64::from(first)), ..Default::default() },
        payload: payload.to_vec(),
    };
    Pushed { frame: Some(frame), dropped: None }
}

fn lost(frame: u16, reason: DropReason) -> Pushed {
    let dropped = Dropped { frame: FrameNumber::new(frame), reason };
    Pushed { frame: None, dropped: Some(dropped) }
}

fn interrupted(by: u16) -> DropReason {
    DropReason::Interrupted { by: FrameNumber::new(by) }
}

/// Pushes packets `(flags, frame, sequence)`; all but the last must bring about nothing.
#[track_caller]
fn check(packets: &[(u8, u16, u16)], expected: &Pushed) {
    let mut reassembler = Reassembler::new(1 << 20);
    let (last, before) = packets.split_last().unwrap();
    for &(flags, frame, sequence) in before {
        let pushed = reassembler.push(&packet(flags, frame, sequence)).unwrap();
        assert_eq!(pushed, Pushed::default(), "after packet {sequence} of frame {frame}");
    }
    let pushed = reassembler.push(&packet(last.0, last.1, last.2)).unwrap();
    assert_eq!(pushed, *expected);
}

#[test]
fn a_single_packet_is_a_frame_at_once() {
    check(&[(START | LAST, 5, 9)], &whole(5, 9, &[9]));
}

#[test]
fn packets_in_order_make_a_frame() {
    check(&[(START, 5, 1), (0, 5, 2), (0, 5, 3), (LAST, 5, 4)], &whole(5, 1, &[1, 2, 3, 4]));
    check(&[(START, 5, 1), (LAST, 5, 2)], &whole(5, 1, &[1, 2]));
}

#[test]
fn middles_may_come_in_any_order() {
    check(&[(START, 5, 1), (0, 5, 3), (0, 5, 2), (LAST, 5, 4)], &whole(5, 1, &[1, 2, 3, 4]));
}

#[test]
fn sequence_numbers_wrap_inside_a_frame() {
    let packets = [(START, 5, 65_534), (0, 5, 0), (0, 5, 65_535), (LAST, 5, 1)];
    check(&packets, &whole(5, 65_534, &[254, 255, 0, 1]));
}

#[test]
fn a_duplicate_changes_nothing() {
    check(&[(START, 5, 1), (0, 5, 2), (0, 5, 2), (LAST, 5, 3)], &whole(5, 1, &[1, 2, 3]));
}

#[test]
fn a_gap_makes_the_frame_incomplete() {
    let reason = DropReason::Incomplete { received: 3, expected: 4 };
    check(&[(START, 5, 1), (0, 5, 2), (LAST, 5, 4)], &lost(5, reason));
}

#[test]
fn a_middle_after_the_final_packet_is_fatal() {
    let mut reassembler = Reassembler::new(100);
    assert_eq!(reassembler.push(&packet(START, 5, 1)).unwrap(), Pushed::default());
    let incomplete = DropReason::Incomplete { received: 2, expected: 3 };
    assert_eq!(reassembler.push(&packet(LAST, 5, 3)).unwrap(), lost(5, incomplete));
    let late = reassembler.push(&packet(0, 5, 2)).unwrap();
    assert_eq!(late, lost(5, DropReason::UnknownFrame));
}

#[test]
fn packets_before_their_start_belong_to_no_frame() {
    check(&[(0, 5, 2)], &lost(5, DropReason::UnknownFrame));
    check(&[(LAST, 5, 2)], &lost(5, DropReason::UnknownFrame));
}

#[test]
fn a_packet_of_another_frame_leaves_the_open_one_open() {
    let mut reassembler = Reassembler::new(100);
    reassembler.push(&packet(START, 5, 1)).unwrap();
    let stray = reassembler.push(&packet(0, 4, 0)).unwrap();
    assert_eq!(stray, lost(4, DropReason::UnknownFrame));
    assert_eq!(reassembler.push(&packet(LAST, 5, 2)).unwrap(), whole(5, 1, &[1, 2]));
}

#[test]
fn a_new_start_interrupts_the_open_frame() {
    check(&[(START, 5, 1), (START, 6, 3)], &lost(5, interrupted(6)));
    check(&[(START, 5, 1), (START, 5, 1)], &lost(5, interrupted(5)));
}

#[test]
fn a_single_packet_interrupts_the_open_frame_and_is_delivered() {
    let dropped = lost(5, interrupted(6)).dropped;
    check(&[(START, 5, 1), (START | LAST, 6, 3)], &Pushed { dropped, ..whole(6, 3, &[3]) });
}

#[test]
fn extensions_come_from_the_first_packet() {
    // Each packet carries its own sequence number as user timestamp; `whole` expects the first.
    check(&[(START, 5, 100), (LAST, 5, 101)], &whole(5, 100, &[100, 101]));
}

#[test]
fn a_frame_of_128_packets_is_the_largest() {
    let packets = |count: u16| -> Vec<_> {
        let flags = move |sequence| match sequence {
            0 => START,
            _ if sequence == count - 1 => LAST,
            _ => 0,
        };
        (0..count).map(|sequence| (flags(sequence), 5, sequence)).collect()
    };
    let payload: Vec<u8> = (0..128).collect();
    check(&packets(128), &whole(5, 0, &payload));
    check(&packets(129), &lost(5, DropReason::BufferFull));
}

#[test]
fn bytes_are_bounded() {
    let mut reassembler = Reassembler::new(100);
    reassembler.push(&sized(START, 5, 1, 60)).unwrap();
    reassembler.push(&sized(0, 5, 2, 40)).unwrap();
    assert_eq!(reassembler.buffered_bytes(), 100);
    let full = reassembler.push(&sized(LAST, 5, 3, 1)).unwrap();
    assert_eq!(full, lost(5, DropReason::BufferFull));
    assert_eq!(reassembler.buffered_bytes(), 0);

    let full = reassembler.push(&sized(START | LAST, 6, 4, 101)).unwrap();
    assert_eq!(full, lost(6, DropReason::BufferFull));
    assert!(reassembler.push(&sized(START | LAST, 7, 5, 100)).unwrap().frame.is_some());
}

#[test]
fn a_duplicate_counts_its_bytes_once() {
    let mut reassembler = Reassembler::new(100);
    reassembler.push(&sized(START, 5, 1, 50)).unwrap();
    for _ in 0..3 {
        assert_eq!(reassembler.push(&sized(0, 5, 2, 50)).unwrap(), Pushed::default());
    }
    assert_eq!(reassembler.buffered_bytes(), 100);
}

#[test]
fn an_oversized_start_interrupts_too() {
    let mut reassembler = Reassembler::new(100);
    reassembler.push(&sized(START, 5, 1, 50)).unwrap();
    let pushed = reassembler.push(&sized(START, 6, 2, 101)).unwrap();
    assert_eq!(pushed, lost(5, interrupted(6)), "the older loss is the one reported");
    assert_eq!(reassembler.buffered_bytes(), 0);
}

#[test]
fn a_malformed_packet_leaves_the_open_frame_open() {
    let mut reassembler = Reassembler::new(100);
    reassembler.push(&packet(START, 5, 1)).unwrap();
    assert_eq!(reassembler.push(b"garbage"), Err(ParseError::Short));
    assert_eq!(reassembler.push(&packet(LAST, 5, 2)).unwrap(), whole(5, 1, &[1, 2]));
}
