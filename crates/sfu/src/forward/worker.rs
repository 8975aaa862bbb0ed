//! The worker: inputs, the order of polling, and what becomes of peers' outputs.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use trackyard_lanes::LaneStats;
use trackyard_peer::{ConnectionFactory, Datagram, Peer, PeerEvent, PeerOutput, Transmit, Transport};

use super::demux::{Change, DemuxTable, Owner};
use super::ids::IdMap;
use super::latched::LatchShares;
use super::output::Times;
use super::routes::Routes;
use super::seats::Seats;
use super::shares::Shares;
use super::slot::{Agenda, Slot, Urgency, contain};
use super::stun::{self, Kind};
use super::timers::Timers;
use super::{Demux, Endpoint, Foreign, Garbage, WorkerCounters, WorkerOutput};
use crate::control::{Command, Event, PeerId, WorkerId};

/// A third of what lanes allow a frame in all.
const INPUT_WAIT_MAX: Duration = Duration::from_millis(30);

/// What a worker may hold.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WorkerConfig {
    /// Peers; one more is refused, and its room told that it is lost.
    pub peers_max: usize,
    /// Bytes of latched frames, with a charge for each packet's bookkeeping. A frame beyond it is not kept, nor the
    /// one before it.
    pub latched_bytes_max: usize,
    /// Of those, bytes of one publisher's tracks.
    pub latched_share_max: usize,
    /// Inputs that wait for longer than this, on average, make the worker hold publishers to shares of what it can carry
    /// and refuse their other frames; zero: never.
    pub input_wait_max: Duration,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            peers_max: 20_000,
            latched_bytes_max: 64 << 20,
            latched_share_max: 16 << 20,
            input_wait_max: INPUT_WAIT_MAX,
        }
    }
}

/// One worker's core. Its invariant: whatever happens to one peer changes no other.
pub struct Worker<F: ConnectionFactory> {
    pub(super) id: WorkerId,
    pub(super) factory: F,
    pub(super) config: WorkerConfig,
    pub(super) peers: IdMap<PeerId, Slot<F::Connection>>,
    pub(super) routes: Routes,
    pub(super) seats: Seats,
    pub(super) counters: WorkerCounters,
    pub(super) outputs: VecDeque<WorkerOutput>,
    /// What latched tracks may keep.
    pub(super) latched: LatchShares,
    pub(super) demux: DemuxTable,
    pub(super) lost: Vec<PeerId>,
    /// Whom a user packet is for; kept for its memory.
    pub(super) recipients: Vec<PeerId>,
    /// Lane totals of peers that are gone.
    pub(super) lanes_closed: LaneStats,
    timers: Timers,
    pub(super) agenda: Agenda,
    pub(super) shares: Shares,
    pub(super) now: Option<Instant>,
}

impl<F: ConnectionFactory> Worker<F> {
    /// A worker without peers.
    pub fn new(id: WorkerId, factory: F, config: WorkerConfig) -> Self {
        Self {
            id,
            factory,
            latched: LatchShares::new(config.latched_bytes_max, config.latched_share_max),
            shares: Shares::new(config.input_wait_max),
            config,
            peers: IdMap::default(),
            routes: Routes::default(),
            seats: Seats::default(),
            counters: WorkerCounters::default(),
            outputs: VecDeque::new(),
            demux: DemuxTable::default(),
            lost: Vec::new(),
            recipients: Vec::new(),
            lanes_closed: LaneStats::default(),
            timers: Timers::default(),
            agenda: Agenda::default(),
            now: None,
        }
    }

    /// A room's wish.
    pub fn handle_command(&mut self, command: Command, now: Instant) {
        self.now = Some(now);
        self.apply(command, now);
        self.settle(now);
    }

    /// A datagram has come.
    pub fn handle_datagram<'a>(&mut self, datagram: Datagram<'a>, now: Instant) -> Demux<'a> {
        self.handle_received(datagram, now, now)
    }

    /// A datagram that came before this, and has waited since: what is in it is as old as that.
    pub fn handle_received<'a>(
        &mut self,
        datagram: Datagram<'a>,
        received: Instant,
        now: Instant,
    ) -> Demux<'a> {
        self.now = Some(now);
        self.counters.datagrams_in += 1;
        self.counters.datagrams_in_bytes += datagram.contents.len() as u64;
        if datagram.transport == Transport::Udp {
            self.note_wait(received, now);
        }
        let demux = self.deliver(datagram, Times { received, now });
        match demux {
            Demux::Mine => self.counters.datagrams_mine += 1,
            Demux::Foreign(_) => self.counters.datagrams_foreign += 1,
            Demux::Garbage(Garbage::Empty) => self.counters.garbage_empty += 1,
            Demux::Garbage(Garbage::UnknownProtocol) => self.counters.garbage_unknown_protocol += 1,
            Demux::Garbage(Garbage::MalformedStun) => self.counters.garbage_malformed_stun += 1,
            Demux::Garbage(Garbage::NoUsername) => self.counters.garbage_no_username += 1,
        }
        self.settle(now);
        demux
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = Some(now);
        while let Some(id) = self.timers.pop_due(now) {
            self.with_peer(id, |peer| peer.handle_timeout(now));
            self.mark(id, Urgency::Soon);
        }
    }

    /// The worker is about to end: all peers say goodbye, and nothing is left of them.
    pub fn close_all(&mut self, now: Instant) {
        let ids: Vec<PeerId> = self.peers.keys().copied().collect();
        for peer in ids {
            self.handle_command(Command::Close { peer }, now);
        }
    }

    /// What comes next.
    pub fn poll_output(&mut self) -> WorkerOutput {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return output;
            }
            match (self.agenda.next_soon(), self.now) {
                (Some(id), Some(now)) => {
                    self.drain(id, now);
                    self.settle(now);
                }
                _ => return WorkerOutput::Timeout(self.timers.next()),
            }
        }
    }

    /// What has been counted.
    pub fn counters(&self) -> &WorkerCounters {
        &self.counters
    }

    /// Lane totals of all peers, those that are gone included.
    pub fn lane_totals(&self) -> LaneStats {
        let mut totals = self.lanes_closed;
        for slot in self.peers.values() {
            totals += slot.peer.totals();
        }
        totals
    }

    /// Frames that wait or are under way in the lanes of all peers.
    pub fn frames_waiting(&self) -> u64 {
        self.peers.values().map(|slot| slot.peer.frames_waiting()).sum()
    }

    /// Bytes of latched frames that are kept, bookkeeping included.
    pub fn latched_bytes(&self) -> usize {
        self.latched.bytes()
    }

    /// Peers at present.
    pub fn peers(&self) -> usize {
        self.peers.len()
    }

    /// Whether a connection of this worker is known to be at that address.
    pub fn knows(&self, endpoint: &Endpoint) -> bool {
        self.demux.by_address(endpoint).is_some()
    }

    /// A binding request from that address has turned out to be for another worker, so that what
    /// follows from there is too.
    pub fn disown(&mut self, endpoint: &Endpoint) {
        self.demux.disown(endpoint);
    }

    fn deliver<'a>(&mut self, datagram: Datagram<'a>, times: Times) -> Demux<'a> {
        let Times { received, now } = times;
        let endpoint = Endpoint { transport: datagram.transport, address: datagram.source };
        let kind = match stun::classify(datagram.contents) {
            Ok(kind) => kind,
            Err(garbage) => return Demux::Garbage(garbage),
        };
        let owner = match kind {
            Kind::Request { ufrag } => match self.demux.by_ufrag(ufrag) {
                Some(owner) => owner,
                None => return Demux::Foreign(Foreign::Ufrag(ufrag)),
            },
            Kind::Stun | Kind::Dtls | Kind::Media => match self.demux.by_address(&endpoint) {
                Some(owner) => owner,
                None => return Demux::Foreign(Foreign::Address(endpoint)),
            },
        };
        if !self.reads(owner.peer, datagram.contents, now) {
            self.counters.datagrams_unread += 1;
            return Demux::Mine;
        }
        let bytes = datagram.contents.len();
        self.with_peer(owner.peer, |peer| peer.handle_datagram(owner.target, datagram, now));
        if let Some(slot) = self.peers.get_mut(&owner.peer) {
            slot.receive(received);
        }
        self.touch(owner.peer, bytes);
        if matches!(kind, Kind::Request { .. }) {
            self.place(owner, endpoint, now);
        }
        if kind == Kind::Media {
            // str0m holds one RTP packet between polls.
            self.mark(owner.peer, Urgency::Now);
        }
        Demux::Mine
    }

    /// A binding request for `owner` has come from `endpoint`. Whoever knows a fragment can name it, so
    /// an address counts only once the connection has answered there: it checks who asks, and forged
    /// requests must not push out the address that a client really has.
    fn place(&mut self, owner: Owner, endpoint: Endpoint, now: Instant) {
        let before = self.outputs.len();
        let is_known = self.demux.by_address(&endpoint) == Some(owner);
        if !is_known {
            self.drain(owner.peer, now);
        }
        // Others learn of the address before the client does.
        let said = self.outputs.split_off(before);
        let answered = said.iter().any(|output| output.is_to(&endpoint));
        if is_known || (answered && self.peers.contains_key(&owner.peer)) {
            self.demux.confirm_address(owner, endpoint);
            self.announce_claims();
        }
        self.outputs.extend(said);
    }

    /// Polls those that must not wait.
    pub(super) fn settle(&mut self, now: Instant) {
        while let Some(id) = self.agenda.next_now() {
            self.drain(id, now);
        }
    }

    /// Takes everything a peer has to say.
    pub(super) fn drain(&mut self, id: PeerId, now: Instant) {
        let Some(times) = self.peers.get_mut(&id).and_then(|slot| slot.settle(now)) else { return };
        while let Some(output) = self.with_peer(id, Peer::poll_output) {
            match output {
                PeerOutput::Transmit(transmit) => self.transmit(transmit),
                PeerOutput::Event(event) => self.on_event(id, event, times),
                PeerOutput::Timeout(at) => return self.rest(id, at),
            }
        }
    }

    /// The peer has nothing more to say until then.
    pub(super) fn rest(&mut self, id: PeerId, until: Option<Instant>) {
        if let Some(slot) = self.peers.get_mut(&id) {
            slot.count_passed_over(&mut self.counters);
        }
        match until {
            Some(at) => self.timers.set(id, at),
            None => self.timers.remove(id),
        }
    }

    fn on_event(&mut self, id: PeerId, event: PeerEvent, times: Times) {
        match event {
            PeerEvent::Packet(packet) => self.route(id, &packet, times),
            PeerEvent::Message(kind, message) => self.hear(id, kind, &message, times.now),
            PeerEvent::Behind => self.behind(id),
            PeerEvent::Flow(change) => self.flow_changed(id, change),
            PeerEvent::Credentials { target, ufrag } => self.claim_ufrag(Owner { peer: id, target }, &ufrag),
            PeerEvent::Offer { id: offer, sdp } => self.tell(id, Event::Offer { peer: id, id: offer, sdp }),
            PeerEvent::Connected => self.tell(id, Event::Connected { peer: id }),
            PeerEvent::Interrupted => self.tell(id, Event::Interrupted { peer: id }),
            PeerEvent::Failed(target) => self.tell(id, Event::Failed { peer: id, target }),
            // Rooms give nobody up for an interruption, so its end changes nothing for them; lanes
            // wait for channels by themselves.
            _ => {}
        }
    }

    pub(super) fn transmit(&mut self, transmit: Transmit) {
        self.counters.datagrams_out += 1;
        self.counters.datagrams_out_bytes += transmit.contents.len() as u64;
        self.outputs.push_back(WorkerOutput::Transmit(transmit));
    }

    /// Tells the peer's room.
    pub(super) fn tell(&mut self, id: PeerId, event: Event) {
        if let Some(slot) = self.peers.get(&id) {
            self.outputs.push_back(WorkerOutput::Event(slot.room, event));
        }
    }

    pub(super) fn claim_ufrag(&mut self, owner: Owner, ufrag: &str) {
        self.demux.claim_ufrag(owner, ufrag);
        self.announce_claims();
    }

    fn announce_claims(&mut self) {
        while let Some(change) = self.demux.pop_change() {
            self.outputs.push_back(match change {
                Change::Claimed(key) => WorkerOutput::Claim(key),
                Change::Released(key) => WorkerOutput::Release(key),
            });
        }
    }

    /// Runs something on a peer; a panic in it costs that peer. `None`: the peer is not here, or no longer.
    pub(super) fn with_peer<T>(
        &mut self,
        id: PeerId,
        act: impl FnOnce(&mut Peer<F::Connection>) -> T,
    ) -> Option<T> {
        let slot = self.peers.get_mut(&id)?;
        let result = contain(|| act(&mut slot.peer));
        if result.is_none() {
            self.lose(id);
        }
        result
    }

    /// The peer has been given something.
    pub(super) fn touch(&mut self, id: PeerId, bytes: usize) {
        let urgency = self.peers.get_mut(&id).and_then(|slot| slot.touch(bytes));
        self.agenda.add(id, urgency);
    }

    /// The peer has to be polled.
    pub(super) fn mark(&mut self, id: PeerId, urgency: Urgency) {
        let urgency = self.peers.get_mut(&id).and_then(|slot| slot.raise(urgency));
        self.agenda.add(id, urgency);
    }

    /// A peer has panicked: its room is told, and it is forgotten.
    pub(super) fn lose(&mut self, id: PeerId) {
        self.counters.peers_lost += 1;
        self.tell(id, Event::Lost { peer: id });
        self.forget(id);
    }

    /// Forgets a peer and everything that names it.
    pub(super) fn forget(&mut self, id: PeerId) {
        let Some(mut slot) = self.peers.remove(&id) else { return };
        self.timers.remove(id);
        self.demux.forget(id);
        self.announce_claims();
        let sinks = self.routes.forget(id);
        self.seats.forget(id);
        contain(|| slot.count_messages(&mut self.counters));
        let totals = self.now.and_then(|now| contain(|| slot.final_totals(&sinks, now)));
        self.lanes_closed += totals.unwrap_or_default();
        // A peer that has panicked may panic again when it is dropped.
        contain(|| drop(slot));
    }
}
