//! What the sockets and threads are to be.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Configuration of [`start`](crate::start).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NetConfig {
    /// Worker threads; at least one.
    pub workers: usize,
    /// UDP addresses, bound by every worker so that the kernel spreads the load. Port 0 takes a free one.
    pub udp: Vec<SocketAddr>,
    /// Instead of the ports in `udp`: each worker takes a free port of this range on each address.
    pub udp_range: Option<RangeInclusive<u16>>,
    /// ICE/TCP addresses. Port 0 takes a free one.
    pub tcp: Vec<SocketAddr>,
    /// What clients are told about the bound addresses. An unspecified address is told only
    /// through an entry here; any other is told as it is if it has none.
    pub advertised: Vec<Advertised>,
    /// Largest datagram.
    pub mtu: usize,
    /// Peers per worker.
    pub peers_max: usize,
    /// ICE/TCP connections in all.
    pub tcp_connections_max: usize,
    /// ICE/TCP connections from one address.
    pub tcp_connections_per_address_max: usize,
    /// Time for a new ICE/TCP connection to show a first whole frame.
    pub tcp_greeting_max: Duration,
    /// Time between whole frames of an ICE/TCP connection; clients check consent every few seconds (RFC 7675).
    pub tcp_silence_max: Duration,
    /// Binding requests a second from one address, as long as no peer is known to be there. Loopback is exempt.
    pub stun_rate: u32,
    /// A worker that is busy for so many thousandths of its time, for seconds, is overloaded; 0: none ever is.
    pub load_limit_permille: u32,
    /// Datagrams that wait for longer than this, on average, make a worker hold publishers to fair shares of what it can
    /// carry; zero: never.
    pub input_wait_max: Duration,
}

impl Default for NetConfig {
    fn default() -> Self {
        Self {
            workers: 1,
            udp: Vec::new(),
            udp_range: None,
            tcp: Vec::new(),
            advertised: Vec::new(),
            mtu: 1200,
            peers_max: 20_000,
            tcp_connections_max: 10_000,
            tcp_connections_per_address_max: 256,
            tcp_greeting_max: Duration::from_secs(10),
            tcp_silence_max: Duration::from_secs(60),
            stun_rate: 500,
            load_limit_permille: 950,
            input_wait_max: Duration::from_millis(30),
        }
    }
}

/// An address of this machine, and what clients are told in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advertised {
    /// Where datagrams arrive here; unspecified: wherever no other entry fits (behind a translator
    /// whose inner address is not known).
    pub local: IpAddr,
    /// Where clients send them.
    pub public: IpAddr,
}

/// Why the workers cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No worker was asked for, or more than ids exist.
    #[error("{0} workers: at least 1 and at most 1024 are needed")]
    WorkerCount(usize),
    /// No address to listen on.
    #[error("no UDP or TCP address to listen on")]
    NoAddress,
    /// Clients would not be told of any address.
    #[error("no address of this machine to tell clients about: set the node address")]
    NothingAdvertised,
    /// A socket cannot be had.
    #[error("cannot listen on {address}")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No port of the range is free.
    #[error("no free UDP port on {address} in {start}..={end}")]
    RangeExhausted {
        /// On which address.
        address: IpAddr,
        /// First port tried.
        start: u16,
        /// Last port tried.
        end: u16,
    },
    /// The operating system refuses a poll or a thread.
    #[error("cannot start a worker thread")]
    Thread(#[source] io::Error),
}
