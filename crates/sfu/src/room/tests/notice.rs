//! What is told for the log.

use trackyard_proto::signal::LeaveRequest;
use trackyard_proto::{DisconnectReason, Request};

use super::harness::{Arrival, Script, millis};
use crate::control::Event;
use crate::room::{News, Notice};

fn told(script: &mut Script) -> Vec<String> {
    std::mem::take(&mut script.notices).into_iter().map(line).collect()
}

fn line(Notice { identity, news, .. }: Notice) -> String {
    match news {
        News::Joined { client, .. } => format!("{identity} joined with {:?}", client.sdk),
        News::Resumed { .. } => format!("{identity} resumed"),
        News::Active { after } => format!("{identity} active after {after:?}"),
        News::Left { reason, after } => format!("{identity} left after {after:?}: {reason:?}"),
        News::Published(track) => format!("{identity} publishes {}", track.name),
        News::Unpublished(track) => format!("{identity} no longer publishes {}", track.name),
        News::Subscribed(track) => format!("{identity} subscribes to {}", track.name),
    }
}

#[test]
fn a_session_is_told_of_from_its_beginning_to_its_end() {
    let mut script = Script::new();
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
