//! Everything of a worker that datagrams leave by.

use trackyard_peer::{Transmit, Transport};

use crate::counters::NetCounters;
use crate::tcp::Connections;
use crate::udp::{Sender, UdpPort};

/// The worker's sockets.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) ports: Vec<UdpPort>,
    pub(crate) connections: Connections,
    sender: Sender,
}

impl Wire {
    pub(crate) fn new(ports: Vec<UdpPort>, connections: Connections) -> Self {
        Self { ports, connections, sender: Sender::default() }
    }

    pub(crate) fn send(&mut self, transmit: &Transmit, counters: &NetCounters) {
        match transmit.transport {
            Transport::Udp => self.sender.push(&self.ports, transmit, counters),
            Transport::Tcp => self.connections.send(transmit, counters),
        }
    }

    /// Forgets what was to be sent, and closes all connections; the sockets stay.
    pub(crate) fn reset(&mut self) {
        self.sender = Sender::default();
        self.connections.close_all();
    }

    /// Sends what waits for more of its kind.
    pub(crate) fn flush(&mut self, counters: &NetCounters) {
        self.sender.flush(&self.ports, counters);
    }
}
