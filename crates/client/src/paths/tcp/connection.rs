//! One ICE/TCP connection: opened for a datagram, opened again after a failure, closed when nobody uses it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};
use trackyard_peer::{Datagram, Transport};

use super::framing::{FrameTooLong, push_frame, take_frame};
use super::{Counters, Ends, TcpHealth, count};
use crate::paths::Inbound;
use crate::paths::backoff::Backoff;

/// For the connection to open; ICE does not wait longer either.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// For the other side to take what is written.
const WRITE_MAX: Duration = Duration::from_secs(10);
/// ICE checks every path it keeps every few seconds: what is silent for this long is not used.
const IDLE_MAX: Duration = Duration::from_secs(30);
const PAUSE_FIRST: Duration = Duration::from_millis(250);
const PAUSE_LONGEST: Duration = Duration::from_secs(8);
/// Datagrams written at once.
const BATCH_DATAGRAMS: usize = 32;
const READ_BYTES: usize = 32 * 1024;

/// Why a connection has failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TcpError {
    /// It could not be opened.
    #[error("the connection could not be opened")]
    Connect(#[source] io::Error),
    /// Nobody has answered: a firewall drops what is sent.
    #[error("nobody has answered within {} s", CONNECT_MAX.as_secs())]
    ConnectTimeout,
    /// The server has closed it.
    #[error("the server has closed the connection")]
    Closed,
    /// It broke.
    #[error("the connection broke")]
    Broken(#[source] io::Error),
    /// The server takes nothing more.
    #[error("the server has taken nothing for {} s", WRITE_MAX.as_secs())]
    Stuck,
    /// The server says nothing.
    #[error("the server has said nothing for {} s", IDLE_MAX.as_secs())]
    Silent,
    /// What comes is not ICE/TCP.
    #[error("what comes is not ICE/TCP")]
    Frame(#[from] FrameTooLong),
}

/// A connection, and what it serves.
pub(super) struct Connection {
    pub(super) ends: Ends,
    pub(super) datagrams: mpsc::Receiver<Vec<u8>>,
    pub(super) inbound: Arc<dyn Inbound>,
    pub(super) counters: Arc<Counters>,
    pub(super) health: watch::Sender<TcpHealth>,
}

impl Connection {
    /// Carries datagrams until nobody sends any.
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::new(PAUSE_FIRST, PAUSE_LONGEST);
        while let Some(first) = self.next().await {
            self.health.send_replace(TcpHealth::Connecting);
            match self.carry(first, &mut backoff).await {
                Ok(()) => break,
                Err(error) => self.health.send_replace(TcpHealth::Failed(Arc::new(error))),
            };
            self.pause(backoff.pause()).await;
        }
        self.health.send_replace(TcpHealth::Idle);
    }

    /// The datagram that opens the connection; none if nobody has sent one for long.
    async fn next(&mut self) -> Option<Vec<u8>> {
        timeout(IDLE_MAX, self.datagrams.recv()).await.ok().flatten()
    }

    /// Opens the connection and uses it. `Ok`: nobody does any more.
    async fn carry(&mut self, first: Vec<u8>, backoff: &mut Backoff) -> Result<(), TcpError> {
        let Self { ends, datagrams, inbound, health, .. } = self;
        let (reader, writer) = open(*ends).await?.into_split();
        health.send_replace(TcpHealth::Open);
        tokio::select! {
            ended = receive(reader, *ends, (inbound.as_ref(), backoff)) => ended,
            ended = transmit(writer, first, datagrams) => ended,
        }
    }

    /// Drops what comes until the time for the next attempt.
    async fn pause(&mut self, pause: Duration) {
        let until = Instant::now() + pause;
        while let Ok(Some(_)) = timeout_at(until, self.datagrams.recv()).await {
            count(&self.counters.not_connected);
        }
    }
}

async fn open(ends: Ends) -> Result<TcpStream, TcpError> {
    let socket = if ends.remote.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(TcpError::Connect)?;
    if !ends.local.ip().is_unspecified() {
        socket.bind(SocketAddr::new(ends.local.ip(), 0)).map_err(TcpError::Connect)?;
    }
    let connected = timeout(CONNECT_MAX, socket.connect(ends.remote)).await;
    let stream = connected.map_err(|_| TcpError::ConnectTimeout)?.map_err(TcpError::Connect)?;
    // A datagram that waits for the one before to be acknowledged is late for nothing.
    stream.set_nodelay(true).map_err(TcpError::Connect)?;
    Ok(stream)
}

/// Hands in what comes.
async fn receive(
    mut reader: OwnedReadHalf,
    ends: Ends,
    (inbound, backoff): (&dyn Inbound, &mut Backoff),
) -> Result<(), TcpError> {
    let mut stream = BytesMut::with_capacity(READ_BYTES);
    loop {
        stream.reserve(READ_BYTES);
        let count = timeout(IDLE_MAX, reader.read_buf(&mut stream)).await.map_err(|_| TcpError::Silent)?;
        if count.map_err(TcpError::Broken)? == 0 {
            return Err(TcpError::Closed);
        }
        while let Some(frame) = take_frame(&mut stream)? {
            backoff.reset();
            let (source, destination) = (ends.remote, ends.local);
            let datagram = Datagram { transport: Transport::Tcp, source, destination, contents: &frame };
            inbound.datagram(ends.target, datagram);
        }
    }
}

/// Writes what is sent, as much at once as there is.
async fn transmit(
    mut writer: OwnedWriteHalf,
    first: Vec<u8>,
    datagrams: &mut mpsc::Receiver<Vec<u8>>,
) -> Result<(), TcpError> {
    let mut batch = vec![first];
    let mut stream = BytesMut::new();
    loop {
        stream.clear();
        batch.drain(..).for_each(|datagram| push_frame(&mut stream, &datagram));
        let written = timeout(WRITE_MAX, writer.write_all(&stream)).await;
        written.map_err(|_| TcpError::Stuck)?.map_err(TcpError::Broken)?;
        let received = timeout(IDLE_MAX, datagrams.recv_many(&mut batch, BATCH_DATAGRAMS)).await;
        if received.is_err() || batch.is_empty() {
            return Ok(());
        }
    }
}
