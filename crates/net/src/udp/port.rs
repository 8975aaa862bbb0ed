//! A worker's socket on one address.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::ops::RangeInclusive;

use quinn_udp::{UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};

use crate::names::Names;
use crate::{NetConfig, StartError};

/// Asked of the kernel, which may give less: room for a few milliseconds of full load.
const SOCKET_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// A bound socket.
#[derive(Debug)]
pub(crate) struct UdpPort {
    pub(crate) socket: mio::net::UdpSocket,
    pub(crate) state: UdpSocketState,
    pub(crate) bound: SocketAddr,
    pub(crate) names: Names,
}

/// Whether others of this process bind the same address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Alone,
    Shared,
}

/// The sockets of all workers: one list per worker.
pub(crate) fn bind_all(config: &NetConfig) -> Result<Vec<Vec<UdpPort>>, StartError> {
    let mut workers: Vec<Vec<UdpPort>> = (0..config.workers).map(|_| Vec::new()).collect();
    for &address in &config.udp {
        let sockets = match &config.udp_range {
            Some(range) => bind_in_range(address, range, config.workers)?,
            None => bind_shared(address, config.workers)?,
        };
        for (ports, socket) in workers.iter_mut().zip(sockets) {
            let port = UdpPort::new(socket, config).map_err(|source| StartError::Bind { address, source })?;
            ports.push(port);
        }
    }
    Ok(workers)
}

impl UdpPort {
    fn new(socket: UdpSocket, config: &NetConfig) -> io::Result<Self> {
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let bound = socket.local_addr()?;
        let names = Names::of(bound, &config.advertised);
        Ok(Self { socket: mio::net::UdpSocket::from_std(socket), state, bound, names })
    }
}

/// One socket per worker on the same address; the kernel spreads senders over them.
fn bind_shared(address: SocketAddr, workers: usize) -> Result<Vec<UdpSocket>, StartError> {
    let in_context = |source| StartError::Bind { address, source };
    // A shared bind also succeeds beside another process that shares: the first one is alone, so
    // that a port in use is an error.
    let first = bind(address, Sharing::Alone).map_err(in_context)?;
    if workers == 1 {
        return Ok(vec![first]);
    }
    let address = first.local_addr().map_err(in_context)?;
    drop(first);
    (0..workers).map(|_| bind(address, Sharing::Shared).map_err(in_context)).collect()
}

/// One free port of the range per worker.
fn bind_in_range(
    address: SocketAddr,
    range: &RangeInclusive<u16>,
    workers: usize,
) -> Result<Vec<UdpSocket>, StartError> {
    let (mut sockets, mut refusal) = (Vec::with_capacity(workers), None);
    for port in range.clone() {
        if sockets.len() == workers {
            break;
        }
        let address = SocketAddr::new(address.ip(), port);
        match bind(address, Sharing::Alone) {
            Ok(socket) => sockets.push(socket),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(source) => refusal = Some(StartError::Bind { address, source }),
        }
    }
    if sockets.len() < workers {
        let (start, end) = (*range.start(), *range.end());
        return Err(refusal.unwrap_or(StartError::RangeExhausted { address: address.ip(), start, end }));
    }
    Ok(sockets)
}

fn bind(address: SocketAddr, sharing: Sharing) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    #[cfg(unix)]
    if sharing == Sharing::Shared {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    // A kernel that gives less, or nothing more, is no reason not to start.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn config(workers: usize, port: u16) -> NetConfig {
        NetConfig {
            workers,
            udp: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))],
            ..NetConfig::default()
        }
    }

    #[test]
    fn workers_share_a_port_and_nobody_else_does() {
        let workers = bind_all(&config(3, 0)).unwrap();
        let port = workers[0][0].bound.port();
        assert!(workers.iter().all(|ports| ports[0].bound.port() == port));
        assert!(matches!(bind_all(&config(2, port)), Err(StartError::Bind { .. })));
    }

    #[test]
    fn a_range_gives_each_worker_a_port_until_it_is_exhausted() {
        let free = bind_all(&config(1, 0)).unwrap()[0][0].bound.port();
        let range = |end| NetConfig { udp_range: Some(free..=end), ..config(2, 0) };
        assert!(matches!(bind_all(&range(free)), Err(StartError::RangeExhausted { .. })));
        let workers = bind_all(&range(free.saturating_add(500))).unwrap();
        assert_ne!(workers[0][0].bound.port(), workers[1][0].bound.port());
    }

    #[test]
    fn an_address_that_is_not_of_this_machine_is_not_taken_for_a_range_in_use() {
        // Set aside for documentation.
        let udp = vec![SocketAddr::from(([192, 0, 2, 1], 0))];
        let config = NetConfig { udp, udp_range: Some(50_000..=50_009), ..NetConfig::default() };
        let Err(StartError::Bind { source, .. }) = bind_all(&config) else { panic!("it cannot be bound") };
        assert_eq!(source.kind(), io::ErrorKind::AddrNotAvailable);
    }
}
