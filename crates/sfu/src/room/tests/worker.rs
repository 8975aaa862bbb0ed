//! A worker that keeps the tables it is told, and says where a packet would go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trackyard_wire::Handle;

use crate::control::{Hop, PeerId, RouteBatch, RouteChange, Seat, TrackKey, WorkerId};

#[derive(Debug, Default)]
pub(super) struct FakeWorker {
    pub(super) sources: BTreeMap<(PeerId, Handle), TrackKey>,
    pub(super) sinks: BTreeMap<TrackKey, BTreeMap<PeerId, Handle>>,
    pub(super) hops: BTreeSet<(TrackKey, WorkerId)>,
    pub(super) peers: BTreeSet<PeerId>,
    pub(super) seats: BTreeMap<PeerId, Arc<Seat>>,
    pub(super) neighbours: Vec<WorkerId>,
    pub(super) last_version: u64,
    pub(super) changes: Vec<RouteChange>,
    taken: BTreeSet<(PeerId, Handle)>,
    /// Tracks that have ended but for their last wills.
    willed: BTreeSet<TrackKey>,
}

impl FakeWorker {
    pub(super) fn apply(&mut self, batch: RouteBatch) {
        assert!(batch.version > self.last_version, "versions grow");
        self.last_version = batch.version;
        for change in batch.changes {
            self.change(&change);
            self.changes.push(change);
        }
    }

    fn is_source(&self, publisher: PeerId, track: TrackKey) -> bool {
        self.sources.iter().any(|((whose, _), known)| (*whose, *known) == (publisher, track))
    }

    fn change(&mut self, change: &RouteChange) {
        match *change {
            RouteChange::AddTrack { track, publisher, handle } => {
                assert!(self.peers.contains(&publisher), "a publisher is opened before its tracks");
                assert_eq!(
                    self.sources.insert((publisher, handle), track),
                    None,
                    "a handle is free when it is used"
                );
            }
            RouteChange::RemoveTrack { track } => {
                self.sources.retain(|_, known| *known != track);
                for sink in self.sinks.remove(&track).into_iter().flatten() {
                    self.taken.remove(&sink);
                }
                self.hops.retain(|(known, _)| *known != track);
                self.willed.remove(&track);
            }
            RouteChange::MeterTrack { track, .. } => {
                assert!(self.sources.values().any(|known| *known == track), "a metered track was added");
            }
            RouteChange::LatchTrack { track, publisher } => {
                assert!(self.is_source(publisher, track), "a latched track was added");
            }
            RouteChange::Reschedule { track, subscriber, .. } => {
                let sinks = self.sinks.get(&track).expect("what is rescheduled was subscribed to");
                assert!(sinks.contains_key(&subscriber), "what is rescheduled was subscribed to");
            }
            RouteChange::LastWill { track, .. } => {
                self.sources.retain(|_, known| *known != track);
                self.willed.insert(track);
            }
            RouteChange::Seat { peer, ref seat } => {
                assert!(self.peers.contains(&peer), "a participant is opened before its seat");
                self.seats.insert(peer, Arc::clone(seat));
            }
            RouteChange::Neighbours { ref hops } => {
                self.neighbours = hops.iter().map(|Hop::Worker(worker)| *worker).collect();
            }
            RouteChange::Subscribe { track, subscriber, handle, .. } => {
                assert!(self.peers.contains(&subscriber), "a subscriber is opened before its routes");
                assert!(
                    self.taken.insert((subscriber, handle)),
                    "a subscriber's handle is free when it is used"
                );
                assert_eq!(self.sinks.entry(track).or_default().insert(subscriber, handle), None);
            }
            RouteChange::Flow { track, subscriber } => {
                let sinks = self.sinks.get(&track).expect("what flows was subscribed to");
                assert!(sinks.contains_key(&subscriber), "what flows was subscribed to");
            }
            RouteChange::Unsubscribe { track, subscriber } => {
                let sinks = self.sinks.get_mut(&track).expect("an ended subscription was there");
                let handle = sinks.remove(&subscriber).expect("an ended subscription was there");
                self.taken.remove(&(subscriber, handle));
                if sinks.is_empty() {
                    self.sinks.remove(&track);
                }
            }
            RouteChange::AddHop { track, hop: Hop::Worker(worker) } => {
                assert!(
                    self.sources.values().any(|known| *known == track),
                    "a hop is added where the track is"
                );
                assert!(self.hops.insert((track, worker)), "a hop is added once");
            }
            RouteChange::RemoveHop { track, hop: Hop::Worker(worker) } => {
                assert!(self.hops.remove(&(track, worker)), "a removed hop was there");
            }
        }
    }

    pub(super) fn close(&mut self, peer: PeerId) {
        assert!(self.peers.remove(&peer), "a closed peer was there");
        assert!(self.seats.remove(&peer).is_some(), "it had a seat");
        assert!(
            self.sources.keys().all(|(publisher, _)| *publisher != peer),
            "its tracks are gone before it"
        );
        for track in &self.willed {
            self.sinks.get_mut(track).and_then(|sinks| sinks.remove(&peer));
        }
        assert!(self.sinks.values().all(|sinks| !sinks.contains_key(&peer)), "its routes are gone before it");
    }

    pub(super) fn is_empty(&self) -> bool {
        let routes = self.sources.is_empty() && self.sinks.is_empty() && self.hops.is_empty();
        routes && self.peers.is_empty() && self.neighbours.is_empty()
    }
}

/// Who would receive a user packet for everyone.
pub(super) fn heard_by(workers: &BTreeMap<WorkerId, FakeWorker>, sender: PeerId) -> BTreeSet<PeerId> {
    let Some((id, worker)) = workers.iter().find(|(_, worker)| worker.seats.contains_key(&sender)) else {
        return BTreeSet::new();
    };
    let there = std::iter::once(id).chain(&worker.neighbours);
    there.flat_map(|worker| workers[worker].seats.keys()).copied().filter(|peer| *peer != sender).collect()
}

/// Who would receive a packet, and under which handle.
pub(super) fn delivered(
    workers: &BTreeMap<WorkerId, FakeWorker>,
    publisher: PeerId,
    handle: Handle,
) -> BTreeMap<PeerId, Handle> {
    let mut reached = BTreeMap::new();
    for (id, worker) in workers {
        let Some(track) = worker.sources.get(&(publisher, handle)) else { continue };
        let hops = worker.hops.iter().filter(|(known, _)| known == track).map(|(_, hop)| *hop);
        for there in std::iter::once(*id).chain(hops) {
            reached.extend(workers[&there].sinks.get(track).into_iter().flatten());
        }
    }
    reached
}
