//! An emulated path to the server: two links, described the way people speak of them.
//!
//! The links know no clock and no socket; whoever relays datagrams through them says what time it is.

use std::str::FromStr;
use std::time::{Duration, Instant};

use thiserror::Error;
pub use trackyard_link::{ITEMS_MAX, Link, LinkConfig, LinkStats, Verdict};

use crate::units::{self, UnitError};

/// Longest round trip and longest queue.
pub const DELAY_MAX: Duration = Duration::from_secs(10);
/// Slowest and fastest rate in bits per second: beyond them, arrival times are not what anybody means.
pub const RATE_BPS: std::ops::RangeInclusive<u64> = 1_000..=100_000_000_000;
/// Queue of a link that does not say: what cheap routers have.
pub const QUEUE: Duration = Duration::from_millis(200);

/// Which way a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// A path as people speak of it: `down:5mbit/rtt:20ms/loss:1%/queue:200ms`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathSpec {
    /// Bits per second towards the server; `None` is unlimited.
    pub up_bps: Option<u64>,
    /// Bits per second towards the client; `None` is unlimited.
    pub down_bps: Option<u64>,
    /// There and back; each direction takes half.
    pub round_trip: Duration,
    /// Share of datagrams lost in each direction, 0.0..=1.0.
    pub loss: f64,
    /// How long a datagram waits for its turn before it is dropped, in each direction.
    pub queue: Duration,
}

/// Why a path was not understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PathSpecError {
    /// It is no `name:value`.
    #[error("`{part}` is no part of a link; write it like rate:5mbit/rtt:20ms/loss:1%/queue:200ms")]
    Part {
        /// What was written.
        part: String,
    },
    /// Two parts say the same.
    #[error("`{name}` is said twice")]
    Twice {
        /// Which.
        name: String,
    },
    /// A value that no link has.
    #[error("`{part}` is out of range: rates 1kbit to 100gbit, times at most 10 s")]
    Range {
        /// What was written.
        part: String,
    },
    /// A value was not understood.
    #[error("{name}: {source}")]
    Value {
        /// Which.
        name: String,
        /// Why.
        source: UnitError,
    },
}

/// Both directions of a path.
#[derive(Debug)]
pub struct Path<T> {
    up: Link<T>,
    down: Link<T>,
}

impl Default for PathSpec {
    /// A path that changes nothing.
    fn default() -> Self {
        Self { up_bps: None, down_bps: None, round_trip: Duration::ZERO, loss: 0.0, queue: QUEUE }
    }
}

impl PathSpec {
    /// What one direction is like.
    #[must_use]
    pub fn direction(&self, direction: Direction) -> LinkConfig {
        let rate_bps = match direction {
            Direction::Up => self.up_bps,
            Direction::Down => self.down_bps,
        };
        LinkConfig {
            rate_bps,
            delay: self.round_trip / 2,
            loss: self.loss,
            queue: self.queue,
            ..LinkConfig::default()
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), UnitError> {
        match name {
            "rate" => self.set_rates(Some(units::bit_rate(value)?)),
            "up" => self.up_bps = Some(units::bit_rate(value)?),
            "down" => self.down_bps = Some(units::bit_rate(value)?),
            "rtt" => self.round_trip = units::duration(value)?,
            "loss" => self.loss = units::share(value)?,
            // The one name that is left: `PARTS` has been asked.
            _ => self.queue = units::duration(value)?,
        }
        Ok(())
    }

    fn set_rates(&mut self, bps: Option<u64>) {
        (self.up_bps, self.down_bps) = (bps, bps);
    }

    fn is_sane(&self) -> bool {
        let rates = [self.up_bps, self.down_bps];
        rates.into_iter().flatten().all(|bps| RATE_BPS.contains(&bps))
            && self.round_trip <= DELAY_MAX
            && self.queue <= DELAY_MAX
    }
}

const PARTS: [&str; 6] = ["rate", "up", "down", "rtt", "loss", "queue"];

impl FromStr for PathSpec {
    type Err = PathSpecError;

    /// Parts between slashes, or commas where a value has a slash: `rate` (both directions), `up`, `down`,
    /// `rtt`, `loss`, `queue`. What is not said changes nothing.
    fn from_str(text: &str) -> Result<Self, PathSpecError> {
        let mut spec = Self::default();
        let mut said: Vec<&str> = Vec::new();
        let separator = if text.contains(',') { ',' } else { '/' };
        for part in text.split(separator).map(str::trim) {
            let unknown = || PathSpecError::Part { part: part.to_owned() };
            let (name, value) = part.split_once([':', '=']).ok_or_else(unknown)?;
            let name = *PARTS.iter().find(|known| **known == name.trim()).ok_or_else(unknown)?;
            let rate_again = |other: &&str| *other == "rate" && matches!(name, "up" | "down");
            let name_again =
                |other: &&str| *other == name || name == "rate" && matches!(*other, "up" | "down");
            if said.iter().any(|other| name_again(other) || rate_again(other)) {
                return Err(PathSpecError::Twice { name: name.to_owned() });
            }
            said.push(name);
            spec.set(name, value).map_err(|source| PathSpecError::Value { name: name.to_owned(), source })?;
            if !spec.is_sane() {
                return Err(PathSpecError::Range { part: part.to_owned() });
            }
        }
        Ok(spec)
    }
}

impl<T> Path<T> {
    /// Two links that are up; the seed decides what each loses.
    #[must_use]
    pub fn new(spec: &PathSpec, seed: u64) -> Self {
        Self {
            up: Link::new(spec.direction(Direction::Up), seed),
            // Not the seed itself, or both directions would lose the same datagrams.
            down: Link::new(spec.direction(Direction::Down), !seed),
        }
    }

    /// One direction.
    #[must_use]
    pub fn link(&self, direction: Direction) -> &Link<T> {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }

    /// One direction, to send on, to take down, to change.
    pub fn link_mut(&mut self, direction: Direction) -> &mut Link<T> {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }

    /// The next item that has arrived by now, at either end. Call it until it gives `None`.
    pub fn poll(&mut self, now: Instant) -> Option<(Direction, T)> {
        let up = self.up.poll(now).map(|item| (Direction::Up, item));
        up.or_else(|| self.down.poll(now).map(|item| (Direction::Down, item)))
    }

    /// When the next item arrives at either end.
    #[must_use]
    pub fn next_wake(&self) -> Option<Instant> {
        [self.up.poll_timeout(), self.down.poll_timeout()].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
