//! What a worker's thread shares with the rest of the process.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use trackyard_lanes::LaneStats;
use trackyard_sfu::control::WorkerId;
use trackyard_sfu::forward::WorkerCounters;

use crate::counters::{Counter, NetCounters, NetSnapshot};
use crate::load::Load;
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
    /// A test wants it to die.
    fails: AtomicBool,
    life: AtomicU8,
    deaths: Counter,
    load: LoadCells,
    peers: Counter,
    tcp_connections: Counter,
    core: [Counter; WorkerCounters::LEN],
    /// Published a few times a second, so that its lock is nobody's bottleneck.
    lanes: Mutex<LaneStats>,
}

/// A [`Load`] that one thread writes and any reads, each part by itself.
#[derive(Debug, Default)]
struct LoadCells {
    permille: Counter,
    wait_max_micros: Counter,
    is_overloaded: AtomicBool,
}

/// What a worker's thread is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Life {
    /// It serves.
    Serving,
    /// It has died of a defect and begins anew.
    Resting,
    /// Its thread is gone.
    Ended,
}

/// What a worker has published last.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WorkerSnapshot {
    /// Which worker.
    pub worker: WorkerId,
    /// It serves. `false` outside of a shutdown: it has died of a defect, and its peers with it.
    pub is_alive: bool,
    /// How often it has died of a defect since the process began; it has begun anew each time but perhaps the last.
    pub deaths: u64,
    /// The share of its time in which it did not wait for something to do, in thousandths, over the last half second or so.
    pub load_permille: u32,
    /// The longest that a datagram has waited in its sockets, over the last quarter of a second.
    pub wait_max: Duration,
    /// It has had too much to do for seconds.
    pub is_overloaded: bool,
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
            fails: AtomicBool::new(false),
            life: AtomicU8::new(Life::Serving as u8),
            deaths: Counter::default(),
            load: LoadCells::default(),
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
        self.live(Life::Ended);
    }

    /// The worker has died, and its thread makes a new one of it.
    pub(crate) fn die(&self) {
        // Whoever sees that it has died sees that it does not serve.
        self.live(Life::Resting);
        self.deaths.add(1);
        self.publish_load(Load::default());
    }

    /// It serves again, and has forgotten everything.
    pub(crate) fn revive(&self) {
        self.live(Life::Serving);
    }

    fn live(&self, life: Life) {
        self.life.store(life as u8, Ordering::SeqCst);
    }

    pub(crate) fn serves(&self) -> bool {
        self.life.load(Ordering::SeqCst) == Life::Serving as u8
    }

    /// Has the worker die as of a defect.
    pub(crate) fn fail(&self) {
        self.fails.store(true, Ordering::SeqCst);
        self.mailbox.ring();
    }

    /// Whether it is to stop or to die.
    pub(crate) fn has_orders(&self) -> bool {
        self.is_stopping() || self.fails.load(Ordering::SeqCst)
    }

    /// Whether it is to die; said once.
    pub(crate) fn is_to_fail(&self) -> bool {
        self.fails.load(Ordering::Relaxed) && self.fails.swap(false, Ordering::SeqCst)
    }

    pub(crate) fn load(&self) -> (u64, bool) {
        (self.load.permille.get(), self.load.is_overloaded.load(Ordering::Relaxed))
    }

    pub(crate) fn publish_load(&self, load: Load) {
        self.load.permille.set(load.permille.into());
        self.load.wait_max_micros.set(u64::try_from(load.wait_max.as_micros()).unwrap_or(u64::MAX));
        self.load.is_overloaded.store(load.is_overloaded, Ordering::Relaxed);
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
            is_alive: self.serves(),
            deaths: self.deaths.get(),
            load_permille: u32::try_from(self.load.permille.get()).unwrap_or(u32::MAX),
            wait_max: Duration::from_micros(self.load.wait_max_micros.get()),
            is_overloaded: self.load.is_overloaded.load(Ordering::Relaxed),
            peers: self.peers.get(),
            tcp_connections: self.tcp_connections.get(),
            commands_waiting: self.mailbox.commands.len(),
            core: WorkerCounters::from_values(std::array::from_fn(|index| self.core[index].get())),
            net: self.counters.snapshot(),
            lanes: *self.lanes.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}
