//! Two connections, the server offers the second (protocol §4.1, §4.4, §4.6, §4.8).

use std::time::Duration;

use trackyard_peer::{ChannelKind, Connection, Mode, PeerEvent, PeerOutput, Target};

use crate::splice::{attribute, sections};
use crate::world::World;

const KINDS: [ChannelKind; 3] = [ChannelKind::Reliable, ChannelKind::Lossy, ChannelKind::DataTrack];

fn offers(world: &World) -> Vec<(u32, String)> {
    let offers = world.said.iter().filter_map(|event| match event {
        PeerEvent::Offer { id, sdp } => Some((*id, sdp.clone())),
        _ => None,
    });
    offers.collect()
}

#[track_caller]
fn check_down(world: &mut World, target: Target) {
    for kind in KINDS {
        let now = world.now;
        assert!(world.peer.write(kind, b"down", now));
        world.run_until(|world| world.received(target, kind) == [&b"down"[..]]);
    }
}

#[test]
fn what_a_participant_receives_comes_on_the_subscriber_connection() {
    let mut world = World::dual();
    assert_eq!(world.count_said(|event| matches!(event, PeerEvent::Connected)), 1);
    check_down(&mut world, Target::Subscriber);
    for kind in KINDS {
        assert!(world.client_writes(Target::Publisher, kind, b"up"));
        world.run_until(|world| world.arrived(kind) == [&b"up"[..]]);
    }
}

#[test]
fn the_first_offer_has_a_section_for_channels_and_our_candidates() {
    let world = World::dual();
    let (_, sdp) = offers(&world).remove(0);
    let (session, parts) = sections(&sdp);
    assert_eq!(parts.len(), 1);
    assert!(parts[0].starts_with("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
    assert!(session.contains("a=ice-lite\r\n"));
    assert_eq!(attribute(&parts[0], "setup"), Some("actpass"));
    assert_eq!(attribute(&parts[0], "sctp-port"), Some("5000"));
    assert_eq!(attribute(&parts[0], "max-message-size"), Some("65535"));
    assert!(attribute(&parts[0], "candidate").unwrap().contains(" 192.0.2.1 7882 typ host"));
}

#[test]
fn without_subscriber_primary_the_publisher_connection_carries_both_directions() {
    let mut world = World::new(Mode::Dual { subscriber_primary: false });
    world.exchange_publisher(false);
    world.run_until(World::is_open(Target::Publisher));
    assert_eq!(world.count_said(|event| matches!(event, PeerEvent::Connected)), 1);
    check_down(&mut world, Target::Publisher);
}

#[test]
fn the_secondary_connection_does_not_make_a_participant_active() {
    let mut world = World::new(Mode::Dual { subscriber_primary: true });
    world.exchange_publisher(false);
    world.run_until(World::is_open(Target::Publisher));
    assert_eq!(world.count_said(|event| matches!(event, PeerEvent::Connected)), 0);
}

#[test]
fn a_restart_of_ice_by_the_server_keeps_the_channels() {
    let mut world = World::dual();
    let before = world.peer.ufrag(Target::Subscriber);
    world.peer.request_offer(true, world.now);
    let after = world.peer.ufrag(Target::Subscriber);
    assert_ne!(after, before, "the offer's user name is known before it is answered");
    world.settle();
    let (_, sdp) = offers(&world).pop().unwrap();
    assert_eq!(attribute(&sdp, "ice-ufrag").map(str::to_owned), after);
    let told = world.said.iter().position(
        |event| matches!(event, PeerEvent::Credentials { ufrag, .. } if Some(ufrag) == after.as_ref()),
    );
    let offered = world.said.iter().rposition(|event| matches!(event, PeerEvent::Offer { .. }));
    assert!(told.unwrap() < offered.unwrap());

    check_down(&mut world, Target::Subscriber);
    world.run_for(Duration::from_secs(40));
    check_down(&mut world, Target::Subscriber);
    assert_eq!(world.peer.ufrag(Target::Subscriber), after);
    assert_eq!(world.count_said(|event| matches!(event, PeerEvent::Failed(_))), 0);
    assert_eq!(world.count_said(|event| matches!(event, PeerEvent::ChannelOpen(..))), 6);
}

/// A peer whose first offer is on its way, and its id.
fn offered() -> (World, u32, String) {
    let mut world = World::new(Mode::Dual { subscriber_primary: true });
    world.peer.request_offer(false, world.now);
    loop {
        match world.peer.poll_output() {
            PeerOutput::Event(PeerEvent::Offer { id, sdp }) => return (world, id, sdp),
            PeerOutput::Timeout(_) => panic!("no offer"),
            _ => {}
        }
    }
}

#[test]
fn while_an_offer_is_unanswered_the_next_one_waits() {
    let (mut world, id, _) = offered();
    assert_ne!(id, 0, "an id of 0 would fit any answer");
    world.peer.request_offer(false, world.now);
    world.settle();
    assert_eq!(offers(&world).len(), 0);
}

#[test]
fn a_restart_sends_an_unanswered_offer_again_and_then_one_that_restarts() {
    let (mut world, id, sdp) = offered();
    world.peer.request_offer(true, world.now);
    world.peer.request_offer(false, world.now);
    world.settle();
    let later = offers(&world);
    assert_eq!(later[0], (id, sdp.clone()), "the client may have missed it");
    assert_eq!(later.len(), 2, "both wishes are met by one offer more");
    assert_ne!(later[1].0, id);
    assert_ne!(attribute(&later[1].1, "ice-ufrag"), attribute(&sdp, "ice-ufrag"), "it restarts");
}

#[test]
fn a_client_that_missed_a_restart_of_ice_is_offered_it_again() {
    let mut world = World::dual();
    world.peer.request_offer(true, world.now);
    let lost = std::iter::from_fn(|| match world.peer.poll_output() {
        PeerOutput::Timeout(_) => None,
        output => Some(output),
    });
    let lost: Vec<_> =
        lost.filter(|output| matches!(output, PeerOutput::Event(PeerEvent::Offer { .. }))).collect();
    assert_eq!(lost.len(), 1);

    let before = offers(&world).len();
    world.peer.request_offer(true, world.now);
    world.settle();
    assert_eq!(offers(&world).len(), before + 1);
    check_down(&mut world, Target::Subscriber);
    world.run_for(Duration::from_secs(40));
    check_down(&mut world, Target::Subscriber);
}

#[test]
fn an_answer_with_id_0_fits_any_offer() {
    let (mut world, _, sdp) = offered();
    world.answer(0, &sdp);
    world.run_until(World::is_open(Target::Subscriber));
}

#[test]
fn an_answer_to_another_offer_is_passed_over() {
    let (mut world, id, sdp) = offered();
    world.peer.accept_answer(id + 1, "of no interest", world.now).unwrap();
    world.answer(id, &sdp);
    world.run_until(World::is_open(Target::Subscriber));
    world.peer.accept_answer(id, "a second answer", world.now).unwrap();
    check_down(&mut world, Target::Subscriber);
}

#[test]
fn an_answer_that_is_no_description_leaves_the_offer_open() {
    let (mut world, id, sdp) = offered();
    for garbage in ["", "v=0\r\n", "v=0\r\nm=audio\r\n"] {
        assert!(world.peer.accept_answer(id, garbage, world.now).is_err());
    }
    world.answer(id, &sdp);
    world.run_until(World::is_open(Target::Subscriber));
}

#[test]
fn a_goodbye_is_said_on_both_connections() {
    let mut world = World::dual();
    world.peer.close(world.now);
    world.run_for(Duration::from_secs(1));
    for target in crate::world::TARGETS {
        assert!(world.seen.iter().any(|(from, event)| {
            *from == target && matches!(event, trackyard_peer::ConnectionEvent::Closed)
        }));
        let now = world.now;
        let connection = world.client[target as usize].as_mut().unwrap();
        assert!(connection.create_offer(false, now).is_err(), "it has ended");
    }
}
