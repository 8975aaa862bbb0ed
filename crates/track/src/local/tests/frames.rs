//! What becomes of pushed frames.

use trackyard_proto::Encryption;
use trackyard_wire::Encryption as Extension;

use super::*;

/// Encrypts by reversing, and not everything.
#[derive(Debug)]
pub(super) struct Reversed;

impl Encryptor for Reversed {
    fn encrypt(&mut self, payload: &[u8]) -> Result<(Vec<u8>, Extension), CipherError> {
        if payload.is_empty() {
            return Err(CipherError::NoKey { key_index: 3 });
        }
        Ok((payload.iter().rev().copied().collect(), Extension { key_index: 3, iv: [9; 12] }))
    }
}

fn reassembled(packets: &[Bytes]) -> Vec<trackyard_wire::Frame> {
    let mut reassembler = Reassembler::new(1 << 30);
    packets.iter().filter_map(|packet| reassembler.push(packet).unwrap().frame).collect()
}

const FULL: usize = 100 << 20;

#[test]
fn a_frame_arrives_as_it_was_pushed() {
    let mut run = Run::new();
    let track = run.published(PublishOptions::new("pose"));
    for bytes in [0, 1, 1_036, 1_037, 75_000, 15_976 * 128] {
        let payload: Bytes = (0..bytes).map(|at| at as u8).collect();
        let frame = Frame { payload: payload.clone(), user_timestamp: Some(5) };
        run.tracks.try_push(track, frame, run.now).unwrap();
        let frames = reassembled(&run.flush(0));
        assert_eq!((frames[0].payload.as_slice(), frames.len()), (&payload[..], 1));
        assert_eq!(frames[0].extensions.user_timestamp, Some(5));
    }
}

#[test]
fn a_frame_of_more_than_128_packets_is_given_back() {
    let mut run = Run::new();
    let track = run.published(PublishOptions::new("pose"));
    run.push(track, 15_988 * 128).unwrap();
    run.flush(0);
    let refused = run.push(track, 15_988 * 128 + 1);
    assert!(matches!(&refused, Err(PushError::Dropped { reason: LocalDropReason::TooLarge, .. })));
    assert_eq!(refused.unwrap_err().into_frame().payload.len(), 15_988 * 128 + 1);
    assert_eq!(run.drops(track), "too_large:1");
    run.tracks.set_packet_bytes_max(1_200);
    run.push(track, 1_188 * 128).unwrap();
    assert!(run.flush(0).iter().all(|packet| packet.len() == 1_200));
    assert!(run.push(track, 1_188 * 128 + 1).is_err());
}

#[test]
fn frames_go_within_sixteen_packets_or_a_datagram_each() {
    let mut run = Run::new();
    let track = run.published(PublishOptions::new("pose"));
    for (bytes, packets, longest) in
        [(64, 1, 76), (3_000, 3, 1_060), (75_000, 16, 4_700), (1 << 20, 66, 16_000)]
    {
        run.push(track, bytes).unwrap();
        let sent = run.flush(0);
        assert_eq!((sent.len(), sent[0].len()), (packets, longest), "{bytes} bytes");
    }
}

#[test]
fn timestamps_are_of_a_90_khz_clock() {
    let mut run = Run::new();
    let track = run.published(PublishOptions::new("pose"));
    let at = |run: &mut Run| {
        run.push(track, 1).unwrap();
        Header::parse(&run.flush_one()).unwrap().timestamp
    };
    let first = at(&mut run);
    run.pass(Duration::from_millis(250));
    assert_eq!(at(&mut run).wrapping_sub(first), 22_500);
}

#[test]
fn a_full_channel_lets_sixteen_frames_wait() {
    let mut run = Run::new();
    let track = run.published(PublishOptions::new("pose"));
    run.tracks.update_buffered(FULL, run.now);
    for _ in 0..20 {
        run.push(track, 9).unwrap();
    }
    assert_eq!(run.tracks.stats(track).unwrap().waiting, 16);
    assert_eq!(run.drops(track), "queue_full:4");
    let sent = run.flush(0);
    let numbers: Vec<u16> = sent.iter().map(|packet| Header::parse(packet).unwrap().frame.get()).collect();
    assert_eq!(numbers, (4..20).collect::<Vec<_>>(), "the oldest go first");
}

#[test]
fn a_frame_that_has_begun_is_finished_and_the_newest_waits() {
    let mut run = Run::new();
    let track = run.published(PublishOptions::new("cam"));
    run.tracks.update_buffered(FULL, run.now);
    run.push(track, 10_000).unwrap();
    run.flush_one();
    run.tracks.update_buffered(FULL, run.now);
    for _ in 0..3 {
        run.push(track, 20_000).unwrap();
    }
    assert_eq!(run.drops(track), "superseded:2");
    let sent = run.flush(0);
    let ends = sent.iter().map(|packet| Header::parse(packet).unwrap()).filter(|header| header.last);
    assert_eq!(ends.map(|header| header.frame.get()).collect::<Vec<_>>(), [0, 3]);
}

#[test]
fn frames_do_not_wait_longer_than_their_track_allows() {
    let mut run = Run::new();
    let rules = PublishRules { age_max: Duration::from_millis(30), ..PublishRules::default() };
    let track = run.published(PublishOptions { rules, ..PublishOptions::new("pose") });
    run.tracks.update_buffered(FULL, run.now);
    run.push(track, 9).unwrap();
    run.pass(Duration::from_millis(29));
    assert_eq!(run.drops(track), "");
    run.pass(Duration::from_millis(1));
    assert_eq!(run.drops(track), "expired:1");
}

#[test]
fn without_a_channel_frames_are_given_back() {
    let mut run = Run::new();
    let track = run.published(PublishOptions::new("pose"));
    run.push(track, 9).unwrap();
    run.tracks.set_open(false, run.now);
    assert!(matches!(run.push(track, 9), Err(PushError::Dropped { reason: LocalDropReason::NoChannel, .. })));
    assert_eq!(run.drops(track), "no_channel:2");
    run.tracks.set_open(true, run.now);
    run.push(track, 9).unwrap();
    let header = Header::parse(&run.flush_one()).unwrap();
    assert_eq!(header.frame.get(), 1, "what was given back spends no number");
}

#[test]
fn a_frame_for_which_there_are_no_bytes_left_is_given_back() {
    let mut run = Run::new();
    let queue = |policy| PublishRules { policy, ..PublishRules::default() };
    let rules = queue(PublishPolicy::Queue(16));
    let tracks: Vec<LocalTrackId> = (0..6)
        .map(|name| run.published(PublishOptions { rules, ..PublishOptions::new(name.to_string()) }))
        .collect();
    run.tracks.update_buffered(FULL, run.now);
    let refused = tracks.iter().filter(|track| run.push(**track, 2_000_000).is_err()).count();
    assert_eq!(refused, 2, "8 MiB hold four");
    assert_eq!(run.drops(tracks[5]), "queue_full:1");
}

#[test]
fn an_encrypted_track_sends_nothing_in_the_clear() {
    let mut run = Run::new();
    run.tracks.set_encryptor(Some(Box::new(Reversed)));
    let track =
        run.published(PublishOptions { encryption: Encryption::Gcm, ..PublishOptions::new("secret") });
    let frame = |payload: &'static [u8]| Frame { payload: payload.into(), user_timestamp: Some(1) };
    run.tracks.try_push(track, frame(b"abc"), run.now).unwrap();
    let sent = reassembled(&run.flush(0));
    assert_eq!(sent[0].payload, b"cba");
    assert_eq!(sent[0].extensions.encryption, Some(Extension { key_index: 3, iv: [9; 12] }));

    let refused = run.tracks.try_push(track, frame(b""), run.now);
    assert_eq!(
        refused,
        Err(PushError::NotEncrypted { frame: frame(b""), error: CipherError::NoKey { key_index: 3 } })
    );
    run.tracks.set_encryptor(None);
    assert!(matches!(
        run.tracks.try_push(track, frame(b"abc"), run.now),
        Err(PushError::NotEncrypted { error: CipherError::Refused, .. })
    ));
    assert_eq!(run.drops(track), "not_encrypted:2");
    assert!(run.flush(0).is_empty());
}

#[test]
fn a_packet_is_allocated_once() {
    let mut run = Run::new();
    let track = run.published(PublishOptions::new("pose"));
    for bytes in [9, 5_000] {
        run.push(track, bytes).unwrap();
        run.tracks.update_buffered(0, run.now);
        while let Some(packet) = run.tracks.peek(run.now) {
            assert!(packet.is_unique(), "a second allocation counts its owners");
            run.tracks.written(run.now);
        }
    }
}
