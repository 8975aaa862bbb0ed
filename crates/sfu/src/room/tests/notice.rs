//! What is told for the log.

use std::sync::Arc;

use trackyard_proto::signal::{LeaveAction, LeaveRequest};
use trackyard_proto::{DisconnectReason, ParticipantState, Request};

use super::harness::{Arrival, Script, millis};
use crate::control::Event;
use crate::room::{Input, News, Notice, SessionNotice, Subject};

fn told(script: &mut Script) -> Vec<String> {
    std::mem::take(&mut script.notices).into_iter().map(line).collect()
}

fn line(Notice { subject, .. }: Notice) -> String {
    let SessionNotice { identity, news, .. } = match subject {
        Subject::RoomStarted => return "room started".to_owned(),
        Subject::RoomFinished(reason) => return format!("room finished: {reason:?}"),
        Subject::Session(session) => session,
    };
    match news {
        News::Joined { client, .. } => format!("{identity} joined with {:?}", client.sdk),
        News::Resumed { .. } => format!("{identity} resumed"),
        News::Active { after, .. } => format!("{identity} active after {after:?}"),
        News::Left { reason, after, .. } => format!("{identity} left after {after:?}: {reason:?}"),
        News::Published(track) => format!("{identity} publishes {}", track.name),
        News::Unpublished(track) => format!("{identity} no longer publishes {}", track.name),
        News::Subscribed(track) => format!("{identity} subscribes to {}", track.name),
    }
}

#[test]
fn a_session_is_told_of_from_its_beginning_to_its_end() {
    let mut script = Script::new();
    script.notices.clear();
    let ada = script.ask(Arrival::new("ada").sdk("rust"));
    script.pass(millis(250));
    script.event(Event::Connected { peer: ada.peer });
    script.event(Event::Connected { peer: ada.peer });
    assert_eq!(told(&mut script), [r#"ada joined with "rust""#, "ada active after 250ms"]);
    let sid = script.sid(&ada);
    let ada = script.resume(&ada, &sid);
    assert_eq!(told(&mut script), ["ada resumed"]);
    script.pass(millis(750));
    script.say(&ada, Request::Leave(LeaveRequest { reason: DisconnectReason::ClientInitiated }));
    assert_eq!(told(&mut script), ["ada left after 1s: ClientInitiated"]);
}

#[test]
fn tracks_are_told_of_from_their_publication_to_their_end() {
    let mut script = Script::new();
    let (ada, bob) = (script.guest("ada"), script.guest("bob"));
    script.notices.clear();
    let info = script.publish(&ada, 1, "pose").unwrap();
    script.subscribe(&bob, &info.sid);
    assert_eq!(told(&mut script), ["ada publishes pose", "bob subscribes to pose"]);
    script.say(&ada, Request::Leave(LeaveRequest { reason: DisconnectReason::ClientInitiated }));
    assert_eq!(
        told(&mut script),
        ["ada no longer publishes pose", "ada left after 12s: ClientInitiated"],
        "who leaves takes its tracks along"
    );
}

#[test]
fn who_is_replaced_has_left_before_the_newer_session_begins() {
    let mut script = Script::new();
    script.ask(Arrival::new("ada"));
    script.notices.clear();
    script.ask(Arrival::new("ada"));
    assert_eq!(told(&mut script), ["ada left after 0ns: DuplicateIdentity", r#"ada joined with """#]);
}

#[test]
fn a_room_is_told_of_before_anyone_in_it_and_after_everyone() {
    let mut script = Script::new();
    let _ada = script.ask(Arrival::new("ada"));
    assert_eq!(told(&mut script), ["room started", r#"ada joined with """#]);
    script.handle(Input::Shutdown { action: LeaveAction::Disconnect });
    assert_eq!(told(&mut script), ["ada left after 0ns: ServerShutdown", "room finished: ServerShutdown"]);
}

#[test]
fn each_notice_shows_the_room_and_the_participant_as_they_are_then() {
    let mut script = Script::new();
    let ada = script.guest("ada");
    script.publish(&ada, 1, "pose").unwrap();
    let bob = script.guest("bob");
    script.say(&ada, Request::Leave(LeaveRequest { reason: DisconnectReason::ClientInitiated }));
    script.say(&bob, Request::Leave(LeaveRequest { reason: DisconnectReason::ClientInitiated }));
    let notices = std::mem::take(&mut script.notices);
    let counts = notices.iter().filter_map(|notice| match &notice.subject {
        Subject::Session(SessionNotice { identity, news: News::Active { info, .. }, .. }) => {
            Some((identity.as_str(), info.state, notice.room.num_participants))
        }
        Subject::Session(SessionNotice { identity, news: News::Left { info, .. }, .. }) => {
            assert_eq!(info.disconnect_reason, DisconnectReason::ClientInitiated);
            Some((identity.as_str(), info.state, notice.room.num_participants))
        }
        _ => None,
    });
    use ParticipantState::{Active, Disconnected};
    let expected =
        [("ada", Active, 1), ("bob", Active, 2), ("ada", Disconnected, 1), ("bob", Disconnected, 0)];
    assert_eq!(counts.collect::<Vec<_>>(), expected);
}

#[test]
fn what_was_published_before_a_connection_is_part_of_its_participant_then() {
    let mut script = Script::new();
    let ada = script.ask(Arrival::new("ada"));
    let info = script.publish(&ada, 1, "pose").unwrap();
    script.event(Event::Connected { peer: ada.peer });
    let sessions = script.notices.drain(..).filter_map(|notice| match notice.subject {
        Subject::Session(session) => Some(session),
        Subject::RoomStarted | Subject::RoomFinished(_) => None,
    });
    let mut is_told = [false, false];
    for session in sessions {
        match session.news {
            News::Published(_) => is_told[0] = !session.has_been_active,
            News::Active { info: ada, .. } => is_told[1] = ada.data_tracks == [Arc::clone(&info)],
            _ => {}
        }
    }
    assert_eq!(is_told, [true, true]);
}
