//! User packets: who gets them, in which order, and what is counted of those that nobody gets.

use std::sync::Arc;
use std::time::Duration;

use trackyard_proto::packet::{DataPacket, PacketValue, RpcAck, RpcResponse, UserPacket};

use super::bench::{Bench, Client, DEAF, LOSSY, RELIABLE, ROOM};
use crate::control::{
    Audience, Command, Delivery, Event, Hop, PeerId, RouteChange, Seat, ServerPacket, UserPacket as Packet,
    WorkerId,
};
use crate::forward::WorkerCounters;
use crate::forward::stun::tests::request;

fn seat_of(client: Client) -> Seat {
    let number = client.peer.0;
    Seat { sid: format!("PA_{number}"), identity: format!("p{number}"), may_send: true, ..Seat::default() }
}

fn seat(bench: &mut Bench, client: Client, seat: Seat) {
    bench.prepare(vec![RouteChange::Seat { peer: client.peer, seat: Arc::new(seat) }]);
}

/// Participants of this worker that may all send.
fn crowd<const N: usize>(bench: &mut Bench) -> [Client; N] {
    std::array::from_fn(|index| {
        let client = bench.join(index as u64 + 1);
        seat(bench, client, seat_of(client));
        client
    })
}

fn user(payload: &[u8]) -> DataPacket {
    let user = UserPacket { payload: payload.to_vec().into(), ..UserPacket::default() };
    PacketValue::User(user).reliable(Vec::new())
}

fn send(bench: &mut Bench, from: Client, channel: u8, packet: &DataPacket) {
    let _ = bench.datagram(from.address, &[&[channel], &packet.encode()[..]].concat());
    bench.run();
    assert_accounted(bench.worker.counters());
}

fn assert_accounted(counters: &WorkerCounters) {
    let fates = counters.messages_malformed
        + counters.messages_forbidden
        + counters.messages_repeated
        + counters.messages_ignored
        + counters.messages_too_long
        + counters.messages_answers
        + counters.messages_unheard
        + counters.messages_routed;
    assert_eq!(counters.messages_in, fates, "{counters:?}");
}

/// Payloads of the user packets that a client has been sent on a channel.
fn got(bench: &Bench, client: Client, channel: u8) -> Vec<(String, Vec<u8>)> {
    let to_client =
        bench.sent.iter().filter(|(to, contents)| *to == client.address && contents[0] == channel);
    let packets = to_client.map(|(_, contents)| DataPacket::decode(&contents[1..]).unwrap());
    packets
        .map(|packet| match packet.value {
            PacketValue::User(user) => (packet.participant_sid, user.payload.to_vec()),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn from(sid: &str, payloads: &[&[u8]]) -> Vec<(String, Vec<u8>)> {
    payloads.iter().map(|payload| (sid.to_owned(), payload.to_vec())).collect()
}

#[test]
fn everyone_but_the_sender_gets_a_packet_on_the_channel_it_came_by() {
    let mut bench = Bench::new(0);
    let [ada, bob, cid] = crowd(&mut bench);
    send(&mut bench, ada, RELIABLE, &user(b"r"));
    send(&mut bench, ada, LOSSY, &user(b"l"));
    for other in [bob, cid] {
        assert_eq!(got(&bench, other, RELIABLE), from("PA_1", &[b"r"]));
        assert_eq!(got(&bench, other, LOSSY), from("PA_1", &[b"l"]));
    }
    assert!(got(&bench, ada, RELIABLE).is_empty() && got(&bench, ada, LOSSY).is_empty(), "never echoed");
    let counters = bench.worker.counters();
    assert_eq!((counters.messages_routed, counters.messages_forwarded), (2, 4));
    assert_eq!((counters.reliable_out, counters.lossy_out), (2, 2));
}

#[test]
fn only_those_named_get_a_packet_for_them() {
    let mut bench = Bench::new(0);
    let [ada, bob, cid] = crowd(&mut bench);
    let named = DataPacket {
        destination_identities: vec!["p2".to_owned(), "nobody".to_owned(), "p1".to_owned()],
        ..user(b"b")
    };
    send(&mut bench, ada, RELIABLE, &named);
    assert_eq!(got(&bench, bob, RELIABLE).len(), 1);
    assert!(got(&bench, cid, RELIABLE).is_empty() && got(&bench, ada, RELIABLE).is_empty());
    let nobody = DataPacket { destination_identities: vec!["nobody".to_owned()], ..user(b"x") };
    send(&mut bench, ada, RELIABLE, &nobody);
    assert_eq!(bench.worker.counters().messages_unheard, 1);
}

#[test]
fn repetitions_by_sequence_and_nonce_are_passed_over() {
    let mut bench = Bench::new(0);
    let [ada, bob] = crowd(&mut bench);
    for sequence in [1, 2, 2, 1, 4, 3, 0, 0] {
        send(&mut bench, ada, RELIABLE, &DataPacket { sequence, ..user(&[sequence as u8]) });
    }
    let numbers: Vec<u8> = got(&bench, bob, RELIABLE).into_iter().map(|(_, payload)| payload[0]).collect();
    assert_eq!(numbers, [1, 2, 4, 0, 0]);
    assert_eq!(bench.worker.counters().messages_repeated, 3);
    // On the lossy channel a sequence means nothing.
    send(&mut bench, ada, LOSSY, &DataPacket { sequence: 1, ..user(b"l") });
    assert_eq!(got(&bench, bob, LOSSY).len(), 1);
    bench.sent.clear();
    for nonce in [vec![7; 16], vec![7; 16], vec![8; 16], vec![7; 3], vec![7; 3]] {
        let packet = UserPacket { nonce: nonce.into(), ..UserPacket::default() };
        send(&mut bench, ada, LOSSY, &PacketValue::User(packet).reliable(Vec::new()));
    }
    assert_eq!(got(&bench, bob, LOSSY).len(), 4);
}

#[test]
fn who_may_not_send_is_not_heard_and_hears() {
    let mut bench = Bench::new(0);
    let [ada, bob] = crowd(&mut bench);
    seat(&mut bench, ada, Seat { may_send: false, ..seat_of(ada) });
    send(&mut bench, ada, RELIABLE, &user(b"no"));
    send(&mut bench, bob, RELIABLE, &user(b"yes"));
    assert!(got(&bench, bob, RELIABLE).is_empty());
    assert_eq!(got(&bench, ada, RELIABLE).len(), 1);
    assert_eq!(bench.worker.counters().messages_forbidden, 1);
    seat(&mut bench, ada, seat_of(ada));
    send(&mut bench, ada, RELIABLE, &user(b"again"));
    assert_eq!(got(&bench, bob, RELIABLE), from("PA_1", &[b"again"]));
}

#[test]
fn what_is_no_packet_and_what_is_not_forwarded_is_counted() {
    let mut bench = Bench::new(0);
    let [ada, bob] = crowd(&mut bench);
    let raw = |bench: &mut Bench, bytes: &[u8]| {
        let _ = bench.datagram(ada.address, &[&[RELIABLE], bytes].concat());
        bench.run();
        assert_accounted(bench.worker.counters());
    };
    raw(&mut bench, &[0xff, 0xff]);
    // Speakers, a transcription by a person, and measurements that nobody wants.
    raw(&mut bench, &[0x1a, 0]);
    raw(&mut bench, &[0x3a, 0]);
    raw(&mut bench, &[0x42, 0]);
    let counters = bench.worker.counters();
    assert_eq!(
        (counters.messages_malformed, counters.messages_ignored, counters.messages_unheard),
        (1, 2, 1)
    );
    assert!(got(&bench, bob, RELIABLE).is_empty());
    seat(&mut bench, bob, Seat { wants_metrics: true, ..seat_of(bob) });
    raw(&mut bench, &[0x42, 0]);
    assert_eq!(
        bench.sent.iter().filter(|(to, _)| *to == bob.address).count(),
        1,
        "measurements go to who wants them"
    );
    seat(&mut bench, ada, Seat { is_agent: true, ..seat_of(ada) });
    raw(&mut bench, &[0x3a, 0]);
    assert_eq!(bench.sent.iter().filter(|(to, _)| *to == bob.address).count(), 2, "agents transcribe");
}

#[test]
fn a_packet_too_long_for_anyone_is_refused_and_its_sender_told_once_a_second() {
    let mut bench = Bench::new(0);
    let [ada, bob] = crowd(&mut bench);
    bench.events.clear();
    for _ in 0..3 {
        send(&mut bench, ada, RELIABLE, &user(&vec![0; 65_525]));
    }
    assert!(got(&bench, bob, RELIABLE).is_empty());
    assert_eq!(bench.worker.counters().messages_too_long, 3);
    assert!(matches!(bench.events[..], [Event::TooLong { peer, bytes: 65_525.. }] if peer == ada.peer));
    bench.advance(Duration::from_secs(1));
    send(&mut bench, ada, RELIABLE, &user(&vec![0; 65_525]));
    assert_eq!(bench.events.len(), 2);
    send(&mut bench, ada, RELIABLE, &user(&vec![0; 64_000]));
    assert_eq!(got(&bench, bob, RELIABLE).len(), 1);
}

#[test]
fn what_is_sent_while_someone_joins_waits_for_it() {
    let mut bench = Bench::new(0);
    let [ada] = crowd(&mut bench);
    let joiner = bench.open(2);
    seat(&mut bench, joiner, seat_of(joiner));
    for number in 0..100 {
        send(&mut bench, ada, RELIABLE, &user(&[number]));
    }
    send(&mut bench, ada, LOSSY, &user(b"gone"));
    bench.advance(Duration::from_secs(30));
    assert!(bench.sent.iter().all(|(to, _)| *to != joiner.address));
    let ufrag = bench.ufrag();
    let _ = bench.datagram(joiner.address, &request(&ufrag));
    bench.run();
    let numbers: Vec<u8> = got(&bench, joiner, RELIABLE).into_iter().map(|(_, payload)| payload[0]).collect();
    assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    assert_eq!(bench.worker.counters().lossy_closed, 1);
    bench.advance(Duration::from_secs(1));
    assert!(behind(&bench).is_empty(), "it has only just come");
}

fn behind(bench: &Bench) -> Vec<PeerId> {
    let behind = |event: &Event| if let Event::Behind { peer } = event { Some(*peer) } else { None };
    bench.events.iter().filter_map(behind).collect()
}

#[test]
fn who_reads_nothing_is_told_to_begin_anew_and_slows_nobody() {
    for (bytes, pause) in [(60_000, Duration::ZERO), (20_000, Duration::from_millis(600))] {
        let mut bench = Bench::new(0);
        let [ada, deaf, bob] = crowd(&mut bench);
        let _ = bench.datagram(deaf.address, &[DEAF]);
        bench.run();
        let mut sent = 0;
        while behind(&bench).is_empty() {
            send(&mut bench, ada, RELIABLE, &user(&vec![1; bytes]));
            bench.advance(pause);
            sent += 1;
            assert!(sent < 20_000, "it is told some time");
        }
        assert_eq!(behind(&bench), [deaf.peer]);
        assert_eq!(got(&bench, bob, RELIABLE).len(), sent, "who reads gets everything");
        let counters = bench.worker.counters();
        assert_eq!(counters.reliable_overflow, 1);
        send(&mut bench, ada, RELIABLE, &user(b"more"));
        assert_eq!(behind(&bench).len(), 1, "it is said once");
    }
}

#[test]
fn a_packet_crosses_once_to_each_other_worker_of_the_room() {
    let mut bench = Bench::new(0);
    let [ada, bob] = crowd(&mut bench);
    bench.prepare(vec![RouteChange::Neighbours {
        hops: vec![Hop::Worker(WorkerId(1)), Hop::Worker(WorkerId(2))],
    }]);
    send(&mut bench, ada, RELIABLE, &DataPacket { sequence: 5, ..user(b"x") });
    let crossed: Vec<_> = bench.user_packets.iter().map(|(to, packet)| (to.0, packet.sequence)).collect();
    assert_eq!(crossed, [(1, 5), (2, 5)]);
    let mut there = Bench::new(1);
    let [cid] = crowd(&mut there);
    let packet: Arc<Packet> = Arc::clone(&bench.user_packets[0].1);
    // Ids are unique in the process; here the other bench has used the same one.
    let packet = Packet {
        from: Some(PeerId(99)),
        audience: packet.audience.clone(),
        message: packet.message.clone(),
        ..*packet
    };
    there.worker.handle_user_packet(ROOM, &packet, there.now);
    there.run();
    assert_eq!(got(&there, cid, RELIABLE), from("PA_1", &[b"x"]));
    assert!(there.user_packets.is_empty(), "no second hop");
    there.events.clear();
    there.worker.handle_user_packets_lost(ROOM, there.now);
    there.run();
    assert!(matches!(there.events[..], [Event::Behind { .. }]));
    assert_eq!(got(&bench, bob, RELIABLE).len(), 1);
}

#[test]
fn the_server_speaks_and_its_answers_come_back_to_it() {
    let mut bench = Bench::new(0);
    let [ada, bob] = crowd(&mut bench);
    let message = user(b"s").encode().into();
    let audience = Audience::Named { identities: vec!["p1".to_owned()], sids: Vec::new() };
    let packet =
        Arc::new(Packet { from: None, delivery: Delivery::Reliable, sequence: 0, audience, message });
    bench.command(Command::Say(ServerPacket { room: ROOM, packet, awaits: Some("id".to_owned()) }));
    assert_eq!(got(&bench, ada, RELIABLE), from("", &[b"s"]));
    assert!(got(&bench, bob, RELIABLE).is_empty());
    bench.events.clear();
    let ack = PacketValue::RpcAck(RpcAck { request_id: "id".to_owned() }).reliable(Vec::new());
    let response = RpcResponse { request_id: "id".to_owned(), ..RpcResponse::default() };
    let response = PacketValue::RpcResponse(response).reliable(vec!["id".to_owned()]);
    // Not from the one who was asked: it is for others, as any answer.
    send(&mut bench, bob, RELIABLE, &ack);
    assert!(bench.events.is_empty());
    for packet in [&ack, &ack, &response, &response] {
        send(&mut bench, ada, RELIABLE, packet);
    }
    let replies =
        bench.events.iter().filter(|event| matches!(event, Event::Reply { peer, .. } if *peer == ada.peer));
    assert_eq!(replies.count(), 2, "after the response nothing is awaited");
    assert_eq!(bench.worker.counters().messages_answers, 2);
}

#[test]
fn what_a_client_has_that_has_resumed_is_not_sent_again() {
    let mut bench = Bench::new(0);
    let [ada, bob] = crowd(&mut bench);
    let joiner = bench.open(3);
    seat(&mut bench, joiner, seat_of(joiner));
    for sequence in 1..=4 {
        send(&mut bench, ada, RELIABLE, &DataPacket { sequence, ..user(&[sequence as u8]) });
        send(&mut bench, bob, RELIABLE, &DataPacket { sequence, ..user(&[10 + sequence as u8]) });
    }
    let states = vec![("PA_1".to_owned(), 3), ("PA_unknown".to_owned(), 9)];
    bench.command(Command::Received { peer: joiner.peer, states });
    let ufrag = bench.ufrag();
    let _ = bench.datagram(joiner.address, &request(&ufrag));
    bench.run();
    let mut numbers: Vec<u8> =
        got(&bench, joiner, RELIABLE).into_iter().map(|(_, payload)| payload[0]).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [4, 11, 12, 13, 14]);
}

#[test]
fn nothing_is_left_of_those_who_have_gone() {
    let mut bench = Bench::new(0);
    let clients: [Client; 3] = crowd(&mut bench);
    bench.prepare(vec![RouteChange::Neighbours { hops: vec![Hop::Worker(WorkerId(1))] }]);
    for client in clients {
        bench.command(Command::Close { peer: client.peer });
    }
    bench.prepare(vec![RouteChange::Neighbours { hops: Vec::new() }]);
    assert!(bench.worker.seats.is_empty());
}
