//! User packets for a participant: reliable ones wait their turn, lossy ones go at once or not at all.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_lanes::{Backlog, Gauge};

use crate::connection::{ChannelKind, Connection};

/// Reliable bytes that wait for one participant, with a charge for each packet; whoever falls further behind has to begin
/// anew. Files are sent faster than they are received, and nothing slows official senders.
const RELIABLE_BYTES_MAX: usize = 64 << 20;
/// The same for one that is still joining.
const JOINING_BYTES_MAX: usize = 8 << 20;
/// What may wait of one sender's packets for named receivers before the sender is asked to pause, and after which it may go on.
const FLOW_BYTES_HIGH: usize = 1 << 20;
const FLOW_BYTES_LOW: usize = 256 << 10;
/// How long a reliable packet may wait, once the channel has been open for so long.
const RELIABLE_AGE_MAX: Duration = Duration::from_secs(60);
/// How long the channel may take nothing while anything waits.
const STALL_MAX: Duration = Duration::from_secs(10);
/// How often ages are looked at while anything waits.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);
/// What user packets may queue in the path: frames of data tracks wait behind it.
const QUEUE_TIME: Duration = Duration::from_millis(25);
/// What one channel of user packets may hold at most: the connection's limit is shared with data tracks.
const CHANNEL_BYTES_MAX: usize = 1 << 20;
/// Lossy packets between two looks at the channel.
const LOSSY_MAX: usize = 64;

/// A reliable packet for a participant.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// Whose packet it is: packets of one flow keep their order, flows take turns.
    pub flow: u64,
    /// The sender's number for it; 0 is none.
    pub sequence: u32,
    /// It is for named participants alone: its sender may be asked to pause.
    pub is_named: bool,
    /// The packet.
    pub message: Bytes,
}

/// What became of user packets for a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MessageCounts {
    /// Reliable packets that the channel has taken.
    pub reliable: u64,
    /// Their bytes.
    pub reliable_bytes: u64,
    /// Lossy packets that the channel has taken.
    pub lossy: u64,
    /// Their bytes.
    pub lossy_bytes: u64,
    /// Lossy packets dropped because the channel had no room.
    pub lossy_full: u64,
    /// Lossy packets dropped because there was no channel.
    pub lossy_closed: u64,
    /// Packets dropped because they are longer than the participant takes.
    pub too_large: u64,
    /// Reliable packets given up because the participant has fallen too far behind.
    pub overflowed: u64,
}

/// What the sender of a flow is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowChange {
    /// Which flow.
    pub flow: u64,
    /// To pause; else it may go on.
    pub pauses: bool,
}

/// What waits for a participant's channels of user packets.
#[derive(Debug)]
pub(super) struct Messages {
    reliable: Backlog<u64, (u32, Bytes)>,
    lossy: VecDeque<Bytes>,
    reliable_gauge: Gauge,
    lossy_gauge: Gauge,
    /// Since when the reliable channel is open, and when it last took a packet or had nothing to take.
    open_since: Option<Instant>,
    wrote_at: Option<Instant>,
    check_at: Option<Instant>,
    /// Flows whose senders are asked to pause.
    congested: Vec<u64>,
    /// Of those, what has changed and was not told yet.
    changes: VecDeque<FlowChange>,
    /// It cannot catch up any more: nothing waits for it.
    behind: bool,
    counts: MessageCounts,
}

impl Messages {
    pub(super) fn new() -> Self {
        Self {
            reliable: Backlog::new(RELIABLE_BYTES_MAX),
            wrote_at: None,
            lossy: VecDeque::new(),
            reliable_gauge: Gauge::new(QUEUE_TIME, CHANNEL_BYTES_MAX),
            lossy_gauge: Gauge::new(QUEUE_TIME, CHANNEL_BYTES_MAX / 4),
            open_since: None,
            check_at: None,
            congested: Vec::new(),
            changes: VecDeque::new(),
            behind: false,
            counts: MessageCounts::default(),
        }
    }

    /// Answers `true` if the participant has just fallen too far behind.
    pub(super) fn push_reliable(&mut self, parcel: Parcel, now: Instant) -> bool {
        if self.behind {
            self.counts.overflowed += 1;
            return false;
        }
        let Parcel { flow, sequence, is_named, message } = parcel;
        let bytes = message.len();
        self.check_at.get_or_insert(now + CHECK_INTERVAL);
        if self.reliable.is_empty() {
            self.wrote_at = Some(now);
        }
        // Before the channel is open, its participant has shown nothing yet.
        let is_full = self.open_since.is_none() && self.reliable.bytes() + bytes > JOINING_BYTES_MAX;
        if is_full || self.reliable.push(flow, (sequence, message), bytes, now).is_err() {
            self.counts.overflowed += 1;
            return self.give_up();
        }
        if is_named {
            self.congest(flow);
        }
        false
    }

    pub(super) fn push_lossy(&mut self, message: Bytes) {
        if self.lossy.len() >= LOSSY_MAX {
            self.counts.lossy_full += 1;
        } else {
            self.lossy.push_back(message);
        }
    }

    /// What waits is kept only if that says so, by flow and sequence.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(u64, u32) -> bool) {
        self.reliable.retain(|flow, (sequence, _)| keep(flow, *sequence));
        self.relieve();
    }

    /// The reliable channel is open. If there was one before, what it had not delivered is sent again.
    pub(super) fn opened(&mut self, now: Instant) {
        if self.open_since.replace(now).is_some() {
            self.reliable.replaced();
            self.reliable_gauge.reset();
        }
    }

    /// Answers `true` if the participant has just fallen too far behind.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        if self.check_at.is_none_or(|at| at > now) {
            return false;
        }
        self.check_at = (!self.reliable.is_empty()).then(|| now + CHECK_INTERVAL);
        if self.is_too_old(now) { self.give_up() } else { false }
    }

    fn is_too_old(&self, now: Instant) -> bool {
        let Some(open_since) = self.open_since else { return false };
        let exceeds = |since: Option<Instant>, limit: Duration| {
            since.is_some_and(|since| now.saturating_duration_since(since.max(open_since)) > limit)
        };
        let oldest = self.reliable.oldest();
        exceeds(oldest, RELIABLE_AGE_MAX) || (oldest.is_some() && exceeds(self.wrote_at, STALL_MAX))
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.check_at
    }

    /// Writes what there is room for; `true` if anything was written.
    pub(super) fn flush(&mut self, connection: &mut impl Connection, now: Instant) -> bool {
        let mut writer = Writer { connection, now, wrote: false };
        if !self.reliable.is_done() {
            self.flush_reliable(&mut writer);
        }
        if !self.lossy.is_empty() {
            self.flush_lossy(&mut writer);
        }
        let wrote = writer.wrote;
        if wrote && !self.congested.is_empty() {
            self.relieve();
        }
        wrote
    }

    /// What senders are to be asked.
    pub(super) fn poll_change(&mut self) -> Option<FlowChange> {
        self.changes.pop_front()
    }

    pub(super) fn take_counts(&mut self) -> MessageCounts {
        std::mem::take(&mut self.counts)
    }

    fn flush_reliable(&mut self, writer: &mut Writer<'_, impl Connection>) {
        if !writer.connection.is_open(ChannelKind::Reliable) {
            return;
        }
        let buffered = writer.connection.buffered(ChannelKind::Reliable);
        self.reliable.released(buffered);
        self.reliable_gauge.update(buffered, writer.now);
        while let Some((_, (_, message))) = self.reliable.peek() {
            let bytes = message.len();
            let fits = bytes <= writer.connection.message_bytes_max();
            if fits && !self.reliable_gauge.admits(bytes) {
                return;
            }
            if fits && !writer.write(ChannelKind::Reliable, message) {
                return self.reliable_gauge.refused();
            }
            self.reliable.written(if fits { bytes } else { 0 });
            self.wrote_at = Some(writer.now);
            if fits {
                self.reliable_gauge.wrote(bytes, writer.now);
                self.counts.reliable += 1;
                self.counts.reliable_bytes += bytes as u64;
            } else {
                self.counts.too_large += 1;
            }
        }
    }

    fn flush_lossy(&mut self, writer: &mut Writer<'_, impl Connection>) {
        if !writer.connection.is_open(ChannelKind::Lossy) {
            self.counts.lossy_closed += self.lossy.drain(..).count() as u64;
            return;
        }
        self.lossy_gauge.update(writer.connection.buffered(ChannelKind::Lossy), writer.now);
        while let Some(message) = self.lossy.pop_front() {
            let bytes = message.len();
            if bytes > writer.connection.message_bytes_max() {
                self.counts.too_large += 1;
            } else if self.lossy_gauge.admits(bytes) && writer.write(ChannelKind::Lossy, &message) {
                self.lossy_gauge.wrote(bytes, writer.now);
                self.counts.lossy += 1;
                self.counts.lossy_bytes += bytes as u64;
            } else {
                self.counts.lossy_full += 1;
            }
        }
    }

    fn congest(&mut self, flow: u64) {
        if self.reliable.flow_bytes(flow) > FLOW_BYTES_HIGH && !self.congested.contains(&flow) {
            self.congested.push(flow);
            self.changes.push_back(FlowChange { flow, pauses: true });
        }
    }

    fn relieve(&mut self) {
        let Self { reliable, changes, .. } = self;
        self.congested.retain(|flow| {
            let stays = reliable.flow_bytes(*flow) > FLOW_BYTES_LOW;
            if !stays {
                changes.push_back(FlowChange { flow: *flow, pauses: false });
            }
            stays
        });
    }

    fn give_up(&mut self) -> bool {
        self.counts.overflowed += self.reliable.len() as u64;
        self.reliable.retain(|_, _| false);
        self.relieve();
        self.check_at = None;
        !std::mem::replace(&mut self.behind, true)
    }
}

/// A connection that is written to.
struct Writer<'c, C> {
    connection: &'c mut C,
    now: Instant,
    wrote: bool,
}

impl<C: Connection> Writer<'_, C> {
    fn write(&mut self, channel: ChannelKind, message: &[u8]) -> bool {
        if !self.wrote {
            // Timers of what is written start from what the connection takes for now.
            self.connection.handle_timeout(self.now);
        }
        let accepted = self.connection.write(channel, message);
        self.wrote |= accepted;
        accepted
    }
}
