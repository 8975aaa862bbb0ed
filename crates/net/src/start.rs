//! Binds the sockets and starts the threads.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use mio::{Poll, Waker};
use trackyard_peer::{ConnectionFactory, Str0mFactory, Transport};
use trackyard_sfu::control::WorkerId;
use trackyard_sfu::forward::WorkerConfig;

use crate::mailbox::Mailbox;
use crate::shared::{Roster, Shared};
use crate::switch::Blueprint;
use crate::table::SharedTable;
use crate::tcp::{Connections, Listener, listen_all};
use crate::thread::{FIRST_CONNECTION, WAKER, WorkerThread};
use crate::udp::{UdpPort, bind_all};
use crate::wire::Wire;
use crate::workers::{Addresses, Running, Workers};
use crate::{EventSink, NetConfig, StartError};

/// More serve no machine.
const WORKERS_MAX: usize = 1_024;

/// What clients of a worker are to be told: its host candidates.
pub type Candidates = Vec<(Transport, SocketAddr)>;

/// Starts workers that serve WebRTC clients.
///
/// # Errors
/// [`StartError`]; nothing stays bound or running then.
pub fn start<S: EventSink>(config: &NetConfig, sink: &S) -> Result<Workers, StartError> {
    start_with(config, sink, |candidates| Str0mFactory::for_server(candidates, config.mtu))
}

/// Starts workers whose connections are made by factories of the caller's: `make_factory` is called
/// once per worker, with its candidates.
///
/// # Errors
/// [`StartError`]; nothing stays bound or running then.
pub fn start_with<F, S>(
    config: &NetConfig,
    sink: &S,
    mut make_factory: impl FnMut(Candidates) -> F,
) -> Result<Workers, StartError>
where
    F: ConnectionFactory + Clone + Send + 'static,
    F::Connection: Send,
    S: EventSink,
{
    if !(1..=WORKERS_MAX).contains(&config.workers) {
        return Err(StartError::WorkerCount(config.workers));
    }
    if config.udp.is_empty() && config.tcp.is_empty() {
        return Err(StartError::NoAddress);
    }
    let (ports, listeners) = (bind_all(config)?, listen_all(config)?);
    let addresses = addresses(&ports, &listeners);
    let candidates = candidates(&ports, &listeners)?;
    let (polls, workers) = share(config.workers).map_err(StartError::Thread)?;
    let shares_ports = config.workers > 1 && config.udp_range.is_none();
    let site = Site { config, workers, table: Arc::new(SharedTable::new(shares_ports)), sink };
    let mut listeners = Some(listeners);
    let mut crew = Vec::new();
    for ((index, poll), (ports, candidates)) in
        polls.into_iter().enumerate().zip(ports.into_iter().zip(candidates))
    {
        // One worker listens for all: connections are few, and move to whom they belong.
        let listeners = listeners.take().unwrap_or_default();
        let thread = site.build(index, poll, make_factory(candidates), (ports, listeners));
        crew.push(thread.map_err(StartError::Thread)?);
    }
    spawn(crew, &site.workers, addresses)
}

/// What the threads have in common until they run.
struct Site<'a, S> {
    config: &'a NetConfig,
    workers: Roster,
    table: Arc<SharedTable>,
    sink: &'a S,
}

impl<S: EventSink> Site<'_, S> {
    fn build<F: ConnectionFactory + Clone>(
        &self,
        index: usize,
        poll: Poll,
        factory: F,
        (ports, listeners): (Vec<UdpPort>, Vec<Listener>),
    ) -> io::Result<WorkerThread<F, S>> {
        let shared = Arc::clone(&self.workers[index]);
        let mut limits = WorkerConfig::default();
        limits.peers_max = self.config.peers_max;
        limits.input_wait_max = self.config.input_wait_max;
        let blueprint = Blueprint {
            id: shared.id,
            factory,
            limits,
            sink: self.sink.clone(),
            table: Arc::clone(&self.table),
            stun_rate: self.config.stun_rate,
            load_limit_permille: self.config.load_limit_permille,
            workers: Arc::clone(&self.workers),
        };
        let wire = Wire::new(ports, Connections::new(FIRST_CONNECTION));
        WorkerThread::new(poll, shared, blueprint, (wire, listeners))
    }
}

/// Polls and what is shared, by worker.
fn share(count: usize) -> io::Result<(Vec<Poll>, Roster)> {
    let polls: Vec<Poll> = (0..count).map(|_| Poll::new()).collect::<io::Result<_>>()?;
    let shared = |(id, poll): (u16, &Poll)| {
        let waker = Waker::new(poll.registry(), WAKER)?;
        Ok(Arc::new(Shared::new(WorkerId(id), Mailbox::new(waker))))
    };
    let workers: Vec<Arc<Shared>> = (0..).zip(&polls).map(shared).collect::<io::Result<_>>()?;
    Ok((polls, workers.into()))
}

fn spawn<F, S>(
    crew: Vec<WorkerThread<F, S>>,
    workers: &Roster,
    addresses: Addresses,
) -> Result<Workers, StartError>
where
    F: ConnectionFactory + Clone + Send + 'static,
    F::Connection: Send,
    S: EventSink,
{
    let running = Arc::new(Running::default());
    let mut threads = Vec::new();
    for (worker, shared) in crew.into_iter().zip(workers.iter()) {
        match spawn_one(worker, Arc::clone(shared), Arc::clone(&running)) {
            Ok(thread) => threads.push(thread),
            Err(error) => {
                workers.iter().for_each(|shared| shared.stop());
                return Err(StartError::Thread(error));
            }
        }
    }
    Ok(Workers::new(Arc::clone(workers), threads, running, addresses))
}

fn spawn_one<F, S>(
    worker: WorkerThread<F, S>,
    shared: Arc<Shared>,
    running: Arc<Running>,
) -> io::Result<JoinHandle<()>>
where
    F: ConnectionFactory + Clone + Send + 'static,
    F::Connection: Send,
    S: EventSink,
{
    let name = format!("worker-{}", shared.id.0);
    running.begin();
    let farewell = Farewell { shared, running };
    thread::Builder::new().name(name).spawn(move || {
        // Locals are dropped in reverse: the sockets are closed when the end is told, also by a panic.
        let _farewell = farewell;
        let mut worker = worker;
        worker.run();
    })
}

/// Tells that a thread has ended, whether it returned, panicked or never began.
struct Farewell {
    shared: Arc<Shared>,
    running: Arc<Running>,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        self.shared.end();
        self.running.end();
        if thread::panicking() {
            tracing::error!(worker = self.shared.id.0, "a worker thread has panicked for good");
        }
    }
}

fn addresses(ports: &[Vec<UdpPort>], listeners: &[Listener]) -> Addresses {
    let udp: BTreeSet<SocketAddr> = ports.iter().flatten().map(|port| port.bound).collect();
    let tcp = listeners.iter().map(|listener| listener.bound).collect();
    Addresses { udp: udp.into_iter().collect(), tcp }
}

/// The candidates of each worker: its own UDP sockets, and the listeners of all.
fn candidates(ports: &[Vec<UdpPort>], listeners: &[Listener]) -> Result<Vec<Candidates>, StartError> {
    let tcp = || listeners.iter().flat_map(|listener| listener.names.public());
    let of_worker = |ports: &Vec<UdpPort>| {
        let udp = ports.iter().flat_map(|port| port.names.public());
        let candidates: Candidates =
            udp.map(|name| (Transport::Udp, name)).chain(tcp().map(|name| (Transport::Tcp, name))).collect();
        if candidates.is_empty() { Err(StartError::NothingAdvertised) } else { Ok(candidates) }
    };
    ports.iter().map(of_worker).collect()
}
