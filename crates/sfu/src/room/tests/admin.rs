//! What administrators may do, and what they are told.

use std::collections::BTreeMap;
use std::time::Duration;

use trackyard_proto::packet::{
    DataPacket, PacketKind, PacketValue, RpcAck, RpcErrorInfo, RpcResponse, RpcResult,
};
use trackyard_proto::relay::Delivery;
use trackyard_proto::signal::Reason;
use trackyard_proto::{ParticipantInfo, Permission, Request, Response, RoomInfo};

use super::harness::{Arrival, Guest, Script, millis};
use crate::control::{Audience, Command, Event, RouteChange};
use crate::room::{
    Admin, AdminError, AdminId, AdminReply, Call, Input, ParticipantChange, RoomChange, RoomConfig,
    ServerData,
};

fn change(
    script: &mut Script,
    identity: &str,
    change: ParticipantChange,
) -> Result<ParticipantInfo, AdminError> {
    match script.admin(Admin::UpdateParticipant { identity: identity.into(), change })? {
        AdminReply::Participant(info) => Ok(info.as_ref().clone()),
        other => panic!("{other:?}"),
    }
}

fn room(reply: Result<AdminReply, AdminError>) -> RoomInfo {
    match reply {
        Ok(AdminReply::Room(info)) => info.as_ref().clone(),
        other => panic!("{other:?}"),
    }
}

fn permission(script: &Script, guest: &Guest) -> Permission {
    script.view(guest).own.as_ref().unwrap().permission.clone()
}

/// Packets of the server since the script was last asked, each as every worker was given it.
fn said(script: &mut Script) -> Vec<(DataPacket, Audience, Delivery, Option<String>)> {
    let commands = std::mem::take(&mut script.commands).into_iter();
    let said = commands.filter_map(|command| match command {
        Command::Say(said) => Some((
            DataPacket::decode(&said.packet.message).unwrap(),
            said.packet.audience.clone(),
            said.packet.delivery,
            said.awaits,
        )),
        _ => None,
    });
    said.collect()
}

#[test]
fn participants_are_shown_hidden_ones_included() {
    let mut script = Script::new();
    script.guest("ada");
    script.join(Arrival::new("spy").grant(|grant| grant.hidden = true));
    let Ok(AdminReply::Participants(all)) = script.admin(Admin::ListParticipants) else { panic!() };
    let mut names: Vec<_> = all.iter().map(|info| info.identity.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["ada", "spy"]);
    let get = |identity: &str| Admin::GetParticipant { identity: identity.into() };
    assert!(matches!(script.admin(get("spy")), Ok(AdminReply::Participant(info)) if info.identity == "spy"));
    assert_eq!(script.admin(get("bob")), Err(AdminError::NoParticipant));
    assert_eq!(
        script.admin(Admin::RemoveParticipant { identity: "bob".into() }),
        Err(AdminError::NoParticipant)
    );
}

#[test]
fn a_participant_is_changed_for_everyone_and_shown_as_it_is_then() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    let attributes = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), String::new())]);
    let first = ParticipantChange {
        name: Some("Ada".into()),
        metadata: Some("m".into()),
        attributes: attributes.clone(),
        permission: None,
    };
    let told = change(&mut script, "ada", first).unwrap();
    assert_eq!((told.name.as_str(), told.metadata.as_str()), ("Ada", "m"));
    assert_eq!(told.attributes, BTreeMap::from([("a".to_owned(), "1".to_owned())]));
    script.pass(millis(300));
    for info in [script.view(&ada).own.as_ref().unwrap(), &script.view(&bob).others["ada"]] {
        assert_eq!(*info.as_ref(), told, "all see what the administrator was shown");
    }
    let gone = BTreeMap::from([("a".to_owned(), String::new())]);
    let told =
        change(&mut script, "ada", ParticipantChange { attributes: gone, ..ParticipantChange::default() });
    let told = told.unwrap();
    assert!(told.attributes.is_empty() && told.name == "Ada" && told.metadata == "m");
    assert_eq!(script.tokens.last().unwrap().1.claims.name, "Ada");
}

#[test]
fn a_change_beyond_the_limits_changes_nothing() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let before = script.view(&ada).own.clone();
    let long = |bytes: usize| "x".repeat(bytes);
    let attributes = |value: String| BTreeMap::from([("k".to_owned(), value)]);
    let wishes = [
        (ParticipantChange { name: Some(long(257)), ..ParticipantChange::default() }, "name length"),
        (
            ParticipantChange { metadata: Some(long(512 * 1024 + 1)), ..ParticipantChange::default() },
            "metadata size",
        ),
        (
            ParticipantChange { attributes: attributes(long(64 * 1024)), ..ParticipantChange::default() },
            "attribute size",
        ),
    ];
    for (mut wish, expected) in wishes {
        wish.permission = Some(Permission { can_publish_data: false, ..permission(&script, &ada) });
        for identity in ["ada", "nobody"] {
            let told = change(&mut script, identity, wish.clone());
            assert!(matches!(told, Err(AdminError::TooLong { what, .. }) if what == expected), "{told:?}");
        }
    }
    script.pass(millis(1_000));
    assert_eq!(script.view(&ada).own, before);
    let half = |key: &str| ParticipantChange {
        attributes: BTreeMap::from([(key.to_owned(), long(40 * 1024))]),
        ..ParticipantChange::default()
    };
    change(&mut script, "ada", half("a")).unwrap();
    assert!(change(&mut script, "ada", half("b")).is_err(), "what is there counts as well");
}

#[test]
fn every_permission_takes_effect_at_once_and_comes_back() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    let pose = script.publish(&ada, 1, "pose").unwrap();
    script.subscribe(&bob, &pose.sid);
    assert!(script.receives(&bob, &ada, 1).is_some());
    let all = permission(&script, &ada);
    let mut permit = |identity: &str, edit: &dyn Fn(&mut Permission)| {
        let mut permission = all.clone();
        edit(&mut permission);
        let wish = ParticipantChange { permission: Some(permission.clone()), ..ParticipantChange::default() };
        let told = change(&mut script, identity, wish).unwrap();
        assert_eq!(told.permission, permission);
        script.pass(millis(1_000));
        told
    };
    permit("bob", &|permission| permission.can_subscribe = false);
    permit("bob", &|permission| permission.can_subscribe = true);
    let told = permit("ada", &|permission| permission.can_publish_data = false);
    assert!(!told.is_publisher && told.data_tracks.is_empty());
    assert!(script.heard(&ada).contains(&Response::DataTrackUnpublished(pose)));
    assert_eq!(script.receives(&bob, &ada, 1), None);
    assert_eq!(script.publish(&ada, 1, "pose").unwrap_err(), Reason::NotAllowed);
    script.permit("ada", all);
    let pose = script.publish(&ada, 1, "pose").unwrap();
    script.subscribe(&bob, &pose.sid);
    assert!(script.receives(&bob, &ada, 1).is_some());
}

#[test]
fn workers_are_told_who_may_no_longer_send() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    script.routes_held = true;
    let permission = Permission { can_publish_data: false, ..permission(&script, &ada) };
    script.permit("ada", permission);
    let told = script.queue.iter().any(|(_, task)| {
        match task {
        super::harness::Task::Route(batch) => batch.changes.iter().any(|change| {
            matches!(change, RouteChange::Seat { peer, seat } if *peer == ada.peer && !seat.may_send)
        }),
        super::harness::Task::Close(_) => false,
    }
    });
    assert!(told);
}

#[test]
fn the_right_to_change_ones_own_state_comes_and_goes() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let own = |script: &mut Script| {
        script.heard(&ada);
        let update = trackyard_proto::signal::MetadataUpdate {
            request_id: 1,
            name: Some("Ada".into()),
            metadata: None,
            attributes: BTreeMap::new(),
            echo: super::harness::echo("own"),
        };
        script.say(&ada, Request::UpdateMetadata(update));
        let reasons = script.heard(&ada).into_iter().filter_map(|message| match message {
            Response::RequestResponse { reason, .. } => Some(reason),
            _ => None,
        });
        reasons.collect::<Vec<_>>()
    };
    assert_eq!(own(&mut script), [Reason::NotAllowed]);
    let may = Permission { can_update_metadata: true, ..permission(&script, &ada) };
    script.permit("ada", may);
    assert_eq!(own(&mut script), [Reason::Ok]);
}

#[test]
fn older_clients_hear_of_success_by_their_own_update_alone() {
    let mut script = Script::new();
    let mut arrival = Arrival::new("ada").grant(|grant| grant.can_update_own_metadata = Some(true));
    arrival.request.client.protocol = 14;
    let ada = script.join(arrival);
    let update = |name: &str| trackyard_proto::signal::MetadataUpdate {
        request_id: 1,
        name: Some(name.into()),
        metadata: None,
        attributes: BTreeMap::new(),
        echo: super::harness::echo("own"),
    };
    script.say(&ada, Request::UpdateMetadata(update("Ada")));
    let answered = |messages: Vec<Response>| {
        messages.into_iter().any(|message| matches!(message, Response::RequestResponse { .. }))
    };
    assert!(!answered(script.heard(&ada)));
    assert_eq!(script.view(&ada).own.as_ref().unwrap().name, "Ada");
    script.say(&ada, Request::UpdateMetadata(update(&"x".repeat(300))));
    assert!(answered(script.heard(&ada)), "errors they do hear of");
}

#[test]
fn subscriptions_are_changed_for_a_participant() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    let pose = script.publish(&ada, 1, "pose").unwrap();
    let wish = |script: &mut Script, identity: &str, subscribe| {
        let track_sids = vec![pose.sid.clone(), "TR_unknown".to_owned()];
        script.admin(Admin::UpdateSubscriptions { identity: identity.into(), track_sids, subscribe })
    };
    assert_eq!(wish(&mut script, "bob", true), Ok(AdminReply::Done));
    assert!(script.receives(&bob, &ada, 1).is_some());
    assert_eq!(wish(&mut script, "bob", false), Ok(AdminReply::Done));
    assert_eq!(script.receives(&bob, &ada, 1), None);
    assert_eq!(wish(&mut script, "nobody", true), Err(AdminError::NoParticipant));
}

#[test]
fn no_track_of_this_server_can_be_muted() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let pose = script.publish(&ada, 1, "pose").unwrap();
    let mut mute = |identity: &str, sid: &str, muted| {
        script.admin(Admin::MuteTrack { identity: identity.into(), track_sid: sid.into(), muted })
    };
    assert_eq!(mute("ada", "TR_unknown", true), Ok(AdminReply::Track(None)));
    assert!(matches!(mute("ada", &pose.sid, true), Err(AdminError::Invalid(_))));
    assert_eq!(mute("ada", "TR_unknown", false), Err(AdminError::Precondition("remote unmute not enabled")));
    assert_eq!(mute("nobody", "TR_unknown", true), Err(AdminError::NoParticipant));
}

#[test]
fn a_room_is_changed_and_stays_as_long_as_a_new_one() {
    let seconds = Duration::from_secs;
    let mut script = Script::new();
    script.pass(seconds(299));
    let wish = RoomChange {
        empty_timeout: Some(seconds(60)),
        departure_timeout: Some(seconds(5)),
        max_participants: Some(1),
        metadata: Some("m".into()),
        tags: Some(BTreeMap::from([("team".to_owned(), "arm".to_owned())])),
    };
    let told = room(script.admin(Admin::Configure(wish)));
    assert_eq!((told.empty_timeout_s, told.departure_timeout_s, told.max_participants), (60, 5, 1));
    assert_eq!((told.metadata.as_str(), script.room.tags()["team"].as_str()), ("m", "arm"));
    script.pass(seconds(59));
    assert!(!script.ended);
    let ada = script.guest("ada");
    let bob = script.ask(Arrival::new("bob"));
    assert_eq!(script.refused[&bob.connection].text, "the room is full");
    let unchanged = room(script.admin(Admin::Configure(RoomChange::default())));
    assert_eq!(unchanged, RoomInfo { num_participants: 1, ..told });
    script.handle(Input::SignalClosed { connection: ada.connection });
    script.event(Event::Failed { peer: ada.peer, target: trackyard_peer::Target::Publisher });
    script.pass(seconds(5));
    script.pass(seconds(5));
    assert!(script.ended);
}

#[test]
fn those_who_are_there_are_told_how_the_room_is_now() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let rooms = |script: &mut Script| {
        let rooms = script.heard(&ada).into_iter().filter_map(|message| match message {
            Response::RoomUpdate(room) => Some((room.max_participants, room.metadata.clone())),
            _ => None,
        });
        rooms.collect::<Vec<_>>()
    };
    let wish = RoomChange { max_participants: Some(7), metadata: Some("m".into()), ..RoomChange::default() };
    room(script.admin(Admin::Configure(wish.clone())));
    assert_eq!(rooms(&mut script), [(7, "m".to_owned())]);
    room(script.admin(Admin::Configure(wish)));
    assert_eq!(rooms(&mut script), [], "what is the same is no news");
}

#[test]
fn long_metadata_that_change_fast_cost_participants_little() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    for round in 0..1_000 {
        let metadata = format!("{}{round}", "x".repeat(100_000));
        room(script.admin(Admin::UpdateRoomMetadata { metadata }));
        script.pass(millis(1));
    }
    script.pass(millis(250));
    let told = script.heard(&ada).into_iter().filter_map(|message| match message {
        Response::RoomUpdate(room) => Some(room.metadata.len()),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    let last = script.room.info().metadata.len();
    assert!(told.len() <= 7 && told.last() == Some(&last), "{} updates", told.len());
}

#[test]
fn metadata_have_a_limit_and_a_revision() {
    let mut script = Script::new();
    let patch = |patch: serde_json::Value, if_revision| Admin::PatchRoomMetadata { patch, if_revision };
    let told = |metadata: &str, revision| Ok(AdminReply::Metadata { metadata: metadata.into(), revision });
    let object = serde_json::json!({"a": {"b": 1}});
    assert_eq!(script.admin(patch(object, Some(0))), told(r#"{"a":{"b":1}}"#, 1));
    let stale = script.admin(patch(serde_json::json!({"a": null}), Some(0)));
    assert_eq!(stale, Err(AdminError::Conflict { revision: 1 }));
    assert_eq!(script.admin(patch(serde_json::json!({}), None)), told(r#"{"a":{"b":1}}"#, 1));
    assert_eq!(
        script.admin(patch(serde_json::json!({"a": {"c": 2}}), Some(1))),
        told(r#"{"a":{"b":1,"c":2}}"#, 2)
    );
    assert!(matches!(script.admin(patch(serde_json::json!([1]), None)), Err(AdminError::Invalid(_))));
    let long = "x".repeat(512 * 1024 + 1);
    for wish in [
        patch(serde_json::json!({ "long": long }), None),
        Admin::UpdateRoomMetadata { metadata: long.clone() },
        Admin::Configure(RoomChange { metadata: Some(long.clone()), ..RoomChange::default() }),
    ] {
        assert!(matches!(script.admin(wish), Err(AdminError::TooLong { .. })));
    }
    room(script.admin(Admin::UpdateRoomMetadata { metadata: "text".into() }));
    assert!(matches!(
        script.admin(patch(serde_json::json!({"a": 1}), None)),
        Err(AdminError::Precondition(_))
    ));
    assert_eq!(script.admin(patch(serde_json::json!({}), None)), told("text", 3));
}

#[test]
fn the_server_says_something_to_everyone_or_to_some_once() {
    let mut script = Script::new();
    script.guest("ada");
    said(&mut script);
    let data = ServerData { data: "hi".into(), topic: Some("t".into()), ..ServerData::default() };
    assert_eq!(script.admin(Admin::SendData(data.clone())), Ok(AdminReply::Done));
    let all = said(&mut script);
    let [(packet, Audience::All, Delivery::Reliable, None)] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(
        (packet.sequence, packet.participant_sid.as_str(), packet.participant_identity.as_str()),
        (0, "", "")
    );
    let PacketValue::User(user) = &packet.value else { panic!("{packet:?}") };
    assert_eq!((&user.payload[..], user.topic.as_deref()), (&b"hi"[..], Some("t")));
    let named = ServerData {
        kind: PacketKind::Lossy,
        identities: vec!["ada".into()],
        sids: vec!["PA_x".into()],
        nonce: vec![7; 16].into(),
        ..data.clone()
    };
    assert_eq!(script.admin(Admin::SendData(named.clone())), Ok(AdminReply::Done));
    let some = said(&mut script);
    let [(_, Audience::Named { identities, sids }, Delivery::Lossy, None)] = some.as_slice() else {
        panic!("{some:?}")
    };
    assert_eq!((identities.as_slice(), sids.as_slice()), (&["ada".to_owned()][..], &["PA_x".to_owned()][..]));
    assert_eq!(script.admin(Admin::SendData(named)), Ok(AdminReply::Done));
    assert!(said(&mut script).is_empty(), "a repeated nonce is said once");
    for wish in [
        ServerData { nonce: vec![7; 15].into(), ..data.clone() },
        ServerData { data: vec![7; 65_535].into(), ..data },
    ] {
        assert!(script.admin(Admin::SendData(wish)).is_err());
    }
    assert!(said(&mut script).is_empty());
}

#[test]
fn only_the_last_nonces_are_remembered() {
    let mut script = Script::new();
    script.guest("ada");
    let mut say = |number: u8| {
        let nonce = vec![number; 16].into();
        script.admin(Admin::SendData(ServerData { nonce, ..ServerData::default() })).unwrap();
        said(&mut script).len()
    };
    assert_eq!((0..=100).map(&mut say).sum::<usize>(), 101);
    assert_eq!([say(100), say(0)], [0, 1]);
}

fn call(identity: &str, payload: &str) -> Call {
    Call {
        identity: identity.into(),
        method: "m".into(),
        payload: payload.into(),
        response_max: Duration::from_secs(10),
    }
}

/// A call that waits, and the name under which it is answered.
fn begin(script: &mut Script, identity: &str) -> (AdminId, String) {
    said(script);
    let admin = script.wish(Admin::PerformRpc(call(identity, "p")));
    assert!(!script.answers.contains_key(&admin), "{:?}", script.answers);
    let mut said = said(script);
    let (packet, audience, delivery, awaits) = said.pop().unwrap();
    let PacketValue::RpcRequest(request) = &packet.value else { panic!("{packet:?}") };
    assert_eq!((request.method.as_str(), request.payload.as_str(), request.version), ("m", "p", 1));
    assert_eq!((request.response_timeout_ms, packet.sequence), (10_000, 0));
    assert_eq!(packet.participant_identity, request.id, "as the caller is shown");
    assert_eq!(audience, Audience::Named { identities: vec![identity.into()], sids: Vec::new() });
    assert_eq!((delivery, awaits.as_deref()), (Delivery::Reliable, Some(request.id.as_str())));
    (admin, request.id.clone())
}

fn reply(script: &mut Script, guest: &Guest, value: PacketValue) {
    let packet = value.reliable(Vec::new()).encode().into();
    script.event(Event::Reply { peer: guest.peer, packet });
}

fn ack(id: &str) -> PacketValue {
    PacketValue::RpcAck(RpcAck { request_id: id.into() })
}

fn response(id: &str, result: RpcResult) -> PacketValue {
    PacketValue::RpcResponse(RpcResponse { request_id: id.into(), result: Some(result) })
}

fn failed(script: &mut Script, admin: AdminId) -> (u32, String) {
    match script.answers.remove(&admin) {
        Some(Err(AdminError::Call(RpcErrorInfo { code, message, .. }))) => (code, message),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_is_answered_with_what_the_participant_says() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    let (admin, id) = begin(&mut script, "ada");
    reply(&mut script, &bob, response(&id, RpcResult::Payload("forged".into())));
    reply(&mut script, &ada, ack(&id));
    script.pass(Duration::from_secs(9));
    assert!(script.answers.is_empty());
    reply(&mut script, &ada, response(&id, RpcResult::Payload("done".into())));
    assert_eq!(script.answers.remove(&admin), Some(Ok(AdminReply::Payload("done".into()))));
    reply(&mut script, &ada, response(&id, RpcResult::Payload("again".into())));
    let (admin, id) = begin(&mut script, "ada");
    let error = RpcErrorInfo { code: 101, message: "boom".into(), data: "d".into() };
    reply(&mut script, &ada, response(&id, RpcResult::Error(error.clone())));
    assert_eq!(script.answers.remove(&admin), Some(Err(AdminError::Call(error))));
    let (admin, id) = begin(&mut script, "ada");
    reply(&mut script, &ada, response(&id, RpcResult::Payload("x".repeat(15_361))));
    assert_eq!(failed(&mut script, admin).0, 1504);
    assert!(script.answers.is_empty() && script.room.counters().replies_late >= 2);
}

#[test]
fn a_call_waits_2_s_for_its_acknowledgement_and_10_s_for_its_response() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let (admin, _) = begin(&mut script, "ada");
    script.pass(millis(1_999));
    assert!(script.answers.is_empty());
    script.pass(millis(1));
    assert_eq!(failed(&mut script, admin), (1501, "Connection timeout".into()));
    let (admin, id) = begin(&mut script, "ada");
    script.pass(millis(1_000));
    reply(&mut script, &ada, ack(&id));
    script.pass(millis(8_999));
    assert!(script.answers.is_empty());
    script.pass(millis(1));
    assert_eq!(failed(&mut script, admin), (1502, "Response timeout".into()));
    let short = Call { response_max: millis(500), ..call("ada", "p") };
    let admin = script.wish(Admin::PerformRpc(short));
    script.pass(millis(500));
    assert_eq!(failed(&mut script, admin).0, 1502);
}

#[test]
fn a_call_ends_with_the_participant_or_the_room() {
    let mut script = Script::new();
    script.guest("ada");
    let (first, _) = begin(&mut script, "ada");
    script.admin(Admin::RemoveParticipant { identity: "ada".into() }).unwrap();
    assert_eq!(failed(&mut script, first), (1503, "Recipient disconnected".into()));
    script.guest("ada");
    let (second, _) = begin(&mut script, "ada");
    script.admin(Admin::DeleteRoom).unwrap();
    assert_eq!(failed(&mut script, second).0, 1503);
    assert!(script.ended);
}

#[test]
fn what_cannot_be_called_is_refused_and_calls_are_bounded() {
    let mut script = Script::new();
    script.guest("ada");
    let refused = |script: &mut Script, call| script.admin(Admin::PerformRpc(call)).unwrap_err();
    assert_eq!(refused(&mut script, call("nobody", "")), AdminError::NoParticipant);
    assert!(matches!(refused(&mut script, call("", "")), AdminError::Invalid(_)));
    let long = "x".repeat(15_361);
    assert!(matches!(
        refused(&mut script, call("ada", &long)),
        AdminError::Call(RpcErrorInfo { code: 1402, .. })
    ));
    let method = Call { method: long, ..call("ada", "") };
    assert!(matches!(refused(&mut script, method), AdminError::TooLong { .. }));
    let guests: Vec<_> = (0..9).map(|number| format!("p{number}")).collect();
    guests.iter().for_each(|identity| drop(script.guest(identity)));
    for (number, identity) in guests[..8].iter().enumerate() {
        for _ in 0..128 {
            script.wish(Admin::PerformRpc(call(identity, &"x".repeat(15_360))));
        }
        let expected = if number < 7 { 128 } else { 1_024 };
        assert_eq!(refused(&mut script, call(identity, "")), AdminError::TooManyCalls(expected));
    }
    assert_eq!(refused(&mut script, call(&guests[8], "")), AdminError::TooManyCalls(1_024));
    assert!(script.answers.is_empty());
    script.pass(Duration::from_secs(2));
    assert_eq!(script.answers.len(), 1_024, "each is answered");
}

#[test]
fn a_room_that_nobody_has_joined_ends_after_its_time_and_tags_are_bounded() {
    let config = RoomConfig { empty_timeout: Duration::from_secs(30), ..RoomConfig::default() };
    let mut script = Script::with(config);
    let tags = BTreeMap::from([("k".to_owned(), "x".repeat(64 * 1024))]);
    let wish = RoomChange { tags: Some(tags), ..RoomChange::default() };
    assert!(matches!(
        script.admin(Admin::Configure(wish)),
        Err(AdminError::TooLong { what: "tags size", .. })
    ));
    script.pass(millis(29_999));
    assert!(!script.ended);
    script.pass(millis(1));
    assert!(script.ended);
}
