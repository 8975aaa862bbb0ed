//! Senders are asked to pause while anyone they speak to by name lags behind.

use trackyard_proto::Response;
use trackyard_proto::signal::LeaveAction;

use super::harness::{Guest, Script, millis};
use crate::control::Event;

fn pauses(script: &mut Script, guest: &Guest) -> Vec<bool> {
    let said = script.heard(guest).into_iter();
    said.filter_map(
        |response| if let Response::PauseStreams(pauses) = response { Some(pauses) } else { None },
    )
    .collect()
}

fn flow(script: &mut Script, (sender, receiver): (&Guest, &Guest), pauses: bool) {
    script.event(Event::Flow { receiver: receiver.peer, sender: sender.peer, pauses });
}

#[test]
fn a_sender_pauses_from_the_first_who_lags_to_the_last() {
    let mut script = Script::new();
    let [ada, bob, cid] = ["ada", "bob", "cid"].map(|identity| script.guest(identity));
    for (receiver, lags) in [(&bob, true), (&cid, true), (&bob, false), (&bob, false)] {
        flow(&mut script, (&ada, receiver), lags);
    }
    assert_eq!(pauses(&mut script, &ada), [true]);
    script.pass(millis(11_000));
    assert_eq!(pauses(&mut script, &ada), [true, true], "a pause lapses unless it is asked for again");
    flow(&mut script, (&ada, &cid), false);
    script.pass(millis(11_000));
    assert_eq!(pauses(&mut script, &ada), [false]);
    assert!(pauses(&mut script, &bob).is_empty(), "receivers are told nothing");
}

#[test]
fn who_has_gone_holds_nobody_up() {
    let mut script = Script::new();
    let [ada, bob, cid] = ["ada", "bob", "cid"].map(|identity| script.guest(identity));
    flow(&mut script, (&ada, &bob), true);
    flow(&mut script, (&cid, &bob), true);
    script.event(Event::Behind { peer: bob.peer });
    assert_eq!(pauses(&mut script, &ada), [true, false]);
    assert_eq!(pauses(&mut script, &cid), [true, false]);
    let told = script.heard(&bob);
    let told = told.iter().find(|response| matches!(response, Response::Leave { .. }));
    assert!(matches!(told, Some(Response::Leave { action: LeaveAction::Reconnect, .. })), "{told:?}");
    // What was under way when it left comes too late.
    flow(&mut script, (&ada, &bob), true);
    assert!(pauses(&mut script, &ada).is_empty());
}

#[test]
fn who_comes_back_is_asked_again() {
    let mut script = Script::new();
    let [ada, bob] = ["ada", "bob"].map(|identity| script.guest(identity));
    flow(&mut script, (&ada, &bob), true);
    let sid = script.sid(&ada);
    let ada = script.resume(&ada, &sid);
    assert_eq!(pauses(&mut script, &ada), [true]);
}
