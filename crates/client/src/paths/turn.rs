//! Relays (TURN, RFC 8656): the way to a server where a firewall lets nothing else through.
//!
//! Each peer connection has an address at one relay, which passes UDP on; the way to the relay itself is UDP, TCP or
//! TLS. Nothing here blocks: what a relay does not take is dropped, as on any network.

mod allocation;
#[cfg(test)]
pub(super) mod coturn;
mod error;
mod establish;
mod framing;
mod link;
mod peers;
mod refusal;
mod relay;
#[cfg(test)]
mod tests;
mod url;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls::ClientConfig;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use trackyard_peer::{Target, Transmit};
use trackyard_proto::signal::IceServer;

use super::Inbound;
pub(crate) use error::TurnError;
use establish::Established;
use relay::{Outgoing, Relay};
use url::{Carrier, TurnUrl, TurnUrlError};

/// URLs that are tried; servers name one to three.
const CANDIDATES_MAX: usize = 8;
/// Datagrams that wait for the way to a relay. Those that come when it is full are dropped.
const QUEUE_DATAGRAMS_MAX: usize = 256;
/// Addresses of before that are remembered, so that nothing is sent from them another way.
const FORMER_MAX: usize = 8;

/// The relays of both peer connections. Dropping it ends them and gives their addresses back.
pub(crate) struct Relays {
    inbound: Arc<dyn Inbound>,
    tls: Arc<ClientConfig>,
    runtime: Handle,
    running: [Option<Running>; 2],
    counters: Arc<Counters>,
}

/// How the relay of a peer connection is.
#[derive(Debug, Clone, Default)]
pub(crate) enum RelayState {
    /// The server has named none.
    #[default]
    Unused,
    /// An address is asked for.
    Connecting,
    /// There is an address.
    Ready {
        /// Of the relay, as the server has named it.
        url: String,
        /// The address.
        relayed: SocketAddr,
    },
    /// There is none: why, for each relay that was tried. It is tried again, later and later, unless that is of no
    /// use before there are other servers or credentials.
    Failed(Vec<Failure>),
}

/// Why there is no address at a relay.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{url}: {error}")]
pub(crate) struct Failure {
    /// As the server has named it.
    pub(crate) url: String,
    /// Why.
    #[source]
    pub(crate) error: Arc<TurnError>,
}

/// What was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RelayCounters {
    /// The way to the relay did not take datagrams as fast as they came.
    pub(crate) queue_full: u64,
    /// There was no address, or no longer the one it was sent from.
    pub(crate) not_ready: u64,
    /// The relay does not pass on to that peer, or has not said yet that it does.
    pub(crate) not_allowed: u64,
    /// There were as many peers as there may be.
    pub(crate) too_many_peers: u64,
    /// What came from the relay could not be used.
    pub(crate) malformed: u64,
}

#[derive(Debug, Default)]
struct Counters {
    queue_full: AtomicU64,
    not_ready: AtomicU64,
    not_allowed: AtomicU64,
    too_many_peers: AtomicU64,
    malformed: AtomicU64,
}

/// What a relay is asked with.
#[derive(Clone, PartialEq, Eq)]
struct Credentials {
    username: String,
    credential: String,
}

/// A relay that may be used.
#[derive(Clone, PartialEq, Eq)]
struct Candidate {
    /// As the server has named it.
    text: String,
    url: Result<TurnUrl, TurnUrlError>,
    credentials: Arc<Credentials>,
}

/// A relay's task.
struct Running {
    candidates: watch::Sender<Vec<Candidate>>,
    outgoing: mpsc::Sender<Outgoing>,
    status: watch::Receiver<RelayStatus>,
    /// One task, which ends with this.
    _task: JoinSet<()>,
}

#[derive(Debug, Default)]
struct RelayStatus {
    state: RelayState,
    former: VecDeque<SocketAddr>,
}

impl Relays {
    /// None yet; `inbound` takes what comes in and is told of addresses, from tasks of `runtime`.
    pub(crate) fn new(inbound: Arc<dyn Inbound>, tls: Arc<ClientConfig>, runtime: Handle) -> Self {
        Self { inbound, tls, runtime, running: [None, None], counters: Arc::default() }
    }

    /// The server has named its relays, or named them anew with fresh credentials. An address at a relay that is
    /// still named is kept.
    pub(crate) fn set_servers(&mut self, target: Target, servers: &[IceServer]) {
        let candidates = candidates(servers);
        match &self.running[target as usize] {
            Some(running) => {
                running.candidates.send_if_modified(|known| {
                    let is_new = *known != candidates;
                    *known = candidates;
                    is_new
                });
            }
            None if candidates.is_empty() => {}
            None => self.running[target as usize] = Some(self.start(target, candidates, VecDeque::new())),
        }
    }

    /// The network has changed: addresses are given back, and others asked for over what there is now.
    pub(crate) fn restart(&mut self) {
        for target in [Target::Publisher, Target::Subscriber] {
            if let Some(running) = self.running[target as usize].take() {
                let candidates = running.candidates.borrow().clone();
                let former = running.status.borrow().addresses();
                drop(running);
                self.running[target as usize] = Some(self.start(target, candidates, former));
            }
        }
    }

    /// Gives all addresses back.
    pub(crate) fn close(&mut self) {
        self.running = [None, None];
    }

    /// Sends a datagram through the relay. Never blocks.
    ///
    /// # Errors
    /// Gives the datagram back if it is not sent from a relay's address.
    pub(crate) fn send(&self, target: Target, transmit: Transmit) -> Result<(), Transmit> {
        let Some(running) = &self.running[target as usize] else { return Err(transmit) };
        let status = running.status.borrow();
        if status.is_current(transmit.source) {
            if running.outgoing.try_send((transmit.destination, transmit.contents)).is_err() {
                count(&self.counters.queue_full);
            }
        } else if status.former.contains(&transmit.source) {
            count(&self.counters.not_ready);
        } else {
            return Err(transmit);
        }
        Ok(())
    }

    /// How the relay of a peer connection is.
    pub(crate) fn state(&self, target: Target) -> RelayState {
        let running = self.running[target as usize].as_ref();
        running.map(|running| running.status.borrow().state.clone()).unwrap_or_default()
    }

    /// What was dropped.
    pub(crate) fn counters(&self) -> RelayCounters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RelayCounters {
            queue_full: read(&self.counters.queue_full),
            not_ready: read(&self.counters.not_ready),
            not_allowed: read(&self.counters.not_allowed),
            too_many_peers: read(&self.counters.too_many_peers),
            malformed: read(&self.counters.malformed),
        }
    }

    fn start(&self, target: Target, candidates: Vec<Candidate>, former: VecDeque<SocketAddr>) -> Running {
        let (told, candidates) = watch::channel(candidates);
        let (queue, outgoing) = mpsc::channel(QUEUE_DATAGRAMS_MAX);
        let (shown, status) = watch::channel(RelayStatus { former, ..RelayStatus::default() });
        let relay = Relay {
            target,
            inbound: Arc::clone(&self.inbound),
            tls: Arc::clone(&self.tls),
            candidates,
            outgoing,
            status: shown,
            counters: Arc::clone(&self.counters),
        };
        let mut task = JoinSet::new();
        task.spawn_on(relay.run(), &self.runtime);
        Running { candidates: told, outgoing: queue, status, _task: task }
    }
}

/// Asks every relay that the servers name for an address, all at once, and gives it back: what came of each, in the
/// order they are tried in.
///
/// # Cancel safety
/// Addresses that were had by then are given back.
pub(crate) async fn probe(servers: &[IceServer], tls: &Arc<ClientConfig>) -> Vec<Probed> {
    let mut probes = JoinSet::new();
    for (order, candidate) in candidates(servers).into_iter().enumerate() {
        let tls = Arc::clone(tls);
        probes.spawn(async move { (order, probe_one(candidate, &tls).await) });
    }
    let mut results = probes.join_all().await;
    results.sort_by_key(|(order, _)| *order);
    results.into_iter().map(|(_, result)| result).collect()
}

/// A relay as the server has named it, and the address that it gives.
pub(crate) type Probed = (String, Result<SocketAddr, Arc<TurnError>>);

async fn probe_one(candidate: Candidate, tls: &Arc<ClientConfig>) -> Probed {
    match establish::attempt(candidate, tls, &Arc::default()).await {
        Ok(Established { url, relayed, ends }) => {
            ends.release().await;
            (url, Ok(relayed))
        }
        Err(Failure { url, error }) => (url, Err(error)),
    }
}

impl RelayStatus {
    fn is_current(&self, address: SocketAddr) -> bool {
        matches!(self.state, RelayState::Ready { relayed, .. } if relayed == address)
    }

    /// Those of before, and the one there is.
    fn addresses(&self) -> VecDeque<SocketAddr> {
        let mut addresses = self.former.clone();
        if let RelayState::Ready { relayed, .. } = self.state {
            addresses.truncate(FORMER_MAX - 1);
            addresses.push_front(relayed);
        }
        addresses
    }

    fn change(&mut self, state: RelayState) {
        self.former = self.addresses();
        self.state = state;
    }
}

/// The relays among the servers, in the order they are tried: UDP before TCP before TLS.
fn candidates(servers: &[IceServer]) -> Vec<Candidate> {
    let of_server = |server: &IceServer| {
        let credentials = Arc::new(Credentials {
            username: server.username.clone(),
            credential: server.credential.clone(),
        });
        let candidate = |text: &String| Candidate {
            text: text.clone(),
            url: TurnUrl::parse(text),
            credentials: Arc::clone(&credentials),
        };
        server.urls.iter().map(candidate).collect::<Vec<_>>()
    };
    let mut candidates: Vec<_> = servers.iter().flat_map(of_server).collect();
    candidates.retain(|candidate| candidate.url != Err(TurnUrlError::Scheme));
    candidates.sort_by_key(|candidate| candidate.url.as_ref().map_or(Carrier::Tls, |url| url.carrier));
    candidates.truncate(CANDIDATES_MAX);
    candidates
}

fn count(counter: &AtomicU64) {
    count_many(counter, 1);
}

fn count_many(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}
