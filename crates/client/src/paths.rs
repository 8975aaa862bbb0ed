//! The ways between this machine and the server: sockets, and what they carry.

mod addresses;
mod backoff;
mod inbound;
#[cfg(test)]
mod inbox;
#[cfg(test)]
mod reach;
mod tcp;
mod turn;
mod udp;

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use trackyard_peer::{LocalAddress, Str0mFactory, Target, Transmit};

pub(crate) use addresses::local_addresses;
pub(crate) use inbound::Inbound;
pub(crate) use turn::{TurnError, probe as probe_relays};
pub(crate) use udp::{BATCH_BYTES, UdpSocket};

use udp::UdpPaths;

/// Target size of a datagram: what every path of today's internet carries.
const MTU: usize = 1_200;
/// Bytes that the channels of one connection hold, in flight included; scheduling keeps well below.
const BUFFERED_BYTES_MAX: usize = 1024 * 1024;

const TARGETS: [Target; 2] = [Target::Publisher, Target::Subscriber];

/// The ways between this machine and the server.
pub(crate) struct Paths {
    udp: UdpPaths,
    /// Of this machine.
    addresses: BTreeSet<IpAddr>,
}

impl Paths {
    /// Opens sockets on a machine with these addresses.
    pub(crate) fn open(addresses: BTreeSet<IpAddr>) -> io::Result<Self> {
        Ok(Self { udp: UdpPaths::open()?, addresses })
    }

    /// The sockets to receive from.
    pub(crate) fn udp_sockets(&self) -> Vec<(Target, Arc<UdpSocket>)> {
        self.udp.sockets().collect()
    }

    /// What makes connections that use these ways.
    pub(crate) fn factories(&self) -> [Str0mFactory; 2] {
        TARGETS.map(|target| {
            let addresses = self.udp.addresses(target, &self.addresses);
            let candidates = addresses.into_iter().map(LocalAddress::Udp).collect();
            Str0mFactory { candidates, mtu: MTU, buffered_bytes_max: BUFFERED_BYTES_MAX }
        })
    }

    /// Sends a datagram, now or with the next flush. What the system does not take is lost, and counted.
    pub(crate) fn send(&mut self, target: Target, transmit: Transmit) {
        self.udp.send(target, &transmit);
    }

    /// Sends what was collected.
    pub(crate) fn flush(&mut self) {
        self.udp.flush();
    }

    /// The machine's addresses have changed; answers those of before.
    pub(crate) fn set_addresses(&mut self, addresses: BTreeSet<IpAddr>) -> BTreeSet<IpAddr> {
        std::mem::replace(&mut self.addresses, addresses)
    }

    /// What connections are reached at that was not there before.
    pub(crate) fn addresses_since(&self, before: &BTreeSet<IpAddr>) -> Vec<(Target, SocketAddr)> {
        let new: BTreeSet<IpAddr> = self.addresses.difference(before).copied().collect();
        let of = |target| self.udp.addresses(target, &new).into_iter().map(move |address| (target, address));
        TARGETS.into_iter().flat_map(of).collect()
    }

    /// Whether an address of before is gone.
    pub(crate) fn has_lost(&self, before: &BTreeSet<IpAddr>) -> bool {
        !before.is_subset(&self.addresses)
    }

    /// The machine's addresses.
    pub(crate) fn machine(&self) -> &BTreeSet<IpAddr> {
        &self.addresses
    }

    /// Whether this machine's own loopback is among them.
    pub(crate) fn has_loopback(&self) -> bool {
        self.addresses.iter().any(IpAddr::is_loopback)
    }

    /// Datagrams the system did not take.
    pub(crate) fn unsent(&self) -> u64 {
        self.udp.unsent()
    }

    /// To which of our addresses a datagram of this socket's family has come, if the system does not tell.
    pub(crate) fn any_address(&self, is_ipv4: bool) -> Option<IpAddr> {
        self.addresses.iter().find(|address| address.is_ipv4() == is_ipv4).copied()
    }
}
