//! A switch between two workers of which only one runs.

use std::net::{Ipv4Addr, SocketAddr};

use mio::{Poll, Waker};
use trackyard_peer::Str0mFactory;

use super::*;
use crate::mailbox::Mailbox;
use crate::shared::Roster;
use crate::tcp::Connections;
use crate::thread::{FIRST_CONNECTION, WAKER};

const HERE: WorkerId = WorkerId(0);
const THERE: WorkerId = WorkerId(1);

struct Bench {
    switch: Switch<Str0mFactory, fn(trackyard_sfu::control::RoomKey, trackyard_sfu::control::Event)>,
    wire: Wire,
    workers: Roster,
    table: Arc<SharedTable>,
    now: Instant,
    _polls: Vec<Poll>,
}

fn bench() -> Bench {
    let polls: Vec<Poll> = (0..2).map(|_| Poll::new().unwrap()).collect();
    let shared = |(id, poll): (u16, &Poll)| {
        let waker = Waker::new(poll.registry(), WAKER).unwrap();
        Arc::new(Shared::new(WorkerId(id), Mailbox::new(waker)))
    };
    let workers: Roster = (0..).zip(&polls).map(shared).collect();
    let (table, now) = (Arc::new(SharedTable::new(true)), Instant::now());
    let blueprint = Blueprint {
        id: HERE,
        factory: Str0mFactory::for_server(Vec::new(), 1200),
        limits: WorkerConfig::default(),
        sink: (|_, _| {}) as fn(_, _),
        table: Arc::clone(&table),
        stun_rate: 10,
        load_limit_permille: 0,
        workers: Arc::clone(&workers),
    };
    let switch = blueprint.build(now);
    let wire = Wire::new(Vec::new(), Connections::new(FIRST_CONNECTION));
    Bench { switch, wire, workers, table, now, _polls: polls }
}

/// A binding request to `ufrag`, which has two letters.
fn request(ufrag: &str) -> Vec<u8> {
    let mut bytes = vec![0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42];
    bytes.extend([7; 12]);
    bytes.extend([0, 6, 0, 4]);
    bytes.extend(format!("{ufrag}:x").bytes());
    bytes
}

impl Bench {
    fn udp(&mut self, source: Ipv4Addr, contents: &[u8]) {
        let source = SocketAddr::from((source, 9));
        let destination = SocketAddr::from((Ipv4Addr::LOCALHOST, 7882));
        let datagram = Datagram { transport: Transport::Udp, source, destination, contents };
        self.switch.on_udp(datagram, self.now, self.now);
    }

    fn counters(&self) -> crate::NetSnapshot {
        self.workers[0].counters.snapshot()
    }
}

#[test]
fn a_flood_of_binding_requests_is_cut_unless_a_peer_is_there() {
    let mut bench = bench();
    let stranger = Ipv4Addr::new(192, 0, 2, 1);
    (0..100).for_each(|_| bench.udp(stranger, &request("no")));
    assert_eq!((bench.counters().stun_rate_limited, bench.counters().unclaimed), (80, 20));
    (0..100).for_each(|_| bench.udp(Ipv4Addr::LOCALHOST, &request("no")));
    assert_eq!(
        (bench.counters().stun_rate_limited, bench.counters().unclaimed),
        (80, 120),
        "loopback is exempt"
    );
    let known = Endpoint { transport: Transport::Udp, address: SocketAddr::from((stranger, 9)) };
    bench.table.claim(DemuxKey::Address(known), THERE);
    (0..100).for_each(|_| bench.udp(stranger, &request("no")));
    assert_eq!(bench.counters().stun_rate_limited, 80, "a peer of any worker is there");
}

#[test]
fn strays_reach_their_workers_mailbox_and_overflow_is_counted() {
    let mut bench = bench();
    bench.table.claim(DemuxKey::Ufrag("uf".into()), THERE);
    bench.udp(Ipv4Addr::LOCALHOST, &request("uf"));
    bench.switch.pump(&mut bench.wire);
    assert_eq!(bench.workers[1].mailbox.datagrams.len(), 1);
    assert_eq!(bench.counters().strays_out, 1);
    for _ in 0..20_000 {
        bench.udp(Ipv4Addr::LOCALHOST, &request("uf"));
    }
    bench.switch.pump(&mut bench.wire);
    let counters = bench.counters();
    assert!(counters.strays_dropped > 0);
    assert_eq!(counters.strays_out + counters.strays_dropped, 20_001);
    assert_eq!(bench.workers[1].mailbox.datagrams.len() as u64, counters.strays_out);
}

#[test]
fn a_stray_that_is_nobodys_makes_no_second_hop() {
    let mut bench = bench();
    bench.table.claim(DemuxKey::Ufrag("uf".into()), THERE);
    let source = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    let (contents, received) = (request("uf"), bench.now);
    let stray = StrayDatagram { transport: Transport::Udp, source, destination: source, contents, received };
    bench.switch.on_stray(&stray, bench.now);
    bench.switch.pump(&mut bench.wire);
    assert_eq!(
        (bench.counters().strays_in, bench.counters().unclaimed, bench.counters().strays_out),
        (1, 1, 0)
    );
}
