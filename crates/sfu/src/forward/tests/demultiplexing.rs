//! Whose a datagram is.

use trackyard_peer::{Datagram, Mode, Str0mFactory, Transport};

use super::bench::{Bench, GOODBYE, add_track, address, packet, subscribe};
use crate::control::{Command, Event, OpenPeer, PeerId, RoomKey, WorkerId};
use crate::forward::stun::tests::{message, request};
use crate::forward::{Demux, DemuxKey, Endpoint, Foreign, Garbage, Worker, WorkerConfig, WorkerOutput};

#[test]
fn a_fragment_is_claimed_before_the_client_learns_of_it() {
    let mut bench = Bench::new(0);
    bench.open(1);
    assert!(bench.claims.contains(&DemuxKey::Ufrag("u1".into())));
    let Some(Event::Answer { id: 1, sdp, .. }) = bench.events.last() else { panic!("{:?}", bench.events) };
    assert_eq!(sdp, "answer u1");
}

#[test]
fn strangers_are_left_to_others() {
    let mut bench = Bench::new(0);
    bench.join(1);
    let stranger = address(9);
    assert_eq!(bench.datagram(stranger, &request("nobody")), Demux::Foreign(Foreign::Ufrag("nobody")));
    let endpoint = Endpoint { transport: Transport::Udp, address: stranger };
    assert_eq!(bench.datagram(stranger, b"\x16dtls"), Demux::Foreign(Foreign::Address(endpoint)));
    assert_eq!(
        bench.datagram(stranger, &message([1, 1], 6, b"a:b")),
        Demux::Foreign(Foreign::Address(endpoint))
    );
    assert_eq!(bench.worker.counters().datagrams_foreign, 3);
}

#[test]
fn garbage_is_counted_by_reason_and_reaches_nobody() {
    let mut bench = Bench::new(0);
    let client = bench.join(1);
    let mut broken = request("u1");
    broken.pop();
    for (bytes, reason) in [
        (&b""[..], Garbage::Empty),
        (b"\xffgarbage", Garbage::UnknownProtocol),
        (b"\x00\x01", Garbage::MalformedStun),
        (&broken, Garbage::MalformedStun),
        (&message([0, 1], 6, b"no colon"), Garbage::NoUsername),
    ] {
        assert_eq!(bench.datagram(client.address, bytes), Demux::Garbage(reason));
    }
    let counters = *bench.worker.counters();
    assert_eq!((counters.garbage_empty, counters.garbage_unknown_protocol), (1, 1));
    assert_eq!((counters.garbage_malformed_stun, counters.garbage_no_username), (2, 1));
    let garbage = counters.garbage_empty
        + counters.garbage_unknown_protocol
        + counters.garbage_malformed_stun
        + counters.garbage_no_username;
    assert_eq!(counters.datagrams_in, counters.datagrams_mine + counters.datagrams_foreign + garbage);
}

#[test]
fn a_datagram_its_connection_cannot_use_is_counted_once() {
    let now = Bench::new(0).now;
    let factory = Str0mFactory::for_server(vec![(Transport::Udp, address(1))], 1_200);
    let mut worker = Worker::new(WorkerId(0), factory, WorkerConfig::default());
    let (peer, room, mode) = (PeerId(1), RoomKey(1), Mode::Single);
    worker.handle_command(Command::Open(OpenPeer { peer, room, mode, data_tracks: true }), now);
    let WorkerOutput::Claim(DemuxKey::Ufrag(ufrag)) = worker.poll_output() else { panic!("no claim") };
    let mut broken = request(&ufrag);
    broken.extend([0, 1, 0xff, 0xff]);
    let length = u16::try_from(broken.len() - 20).unwrap();
    broken[2..4].copy_from_slice(&length.to_be_bytes());
    let contents = &broken[..];
    for _ in 0..2 {
        let (source, destination) = (address(2), address(1));
        let datagram = Datagram { transport: Transport::Udp, source, destination, contents };
        assert_eq!(worker.handle_datagram(datagram, now), Demux::Mine);
        while !matches!(worker.poll_output(), WorkerOutput::Timeout(_)) {}
    }
    assert_eq!(worker.counters().datagrams_unusable, 2);
    worker.handle_command(Command::Close { peer }, now);
    assert_eq!(worker.counters().datagrams_unusable, 2);
}

#[test]
fn a_client_that_moves_is_found_by_its_next_binding_request() {
    let mut bench = Bench::new(0);
    let [publisher, subscriber] = [1, 2].map(|peer| bench.join(peer));
    bench.routes(vec![add_track(5, publisher, 9), subscribe(5, subscriber, 8)]);
    let mut moved = publisher;
    moved.address = address(7_777);
    assert!(matches!(bench.datagram(moved.address, b"\x14early"), Demux::Foreign(_)));
    assert_eq!(bench.datagram(moved.address, &request("u1")), Demux::Mine);
    bench.publish(moved, &packet(9, 0, b"x"));
    bench.run();
    assert_eq!(bench.received(subscriber).len(), 1);
    assert!(
        bench
            .claims
            .contains(&DemuxKey::Address(Endpoint { transport: Transport::Udp, address: moved.address }))
    );
}

#[test]
fn forged_binding_requests_take_no_address_from_a_client() {
    let mut bench = Bench::new(0);
    let client = bench.join(1);
    let forged = message([0, 1], 6, b"u1:as-forged");
    for port in 100..200 {
        assert_eq!(bench.datagram(address(port), &forged), Demux::Mine, "the connection decides");
        let there = Endpoint { transport: Transport::Udp, address: address(port) };
        assert!(!bench.worker.knows(&there), "an address that was not answered");
    }
    let endpoint = Endpoint { transport: Transport::Udp, address: client.address };
    assert!(bench.worker.knows(&endpoint));
}

#[test]
fn after_an_ice_restart_new_and_old_fragments_serve() {
    let mut bench = Bench::new(0);
    let client = bench.join(1);
    bench.command(Command::Offer { peer: client.peer, id: 2, sdp: "restart".to_owned() });
    assert_eq!(bench.datagram(address(50), &request("u1r")), Demux::Mine);
    assert_eq!(bench.datagram(address(51), &request("u1")), Demux::Mine, "a check in flight");
}

#[test]
fn nothing_is_left_of_a_closed_peer_but_its_goodbye() {
    let mut bench = Bench::new(0);
    let client = bench.join(1);
    bench.events.clear();
    bench.command(Command::Close { peer: client.peer });
    assert_eq!(bench.sent, [(client.address, GOODBYE.to_vec())]);
    assert!(bench.events.is_empty(), "{:?}", bench.events);
    assert!(bench.claims.is_empty(), "{:?}", bench.claims);
    assert!(matches!(bench.datagram(client.address, b"\x16late"), Demux::Foreign(_)));
    assert!(matches!(bench.datagram(client.address, &request("u1")), Demux::Foreign(_)));
    assert_eq!((bench.worker.peers(), bench.deadline), (0, None));
}

#[test]
fn an_address_that_another_worker_serves_now_is_given_up() {
    let mut bench = Bench::new(0);
    let client = bench.join(1);
    let endpoint = Endpoint { transport: Transport::Udp, address: client.address };
    assert!(bench.worker.knows(&endpoint));
    bench.worker.disown(&endpoint);
    assert_eq!(bench.datagram(client.address, b"\x16x"), Demux::Foreign(Foreign::Address(endpoint)));
}

#[test]
fn unusable_descriptions_are_told_and_unusable_candidates_counted() {
    let mut bench = Bench::new(0);
    let client = bench.join(1);
    bench.events.clear();
    bench.command(Command::Offer { peer: client.peer, id: 3, sdp: "nonsense".to_owned() });
    let target = trackyard_peer::Target::Publisher;
    bench.command(Command::Candidate { peer: client.peer, target, candidate: "nonsense".to_owned() });
    assert!(matches!(bench.events[..], [Event::BadDescription { .. }]), "{:?}", bench.events);
    let counters = bench.worker.counters();
    assert_eq!((counters.bad_descriptions, counters.bad_candidates), (1, 1));
}
