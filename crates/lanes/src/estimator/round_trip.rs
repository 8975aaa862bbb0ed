//! How long the path takes when nothing queues in it.

use std::time::{Duration, Instant};

/// After this the least sample makes way for the next.
const WINDOW: Duration = Duration::from_secs(10);
/// After this without a clean sample, the channel is drained to get one.
const STALE: Duration = Duration::from_secs(5);

/// Probing goes on while a sample is below so much of the one before.
const STILL_FALLING: f64 = 0.95;

/// A drain that brings nothing for so long, beyond the round trip, may wait for an acknowledgement that
/// the receiver delays until another packet comes (RFC 9260 §6.2).
const STALLED: Duration = Duration::from_millis(10);

/// A write whose release is waited for.
#[derive(Debug)]
struct Mark {
    at: Instant,
    /// Bytes to be released before its first is.
    ahead: usize,
}

/// The windowed minimum of the time from a write to the release of its first bytes, for writes
/// into a channel that is empty or holds less than the path does.
#[derive(Debug, Default)]
pub(super) struct RoundTrip {
    least: Option<(Duration, Instant)>,
    /// When a sample was last taken, or waiting for one began.
    sampled: Option<Instant>,
    mark: Option<Mark>,
    buffered: usize,
    probing: bool,
    /// When bytes were last released.
    progress: Option<Instant>,
    stalled: bool,
}

impl RoundTrip {
    /// The least sample; zero when there is none.
    pub(super) fn least(&self) -> Duration {
        self.least.map_or(Duration::ZERO, |(least, _)| least)
    }

    /// The channel is to hold less than the path does, until a sample is taken.
    pub(super) fn is_probing(&self) -> bool {
        self.probing
    }

    /// The channel is being drained, and nothing has come out of it for a while.
    pub(super) fn is_stalled(&self) -> bool {
        self.probing && self.stalled
    }

    pub(super) fn wrote(&mut self, bytes: usize, clean: bool, now: Instant) {
        if clean && self.mark.is_none() {
            self.mark = Some(Mark { at: now, ahead: self.buffered });
        }
        self.buffered += bytes;
        self.stalled = false;
        self.progress = Some(now);
    }

    /// The channel holds so much more than was written through here.
    pub(super) fn found(&mut self, bytes: usize) {
        self.buffered += bytes;
    }

    pub(super) fn released(&mut self, bytes: usize, now: Instant) {
        self.note_progress(bytes, now);
        self.buffered = self.buffered.saturating_sub(bytes);
        match &mut self.mark {
            Some(mark) if bytes > mark.ahead => {
                let sample = now.saturating_duration_since(mark.at);
                self.mark = None;
                self.take(sample, now);
            }
            Some(mark) => mark.ahead -= bytes,
            None => {}
        }
    }

    /// Begins to probe if no sample was to be had for long, though the channel was in use.
    pub(super) fn probe_if_stale(&mut self, now: Instant) {
        let sampled = *self.sampled.get_or_insert(now);
        if self.mark.is_none() && !self.probing && now.saturating_duration_since(sampled) >= STALE {
            self.probe();
        }
    }

    /// Measures anew.
    pub(super) fn probe(&mut self) {
        self.probing = true;
        self.mark = None;
    }

    fn note_progress(&mut self, released: usize, now: Instant) {
        if released > 0 {
            self.progress = Some(now);
        }
        let progress = self.progress.unwrap_or(now);
        self.stalled = now.saturating_duration_since(progress) >= self.least() + STALLED;
    }

    fn take(&mut self, sample: Duration, now: Instant) {
        let probed = std::mem::take(&mut self.probing);
        self.sampled = Some(now);
        let (least, taken) = self.least.unwrap_or((sample, now));
        if probed || sample <= least || now.saturating_duration_since(taken) >= WINDOW {
            self.least = Some((sample, now));
        }
        // A sample that is lower means that what had been taken for the path was in part a queue.
        self.probing = probed && sample < least.mul_f64(STILL_FALLING);
    }
}
