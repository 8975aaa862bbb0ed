//! Packets of this participant.

mod kept;
mod lossy;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use trackyard_lanes::{Backlog, Gauge};
use trackyard_proto::DataPacket;
use trackyard_proto::packet::put_sequence;

use super::event::{PacketDropReason, PacketEvent, PacketStats, SendError};
use kept::Kept;

pub use kept::KEPT_BYTES_MAX;
pub(crate) use lossy::{Lossy, LossyFate};

/// The longest message that every client and server takes (protocol §6.3).
pub const PACKET_BYTES_MAX: usize = 64_000;
/// What reliable packets may wait for the channel, with a charge for each.
pub const WAITING_BYTES_MAX: usize = 8 << 20;
/// What the number adds to a packet, at most.
const SEQUENCE_BYTES_MAX: usize = 7;
/// What the reliable channel may hold however fast the path is: a part of what all channels may hold together.
const ROOM_BYTES_MAX: usize = 512 << 10;
/// How long flows pause for the server unless it asks again.
const PAUSE_MAX: Duration = Duration::from_secs(12);
/// What waits in the path beyond what is on its way. Urgent packets and data tracks wait behind all of it.
const QUEUE_TIME: Duration = Duration::from_millis(5);

/// Reliable packets that keep their order among each other and share the channel fairly with other flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Flow(pub u64);

impl Flow {
    /// An application's own packets.
    pub const USER: Self = Self(0);
}

/// What a reliable packet waits behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Urgency {
    /// Its flow, and other flows' turns.
    #[default]
    Normal,
    /// Other urgent packets alone.
    Urgent,
}

/// A packet to send. Its kind says which way; flow and urgency mean nothing for a lossy one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutgoingPacket {
    /// What to send. Who sends it and its number are filled in.
    pub packet: DataPacket,
    /// What it keeps its order in.
    pub flow: Flow,
    /// What it waits behind.
    pub urgency: Urgency,
}

/// Names a packet within a session; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketId(pub(crate) u64);

/// A reliable packet that waits.
#[derive(Debug)]
struct Waiting {
    id: PacketId,
    /// Encoded, and perhaps numbered by an attempt to write it.
    bytes: Vec<u8>,
    /// The length without the number.
    bare: usize,
}

/// Reliable packets of this participant, until their server has them.
///
/// **The one rule of use:** write what is [peeked](Self::peek) while the channel takes it, and after every call
/// that changes it take the [events](Self::poll_event).
///
/// Invariant: each packet that was taken is told written or dropped, once; of what a session writes, the numbers
/// are 1, 2, 3 and so on, and what is repeated comes before anything new.
#[derive(Debug)]
pub(crate) struct Outgoing {
    waiting: Backlog<Flow, Waiting>,
    kept: Kept,
    room: Gauge,
    is_open: bool,
    /// What one message may have.
    bytes_max: usize,
    next_sequence: u32,
    /// Flows but the application's own packets wait until then.
    paused_until: Option<Instant>,
    events: VecDeque<PacketEvent>,
}

impl Default for Outgoing {
    fn default() -> Self {
        Self {
            waiting: Backlog::new(WAITING_BYTES_MAX),
            kept: Kept::default(),
            room: Gauge::new(QUEUE_TIME, ROOM_BYTES_MAX),
            is_open: false,
            bytes_max: PACKET_BYTES_MAX,
            next_sequence: 1,
            paused_until: None,
            events: VecDeque::new(),
        }
    }
}

/// A session that has used all numbers goes on without: such packets are delivered, and never repeated.
fn following(sequence: u32) -> u32 {
    if sequence == 0 { 0 } else { sequence.checked_add(1).unwrap_or(0) }
}

/// Refuses a message of a channel that is too long.
pub(crate) fn check_length(bytes: usize, bytes_max: usize) -> Result<(), SendError> {
    if bytes > bytes_max { Err(SendError::TooLarge { bytes, limit: bytes_max }) } else { Ok(()) }
}

impl Outgoing {
    /// Takes an encoded packet without a number.
    pub(crate) fn push(
        &mut self,
        (id, bytes): (PacketId, Vec<u8>),
        (flow, urgency): (Flow, Urgency),
        now: Instant,
    ) -> Result<(), SendError> {
        check_length(bytes.len() + SEQUENCE_BYTES_MAX, self.bytes_max)?;
        let length = bytes.len();
        let waiting = Waiting { id, bytes, bare: length };
        let pushed = match urgency {
            Urgency::Normal => self.waiting.push(flow, waiting, length, now),
            Urgency::Urgent => self.waiting.push_urgent(flow, waiting, length, now),
        };
        pushed.map_err(|full| SendError::Full { bytes_max: full.bytes_max })
    }

    /// Drops what of a flow has not been written.
    pub(crate) fn cancel(&mut self, flow: Flow, stats: &mut PacketStats) {
        self.drop_where(|other| other == flow, PacketDropReason::Cancelled, stats);
    }

    /// Drops everything that has not been written.
    pub(crate) fn drop_all(&mut self, reason: PacketDropReason, stats: &mut PacketStats) {
        self.drop_where(|_| true, reason, stats);
    }

    /// Says how long a message may be.
    pub(crate) fn set_bytes_max(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
    }

    /// Says whether the channel can be written, and what it holds, queued and in flight. To be called after every
    /// input.
    pub(crate) fn update(&mut self, is_open: bool, buffered: usize, now: Instant) {
        if self.paused_until.is_some_and(|until| until <= now) {
            self.pause(false, now);
        }
        self.is_open = is_open;
        if is_open {
            self.room.update(buffered, now);
            self.kept.update_buffered(buffered, now);
        }
    }

    /// The server asks streams to pause, because receivers do not keep up, or lets them go on.
    pub(crate) fn pause(&mut self, pauses: bool, now: Instant) {
        self.paused_until = pauses.then(|| now + PAUSE_MAX);
        if pauses {
            self.waiting.hold_all_but(Flow::USER);
        } else {
            self.go_on();
        }
    }

    /// When a pause ends by itself.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.paused_until
    }

    /// The server goes on with the session and has seen packets up to this one: what it has not seen is written
    /// again, in order, before anything else.
    pub(crate) fn resume(&mut self, last_sequence: u32) {
        self.go_on();
        self.kept.resume(last_sequence);
    }

    /// A new session has begun, on a new channel: what waits is sent there. Of what was under way in the channel before
    /// nobody knows whether it has arrived. It is not sent again, since receivers could not tell that it is the same:
    /// they know senders by their sessions.
    pub(crate) fn restart(&mut self, stats: &mut PacketStats) {
        self.go_on();
        let unconfirmed = self.kept.restart();
        if !unconfirmed.is_empty() {
            stats.reliable_unconfirmed += unconfirmed.len() as u64;
            self.events.push_back(PacketEvent::Unconfirmed(unconfirmed));
        }
        self.next_sequence = 1;
        self.is_open = false;
        self.room.reset();
    }

    /// The next message to write, if there is room for it. To be followed at once by [`written`](Self::written) or
    /// [`refused`](Self::refused).
    pub(crate) fn peek(&mut self, stats: &mut PacketStats) -> Option<&[u8]> {
        if !self.is_open {
            return None;
        }
        if let Some(length) = self.kept.repeat().map(<[u8]>::len) {
            return if self.room.admits(length) { self.kept.repeat() } else { None };
        }
        self.drop_too_large(stats);
        let (_, next) = self.waiting.peek()?;
        if !self.room.admits(next.bare + SEQUENCE_BYTES_MAX) {
            return None;
        }
        next.bytes.truncate(next.bare);
        put_sequence(&mut next.bytes, self.next_sequence);
        Some(&next.bytes)
    }

    /// The channel has taken the message just peeked.
    pub(crate) fn written(&mut self, stats: &mut PacketStats, now: Instant) {
        if let Some(length) = self.kept.repeated() {
            stats.reliable_repeated += 1;
            self.room.wrote(length, now);
            return;
        }
        let Some((_, next)) = self.waiting.peek() else { return };
        let (id, bytes) = (next.id, std::mem::take(&mut next.bytes));
        self.room.wrote(bytes.len(), now);
        self.take_next();
        self.kept.push(self.next_sequence, id, bytes.into());
        self.next_sequence = following(self.next_sequence);
        stats.reliable_written += 1;
        self.events.push_back(PacketEvent::Written(id));
    }

    /// The channel was full; the message just peeked stays until it holds less.
    pub(crate) fn refused(&mut self) {
        self.room.refused();
    }

    /// What has become of packets.
    pub(crate) fn poll_event(&mut self) -> Option<PacketEvent> {
        self.events.pop_front()
    }

    /// Packets that have not been written, or that the channel has not let go of.
    pub(crate) fn unfinished(&self) -> usize {
        self.waiting.len() + self.kept.unreleased()
    }

    fn go_on(&mut self) {
        self.paused_until = None;
        self.waiting.release();
    }

    /// What waits is kept elsewhere once it is written.
    fn take_next(&mut self) {
        self.waiting.written(0);
        self.waiting.released(0);
    }

    /// A new session's server may take less than the one before.
    fn drop_too_large(&mut self, stats: &mut PacketStats) {
        let limit = self.bytes_max;
        while let Some((_, next)) = self.waiting.peek()
            && next.bare + SEQUENCE_BYTES_MAX > limit
        {
            let packet = next.id;
            self.take_next();
            stats.reliable_dropped += 1;
            let reason = PacketDropReason::TooLarge { limit };
            self.events.push_back(PacketEvent::Dropped { packet, reason });
        }
    }

    fn drop_where(&mut self, is: impl Fn(Flow) -> bool, reason: PacketDropReason, stats: &mut PacketStats) {
        let events = &mut self.events;
        self.waiting.retain(|flow, waiting| {
            if is(flow) {
                stats.reliable_dropped += 1;
                events.push_back(PacketEvent::Dropped { packet: waiting.id, reason });
            }
            !is(flow)
        });
    }
}

#[cfg(test)]
mod tests;
