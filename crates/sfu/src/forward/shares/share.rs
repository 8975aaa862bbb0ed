//! One publisher's share.

use std::time::Instant;

use super::Ask;

/// Bytes of a packet that a datagram carries.
const UNIT_BYTES: usize = 1_200;
/// What may be sent at once by who has been silent, in seconds of a share: a burst must not be what makes the worker late.
const DEPTH_S: f32 = 0.1;
/// Datagrams that may come at once from who has been silent: more than it takes to connect.
const READS_MIN: f32 = 64.0;
/// Datagrams are left unread from so many times the share on.
const READS_PER_UNIT: f32 = 2.0;
/// The most that is remembered of what somebody receives, in datagrams that it may answer.
const EARNED_MAX: f32 = 4_096.0;

/// What a packet of so many bytes counts for.
pub(in crate::forward) fn units(bytes: usize) -> u32 {
    u32::try_from(bytes / UNIT_BYTES).unwrap_or(u32::MAX).saturating_add(1)
}

/// What one publisher has sent of late.
#[derive(Debug, Default)]
pub(in crate::forward) struct Share {
    window: u32,
    offered: u32,
    frames: Bucket,
    reads: Bucket,
    /// Nothing is read until there is enough left for a while: what is read in a row is whole frames, every other datagram
    /// would be none.
    rests: bool,
    /// Datagrams that it may send in answer to what it was sent.
    earned: f32,
}

impl Share {
    /// It wants to send so much; `true` if that is the first in the window.
    pub(super) fn offer(&mut self, window: u32, units: u32) -> bool {
        if self.window != window {
            (self.window, self.offered) = (window, 0);
        }
        let is_first = self.offered == 0;
        self.offered = self.offered.saturating_add(units);
        is_first
    }

    /// A frame may begin as long as anything is left; what it takes beyond that is missing later.
    pub(super) fn admits(&mut self, rate: Option<f32>, ask: Ask) -> bool {
        if let Some(rate) = rate {
            self.frames.fill(rate, (rate * DEPTH_S).max(1.0), ask.now);
            if ask.is_start && self.frames.left <= 0.0 {
                return false;
            }
            self.frames.left -= ask.units as f32;
        }
        true
    }

    /// A datagram of it is worth reading.
    pub(in crate::forward) fn reads(&mut self, rate: f32, now: Instant) -> bool {
        let rate = rate * READS_PER_UNIT;
        let depth = (rate * DEPTH_S).max(READS_MIN);
        self.reads.fill(rate, depth, now);
        if self.earned >= 1.0 {
            self.earned -= 1.0;
            return true;
        }
        self.rests = self.reads.left < if self.rests { depth / 2.0 } else { 1.0 };
        if !self.rests {
            self.reads.left -= 1.0;
        }
        !self.rests
    }

    /// It is sent so much, and answers.
    pub(in crate::forward) fn earn(&mut self, units: u32) {
        self.earned = (self.earned + units as f32).min(EARNED_MAX);
    }

    /// What it has wanted to send in that window, if it has.
    pub(super) fn offered(&self, window: u32) -> Option<u32> {
        (self.window == window && self.offered > 0).then_some(self.offered)
    }
}

/// What is left; below nothing for who has taken more.
#[derive(Debug, Default)]
struct Bucket {
    left: f32,
    filled_at: Option<Instant>,
}

impl Bucket {
    fn fill(&mut self, rate: f32, depth: f32, now: Instant) {
        let since = self.filled_at.replace(now).map(|at| now.saturating_duration_since(at));
        self.left = since.map_or(depth, |since| (self.left + since.as_secs_f32() * rate).min(depth));
    }
}
