//! An ordered queue whose items take a while, drawn by chance.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// An ordered queue with delays.
#[derive(Debug)]
pub struct Mailbox<T> {
    items: VecDeque<(Instant, T)>,
    delay_max: Duration,
    random: fastrand::Rng,
    last: Option<Instant>,
}

impl<T> Mailbox<T> {
    /// Each item takes up to `delay_max`, and none overtakes another.
    #[must_use]
    pub fn new(delay_max: Duration, seed: u64) -> Self {
        Self { items: VecDeque::new(), delay_max, random: fastrand::Rng::with_seed(seed), last: None }
    }

    /// Puts an item in.
    pub fn push(&mut self, item: T, now: Instant) {
        let at = now + self.delay_max.mul_f64(self.random.f64());
        let at = self.last.map_or(at, |last| last.max(at));
        self.last = Some(at);
        self.items.push_back((at, item));
    }

    /// The next item that has arrived.
    pub fn pop(&mut self, now: Instant) -> Option<T> {
        if self.poll_timeout()? > now {
            return None;
        }
        self.items.pop_front().map(|(_, item)| item)
    }

    /// When the next item arrives.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.items.front().map(|(at, _)| *at)
    }
}
