//! What browsers offer is answered as they need it (protocol §4.2, §4.3).

use trackyard_peer::{ChannelKind, Connection, Mode, Target};

use crate::splice::{MEDIA_SECTIONS, attribute, browser_offer, channels_only, sections, with_more_sections};
use crate::world::World;

/// A client that has offered like a browser, its offer and the answer.
fn answered() -> (World, String, String) {
    let mut world = World::new(Mode::Single);
    let now = world.now;
    let own = world.publisher().create_offer(false, now).unwrap().unwrap();
    let offer = browser_offer(&own);
    let answer = world.peer.accept_offer(1, &offer, now).unwrap();
    (world, offer, answer)
}

#[track_caller]
fn check_answer(offer: &str, answer: &str) {
    let (session, parts) = sections(answer);
    let (offered_session, offered) = sections(offer);
    assert_eq!(attribute(&session, "group"), attribute(&offered_session, "group"), "everything is bundled");
    assert!(session.lines().any(|line| line == "a=ice-lite"));
    assert_eq!(parts.len(), offered.len());
    for (part, offered) in parts.iter().zip(&offered) {
        let kind = offered.split(' ').next();
        assert_eq!(part.split(' ').next(), kind);
        assert_ne!(part.split(' ').nth(1), Some("0"), "no section is refused: {part}");
        assert_eq!(attribute(part, "mid"), attribute(offered, "mid"));
        assert_eq!(attribute(part, "setup"), Some("passive"));
        let lines: Vec<&str> = part.lines().collect();
        if kind == Some("m=application") {
            assert_eq!(lines[0], "m=application 9 UDP/DTLS/SCTP webrtc-datachannel");
            assert_eq!(attribute(part, "sctp-port"), Some("5000"));
            assert_eq!(attribute(part, "max-message-size"), Some("65535"));
        } else {
            assert!(lines.contains(&"a=inactive") && lines.contains(&"a=rtcp-mux"), "{part}");
            assert_eq!(attribute(part, "ssrc"), None, "nothing is promised");
            let payload_types = lines[0].split(' ').skip(3);
            let known: Vec<&str> = offered.lines().next().unwrap().split(' ').skip(3).collect();
            for payload_type in payload_types {
                assert!(known.contains(&payload_type), "{payload_type} was not offered");
                assert!(lines.iter().any(|line| line.starts_with(&format!("a=rtpmap:{payload_type} "))));
            }
        }
    }
}

#[test]
fn sections_without_a_track_are_answered_inactive_and_none_is_refused() {
    let (_, offer, answer) = answered();
    check_answer(&offer, &answer);
}

#[test]
fn a_client_connects_with_an_offer_as_browsers_make_it() {
    let (mut world, _, answer) = answered();
    let now = world.now;
    world.publisher().accept_answer(&channels_only(&answer), now).unwrap();
    world.run_until(World::is_open(Target::Publisher));
}

#[test]
fn the_same_offer_again_is_answered_the_same() {
    let (mut world, offer, answer) = answered();
    let again = world.peer.accept_offer(2, &offer, world.now).unwrap();
    assert_eq!(sections(&again).1, sections(&answer).1);
}

#[test]
fn more_sections_leave_the_channels_undisturbed() {
    let (mut world, offer, answer) = answered();
    let now = world.now;
    world.publisher().accept_answer(&channels_only(&answer), now).unwrap();
    world.run_until(World::is_open(Target::Publisher));

    let longer = with_more_sections(&offer, 2);
    let answer = world.peer.accept_offer(2, &longer, world.now).unwrap();
    assert_eq!(sections(&answer).1.len(), MEDIA_SECTIONS + 3);
    check_answer(&longer, &answer);

    assert!(world.client_writes(Target::Publisher, ChannelKind::Reliable, b"still here"));
    world.run_until(|world| world.arrived(ChannelKind::Reliable) == [&b"still here"[..]]);
}

#[test]
fn media_a_client_wants_to_send_is_answered_validly() {
    let (mut world, offer, _) = answered();
    let sending = offer.replacen("a=recvonly", "a=sendonly", 1).replacen("a=recvonly", "a=sendrecv", 1);
    let answer = world.peer.accept_offer(2, &sending, world.now).unwrap();
    let (_, parts) = sections(&answer);
    assert!(parts[0].contains("\r\na=recvonly\r\n"), "{}", parts[0]);
    assert_eq!(parts.len(), MEDIA_SECTIONS + 1);
}

#[test]
fn the_credentials_of_an_answer_are_told_before_it() {
    let (mut world, _, answer) = answered();
    let ufrag = attribute(&answer, "ice-ufrag").unwrap();
    assert_eq!(world.peer.ufrag(Target::Publisher).as_deref(), Some(ufrag));
    world.settle();
    let told = |event: &trackyard_peer::PeerEvent| matches!(event, trackyard_peer::PeerEvent::Credentials { target: Target::Publisher, ufrag: told } if told == ufrag);
    assert_eq!(world.count_said(told), 1);
}
