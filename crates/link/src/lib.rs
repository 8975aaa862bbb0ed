//! An emulated link in one direction: rate, delay, loss, reordering, a drop-tail queue, and outages.
//!
//! It never reads a clock or opens a socket, so that the same link serves virtual time and real sockets.
//! Chance is seeded: the same seed and the same datagrams have the same fate.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests need a moment to begin at"))]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Bytes that IP and UDP add to each datagram on the wire.
const OVERHEAD_BYTES: usize = 28;

/// Items that are on their way or wait at most; an unlimited rate has no queue that would bound them.
pub const ITEMS_MAX: usize = 65_536;

/// How much longer a detour takes at most.
pub const DETOUR_MAX: Duration = Duration::from_millis(10);

/// What a link is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinkConfig {
    /// Bits per second; `None` is unlimited.
    pub rate_bps: Option<u64>,
    /// From one end to the other, without queueing.
    pub delay: Duration,
    /// Share of datagrams that vanish, 0.0..=1.0.
    pub loss: f64,
    /// Share of datagrams that take up to [`DETOUR_MAX`] longer, so that later ones overtake them.
    pub detours: f64,
    /// How long a datagram may wait for its turn; beyond it, it is dropped (drop tail).
    pub queue: Duration,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            rate_bps: None,
            delay: Duration::ZERO,
            loss: 0.0,
            detours: 0.0,
            queue: Duration::from_millis(200),
        }
    }
}

/// One direction of a path. Items come out in the order they went in, but for those on a detour.
#[derive(Debug)]
pub struct Link<T> {
    config: LinkConfig,
    random: fastrand::Rng,
    /// When the last bit of what was accepted so far has been sent.
    free_at: Option<Instant>,
    /// By arrival.
    under_way: VecDeque<(Instant, T)>,
    /// When the last item without a detour arrives.
    last: Option<Instant>,
    up: bool,
    stats: LinkStats,
}

/// What became of the datagrams given to a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LinkStats {
    /// Accepted and delivered, or on their way.
    pub carried: u64,
    /// Their bytes, IP and UDP included.
    pub carried_bytes: u64,
    /// Vanished by chance.
    pub lost: u64,
    /// Found the queue full, or [`ITEMS_MAX`] items before them.
    pub overflowed: u64,
    /// Sent while the link was down.
    pub outage: u64,
}

/// What became of one datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It arrives at this moment.
    Carried(Instant),
    /// It vanished by chance.
    Lost,
    /// It found the queue full.
    Overflowed,
    /// The link is down.
    Outage,
}

impl<T> Link<T> {
    /// A link that is up.
    #[must_use]
    pub fn new(config: LinkConfig, seed: u64) -> Self {
        Self {
            config,
            random: fastrand::Rng::with_seed(seed),
            free_at: None,
            under_way: VecDeque::new(),
            last: None,
            up: true,
            stats: LinkStats::default(),
        }
    }

    /// Takes the link down, or up again; what is on its way still arrives.
    pub fn set_up(&mut self, up: bool) {
        self.up = up;
    }

    /// What the link is like from now on; what is on its way is not overtaken.
    pub fn set_config(&mut self, config: LinkConfig) {
        self.config = config;
    }

    /// Sends an item of so many bytes, without IP and UDP, and says what becomes of it.
    ///
    /// `now` never goes backwards.
    pub fn send(&mut self, bytes: usize, item: T, now: Instant) -> Verdict {
        let verdict = self.admit(bytes + OVERHEAD_BYTES, now);
        match verdict {
            Verdict::Carried(arrives) => {
                self.stats.carried += 1;
                self.stats.carried_bytes += (bytes + OVERHEAD_BYTES) as u64;
                let place = self.under_way.partition_point(|(at, _)| *at <= arrives);
                self.under_way.insert(place, (arrives, item));
            }
            Verdict::Lost => self.stats.lost += 1,
            Verdict::Overflowed => self.stats.overflowed += 1,
            Verdict::Outage => self.stats.outage += 1,
        }
        verdict
    }

    fn admit(&mut self, bytes: usize, now: Instant) -> Verdict {
        if !self.up {
            return Verdict::Outage;
        }
        if self.random.f64() < self.config.loss {
            return Verdict::Lost;
        }
        let begin = self.free_at.map_or(now, |free_at| free_at.max(now));
        if begin - now > self.config.queue || self.under_way.len() >= ITEMS_MAX {
            return Verdict::Overflowed;
        }
        let sent = begin + self.config.serialisation(bytes);
        self.free_at = Some(sent);
        Verdict::Carried(self.arrival(sent))
    }

    fn arrival(&mut self, sent: Instant) -> Instant {
        let straight = sent + self.config.delay;
        if self.config.detours > 0.0 && self.random.f64() < self.config.detours {
            return straight + DETOUR_MAX.mul_f64(self.random.f64());
        }
        let arrives = self.last.map_or(straight, |last| last.max(straight));
        self.last = Some(arrives);
        arrives
    }

    /// The next item that has arrived by now.
    pub fn poll(&mut self, now: Instant) -> Option<T> {
        if self.poll_timeout()? > now {
            return None;
        }
        self.under_way.pop_front().map(|(_, item)| item)
    }

    /// When the next item arrives.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.under_way.front().map(|(at, _)| *at)
    }

    /// How many items wait or are on their way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.under_way.len()
    }

    /// What became of everything so far.
    #[must_use]
    pub fn stats(&self) -> LinkStats {
        self.stats
    }
}

impl LinkConfig {
    fn serialisation(&self, bytes: usize) -> Duration {
        match self.rate_bps {
            Some(rate) if rate > 0 => Duration::from_secs_f64(bytes as f64 * 8.0 / rate as f64),
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests;
