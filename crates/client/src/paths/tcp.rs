//! ICE/TCP (RFC 6544): connections that this client opens to the server's addresses.
//!
//! A connection is opened by the first datagram for its destination, and again by the next one after it has
//! failed. Nothing here blocks: what a connection does not take is dropped, as on any network.

mod connection;
mod framing;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use trackyard_peer::{Target, Transmit};

use super::Inbound;
use connection::Connection;
pub(crate) use connection::TcpError;
#[cfg(test)]
pub(super) use framing::{push_frame, take_frame};

/// Connections at once. A server has one TCP address or two; a machine tries each from each of its own.
const CONNECTIONS_MAX: usize = 32;
/// Datagrams that wait for a connection: a second's worth of what ICE and a handshake send, or some
/// 300 KB of data. Those that come when it is full are dropped.
const QUEUE_DATAGRAMS_MAX: usize = 256;

/// The TCP connections of both peer connections. Dropping it closes them all.
pub(crate) struct TcpPaths {
    inbound: Arc<dyn Inbound>,
    runtime: Handle,
    connections: HashMap<Ends, Open>,
    tasks: JoinSet<()>,
    counters: Arc<Counters>,
}

/// Which connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Ends {
    /// Whose datagrams it carries.
    pub(crate) target: Target,
    /// Our candidate's address; the connection itself has a port of its own.
    pub(crate) local: SocketAddr,
    /// The server's candidate.
    pub(crate) remote: SocketAddr,
}

/// How a connection is.
#[derive(Debug, Clone)]
pub(crate) enum TcpHealth {
    /// It is being opened.
    Connecting,
    /// It is open.
    Open,
    /// It has failed, and is opened again by what is sent after a pause.
    Failed(Arc<TcpError>),
    /// Nobody has used it for a while.
    Idle,
}

/// What was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TcpCounters {
    /// The connection did not take datagrams as fast as they came.
    pub(crate) queue_full: u64,
    /// The connection had failed a moment before.
    pub(crate) not_connected: u64,
    /// There were as many connections as there may be.
    pub(crate) too_many_connections: u64,
    /// Longer than a frame can be.
    pub(crate) too_long: u64,
}

#[derive(Debug, Default)]
struct Counters {
    queue_full: AtomicU64,
    not_connected: AtomicU64,
    too_many_connections: AtomicU64,
    too_long: AtomicU64,
}

/// A connection with its task.
struct Open {
    queue: mpsc::Sender<Vec<u8>>,
    health: watch::Receiver<TcpHealth>,
}

impl TcpPaths {
    /// None yet; `inbound` takes what comes in, from tasks of `runtime`.
    pub(crate) fn new(inbound: Arc<dyn Inbound>, runtime: Handle) -> Self {
        Self {
            inbound,
            runtime,
            connections: HashMap::new(),
            tasks: JoinSet::new(),
            counters: Arc::default(),
        }
    }

    /// Sends a datagram, over a connection that is opened for it if there is none. Never blocks.
    pub(crate) fn send(&mut self, target: Target, transmit: Transmit) {
        let ends = Ends { target, local: transmit.source, remote: transmit.destination };
        if transmit.contents.len() > framing::FRAME_BYTES_MAX {
            return count(&self.counters.too_long);
        }
        let Some(queue) = self.queue(ends) else { return count(&self.counters.too_many_connections) };
        if queue.try_send(transmit.contents).is_err() {
            count(&self.counters.queue_full);
        }
    }

    /// The network has changed: every connection is closed, and opened anew by what is sent next.
    pub(crate) fn reset(&mut self) {
        self.tasks.abort_all();
        self.connections.clear();
    }

    /// How the connections are that were used lately.
    pub(crate) fn health(&self) -> Vec<(Ends, TcpHealth)> {
        let health = |(ends, open): (&Ends, &Open)| (*ends, open.health.borrow().clone());
        self.connections.iter().map(health).collect()
    }

    /// What was dropped.
    pub(crate) fn counters(&self) -> TcpCounters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TcpCounters {
            queue_full: read(&self.counters.queue_full),
            not_connected: read(&self.counters.not_connected),
            too_many_connections: read(&self.counters.too_many_connections),
            too_long: read(&self.counters.too_long),
        }
    }

    /// The queue of a connection that is there or can be.
    fn queue(&mut self, ends: Ends) -> Option<&mpsc::Sender<Vec<u8>>> {
        let is_there = self.connections.get(&ends).is_some_and(|open| !open.queue.is_closed());
        if !is_there {
            self.connections.retain(|_, open| !open.queue.is_closed());
            if self.connections.len() == CONNECTIONS_MAX {
                return None;
            }
            let open = self.open(ends);
            self.connections.insert(ends, open);
        }
        self.connections.get(&ends).map(|open| &open.queue)
    }

    fn open(&mut self, ends: Ends) -> Open {
        // Those that have ended are forgotten: there are never more tasks than connections.
        while self.tasks.try_join_next().is_some() {}
        let (queue, datagrams) = mpsc::channel(QUEUE_DATAGRAMS_MAX);
        let (told, health) = watch::channel(TcpHealth::Connecting);
        let connection = Connection {
            ends,
            datagrams,
            inbound: Arc::clone(&self.inbound),
            counters: Arc::clone(&self.counters),
            health: told,
        };
        self.tasks.spawn_on(connection.run(), &self.runtime);
        Open { queue, health }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
