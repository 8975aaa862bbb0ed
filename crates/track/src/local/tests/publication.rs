//! From the wish to publish to the end, over sessions.

use trackyard_proto::{Encryption, FrameEncoding, Schema, SchemaEncoding};

use super::*;

fn timeout(track: LocalTrackId) -> LocalEvent {
    LocalEvent::PublishFailed { track, error: PublishError::Timeout }
}

#[test]
fn a_track_is_published_when_the_server_says_so() {
    let mut run = Run::new();
    let track = run.publish("pose");
    assert_eq!(run.said(), "+1:pose");
    assert!(matches!(run.push(track, 9), Err(PushError::Unpublished(frame)) if frame.payload.len() == 9));
    let info = run.accept();
    assert_eq!(run.event(), LocalEvent::Published { track, info, last_will: false, latched: false });
    assert_eq!(run.push(track, 9), Ok(()));
    assert_eq!(run.tracks.sync_state(), [Some("DTR_1".to_owned())]);
    assert_eq!(run.tracks.poll_timeout().map(|at| at - run.now), Some(Duration::from_millis(100)));
}

#[test]
fn a_request_carries_everything_that_is_announced() {
    let mut run = Run::new();
    run.tracks.set_encryptor(Some(Box::new(frames::Reversed)));
    let options = PublishOptions {
        encryption: Encryption::Gcm,
        frame_encoding: Some(FrameEncoding::WellKnown(2)),
        schema: Some(Schema {
            name: "geometry_msgs/Pose".to_owned(),
            encoding: Some(SchemaEncoding::WellKnown(4)),
        }),
        ..PublishOptions::new("pose")
    };
    run.tracks.publish(options.clone(), run.now).unwrap();
    run.drain();
    let request = &run.requests[0];
    assert_eq!(request.encryption, options.encryption);
    assert_eq!(request.frame_encoding, options.frame_encoding);
    assert_eq!(request.schema, options.schema);
    assert_eq!(request.echo.publish_data_track().unwrap(), *request);
}

#[test]
fn what_needs_no_server_is_refused_at_once() {
    let mut run = Run::new();
    run.publish("pose");
    let mut refused = |options| run.tracks.publish(options, run.now).unwrap_err();
    assert_eq!(refused(PublishOptions::new("pose")), PublishError::DuplicateName);
    assert_eq!(refused(PublishOptions::new("")), PublishError::InvalidName);
    let encrypted = |encryption| PublishOptions { encryption, ..PublishOptions::new("secret") };
    assert_eq!(refused(encrypted(Encryption::Gcm)), PublishError::NoEncryptor);
    assert_eq!(refused(encrypted(Encryption::Custom)), PublishError::NoEncryptor);
    assert_eq!(run.said(), "+1:pose");
}

#[test]
fn a_refusal_says_why_and_frees_handle_and_name() {
    let mut run = Run::new();
    let track = run.publish("pose");
    run.refuse(Reason::NotAllowed);
    let error = PublishError::Refused { reason: Reason::NotAllowed, message: "no".to_owned() };
    assert_eq!(run.event(), LocalEvent::PublishFailed { track, error });
    assert_eq!(run.tracks.handle(track), None);
    run.publish("pose");
    assert_eq!(run.said(), "+1:pose +2:pose");
}

#[test]
fn a_server_that_does_not_answer_for_10_s_is_taken_for_an_old_one() {
    let mut run = Run::new();
    let track = run.publish("pose");
    run.pass(PUBLISH_TIMEOUT - Duration::from_millis(1));
    run.drain();
    assert_eq!(run.events, []);
    run.pass(Duration::from_millis(1));
    assert_eq!(run.event(), timeout(track));
    assert!(PublishError::Timeout.to_string().contains("old"));
    assert_eq!(run.said(), "+1:pose");
}

#[test]
fn a_late_answer_is_answered_with_unpublish() {
    let mut run = Run::new();
    run.publish("pose");
    run.pass(PUBLISH_TIMEOUT);
    let other = run.publish("pose");
    assert_eq!(run.said(), "+1:pose +2:pose");
    let late = info(&run.requests[0], "DTR_late");
    run.tracks.published(&Arc::clone(&late).into(), run.now);
    assert_eq!(run.said(), "-1");
    run.tracks.unpublished(&late);
    assert_eq!(run.tracks.stray_answers(), 1);
    run.accept();
    run.drain();
    assert!(matches!(run.events.last(), Some(LocalEvent::Published { track, .. }) if *track == other));
}

#[test]
fn unpublish_drops_what_waits_and_its_answer_is_no_news() {
    let mut run = Run::new();
    let track = run.published(PublishOptions::new("pose"));
    run.push(track, 9).unwrap();
    let stats = run.tracks.unpublish(track).unwrap();
    assert_eq!(drops(&stats), "unpublished:1");
    assert_eq!(run.said(), "-1");
    assert!(matches!(run.push(track, 9), Err(PushError::Unpublished(_))));
    let answer = info(&run.requests[0], "DTR_1");
    run.tracks.unpublished(&answer);
    run.drain();
    assert_eq!((run.events.len(), run.tracks.stray_answers()), (0, 0));
    assert_eq!(run.tracks.unpublish(track), None);
}

#[test]
fn a_track_can_be_taken_back_before_the_server_has_answered() {
    let mut run = Run::new();
    let track = run.publish("pose");
    run.tracks.unpublish(track).unwrap();
    run.accept();
    assert_eq!(run.said(), "+1:pose -1");
    run.publish("pose");
    run.drain();
    assert_eq!((run.said(), run.events.len()), ("+2:pose".to_owned(), 0));
}

#[test]
fn the_server_can_take_a_track_away() {
    let mut run = Run::new();
    let track = run.published(PublishOptions::new("pose"));
    let other = DataTrackInfo { sid: "DTR_other".to_owned(), ..(*info(&run.requests[0], "")).clone() };
    run.tracks.unpublished(&other);
    assert_eq!(run.tracks.stray_answers(), 1);
    run.tracks.unpublished(&info(&run.requests[0], ""));
    assert!(matches!(run.event(), LocalEvent::Unpublished { track: gone, .. } if gone == track));
    assert!(matches!(run.push(track, 9), Err(PushError::Unpublished(_))));
    assert_eq!(run.said(), "");
}

#[test]
fn a_new_session_gets_every_track_under_the_same_handle_and_name() {
    let mut run = Run::new();
    let first = run.published(PublishOptions::new("pose"));
    run.published(PublishOptions::new("cam"));
    run.tracks.unpublish(first);
    let pose = run.published(PublishOptions::new("pose"));
    run.push(pose, 9).unwrap();
    run.push(pose, 9).unwrap();
    run.flush_one();
    run.tracks.restart(run.now);
    assert_eq!(run.said(), "+2:cam +3:pose");
    assert_eq!(run.tracks.sync_state(), []);

    assert!(matches!(
        run.push(pose, 9),
        Err(PushError::Dropped { reason: LocalDropReason::Republishing, frame }) if frame.payload.len() == 9
    ));
    assert_eq!(run.drops(pose), "republishing:2");
    let info = run.accept();
    assert_eq!(run.event(), LocalEvent::Republished { track: pose, info, last_will: false, latched: false });

    run.push(pose, 9).unwrap();
    let header = Header::parse(&run.flush_one()).unwrap();
    assert_eq!((header.sequence.get(), header.frame.get()), (2, 2), "numbers go on");
    assert_eq!(run.drops(pose), "republishing:2");
    assert_eq!(run.tracks.stats(pose).unwrap().sent, 2);
}

#[test]
fn a_server_that_still_holds_the_earlier_session_is_asked_again() {
    let mut run = Run::new();
    let track = run.published(PublishOptions::new("pose"));
    run.tracks.restart(run.now);
    for wait in [200, 400, 800] {
        run.refuse(Reason::DuplicateName);
        run.pass(Duration::from_millis(wait - 1));
        run.said.pop();
        assert_eq!(run.said(), "");
        run.pass(Duration::from_millis(1));
        assert_eq!(run.said, ["+1:pose"]);
    }
    run.accept();
    assert!(matches!(run.event(), LocalEvent::Republished { track: again, .. } if again == track));
}

#[test]
fn a_refused_republication_is_an_event_and_the_end_of_the_track() {
    for (reason, wait, expected) in [
        (Reason::NotAllowed, 0, false),
        (Reason::DuplicateName, 20_000, true),
        (Reason::Queued, 20_000, true),
    ] {
        let mut run = Run::new();
        let track = run.published(PublishOptions::new("pose"));
        run.push(track, 9).unwrap();
        run.tracks.restart(run.now);
        run.refuse(reason);
        run.pass(Duration::from_millis(wait));
        let LocalEvent::RepublishFailed { track: gone, error, stats } = run.event() else { panic!() };
        assert_eq!((gone, error == PublishError::Timeout), (track, expected));
        assert_eq!(drops(&stats), "republishing:1");
        assert!(matches!(run.push(track, 9), Err(PushError::Unpublished(_))));
    }
}

#[test]
fn a_resumed_session_keeps_what_was_published() {
    let mut run = Run::new();
    let track = run.published(PublishOptions::new("pose"));
    run.tracks.pause();
    run.push(track, 9).unwrap();
    run.tracks.resume(run.now);
    assert_eq!(run.said(), "");
    assert_eq!(run.tracks.sync_state(), [Some("DTR_1".to_owned())]);
    assert_eq!(run.flush(0).len(), 1);
}

#[test]
fn what_was_said_into_the_void_is_said_again() {
    let mut run = Run::new();
    let gone = run.published(PublishOptions::new("gone"));
    let before = run.publish("before");
    run.said();
    run.tracks.pause();
    run.pass(Duration::from_secs(60));
    run.tracks.unpublish(gone);
    run.publish("meanwhile");
    let never = run.publish("never");
    run.tracks.unpublish(never);
    assert_eq!((run.said(), run.events.len()), (String::new(), 0), "the time is not counted");
    run.tracks.resume(run.now);
    assert_eq!(run.said(), "-1 +2:before +3:meanwhile");

    // The answer to the first wish was lost.
    let echo = run.requests.iter().rev().nth(1).unwrap().echo.clone();
    run.tracks.refused(&echo, (Reason::DuplicateHandle, ""), run.now);
    assert_eq!(run.said(), "-2 +2:before");
    let lost = info(run.requests.last().unwrap(), "DTR_lost");
    run.tracks.unpublished(&lost);
    run.accept();
    assert!(matches!(run.event(), LocalEvent::Published { track, .. } if track == before));
}

#[test]
fn an_unknown_handle_frees_it_however_the_server_says_so() {
    let mut run = Run::new();
    let track = run.published(PublishOptions::new("pose"));
    run.tracks.unpublish(track);
    let LocalOutput::Request(Request::UnpublishDataTrack { echo, .. }) = run.tracks.poll_output() else {
        panic!("it is not said")
    };
    run.tracks.refused(&echo, (Reason::NotFound, ""), run.now);
    assert_eq!(run.tracks.handles.holder(Handle::new(1).unwrap()), None);
}

#[test]
fn answers_that_fit_nothing_are_counted() {
    let mut run = Run::new();
    let track = run.published(PublishOptions::new("pose"));
    run.accept();
    run.refuse(Reason::NotAllowed);
    let unknown = DataTrackInfo { pub_handle: 9, ..(*info(&run.requests[0], "DTR_9")).clone() };
    run.tracks.unpublished(&unknown);
    let zero = DataTrackInfo { pub_handle: 0, ..unknown.clone() };
    run.tracks.published(&Arc::new(zero).into(), run.now);
    assert_eq!(run.tracks.stray_answers(), 4);
    run.tracks.published(&Arc::new(unknown).into(), run.now);
    assert_eq!(run.said(), "-9", "nobody asked for it");
    assert!(run.tracks.stats(track).is_some() && run.events.is_empty());
}
