//! How sessions end.

use trackyard_auth::ParticipantKind;
use trackyard_peer::Target;
use trackyard_proto::signal::{LeaveAction, LeaveRequest};
use trackyard_proto::{DisconnectReason, Request, Response};

use super::harness::{Arrival, Guest, Script, millis};
use crate::control::{Event, RoomKey};
use crate::room::{Admin, Input, Output, Room, RoomConfig, RoomLimits};

fn left(script: &mut Script, guest: &Guest) -> Option<(DisconnectReason, LeaveAction)> {
    script.heard(guest).into_iter().find_map(|message| match message {
        Response::Leave { reason, action } => Some((reason, action)),
        _ => None,
    })
}

/// How others were told that it has left.
fn farewell(script: &mut Script, watcher: &Guest, identity: &str) -> Option<DisconnectReason> {
    script.pass(millis(1_000));
    let infos = script.heard(watcher).into_iter().filter_map(|message| match message {
        Response::Update(infos) => Some(infos),
        _ => None,
    });
    let gone = infos.flatten().find(|info| {
        info.identity == identity && info.state == trackyard_proto::ParticipantState::Disconnected
    })?;
    assert!(gone.data_tracks.is_empty());
    Some(gone.disconnect_reason)
}

#[test]
fn a_clients_reason_is_passed_on_if_it_may_give_it() {
    let check = |given, expected| {
        let mut script = Script::new();
        let (ada, bob) = (script.guest("ada"), script.guest("bob"));
        script.say(&ada, Request::Leave(LeaveRequest { reason: given }));
        assert_eq!(left(&mut script, &ada), None, "who leaves is not told to leave");
        assert!(script.view(&ada).closed);
        assert_eq!(farewell(&mut script, &bob, "ada"), Some(expected));
    };
    check(DisconnectReason::Unknown, DisconnectReason::ClientInitiated);
    check(DisconnectReason::UserRejected, DisconnectReason::UserRejected);
    check(DisconnectReason::UserUnavailable, DisconnectReason::UserUnavailable);
    check(DisconnectReason::AgentError, DisconnectReason::AgentError);
    check(DisconnectReason::ServerShutdown, DisconnectReason::ClientInitiated);
}

#[test]
fn who_leaves_takes_its_tracks_routes_and_identity_along() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.join(Arrival::new("bob").on(1)));
    for (publisher, subscriber) in [(&ada, &bob), (&bob, &ada)] {
        let info = script.publish(publisher, 1, "pose").unwrap();
        script.subscribe(subscriber, &info.sid);
    }
    script.pass(millis(300));
    let claims = script.directory.len();
    script.say(&ada, Request::Leave(LeaveRequest { reason: DisconnectReason::ClientInitiated }));
    assert_eq!(script.directory.len(), claims - 1);
    assert!(script.workers[&ada.worker].is_empty());
    assert_eq!(farewell(&mut script, &bob, "ada"), Some(DisconnectReason::ClientInitiated));
    script.say(&bob, Request::Leave(LeaveRequest { reason: DisconnectReason::ClientInitiated }));
    assert!(script.workers.values().all(super::worker::FakeWorker::is_empty));
}

#[test]
fn who_was_served_by_a_dead_worker_is_told_to_join_anew_and_can() {
    let mut script = Script::new();
    let [ada, eve] = ["ada", "eve"].map(|name| script.guest(name));
    let [bob, joe] = ["bob", "joe"].map(|name| script.join(Arrival::new(name).on(1)));
    let pose = script.publish(&ada, 1, "pose").unwrap();
    let joint = script.publish(&bob, 1, "joint").unwrap();
    for (subscriber, info) in [(&bob, &pose), (&joe, &pose), (&ada, &joint), (&joe, &joint)] {
        script.subscribe(subscriber, &info.sid);
    }
    script.pass(millis(300));
    assert_eq!(script.workers[&ada.worker].hops.len(), 1);
    script.event(Event::WorkerLost { worker: bob.worker });
    let anew = Some((DisconnectReason::StateMismatch, LeaveAction::Reconnect));
    let told = [&ada, &bob, &joe].map(|guest| left(&mut script, guest));
    assert_eq!(told, [None, anew, anew]);
    assert!(script.view(&bob).closed && !script.view(&ada).closed);
    assert!(script.workers[&bob.worker].is_empty(), "nothing is asked of it any more");
    assert!(script.workers[&ada.worker].hops.is_empty(), "and nothing sent to it");
    assert_eq!(script.room.counters().peers_lost, 2);
    assert_eq!(farewell(&mut script, &eve, "bob"), Some(DisconnectReason::StateMismatch));
    let bob = script.join(Arrival::new("bob").on(1));
    script.subscribe(&bob, &pose.sid);
    script.pass(millis(300));
    assert!(script.receives(&bob, &ada, 1).is_some());
}

#[test]
fn nothing_waits_for_the_routes_of_a_dead_worker() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.join(Arrival::new("bob").on(1)));
    let pose = script.publish(&ada, 1, "pose").unwrap();
    script.pass(millis(300));
    script.routes_held = true;
    script.subscribe(&bob, &pose.sid);
    script.event(Event::WorkerLost { worker: bob.worker });
    script.queue.retain(|(worker, _)| *worker != bob.worker);
    script.workers.insert(bob.worker, super::worker::FakeWorker::default());
    script.routes_held = false;
    let bob = script.join(Arrival::new("bob").on(1));
    script.subscribe(&bob, &pose.sid);
    script.pass(millis(300));
    assert!(script.receives(&bob, &ada, 1).is_some());
}

#[test]
fn who_is_not_active_within_60_s_has_failed_to_join() {
    let mut script = Script::new();
    let ada = script.ask(Arrival::new("ada"));
    script.event(Event::Answer { peer: ada.peer, id: 1, sdp: String::new() });
    script.pass(millis(59_999));
    assert!(!script.view(&ada).closed);
    script.pass(millis(1));
    assert_eq!(left(&mut script, &ada), Some((DisconnectReason::JoinFailure, LeaveAction::Disconnect)));
    assert!(script.view(&ada).closed);
}

#[test]
fn a_failed_connection_may_come_back_for_5_s() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    script.event(Event::Failed { peer: ada.peer, target: Target::Publisher });
    script.pass(millis(500));
    let expected = (DisconnectReason::ConnectionTimeout, LeaveAction::Resume);
    assert_eq!(left(&mut script, &ada), Some(expected));
    assert!(script.view(&ada).closed);
    script.pass(millis(4_999));
    assert!(script.workers[&ada.worker].peers.contains(&ada.peer));
    script.pass(millis(1));
    assert!(!script.workers[&ada.worker].peers.contains(&ada.peer));
    assert_eq!(farewell(&mut script, &bob, "ada"), Some(DisconnectReason::ConnectionTimeout));
    assert_eq!(script.room.counters().connection_timeouts, 1);
}

#[test]
fn who_closes_its_connection_before_it_says_goodbye_is_not_asked_to_come_back() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    script.event(Event::Failed { peer: ada.peer, target: Target::Publisher });
    script.pass(millis(400));
    script.say(&ada, Request::Leave(LeaveRequest { reason: DisconnectReason::ClientInitiated }));
    assert_eq!(left(&mut script, &ada), None);
    assert_eq!(farewell(&mut script, &bob, "ada"), Some(DisconnectReason::ClientInitiated));
    assert_eq!(script.room.counters().connection_timeouts, 0);
}

#[test]
fn who_comes_back_before_its_failure_is_told_is_not_sent_away_again() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    script.event(Event::Failed { peer: ada.peer, target: Target::Publisher });
    script.pass(millis(100));
    let sid = script.sid(&ada);
    let back = script.resume(&ada, &sid);
    script.pass(millis(29_999));
    assert!(!script.view(&back).closed);
    script.pass(millis(1));
    assert!(script.view(&back).closed, "its connection did not come back");
}

#[test]
fn who_comes_back_after_a_failure_stays_once_it_is_connected() {
    let check = |connects: bool| {
        let mut script = Script::new();
        let ada = script.guest("ada");
        script.event(Event::Failed { peer: ada.peer, target: Target::Publisher });
        script.pass(millis(4_500));
        let sid = script.sid(&ada);
        let ada = script.resume(&ada, &sid);
        if connects {
            script.event(Event::Connected { peer: ada.peer });
        }
        script.pass(millis(29_999));
        assert!(!script.view(&ada).closed);
        script.pass(millis(1));
        assert_eq!(script.view(&ada).closed, !connects);
    };
    check(true);
    check(false);
}

#[test]
fn a_lost_signal_connection_alone_ends_nothing_once_media_has_flowed() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    let pose = script.publish(&ada, 1, "pose").unwrap();
    script.subscribe(&bob, &pose.sid);
    script.pass(millis(300));
    script.handle(Input::SignalClosed { connection: ada.connection });
    script.event(Event::Interrupted { peer: ada.peer });
    script.pass(millis(3_600_000));
    assert!(script.receives(&bob, &ada, 1).is_some());
    script.event(Event::Failed { peer: ada.peer, target: Target::Publisher });
    script.pass(millis(5_000));
    assert_eq!(farewell(&mut script, &bob, "ada"), Some(DisconnectReason::ConnectionTimeout));
}

#[test]
fn a_lost_signal_connection_before_any_media_ends_the_session() {
    let mut script = Script::new();
    let ada = script.ask(Arrival::new("ada"));
    script.handle(Input::SignalClosed { connection: ada.connection });
    assert!(script.workers[&ada.worker].peers.is_empty());
    assert_eq!(script.directory.len(), 1);
}

#[test]
fn an_interruption_alone_does_nothing() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    script.pass(millis(5_000));
    script.heard(&ada);
    script.event(Event::Interrupted { peer: ada.peer });
    script.pass(millis(120_000));
    assert_eq!((script.heard(&ada), script.heard(&bob)), (Vec::new(), Vec::new()));
}

#[test]
fn who_is_lost_by_its_worker_joins_anew() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    script.event(Event::Lost { peer: ada.peer });
    assert_eq!(left(&mut script, &ada), Some((DisconnectReason::StateMismatch, LeaveAction::Reconnect)));
    assert!(farewell(&mut script, &bob, "ada").is_some());
}

#[test]
fn whoever_publishes_is_seen_leaving_at_once_and_others_within_half_a_second() {
    let mut script = Script::new();
    let watcher = script.guest("watcher");
    let (ada, bob, cid) = (script.guest("ada"), script.guest("bob"), script.guest("cid"));
    script.publish(&ada, 1, "pose").unwrap();
    script.pass(millis(10_000));
    let leave = || Request::Leave(LeaveRequest { reason: DisconnectReason::ClientInitiated });
    script.say(&bob, leave());
    assert!(!script.view(&watcher).others.contains_key("bob"), "the first is told at once");
    script.say(&cid, leave());
    script.say(&ada, leave());
    assert!(!script.view(&watcher).others.contains_key("ada"));
    assert!(script.view(&watcher).others.contains_key("cid"));
    script.pass(millis(500));
    assert!(!script.view(&watcher).others.contains_key("cid"));
}

#[test]
fn a_removed_participant_and_a_deleted_room_are_told_so() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    script.admin(Admin::RemoveParticipant { identity: "ada".into() }).unwrap();
    assert_eq!(
        left(&mut script, &ada),
        Some((DisconnectReason::ParticipantRemoved, LeaveAction::Disconnect))
    );
    script.admin(Admin::DeleteRoom).unwrap();
    assert_eq!(left(&mut script, &bob), Some((DisconnectReason::RoomDeleted, LeaveAction::Disconnect)));
    assert!(script.ended && script.directory.is_empty());
}

#[test]
fn a_shutdown_ends_everything_with_its_action() {
    for action in [LeaveAction::Disconnect, LeaveAction::Reconnect] {
        let mut script = Script::new();
        let (ada, bob) = (script.guest("ada"), script.join(Arrival::new("bob").on(1)));
        let pose = script.publish(&ada, 1, "pose").unwrap();
        script.subscribe(&bob, &pose.sid);
        script.directory_held = true;
        let late = script.ask(Arrival::new("late"));
        script.handle(Input::Shutdown { action });
        for guest in [&ada, &bob] {
            assert_eq!(left(&mut script, guest), Some((DisconnectReason::ServerShutdown, action)));
            assert!(script.view(guest).closed);
        }
        assert_eq!(script.refused[&late.connection].kind.status(), 503);
        assert!(script.room.poll_timeout().is_none());
        script.directory_held = false;
        script.pump();
        assert!(script.ended && script.directory.is_empty());
        assert!(script.workers.values().all(super::worker::FakeWorker::is_empty));
    }
}

#[test]
fn a_join_together_with_the_rooms_end_leaves_nothing_in_the_directory() {
    let mut script = Script::new();
    script.outputs_held = true;
    let late = script.ask(Arrival::new("late"));
    script.wish(Admin::DeleteRoom);
    script.outputs_held = false;
    script.pump();
    assert_eq!(script.refused[&late.connection].kind.status(), 503);
    assert!(script.ended && script.directory.is_empty(), "{:?}", script.directory);
}

#[test]
fn a_room_that_ends_before_the_directory_has_answered_gives_back_what_it_gets() {
    let mut script = Script::new();
    let now = script.now;
    let config = RoomConfig { name: "short".into(), ..RoomConfig::default() };
    let before = script.directory.len();
    let mut room = Room::new(RoomKey(6), config, 9, now);
    let claim = room.poll_output();
    let Some(Output::Directory(claim)) = claim else { panic!("{claim:?}") };
    room.handle(Input::Shutdown { action: LeaveAction::Disconnect }, now);
    assert!(room.poll_output().is_none(), "its end waits for the answer");
    room.handle(Input::Directory(script.directory.apply(claim)), now);
    let said: Vec<Output> = std::iter::from_fn(|| room.poll_output()).collect();
    let [Output::Directory(release), Output::Closed] = &said[..] else { panic!("{said:?}") };
    let released = script.directory.apply(release.clone());
    assert_eq!(script.directory.len(), before);
    room.handle(Input::Directory(released), now);
    assert!(room.poll_output().is_none(), "nothing follows the end");
}

#[test]
fn an_empty_room_ends_after_its_timeouts() {
    let mut script = Script::new();
    script.pass(millis(299_999));
    assert!(!script.ended);
    script.pass(millis(1));
    assert!(script.ended && script.directory.is_empty());

    let mut script = Script::new();
    script.pass(millis(200_000));
    let ada = script.guest("ada");
    script.pass(millis(400_000));
    assert!(!script.ended);
    let leave = || Request::Leave(LeaveRequest { reason: DisconnectReason::ClientInitiated });
    script.say(&ada, leave());
    script.pass(millis(19_999));
    let ada = script.guest("ada");
    script.pass(millis(30_000));
    script.say(&ada, leave());
    script.pass(millis(19_999));
    assert!(!script.ended);
    script.pass(millis(1));
    assert!(script.ended);
}

#[test]
fn dependents_do_not_keep_a_room_alive() {
    let mut script = Script::new();
    let mut arrival = Arrival::new("agent");
    arrival.claims.kind = ParticipantKind::Agent;
    let agent = script.ask(arrival);
    script.event(Event::Connected { peer: agent.peer });
    let ada = script.guest("ada");
    script.say(&ada, Request::Leave(LeaveRequest { reason: DisconnectReason::ClientInitiated }));
    script.pass(millis(20_000));
    assert_eq!(left(&mut script, &agent), Some((DisconnectReason::RoomClosed, LeaveAction::Disconnect)));
    assert!(script.ended);
}

#[test]
fn a_join_after_the_end_is_refused() {
    let mut script = Script::new();
    script.handle(Input::Shutdown { action: LeaveAction::Disconnect });
    script.ended = false;
    let late = script.ask(Arrival::new("late"));
    assert_eq!(script.refused[&late.connection].kind.status(), 503);
}

#[test]
fn a_flood_of_messages_ends_its_session_alone() {
    let limits = RoomLimits { signal_burst: 100, signal_rate_hz: 10, ..RoomLimits::default() };
    let mut script = Script::with(RoomConfig { limits, ..RoomConfig::default() });
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    for _ in 0..100 {
        script.say(&ada, Request::Ping(0));
    }
    assert!(!script.view(&ada).closed);
    script.pass(millis(100));
    script.say(&ada, Request::Ping(0));
    assert!(!script.view(&ada).closed, "a tenth of a second refills one");
    script.say(&ada, Request::Ping(0));
    assert_eq!(left(&mut script, &ada), Some((DisconnectReason::StateMismatch, LeaveAction::Reconnect)));
    assert!(script.view(&ada).closed && !script.view(&bob).closed);
    assert_eq!(script.room.counters().signal_floods, 1);
    assert_eq!(RoomLimits::default().signal_burst, 70_000);
    assert_eq!(RoomLimits::default().signal_rate_hz, 5_000);
}
