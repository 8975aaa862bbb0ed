//! A worker's routing table: whose packets under which handle are which track, and who gets them.
//!
//! Invariant: `sources`, `sinks` and `peers` say nothing that `tracks` does not say too.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use trackyard_wire::{FrameNumber, Handle};

use super::ids::{IdHasher, IdMap};
use super::last_will::Newest;
use super::latched::Latch;
use crate::control::{PeerId, TrackKey, TrackMeter, WorkerId};

type TrackSet = HashSet<TrackKey, BuildHasherDefault<IdHasher>>;

/// The table.
#[derive(Debug, Default)]
pub(super) struct Routes {
    /// Boxed, for a table has many empty places.
    tracks: IdMap<TrackKey, Box<Track>>,
    sources: IdMap<(PeerId, Handle), TrackKey>,
    sinks: IdMap<(PeerId, Handle), TrackKey>,
    peers: IdMap<PeerId, TrackSet>,
}

/// Where a track's packets come from and go to.
#[derive(Debug, Default)]
pub(super) struct Track {
    source: Option<(PeerId, Handle)>,
    pub(super) subscribers: Vec<Sink>,
    pub(super) hops: Vec<WorkerId>,
    pub(super) newest: Newest,
    /// The frame that was refused last: what else comes of it is refused as well.
    pub(super) refused: Option<FrameNumber>,
    /// If its last frame is kept for those who come late.
    pub(super) latch: Option<Box<Latch>>,
    /// If its packets are counted on their own.
    pub(super) meter: Option<Arc<TrackMeter>>,
}

/// A subscriber on this worker, and what the packets it gets carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sink {
    pub(super) peer: PeerId,
    pub(super) handle: Handle,
}

impl Routes {
    pub(super) fn source(&self, peer: PeerId, handle: Handle) -> Option<TrackKey> {
        self.sources.get(&(peer, handle)).copied()
    }

    pub(super) fn track(&self, track: TrackKey) -> Option<&Track> {
        self.tracks.get(&track).map(Box::as_ref)
    }

    pub(super) fn track_mut(&mut self, track: TrackKey) -> Option<&mut Track> {
        self.tracks.get_mut(&track).map(Box::as_mut)
    }

    /// No packets of the publisher are the track's any more; those who receive it stay.
    pub(super) fn end_source(&mut self, track: TrackKey) {
        self.drop_source(track);
    }

    /// Packets of `publisher` under `handle` are `track`'s, whatever they were before.
    pub(super) fn add_source(&mut self, track: TrackKey, publisher: PeerId, handle: Handle) {
        if let Some(former) =
            self.sources.get(&(publisher, handle)).copied().filter(|former| *former != track)
        {
            self.drop_source(former);
        }
        self.drop_source(track);
        self.tracks.entry(track).or_default().source = Some((publisher, handle));
        self.sources.insert((publisher, handle), track);
        self.peers.entry(publisher).or_default().insert(track);
    }

    /// Forgets a track; those who received it are returned.
    pub(super) fn remove_track(&mut self, track: TrackKey) -> Vec<Sink> {
        let Some(removed) = self.tracks.remove(&track) else { return Vec::new() };
        if let Some((publisher, handle)) = removed.source {
            self.sources.remove(&(publisher, handle));
            self.unlink(publisher, track);
        }
        for sink in &removed.subscribers {
            self.sinks.remove(&(sink.peer, sink.handle));
            self.unlink(sink.peer, track);
        }
        removed.subscribers
    }

    /// Packets of `track` go to `sink`. Both a subscription that the peer had to the track and one
    /// that used the handle have to be removed before.
    pub(super) fn add_sink(&mut self, track: TrackKey, sink: Sink) {
        debug_assert!(!self.sinks.contains_key(&(sink.peer, sink.handle)), "the handle is in use");
        self.tracks.entry(track).or_default().subscribers.push(sink);
        self.sinks.insert((sink.peer, sink.handle), track);
        self.peers.entry(sink.peer).or_default().insert(track);
    }

    /// Under which handle the peer receives a track.
    pub(super) fn sink_handle(&self, track: TrackKey, peer: PeerId) -> Option<Handle> {
        let subscribers = &self.tracks.get(&track)?.subscribers;
        subscribers.iter().find(|sink| sink.peer == peer).map(|sink| sink.handle)
    }

    /// Which track the peer receives under a handle.
    pub(super) fn sink(&self, peer: PeerId, handle: Handle) -> Option<TrackKey> {
        self.sinks.get(&(peer, handle)).copied()
    }

    /// Ends a subscription and returns what it was.
    pub(super) fn remove_sink(&mut self, track: TrackKey, peer: PeerId) -> Option<Sink> {
        let entry = self.tracks.get_mut(&track)?;
        let index = entry.subscribers.iter().position(|sink| sink.peer == peer)?;
        let sink = entry.subscribers.swap_remove(index);
        let publishes = entry.source.is_some_and(|(publisher, _)| publisher == peer);
        self.sinks.remove(&(peer, sink.handle));
        if !publishes {
            self.unlink(peer, track);
        }
        self.drop_if_empty(track);
        Some(sink)
    }

    /// Packets of `track` are sent once to `hop`.
    pub(super) fn add_hop(&mut self, track: TrackKey, hop: WorkerId) {
        let hops = &mut self.tracks.entry(track).or_default().hops;
        if !hops.contains(&hop) {
            hops.push(hop);
        }
    }

    /// They are no longer.
    pub(super) fn remove_hop(&mut self, track: TrackKey, hop: WorkerId) {
        if let Some(entry) = self.tracks.get_mut(&track) {
            entry.hops.retain(|known| *known != hop);
            self.drop_if_empty(track);
        }
    }

    /// Forgets a peer as publisher and as subscriber; what it received is returned. Its tracks keep
    /// their other subscribers until they are removed.
    pub(super) fn forget(&mut self, peer: PeerId) -> Vec<Sink> {
        let mut sinks = Vec::new();
        for track in self.peers.remove(&peer).into_iter().flatten() {
            sinks.extend(self.remove_sink(track, peer));
            let publishes = |entry: &Track| entry.source.is_some_and(|(publisher, _)| publisher == peer);
            if self.track(track).is_some_and(publishes) {
                self.drop_source(track);
                self.drop_if_empty(track);
            }
        }
        sinks
    }

    /// Nothing is left in the table.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.tracks.is_empty() && self.sources.is_empty() && self.sinks.is_empty() && self.peers.is_empty()
    }

    fn drop_source(&mut self, track: TrackKey) {
        let Some(entry) = self.tracks.get_mut(&track) else { return };
        let Some((publisher, handle)) = entry.source.take() else { return };
        let subscribes = entry.subscribers.iter().any(|sink| sink.peer == publisher);
        self.sources.remove(&(publisher, handle));
        if !subscribes {
            self.unlink(publisher, track);
        }
    }

    /// A track without publisher here is known for its subscribers alone, hops do not outlive it.
    fn drop_if_empty(&mut self, track: TrackKey) {
        let is_empty = |entry: &Track| entry.source.is_none() && entry.subscribers.is_empty();
        if self.track(track).is_some_and(is_empty) {
            self.tracks.remove(&track);
        }
    }

    fn unlink(&mut self, peer: PeerId, track: TrackKey) {
        if let Some(tracks) = self.peers.get_mut(&peer) {
            tracks.remove(&track);
            if tracks.is_empty() {
                self.peers.remove(&peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACK: TrackKey = TrackKey(9);
    const PUBLISHER: PeerId = PeerId(1);
    const SUBSCRIBER: PeerId = PeerId(2);

    fn handle(value: u16) -> Handle {
        Handle::new(value).unwrap()
    }

    fn sink(peer: PeerId, value: u16) -> Sink {
        Sink { peer, handle: handle(value) }
    }

    fn full() -> Routes {
        let mut routes = Routes::default();
        routes.add_source(TRACK, PUBLISHER, handle(5));
        routes.add_sink(TRACK, sink(SUBSCRIBER, 7));
        routes.add_sink(TRACK, sink(PUBLISHER, 8));
        routes.add_hop(TRACK, WorkerId(1));
        routes
    }

    #[test]
    fn removing_the_track_removes_everything() {
        let mut routes = full();
        assert_eq!(routes.remove_track(TRACK), [sink(SUBSCRIBER, 7), sink(PUBLISHER, 8)]);
        assert!(routes.is_empty(), "{routes:?}");
    }

    #[test]
    fn removing_everything_removes_the_track() {
        let mut routes = full();
        routes.forget(PUBLISHER);
        assert_eq!(routes.source(PUBLISHER, handle(5)), None);
        assert_eq!(routes.track(TRACK).unwrap().subscribers, [sink(SUBSCRIBER, 7)]);
        assert_eq!(routes.remove_sink(TRACK, SUBSCRIBER), Some(sink(SUBSCRIBER, 7)));
        assert!(routes.is_empty(), "{routes:?}");
    }

    #[test]
    fn a_reused_handle_belongs_to_the_new_track() {
        let mut routes = full();
        routes.add_source(TrackKey(10), PUBLISHER, handle(5));
        assert_eq!(routes.source(PUBLISHER, handle(5)), Some(TrackKey(10)));
        routes.remove_track(TRACK);
        assert_eq!(routes.source(PUBLISHER, handle(5)), Some(TrackKey(10)));
        routes.remove_track(TrackKey(10));
        assert!(routes.is_empty(), "{routes:?}");
    }

    #[test]
    fn a_republished_track_forgets_its_old_handle() {
        let mut routes = full();
        routes.add_source(TRACK, PUBLISHER, handle(6));
        assert_eq!(routes.source(PUBLISHER, handle(5)), None);
        assert_eq!(routes.source(PUBLISHER, handle(6)), Some(TRACK));
    }

    #[test]
    fn hops_are_a_set() {
        let mut routes = full();
        routes.add_hop(TRACK, WorkerId(1));
        assert_eq!(routes.track(TRACK).unwrap().hops, [WorkerId(1)]);
        routes.remove_hop(TRACK, WorkerId(1));
        assert!(routes.track(TRACK).unwrap().hops.is_empty());
        routes.remove_hop(TrackKey(77), WorkerId(1));
    }
}
