//! What a track leaves for the case that its publisher vanishes.

use trackyard_proto::Encryption;
use trackyard_proto::limits::{LAST_WILL_BYTES, LAST_WILL_PAYLOAD_BYTES};
use trackyard_proto::signal::DataTrackPublication;

use super::frames::Reversed;
use super::*;

fn leaving(payload: &[u8]) -> PublishOptions {
    let last_will = Some(Frame { payload: Bytes::copy_from_slice(payload), user_timestamp: Some(5) });
    PublishOptions { last_will, ..PublishOptions::new("drive") }
}

fn sealed(payload: &[u8]) -> PublishOptions {
    PublishOptions { encryption: Encryption::Gcm, ..leaving(payload) }
}

impl Run {
    /// The packet that goes with the last request.
    fn will(&mut self) -> Option<Bytes> {
        self.drain();
        self.requests.last().unwrap().last_will.clone()
    }
}

fn payload(packet: &Bytes) -> Bytes {
    let header = Header::parse(packet).unwrap();
    assert!(header.is_single());
    packet.slice(header.payload_offset..)
}

#[test]
fn a_request_carries_the_will_and_the_answer_says_whether_it_is_kept() {
    for last_will in [true, false] {
        let mut run = Run::new();
        let track = run.tracks.publish(leaving(b"stop"), run.now).unwrap();
        let will = run.will().expect("a will");
        assert_eq!(payload(&will), "stop");
        let header = Header::parse(&will).unwrap();
        assert_eq!(header.extensions(&will).user_timestamp, Some(5));
        assert_eq!(Some(header.handle), run.tracks.handle(track));
        let info = info(&run.requests[0], "DTR_1");
        run.tracks
            .published(&DataTrackPublication { info: Arc::clone(&info), last_will, latched: false }, run.now);
        assert_eq!(run.event(), LocalEvent::Published { track, info, last_will, latched: false });
    }
}

#[test]
fn a_track_without_one_asks_as_ever() {
    let mut run = Run::new();
    run.publish("drive");
    assert_eq!(run.will(), None);
}

#[test]
fn one_that_is_no_packet_is_refused_before_the_server_is_asked() {
    let mut run = Run::new();
    let bytes = LAST_WILL_PAYLOAD_BYTES + 1;
    let refused = run.tracks.publish(leaving(&vec![0; bytes]), run.now);
    assert_eq!(refused, Err(PublishError::LastWillTooLarge { bytes }));
    assert!(refused.unwrap_err().to_string().contains("1200"));
    run.tracks.publish(leaving(&vec![0; bytes - 1]), run.now).unwrap();
    assert!(run.will().unwrap().len() <= LAST_WILL_BYTES - 16 - 16, "room for a key's extension and its tag");
}

#[test]
fn the_will_of_an_encrypted_track_never_leaves_in_the_clear() {
    let mut run = Run::new();
    assert_eq!(run.tracks.publish(sealed(b"stop"), run.now), Err(PublishError::NoEncryptor));
    run.tracks.set_encryptor(Some(Box::new(Reversed)));
    let error = CipherError::NoKey { key_index: 3 };
    assert_eq!(run.tracks.publish(sealed(b""), run.now), Err(PublishError::LastWillNotEncrypted(error)));
    let track = run.tracks.publish(sealed(b"stop"), run.now).unwrap();
    assert_eq!(run.tracks.handle(track).map(|handle| handle.get()), Some(2), "a failure holds no name");
    let will = run.will().unwrap();
    assert_eq!(payload(&will), "pots");
    assert!(Header::parse(&will).unwrap().extensions(&will).encryption.is_some());
}

#[test]
fn it_is_published_anew_with_each_session_and_with_each_repetition() {
    let mut run = Run::new();
    run.tracks.set_encryptor(Some(Box::new(Reversed)));
    run.tracks.publish(sealed(b"stop"), run.now).unwrap();
    let first = run.will().unwrap();
    run.tracks.resume(run.now);
    assert_eq!(run.will().as_ref(), Some(&first), "the answer may be lost");
    run.accept();
    run.pass(Duration::from_millis(10));
    run.tracks.restart(run.now);
    assert_eq!(payload(&run.will().unwrap()), "pots");
    assert_ne!(run.will(), Some(first), "it is sealed anew");
    run.accept();
    run.tracks.set_encryptor(None);
    let before = run.will();
    run.tracks.restart(run.now);
    assert_eq!(run.will(), before, "without a key by what was sealed before");
    assert_eq!(run.requests.len(), 4);
}

#[test]
fn numbers_leave_a_place_for_one_that_the_server_may_have_sent() {
    for last_will in [true, false] {
        let mut run = Run::new();
        let track = run.tracks.publish(leaving(b"stop"), run.now).unwrap();
        for (session, expected) in [(1, 0), (2, if last_will { 2 } else { 1 })] {
            run.drain();
            let info = info(run.requests.last().unwrap(), &format!("DTR_{session}"));
            run.tracks.published(&DataTrackPublication { info, last_will, latched: false }, run.now);
            run.push(track, 9).unwrap();
            let header = Header::parse(&run.flush_one()).unwrap();
            assert_eq!((header.sequence.get(), header.frame.get()), (expected, expected));
            run.tracks.restart(run.now);
        }
    }
}
