//! The way of packets to frames in the clear.

use trackyard_wire::Encryption as Extension;

use super::*;

/// Decrypts what was reversed under key 3.
#[derive(Debug)]
pub(super) struct Reversed;

impl Decryptor for Reversed {
    fn decrypt(
        &mut self,
        publisher: &str,
        extension: &Extension,
        payload: &[u8],
    ) -> Result<Vec<u8>, CipherError> {
        assert_eq!(publisher, "bob");
        match extension.key_index {
            3 => Ok(payload.iter().rev().copied().collect()),
            key_index => Err(CipherError::WrongKey { key_index }),
        }
    }
}

fn key(key_index: u8) -> Extensions {
    Extensions { encryption: Some(Extension { key_index, iv: [0; 12] }), user_timestamp: Some(9) }
}

fn secret() -> (Run, RemoteTrackId) {
    let mut run = Run::new();
    run.tracks.set_decryptor(Some(Box::new(Reversed)));
    run.update("bob", "a:1:!cam");
    let (track, _) = run.subscribe("a");
    run.handles(&[(7, "DTR_a")]);
    run.told();
    (run, track)
}

#[track_caller]
fn assert_accounted(stats: RemoteTrackStats) {
    let accounted = stats.frames_delivered + stats.dropped_total() + stats.frames_waiting;
    assert_eq!(stats.frames_received, accounted, "{stats:?}");
}

#[test]
fn a_frame_says_where_it_is_from() {
    let (mut run, track, _) = Run::subscribed("a:1:cam");
    run.extended(7, 65_535, "x", Extensions { encryption: None, user_timestamp: Some(5) });
    run.packet(7, 0, "y");
    let mut frame = || match run.tracks.poll_output() {
        RemoteOutput::Item(id, Received::Frame(frame)) if id == track => frame,
        other => panic!("{other:?}"),
    };
    let (first, second) = (frame(), frame());
    assert_eq!((&*first.publisher, first.user_timestamp, first.received), ("bob", Some(5), run.now));
    assert_eq!(second.number, first.number + 1, "numbers do not wrap");
    assert_eq!(second.number & 0xffff, 0);
}

#[test]
fn only_frames_in_the_clear_come_out() {
    let (mut run, track) = secret();
    run.extended(7, 0, "abc", key(3));
    run.extended(7, 1, "abc", key(4));
    run.extended(7, 2, "abc", key(4));
    run.packet(7, 3, "plain");
    run.extended(7, 4, "abc", key(3));
    run.tracks.set_decryptor(None);
    run.extended(7, 5, "abc", key(3));
    let told = "0=cba undecryptable:Some(WrongKey { key_index: 4 }) -1:undecryptable -1:undecryptable \
                undecryptable:None -1:undecryptable 4=cba \
                undecryptable:Some(NoKey { key_index: 3 }) -1:undecryptable";
    assert_eq!(run.told(), told);
    let stats = run.tracks.stats(track).unwrap();
    assert_eq!((stats.frames_delivered, stats.dropped(RemoteDropReason::Undecryptable)), (2, 4));
    assert_accounted(stats);
}

#[test]
fn packets_of_no_use_are_counted() {
    let mut run = Run::new();
    run.update("bob", "a:1:cam");
    run.handles(&[(7, "DTR_a")]);
    run.tracks.packet(&Bytes::from_static(b"short"), run.now);
    run.packet(6, 0, "x");
    run.packet(7, 0, "x");
    let RemoteCounters { malformed_packets, unrouted_packets, unwanted_packets, .. } = run.tracks.counters();
    assert_eq!((malformed_packets, unrouted_packets, unwanted_packets), (1, 1, 1));
    assert_eq!(run.said(), "-a", "nobody has asked for it");
}

#[test]
fn the_bytes_of_all_tracks_together_are_bounded() {
    let mut run = Run::new();
    run.tracks.config = RemoteTracksConfig { track_bytes_max: 1_000, bytes_max: 2_500 };
    run.update("bob", "a:1:a b:2:b c:3:c");
    for (handle, sid) in [(1, "a"), (2, "b"), (3, "c")] {
        run.subscribe(sid);
        run.handles(&[(handle, &format!("DTR_{sid}"))]);
    }
    for frame in 0..10 {
        for handle in 1..=3 {
            let builder = PacketBuilder {
                start: true,
                last: false,
                handle: Handle::new(handle).unwrap(),
                sequence: Sequence::new(frame * 10),
                frame: FrameNumber::new(frame),
                timestamp: 0,
                extensions: Extensions::default(),
            };
            run.tracks.packet(&builder.build(&[0; 272]).into(), run.now);
            let held: usize = run.tracks.tracks.values().map(|track| track.assembler.bytes()).sum();
            assert_eq!(held, run.tracks.bytes);
            assert!(held <= 2_500, "{held}");
        }
    }
    for sid in ["a", "b", "c"] {
        let stats = run.tracks.stats(run.id(sid)).unwrap();
        assert!(stats.frames_waiting > 0 && stats.dropped(RemoteDropReason::BufferFull) > 0);
        assert_accounted(stats);
    }
    run.update("bob", "");
    assert_eq!(run.tracks.bytes, 0);
}
