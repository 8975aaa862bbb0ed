//! What happens to one peer happens to no other.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::bench::{Bench, Client, LATE_POISON, POISON, add_track, packet, subscribe};
use crate::control::{Command, Event, PeerId};
use crate::forward::Demux;

fn trio() -> (Bench, Client, Client, Client) {
    let mut bench = Bench::new(0);
    let [publisher, victim, bystander] = [1, 2, 3].map(|peer| bench.join(peer));
    bench.routes(vec![add_track(5, publisher, 9), subscribe(5, victim, 1), subscribe(5, bystander, 2)]);
    bench.events.clear();
    (bench, publisher, victim, bystander)
}

fn assert_lost(bench: &Bench, victim: Client) {
    let lost: Vec<PeerId> = bench
        .events
        .iter()
        .filter_map(|event| if let Event::Lost { peer } = event { Some(*peer) } else { None })
        .collect();
    assert_eq!(lost, [victim.peer], "{:?}", bench.events);
    assert_eq!(bench.worker.counters().peers_lost, 1);
    assert_eq!(bench.worker.peers(), 2);
}

#[test]
fn a_panic_on_a_datagram_costs_that_peer_alone() {
    let (mut bench, publisher, victim, bystander) = trio();
    assert_eq!(bench.datagram(victim.address, &[POISON, 0]), Demux::Mine);
    bench.publish(publisher, &packet(9, 0, b"x"));
    bench.run();
    assert_lost(&bench, victim);
    assert_eq!(bench.received(bystander), [packet(2, 0, b"x")]);
    assert!(matches!(bench.datagram(victim.address, b"\x16x"), Demux::Foreign(_)));
}

#[test]
fn a_panic_while_a_packet_is_sent_costs_that_subscriber_alone() {
    let (mut bench, publisher, victim, bystander) = trio();
    let _ = bench.datagram(victim.address, &[LATE_POISON, 0]);
    for number in 0..3 {
        bench.publish(publisher, &packet(9, number, b"x"));
        bench.run();
    }
    assert_lost(&bench, victim);
    assert_eq!(bench.received(bystander).len(), 3);
}

#[test]
fn commands_to_a_lost_peer_are_counted_and_change_nothing() {
    let (mut bench, _, victim, _) = trio();
    let _ = bench.datagram(victim.address, &[POISON, 0]);
    bench.run();
    bench.events.clear();
    bench.command(Command::Offer { peer: victim.peer, id: 2, sdp: "offer".to_owned() });
    bench.command(Command::Close { peer: victim.peer });
    assert!(bench.events.is_empty(), "{:?}", bench.events);
    assert_eq!(bench.worker.counters().stale_commands, 2);
}

#[test]
fn idle_peers_cost_nothing() {
    let mut bench = Bench::new(0);
    let clients: Vec<Client> = (1..=500).map(|peer| bench.join(peer)).collect();
    let polls = bench.gauges.polls.load(Ordering::Relaxed);
    let _ = bench.datagram(clients[250].address, b"\x15hello");
    bench.run();
    let more = bench.gauges.polls.load(Ordering::Relaxed) - polls;
    assert!(more <= 4, "{more} polls for one datagram");
}

#[test]
fn each_peer_is_called_at_its_deadline() {
    let mut bench = Bench::new(0);
    for peer in 1..=3 {
        bench.join(peer);
    }
    bench.advance(Duration::ZERO);
    let (deadline, before) = (bench.deadline.unwrap(), bench.gauges.timeouts.load(Ordering::Relaxed));
    assert!(deadline > bench.now);
    bench.advance(Duration::from_secs(10));
    assert!(bench.now >= deadline);
    assert_eq!(bench.gauges.timeouts.load(Ordering::Relaxed), before + 3);
    assert!(bench.deadline.is_some_and(|next| next > bench.now));
}

#[test]
fn a_peer_is_polled_after_at_most_20_datagrams() {
    let (mut bench, publisher, _, bystander) = trio();
    for number in 0..200 {
        bench.publish(publisher, &packet(9, number, b"x"));
    }
    bench.run();
    assert_eq!(bench.received(bystander).len(), 200);
    assert!(bench.gauges.unpolled_max.load(Ordering::Relaxed) <= 20);
}

#[test]
fn a_taken_id_is_refused_and_its_owner_unharmed() {
    let (mut bench, publisher, _, bystander) = trio();
    let open = crate::control::OpenPeer {
        peer: publisher.peer,
        room: super::bench::ROOM,
        mode: trackyard_peer::Mode::Single,
        data_tracks: true,
    };
    bench.command(Command::Open(open));
    assert_eq!(bench.worker.counters().peers_refused, 1);
    bench.publish(publisher, &packet(9, 0, b"x"));
    bench.run();
    assert_eq!(bench.received(bystander).len(), 1);
}
