//! Tracks whose last frame the server keeps.

use trackyard_proto::signal::DataTrackPublication;
use trackyard_proto::{DeliveryPolicy, DeliveryWish};

use super::*;

fn latched() -> PublishOptions {
    PublishOptions { latch: true, ..PublishOptions::new("map") }
}

impl Run {
    /// Answers the last request with yes, and that the last frame is kept or not.
    fn keep(&mut self, latched: bool) {
        self.drain();
        self.sids += 1;
        let info = info(self.requests.last().unwrap(), &format!("DTR_{}", self.sids));
        self.tracks.published(&DataTrackPublication { info, last_will: false, latched }, self.now);
    }

    fn push_text(&mut self, track: LocalTrackId, text: &'static str) {
        let frame = Frame { payload: text.into(), user_timestamp: Some(9) };
        self.tracks.try_push(track, frame, self.now).unwrap();
    }

    /// Payloads that leave now.
    fn sent(&mut self) -> Vec<String> {
        let text = |packet: Bytes| {
            let header = Header::parse(&packet).unwrap();
            assert_eq!(header.extensions(&packet).user_timestamp, Some(9));
            String::from_utf8_lossy(&packet[header.payload_offset..]).into_owned()
        };
        self.flush(0).into_iter().map(text).collect()
    }
}

#[test]
fn a_request_carries_the_wish_and_the_answer_says_whether_it_is_granted() {
    for latched in [true, false] {
        let mut run = Run::new();
        let delivery = DeliveryWish::new().with_policy(DeliveryPolicy::Latest);
        let options = PublishOptions { delivery, ..self::latched() };
        let track = run.tracks.publish(options, run.now).unwrap();
        run.keep(latched);
        let request = run.requests.last().unwrap();
        assert!(request.latch);
        assert_eq!(request.delivery, delivery);
        let event = run.event();
        assert!(
            matches!(event, LocalEvent::Published { track: known, latched: told, .. } if known == track && told == latched)
        );
    }
}

#[test]
fn the_last_frame_goes_out_first_in_each_new_session() {
    let mut run = Run::new();
    let track = run.tracks.publish(latched(), run.now).unwrap();
    run.keep(true);
    run.push_text(track, "one");
    run.push_text(track, "two");
    assert_eq!(run.sent(), ["one", "two"]);
    for _ in 0..2 {
        run.tracks.set_open(false, run.now);
        run.tracks.restart(run.now);
        run.keep(true);
        assert_eq!(run.sent(), [""; 0], "the channel is not open");
        run.tracks.set_open(true, run.now);
        assert_eq!(run.sent(), ["two"]);
    }
    run.tracks.restart(run.now);
    assert_eq!(run.sent(), [""; 0], "it is not published yet");
    run.keep(true);
    assert_eq!(run.sent(), ["two"]);
    assert_eq!(run.drops(track), "");
    assert_eq!(run.tracks.stats(track).unwrap().pushed, 5, "each counts as a push");
}

#[test]
fn nothing_is_sent_again_where_the_session_goes_on_or_nothing_is_kept() {
    let mut run = Run::new();
    let track = run.tracks.publish(latched(), run.now).unwrap();
    run.keep(true);
    run.push_text(track, "one");
    assert_eq!(run.sent(), ["one"]);
    run.tracks.resume(run.now);
    run.tracks.set_open(true, run.now);
    assert_eq!(run.sent(), [""; 0]);

    let mut run = Run::new();
    let track = run.tracks.publish(latched(), run.now).unwrap();
    run.keep(false);
    run.push_text(track, "one");
    run.sent();
    run.tracks.restart(run.now);
    run.keep(false);
    assert_eq!(run.sent(), [""; 0]);
}

#[test]
fn a_newer_frame_takes_its_place() {
    let mut run = Run::new();
    let track = run.tracks.publish(latched(), run.now).unwrap();
    run.keep(true);
    run.push_text(track, "one");
    run.sent();
    run.tracks.set_open(false, run.now);
    run.tracks.restart(run.now);
    run.keep(true);
    run.tracks.set_open(true, run.now);
    run.push_text(track, "two");
    assert_eq!(run.sent(), ["one", "two"]);
    run.tracks.unpublish(track);
    run.tracks.restart(run.now);
    assert_eq!(run.sent(), [""; 0]);
}
