//! Descriptions and candidates on their way through a room.

use trackyard_peer::Target;
use trackyard_proto::signal::{LeaveAction, Reason, SessionDescription, SignalTarget, Trickle};
use trackyard_proto::{DisconnectReason, ParticipantState, Request, Response};

use super::harness::{Arrival, Guest, Script, echo, millis};
use crate::control::{Command, Event};
use crate::room::Input;

fn description(id: u32) -> SessionDescription {
    SessionDescription { id, sdp: "v=0".into(), ..SessionDescription::default() }
}

fn trickle(init: &str, target: SignalTarget) -> Request {
    Request::Trickle(Trickle { candidate_init: init.into(), target, last: false })
}

fn mismatched(script: &mut Script, guest: &Guest) -> bool {
    let leave = Response::Leave { reason: DisconnectReason::StateMismatch, action: LeaveAction::Reconnect };
    script.heard(guest).last() == Some(&leave)
}

#[test]
fn a_clients_offer_goes_to_its_worker_and_the_answer_back_with_its_id() {
    let mut script = Script::new();
    let ada = script.ask(Arrival::new("ada"));
    script.say(&ada, Request::Offer(description(7)));
    assert!(matches!(script.commands.last(), Some(Command::Offer { peer, id: 7, .. }) if *peer == ada.peer));
    script.event(Event::Answer { peer: ada.peer, id: 7, sdp: "answer".into() });
    let answered = |message: &Response| matches!(message, Response::Answer(answer) if answer.id == 7);
    assert!(script.view(&ada).messages.iter().any(answered));
}

#[test]
fn an_unanswered_offer_ends_the_session_after_15_s() {
    let mut script = Script::new();
    let ada = script.ask(Arrival::new("ada").dual());
    script.event(Event::Offer { peer: ada.peer, id: 3, sdp: "v=0".into() });
    assert!(matches!(script.heard(&ada).last(), Some(Response::Offer(offer)) if offer.id == 3));
    script.pass(millis(14_999));
    assert!(!script.view(&ada).closed);
    script.pass(millis(1));
    assert!(mismatched(&mut script, &ada) && script.view(&ada).closed);
    assert_eq!(script.room.counters().negotiation_timeouts, 1);
}

#[test]
fn an_answered_offer_ends_nothing() {
    let mut script = Script::new();
    let ada = script.ask(Arrival::new("ada").dual());
    script.event(Event::Offer { peer: ada.peer, id: 3, sdp: "v=0".into() });
    script.say(&ada, Request::Answer(description(0)));
    assert!(matches!(script.commands.last(), Some(Command::Answer { id: 0, .. })));
    assert_eq!(script.view(&ada).own.as_ref().unwrap().state, ParticipantState::Joined);
    script.pass(millis(30_000));
    assert!(!script.view(&ada).closed);
}

#[test]
fn an_offer_cannot_time_out_while_its_client_is_away() {
    let mut script = Script::new();
    let ada = script.join(Arrival::new("ada").dual());
    script.event(Event::Offer { peer: ada.peer, id: 3, sdp: "v=0".into() });
    script.handle(Input::SignalClosed { connection: ada.connection });
    script.event(Event::Offer { peer: ada.peer, id: 4, sdp: "v=0".into() });
    script.pass(millis(60_000));
    assert!(script.workers[&ada.worker].peers.contains(&ada.peer));
}

#[test]
fn an_answer_without_a_connection_it_could_be_for_is_ignored() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let before = script.commands.len();
    script.say(&ada, Request::Answer(description(0)));
    assert_eq!((script.commands.len(), script.room.counters().requests_ignored), (before, 1));
}

#[test]
fn a_description_that_cannot_be_used_ends_its_session_alone() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    script.event(Event::BadDescription { peer: ada.peer, error: "no".into() });
    assert!(mismatched(&mut script, &ada));
    script.pass(millis(60_000));
    assert!(!script.view(&bob).closed);
}

#[test]
fn candidates_reach_the_connection_they_are_for() {
    let mut script = Script::new();
    let ada = script.ask(Arrival::new("ada").dual());
    let text = "candidate:1 1 udp 1 1.2.3.4 5 typ host";
    for (wire, expected) in
        [(SignalTarget::Publisher, Target::Publisher), (SignalTarget::Subscriber, Target::Subscriber)]
    {
        let init = format!(r#"{{"candidate":"{text}","sdpMid":"0","sdpMLineIndex":0}}"#);
        script.say(&ada, trickle(&init, wire));
        let Some(Command::Candidate { target, candidate, .. }) = script.commands.last() else {
            panic!("{:?}", script.commands);
        };
        assert_eq!((*target, candidate.as_str()), (expected, text));
    }
}

#[test]
fn candidates_that_say_nothing_are_passed_over() {
    let mut script = Script::new();
    let ada = script.ask(Arrival::new("ada"));
    let before = script.commands.len();
    script.say(&ada, trickle(r#"{"candidate":""}"#, SignalTarget::Publisher));
    let name = "candidate:1 1 udp 1 2f1a.local 5 typ host";
    script.say(&ada, trickle(&format!(r#"{{"candidate":"{name}"}}"#), SignalTarget::Publisher));
    assert_eq!(script.commands.len(), before);
}

#[test]
fn a_candidate_that_cannot_be_read_is_answered_with_its_echo() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    script.say(&ada, trickle("{", SignalTarget::Publisher));
    let heard = script.heard(&ada);
    let [Response::RequestResponse { reason: Reason::UnclassifiedError, echo: sent, .. }] = &heard[..] else {
        panic!("{heard:?}");
    };
    assert_eq!(*sent, Some(echo("{")));
}

#[test]
fn pings_are_answered_with_the_servers_milliseconds() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let now = i64::try_from(script.now.unix_ms).unwrap();
    script.say(&ada, Request::Ping(1));
    script.say(&ada, Request::PingReq { timestamp: 42, rtt: 3 });
    let expected = [Response::Pong(now), Response::PongResp { last_ping_timestamp: 42, timestamp: now }];
    assert_eq!(script.heard(&ada), expected);
}

#[test]
fn media_tracks_are_refused() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    let mut check = |request, id, expected| {
        script.say(&ada, request);
        let heard = script.heard(&ada);
        let [Response::RequestResponse { request_id, reason, .. }] = &heard[..] else { panic!("{heard:?}") };
        assert_eq!((*request_id, *reason), (id, expected));
    };
    check(Request::AddTrack { cid: "c".into(), echo: echo("c") }, 0, Reason::UnsupportedType);
}
