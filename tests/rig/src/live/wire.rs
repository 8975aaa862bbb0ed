//! What carries the datagrams of one connection: a UDP socket, or a TCP stream framed by RFC 4571.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::net::{TcpStream, UdpSocket};
use trackyard_peer::{LocalAddress, Str0mFactory, Transport};

use super::Path;

/// The largest datagram that is read.
const DATAGRAM_BYTES_MAX: usize = 2048;
/// Bytes read from a stream at once.
const READ_BYTES: usize = 64 * 1024;
/// Bytes that may wait for a stream; beyond it datagrams are lost.
const WAITING_BYTES_MAX: usize = 1024 * 1024;

pub(super) struct Wire {
    carrier: Carrier,
    local: SocketAddr,
}

enum Carrier {
    Udp(UdpSocket),
    Tcp { stream: TcpStream, server: SocketAddr, unread: Vec<u8>, unwritten: Vec<u8> },
}

impl Wire {
    pub(super) async fn open(path: Path) -> Result<Self> {
        match path {
            Path::Udp => {
                let socket = UdpSocket::bind(("127.0.0.1", 0)).await?;
                let local = socket.local_addr()?;
                Ok(Self { carrier: Carrier::Udp(socket), local })
            }
            Path::Tcp(server) => {
                let stream = TcpStream::connect(server).await.context("ICE/TCP is not served")?;
                stream.set_nodelay(true)?;
                let local = stream.local_addr()?;
                let carrier = Carrier::Tcp { stream, server, unread: Vec::new(), unwritten: Vec::new() };
                Ok(Self { carrier, local })
            }
        }
    }

    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    pub(super) fn transport(&self) -> Transport {
        match self.carrier {
            Carrier::Udp(_) => Transport::Udp,
            Carrier::Tcp { .. } => Transport::Tcp,
        }
    }

    pub(super) fn factory(&self) -> Str0mFactory {
        Str0mFactory {
            candidates: vec![LocalAddress::listening((self.transport(), self.local))],
            ..Str0mFactory::for_client(self.local)
        }
    }

    /// Waits until something can be read, or a stream that has bytes waiting can be written.
    pub(super) async fn ready(&self) -> io::Result<()> {
        match &self.carrier {
            Carrier::Udp(socket) => socket.readable().await,
            Carrier::Tcp { stream, unwritten, .. } if unwritten.is_empty() => stream.readable().await,
            Carrier::Tcp { stream, .. } => {
                tokio::select! {
                    ready = stream.readable() => ready,
                    ready = stream.writable() => ready,
                }
            }
        }
    }

    /// A datagram and who has sent it, if one is there.
    pub(super) fn try_recv(&mut self) -> io::Result<Option<(SocketAddr, Vec<u8>)>> {
        match &mut self.carrier {
            Carrier::Udp(socket) => {
                let mut buffer = [0; DATAGRAM_BYTES_MAX];
                let received = not_yet(socket.try_recv_from(&mut buffer))?;
                Ok(received.map(|(length, source)| (source, buffer[..length].to_vec())))
            }
            Carrier::Tcp { stream, server, unread, unwritten } => {
                write_waiting(stream, unwritten)?;
                if let Some(frame) = take_frame(unread) {
                    return Ok(Some((*server, frame)));
                }
                let mut buffer = vec![0; READ_BYTES];
                match not_yet(stream.try_read(&mut buffer))? {
                    Some(0) => Err(ErrorKind::UnexpectedEof.into()),
                    Some(length) => {
                        unread.extend_from_slice(&buffer[..length]);
                        Ok(take_frame(unread).map(|frame| (*server, frame)))
                    }
                    None => Ok(None),
                }
            }
        }
    }

    /// Sends a datagram, or loses it, as any path may.
    pub(super) fn send(&mut self, destination: SocketAddr, contents: &[u8]) -> io::Result<()> {
        match &mut self.carrier {
            Carrier::Udp(socket) => {
                // A full socket buffer is one more way to be lost.
                let _ = socket.try_send_to(contents, destination);
                Ok(())
            }
            Carrier::Tcp { stream, unwritten, .. } => {
                let Ok(length) = u16::try_from(contents.len()) else { return Ok(()) };
                if unwritten.len() + contents.len() <= WAITING_BYTES_MAX {
                    unwritten.extend_from_slice(&length.to_be_bytes());
                    unwritten.extend_from_slice(contents);
                }
                write_waiting(stream, unwritten)
            }
        }
    }
}

fn write_waiting(stream: &TcpStream, unwritten: &mut Vec<u8>) -> io::Result<()> {
    while !unwritten.is_empty() {
        let Some(written) = not_yet(stream.try_write(unwritten))? else { break };
        unwritten.drain(..written);
    }
    Ok(())
}

fn take_frame(unread: &mut Vec<u8>) -> Option<Vec<u8>> {
    let (prefix, rest) = unread.split_first_chunk::<2>()?;
    let frame = rest.get(..usize::from(u16::from_be_bytes(*prefix)))?.to_vec();
    unread.drain(..2 + frame.len());
    Some(frame)
}

fn not_yet<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
