//! When a connection counts as interrupted, failed and alive (protocol §4.7, §9.2).

use std::time::Duration;

use trackyard_peer::{ChannelKind, Connection, Mode, PeerEvent, Target};

use crate::world::{World, client_address};

fn is_failed(event: &PeerEvent) -> bool {
    matches!(event, PeerEvent::Failed(_))
}

fn is_interrupted(event: &PeerEvent) -> bool {
    matches!(event, PeerEvent::Interrupted)
}

fn is_restored(event: &PeerEvent) -> bool {
    matches!(event, PeerEvent::Restored)
}

fn is_connected(event: &PeerEvent) -> bool {
    matches!(event, PeerEvent::Connected)
}

/// The cable is out for so long.
fn outage(world: &mut World, duration: Duration) {
    world.link.is_cut = true;
    world.run_for(duration);
    world.link.is_cut = false;
}

#[test]
fn an_idle_participant_stays_connected() {
    for mut world in [World::single(), World::dual()] {
        world.run_for(Duration::from_secs(600));
        assert_eq!(world.count_said(is_interrupted) + world.count_said(is_failed), 0);
        let now = world.now;
        assert!(world.peer.write(ChannelKind::Reliable, b"still there?", now));
    }
}

#[test]
fn eight_seconds_without_a_path_are_nothing() {
    let mut world = World::single();
    outage(&mut world, Duration::from_secs(8));
    assert!(world.client_writes(Target::Publisher, ChannelKind::Reliable, b"back"));
    world.run_until(|world| world.arrived(ChannelKind::Reliable) == [&b"back"[..]]);
    assert_eq!(world.count_said(is_failed), 0);
}

#[test]
fn silence_interrupts_and_then_fails_the_connection_15_s_after_the_last_sign() {
    let mut world = World::single();
    world.link.is_cut = true;
    let start = world.now;
    world.run_until(|world| world.count_said(is_interrupted) == 1);
    let interrupted = world.now - start;
    world.run_until(|world| world.count_said(is_failed) == 1);
    let failed = world.now - start;
    assert!((9.0..=10.1).contains(&interrupted.as_secs_f64()), "{interrupted:?}");
    assert!((14.0..=15.1).contains(&failed.as_secs_f64()), "{failed:?}");
    world.run_for(Duration::from_secs(60));
    assert_eq!(world.count_said(is_failed), 1, "told once");
}

#[test]
fn a_restart_of_ice_brings_a_failed_connection_back_with_its_channels() {
    let mut world = World::single();
    outage(&mut world, Duration::from_secs(40));
    assert_eq!(world.count_said(is_failed), 1);
    world.exchange_publisher(true);
    world.run_until(|world| world.count_said(is_connected) == 2);
    assert_eq!(world.count_said(is_restored), 1);
    assert!(world.client_writes(Target::Publisher, ChannelKind::Reliable, b"back"));
    world.run_until(|world| world.arrived(ChannelKind::Reliable) == [&b"back"[..]]);
    let now = world.now;
    assert!(world.peer.write(ChannelKind::DataTrack, b"hello", now));
    world.run_until(|world| world.received(Target::Publisher, ChannelKind::DataTrack) == [&b"hello"[..]]);
    assert_eq!(world.count_said(|event| matches!(event, PeerEvent::ChannelOpen(..))), 3);
}

#[test]
fn either_connection_s_failure_is_told_and_so_is_its_end() {
    let mut world = World::dual();
    world.link.cut_for = Some(client_address(Target::Publisher));
    world.run_for(Duration::from_secs(30));
    assert_eq!(world.count_said(|event| matches!(event, PeerEvent::Failed(Target::Publisher))), 1);
    assert_eq!(world.count_said(is_failed), 1);
    assert_eq!(world.count_said(is_interrupted), 0, "the primary connection is well");
    world.link.cut_for = None;
    world.exchange_publisher(true);
    world.run_until(|world| world.count_said(is_connected) == 2);
    assert!(world.client_writes(Target::Publisher, ChannelKind::Lossy, b"back"));
    world.run_until(|world| world.arrived(ChannelKind::Lossy) == [&b"back"[..]]);
}

#[test]
fn a_client_that_never_comes_fails() {
    let mut world = World::new(Mode::Single);
    world.link.is_cut = true;
    world.exchange_publisher(false);
    world.run_for(Duration::from_secs(59));
    assert_eq!(world.count_said(is_failed), 0);
    world.run_for(Duration::from_secs(2));
    assert_eq!(world.count_said(is_failed), 1);
}

#[test]
fn a_connection_nobody_has_described_waits_without_end() {
    let mut world = World::new(Mode::Dual { subscriber_primary: true });
    world.peer.request_offer(false, world.now);
    world.run_until(World::is_open(Target::Subscriber));
    world.run_for(Duration::from_secs(300));
    assert_eq!(world.count_said(is_failed), 0, "clients offer when they first publish");
}

#[test]
fn channels_that_never_open_fail_the_connection_20_s_after_ice() {
    let mut world = World::new(Mode::Single);
    let now = world.now;
    let offer = world.publisher().create_offer(false, now).unwrap().unwrap();
    let answer = world.peer.accept_offer(1, &offer, now).unwrap();
    world.publisher().accept_answer(&answer, now).unwrap();
    world.run_until(|world| world.count_said(is_connected) == 1);
    let connected = world.now;
    assert_eq!(world.count_said(|event| matches!(event, PeerEvent::ChannelOpen(..))), 0);
    // From here on nothing but binding requests passes.
    world.only_stun = true;
    world.run_until(|world| world.count_said(is_failed) == 1);
    let took = (world.now - connected).as_secs_f64();
    assert!((20.0..20.1).contains(&took), "{took}");
}
