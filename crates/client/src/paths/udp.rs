//! UDP: one socket per family and connection, whatever interfaces there are.

mod group;
mod socket;

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use trackyard_peer::{Target, Transmit};

use group::Group;
pub(crate) use socket::{BATCH_BYTES, UdpSocket};

/// The sockets of both connections. A server is at one address for both, so each has its own.
pub(crate) struct UdpPaths {
    sockets: Vec<Bound>,
    group: Group,
    /// Datagrams the system did not take.
    unsent: u64,
}

#[derive(Clone)]
struct Bound {
    target: Target,
    socket: Arc<UdpSocket>,
}

impl UdpPaths {
    /// Opens the sockets. To be called within a runtime.
    pub(crate) fn open() -> io::Result<Self> {
        let mut sockets = Vec::new();
        let mut refusal = None;
        for target in [Target::Publisher, Target::Subscriber] {
            for any in [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)] {
                match UdpSocket::bind(any) {
                    Ok(socket) => sockets.push(Bound { target, socket: Arc::new(socket) }),
                    // A machine may have one family alone.
                    Err(error) => refusal = Some(error),
                }
            }
        }
        match refusal {
            Some(error) if sockets.is_empty() => Err(error),
            _ => Ok(Self { sockets, group: Group::default(), unsent: 0 }),
        }
    }

    /// The sockets, each with its connection.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = (Target, Arc<UdpSocket>)> {
        self.sockets.iter().map(|bound| (bound.target, Arc::clone(&bound.socket)))
    }

    /// What a connection is reached at while the machine has these addresses.
    pub(crate) fn addresses(&self, target: Target, machine: &BTreeSet<IpAddr>) -> Vec<SocketAddr> {
        let sockets = || self.sockets.iter().filter(move |bound| bound.target == target);
        let reached = machine.iter().flat_map(|address| {
            let fitting = sockets().filter(|bound| bound.socket.is_ipv4() == address.is_ipv4());
            fitting.map(|bound| SocketAddr::new(*address, bound.socket.port()))
        });
        reached.collect()
    }

    /// Sends a datagram, now or with the next flush.
    pub(crate) fn send(&mut self, target: Target, transmit: &Transmit) {
        let fits = |bound: &&Bound| {
            bound.target == target && bound.socket.is_ipv4() == transmit.destination.is_ipv4()
        };
        let Some(bound) = self.sockets.iter().find(fits) else {
            self.unsent += 1;
            return;
        };
        self.unsent += self.group.push(&bound.socket, transmit);
    }

    /// Sends what was collected.
    pub(crate) fn flush(&mut self) {
        self.unsent += self.group.flush();
    }

    /// Gives the sockets back. What is sent after that is lost, and counted.
    pub(crate) fn close(&mut self) {
        self.flush();
        self.sockets.clear();
    }

    /// Datagrams the system did not take: lost, as on any network.
    pub(crate) fn unsent(&self) -> u64 {
        self.unsent
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket as StdSocket;

    use trackyard_peer::Transport;

    use super::*;

    #[tokio::test]
    async fn closed_paths_hold_no_socket_and_count_what_is_sent() {
        let mut paths = UdpPaths::open().unwrap();
        let bound = paths.sockets().find(|(_, socket)| socket.is_ipv4()).unwrap().1;
        let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, bound.port()));
        drop(bound);
        assert!(StdSocket::bind(address).is_err(), "it is held");
        paths.close();
        StdSocket::bind(address).unwrap();
        let destination = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        let transmit =
            Transmit { transport: Transport::Udp, source: address, destination, contents: vec![1] };
        paths.send(Target::Publisher, &transmit);
        assert_eq!(paths.unsent(), 1);
    }
}
