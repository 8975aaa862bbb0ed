//! How much the path takes without queueing (design §5, "Room").
//!
//! All that is visible is how many bytes the channel still holds, in flight included. From it: the rate
//! at which bytes are released while there are any, and the least time from a write into an empty
//! channel to its release. Rate × time is what is on its way on a path without a queue; the rest of what
//! the channel holds waits somewhere.

use std::time::{Duration, Instant};

/// What may wait beyond what is on its way.
const SLACK: Duration = Duration::from_millis(50);
/// What is allowed before anything has been measured: a slow link's tenth of a second.
const START_BYTES: usize = 48 * 1024;
/// Rates and times older than this are forgotten.
const WINDOW: Duration = Duration::from_secs(4);
/// While the rate still grows by a quarter per round, twice the estimate is allowed.
const GROWTH: f64 = 1.25;
const STARTUP_GAIN: f64 = 2.0;
/// Rounds without growth that end the startup.
const FLAT_ROUNDS: u8 = 3;
/// Bytes are never worth holding back beyond this.
const LIMIT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Estimates how many bytes the channel should hold at most.
#[derive(Debug)]
pub(crate) struct Estimator {
    buffered: usize,
    round_trip: WindowedBest,
    rate: WindowedBest,
    /// The write into an empty channel that is being timed: when, and bytes until it is released.
    probe: Option<(Instant, usize)>,
    round: Option<Round>,
    flat_rounds: u8,
    rate_before: f64,
    limit: usize,
}

/// The time in which what the channel held at its beginning is released.
#[derive(Debug, Clone, Copy)]
struct Round {
    begin: Instant,
    outstanding: usize,
    released: usize,
    /// Something had to wait because the limit was reached.
    limited: bool,
}

impl Default for Estimator {
    fn default() -> Self {
        Self {
            buffered: 0,
            round_trip: WindowedBest::new(|new, old| new <= old),
            rate: WindowedBest::new(|new, old| new >= old),
            probe: None,
            round: None,
            flat_rounds: 0,
            rate_before: 0.0,
            limit: START_BYTES,
        }
    }
}

impl Estimator {
    /// Whether a packet of so many bytes may be written. Two always may.
    pub(crate) fn has_room(&mut self, bytes: usize) -> bool {
        let room = self.buffered + bytes <= self.limit || self.buffered <= bytes;
        if !room && let Some(round) = &mut self.round {
            round.limited = true;
        }
        room
    }

    /// So many bytes have been written.
    pub(crate) fn written(&mut self, bytes: usize, now: Instant) {
        if self.buffered == 0 {
            self.probe = Some((now, bytes));
        }
        self.buffered += bytes;
        self.round.get_or_insert(Round {
            begin: now,
            outstanding: self.buffered,
            released: 0,
            limited: false,
        });
    }

    /// The channel holds so many bytes.
    pub(crate) fn update(&mut self, buffered: usize, now: Instant) {
        let released = self.buffered.saturating_sub(buffered);
        self.buffered = buffered;
        if released == 0 {
            return;
        }
        self.time_probe(released, now);
        self.advance_round(released, now);
    }

    fn time_probe(&mut self, released: usize, now: Instant) {
        let Some((begin, left)) = &mut self.probe else { return };
        *left = left.saturating_sub(released);
        if *left == 0 {
            let time = now.saturating_duration_since(*begin).as_secs_f64();
            self.probe = None;
            self.round_trip.update(time, now);
        }
    }

    fn advance_round(&mut self, released: usize, now: Instant) {
        let Some(round) = &mut self.round else { return };
        round.released += released;
        if round.released < round.outstanding && self.buffered > 0 {
            return;
        }
        let ended = *round;
        self.round = (self.buffered > 0).then_some(Round {
            begin: now,
            outstanding: self.buffered,
            released: 0,
            limited: false,
        });
        self.end_round(ended, now);
    }

    fn end_round(&mut self, round: Round, now: Instant) {
        let seconds = now.saturating_duration_since(round.begin).as_secs_f64().max(1e-4);
        let rate = round.released as f64 / seconds;
        // A round in which nothing had to wait shows how little was sent, not how much the path takes.
        if round.limited || self.rate.best().is_none_or(|best| rate > best) {
            self.rate.update(rate, now);
        }
        if round.limited {
            self.grow(rate);
        }
        self.limit = self.limit_bytes();
    }

    fn grow(&mut self, rate: f64) {
        if rate > self.rate_before * GROWTH {
            self.rate_before = rate;
            self.flat_rounds = 0;
        } else {
            self.flat_rounds = self.flat_rounds.saturating_add(1);
        }
    }

    fn limit_bytes(&self) -> usize {
        let (Some(rate), Some(round_trip)) = (self.rate.best(), self.round_trip.best()) else {
            return START_BYTES;
        };
        let startup = self.flat_rounds < FLAT_ROUNDS;
        let gain = if startup { STARTUP_GAIN } else { 1.0 };
        let bytes = (rate * (round_trip + SLACK.as_secs_f64()) * gain) as usize;
        bytes.clamp(if startup { START_BYTES } else { 0 }, LIMIT_BYTES_MAX)
    }
}

/// The best of a measure within a window, kept in two halves so that it costs nothing.
#[derive(Debug)]
struct WindowedBest {
    better: fn(f64, f64) -> bool,
    current: Option<f64>,
    previous: Option<f64>,
    since: Option<Instant>,
}

impl WindowedBest {
    fn new(better: fn(f64, f64) -> bool) -> Self {
        Self { better, current: None, previous: None, since: None }
    }

    fn update(&mut self, value: f64, now: Instant) {
        let since = *self.since.get_or_insert(now);
        if now.saturating_duration_since(since) > WINDOW / 2 {
            self.previous = self.current.take();
            self.since = Some(now);
        }
        if self.current.is_none_or(|current| (self.better)(value, current)) {
            self.current = Some(value);
        }
    }

    fn best(&self) -> Option<f64> {
        match (self.current, self.previous) {
            (Some(current), Some(previous)) if (self.better)(previous, current) => Some(previous),
            (current, previous) => current.or(previous),
        }
    }
}
