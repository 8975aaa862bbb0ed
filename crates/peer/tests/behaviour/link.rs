//! A network in virtual time: delay, loss, and a cable that can be pulled.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use trackyard_peer::Transmit;

/// What a datagram meets between two addresses.
pub(crate) struct Link {
    pub(crate) delay: Duration,
    /// Of 100 datagrams.
    pub(crate) loss: u32,
    pub(crate) is_cut: bool,
    /// What it carries to one address; what comes faster waits, however much it is.
    pub(crate) bytes_per_second: Option<f64>,
    busy_until: BTreeMap<SocketAddr, Instant>,
    /// One address nothing goes to or comes from.
    pub(crate) cut_for: Option<SocketAddr>,
    random: fastrand::Rng,
    under_way: BTreeMap<(Instant, u64), Transmit>,
    count: u64,
}

impl Link {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            delay: Duration::from_millis(5),
            loss: 0,
            is_cut: false,
            bytes_per_second: None,
            busy_until: BTreeMap::new(),
            cut_for: None,
            random: fastrand::Rng::with_seed(seed),
            under_way: BTreeMap::new(),
            count: 0,
        }
    }

    pub(crate) fn send(&mut self, transmit: Transmit, now: Instant) {
        let ends = [Some(transmit.source), Some(transmit.destination)];
        let is_cut = self.is_cut || (self.cut_for.is_some() && ends.contains(&self.cut_for));
        if is_cut || self.random.u32(..100) < self.loss {
            return;
        }
        self.count += 1;
        let sent = self.sent(&transmit, now);
        self.under_way.insert((sent + self.delay, self.count), transmit);
    }

    /// When the last byte has left.
    fn sent(&mut self, transmit: &Transmit, now: Instant) -> Instant {
        let Some(rate) = self.bytes_per_second else { return now };
        let busy_until = self.busy_until.entry(transmit.destination).or_insert(now);
        let time = Duration::from_secs_f64(transmit.contents.len() as f64 / rate);
        *busy_until = now.max(*busy_until) + time;
        *busy_until
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.under_way.keys().next().map(|(at, _)| *at)
    }

    pub(crate) fn deliver(&mut self, now: Instant) -> Option<Transmit> {
        if self.next()? > now {
            return None;
        }
        self.under_way.pop_first().map(|(_, transmit)| transmit)
    }
}
