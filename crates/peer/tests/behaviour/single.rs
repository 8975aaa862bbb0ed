//! One connection for both directions (protocol §4.1, §4.3, §4.8).

use trackyard_peer::{ChannelKind, Mode, PeerEvent, Target};

use crate::world::World;

const KINDS: [ChannelKind; 3] = [ChannelKind::Reliable, ChannelKind::Lossy, ChannelKind::DataTrack];

#[track_caller]
fn check_both_ways(world: &mut World) {
    for kind in KINDS {
        assert!(world.client_writes(Target::Publisher, kind, b"up"));
        world.run_until(|world| world.arrived(kind) == [&b"up"[..]]);
        let now = world.now;
        assert!(world.peer.write(kind, b"down", now));
        world.run_until(|world| world.received(Target::Publisher, kind) == [&b"down"[..]]);
    }
}

#[test]
fn the_client_s_channels_carry_both_directions() {
    let mut world = World::single();
    assert_eq!(world.count_said(|event| matches!(event, PeerEvent::Connected)), 1);
    check_both_ways(&mut world);
}

#[test]
fn it_connects_in_spite_of_loss() {
    let mut world = World::new(Mode::Single);
    world.link.loss = 20;
    world.exchange_publisher(false);
    world.run_until(World::is_open(Target::Publisher));
    world.link.loss = 0;
    assert_eq!(world.count_said(|event| matches!(event, PeerEvent::Failed(_))), 0);
}

#[test]
fn a_restart_of_ice_by_the_client_keeps_the_channels() {
    let mut world = World::single();
    let before = world.peer.ufrag(Target::Publisher);
    world.exchange_publisher(true);
    assert_ne!(world.peer.ufrag(Target::Publisher), before, "a restart has new credentials");
    check_both_ways(&mut world);
    world.run_for(std::time::Duration::from_secs(40));
    check_both_ways(&mut world);
    assert_eq!(world.count_said(|event| matches!(event, PeerEvent::Connected)), 1);
    assert_eq!(world.count_said(|event| matches!(event, PeerEvent::Failed(_))), 0);
    assert_eq!(world.count_said(|event| matches!(event, PeerEvent::ChannelOpen(..))), 3);
}

#[test]
fn the_server_never_offers() {
    let mut world = World::single();
    world.peer.request_offer(true, world.now);
    world.settle();
    assert_eq!(world.count_said(|event| matches!(event, PeerEvent::Offer { .. })), 0);
    let error = world.peer.accept_answer(1, "v=0\r\n", world.now).unwrap_err();
    assert!(error.to_string().contains("never offers"));
}

#[test]
fn a_goodbye_ends_the_connection_at_once() {
    let mut world = World::single();
    let now = world.now;
    trackyard_peer::Connection::close(world.publisher(), now);
    world.run_until(|world| {
        world.count_said(|event| matches!(event, PeerEvent::Failed(Target::Publisher))) == 1
    });
    assert!((world.now - now).as_millis() < 100);
    assert!(!world.peer.write(ChannelKind::Reliable, b"too late", world.now));
}

#[test]
fn our_goodbye_reaches_the_client_and_nothing_is_said_about_it() {
    let mut world = World::single();
    world.said.clear();
    world.peer.close(world.now);
    assert!(!world.peer.write(ChannelKind::Reliable, b"too late", world.now));
    world.run_until(|world| {
        world.seen.iter().any(|(_, event)| matches!(event, trackyard_peer::ConnectionEvent::Closed))
    });
    world.run_for(std::time::Duration::from_secs(120));
    assert_eq!(world.said.len(), 0, "{:?}", world.said);
}
