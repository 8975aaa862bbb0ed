//! Frames of ours are read back, everybody else's and spoilt ones are refused.

use proptest::prelude::*;

use super::*;

const RUN: u64 = 0x0123_4567_89ab_cdef;

fn stamp(track: u32, number: u64) -> Stamp {
    Stamp { track, number, intended: Duration::from_micros(number * 10_000) }
}

#[test]
fn the_layout_is_what_the_documentation_says() {
    let frame = Payloads::new(RUN).frame(&stamp(3, 2), 64).unwrap();
    let head = [
        &b"TYb1"[..],
        &RUN.to_be_bytes(),
        &3_u32.to_be_bytes(),
        &2_u64.to_be_bytes(),
        &20_000_000_u64.to_be_bytes(),
        &64_u32.to_be_bytes(),
    ];
    assert_eq!(frame[..CHECK_AT], head.concat());
    assert_eq!(frame.len(), 64);
}

#[test]
fn every_size_is_read_back() {
    let payloads = Payloads::new(RUN);
    for bytes in [HEADER_BYTES, 41, 64, 1_000, 16_000, 65_521, 65_561, 76_800, 200_000, 1 << 20, 2_000_000] {
        for number in [0, 1, 77, u32::MAX.into()] {
            let frame = payloads.frame(&stamp(9, number), bytes).unwrap();
            assert_eq!(payloads.read(&frame), Ok(stamp(9, number)), "{bytes}");
        }
    }
    assert_eq!(payloads.frame(&stamp(0, 0), 39), Err(WriteError { bytes: 39 }));
}

#[test]
fn others_frames_are_refused() {
    let payloads = Payloads::new(RUN);
    assert_eq!(payloads.read(b""), Err(PayloadError::TooShort { bytes: 0 }));
    assert_eq!(payloads.read(&[0; 39]), Err(PayloadError::TooShort { bytes: 39 }));
    assert_eq!(payloads.read(&[0; 1_000]), Err(PayloadError::Foreign));
    let other = Payloads::new(7).frame(&stamp(0, 0), 100).unwrap();
    assert_eq!(payloads.read(&other), Err(PayloadError::OtherRun { run: 7 }));
}

#[test]
fn each_wrong_byte_is_counted() {
    let payloads = Payloads::new(RUN);
    let mut frame = payloads.frame(&stamp(1, 5), 100_000).unwrap();
    for at in [HEADER_BYTES, 70_000, 99_999] {
        frame[at] ^= 0x10;
    }
    let error = payloads.read(&frame).unwrap_err();
    assert_eq!(error, PayloadError::Content { stamp: stamp(1, 5), wrong_bytes: 3 });
    assert_eq!(error.stamp(), Some(stamp(1, 5)));
}

#[test]
fn a_cut_or_lengthened_frame_says_which_it_was() {
    let payloads = Payloads::new(RUN);
    let mut frame = payloads.frame(&stamp(1, 5), 1_000).unwrap();
    frame.truncate(900);
    let cut = PayloadError::Length { stamp: stamp(1, 5), bytes: 900, expected: 1_000 };
    assert_eq!(payloads.read(&frame), Err(cut));
    frame.resize(1_100, 0);
    let long = PayloadError::Length { stamp: stamp(1, 5), bytes: 1_100, expected: 1_000 };
    assert_eq!(payloads.read(&frame), Err(long));
}

#[test]
fn pieces_that_change_places_are_seen() {
    let payloads = Payloads::new(RUN);
    let frame = payloads.frame(&stamp(0, 1), 400_000).unwrap();
    for (one, other) in [(1, 2), (1, 5), (3, 20)] {
        let mut swapped = frame.clone();
        let piece = frame[one * 16_000..][..16_000].to_vec();
        swapped.copy_within(other * 16_000..(other + 1) * 16_000, one * 16_000);
        swapped[other * 16_000..][..16_000].copy_from_slice(&piece);
        assert!(matches!(payloads.read(&swapped), Err(PayloadError::Content { .. })), "{one} {other}");
    }
    let next = payloads.frame(&stamp(0, 2), 400_000).unwrap();
    let mixed = [&frame[..16_000], &next[16_000..]].concat();
    assert!(matches!(payloads.read(&mixed), Err(PayloadError::Content { .. })), "another frame's rest");
}

#[test]
fn clocks_that_differ_are_told_apart() {
    let ms = Duration::from_millis;
    let ahead = ClockOffset { nanos: 5_000_000 };
    assert_eq!(ahead.latency(ms(100), ms(107)), Some(ms(2)));
    assert_eq!(ahead.latency(ms(100), ms(104)), None, "it came before it was sent");
    assert_eq!(ahead.latency(ms(0), ms(4)), None, "before the epoch");
    assert_eq!(ClockOffset { nanos: -5_000_000 }.latency(ms(100), ms(96)), Some(ms(1)));
    assert_eq!(ClockOffset { nanos: i64::MIN }.latency(ms(100), Duration::MAX), None);
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Payloads::new(RUN).read(&bytes).is_err());
    }

    #[test]
    fn one_changed_byte_is_always_found(
        bytes in HEADER_BYTES..3_000usize,
        at in any::<proptest::sample::Index>(),
        flip in 1..=255u8,
        number in 0..1_000_000u64,
    ) {
        let payloads = Payloads::new(RUN);
        let mut frame = payloads.frame(&stamp(2, number), bytes).unwrap();
        let at = at.index(bytes);
        frame[at] ^= flip;
        let error = payloads.read(&frame).unwrap_err();
        match at {
            0..4 => prop_assert_eq!(error, PayloadError::Foreign),
            4..HEADER_BYTES => prop_assert_eq!(error, PayloadError::Header),
            _ => prop_assert_eq!(error, PayloadError::Content { stamp: stamp(2, number), wrong_bytes: 1 }),
        }
    }
}
