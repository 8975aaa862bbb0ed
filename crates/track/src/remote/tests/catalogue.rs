//! Which tracks there are.

use super::*;

#[test]
fn a_list_is_complete() {
    let mut run = Run::new();
    run.update("bob", "a:1:cam b:2:pose");
    assert_eq!(run.told(), "published:bob/cam published:bob/pose");
    run.update("bob", "a:1:cam b:2:pose");
    assert_eq!(run.told(), "");
    run.update("bob", "b:2:pose c:3:map");
    assert_eq!(run.told(), "unpublished:bob/cam published:bob/map");
    run.update("bob", "");
    assert_eq!(run.told(), "unpublished:bob/pose unpublished:bob/map");
}

#[test]
fn lists_of_several_participants_are_kept_apart() {
    let mut run = Run::new();
    run.update("bob", "a:1:cam");
    run.update("eve", "b:1:cam");
    run.update("bob", "");
    assert_eq!(run.told(), "published:bob/cam published:eve/cam unpublished:bob/cam");
    assert_eq!(run.tracks.find("eve", "cam"), Some(run.id("b")));
    assert_eq!(run.tracks.find("bob", "cam"), None);
    assert_eq!(run.tracks.tracks_of("eve").count(), 1);
}

#[test]
fn a_participant_that_is_disconnected_publishes_nothing() {
    let mut run = Run::new();
    run.update("bob", "a:1:cam");
    let gone =
        |sid| ParticipantInfo { state: ParticipantState::Disconnected, ..participant("bob", sid, "a:1:cam") };
    run.tracks.update(&gone("PA_0"), run.now);
    assert_eq!(run.told(), "published:bob/cam", "that was an earlier session");
    run.tracks.update(&gone("PA_1"), run.now);
    assert_eq!(run.told(), "unpublished:bob/cam");
    run.tracks.update(&gone("PA_1"), run.now);
    assert_eq!(run.told(), "");
}

#[test]
fn invalid_infos_are_ignored_one_by_one() {
    let mut run = Run::new();
    let mut list = participant("bob", "PA_1", "a:1:cam b:0:zero a:3:twice d:1:handle e:5:cam g:6:pose");
    let with = |change: fn(&mut DataTrackInfo)| {
        let mut info = info("f:9:other");
        change(&mut info);
        Arc::new(info)
    };
    list.data_tracks.push(with(|info| info.sid = "TR_f".to_owned()));
    list.data_tracks.push(with(|info| info.encryption = Encryption::Custom));
    list.data_tracks.push(with(|info| info.name = String::new()));
    list.data_tracks.push(with(|info| info.sid = format!("DTR_{}", "x".repeat(61))));
    run.tracks.update(&list, run.now);
    assert_eq!(run.told(), "published:bob/cam published:bob/pose");
    assert_eq!(run.tracks.counters().invalid_infos, 8);
}

#[test]
fn a_republished_track_migrates() {
    let (mut run, track, _) = Run::subscribed("a:1:cam");
    run.packet(7, 3, "x");
    run.update("bob", "b:1:cam");
    assert_eq!(run.told(), "3=x migrated:a>b");
    assert_eq!(run.said(), "+b");
    assert_eq!(run.id("b"), track);
    run.packet(7, 4, "stale");
    assert_eq!(run.tracks.counters().unrouted_packets, 1);
    run.handles(&[(8, "DTR_b")]);
    run.packet(8, 6, "y");
    run.pass(Duration::from_millis(2));
    assert_eq!(run.told(), "-0:restarted 6=y", "it is known to work");
}

#[test]
fn what_differs_in_handle_name_or_encryption_is_another_track() {
    for other in ["b:2:cam", "b:1:map", "b:1:!cam"] {
        let mut run = Run::new();
        run.update("bob", "a:1:cam");
        run.update("bob", other);
        let name = other[4..].trim_start_matches('!');
        assert_eq!(run.told(), format!("published:bob/cam unpublished:bob/cam published:bob/{name}"));
    }
}

#[test]
fn a_subscription_sleeps_until_its_track_is_back() {
    let (mut run, track, _) = Run::subscribed("a:1:cam");
    run.packet(7, 3, "x");
    run.update("bob", "");
    assert_eq!(run.told(), "3=x unpublished:bob/cam");
    run.pass(Duration::from_secs(60));
    run.update("bob", "b:9:cam");
    assert_eq!((run.told(), run.said()), ("published:bob/cam".to_owned(), "+b".to_owned()));
    assert_eq!(run.id("b"), track);
    run.handles(&[(8, "DTR_b")]);
    run.packet(8, 0, "y");
    assert_eq!(run.told(), "-0:restarted 0=y");
}

#[test]
fn a_track_in_the_clear_does_not_take_the_place_of_an_encrypted_one() {
    let mut run = Run::new();
    run.tracks.set_decryptor(Some(Box::new(packets::Reversed)));
    run.update("bob", "a:1:!cam");
    let (track, _) = run.subscribe("a");
    run.update("bob", "b:1:cam");
    assert_ne!(run.id("b"), track);
    assert_eq!(run.said(), "+a");
    // Nor under the same sid.
    run.update("eve", "c:1:!cam");
    run.update("eve", "c:1:cam");
    assert_eq!(run.tracks.info(run.id("c")).unwrap().encryption, Encryption::Gcm);
}

#[test]
fn who_ends_a_sleeping_subscription_hears_no_more_of_it() {
    let (mut run, track, subscription) = Run::subscribed("a:1:cam");
    run.update("bob", "");
    run.tracks.unsubscribe(subscription, run.now);
    assert_eq!((run.said(), run.tracks.stats(track)), (String::new(), None));
    run.update("bob", "b:1:cam");
    assert_ne!(run.id("b"), track);
    assert_eq!(run.said(), "");
}

#[test]
fn a_new_session_is_subscribed_to_by_identity_and_name() {
    let (mut run, track, _) = Run::subscribed("a:1:cam b:2:pose");
    run.update("eve", "e:1:cam");
    run.told();
    let others: Vec<Arc<ParticipantInfo>> = vec![
        Arc::new(participant("bob", "PA_9", "x:2:cam y:1:pose")),
        Arc::new(participant("dan", "PA_2", "d:1:cam")),
    ];
    run.tracks.restart(&others, run.now);
    assert_eq!(run.told(), "unpublished:eve/cam migrated:a>x migrated:b>y published:dan/cam");
    assert_eq!((run.id("x"), run.said()), (track, "+x".to_owned()));
    run.packet(7, 1, "stale");
    assert_eq!(run.tracks.counters().unrouted_packets, 1);
}

#[test]
fn a_new_session_is_subscribed_to_even_if_sids_are_the_same() {
    let (mut run, _, _) = Run::subscribed("a:1:cam");
    run.tracks.restart(&[Arc::new(participant("bob", "PA_1", "a:1:cam"))], run.now);
    assert_eq!((run.said(), run.told()), ("+a".to_owned(), String::new()));
    run.handles(&[(9, "DTR_a")]);
    run.packet(9, 1, "y");
    assert_eq!(run.told(), "1=y");
}

#[test]
fn a_participant_that_is_missing_from_a_new_session_has_left() {
    let (mut run, track, _) = Run::subscribed("a:1:cam");
    run.tracks.restart(&[], run.now);
    assert_eq!(run.told(), "unpublished:bob/cam");
    run.update("bob", "b:1:cam");
    assert_eq!((run.id("b"), run.said()), (track, "+b".to_owned()));
}
