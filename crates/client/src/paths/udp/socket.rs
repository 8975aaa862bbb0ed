//! A UDP socket in batches.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};

use quinn_udp::{RecvMeta, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;

/// Asked of the system, which may give less: room for a few of the largest frames.
const SOCKET_BUFFER_BYTES: usize = 4 * 1024 * 1024;
/// The system joins datagrams of one sender up to this size.
pub(crate) const BATCH_BYTES: usize = 65_536;

/// A UDP socket.
pub(crate) struct UdpSocket {
    socket: tokio::net::UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
}

/// Datagrams of one sender.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch {
    pub(crate) source: SocketAddr,
    /// Which address of this machine they were sent to, if the system tells.
    pub(crate) local: Option<IpAddr>,
    pub(crate) bytes: usize,
    /// Of all datagrams but the last.
    pub(crate) datagram_bytes: usize,
}

/// Datagrams to send together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outgoing<'c> {
    pub(super) source: IpAddr,
    pub(super) destination: SocketAddr,
    pub(super) contents: &'c [u8],
    /// Of all datagrams but the last, if there are several.
    pub(super) datagram_bytes: Option<usize>,
}

impl UdpSocket {
    pub(super) fn bind(any: IpAddr) -> io::Result<Self> {
        let address = SocketAddr::new(any, 0);
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if any.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        // A system that gives less is no reason to do without.
        let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
        let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
        socket.bind(&address.into())?;
        let socket = tokio::net::UdpSocket::from_std(socket.into())?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let local = socket.local_addr()?;
        Ok(Self { socket, state, local })
    }

    pub(crate) fn port(&self) -> u16 {
        self.local.port()
    }

    pub(crate) fn is_ipv4(&self) -> bool {
        self.local.is_ipv4()
    }

    /// Waits until there is something to receive.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Receives what is there, without waiting.
    pub(crate) fn try_recv(&self, buffer: &mut [u8]) -> io::Result<Batch> {
        let mut meta = [RecvMeta::default()];
        self.socket.try_io(Interest::READABLE, || {
            self.state.recv(UdpSockRef::from(&self.socket), &mut [IoSliceMut::new(buffer)], &mut meta)
        })?;
        let [meta] = meta;
        let datagram_bytes = meta.stride.max(1);
        Ok(Batch { source: meta.addr, local: meta.dst_ip, bytes: meta.len, datagram_bytes })
    }

    /// Datagrams that may go together.
    pub(super) fn group_max(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Sends without waiting.
    pub(super) fn try_send(&self, outgoing: Outgoing<'_>) -> io::Result<()> {
        let Outgoing { source, destination, contents, datagram_bytes } = outgoing;
        let transmit = quinn_udp::Transmit {
            destination,
            ecn: None,
            contents,
            segment_size: datagram_bytes,
            src_ip: Some(source),
        };
        self.socket
            .try_io(Interest::WRITABLE, || self.state.try_send(UdpSockRef::from(&self.socket), &transmit))
    }
}
