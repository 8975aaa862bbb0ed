//! What rooms ask of a worker. A command that names a peer which is gone is counted, no more:
//! rooms learn of a loss only after they have sent it.

use std::sync::Arc;
use std::time::Instant;

use trackyard_lanes::LaneRules;
use trackyard_peer::{ConnectionFactory, Mode, Peer, PeerConfig, PeerOutput, Role};
use trackyard_wire::Handle;

use super::Worker;
use super::routes::Sink;
use super::slot::{Slot, Urgency, contain};
use crate::control::{Command, Event, Hop, OpenPeer, PeerId, RoomKey, RouteBatch, RouteChange, TrackKey};

/// Whether an offer comes with new ICE credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IceRestart {
    Yes,
    No,
}

impl<F: ConnectionFactory> Worker<F> {
    pub(super) fn apply(&mut self, command: Command, now: Instant) {
        match command {
            Command::Open(open) => self.open(&open, now),
            Command::Offer { peer, id, sdp } => self.accept_offer(peer, id, &sdp, now),
            Command::Answer { peer, id, sdp } => {
                self.describe(peer, |peer| peer.accept_answer(id, &sdp, now));
            }
            Command::Candidate { peer, target, candidate } => {
                self.candidate(peer, |peer| peer.add_remote_candidate(target, &candidate));
            }
            Command::RestartIce { peer } => {
                self.offer(peer, IceRestart::Yes, now);
            }
            Command::Route(batch) => self.apply_routes(&batch, now),
            Command::Say(packet) => self.say(packet, now),
            Command::Received { peer, states } => self.received(peer, &states),
            Command::Close { peer } => self.close(peer, now),
        }
    }

    fn open(&mut self, open: &OpenPeer, now: Instant) {
        let full = self.peers.len() >= self.config.peers_max;
        let made = if full || self.peers.contains_key(&open.peer) { None } else { self.make(open, now) };
        let Some(peer) = made else {
            self.counters.peers_refused += 1;
            let lost = Event::Lost { peer: open.peer };
            return self.outputs.push_back(super::WorkerOutput::Event(open.room, lost));
        };
        self.counters.peers_opened += 1;
        self.peers.insert(open.peer, Slot::new(peer, open));
        self.mark(open.peer, Urgency::Now);
        if matches!(open.mode, Mode::Dual { .. }) {
            // Clients wait for it (protocol §4.4).
            self.offer(open.peer, IceRestart::No, now);
        }
    }

    fn make(&self, open: &OpenPeer, now: Instant) -> Option<Peer<F::Connection>> {
        let factory = &self.factory;
        contain(|| {
            let publisher = factory.open(Role::Answering, now);
            let is_dual = matches!(open.mode, Mode::Dual { .. });
            let subscriber = is_dual.then(|| factory.open(Role::Offering, now));
            Peer::new(open.mode, publisher, subscriber, PeerConfig::default(), now)
        })
    }

    /// Offers the subscriber connection, if there is one.
    fn offer(&mut self, id: PeerId, restart: IceRestart, now: Instant) {
        if !self.peers.contains_key(&id) {
            self.counters.stale_commands += 1;
            return;
        }
        self.with_peer(id, |peer| peer.request_offer(restart == IceRestart::Yes, now));
        self.mark(id, Urgency::Now);
    }

    fn accept_offer(&mut self, id: PeerId, offer: u32, sdp: &str, now: Instant) {
        let Some(answer) = self.describe(id, |peer| peer.accept_offer(offer, sdp, now)) else { return };
        // New credentials are claimed before the client can learn of them.
        self.drain(id, now);
        self.tell(id, Event::Answer { peer: id, id: offer, sdp: answer });
    }

    /// Gives the peer something written by its client; the room is told if it cannot be used.
    fn describe<T, E: std::error::Error>(
        &mut self,
        id: PeerId,
        act: impl FnOnce(&mut Peer<F::Connection>) -> Result<T, E>,
    ) -> Option<T> {
        if !self.peers.contains_key(&id) {
            self.counters.stale_commands += 1;
            return None;
        }
        let result = self.with_peer(id, act)?;
        self.mark(id, Urgency::Now);
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.counters.bad_descriptions += 1;
                self.tell(id, Event::BadDescription { peer: id, error: error.to_string() });
                None
            }
        }
    }

    /// Gives the peer a candidate of its client. One that cannot be used ends nothing: the client is found by its requests.
    fn candidate<E>(&mut self, id: PeerId, add: impl FnOnce(&mut Peer<F::Connection>) -> Result<(), E>) {
        if !self.peers.contains_key(&id) {
            self.counters.stale_commands += 1;
            return;
        }
        if let Some(Err(_)) = self.with_peer(id, add) {
            self.counters.bad_candidates += 1;
        }
        self.mark(id, Urgency::Now);
    }

    /// Says goodbye on the wire, and tells the room nothing more.
    fn close(&mut self, id: PeerId, now: Instant) {
        // What it has sent before its goodbye is still handed on.
        self.drain(id, now);
        if self.peers.contains_key(&id) {
            self.counters.peers_closed += 1;
            self.with_peer(id, |peer| peer.close(now));
        } else {
            self.counters.stale_commands += 1;
        }
        while let Some(output) = self.with_peer(id, Peer::poll_output) {
            match output {
                PeerOutput::Transmit(transmit) => self.transmit(transmit),
                PeerOutput::Event(_) => {}
                PeerOutput::Timeout(at) => {
                    self.rest(id, at);
                    break;
                }
            }
        }
        self.forget(id);
    }

    fn apply_routes(&mut self, batch: &RouteBatch, now: Instant) {
        for change in &batch.changes {
            self.apply_route(batch.room, change, now);
        }
        let applied = Event::Applied { worker: self.id, room: batch.room, version: batch.version };
        self.outputs.push_back(super::WorkerOutput::Event(batch.room, applied));
    }

    fn apply_route(&mut self, room: RoomKey, change: &RouteChange, now: Instant) {
        match *change {
            RouteChange::AddTrack { publisher: peer, .. }
            | RouteChange::Subscribe { subscriber: peer, .. }
            | RouteChange::Seat { peer, .. }
                if !self.peers.contains_key(&peer) =>
            {
                self.counters.stale_commands += 1;
            }
            RouteChange::AddTrack { track, publisher, handle } => {
                self.routes.add_source(track, publisher, handle)
            }
            RouteChange::MeterTrack { track, ref meter } => {
                // A track that was not added is stale, and counted as such already.
                if let Some(track) = self.routes.track_mut(track) {
                    track.meter = Some(Arc::clone(meter));
                }
            }
            RouteChange::LatchTrack { track, publisher } => self.latch(track, publisher),
            RouteChange::RemoveTrack { track } => {
                for sink in self.routes.remove_track(track) {
                    self.remove_lane(sink, now);
                }
            }
            RouteChange::LastWill { track, ref packet, rules } => {
                self.send_last_will(track, (packet, rules), now);
            }
            RouteChange::Subscribe { track, publisher, subscriber, handle, rules } => {
                let sink = Sink { peer: subscriber, handle };
                self.subscribe(track, sink, (rules, now));
                if rules.latch && self.peers.contains_key(&subscriber) {
                    self.latch(track, publisher);
                    self.send_latched(track, sink, now);
                }
            }
            RouteChange::Reschedule { track, subscriber, rules } => {
                self.with_lane(track, subscriber, |peer, handle| peer.add_lane(handle, rules, now));
            }
            RouteChange::Flow { track, subscriber } => {
                self.with_lane(track, subscriber, |peer, handle| peer.release_lane(handle, now));
            }
            RouteChange::Unsubscribe { track, subscriber } => self.unsubscribe(track, subscriber, now),
            RouteChange::Seat { peer, ref seat } => self.seats.set(room, peer, seat),
            RouteChange::Neighbours { ref hops } => {
                let workers = hops.iter().map(|Hop::Worker(worker)| *worker).collect();
                self.seats.set_neighbours(room, workers);
            }
            RouteChange::AddHop { track, hop: Hop::Worker(worker) } => {
                self.routes.add_hop(track, worker);
                self.cross_latched(track, worker);
            }
            RouteChange::RemoveHop { track, hop: Hop::Worker(worker) } => {
                self.routes.remove_hop(track, worker)
            }
        }
    }

    /// The sink's lane is held until its subscriber knows the handle.
    fn subscribe(&mut self, track: TrackKey, sink: Sink, (rules, now): (LaneRules, Instant)) {
        self.make_way(track, sink, now);
        self.with_peer(sink.peer, |peer| {
            peer.add_lane(sink.handle, rules, now);
            peer.hold_lane(sink.handle);
        });
        self.mark(sink.peer, Urgency::Soon);
        if self.peers.contains_key(&sink.peer) {
            self.routes.add_sink(track, sink);
        }
    }

    /// Runs something on a subscriber and its lane of a track, unless the subscription has ended meanwhile.
    fn with_lane(
        &mut self,
        track: TrackKey,
        subscriber: PeerId,
        act: impl FnOnce(&mut Peer<F::Connection>, Handle),
    ) {
        let Some(handle) = self.routes.sink_handle(track, subscriber) else {
            self.counters.stale_commands += 1;
            return;
        };
        self.with_peer(subscriber, |peer| act(peer, handle));
        self.mark(subscriber, Urgency::Soon);
    }

    /// Ends what the peer received as this track or under this handle.
    fn make_way(&mut self, track: TrackKey, sink: Sink, now: Instant) {
        let former = self.routes.sink(sink.peer, sink.handle);
        for track in former.into_iter().chain([track]) {
            if let Some(former) = self.routes.remove_sink(track, sink.peer) {
                self.remove_lane(former, now);
            }
        }
    }

    fn unsubscribe(&mut self, track: TrackKey, subscriber: PeerId, now: Instant) {
        match self.routes.remove_sink(track, subscriber) {
            Some(sink) => self.remove_lane(sink, now),
            None => self.counters.stale_commands += 1,
        }
    }

    fn remove_lane(&mut self, sink: Sink, now: Instant) {
        self.with_peer(sink.peer, |peer| peer.remove_lane(sink.handle, now));
        self.mark(sink.peer, Urgency::Soon);
    }
}
