//! Names, metadata and attributes.

use std::collections::BTreeMap;

use trackyard_proto::signal::{MetadataUpdate, Reason};
use trackyard_proto::{Request, Response};

use super::harness::{Arrival, Guest, Script, echo, millis};
use crate::control::Event;
use crate::room::{Admin, Input};

fn update(name: &str, metadata: &str, attributes: &[(&str, &str)]) -> MetadataUpdate {
    let text = |text: &str| Some(text.to_owned());
    MetadataUpdate {
        request_id: 9,
        name: text(name),
        metadata: text(metadata),
        attributes: attributes.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
        echo: echo("metadata"),
    }
}

fn free(script: &mut Script, identity: &str) -> Guest {
    script.join(Arrival::new(identity).grant(|grant| grant.can_update_own_metadata = Some(true)))
}

/// How a request to change one's own state went; success comes after the update that shows it.
fn ask(script: &mut Script, guest: &Guest, update: MetadataUpdate) -> Reason {
    script.heard(guest);
    script.say(guest, Request::UpdateMetadata(update));
    let mut messages = script.heard(guest);
    if !messages.iter().any(|message| matches!(message, Response::RequestResponse { .. })) {
        script.pass(millis(250));
        messages.append(&mut script.heard(guest));
    }
    let answers = messages.iter().enumerate().filter_map(|(at, message)| match message {
        Response::RequestResponse { request_id: 9, reason, echo: Some(sent), .. }
            if *sent == echo("metadata") =>
        {
            Some((at, *reason))
        }
        _ => None,
    });
    let answers: Vec<_> = answers.collect();
    let [(at, reason)] = answers.as_slice() else { panic!("{answers:?}") };
    let own = |message: &Response| match message {
        Response::Update(infos) => infos.iter().any(|info| info.identity == guest.claims.identity),
        _ => false,
    };
    if *reason == Reason::Ok {
        assert!(messages[..*at].iter().any(own), "its own update comes first: {messages:?}");
    }
    *reason
}

#[test]
fn a_change_is_answered_and_shown_to_its_author_and_to_others() {
    let mut script = Script::new();
    let (ada, bob) = (free(&mut script, "ada"), script.guest("bob"));
    assert_eq!(ask(&mut script, &ada, update("Ada", "m", &[("a", "1"), ("b", "2")])), Reason::Ok);
    let check = |script: &Script, name: &str, metadata: &str, attributes: &[(&str, &str)]| {
        let attributes: BTreeMap<String, String> =
            attributes.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        for info in [script.view(&ada).own.as_ref().unwrap(), &script.view(&bob).others["ada"]] {
            assert_eq!((info.name.as_str(), info.metadata.as_str()), (name, metadata));
            assert_eq!(info.attributes, attributes);
        }
        let claims = &script.tokens.last().unwrap().1.claims;
        assert_eq!((claims.name.as_str(), claims.metadata.as_str()), (name, metadata));
        assert_eq!(claims.attributes, attributes);
    };
    check(&script, "Ada", "m", &[("a", "1"), ("b", "2")]);
    assert_eq!(ask(&mut script, &ada, update("", "", &[("a", ""), ("c", "3")])), Reason::Ok);
    script.pass(millis(1_000));
    check(&script, "Ada", "m", &[("b", "2"), ("c", "3")]);
}

#[test]
fn who_may_not_change_its_state_is_told_so() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    assert_eq!(ask(&mut script, &ada, update("Ada", "", &[])), Reason::NotAllowed);
    assert_eq!(script.view(&ada).own.as_ref().unwrap().name, "");
}

#[test]
fn names_metadata_and_attributes_have_limits() {
    let mut script = Script::new();
    let ada = free(&mut script, "ada");
    let long = |bytes: usize| "x".repeat(bytes);
    let mut check = |update, expected| assert_eq!(ask(&mut script, &ada, update), expected);
    check(update(&long(256), "", &[]), Reason::Ok);
    check(update(&long(257), "", &[]), Reason::LimitExceeded);
    check(update("", &long(512 * 1024), &[]), Reason::Ok);
    check(update("", &long(512 * 1024 + 1), &[]), Reason::LimitExceeded);
    check(update("", "", &[("k", &long(64 * 1024))]), Reason::LimitExceeded);
    check(update("", "", &[("k", &long(64 * 1024 - 1))]), Reason::Ok);
}

#[test]
fn attributes_cannot_grow_beyond_their_limit_step_by_step() {
    let mut script = Script::new();
    let ada = free(&mut script, "ada");
    let value = "x".repeat(40 * 1024);
    assert_eq!(ask(&mut script, &ada, update("", "", &[("a", &value)])), Reason::Ok);
    assert_eq!(ask(&mut script, &ada, update("", "", &[("b", &value)])), Reason::LimitExceeded);
    assert_eq!(ask(&mut script, &ada, update("", "", &[("a", ""), ("b", &value)])), Reason::Ok);
}

#[test]
fn a_burst_of_changes_costs_others_little() {
    let mut script = Script::new();
    let (ada, bob) = (free(&mut script, "ada"), script.guest("bob"));
    for count in 0..1_000 {
        ask(&mut script, &ada, update("", &count.to_string(), &[]));
        script.pass(millis(1));
    }
    script.pass(millis(1_000));
    assert_eq!(script.view(&bob).others["ada"].metadata, "999");
    let updates = script.heard(&bob).len();
    assert!(updates <= 52, "{updates} updates in a second");
    let tokens = script.tokens.iter().filter(|(connection, _)| *connection == ada.connection).count();
    assert!(tokens <= 4, "{tokens} tokens in two seconds");
}

#[test]
fn long_changes_are_answered_with_the_update_and_only_so_many_wait() {
    let mut script = Script::new();
    let ada = free(&mut script, "ada");
    assert_eq!(ask(&mut script, &ada, update("", &"x".repeat(100_000), &[])), Reason::Ok);
    let kinds = |messages: Vec<Response>| {
        let kinds = messages.into_iter().filter_map(|message| match message {
            Response::RequestResponse { reason: Reason::Ok, .. } => Some('a'),
            Response::Update(_) => Some('u'),
            _ => None,
        });
        kinds.collect::<String>()
    };
    for count in 0..10 {
        script.say(&ada, Request::UpdateMetadata(update("", "", &[("count", &count.to_string())])));
    }
    assert_eq!(kinds(script.heard(&ada)), "");
    script.pass(millis(250));
    assert_eq!(kinds(script.heard(&ada)), format!("u{}", "a".repeat(10)));
    for _ in 0..65 {
        script.say(&ada, Request::UpdateMetadata(update("", "", &[("count", "")])));
    }
    assert_eq!(kinds(script.heard(&ada)), "ua", "more do not wait");
    script.pass(millis(250));
    assert_eq!(kinds(script.heard(&ada)), "a".repeat(64));
}

#[test]
fn counts_are_told_every_5_s_and_metadata_at_once() {
    let mut script = Script::new();
    let watcher = script.guest("watcher");
    let told = |script: &mut Script| -> Vec<(u32, String)> {
        let rooms = script.heard(&watcher).into_iter().filter_map(|message| match message {
            Response::RoomUpdate(room) => Some((room.num_participants, room.metadata.clone())),
            _ => None,
        });
        rooms.collect()
    };
    script.pass(millis(10_000));
    for identity in ["a", "b", "c", "d"] {
        let guest = script.ask(Arrival::new(identity));
        script.event(Event::Connected { peer: guest.peer });
    }
    assert_eq!(told(&mut script), [(2, String::new())]);
    script.pass(millis(4_999));
    assert_eq!(told(&mut script), []);
    script.pass(millis(1));
    assert_eq!(told(&mut script), [(5, String::new())]);
    script.admin(Admin::UpdateRoomMetadata { metadata: "m".into() }).unwrap();
    assert_eq!(told(&mut script), [(5, "m".to_owned())]);
}

#[test]
fn a_recorder_marks_the_room_at_once() {
    let mut script = Script::new();
    let watcher = script.guest("watcher");
    let recorder = script.ask(Arrival::new("rec").grant(|grant| grant.recorder = true));
    let recording = |script: &mut Script| {
        script.heard(&watcher).into_iter().rev().find_map(|message| match message {
            Response::RoomUpdate(room) => Some((room.active_recording, room.num_participants)),
            _ => None,
        })
    };
    assert_eq!(recording(&mut script), Some((true, 1)));
    script.handle(Input::SignalClosed { connection: recorder.connection });
    assert_eq!(recording(&mut script), Some((false, 1)));
}
