//! Datagrams that are sent together: consecutive ones of the same size from and to the same addresses.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use trackyard_peer::Transmit;

use super::socket::{Outgoing, UdpSocket};

/// The system takes at most 65,507 bytes in one call.
const BYTES_MAX: usize = 60_000;

/// The group being collected. Invariant: all its datagrams but the last have `datagram_bytes`.
#[derive(Default)]
pub(super) struct Group {
    contents: Vec<u8>,
    datagram_bytes: usize,
    count: usize,
    route: Option<Route>,
}

struct Route {
    socket: Arc<UdpSocket>,
    source: IpAddr,
    destination: SocketAddr,
}

impl Group {
    /// Takes a datagram; answers how many were not sent of those that had to go before it.
    pub(super) fn push(&mut self, socket: &Arc<UdpSocket>, transmit: &Transmit) -> u64 {
        let mut unsent = 0;
        if !self.takes(socket, transmit) {
            unsent = self.flush();
            self.route = Some(Route {
                socket: Arc::clone(socket),
                source: transmit.source.ip(),
                destination: transmit.destination,
            });
            self.datagram_bytes = transmit.contents.len();
        }
        self.contents.extend_from_slice(&transmit.contents);
        self.count += 1;
        unsent
    }

    /// Sends what was collected; answers how many were not sent.
    pub(super) fn flush(&mut self) -> u64 {
        let Some(route) = self.route.take() else { return 0 };
        let several = (self.count > 1).then_some(self.datagram_bytes);
        let unsent = match route.send(&self.contents, several) {
            Ok(()) => 0,
            // The system or a device refuses groups; the socket's state makes none from here on.
            Err(error) if self.count > 1 && error.kind() != io::ErrorKind::WouldBlock => {
                let datagrams = self.contents.chunks(self.datagram_bytes.max(1));
                datagrams.map(|contents| u64::from(route.send(contents, None).is_err())).sum()
            }
            Err(_) => self.count as u64,
        };
        self.contents.clear();
        self.count = 0;
        unsent
    }

    fn takes(&self, socket: &Arc<UdpSocket>, transmit: &Transmit) -> bool {
        let Some(route) = &self.route else { return false };
        let bytes = transmit.contents.len();
        Arc::ptr_eq(&route.socket, socket)
            && (route.source, route.destination) == (transmit.source.ip(), transmit.destination)
            && bytes <= self.datagram_bytes
            && self.contents.len() == self.count * self.datagram_bytes
            && self.contents.len() + bytes <= BYTES_MAX
            && self.count < socket.group_max()
    }
}

impl Route {
    fn send(&self, contents: &[u8], datagram_bytes: Option<usize>) -> io::Result<()> {
        let Self { source, destination, .. } = *self;
        self.socket.try_send(Outgoing { source, destination, contents, datagram_bytes })
    }
}
