//! What each publisher may send while its worker has more to do than it can: fair shares of what the worker carries.
//!
//! A worker is behind when what it reads has waited for long, on average over a window. Then one level for all
//! publishers is found by which their sum is less than what was carried before: who sends less than the level loses
//! nothing, who sends more is held to it. The level falls as long as the worker is behind and rises again after.
//! The unit is what a datagram carries, so that large frames count for what they are.

mod level;
mod share;

use std::time::{Duration, Instant};

use trackyard_wire::Header;

use super::ids::IdMap;
use crate::control::PeerId;
use level::Level;
pub(super) use share::{Share, units};

/// How long publishers are watched before the level changes.
const WINDOW: Duration = Duration::from_millis(100);
/// A clock that is set makes waits that are none; a longer one counts as this.
const WAIT_MAX: Duration = Duration::from_millis(500);
/// Publishers of other workers that are watched in a window; more are admitted unwatched.
const GUESTS_MAX: usize = 65_536;

/// The shares of one worker's publishers, and of those whose packets come from other workers.
#[derive(Debug)]
pub(super) struct Shares {
    /// A worker whose input has waited for so long on average is behind; zero: none ever is.
    wait_max: Duration,
    level: Level,
    window: Window,
    /// Who has sent something in this window.
    active: Vec<PeerId>,
    /// Publishers of other workers, as long as they send.
    guests: IdMap<PeerId, Share>,
    /// What each has offered; its memory is used again.
    offers: Vec<u32>,
}

/// What a window shows.
#[derive(Debug, Default)]
struct Window {
    number: u32,
    began: Option<Instant>,
    waited: Duration,
    inputs: u32,
}

impl Window {
    fn mean_wait(&self) -> Duration {
        self.waited / self.inputs.max(1)
    }
}

impl Shares {
    /// Nobody has sent anything.
    pub(super) fn new(wait_max: Duration) -> Self {
        Self {
            wait_max,
            level: Level::new(wait_max),
            window: Window::default(),
            active: Vec::new(),
            guests: IdMap::default(),
            offers: Vec::new(),
        }
    }

    /// An input is taken that has waited since `received`.
    pub(super) fn note_wait(&mut self, received: Instant, now: Instant) {
        if self.wait_max.is_zero() {
            return;
        }
        self.window.began.get_or_insert(now);
        self.window.waited += now.saturating_duration_since(received).min(WAIT_MAX);
        self.window.inputs += 1;
    }

    /// Whether it is time to [`turn`](Self::turn).
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.window.began.is_some_and(|began| now.saturating_duration_since(began) >= WINDOW)
    }

    /// Anybody is held to a share.
    pub(super) fn are_on(&self) -> bool {
        self.level.rate().is_some()
    }

    /// The share of each publisher, in units a second, if anybody is held to it.
    pub(super) fn rate(&self) -> Option<f32> {
        self.level.rate()
    }

    /// A publisher of this worker begins a frame or goes on with one.
    pub(super) fn admits(&mut self, from: PeerId, share: &mut Share, ask: Ask) -> bool {
        if self.wait_max.is_zero() {
            return true;
        }
        if share.offer(self.window.number, ask.units) {
            self.active.push(from);
        }
        share.admits(self.level.rate(), ask)
    }

    /// The same for a publisher of another worker.
    pub(super) fn admits_guest(&mut self, from: PeerId, ask: Ask) -> bool {
        if self.wait_max.is_zero() || self.guests.len() >= GUESTS_MAX && !self.guests.contains_key(&from) {
            return true;
        }
        let share = self.guests.entry(from).or_default();
        share.offer(self.window.number, ask.units);
        share.admits(self.level.rate(), ask)
    }

    /// A window has ended: sets the level for the next. `find` knows the shares of this worker's publishers.
    pub(super) fn turn<'s>(&mut self, now: Instant, mut find: impl FnMut(PeerId) -> Option<&'s Share>) {
        let Some(began) = self.window.began else { return };
        let number = self.window.number;
        self.offers.clear();
        self.offers.extend(self.active.drain(..).filter_map(|id| find(id)?.offered(number)));
        self.guests.retain(|_, share| share.offered(number).is_some());
        self.offers.extend(self.guests.values().filter_map(|share| share.offered(number)));
        let seconds = now.saturating_duration_since(began).as_secs_f32();
        self.level.turn(self.window.mean_wait(), &mut self.offers, seconds);
        self.window = Window { number: number.wrapping_add(1), ..Window::default() };
    }
}

/// A packet that wants to pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask {
    /// It begins a frame: one that has begun goes on.
    pub(super) is_start: bool,
    pub(super) units: u32,
    pub(super) now: Instant,
}

impl Ask {
    /// For a packet of so many bytes.
    pub(super) fn of(header: &Header, bytes: usize, now: Instant) -> Self {
        Self { is_start: header.start, units: units(bytes), now }
    }
}

#[cfg(test)]
mod tests;
