//! The ways between this machine and the server: sockets, and what they carry.

mod addresses;
mod backoff;
mod inbound;
#[cfg(test)]
mod inbox;
#[cfg(test)]
mod reach;
mod route;
mod tcp;
mod turn;
mod udp;

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::ClientConfig;
use tokio::runtime::Handle;
use trackyard_peer::{LocalAddress, Str0mFactory, Target, Transmit, Transport};
use trackyard_proto::signal::IceServer;

pub(crate) use addresses::local_addresses;
pub(crate) use inbound::Inbound;
pub use route::Route;
pub(crate) use turn::{TurnError, probe as probe_relays};
pub(crate) use udp::{BATCH_BYTES, UdpSocket};

use route::Routes;
use tcp::{TcpHealth, TcpPaths};
use turn::{RelayState, Relays};
use udp::UdpPaths;

/// Target size of a datagram: what every path of today's internet carries.
const MTU: usize = 1_200;
/// Bytes that the channels of one connection hold, in flight included; scheduling keeps well below.
const BUFFERED_BYTES_MAX: usize = 1024 * 1024;

const TARGETS: [Target; 2] = [Target::Publisher, Target::Subscriber];

/// The ways between this machine and the server.
pub(crate) struct Paths {
    config: PathsConfig,
    udp: UdpPaths,
    tcp: TcpPaths,
    relays: Relays,
    routes: Routes,
    /// Of this machine, as far as they are offered.
    addresses: BTreeSet<IpAddr>,
    /// What had failed when all ways were given back.
    failed: Option<Vec<String>>,
}

/// Which ways are wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct PathsConfig {
    /// Used beside those that the server names.
    pub(crate) ice_servers: Vec<IceServer>,
    /// Through relays, and no other way.
    pub(crate) relay_only: bool,
    /// The server is on this machine: loopback is a way.
    pub(crate) with_loopback: bool,
}

impl Paths {
    /// Opens sockets on a machine with these addresses. To be called within a runtime.
    pub(crate) fn open(
        config: PathsConfig,
        addresses: BTreeSet<IpAddr>,
        (inbound, tls): (Arc<dyn Inbound>, Arc<ClientConfig>),
    ) -> io::Result<Self> {
        let runtime = Handle::current();
        let addresses = offered(addresses, config.with_loopback);
        Ok(Self {
            config,
            udp: UdpPaths::open()?,
            tcp: TcpPaths::new(Arc::clone(&inbound), runtime.clone()),
            relays: Relays::new(inbound, tls, runtime),
            routes: Routes::default(),
            addresses,
            failed: None,
        })
    }

    /// The server has named these, or named them anew.
    pub(crate) fn set_ice_servers(&mut self, is_single: bool, named: &[IceServer]) {
        let servers: Vec<IceServer> = self.config.ice_servers.iter().chain(named).cloned().collect();
        let targets = if is_single { &TARGETS[..1] } else { &TARGETS[..] };
        targets.iter().for_each(|target| self.relays.set_servers(*target, &servers));
    }

    /// The sockets to receive from.
    pub(crate) fn udp_sockets(&self) -> Vec<(Target, Arc<UdpSocket>)> {
        self.udp.sockets().collect()
    }

    /// What makes connections that use these ways.
    pub(crate) fn factories(&self) -> [Str0mFactory; 2] {
        TARGETS.map(|target| Str0mFactory {
            candidates: self.udp_addresses(target),
            mtu: MTU,
            buffered_bytes_max: BUFFERED_BYTES_MAX,
        })
    }

    /// What connections are reached at over UDP.
    pub(crate) fn all_udp_addresses(&self) -> Vec<(Target, LocalAddress)> {
        let of = |target| self.udp_addresses(target).into_iter().map(move |address| (target, address));
        TARGETS.into_iter().flat_map(of).collect()
    }

    /// What connections are opened from over TCP.
    pub(crate) fn tcp_addresses(&self) -> Vec<(Target, LocalAddress)> {
        if self.config.relay_only {
            return Vec::new();
        }
        let of = |address: &IpAddr| TARGETS.map(|target| (target, LocalAddress::tcp_active(*address)));
        self.addresses.iter().flat_map(of).collect()
    }

    fn udp_addresses(&self, target: Target) -> Vec<LocalAddress> {
        if self.config.relay_only {
            return Vec::new();
        }
        self.udp.addresses(target, &self.addresses).into_iter().map(LocalAddress::Udp).collect()
    }

    /// Sends a datagram, now or with the next flush. What the system does not take is lost, and counted.
    pub(crate) fn send(&mut self, target: Target, transmit: Transmit) {
        self.routes.note(target, &transmit);
        let source = transmit.source;
        if transmit.transport == Transport::Tcp {
            return self.tcp.send(target, transmit);
        }
        match self.relays.send(target, transmit) {
            Ok(()) => self.routes.note_relayed(target, source),
            Err(transmit) => self.udp.send(target, &transmit),
        }
    }

    /// The way of a connection's data; nothing before some was sent.
    pub(crate) fn route(&self, target: Target) -> Option<Route> {
        self.routes.of(target)
    }

    /// Sends what was collected.
    pub(crate) fn flush(&mut self) {
        self.udp.flush();
    }

    /// The machine's addresses have changed; answers whether one that may carry a connection is gone. Others
    /// come and go, such as temporary ones of IPv6 and those of containers.
    pub(crate) fn set_addresses(&mut self, addresses: BTreeSet<IpAddr>) -> bool {
        let addresses = offered(addresses, self.config.with_loopback);
        let before = std::mem::replace(&mut self.addresses, addresses);
        let lost: BTreeSet<IpAddr> = before.difference(&self.addresses).copied().collect();
        let has_lost = self.routes.are_over(&lost);
        if has_lost {
            self.tcp.reset();
            self.relays.restart();
        }
        has_lost
    }

    /// Whether these would make a difference to [`set_addresses`](Self::set_addresses).
    pub(crate) fn would_change(&self, addresses: &BTreeSet<IpAddr>) -> bool {
        offered(addresses.clone(), self.config.with_loopback) != self.addresses
    }

    /// Whether this machine's own loopback is offered.
    pub(crate) fn has_loopback(&self) -> bool {
        self.config.with_loopback
    }

    /// Loopback is a way from the next addresses on, and stays one.
    pub(crate) fn offer_loopback(&mut self) {
        self.config.with_loopback = true;
    }

    /// Gives sockets, connections and relays back. Counters and routes stay as they are.
    pub(crate) fn close(&mut self) {
        self.failed = Some(self.failures());
        self.udp.close();
        self.tcp.reset();
        self.relays.close();
    }

    /// The relay at which a connection has an address.
    pub(crate) fn relay_url(&self, target: Target) -> Option<String> {
        match self.relays.state(target) {
            RelayState::Ready { url, .. } => Some(url),
            RelayState::Unused | RelayState::Connecting | RelayState::Failed(_) => None,
        }
    }

    /// TCP connections and relays that do not work, and why.
    pub(crate) fn failures(&self) -> Vec<String> {
        if let Some(failed) = &self.failed {
            return failed.clone();
        }
        let tcp = self.tcp.health().into_iter().filter_map(|(ends, health)| match health {
            TcpHealth::Failed(error) => Some(format!("tcp {}: {error}", ends.remote)),
            TcpHealth::Connecting | TcpHealth::Open | TcpHealth::Idle => None,
        });
        let relays = TARGETS.into_iter().flat_map(|target| match self.relays.state(target) {
            RelayState::Failed(failures) => failures.iter().map(ToString::to_string).collect(),
            RelayState::Unused | RelayState::Connecting | RelayState::Ready { .. } => Vec::new(),
        });
        let mut failures: Vec<String> = tcp.chain(relays).collect();
        failures.sort();
        failures.dedup();
        failures
    }

    /// Datagrams that were not sent: the system, a TCP connection or a relay did not take them.
    pub(crate) fn unsent(&self) -> u64 {
        let (tcp, relays) = (self.tcp.counters(), self.relays.counters());
        let tcp = tcp.queue_full + tcp.not_connected + tcp.too_many_connections + tcp.too_long;
        let relays = relays.queue_full + relays.not_ready + relays.not_allowed + relays.too_many_peers;
        self.udp.unsent() + tcp + relays
    }

    /// To which of our addresses a datagram of this socket's family has come, if the system does not tell.
    pub(crate) fn any_address(&self, is_ipv4: bool) -> Option<IpAddr> {
        self.addresses.iter().find(|address| address.is_ipv4() == is_ipv4).copied()
    }
}

/// Loopback is of use with a server on this machine alone.
fn offered(mut addresses: BTreeSet<IpAddr>, with_loopback: bool) -> BTreeSet<IpAddr> {
    addresses.retain(|address| with_loopback || !address.is_loopback());
    addresses
}
