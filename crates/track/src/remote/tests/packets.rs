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
    run.pass(UNDECRYPTABLE_PAUSE);
    run.packet(7, 3, "plain");
    run.extended(7, 4, "abc", key(3));
    run.tracks.set_decryptor(None);
    run.pass(UNDECRYPTABLE_PAUSE);
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
fn a_reason_that_changes_with_each_frame_is_told_once_a_second() {
    let (mut run, track) = secret();
    for frame in 0..40 {
        run.extended(7, frame, "abc", key(4 + (frame % 2) as u8));
        run.pass(Duration::from_millis(100));
    }
    let told = run.told();
    assert_eq!(told.matches("undecryptable:Some").count(), 4, "{told}");
    assert_eq!(told.matches("-1:undecryptable").count(), 40, "every frame is accounted for");
    assert_accounted(run.tracks.stats(track).unwrap());
}

#[test]
fn what_a_publisher_has_left_is_taken_for_three_seconds_after_its_end() {
    let (mut run, track, _) = Run::subscribed("a:1:cam");
    run.packet(7, 4, "x");
    run.update("bob", "");
    run.pass(Duration::from_millis(2_900));
    run.packet(7, 5, "stop");
    assert_eq!(run.told(), "4=x unpublished:bob/cam 5=stop");
    run.pass(Duration::from_millis(100));
    run.packet(7, 6, "late");
    assert_eq!((run.told(), run.tracks.counters().unrouted_packets), (String::new(), 1));
    run.update("bob", "b:1:cam");
    run.handles(&[(8, "DTR_b")]);
    run.packet(8, 0, "anew");
    assert_eq!(run.told(), "published:bob/cam -0:restarted 0=anew");
    assert_accounted(run.tracks.stats(track).unwrap());
}

#[test]
fn the_handle_of_a_track_that_has_ended_may_pass_to_another_at_once() {
    let (mut run, _, _) = Run::subscribed("a:1:cam b:2:pose");
    run.subscribe("b");
    run.update("bob", "b:2:pose");
    run.handles(&[(7, "DTR_b")]);
    run.packet(7, 0, "x");
    run.pass(Duration::from_secs(4));
    run.packet(7, 1, "y");
    assert_eq!(run.told(), "unpublished:bob/cam subscribed:1 0=x 1=y");
}

#[test]
fn a_frame_says_whether_its_publisher_had_left_it() {
    let (mut run, _, _) = Run::subscribed("a:1:cam");
    run.packet(7, 0, "x");
    let source = trackyard_wire::SourceFrame { payload: b"stop", ..Default::default() };
    let mut will = crate::last_will::packet(Handle::new(7).unwrap(), source).to_vec();
    will[7] = 1;
    run.tracks.packet(&will.into(), run.now);
    let marks: Vec<bool> = std::iter::from_fn(|| match run.tracks.poll_output() {
        RemoteOutput::Item(_, Received::Frame(frame)) => Some(frame.is_last_will),
        _ => None,
    })
    .collect();
    assert_eq!(marks, [false, true]);
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
