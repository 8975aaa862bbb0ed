//! Sends datagrams; consecutive ones of the same size to the same destination in one call.

use std::io;
use std::net::{IpAddr, SocketAddr};

use quinn_udp::UdpSockRef;
use trackyard_peer::Transmit;

use super::UdpPort;
use crate::counters::NetCounters;

/// The kernel takes at most 65,507 bytes in one call.
const GROUP_BYTES_MAX: usize = 60_000;

/// The group being collected. Invariant: all its datagrams but the last have `segment_bytes`.
#[derive(Debug, Default)]
pub(crate) struct Sender {
    contents: Vec<u8>,
    segment_bytes: usize,
    count: usize,
    route: Option<Route>,
}

/// From which socket to where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Route {
    port: usize,
    source: Option<IpAddr>,
    destination: SocketAddr,
}

impl Sender {
    /// Sends a datagram, now or with the next flush.
    pub(crate) fn push(&mut self, ports: &[UdpPort], transmit: &Transmit, counters: &NetCounters) {
        let Some(route) = Route::of(ports, transmit) else {
            return counters.udp_unsendable.add(1);
        };
        if !self.joins(route, transmit.contents.len(), ports) {
            self.flush(ports, counters);
            self.route = Some(route);
            self.segment_bytes = transmit.contents.len();
        }
        self.contents.extend_from_slice(&transmit.contents);
        self.count += 1;
    }

    /// Sends what has been collected.
    pub(crate) fn flush(&mut self, ports: &[UdpPort], counters: &NetCounters) {
        let Some(route) = self.route.take() else { return };
        let segment = (self.count > 1).then_some(self.segment_bytes);
        match route.send(ports, &self.contents, segment) {
            Err(error) if self.count > 1 && error.kind() != io::ErrorKind::WouldBlock => {
                // The kernel or a device refuses groups; the socket's state makes none from here on.
                for contents in self.contents.chunks(self.segment_bytes.max(1)) {
                    count_failure(route.send(ports, contents, None), 1, counters);
                }
            }
            result => count_failure(result, self.count as u64, counters),
        }
        self.contents.clear();
        self.count = 0;
    }

    fn joins(&self, route: Route, bytes: usize, ports: &[UdpPort]) -> bool {
        self.route == Some(route)
            && bytes <= self.segment_bytes
            && self.contents.len() == self.count * self.segment_bytes
            && self.contents.len() + bytes <= GROUP_BYTES_MAX
            && self.count < ports[route.port].state.max_gso_segments()
    }
}

impl Route {
    /// `None` for what no socket of ours can send. The kernel would refuse port 0 with an error
    /// that the socket's state takes for a missing feature, and nobody outside may cause that.
    fn of(ports: &[UdpPort], transmit: &Transmit) -> Option<Self> {
        let destination = transmit.destination;
        let sendable = destination.port() != 0
            && !destination.ip().is_unspecified()
            && !destination.ip().is_multicast()
            && !transmit.contents.is_empty();
        let port = ports.iter().position(|port| port.names.has(transmit.source)).filter(|_| sendable)?;
        let same_family = ports[port].bound.is_ipv4() == destination.is_ipv4();
        let source = ports[port].names.source_of(transmit.source);
        same_family.then_some(Self { port, source, destination })
    }

    fn send(self, ports: &[UdpPort], contents: &[u8], segment_size: Option<usize>) -> io::Result<()> {
        let port = &ports[self.port];
        let transmit = quinn_udp::Transmit {
            destination: self.destination,
            ecn: None,
            contents,
            segment_size,
            src_ip: self.source,
        };
        port.state.try_send(UdpSockRef::from(&port.socket), &transmit)
    }
}

fn count_failure(result: io::Result<()>, datagrams: u64, counters: &NetCounters) {
    match result {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => counters.udp_send_full.add(datagrams),
        Err(_) => counters.udp_send_failed.add(datagrams),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, UdpSocket};
    use std::time::Duration;

    use trackyard_peer::Transport;

    use super::*;
    use crate::NetConfig;
    use crate::udp::bind_all;

    struct Bench {
        ports: Vec<UdpPort>,
        counters: NetCounters,
        peer: UdpSocket,
    }

    fn bench() -> Bench {
        let udp = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
        let config = NetConfig { udp, ..NetConfig::default() };
        let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Bench { ports: bind_all(&config).unwrap().remove(0), counters: NetCounters::default(), peer }
    }

    impl Bench {
        fn transmit(&self, destination: SocketAddr, contents: Vec<u8>) -> Transmit {
            Transmit { transport: Transport::Udp, source: self.ports[0].bound, destination, contents }
        }

        fn receive(&self) -> Vec<u8> {
            let mut buffer = [0; 2_000];
            let count = self.peer.recv(&mut buffer).unwrap();
            buffer[..count].to_vec()
        }
    }

    #[test]
    fn groups_arrive_as_the_datagrams_they_were() {
        let (bench, mut sender) = (bench(), Sender::default());
        let to = bench.peer.local_addr().unwrap();
        let sizes = [1_000, 1_000, 1_000, 300, 1_000, 1_200, 1_200, 7];
        for (index, size) in sizes.iter().enumerate() {
            let contents = vec![u8::try_from(index).unwrap(); *size];
            sender.push(&bench.ports, &bench.transmit(to, contents), &bench.counters);
        }
        sender.flush(&bench.ports, &bench.counters);
        for (index, size) in sizes.iter().enumerate() {
            assert_eq!(bench.receive(), vec![u8::try_from(index).unwrap(); *size]);
        }
        assert_eq!(bench.counters.snapshot().udp_send_failed, 0);
    }

    #[test]
    fn what_cannot_be_sent_is_counted_and_harms_nothing() {
        let (bench, mut sender) = (bench(), Sender::default());
        let to = bench.peer.local_addr().unwrap();
        let segments = bench.ports[0].state.max_gso_segments();
        for bad in ["127.0.0.1:0", "0.0.0.0:9", "[::1]:9", "224.0.0.1:9"] {
            sender.push(&bench.ports, &bench.transmit(bad.parse().unwrap(), vec![1]), &bench.counters);
        }
        sender.push(&bench.ports, &bench.transmit(to, vec![2; 10]), &bench.counters);
        sender.flush(&bench.ports, &bench.counters);
        assert_eq!(bench.receive(), [2; 10]);
        assert_eq!(bench.counters.snapshot().udp_unsendable, 4);
        assert_eq!(bench.ports[0].state.max_gso_segments(), segments);
    }
}
