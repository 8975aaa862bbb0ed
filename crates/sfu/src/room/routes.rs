//! Routing changes on their way to workers, and what waits for their confirmation.
//!
//! Changes for one worker are collected into a batch until the room has handled its input. Versions
//! grow with each batch, so a worker that has applied one has applied all before it.

use std::collections::{BTreeMap, HashMap};

use trackyard_wire::Handle;

use crate::control::{PeerId, RoomKey, RouteBatch, RouteChange, TrackKey, WorkerId};

/// A worker applies a batch at once; a longer one would hold its packets back.
const BATCH_CHANGES_MAX: usize = 4_096;

/// A subscription that waits for routes. It may be gone, or be another, when they serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiter {
    pub(super) subscriber: PeerId,
    pub(super) track: TrackKey,
    pub(super) handle: Handle,
}

/// A version of one worker's routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RouteVersion {
    pub(super) worker: WorkerId,
    pub(super) version: u64,
}

/// Routing changes on their way.
#[derive(Debug)]
pub(super) struct Routes {
    room: RoomKey,
    last: u64,
    open: BTreeMap<WorkerId, RouteBatch>,
    full: Vec<(WorkerId, RouteBatch)>,
    applied: HashMap<WorkerId, u64>,
    waiting: BTreeMap<RouteVersion, Vec<Waiter>>,
}

impl Routes {
    pub(super) fn new(room: RoomKey) -> Self {
        Self {
            room,
            last: 0,
            open: BTreeMap::new(),
            full: Vec::new(),
            applied: HashMap::new(),
            waiting: BTreeMap::new(),
        }
    }

    /// Adds a change to the worker's next batch and says which version that is.
    pub(super) fn push(&mut self, worker: WorkerId, change: RouteChange) -> RouteVersion {
        let room = self.room;
        let batch = self.open.entry(worker).or_insert_with(|| {
            self.last += 1;
            RouteBatch { room, version: self.last, changes: Vec::new() }
        });
        batch.changes.push(change);
        let version = batch.version;
        if batch.changes.len() >= BATCH_CHANGES_MAX {
            self.full.extend(self.open.remove_entry(&worker));
        }
        RouteVersion { worker, version }
    }

    /// Batches to send, in order.
    pub(super) fn take(&mut self) -> impl Iterator<Item = (WorkerId, RouteBatch)> + use<> {
        std::mem::take(&mut self.full).into_iter().chain(std::mem::take(&mut self.open))
    }

    /// A worker has applied a batch: those who waited for it.
    pub(super) fn apply(&mut self, applied: RouteVersion) -> Vec<Waiter> {
        let RouteVersion { worker, version } = applied;
        let known = self.applied.entry(worker).or_default();
        *known = version.max(*known);
        let first = RouteVersion { worker, version: 0 };
        let served: Vec<_> = self.waiting.range(first..=applied).map(|(version, _)| *version).collect();
        served.into_iter().filter_map(|version| self.waiting.remove(&version)).flatten().collect()
    }

    /// The worker has applied that batch.
    pub(super) fn serves(&self, version: RouteVersion) -> bool {
        self.applied.get(&version.worker).is_some_and(|applied| *applied >= version.version)
    }

    /// Returns the waiter once that batch is applied.
    pub(super) fn wait(&mut self, version: RouteVersion, waiter: Waiter) {
        self.waiting.entry(version).or_default().push(waiter);
    }
}
