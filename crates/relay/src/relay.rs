//! A relay, and what may be done to its links.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use trackyard_link::{LinkConfig, LinkStats};
use trackyard_proto::Request;

use crate::signal;

type Filter = Arc<dyn Fn(&Request) -> bool + Send + Sync>;

/// What lies between clients and a server.
#[derive(Clone)]
pub struct RelayConfig {
    /// The server's HTTP address.
    pub server: SocketAddr,
    /// From clients to the server.
    pub up: LinkConfig,
    /// From the server to clients.
    pub down: LinkConfig,
    /// Decides what is lost.
    pub seed: u64,
    /// Leaves the server's TCP candidates as they are, beside the link. Otherwise they are left out.
    pub keeps_tcp: bool,
    /// Requests for which this says no never reach the server.
    pub passes: Option<Filter>,
}

impl RelayConfig {
    /// Nothing but a detour.
    #[must_use]
    pub fn new(server: SocketAddr) -> Self {
        Self {
            server,
            up: LinkConfig::default(),
            down: LinkConfig::default(),
            seed: 0,
            keeps_tcp: false,
            passes: None,
        }
    }
}

impl fmt::Debug for RelayConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RelayConfig");
        debug.field("server", &self.server).field("up", &self.up).field("down", &self.down);
        debug.finish_non_exhaustive()
    }
}

/// What the links of a relay have carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RelayStats {
    /// From clients to the server.
    pub up: LinkStats,
    /// From the server to clients.
    pub down: LinkStats,
    /// Datagrams that found no place on their way into a link, or that a socket did not take.
    pub unsent: u64,
}

/// A relay between clients and a server; ends when it is dropped.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Its tasks.
    _tasks: JoinSet<()>,
}

/// What the tasks of a relay share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: RelayConfig,
    pub(crate) state: watch::Sender<State>,
    stats: Mutex<RelayStats>,
}

/// What may change while a relay runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct State {
    /// Datagrams of clients.
    pub(crate) to_server_passes: bool,
    /// Datagrams of the server.
    pub(crate) to_clients_passes: bool,
    pub(crate) signalling_passes: bool,
    /// Counts the cuts of signal connections.
    pub(crate) cuts: u64,
    /// Counts the changes of address.
    pub(crate) rebinds: u64,
}

impl Default for State {
    fn default() -> Self {
        Self { to_server_passes: true, to_clients_passes: true, signalling_passes: true, cuts: 0, rebinds: 0 }
    }
}

impl Relay {
    /// Listens on a free port of loopback.
    ///
    /// # Errors
    /// When no port is to be had.
    pub async fn start(config: RelayConfig) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (state, _) = watch::channel(State::default());
        let shared = Arc::new(Shared { config, state, stats: Mutex::new(RelayStats::default()) });
        let mut tasks = JoinSet::new();
        tasks.spawn(signal::accept(Arc::clone(&shared), listener));
        Ok(Self { address, shared, _tasks: tasks })
    }

    /// What clients connect to in place of the server.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes everything down, or up again: datagrams vanish, and signalling stands still.
    pub fn set_up(&self, up: bool) {
        self.set_datagrams_up(up);
        self.shared.state.send_modify(|state| state.signalling_passes = up);
    }

    /// Takes datagrams down, or up again; signalling goes on.
    pub fn set_datagrams_up(&self, up: bool) {
        self.shared.state.send_modify(|state| (state.to_server_passes, state.to_clients_passes) = (up, up));
    }

    /// Takes what clients send down, or up again: they receive, and are not heard. Signalling goes on.
    pub fn set_datagrams_to_server_up(&self, up: bool) {
        self.shared.state.send_modify(|state| state.to_server_passes = up);
    }

    /// Cuts all signal connections.
    pub fn cut_signal(&self) {
        self.shared.state.send_modify(|state| state.cuts += 1);
    }

    /// From now on the server sees all clients at other addresses, as behind a router that has forgotten them.
    pub fn rebind(&self) {
        self.shared.state.send_modify(|state| state.rebinds += 1);
    }

    /// What the links have carried so far; those of clients that are gone included.
    #[must_use]
    pub fn stats(&self) -> RelayStats {
        *self.shared.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Whether a request may pass.
    pub(crate) fn passes(&self, request: &Request) -> bool {
        self.config.passes.as_ref().is_none_or(|passes| passes(request))
    }

    pub(crate) fn count(&self, count: impl FnOnce(&mut RelayStats)) {
        count(&mut self.stats.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
