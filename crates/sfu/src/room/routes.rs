//! Routing changes on their way to workers, and what waits for their confirmation.
//!
//! Changes for one worker are collected into a batch until the room has handled its inputs, and go out where the
//! first of them stood: before what was said after it. Versions grow with each batch, so a worker that has applied one
//! has applied all before it.

use std::collections::{BTreeMap, HashMap};

use trackyard_wire::Handle;

use super::Room;
use super::io::Output;
use crate::control::{Command, PeerId, RoomKey, RouteBatch, RouteChange, TrackKey, WorkerId};

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

/// A batch that may still grow.
#[derive(Debug)]
struct OpenBatch {
    /// Where it goes among the room's outputs.
    place: usize,
    batch: RouteBatch,
}

/// Routing changes on their way.
#[derive(Debug)]
pub(super) struct Routes {
    room: RoomKey,
    last: u64,
    open: BTreeMap<WorkerId, OpenBatch>,
    applied: HashMap<WorkerId, u64>,
    waiting: BTreeMap<RouteVersion, Vec<Waiter>>,
}

impl Routes {
    pub(super) fn new(room: RoomKey) -> Self {
        Self { room, last: 0, open: BTreeMap::new(), applied: HashMap::new(), waiting: BTreeMap::new() }
    }

    /// Adds a change to the worker's batch, which otherwise begins at this place among the room's outputs; says which
    /// version that is, and how many changes the batch holds by now.
    fn push(&mut self, worker: WorkerId, change: RouteChange, place: usize) -> (RouteVersion, usize) {
        let room = self.room;
        let OpenBatch { batch, .. } = self.open.entry(worker).or_insert_with(|| {
            self.last += 1;
            OpenBatch { place, batch: RouteBatch { room, version: self.last, changes: Vec::new() } }
        });
        batch.changes.push(change);
        (RouteVersion { worker, version: batch.version }, batch.changes.len())
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

    /// A worker has died: nothing that waits for it is applied any more.
    pub(super) fn forget(&mut self, worker: WorkerId) {
        self.waiting.retain(|version, _| version.worker != worker);
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

impl Room {
    /// Has a worker change its routes.
    pub(super) fn route(&mut self, worker: WorkerId, change: RouteChange) -> RouteVersion {
        let (version, changes) = self.routes.push(worker, change, self.outputs.len());
        if changes == 1 {
            // Its place; the batch takes it when it ends.
            let batch = RouteBatch { room: self.key, version: version.version, changes: Vec::new() };
            self.outputs.push_back(Output::Command { worker, command: Command::Route(batch) });
        } else if changes >= BATCH_CHANGES_MAX {
            let full = self.routes.open.remove(&worker);
            full.into_iter().for_each(|full| self.place(worker, full));
        }
        version
    }

    /// Ends all batches: what comes now goes behind what was said.
    pub(super) fn end_batches(&mut self) {
        for (worker, ended) in std::mem::take(&mut self.routes.open) {
            self.place(worker, ended);
        }
    }

    /// Commands that are no routes stand between those that are.
    pub(super) fn command(&mut self, worker: WorkerId, command: Command) {
        let ended = self.routes.open.remove(&worker);
        ended.into_iter().for_each(|ended| self.place(worker, ended));
        self.outputs.push_back(Output::Command { worker, command });
    }

    fn place(&mut self, worker: WorkerId, ended: OpenBatch) {
        let OpenBatch { place, batch } = ended;
        if let Some(output) = self.outputs.get_mut(place) {
            *output = Output::Command { worker, command: Command::Route(batch) };
        }
    }
}
