//! Subscriptions, from the wish to the end.

use super::*;

fn rate(target_fps: Option<u32>) -> SubscriptionOptions {
    SubscriptionOptions { target_fps, ..SubscriptionOptions::default() }
}

#[test]
fn a_subscription_works_once_there_is_a_handle() {
    let mut run = Run::new();
    run.update("bob", "a:1:cam");
    run.subscribe("a");
    assert_eq!((run.said(), run.told()), ("+a".to_owned(), "published:bob/cam".to_owned()));
    run.handles(&[(7, "DTR_a")]);
    assert_eq!(run.told(), "subscribed:1");
    run.packet(7, 0, "x");
    assert_eq!(run.told(), "0=x");
    run.pass(Duration::from_secs(60));
    assert_eq!(run.told(), "");
}

#[test]
fn several_subscriptions_share_one_at_the_server() {
    let (mut run, track, first) = Run::subscribed("a:1:cam");
    let (_, second) = run.subscribe("a");
    assert_eq!((run.said(), run.told()), (String::new(), "subscribed:1".to_owned()));
    assert_eq!(run.tracks.subscriptions(track).collect::<Vec<_>>(), [first, second]);
    run.tracks.unsubscribe(first, run.now);
    assert_eq!(run.said(), "");
    run.tracks.unsubscribe(second, run.now);
    assert_eq!(run.said(), "-a");
    run.tracks.unsubscribe(second, run.now);
    assert_eq!(run.said(), "");
    run.packet(7, 0, "late");
    assert_eq!((run.told(), run.tracks.counters().unwanted_packets), (String::new(), 1));
    run.subscribe("a");
    run.handles(&[(7, "DTR_a")]);
    assert_eq!((run.said(), run.told()), ("+a".to_owned(), "subscribed:1".to_owned()));
}

#[test]
fn the_server_is_asked_for_the_highest_rate_wanted() {
    let mut run = Run::new();
    run.update("bob", "a:1:cam");
    let track = run.id("a");
    let subscribe = |run: &mut Run, options| {
        let subscription = run.tracks.subscribe(track, options, run.now).unwrap();
        (subscription, run.said())
    };
    let (slow, said) = subscribe(&mut run, rate(Some(5)));
    assert_eq!(said, "+a@5");
    let (fast, said) = subscribe(&mut run, rate(Some(20)));
    assert_eq!(said, "+a@20");
    let (every, said) = subscribe(&mut run, rate(None));
    assert_eq!(said, "+a");
    let unsubscribe = |run: &mut Run, subscription| {
        run.tracks.unsubscribe(subscription, run.now);
        run.said()
    };
    assert_eq!(unsubscribe(&mut run, slow), "");
    assert_eq!(unsubscribe(&mut run, every), "+a@20");
    assert_eq!(unsubscribe(&mut run, fast), "-a");
}

#[test]
fn a_server_that_gives_no_handle_for_10_s_is_taken_for_an_old_one() {
    let mut run = Run::new();
    run.update("bob", "a:1:cam");
    let (track, _) = run.subscribe("a");
    run.pass(Duration::from_secs(5));
    run.subscribe("a");
    run.told();
    run.pass(Duration::from_millis(4_999));
    assert_eq!(run.told(), "");
    run.pass(Duration::from_millis(1));
    assert_eq!((run.told(), run.said()), ("failed:2:Timeout".to_owned(), "+a -a".to_owned()));
    assert_eq!(run.tracks.subscriptions(track).count(), 0);
    assert!(SubscribeError::Timeout.to_string().contains("old"));
}

#[test]
fn one_that_has_worked_and_gets_no_new_handle_is_asked_for_once_more_and_given_up_after_10_s() {
    let (mut run, track, _) = Run::subscribed("a:1:cam");
    run.update("bob", "b:1:cam");
    assert_eq!((run.said(), run.told()), ("+b".to_owned(), "migrated:a>b".to_owned()));
    run.pass(Duration::from_millis(4_999));
    assert_eq!(run.said(), "");
    run.pass(Duration::from_millis(1));
    assert_eq!(run.said(), "+b");
    run.pass(Duration::from_millis(4_999));
    assert_eq!((run.said(), run.told()), (String::new(), String::new()));
    run.pass(Duration::from_millis(1));
    assert_eq!((run.said(), run.told()), ("-b".to_owned(), "failed:1:Timeout".to_owned()));
    assert_eq!(run.tracks.subscriptions(track).count(), 0);
    run.subscribe("b");
    run.handles(&[(8, "DTR_b")]);
    assert_eq!((run.said(), run.told()), ("+b".to_owned(), "subscribed:1".to_owned()));
}

#[test]
fn a_new_handle_in_time_ends_the_wait() {
    let (mut run, _, _) = Run::subscribed("a:1:cam");
    run.update("bob", "b:1:cam");
    run.pass(Duration::from_secs(6));
    run.handles(&[(8, "DTR_b")]);
    run.said();
    run.pass(Duration::from_secs(60));
    assert_eq!((run.said(), run.told()), (String::new(), "migrated:a>b".to_owned()));
}

#[test]
fn a_new_handle_is_not_waited_for_while_there_is_no_track_or_nobody_hears() {
    let (mut run, _, _) = Run::subscribed("a:1:cam");
    run.update("bob", "");
    run.pass(Duration::from_secs(60));
    run.update("bob", "b:1:cam");
    run.pass(Duration::from_secs(8));
    run.tracks.pause();
    run.pass(Duration::from_secs(60));
    assert_eq!(run.told(), "unpublished:bob/cam published:bob/cam");
    run.said();
    run.tracks.resume(run.now);
    assert_eq!(run.said(), "+b");
    run.pass(SUBSCRIBE_TIMEOUT);
    assert_eq!((run.said(), run.told()), ("+b -b".to_owned(), "failed:1:Timeout".to_owned()));
}

#[test]
fn a_subscription_that_is_not_allowed_says_so() {
    let mut run = Run::new();
    run.update("bob", "a:1:cam");
    run.subscribe("a");
    run.tracks.permission("DTR_a", false);
    run.tracks.permission("DTR_unknown", false);
    run.told();
    run.pass(SUBSCRIBE_TIMEOUT);
    assert_eq!(run.told(), "failed:1:NotAllowed");
}

#[test]
fn what_needs_no_server_is_refused_at_once() {
    let mut run = Run::new();
    run.update("bob", "a:1:cam b:2:!secret");
    let (gone, secret) = (run.id("a"), run.id("b"));
    run.update("bob", "b:2:!secret");
    let mut refused = |track| run.tracks.subscribe(track, rate(None), run.now).unwrap_err();
    assert_eq!(refused(gone), SubscribeError::Unpublished);
    assert_eq!(refused(secret), SubscribeError::NoDecryptor);
    assert_eq!(run.said(), "");
}

#[test]
fn a_handle_may_pass_to_another_track() {
    let (mut run, first, _) = Run::subscribed("a:1:cam b:2:pose");
    run.subscribe("b");
    run.handles(&[(7, "DTR_b")]);
    run.packet(7, 0, "x");
    assert_eq!(run.told(), "subscribed:1 0=x");
    assert_eq!(run.tracks.stats(first).unwrap().packets, 0);
    run.handles(&[(8, "DTR_a"), (9, "DTR_b")]);
    run.packet(7, 1, "none");
    assert_eq!(run.tracks.counters().unrouted_packets, 1);
}

#[test]
fn handles_that_are_not_in_a_map_stay() {
    let (mut run, _, _) = Run::subscribed("a:1:cam b:2:pose");
    run.subscribe("b");
    run.handles(&[(8, "DTR_b")]);
    run.handles(&[]);
    run.packet(7, 0, "x");
    assert_eq!(run.told(), "subscribed:1 0=x");
}

#[test]
fn a_handle_may_come_before_its_track() {
    let (mut run, _, _) = Run::subscribed("a:1:cam");
    run.handles(&[(8, "DTR_b")]);
    run.packet(8, 0, "too early");
    run.update("bob", "b:1:cam");
    run.packet(8, 1, "x");
    assert_eq!(run.told(), "migrated:a>b 1=x");
    assert_eq!(run.tracks.counters().unrouted_packets, 1);
}

#[test]
fn invalid_handles_and_too_many_early_ones_are_counted() {
    let mut run = Run::new();
    run.handles(&[(0, "DTR_a"), (1, ""), (1, "TR_a")]);
    assert_eq!(run.tracks.counters().invalid_handles, 3);
    let sids: Vec<String> = (0..5_000).map(|number| format!("DTR_{number}")).collect();
    for sid in &sids {
        run.handles(&[(1, sid)]);
    }
    assert_eq!(run.tracks.counters().invalid_handles, 3 + 904);
}

#[test]
fn a_resumed_session_keeps_subscriptions_and_handles() {
    let (mut run, _, _) = Run::subscribed("a:1:cam");
    run.tracks.pause();
    run.packet(7, 0, "x");
    run.tracks.resume(run.now);
    run.packet(7, 1, "y");
    assert_eq!((run.said(), run.told()), (String::new(), "0=x 1=y".to_owned()));
}

#[test]
fn what_was_said_into_the_void_is_said_again() {
    let (mut run, active, ended) = Run::subscribed("a:1:cam b:2:pose c:3:map");
    run.subscribe("b");
    run.said();
    run.tracks.pause();
    run.subscribe("c");
    run.tracks.subscribe(active, rate(None), run.now).unwrap();
    run.tracks.unsubscribe(ended, run.now);
    run.pass(Duration::from_secs(60));
    assert_eq!(
        (run.said(), run.told()),
        (String::new(), "subscribed:1".to_owned()),
        "the time is not counted"
    );
    run.tracks.resume(run.now);
    assert_eq!(run.said(), "+b +c");
    run.pass(SUBSCRIBE_TIMEOUT);
    assert_eq!(run.told(), "failed:1:Timeout failed:1:Timeout");
}

#[test]
fn an_end_that_was_not_heard_is_said_again_when_packets_come() {
    let (mut run, _, subscription) = Run::subscribed("a:1:cam");
    run.tracks.pause();
    run.tracks.unsubscribe(subscription, run.now);
    run.tracks.resume(run.now);
    assert_eq!(run.said(), "");
    run.packet(7, 0, "x");
    run.packet(7, 1, "x");
    assert_eq!((run.said(), run.told()), ("-a".to_owned(), String::new()));
}

#[test]
fn a_message_holds_a_thousand_changes() {
    let mut run = Run::new();
    let list: Vec<String> = (1..=1_500).map(|number| format!("{number}:{number}:t{number}")).collect();
    run.update("bob", &list.join(" "));
    for number in 1..=1_500 {
        run.subscribe(&number.to_string());
    }
    for expected in [1_000, 500] {
        let RemoteOutput::Request(Request::UpdateDataSubscription(changes)) = run.tracks.poll_output() else {
            panic!("nothing is said")
        };
        assert_eq!(changes.len(), expected);
    }
}
