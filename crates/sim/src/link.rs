//! An emulated link in one direction: rate, delay, loss, reordering, a drop-tail queue, and outages.
//!
//! It knows no clock, so that the same link serves virtual time and real sockets.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Bytes that IP and UDP add to each datagram on the wire.
const OVERHEAD_BYTES: usize = 28;

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
    /// Found the queue full.
    pub overflowed: u64,
    /// Sent while the link was down.
    pub outage: u64,
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

    /// Sends an item of so many bytes.
    pub fn send(&mut self, bytes: usize, item: T, now: Instant) {
        if !self.up {
            self.stats.outage += 1;
            return;
        }
        if self.random.f64() < self.config.loss {
            self.stats.lost += 1;
            return;
        }
        let begin = self.free_at.map_or(now, |free_at| free_at.max(now));
        if begin - now > self.config.queue {
            self.stats.overflowed += 1;
            return;
        }
        let bytes = bytes + OVERHEAD_BYTES;
        let sent = begin + self.config.serialisation(bytes);
        self.free_at = Some(sent);
        self.stats.carried += 1;
        self.stats.carried_bytes += bytes as u64;
        let arrives = self.arrival(sent);
        let place = self.under_way.partition_point(|(at, _)| *at <= arrives);
        self.under_way.insert(place, (arrives, item));
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
mod tests {
    use super::*;

    fn drain(link: &mut Link<u32>) -> Vec<(Instant, u32)> {
        let mut arrived = Vec::new();
        while let Some(at) = link.poll_timeout() {
            arrived.extend(link.poll(at).map(|item| (at, item)));
        }
        arrived
    }

    #[test]
    fn a_rate_spaces_datagrams_and_a_delay_shifts_them() {
        let start = Instant::now();
        let config =
            LinkConfig { rate_bps: Some(8_000), delay: Duration::from_millis(50), ..LinkConfig::default() };
        let mut link = Link::new(LinkConfig { queue: Duration::from_secs(5), ..config }, 1);
        (0..3).for_each(|n| link.send(1_000 - OVERHEAD_BYTES, n, start));
        let arrived: Vec<_> =
            drain(&mut link).iter().map(|(at, n)| ((*at - start).as_millis(), *n)).collect();
        assert_eq!(arrived, [(1_050, 0), (2_050, 1), (3_050, 2)]);
    }

    #[test]
    fn a_full_queue_drops_the_newest() {
        let start = Instant::now();
        let config = LinkConfig {
            rate_bps: Some(8_000),
            queue: Duration::from_millis(1_500),
            ..LinkConfig::default()
        };
        let mut link = Link::new(config, 1);
        (0..10).for_each(|n| link.send(1_000 - OVERHEAD_BYTES, n, start));
        assert_eq!(drain(&mut link).len(), 2);
        assert_eq!(link.stats().overflowed, 8);
    }

    #[test]
    fn a_detour_lets_later_datagrams_overtake() {
        let start = Instant::now();
        let config = LinkConfig { detours: 0.5, ..LinkConfig::default() };
        let mut link = Link::new(config, 7);
        (0..1_000).for_each(|n| link.send(100, n, start + Duration::from_millis(u64::from(n))));
        let arrived: Vec<_> = drain(&mut link).into_iter().map(|(_, n)| n).collect();
        assert_eq!(arrived.len(), 1_000);
        assert!(!arrived.is_sorted(), "none was overtaken");
    }

    #[test]
    fn loss_and_outage_are_counted() {
        let start = Instant::now();
        let mut link = Link::new(LinkConfig { loss: 0.25, ..LinkConfig::default() }, 7);
        (0..10_000).for_each(|n| link.send(100, n, start));
        let share = link.stats().lost as f64 / 10_000.0;
        assert!((0.23..0.27).contains(&share), "{share}");
        link.set_up(false);
        link.send(100, 0, start);
        assert_eq!(link.stats().outage, 1);
    }
}
