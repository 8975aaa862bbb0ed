//! What carries TURN to a relay: UDP, TCP, or TLS over TCP.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::TurnError;
use super::framing::{push_message, take_message};
use super::url::{Carrier, TurnUrl};

/// For a relay to take what is written.
const WRITE_MAX: Duration = Duration::from_secs(5);
/// The longest datagram, and more than a TLS record.
const READ_BYTES: usize = 64 * 1024;

/// A way to a relay.
pub(super) struct Link {
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    carriage: Carriage,
    incoming: BytesMut,
    outgoing: BytesMut,
}

enum Carriage {
    Datagrams(UdpSocket),
    Stream(Box<dyn Stream>),
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Link {
    /// Opens a way to one of a relay's addresses. The caller sets the deadline.
    pub(super) async fn open(
        url: &TurnUrl,
        remote: SocketAddr,
        tls: &Arc<ClientConfig>,
    ) -> Result<Self, TurnError> {
        if url.carrier == Carrier::Udp {
            let socket = open_udp(remote).await.map_err(TurnError::Unreachable)?;
            let local = socket.local_addr().map_err(TurnError::Unreachable)?;
            return Ok(Self::new((local, remote), Carriage::Datagrams(socket)));
        }
        let stream = TcpStream::connect(remote).await.map_err(TurnError::Unreachable)?;
        stream.set_nodelay(true).map_err(TurnError::Unreachable)?;
        let local = stream.local_addr().map_err(TurnError::Unreachable)?;
        let stream: Box<dyn Stream> = match url.carrier {
            Carrier::Tls => Box::new(secure(stream, &url.host, tls).await?),
            Carrier::Udp | Carrier::Tcp => Box::new(stream),
        };
        Ok(Self::new((local, remote), Carriage::Stream(stream)))
    }

    fn new((local, remote): (SocketAddr, SocketAddr), carriage: Carriage) -> Self {
        Self { local, remote, carriage, incoming: BytesMut::new(), outgoing: BytesMut::new() }
    }

    pub(super) fn is_stream(&self) -> bool {
        matches!(self.carriage, Carriage::Stream(_))
    }

    /// The next message of the relay.
    ///
    /// # Cancel safety
    /// Nothing is lost: what has come in part is kept.
    pub(super) async fn receive(&mut self) -> Result<BytesMut, TurnError> {
        let stream = match &mut self.carriage {
            Carriage::Datagrams(socket) => {
                self.incoming.reserve(READ_BYTES);
                socket.recv_buf(&mut self.incoming).await.map_err(TurnError::Unreachable)?;
                return Ok(self.incoming.split());
            }
            Carriage::Stream(stream) => stream,
        };
        loop {
            if let Some(message) = take_message(&mut self.incoming)? {
                return Ok(message);
            }
            self.incoming.reserve(READ_BYTES);
            if stream.read_buf(&mut self.incoming).await.map_err(TurnError::Broken)? == 0 {
                return Err(TurnError::Closed);
            }
        }
    }

    /// Sends a message. One that a UDP socket does not take is lost, as on any network.
    pub(super) async fn send(&mut self, message: &[u8]) -> Result<(), TurnError> {
        match &mut self.carriage {
            Carriage::Datagrams(socket) => match socket.send(message).await {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    Err(TurnError::Unreachable(error))
                }
                Ok(_) | Err(_) => Ok(()),
            },
            Carriage::Stream(stream) => {
                self.outgoing.clear();
                push_message(&mut self.outgoing, message);
                let write = async {
                    stream.write_all(&self.outgoing).await?;
                    stream.flush().await
                };
                timeout(WRITE_MAX, write).await.map_err(|_| TurnError::Stuck)?.map_err(TurnError::Broken)
            }
        }
    }

    /// Sends a message if that is possible at once. Only over UDP: the end of a stream says enough.
    pub(super) fn try_send(&self, message: &[u8]) {
        if let Carriage::Datagrams(socket) = &self.carriage {
            // It is a courtesy; the relay forgets by itself, only later.
            let _ = socket.try_send(message);
        }
    }
}

async fn open_udp(remote: SocketAddr) -> io::Result<UdpSocket> {
    let any = match remote {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(remote).await?;
    Ok(socket)
}

async fn secure(
    stream: TcpStream,
    host: &str,
    tls: &Arc<ClientConfig>,
) -> Result<TlsStream<TcpStream>, TurnError> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| TurnError::Tls(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
    TlsConnector::from(Arc::clone(tls)).connect(name, stream).await.map_err(TurnError::Tls)
}
