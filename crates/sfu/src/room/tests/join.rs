//! How sessions begin.

use trackyard_auth::ParticipantKind;
use trackyard_peer::Mode;
use trackyard_proto::join::JoinRequest;
use trackyard_proto::signal::{JoinResponse, LeaveAction, Reason, SessionDescription};
use trackyard_proto::{DisconnectReason, ParticipantState, Response};

use super::harness::{Arrival, Guest, Script, echo, millis};
use crate::control::{Command, Event, PeerId, RoomKey, WorkerId};
use crate::directory::{DirectoryKey, DirectoryRequest, DirectoryValue, Outcome, SessionRecord};
use crate::room::admission::RefusalKind;
use crate::room::{Input, NodeInfo, Room, RoomConfig};

fn joined(script: &Script, guest: &Guest) -> JoinResponse {
    match &script.view(guest).messages[0] {
        Response::Join(join) => (**join).clone(),
        other => panic!("{other:?} instead of a join"),
    }
}

#[test]
fn a_join_response_says_what_clients_depend_on() {
    let node = NodeInfo { region: "eu".into(), ice_urls: vec!["stun:a:1".into()], ..NodeInfo::default() };
    let mut script = Script::with(RoomConfig { node, metadata: "m".into(), ..RoomConfig::default() });
    let guest = script.ask(Arrival::new("ada"));
    let join = joined(&script, &guest);
    assert!(join.room.sid.starts_with("RM_") && join.participant.sid.starts_with("PA_"));
    assert_eq!(
        (join.room.name.as_str(), join.room.metadata.as_str(), join.room.num_participants),
        ("lab", "m", 1)
    );
    assert_eq!((join.ping_interval_s, join.ping_timeout_s), (5, 15));
    assert_eq!((join.server_version.as_str(), join.server_protocol), ("1.13.5", 17));
    assert_eq!((join.region.as_str(), join.ice_servers.len()), ("eu", 1));
    assert_eq!(join.participant.state, ParticipantState::Joining);
    assert_eq!(join.participant.joined_at_ms, script.now.unix_ms);
    assert!(join.other_participants.is_empty() && join.fast_publish && !join.sif_trailer.is_empty());
}

#[test]
fn the_other_participants_are_complete_and_never_hidden() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    script.publish(&ada, 1, "pose").unwrap();
    script.join(Arrival::new("spy").grant(|grant| grant.hidden = true));
    let bob = script.ask(Arrival::new("bob"));
    let others = joined(&script, &bob).other_participants;
    assert_eq!(others.len(), 1);
    assert_eq!((others[0].identity.as_str(), others[0].data_tracks[0].name.as_str()), ("ada", "pose"));
}

#[test]
fn a_track_that_nobody_was_told_of_yet_is_in_a_join_response() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    for handle in 1..=10 {
        script.publish(&ada, handle, &format!("track {handle}")).unwrap();
    }
    let bob = script.ask(Arrival::new("bob"));
    assert_eq!(joined(&script, &bob).other_participants[0].data_tracks.len(), 10);
}

#[test]
fn the_subscriber_connection_is_primary_only_in_dual_mode_and_for_subscribers() {
    let check = |arrival: Arrival, expected: bool, mode: Mode| {
        let mut script = Script::new();
        let guest = script.ask(arrival);
        assert_eq!(joined(&script, &guest).subscriber_primary, expected);
        let Command::Open(open) = &script.commands[0] else { panic!("{:?}", script.commands) };
        assert_eq!((open.peer, open.mode, open.data_tracks), (guest.peer, mode, true));
    };
    let silent = || Arrival::new("ada").grant(|grant| grant.can_subscribe = Some(false));
    let mut old = Arrival::new("ada").dual();
    old.request.client.protocol = 2;
    check(Arrival::new("ada"), false, Mode::Single);
    check(Arrival::new("ada").dual(), true, Mode::Dual { subscriber_primary: true });
    check(silent().dual(), false, Mode::Dual { subscriber_primary: false });
    check(old, false, Mode::Dual { subscriber_primary: false });
}

#[test]
fn an_offer_in_the_join_request_goes_to_the_worker_and_its_answer_follows_the_join() {
    let mut script = Script::new();
    let mut arrival = Arrival::new("ada");
    arrival.request.publisher_offer =
        Some(SessionDescription { id: 1, sdp: "v=0".into(), ..Default::default() });
    let guest = script.ask(arrival);
    assert!(matches!(script.commands[0], Command::Open(_)));
    assert!(
        matches!(&script.commands[1], Command::Offer { peer, id: 1, sdp } if *peer == guest.peer && sdp == "v=0")
    );
    script.event(Event::Answer { peer: guest.peer, id: 1, sdp: "answer".into() });
    let messages = &script.view(&guest).messages;
    assert!(matches!(messages[0], Response::Join(_)));
    let answer = messages.iter().find_map(|message| match message {
        Response::Answer(answer) => Some((answer.id, answer.sdp.as_str())),
        _ => None,
    });
    assert_eq!(answer, Some((1, "answer")));
}

#[test]
fn media_tracks_asked_for_in_the_join_request_are_refused_with_their_echo() {
    let mut script = Script::new();
    let mut arrival = Arrival::new("ada");
    arrival.request.add_tracks = vec![echo("one"), echo("two")];
    let guest = script.ask(arrival);
    let refusals = script.view(&guest).messages.iter().filter_map(|message| match message {
        Response::RequestResponse { reason: Reason::UnsupportedType, echo, .. } => echo.clone(),
        _ => None,
    });
    let refused: Vec<_> = refusals.collect();
    assert_eq!(refused, [echo("one"), echo("two")]);
}

#[test]
fn a_token_is_refreshed_at_once_and_every_five_minutes() {
    let mut script = Script::new();
    let guest = script.ask(Arrival::new("ada"));
    script.event(Event::Connected { peer: guest.peer });
    assert_eq!(script.tokens.len(), 1);
    assert_eq!(script.tokens[0].0, guest.connection);
    script.pass(millis(299_999));
    assert_eq!(script.tokens.len(), 1);
    script.pass(millis(300_001));
    assert_eq!(script.tokens.len(), 3);
}

#[test]
fn what_a_client_says_of_itself_goes_over_its_token_if_it_may() {
    let check = |allowed: bool, expected: (&str, &[(&str, &str)])| {
        let mut script = Script::new();
        let mut arrival = Arrival::new("ada").grant(|grant| grant.can_update_own_metadata = Some(allowed));
        arrival.claims.metadata = "token".into();
        arrival.claims.attributes =
            [("a", "1"), ("b", "2")].map(|(key, value)| (key.into(), value.into())).into();
        arrival.request = JoinRequest {
            metadata: "own".into(),
            attributes: [("b", "3"), ("a", ""), ("c", "4")]
                .map(|(key, value)| (key.into(), value.into()))
                .into(),
            ..arrival.request
        };
        let guest = script.ask(arrival);
        let own = joined(&script, &guest).participant;
        let attributes: Vec<_> =
            own.attributes.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!((own.metadata.as_str(), attributes.as_slice()), expected);
        assert_eq!(script.tokens[0].1.claims.metadata, expected.0, "a refreshed token carries it on");
    };
    check(true, ("own", &[("a", "1"), ("b", "3"), ("c", "4")]));
    check(false, ("token", &[("a", "1"), ("b", "2")]));
}

#[test]
fn client_protocol_capabilities_and_kind_are_shown_to_others() {
    let mut script = Script::new();
    let mut arrival = Arrival::new("ada");
    arrival.request.client.client_protocol = 2;
    arrival.request.client.capabilities = vec![1, 2];
    arrival.claims.kind = ParticipantKind::Sip;
    arrival.claims.kind_details = vec!["forwarded".into(), "unheard-of".into()];
    script.join(arrival);
    let bob = script.ask(Arrival::new("bob"));
    let ada = &joined(&script, &bob).other_participants[0];
    assert_eq!((ada.client_protocol, ada.capabilities.as_slice()), (2, [1, 2].as_slice()));
    assert_eq!((ada.kind, ada.kind_details.as_slice()), (trackyard_proto::Kind::Sip, [1].as_slice()));
}

#[test]
fn states_come_in_order_and_never_go_back() {
    let mut script = Script::new();
    let guest = script.ask(Arrival::new("ada"));
    let state = |script: &Script| script.view(&guest).own.as_ref().unwrap().state;
    assert_eq!(state(&script), ParticipantState::Joining);
    script.event(Event::Answer { peer: guest.peer, id: 1, sdp: String::new() });
    assert_eq!(state(&script), ParticipantState::Joined);
    script.event(Event::Connected { peer: guest.peer });
    assert_eq!(state(&script), ParticipantState::Active);
    script.event(Event::Answer { peer: guest.peer, id: 2, sdp: String::new() });
    script.event(Event::Connected { peer: guest.peer });
    assert_eq!(state(&script), ParticipantState::Active);
}

#[test]
fn a_newer_session_of_the_same_identity_replaces_the_older_one() {
    let mut script = Script::new();
    let watcher = script.guest("watcher");
    let old = script.guest("ada");
    script.publish(&old, 1, "pose").unwrap();
    script.pass(millis(1_000));
    let old_sid = script.sid(&old);
    script.heard(&watcher);
    let new = script.ask(Arrival::new("ada").on(1));
    let leave = script.view(&old).messages.last().unwrap();
    let expected =
        Response::Leave { reason: DisconnectReason::DuplicateIdentity, action: LeaveAction::Disconnect };
    assert_eq!(*leave, expected);
    assert!(script.view(&old).closed);
    script.publish(&new, 1, "pose").expect("the older session's handle and name are free");
    script.pass(millis(2_000));
    for message in script.heard(&watcher) {
        let Response::Update(infos) = message else { continue };
        assert!(infos.iter().all(|info| info.sid != old_sid), "observers see only the newer session");
    }
    assert_eq!(script.view(&watcher).tracks_of("ada"), ["pose"]);
    assert_ne!(script.sid(&new), old_sid);
    assert!(!script.workers[&WorkerId(0)].peers.contains(&old.peer));
    assert_eq!(script.room.counters().duplicate_identities, 1);
}

#[test]
fn who_left_and_came_back_at_once_is_seen_only_as_the_new_session() {
    let mut script = Script::new();
    let watcher = script.guest("watcher");
    let old = script.guest("ada");
    script.guest("burst");
    let old_sid = script.sid(&old);
    let gone = script.ask(Arrival::new("someone"));
    script.heard(&watcher);
    script.handle(Input::SignalClosed { connection: gone.connection });
    script.say(
        &old,
        trackyard_proto::Request::Leave(trackyard_proto::signal::LeaveRequest {
            reason: DisconnectReason::ClientInitiated,
        }),
    );
    script.ask(Arrival::new("ada"));
    script.pass(millis(2_000));
    for message in script.heard(&watcher) {
        let Response::Update(infos) = message else { continue };
        assert!(infos.iter().all(|info| info.sid != old_sid), "{infos:?}");
    }
    assert!(script.view(&watcher).others.contains_key("ada"));
}

#[test]
fn a_full_room_refuses_before_anything_else_but_dependents_do_not_count() {
    let mut script = Script::with(RoomConfig { max_participants: 2, ..RoomConfig::default() });
    let dependent = |identity: &str| {
        let mut arrival = Arrival::new(identity);
        arrival.claims.kind = ParticipantKind::Agent;
        arrival
    };
    script.guest("ada");
    script.join(dependent("agent"));
    script.join(Arrival::new("recorder").grant(|grant| grant.recorder = true));
    script.guest("bob");
    let third = script.ask(Arrival::new("cid"));
    let refusal = &script.refused[&third.connection];
    assert_eq!((refusal.kind, refusal.kind.status()), (RefusalKind::Internal, 500));
    assert!(!script.views.contains_key(&third.connection));
    script.join(dependent("another agent"));
    script.ask(Arrival::new("bob"));
    assert_eq!(script.refused.len(), 1, "replacing a session takes no further place");
}

#[test]
fn joins_that_wait_for_the_directory_take_their_places() {
    let mut script = Script::with(RoomConfig { max_participants: 1, ..RoomConfig::default() });
    script.directory_held = true;
    let ada = script.ask(Arrival::new("ada"));
    assert!(script.views.is_empty(), "a join proceeds on the directory's reply");
    let bob = script.ask(Arrival::new("bob"));
    assert!(script.refused.contains_key(&bob.connection));
    script.directory_held = false;
    script.pump();
    assert!(script.views.contains_key(&ada.connection));
}

#[test]
fn joins_that_wait_for_the_directory_are_bounded() {
    let mut script = Script::new();
    script.directory_held = true;
    for count in 0..=4_096 {
        script.ask(Arrival::new(&format!("guest {count}")));
    }
    assert_eq!(script.refused.values().map(|refusal| refusal.kind.status()).collect::<Vec<_>>(), [503]);
}

#[test]
fn identities_and_the_rooms_sid_are_what_the_directory_says() {
    let mut script = Script::new();
    let key = DirectoryKey::Session { room: "lab".into(), identity: "ada".into() };
    let elsewhere = SessionRecord { node_id: "ND_other".into(), peer: PeerId(77) };
    let value = Some(DirectoryValue::Session(elsewhere));
    let taken = script.directory.apply(DirectoryRequest { id: 0, key: key.clone(), expected: None, value });
    assert!(matches!(taken.outcome, Outcome::Swapped(_)));
    let ada = script.ask(Arrival::new("ada"));
    assert!(
        matches!(joined(&script, &ada), JoinResponse { .. }),
        "the newer session takes the identity over"
    );
    let current =
        script.directory.apply(DirectoryRequest { id: 0, key, expected: None, value: None }).outcome;
    let Outcome::Conflict(Some((_, DirectoryValue::Session(record)))) = current else {
        panic!("{current:?}")
    };
    assert_eq!(record.peer, ada.peer);

    let mut first = Script::seeded(RoomConfig::default(), 1);
    let second = Script::seeded(RoomConfig::default(), 2);
    assert_ne!(first.room.info().sid, second.room.info().sid);
    let conflict = first.directory.apply(DirectoryRequest {
        id: 1,
        key: DirectoryKey::Room { room: "lab".into() },
        expected: None,
        value: None,
    });
    let mut other =
        Room::new(RoomKey(6), RoomConfig { name: "lab".into(), ..RoomConfig::default() }, 9, second.now);
    other.handle(Input::Directory(conflict), second.now);
    assert_eq!(other.info().sid, first.room.info().sid, "the other half of a room has its sid");
}

#[test]
fn a_client_that_goes_while_the_directory_is_asked_leaves_nothing_behind() {
    let mut script = Script::new();
    script.directory_held = true;
    let ada = script.ask(Arrival::new("ada"));
    script.handle(Input::SignalClosed { connection: ada.connection });
    script.directory_held = false;
    script.pump();
    assert!(script.views.is_empty() && script.commands.is_empty());
    assert_eq!(script.directory.len(), 1, "only the room's own record is left");
}

#[test]
fn a_hidden_participant_is_seen_only_by_itself() {
    let mut script = Script::new();
    let watcher = script.guest("watcher");
    let spy = script.join(Arrival::new("spy").grant(|grant| grant.hidden = true));
    script.publish(&spy, 1, "pose").unwrap();
    script.pass(millis(10_000));
    assert!(!script.view(&watcher).others.contains_key("spy"));
    assert_eq!(script.view(&spy).own.as_ref().unwrap().state, ParticipantState::Active);
    assert!(script.view(&spy).others.contains_key("watcher"));
    script.handle(Input::Event(Event::Lost { peer: spy.peer }));
    script.pass(millis(10_000));
    let named = |message: &Response| matches!(message, Response::Update(infos) if infos.iter().any(|info| info.identity == "spy"));
    assert!(!script.heard(&watcher).iter().any(named));
}
