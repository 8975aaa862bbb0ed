//! A client reaches its server over whatever the network lets through: TCP that it opens, or a relay.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use trackyard_peer::{
    ACTIVE_PORT, ChannelKind, Connection, ConnectionEvent, ConnectionFactory, ConnectionOutput, LocalAddress,
    Role, Str0m, Str0mFactory, Transmit, Transport,
};

const DELAY: Duration = Duration::from_millis(10);
const CLIENT_IP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 1));

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn client_udp() -> SocketAddr {
    SocketAddr::new(CLIENT_IP, 5000)
}

/// What a network does with a datagram of either side: where it seems to come from and arrives.
type Network = fn(&Transmit) -> Option<(SocketAddr, SocketAddr)>;

/// UDP is dropped; the client's TCP connection leaves from a port of its own.
fn only_tcp(transmit: &Transmit) -> Option<(SocketAddr, SocketAddr)> {
    let (candidate, connection) =
        (SocketAddr::new(CLIENT_IP, ACTIVE_PORT), SocketAddr::new(CLIENT_IP, 40_001));
    let seen = |address| if address == candidate { connection } else { address };
    let back = |address| if address == connection { candidate } else { address };
    let is_from_client = transmit.source == candidate;
    (transmit.transport == Transport::Tcp).then(|| {
        if is_from_client {
            (seen(transmit.source), transmit.destination)
        } else {
            (transmit.source, back(transmit.destination))
        }
    })
}

fn relay() -> SocketAddr {
    address("203.0.113.9:49160")
}

/// Nothing but what a relay passes on.
fn only_relayed(transmit: &Transmit) -> Option<(SocketAddr, SocketAddr)> {
    let ends = (transmit.source, transmit.destination);
    let is_relayed = ends.0 == relay() || ends.1 == relay();
    (is_relayed && transmit.transport == Transport::Udp).then_some(ends)
}

struct Pair {
    now: Instant,
    ends: [Str0m; 2],
    wakes: [Instant; 2],
    network: Network,
    /// To which end, and what.
    under_way: VecDeque<(Instant, usize, (SocketAddr, SocketAddr), Transmit)>,
    /// What the client has sent, whether it got anywhere or not.
    tried: Vec<(Transport, SocketAddr)>,
    events: [Vec<ConnectionEvent>; 2],
}

impl Pair {
    fn new(addresses: Vec<LocalAddress>, network: Network) -> Self {
        #[expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]
        let now = Instant::now();
        let listening = [(Transport::Udp, "192.0.2.1:7882"), (Transport::Tcp, "192.0.2.1:7881")];
        let server = listening.map(|(transport, text)| (transport, address(text)));
        let client = Str0mFactory { candidates: addresses, ..Str0mFactory::for_client(client_udp()) };
        let mut ends = [
            client.open(Role::ClientOffering, now),
            Str0mFactory::for_server(server.to_vec(), 1200).open(Role::Answering, now),
        ];
        let offer = ends[0].create_offer(false, now).unwrap().unwrap();
        let answer = ends[1].accept_offer(&offer, now).unwrap();
        ends[0].accept_answer(&answer, now).unwrap();
        Self {
            now,
            ends,
            wakes: [now; 2],
            network,
            under_way: VecDeque::new(),
            tried: Vec::new(),
            events: [Vec::new(), Vec::new()],
        }
    }

    fn settle(&mut self) {
        for end in [0, 1] {
            loop {
                match self.ends[end].poll_output() {
                    ConnectionOutput::Transmit(transmit) => self.transmit(end, transmit),
                    ConnectionOutput::Event(event) => self.events[end].push(event),
                    ConnectionOutput::Timeout(at) => {
                        self.wakes[end] = at;
                        break;
                    }
                }
            }
        }
    }

    fn transmit(&mut self, end: usize, transmit: Transmit) {
        if end == 0 {
            self.tried.push((transmit.transport, transmit.source));
        }
        if let Some(ends) = (self.network)(&transmit) {
            self.under_way.push_back((self.now + DELAY, 1 - end, ends, transmit));
        }
    }

    fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.settle();
            let arrival = self.under_way.front().map(|(at, ..)| *at);
            let next = self.wakes.into_iter().chain(arrival).min().unwrap();
            if next > end {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            while self.under_way.front().is_some_and(|(at, ..)| *at <= self.now) {
                let (_, to, (source, destination), transmit) = self.under_way.pop_front().unwrap();
                let Transmit { transport, contents, .. } = transmit;
                self.ends[to].handle_datagram(transport, source, destination, &contents, self.now);
                self.settle();
            }
            for (end, wake) in self.ends.iter_mut().zip(self.wakes) {
                if wake <= self.now {
                    end.handle_timeout(self.now);
                }
            }
        }
    }

    /// A message of the client reaches the server.
    #[track_caller]
    fn check_connected(&mut self) {
        assert!(self.ends[0].is_open(ChannelKind::DataTrack), "{:?}", self.events[0]);
        assert!(self.ends[0].write(ChannelKind::DataTrack, b"hello"));
        self.run_for(Duration::from_millis(200));
        let has_come = |event: &ConnectionEvent| matches!(event, ConnectionEvent::Message(ChannelKind::DataTrack, message) if message == "hello");
        assert!(self.events[1].iter().any(has_come), "{:?}", self.events[1]);
    }

    fn is_connected(&self) -> bool {
        self.events[0].iter().any(|event| matches!(event, ConnectionEvent::Connected))
    }
}

fn udp_and_tcp() -> Vec<LocalAddress> {
    vec![LocalAddress::Udp(client_udp()), LocalAddress::tcp_active(CLIENT_IP)]
}

#[test]
fn where_udp_is_dropped_a_client_connects_over_tcp_that_it_opens() {
    let mut pair = Pair::new(udp_and_tcp(), only_tcp);
    pair.run_for(Duration::from_secs(3));
    pair.check_connected();
    assert!(pair.tried.contains(&(Transport::Udp, client_udp())), "UDP was tried as well");
}

#[test]
fn where_both_work_udp_is_used() {
    let mut pair = Pair::new(udp_and_tcp(), |transmit| match transmit.transport {
        Transport::Udp => Some((transmit.source, transmit.destination)),
        Transport::Tcp => only_tcp(transmit),
    });
    pair.run_for(Duration::from_secs(3));
    pair.tried.clear();
    pair.check_connected();
    assert!(pair.tried.iter().any(|(transport, _)| *transport == Transport::Udp), "{:?}", pair.tried);
    assert!(pair.tried.iter().filter(|(transport, _)| *transport == Transport::Tcp).count() <= 2);
}

#[test]
fn tcp_may_be_added_while_ice_runs() {
    let mut pair = Pair::new(vec![LocalAddress::Udp(client_udp())], only_tcp);
    pair.run_for(Duration::from_secs(2));
    assert!(!pair.is_connected());
    pair.ends[0].add_local_address(LocalAddress::tcp_active(CLIENT_IP));
    pair.run_for(Duration::from_secs(3));
    pair.check_connected();
}

#[test]
fn a_relayed_address_may_be_added_while_ice_runs() {
    let mut pair = Pair::new(vec![LocalAddress::Udp(client_udp())], only_relayed);
    pair.run_for(Duration::from_secs(2));
    assert!(!pair.is_connected());
    pair.ends[0].add_local_address(LocalAddress::Relayed { address: relay(), base: client_udp() });
    pair.run_for(Duration::from_secs(3));
    pair.check_connected();
    let from_relay = (Transport::Udp, relay());
    assert!(pair.tried.contains(&from_relay), "it is sent from the relay's address");
}

#[test]
fn a_relay_s_new_address_takes_the_place_of_the_one_before() {
    let mut pair = Pair::new(Vec::new(), only_relayed);
    let gone = address("203.0.113.9:49999");
    pair.ends[0].add_local_address(LocalAddress::Relayed { address: gone, base: client_udp() });
    pair.run_for(Duration::from_secs(1));
    assert!(pair.tried.contains(&(Transport::Udp, gone)));
    pair.ends[0].add_local_address(LocalAddress::Relayed { address: relay(), base: client_udp() });
    pair.run_for(Duration::from_secs(1));
    pair.tried.clear();
    pair.run_for(Duration::from_secs(2));
    pair.check_connected();
    assert!(!pair.tried.contains(&(Transport::Udp, gone)), "nothing is sent from an address that is gone");
}

#[test]
fn descriptions_name_addresses_as_others_understand_them() {
    let mut candidates = udp_and_tcp();
    candidates.push(LocalAddress::Relayed { address: relay(), base: client_udp() });
    let factory = Str0mFactory { candidates, ..Str0mFactory::for_client(client_udp()) };
    #[expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]
    let now = Instant::now();
    let offer = factory.open(Role::ClientOffering, now).create_offer(false, now).unwrap().unwrap();
    let with = |words: &[&str]| {
        offer
            .lines()
            .filter(|line| line.starts_with("a=candidate:"))
            .any(|line| words.iter().all(|word| line.contains(word)))
    };
    assert!(with(&[" udp ", " 198.51.100.1 5000 typ host"]), "{offer}");
    assert!(with(&[" tcp ", " 198.51.100.1 9 typ host tcptype active"]), "{offer}");
    assert!(with(&[" udp ", " 203.0.113.9 49160 typ relay raddr 0.0.0.0 rport 0"]), "{offer}");
}

#[test]
fn addresses_are_bounded_and_those_beyond_are_counted() {
    let mut pair = Pair::new(vec![LocalAddress::Udp(client_udp())], only_tcp);
    for port in 1..=100 {
        pair.ends[0].add_local_address(LocalAddress::Udp(SocketAddr::new(CLIENT_IP, port)));
    }
    assert_eq!(pair.ends[0].counters().refused_addresses, 37);
    pair.ends[0].add_local_address(LocalAddress::Udp(SocketAddr::new(CLIENT_IP, 1)));
    assert_eq!(pair.ends[0].counters().refused_addresses, 37, "one that is known is nothing new");
    pair.ends[0].add_local_address(LocalAddress::Udp(address("224.0.0.1:5")));
    assert_eq!(pair.ends[0].counters().refused_addresses, 38, "nor can a group be an address");
}
