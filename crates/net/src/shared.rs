//! What a worker's thread shares with the rest of the process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use trackyard_lanes::LaneStats;
use trackyard_sfu::control::WorkerId;
use trackyard_sfu::forward::WorkerCounters;

use crate::counters::{Counter, NetCounters, NetSnapshot};
use crate::mailbox::Mailbox;

/// What is shared of all workers, by their ids.
pub(crate) type Roster = Arc<[Arc<Shared>]>;

/// One per worker.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) id: WorkerId,
    pub(crate) mailbox: Mailbox,
    pub(crate) counters: NetCounters,
    stop: AtomicBool,
    ended: AtomicBool,
    peers: Counter,
    tcp_connections: Counter,
    core: [Counter; WorkerCounters::LEN],
    /// Published a few times a second, so that its lock is nobody's bottleneck.
    lanes: Mutex<LaneStats>,
}

/// What a worker has published last.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WorkerSnapshot {
    /// Which worker.
    pub worker: WorkerId,
    /// Its thread runs. `false` outside of a shutdown: it has died of a defect, and its peers with it.
    pub is_alive: bool,
    /// Peers at present.
    pub peers: u64,
    /// ICE/TCP connections at present.
    pub tcp_connections: u64,
    /// Commands that wait for it.
    pub commands_waiting: usize,
    /// What its core has counted.
    pub core: WorkerCounters,
    /// What its sockets have counted.
    pub net: NetSnapshot,
    /// Lane totals of all its peers, past ones included; at most a quarter of a second old.
    pub lanes: LaneStats,
}

impl Shared {
    pub(crate) fn new(id: WorkerId, mailbox: Mailbox) -> Self {
        Self {
            id,
            mailbox,
            counters: NetCounters::default(),
            stop: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            peers: Counter::default(),
            tcp_connections: Counter::default(),
            core: std::array::from_fn(|_| Counter::default()),
            lanes: Mutex::default(),
        }
    }

    /// Asks the thread to end.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        self.mailbox.ring();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// The thread has ended, in whatever way.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    pub(crate) fn peers(&self) -> u64 {
        self.peers.get()
    }

    pub(crate) fn publish(&self, counters: &WorkerCounters, peers: usize, tcp_connections: usize) {
        for (published, value) in self.core.iter().zip(counters.values()) {
            published.set(value);
        }
        self.peers.set(peers as u64);
        self.tcp_connections.set(tcp_connections as u64);
    }

    pub(crate) fn publish_lanes(&self, lanes: LaneStats) {
        *self.lanes.lock().unwrap_or_else(PoisonError::into_inner) = lanes;
    }

    pub(crate) fn snapshot(&self) -> WorkerSnapshot {
        WorkerSnapshot {
            worker: self.id,
            is_alive: !self.has_ended(),
            peers: self.peers.get(),
            tcp_connections: self.tcp_connections.get(),
            commands_waiting: self.mailbox.commands.len(),
            core: WorkerCounters::from_values(std::array::from_fn(|index| self.core[index].get())),
            net: self.counters.snapshot(),
            lanes: *self.lanes.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}
