//! Listens for ICE/TCP connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::net::TcpListener;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, Socket, Type};

use super::connection::{Ends, Patience};
use super::{Connection, Permits};
use crate::counters::NetCounters;
use crate::names::Names;
use crate::{NetConfig, StartError};

/// Connections the kernel keeps for us until they are accepted.
const BACKLOG: i32 = 1_024;
/// Connections accepted in one pass.
const ACCEPTS_PER_PASS: usize = 32;
/// After an error: when descriptors are short, trying at once would only burn time.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// A listening socket.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    permits: Arc<Permits>,
    patience: Patience,
    pub(crate) bound: SocketAddr,
    pub(crate) names: Names,
    /// Something may wait to be accepted, from then on.
    pub(crate) ready_at: Option<Instant>,
}

/// All listeners of the configuration.
pub(crate) fn listen_all(config: &NetConfig) -> Result<Vec<Listener>, StartError> {
    let permits = Permits::new(config.tcp_connections_max, config.tcp_connections_per_address_max);
    let listen = |&address: &SocketAddr| {
        Listener::bind(address, config, Arc::clone(&permits))
            .map_err(|source| StartError::Bind { address, source })
    };
    config.tcp.iter().map(listen).collect()
}

impl Listener {
    fn bind(address: SocketAddr, config: &NetConfig, permits: Arc<Permits>) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // A restarted server must not wait for connections of the one before to be forgotten.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let socket = TcpListener::from_std(socket.into());
        let bound = socket.local_addr()?;
        let names = Names::of(bound, &config.advertised);
        let patience =
            Patience { greeting_max: config.tcp_greeting_max, silence_max: config.tcp_silence_max };
        Ok(Self { socket, permits, patience, bound, names, ready_at: None })
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.socket, token, Interest::READABLE)
    }

    /// Accepts what waits, within the pass's budget.
    pub(crate) fn accept(&mut self, counters: &NetCounters, now: Instant) -> Vec<Connection> {
        let mut accepted = Vec::new();
        if self.ready_at.is_none_or(|at| at > now) {
            return accepted;
        }
        for _ in 0..ACCEPTS_PER_PASS {
            match self.accept_one(counters, now) {
                Ok(connection) => accepted.extend(connection),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.ready_at = None;
                    break;
                }
                Err(_) => {
                    counters.tcp_accept_failed.add(1);
                    self.ready_at = Some(now + RETRY_INTERVAL);
                    break;
                }
            }
        }
        accepted
    }

    fn accept_one(&self, counters: &NetCounters, now: Instant) -> io::Result<Option<Connection>> {
        let (stream, remote) = self.socket.accept()?;
        // Media cannot wait for Nagle's algorithm; a socket that refuses is slower and no worse.
        let _ = stream.set_nodelay(true);
        let local = self.names.public_of(stream.local_addr().ok().map(|address| address.ip()));
        match (self.permits.take(remote.ip()), local) {
            (Some(permit), Some(local)) => {
                counters.tcp_accepted.add(1);
                Ok(Some(Connection::new(stream, Ends { local, remote }, permit, (self.patience, now))))
            }
            _ => {
                counters.tcp_refused.add(1);
                Ok(None)
            }
        }
    }
}
