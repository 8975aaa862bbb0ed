//! A model of a path and of the sender in front of it: slow start and halving on loss over a link
//! of given rate, round trip and queue, with messages cut into chunks and never repeated. What the
//! channel holds falls on acknowledgement only, as SCTP's does.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;

const CHUNK_BYTES: usize = 1_100;
/// Headers of SCTP, DTLS, UDP and IP.
const CHUNK_OVERHEAD: usize = 100;
const WINDOW_START_BYTES: usize = 4_380;

/// What the link is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    pub(crate) bytes_per_second: f64,
    pub(crate) round_trip: Duration,
    pub(crate) queue_bytes: usize,
}

#[derive(Debug)]
struct Chunk {
    message: u64,
    bytes: usize,
}

/// A message that has arrived whole.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) at: Instant,
    pub(crate) packet: Bytes,
}

#[derive(Debug)]
struct InFlight {
    acknowledged: Instant,
    chunk: Chunk,
    lost: bool,
}

/// The channel of one receiver.
#[derive(Debug)]
pub(crate) struct Channel {
    link: Link,
    pending: VecDeque<Chunk>,
    flight: VecDeque<InFlight>,
    flight_bytes: usize,
    window: usize,
    threshold: usize,
    partial: usize,
    recovered: Instant,
    link_free: Instant,
    /// Messages under way: the bytes still missing.
    messages: BTreeMap<u64, (Bytes, usize)>,
    written: u64,
    pub(crate) delivered: Vec<Delivery>,
    pub(crate) link_bytes: usize,
}

impl Channel {
    pub(crate) fn new(link: Link, now: Instant) -> Self {
        Self {
            link,
            pending: VecDeque::new(),
            flight: VecDeque::new(),
            flight_bytes: 0,
            window: WINDOW_START_BYTES,
            threshold: 1 << 20,
            partial: 0,
            recovered: now,
            link_free: now,
            messages: BTreeMap::new(),
            written: 0,
            delivered: Vec::new(),
            link_bytes: 0,
        }
    }

    pub(crate) fn buffered(&self) -> usize {
        self.flight_bytes + self.pending.iter().map(|chunk| chunk.bytes).sum::<usize>()
    }

    pub(crate) fn write(&mut self, packet: &Bytes, now: Instant) {
        let message = self.written;
        self.written += 1;
        self.messages.insert(message, (packet.clone(), packet.len()));
        let mut rest = packet.len();
        while rest > 0 {
            let bytes = rest.min(CHUNK_BYTES);
            self.pending.push_back(Chunk { message, bytes });
            rest -= bytes;
        }
        self.send(now);
    }

    /// When the next acknowledgement comes.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.flight.front().map(|chunk| chunk.acknowledged)
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while self.poll_timeout().is_some_and(|at| at <= now) {
            let Some(InFlight { acknowledged, chunk, lost }) = self.flight.pop_front() else { return };
            self.flight_bytes -= chunk.bytes;
            if lost {
                self.back_off(acknowledged);
            } else {
                self.arrive(&chunk, acknowledged - self.link.round_trip / 2);
                self.open_window(chunk.bytes);
            }
        }
        self.send(now);
    }

    fn arrive(&mut self, chunk: &Chunk, at: Instant) {
        let Some((_, missing)) = self.messages.get_mut(&chunk.message) else { return };
        *missing -= chunk.bytes;
        if *missing == 0
            && let Some((packet, _)) = self.messages.remove(&chunk.message)
        {
            self.delivered.push(Delivery { at, packet });
        }
    }

    /// The window grows only while more is to be sent than fits.
    fn open_window(&mut self, acknowledged: usize) {
        if self.pending.is_empty() {
            return;
        }
        if self.window <= self.threshold {
            self.window += acknowledged;
            return;
        }
        self.partial += acknowledged;
        if self.partial >= self.window {
            self.partial -= self.window;
            self.window += CHUNK_BYTES;
        }
    }

    /// Once per round trip.
    fn back_off(&mut self, now: Instant) {
        if now >= self.recovered {
            self.threshold = (self.window / 2).max(4 * CHUNK_BYTES);
            self.window = self.threshold;
            self.recovered = now + self.link.round_trip;
        }
    }

    fn send(&mut self, now: Instant) {
        while self.pending.front().is_some_and(|chunk| self.flight_bytes + chunk.bytes <= self.window) {
            let Some(chunk) = self.pending.pop_front() else { return };
            self.flight_bytes += chunk.bytes;
            let queued = self.link_free.saturating_duration_since(now);
            let lost = queued.as_secs_f64() * self.link.bytes_per_second > self.link.queue_bytes as f64;
            if lost {
                self.messages.remove(&chunk.message);
            } else {
                let wire_bytes = chunk.bytes + CHUNK_OVERHEAD;
                self.link_bytes += wire_bytes;
                let serialised = Duration::from_secs_f64(wire_bytes as f64 / self.link.bytes_per_second);
                self.link_free = self.link_free.max(now) + serialised;
            }
            let acknowledged = self.link_free.max(now) + self.link.round_trip;
            self.flight.push_back(InFlight { acknowledged, chunk, lost });
        }
    }
}
