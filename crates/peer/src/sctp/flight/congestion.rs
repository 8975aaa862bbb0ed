//! Whether a loss means that the path carries too much.
//!
//! A path that drops what its queue cannot take has a full queue when it does, and what comes through takes that much longer.
//! A path that loses by chance is as fast as ever. Where queues are too short for that, losses are many.

use std::time::{Duration, Instant};

use super::ceiling::Ceiling;

/// What takes so much longer than the path's best has queued.
const QUEUE_SIGN_MICROS: u32 = 25_000;
/// A path is near up to this, of which the other side may have withheld its acknowledgement for 200 ms. Beyond it, the association's
/// timer could run out before what it was told is acknowledged.
const NEAR_MICROS: u32 = 320_000;
/// The best of the last one to two of these counts.
const WINDOW: Duration = Duration::from_secs(10);
/// One piece in so many lost is more than chance takes.
const CHANCE_SHARE: u32 = 8;
/// Over about so many pieces.
const SPAN: u32 = 256;

/// What acknowledgements say of the path.
#[derive(Debug, Default)]
pub(super) struct Congestion {
    epoch: Option<Instant>,
    /// Microseconds from sending to acknowledgement: the latest, and the least of this window and the one before.
    latest: u32,
    least: Option<u32>,
    least_before: Option<u32>,
    turned: Option<Instant>,
    /// Of the last pieces: how many have come, and how many are lost.
    came: u32,
    lost: u32,
    /// When the association was last shown a loss.
    shown: Option<u32>,
    ceiling: Ceiling,
}

impl Congestion {
    /// Microseconds, of which only differences count.
    pub(super) fn clock(&mut self, now: Instant) -> u32 {
        let epoch = *self.epoch.get_or_insert(now);
        (now.saturating_duration_since(epoch).as_micros() & u128::from(u32::MAX)) as u32
    }

    /// A piece that was sent then has come.
    pub(super) fn sample(&mut self, sent: u32, now: Instant) {
        let turned = *self.turned.get_or_insert(now);
        if now.saturating_duration_since(turned) >= WINDOW {
            self.least_before = self.least.take();
            self.turned = Some(now);
        }
        self.latest = self.clock(now).wrapping_sub(sent);
        self.least = Some(self.least.map_or(self.latest, |least| least.min(self.latest)));
    }

    /// So many pieces have come.
    pub(super) fn came(&mut self, count: usize) {
        self.came = self.came.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        if self.came >= SPAN {
            self.came /= 2;
            self.lost /= 2;
        }
    }

    /// Several pieces in a row are lost, the last of which was sent while so many bytes were on their way.
    pub(super) fn run_lost(&mut self, in_flight: usize, now: Instant) {
        self.ceiling.lost(in_flight, Duration::from_micros(self.least().into()), now);
    }

    /// A piece that was sent then is lost; `true` if that is for the association to see: what was sent before it could slow down
    /// is lost to the same congestion.
    pub(super) fn is_news(&mut self, sent: u32, now: Instant) -> bool {
        self.lost += 1;
        let many = self.lost >= SPAN / CHANCE_SHARE && self.lost > self.came / CHANCE_SHARE;
        let is_congestion = many || self.latest.saturating_sub(self.least()) > QUEUE_SIGN_MICROS;
        let is_new = self.shown.is_none_or(|shown| sent.wrapping_sub(shown) < 1 << 31);
        if is_congestion && is_new {
            self.shown = Some(self.clock(now));
        }
        is_congestion && is_new
    }

    /// Nothing has come for long.
    pub(super) fn timed_out(&mut self) {
        self.shown.get_or_insert(self.latest);
    }

    /// The path has a short round trip, and has shown no congestion.
    pub(super) fn is_near_and_clear(&self) -> bool {
        self.shown.is_none() && self.least.is_some() && self.least() <= NEAR_MICROS
    }

    /// Bytes that may be on their way, if the path has shown that it drops bursts.
    pub(super) fn ceiling(&self, now: Instant) -> Option<u32> {
        self.ceiling.bytes(now)
    }

    /// The latest one.
    pub(super) fn round_trip(&self) -> Duration {
        Duration::from_micros(self.latest.into())
    }

    fn least(&self) -> u32 {
        self.least.into_iter().chain(self.least_before).min().unwrap_or(self.latest)
    }
}
