//! How sessions come back.

use trackyard_proto::signal::{LeaveAction, SyncState};
use trackyard_proto::{DisconnectReason, Request, Response};

use super::harness::{Arrival, Guest, Script, millis};
use crate::control::{Command, Event};
use crate::room::Input;

fn mismatch() -> Response {
    Response::Leave { reason: DisconnectReason::StateMismatch, action: LeaveAction::Reconnect }
}

fn synced(script: &mut Script, guest: &Guest, state: SyncState) -> bool {
    script.heard(guest);
    script.say(guest, Request::SyncState(Box::new(state)));
    !script.heard(guest).contains(&mismatch())
}

#[test]
fn a_resumed_session_is_shown_everything_in_order() {
    let mut script = Script::new();
    let ada = script.join(Arrival::new("ada").dual());
    script.guest("bob");
    script.join(Arrival::new("spy").grant(|grant| grant.hidden = true));
    let sid = script.sid(&ada);
    script.handle(Input::SignalClosed { connection: ada.connection });
    let back = script.resume(&ada, &sid);
    let heard = script.heard(&back);
    let [Response::Reconnect(reconnect), Response::Update(everyone), Response::RoomUpdate(room)] = &heard[..]
    else {
        panic!("{heard:?}");
    };
    assert_eq!((reconnect.server_version.as_str(), reconnect.server_protocol), ("1.13.5", 17));
    let identities: Vec<_> = everyone.iter().map(|info| info.identity.as_str()).collect();
    assert_eq!(identities, ["ada", "bob"]);
    assert_eq!(everyone[0].sid, sid);
    assert_eq!(room.num_participants, 3);
    assert!(matches!(script.commands.last(), Some(Command::RestartIce { peer }) if *peer == ada.peer));
    assert_eq!(script.tokens.last().unwrap().0, back.connection);
}

#[test]
fn only_in_dual_mode_the_server_restarts_ice() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let sid = script.sid(&ada);
    script.resume(&ada, &sid);
    assert!(!script.commands.iter().any(|command| matches!(command, Command::RestartIce { .. })));
}

#[test]
fn the_former_connection_is_closed_without_a_word() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let sid = script.sid(&ada);
    let back = script.resume(&ada, &sid);
    assert!(script.view(&ada).closed && script.heard(&ada).is_empty());
    script.say(&ada, Request::Ping(0));
    assert_eq!(script.room.counters().stale_inputs, 1);
    script.handle(Input::SignalClosed { connection: ada.connection });
    script.say(&back, Request::Ping(0));
    assert!(matches!(script.heard(&back).last(), Some(Response::Pong(_))));
}

#[test]
fn tracks_subscriptions_and_handles_outlive_a_resume() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    let pose = script.publish(&ada, 1, "pose").unwrap();
    script.subscribe(&bob, &pose.sid);
    script.pass(millis(300));
    let handle = script.receives(&bob, &ada, 1).unwrap();
    for guest in [&ada, &bob] {
        script.handle(Input::SignalClosed { connection: guest.connection });
    }
    script.pass(millis(10_000));
    let ada = script.resume(&ada, &script.sid(&ada));
    let bob = script.resume(&bob, &script.sid(&bob));
    assert_eq!(script.receives(&bob, &ada, 1), Some(handle));
    assert_eq!(
        script.view(&bob).handles.get(&pose.sid),
        Some(&handle),
        "a handle lost on the way is told again"
    );
    let published = vec![Some(pose.sid.clone())];
    assert!(synced(&mut script, &ada, SyncState { publish_data_tracks: published, ..SyncState::default() }));
}

#[test]
fn what_changed_meanwhile_is_in_the_resume() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    script.handle(Input::SignalClosed { connection: bob.connection });
    let pose = script.publish(&ada, 1, "pose").unwrap();
    script.say(&ada, Request::PublishDataTrack(super::harness::publication(2, "imu")));
    let bob = script.resume(&bob, &script.sid(&bob));
    assert_eq!(script.view(&bob).tracks_of("ada"), ["pose", "imu"]);
    script.subscribe(&bob, &pose.sid);
    assert!(script.view(&bob).handles.contains_key(&pose.sid));
}

#[test]
fn an_unknown_session_is_told_to_join_anew() {
    let check = |identity: &str, sid: Option<&str>| {
        let mut script = Script::new();
        let mut ada = script.guest("ada");
        let sid = sid.map_or_else(|| script.sid(&ada), Into::into);
        ada.claims.identity = identity.into();
        let back = script.resume(&ada, &sid);
        assert_eq!(script.heard(&back), [mismatch()]);
        assert!(script.view(&back).closed);
        assert_eq!(script.room.counters().resumes_unknown, 1);
    };
    check("bob", None);
    check("ada", Some("PA_other"));
}

#[test]
fn who_does_not_say_which_session_it_means_takes_no_newer_ones_connection() {
    let mut script = Script::new();
    let old = script.guest("ada");
    let back = script.resume(&old, "");
    assert!(matches!(script.heard(&back)[0], Response::Reconnect(_)), "there was no other");
    script.event(Event::Lost { peer: old.peer });
    let ada = script.guest("ada");
    let straggler = script.resume(&old, "");
    assert_eq!(script.heard(&straggler), [mismatch()]);
    assert!(script.view(&straggler).closed && !script.view(&ada).closed);
    let newest = script.guest("ada");
    let straggler = script.resume(&ada, "");
    assert_eq!(script.heard(&straggler), [mismatch()]);
    assert!(!script.view(&newest).closed);
    script.pass(millis(60_000));
    let back = script.resume(&newest, "");
    assert!(
        matches!(script.heard(&back)[0], Response::Reconnect(_)),
        "nobody can mean the older ones any more"
    );
}

#[test]
fn a_session_that_has_ended_cannot_be_resumed() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let sid = script.sid(&ada);
    script.event(Event::Lost { peer: ada.peer });
    let back = script.resume(&ada, &sid);
    assert_eq!(script.heard(&back), [mismatch()]);
}

#[test]
fn a_client_that_believes_in_other_tracks_joins_anew() {
    let data = |sids: Vec<Option<String>>| SyncState { publish_data_tracks: sids, ..SyncState::default() };
    let check = |state: SyncState, expected: bool| {
        let mut script = Script::new();
        let (ada, bob) = (script.guest("ada"), script.guest("bob"));
        let foreign = script.publish(&bob, 1, "pose").unwrap();
        let mut state = state;
        for sid in state.publish_data_tracks.iter_mut().flatten().filter(|sid| *sid == "foreign") {
            sid.clone_from(&foreign.sid);
        }
        assert_eq!(synced(&mut script, &ada, state), expected);
        assert_eq!(script.view(&ada).closed, !expected);
    };
    check(SyncState::default(), true);
    check(data(vec![Some("DTR_unknown".into())]), false);
    check(data(vec![Some("foreign".into())]), false);
    check(data(vec![None]), false);
    check(SyncState { publish_tracks: vec!["TR_x".into()], ..SyncState::default() }, false);
}

#[test]
fn a_full_reconnect_republishes_under_the_same_handle_and_name() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    let before = script.publish(&ada, 1, "pose").unwrap();
    script.subscribe(&bob, &before.sid);
    script.pass(millis(300));
    let ada = script.join(Arrival::new("ada").on(2));
    let after = script.publish(&ada, 1, "pose").unwrap();
    assert_ne!(before.sid, after.sid);
    script.subscribe(&bob, &before.sid);
    script.subscribe(&bob, &after.sid);
    script.pass(millis(300));
    assert_eq!(script.receives(&bob, &ada, 1), script.view(&bob).handles.get(&after.sid).copied());
    assert!(script.receives(&bob, &ada, 1).is_some());
}
