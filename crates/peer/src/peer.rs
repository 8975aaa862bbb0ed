//! A participant's connections and what it receives on them.

mod downstream;
mod event;
mod exchange;
mod liveness;
mod messages;
mod offers;

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use trackyard_lanes::{LaneRules, LaneStats, OutboxConfig};
use trackyard_wire::{Handle, Header};

use crate::connection::{
    ChannelKind, Connection, ConnectionCounters, ConnectionEvent, ConnectionOutput, Datagram, Mode, Target,
};
use downstream::Downstream;
pub use event::{PeerEvent, PeerOutput};
use liveness::{Change, Liveness};
use messages::Messages;
pub use messages::{FlowChange, MessageCounts, Parcel};
pub use offers::DescriptionError;
use offers::Offers;

/// Outputs for which room is kept when all have been taken.
const OUTPUTS_KEPT: usize = 32;

/// How a peer behaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct PeerConfig {
    /// Bounds of what waits for it.
    pub outbox: OutboxConfig,
    /// The id of its first offer; 0 is avoided, for it fits any answer.
    pub first_offer_id: u32,
}

/// A participant's connections and what it receives on them.
///
/// Its invariant: whatever one side sends, the peer's memory stays within its bounds, and its outputs
/// concern this participant alone.
pub struct Peer<C: Connection> {
    mode: Mode,
    publisher: C,
    subscriber: Option<C>,
    offers: Offers,
    downstream: Downstream,
    messages: Messages,
    liveness: [Liveness; 2],
    ufrags: [Option<String>; 2],
    outputs: VecDeque<PeerOutput>,
    wakes: [Option<Instant>; 2],
    /// When the last datagram was handed in whose consequences have not been taken yet.
    unsettled: [Option<Instant>; 2],
    /// When the last packet was handed in that has not been offered to the channel yet.
    unflushed: Option<Instant>,
}

impl<C: Connection> Peer<C> {
    /// A peer with one connection, or with two: in dual mode `subscriber` must be given.
    pub fn new(mode: Mode, publisher: C, subscriber: Option<C>, config: PeerConfig, now: Instant) -> Self {
        let mut peer = Self {
            mode,
            publisher,
            subscriber,
            offers: Offers::new(config.first_offer_id),
            downstream: Downstream::new(config.outbox),
            messages: Messages::new(),
            liveness: [Liveness::default(), Liveness::default()],
            ufrags: [None, None],
            outputs: VecDeque::new(),
            wakes: [Some(now), Some(now)],
            unsettled: [None, None],
            unflushed: None,
        };
        peer.credentials(Target::Publisher);
        peer.credentials(Target::Subscriber);
        peer
    }

    /// A datagram has come for one of the connections.
    pub fn handle_datagram(&mut self, target: Target, datagram: Datagram<'_>, now: Instant) {
        let Datagram { transport, source, destination, contents } = datagram;
        if let Some(connection) = self.connection(target) {
            connection.handle_datagram(transport, source, destination, contents, now);
            let change = self.liveness[target as usize].heard(now);
            self.on_change(target, change);
            self.unsettled[target as usize] = Some(now);
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        for target in [Target::Publisher, Target::Subscriber] {
            if self.wakes[target as usize].is_some_and(|wake| wake <= now) {
                self.wakes[target as usize] = None;
                if let Some(connection) = self.connection(target) {
                    connection.handle_timeout(now);
                }
                self.touched(target, now);
            }
            let change = self.liveness[target as usize].handle_timeout(now);
            self.on_change(target, change);
        }
        self.downstream.handle_timeout(now);
        if self.messages.handle_timeout(now) {
            self.event(PeerEvent::Behind);
        }
        self.flush(now);
    }

    /// What comes next.
    pub fn poll_output(&mut self) -> PeerOutput {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return output;
            }
            if let Some(change) = self.messages.poll_change() {
                return PeerOutput::Event(PeerEvent::Flow(change));
            }
            if !self.settle() {
                self.outputs.shrink_to(OUTPUTS_KEPT);
                return PeerOutput::Timeout(self.poll_timeout());
            }
        }
    }

    /// Begins to receive a track under a handle, or changes how.
    pub fn add_lane(&mut self, handle: Handle, rules: LaneRules, _now: Instant) {
        self.downstream.outbox().add_lane(handle, rules);
    }

    /// Keeps a lane's packets back, by its rules, until the participant knows the handle.
    pub fn hold_lane(&mut self, handle: Handle) {
        self.downstream.outbox().hold_lane(handle);
    }

    /// The participant knows the handle: what waits and what comes goes out.
    pub fn release_lane(&mut self, handle: Handle, now: Instant) {
        self.downstream.outbox().release_lane(handle, now);
        self.unflushed = Some(now);
    }

    /// No longer receives a track; gives what became of its frames.
    pub fn remove_lane(&mut self, handle: Handle, _now: Instant) -> Option<LaneStats> {
        self.downstream.outbox().remove_lane(handle)
    }

    /// A packet of a track that it receives. A frame with one that is longer than the participant takes is
    /// dropped as too large.
    pub fn push(&mut self, handle: Handle, header: &Header, packet: &Bytes, now: Instant) {
        self.push_received(handle, header, packet, (now, now));
    }

    /// As [`push`](Self::push), for a packet that has waited since it was received.
    pub fn push_received(
        &mut self,
        handle: Handle,
        header: &Header,
        packet: &Bytes,
        times: (Instant, Instant),
    ) {
        self.downstream.push(handle, header, packet, times);
        self.unflushed = Some(times.1);
    }

    /// A reliable packet for it, which waits its turn. One that falls too far behind is told so by
    /// [`PeerEvent::Behind`] and gets no more.
    pub fn push_reliable(&mut self, parcel: Parcel, now: Instant) {
        if self.messages.push_reliable(parcel, now) {
            self.event(PeerEvent::Behind);
        }
        self.unflushed = Some(now);
    }

    /// A lossy packet for it: sent with the next poll, or dropped and counted.
    pub fn push_lossy(&mut self, message: Bytes, now: Instant) {
        self.messages.push_lossy(message);
        self.unflushed = Some(now);
    }

    /// Of the reliable packets that wait, by flow and sequence, keeps those it has not received.
    pub fn retain_reliable(&mut self, keep: impl FnMut(u64, u32) -> bool) {
        self.messages.retain(keep);
    }

    /// What became of user packets since this was last asked.
    pub fn take_message_counts(&mut self) -> MessageCounts {
        self.messages.take_counts()
    }

    /// What its connections have passed over.
    pub fn counters(&self) -> ConnectionCounters {
        let mut counters = self.publisher.counters();
        counters += self.subscriber.as_ref().map(Connection::counters).unwrap_or_default();
        counters
    }

    /// What became of one track's frames.
    pub fn lane_stats(&mut self, handle: Handle) -> Option<LaneStats> {
        self.downstream.outbox().lane_stats(handle).copied()
    }

    /// What became of all tracks' frames.
    pub fn totals(&self) -> LaneStats {
        self.downstream.totals()
    }

    /// Frames that wait or are under way in its lanes.
    #[must_use]
    pub fn frames_waiting(&self) -> u64 {
        self.downstream.frames_waiting()
    }

    /// Sends a message to the participant; `false` if the channel is full or not open.
    pub fn write(&mut self, kind: ChannelKind, message: &[u8], now: Instant) -> bool {
        let target = self.primary();
        let accepted = self.connection(target).is_some_and(|connection| {
            connection.handle_timeout(now);
            connection.write(kind, message)
        });
        self.touched(target, now);
        accepted
    }

    /// Says goodbye on all connections.
    pub fn close(&mut self, now: Instant) {
        for target in [Target::Publisher, Target::Subscriber] {
            if let Some(connection) = self.connection(target) {
                connection.close(now);
                self.liveness[target as usize].closed();
                self.drain(target, now);
            }
        }
        self.gate(now);
    }

    /// Where what the participant receives goes, and which connection decides that it is connected.
    fn primary(&self) -> Target {
        match self.mode {
            Mode::Dual { subscriber_primary: true } => Target::Subscriber,
            Mode::Single | Mode::Dual { .. } => Target::Publisher,
        }
    }

    fn connection(&mut self, target: Target) -> Option<&mut C> {
        match target {
            Target::Publisher => Some(&mut self.publisher),
            Target::Subscriber => self.subscriber.as_mut(),
        }
    }

    /// Takes what came of datagrams and packets handed in since the last poll, together: a few
    /// datagrams are answered by one acknowledgement, a few packets leave in one datagram. `false` if
    /// there were none.
    fn settle(&mut self) -> bool {
        for target in [Target::Publisher, Target::Subscriber] {
            if let Some(now) = self.unsettled[target as usize].take() {
                self.touched(target, now);
                return true;
            }
        }
        let Some(now) = self.unflushed.take() else { return false };
        self.flush(now);
        true
    }

    /// A connection has been given something: takes what it says, and writes what has become possible.
    fn touched(&mut self, target: Target, now: Instant) {
        self.drain(target, now);
        if target == self.primary() {
            self.flush(now);
        }
    }

    fn flush(&mut self, now: Instant) {
        let target = self.primary();
        let Some(connection) = (match target {
            Target::Publisher => Some(&mut self.publisher),
            Target::Subscriber => self.subscriber.as_mut(),
        }) else {
            return;
        };
        let wrote = self.messages.flush(connection, now);
        if self.downstream.flush(connection, now) || wrote {
            self.drain(target, now);
        }
    }

    fn drain(&mut self, target: Target, now: Instant) {
        loop {
            let Some(connection) = self.connection(target) else { return };
            match connection.poll_output() {
                ConnectionOutput::Transmit(transmit) => {
                    self.outputs.push_back(PeerOutput::Transmit(transmit))
                }
                ConnectionOutput::Event(event) => self.on_event(target, event, now),
                ConnectionOutput::Timeout(at) => {
                    self.wakes[target as usize] = Some(at);
                    return;
                }
            }
        }
    }

    fn on_event(&mut self, target: Target, event: ConnectionEvent, now: Instant) {
        let liveness = &mut self.liveness[target as usize];
        let change = match event {
            ConnectionEvent::Connected => liveness.connected(now),
            ConnectionEvent::Interrupted => liveness.path_lost(now),
            ConnectionEvent::Restored => liveness.path_found(now),
            ConnectionEvent::Closed => liveness.closed(),
            ConnectionEvent::ChannelOpen(kind) => {
                liveness.opened(kind);
                self.opened(target, kind, now);
                None
            }
            ConnectionEvent::ChannelClosed(_) => None,
            ConnectionEvent::Message(ChannelKind::DataTrack, packet) => {
                return self.event(PeerEvent::Packet(packet));
            }
            ConnectionEvent::Message(kind, message) => return self.event(PeerEvent::Message(kind, message)),
        };
        self.on_change(target, change);
        self.gate(now);
    }

    fn opened(&mut self, target: Target, kind: ChannelKind, now: Instant) {
        if target == self.primary() && kind == ChannelKind::Reliable {
            self.messages.opened(now);
            self.unflushed = Some(now);
        }
        self.event(PeerEvent::ChannelOpen(target, kind));
    }

    /// The lanes know whether there is a channel under them.
    fn gate(&mut self, now: Instant) {
        let target = self.primary();
        let open =
            self.connection(target).is_some_and(|connection| connection.is_open(ChannelKind::DataTrack));
        self.downstream.outbox().set_open(open, now);
        if open {
            // What waits for the channel goes out at once.
            self.unflushed = Some(now);
        }
    }

    /// What becomes of a connection that does not decide about the participant is only told when it fails.
    fn on_change(&mut self, target: Target, change: Option<Change>) {
        let primary = target == self.primary();
        match change {
            Some(Change::Failed) => self.event(PeerEvent::Failed(target)),
            Some(Change::Connected) if primary => self.event(PeerEvent::Connected),
            Some(Change::Interrupted) if primary => self.event(PeerEvent::Interrupted),
            Some(Change::Restored) if primary => self.event(PeerEvent::Restored),
            Some(Change::Recovered) => self.on_recovery(primary),
            Some(_) | None => {}
        }
    }

    /// The failure of either connection was told; its end is told when the primary one is up.
    fn on_recovery(&mut self, primary: bool) {
        if primary {
            self.event(PeerEvent::Restored);
        }
        if self.liveness[self.primary() as usize].is_up() {
            self.event(PeerEvent::Connected);
        }
    }

    fn event(&mut self, event: PeerEvent) {
        self.outputs.push_back(PeerOutput::Event(event));
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let liveness = self.liveness.iter().filter_map(Liveness::poll_timeout);
        let queues = [self.downstream.poll_timeout(), self.messages.poll_timeout()];
        self.wakes.iter().flatten().copied().chain(liveness).chain(queues.into_iter().flatten()).min()
    }
}
