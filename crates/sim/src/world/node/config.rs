//! What a node is like.

use std::net::SocketAddr;
use std::time::Duration;

use trackyard_sfu::forward::WorkerConfig;
use trackyard_sfu::room::RoomConfig;

/// What a node is like.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Two or more show what one alone would hide.
    pub workers: u16,
    /// What rooms start with; the name is added.
    pub room: RoomConfig,
    /// How long a message between rooms and workers may take.
    pub delay_max: Duration,
    /// The media address.
    pub address: SocketAddr,
    /// Encode what is signalled, only to know how long it is.
    pub counts_signal_bytes: bool,
    /// How fast workers are; `None`: infinitely.
    pub pace: Option<Pace>,
    /// What each worker may hold.
    pub worker: WorkerConfig,
}

/// A worker that takes time for what it does.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// For each datagram, packet and command it is given, and for each datagram it sends.
    pub cost: Duration,
    /// For each datagram that it only looks at: it is left unread, or for another worker.
    pub glance: Duration,
    /// Datagrams that its socket keeps for it; the next is lost.
    pub socket_datagrams: usize,
    /// Packets, and as many datagrams, that others of its kind may have sent it; the next is lost.
    pub mail: usize,
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            workers: 2,
            room: RoomConfig::default(),
            delay_max: Duration::from_millis(1),
            address: SocketAddr::from(([192, 0, 2, 1], 7882)),
            counts_signal_bytes: false,
            pace: None,
            worker: WorkerConfig::default(),
        }
    }
}
