//! A peer in a worker's hands.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use trackyard_lanes::LaneStats;
use trackyard_peer::{Connection, ConnectionCounters, Peer};

use super::WorkerCounters;
use super::output::Times;
use super::routes::Sink;
use super::shares::Share;
use crate::control::{OpenPeer, PeerId, RoomKey};

/// Inputs after which a peer is polled at once. str0m's DTLS takes 30 records between polls; lanes
/// would drop frames that a poll in time could have sent.
const INPUTS_MAX: u32 = 20;
/// Bytes of inputs after which a peer is polled at once: a large frame.
const INPUT_BYTES_MAX: usize = 64 * 1024;

/// One peer and what it has been given since it was last polled.
pub(super) struct Slot<C: Connection> {
    pub(super) peer: Peer<C>,
    pub(super) room: RoomKey,
    pub(super) may_publish: bool,
    /// What it may send while its worker is behind.
    pub(super) share: Share,
    /// What its worker has counted of what it has passed over.
    counted: ConnectionCounters,
    inputs: u32,
    input_bytes: usize,
    /// When the oldest datagram came that it was given since it was last polled.
    received: Option<Instant>,
    urgency: Urgency,
}

/// When a peer has to be polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// Nothing has changed.
    Idle,
    /// Before the worker is through with its outputs.
    Soon,
    /// Before its next input.
    Now,
}

impl<C: Connection> Slot<C> {
    pub(super) fn new(peer: Peer<C>, open: &OpenPeer) -> Self {
        let (room, may_publish) = (open.room, open.data_tracks);
        let counted = ConnectionCounters::default();
        Self {
            peer,
            room,
            may_publish,
            share: Share::default(),
            counted,
            inputs: 0,
            input_bytes: 0,
            received: None,
            urgency: Urgency::Idle,
        }
    }

    /// The peer has been given an input; answers the urgency if it has risen.
    pub(super) fn touch(&mut self, bytes: usize) -> Option<Urgency> {
        self.inputs += 1;
        self.input_bytes += bytes;
        let full = self.inputs >= INPUTS_MAX || self.input_bytes >= INPUT_BYTES_MAX;
        self.raise(if full { Urgency::Now } else { Urgency::Soon })
    }

    /// Answers the urgency if it has risen.
    pub(super) fn raise(&mut self, urgency: Urgency) -> Option<Urgency> {
        let rises = urgency > self.urgency;
        self.urgency = self.urgency.max(urgency);
        rises.then_some(urgency)
    }

    /// The peer has been given a datagram that came then.
    pub(super) fn receive(&mut self, received: Instant) {
        self.received = Some(self.received.map_or(received, |oldest| oldest.min(received)));
    }

    /// The peer is about to be polled; answers when that came of which it has to be, if it has.
    pub(super) fn settle(&mut self, now: Instant) -> Option<Times> {
        (self.inputs, self.input_bytes) = (0, 0);
        let received = self.received.take().unwrap_or(now);
        let is_idle = std::mem::replace(&mut self.urgency, Urgency::Idle) == Urgency::Idle;
        (!is_idle).then_some(Times { received, now })
    }

    /// Counts what became of user packets since this was last done.
    pub(super) fn count_messages(&mut self, counters: &mut WorkerCounters) {
        let counts = self.peer.take_message_counts();
        counters.reliable_out += counts.reliable;
        counters.reliable_out_bytes += counts.reliable_bytes;
        counters.lossy_out += counts.lossy;
        counters.lossy_out_bytes += counts.lossy_bytes;
        counters.lossy_full += counts.lossy_full;
        counters.lossy_closed += counts.lossy_closed;
        counters.messages_too_large += counts.too_large;
        counters.reliable_dropped += counts.overflowed;
    }

    /// Counts what the peer has passed over since this was last done.
    pub(super) fn count_passed_over(&mut self, counters: &mut WorkerCounters) {
        self.count_messages(counters);
        let connection = self.peer.counters();
        let before = std::mem::replace(&mut self.counted, connection);
        counters.datagrams_unusable += connection.malformed_datagrams - before.malformed_datagrams;
        counters.unknown_channels += connection.unknown_channels - before.unknown_channels;
    }

    /// The accounts of a receiver that goes: with its lanes removed, what waited is dropped and counted.
    pub(super) fn final_totals(&mut self, sinks: &[Sink], now: Instant) -> LaneStats {
        for sink in sinks {
            self.peer.remove_lane(sink.handle, now);
        }
        self.peer.totals()
    }
}

/// Peers that have to be polled, each at most once per urgency.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    soon: VecDeque<PeerId>,
    now: VecDeque<PeerId>,
}

impl Agenda {
    /// Takes what a slot has answered.
    pub(super) fn add(&mut self, peer: PeerId, urgency: Option<Urgency>) {
        match urgency {
            Some(Urgency::Soon) => self.soon.push_back(peer),
            Some(Urgency::Now) => self.now.push_back(peer),
            Some(Urgency::Idle) | None => {}
        }
    }

    pub(super) fn next_now(&mut self) -> Option<PeerId> {
        self.now.pop_front()
    }

    pub(super) fn next_soon(&mut self) -> Option<PeerId> {
        self.soon.pop_front()
    }
}

/// Runs what touches one peer; `None` if it has panicked.
///
/// Unwind safety: whatever the closure may leave half-changed is the one peer it borrows, and the
/// caller forgets that peer on `None`. Nothing else is borrowed mutably.
pub(super) fn contain<T>(act: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(act)).ok()
}
