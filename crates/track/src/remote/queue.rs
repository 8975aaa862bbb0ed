//! The buffer of one subscription.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use trackyard_lanes::Grid;

use crate::remote::event::{Gap, Received, RemoteFrame};
use crate::remote::stats::{Drops, RemoteDropReason};
use crate::remote::wall_clock::WallClock;

/// Frames that a buffer holds unless it is told otherwise.
pub const QUEUE_FRAMES: usize = 16;

/// What a subscription wants of its buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueOptions {
    /// Frames it holds, at least 1.
    pub capacity: usize,
    /// Which frame goes when it is full.
    pub overflow: Overflow,
    /// Frames older than this are dropped, when they come and when it is their turn. Age counts from
    /// the frame's timestamp if that is plausible and the time of day is known, else from its arrival.
    pub max_age: Option<Duration>,
    /// After so long without a frame the subscription is told. A frame that is too old is none.
    pub deadline: Option<Duration>,
    /// Frames per second at most, picked on a steady grid. Several subscriptions of a track share the frames of the
    /// one that asks for most; a frame that this one has not asked for is no loss, and leaves no gap.
    pub target_fps: Option<u32>,
}

impl Default for QueueOptions {
    fn default() -> Self {
        Self {
            capacity: QUEUE_FRAMES,
            overflow: Overflow::default(),
            max_age: None,
            deadline: None,
            target_fps: None,
        }
    }
}

/// Which frame is dropped when a buffer is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overflow {
    /// The one that has waited longest.
    #[default]
    Oldest,
    /// The one that has just come.
    Newest,
}

/// What a subscription yields, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A frame.
    Frame(RemoteFrame),
    /// Frames that will not come.
    Gap(Gap),
    /// No frame has come for as long as the subscription's deadline; said once until one comes.
    Silent {
        /// When the last frame came, or the subscription began.
        since: Instant,
    },
}

/// Counters of one subscription.
///
/// At every moment `received` = `delivered` + `overflowed` + `stale` + `decimated` + `waiting`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueStats {
    /// Frames that came in.
    pub received: u64,
    /// Frames that were taken out.
    pub delivered: u64,
    /// Frames dropped since the buffer was full.
    pub overflowed: u64,
    /// Frames dropped since they were too old.
    pub stale: u64,
    /// Frames left out since fewer were asked for.
    pub decimated: u64,
    /// Frames in it.
    pub waiting: u64,
    /// Frames that never came in, as far as the track knows.
    pub missed: u64,
}

/// Buffers the frames of one subscription until they are taken out.
///
/// Give it what [`RemoteTracks`](crate::RemoteTracks) yields for the track, and take out what it yields:
///
/// ```
/// use std::time::{Duration, Instant};
/// use trackyard_track::{Delivery, FrameQueue, QueueOptions};
///
/// # fn example(now: Instant) {
/// let deadline = Some(Duration::from_millis(500));
/// let mut queue = FrameQueue::new(QueueOptions { deadline, ..QueueOptions::default() }, None, now);
/// assert_eq!(queue.pop(now), None);
/// let late = now + Duration::from_millis(500);
/// assert_eq!(queue.pop(late), Some(Delivery::Silent { since: now }));
/// # }
/// # example(Instant::now());
/// ```
///
/// Invariants: it holds no more than its capacity in frames; every frame of the track that is not left out for
/// the sake of `target_fps` is yielded once, as itself or within a gap.
#[derive(Debug)]
pub struct FrameQueue {
    options: QueueOptions,
    clock: Option<WallClock>,
    /// Between two frames, at most one silence, and of gaps at most one per reason on each side of it.
    entries: VecDeque<Delivery>,
    /// When the last frame came that was not too old, or the subscription began.
    last: Instant,
    is_silent: bool,
    grid: Option<Grid>,
    stats: QueueStats,
}

impl FrameQueue {
    /// An empty buffer, whose deadline runs from now.
    #[must_use]
    pub fn new(options: QueueOptions, clock: Option<WallClock>, now: Instant) -> Self {
        let options = QueueOptions { capacity: options.capacity.max(1), ..options };
        Self {
            options,
            clock,
            entries: VecDeque::new(),
            last: now,
            is_silent: false,
            // 0 is what older encodings send for no limit.
            grid: Grid::new(options.target_fps.filter(|fps| *fps > 0).map(f64::from)),
            stats: QueueStats::default(),
        }
    }

    /// Puts in what the track yields.
    pub fn push(&mut self, received: Received, now: Instant) {
        self.handle_timeout(now);
        match received {
            Received::Frame(frame) => self.push_frame(frame, now),
            Received::Gap(gap) => {
                self.stats.missed += gap.frames;
                self.push_gap(gap);
            }
        }
    }

    /// Takes out what is next.
    pub fn pop(&mut self, now: Instant) -> Option<Delivery> {
        self.handle_timeout(now);
        let stale = self.drop_stale(now);
        if stale > 0 {
            return Some(Delivery::Gap(Gap { frames: stale, reason: RemoteDropReason::Stale }));
        }
        let delivery = self.entries.pop_front()?;
        if matches!(delivery, Delivery::Frame(_)) {
            self.stats.waiting -= 1;
            self.stats.delivered += 1;
        }
        Some(delivery)
    }

    /// When the subscription is silent, if nothing comes until then.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.options.deadline.filter(|_| !self.is_silent).and_then(|deadline| self.last.checked_add(deadline))
    }

    /// Notes a silence.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|at| at <= now) {
            self.is_silent = true;
            self.entries.push_back(Delivery::Silent { since: self.last });
        }
    }

    /// What it has counted.
    #[must_use]
    pub fn stats(&self) -> QueueStats {
        self.stats
    }

    fn push_frame(&mut self, frame: RemoteFrame, now: Instant) {
        self.stats.received += 1;
        if self.is_stale(&frame, now) {
            self.stats.stale += 1;
            return self.push_gap(Gap { frames: 1, reason: RemoteDropReason::Stale });
        }
        self.last = now;
        self.is_silent = false;
        if !self.is_wanted(&frame) {
            self.stats.decimated += 1;
            return;
        }
        if self.stats.waiting >= self.options.capacity as u64 {
            self.stats.overflowed += 1;
            match self.options.overflow {
                Overflow::Newest if !frame.is_last_will => return self.push_gap(OVERFLOWED),
                Overflow::Newest | Overflow::Oldest => self.evict(),
            }
        }
        self.stats.waiting += 1;
        self.entries.push_back(Delivery::Frame(frame));
    }

    /// It is one of as many as were asked for; a last will always is.
    fn is_wanted(&mut self, frame: &RemoteFrame) -> bool {
        frame.is_last_will || self.grid.as_mut().is_none_or(|grid| grid.pick(frame.received))
    }

    fn push_gap(&mut self, gap: Gap) {
        let mut run = self.entries.iter_mut().rev().map_while(|entry| match entry {
            Delivery::Gap(gap) => Some(gap),
            Delivery::Frame(_) | Delivery::Silent { .. } => None,
        });
        match run.find(|before| before.reason == gap.reason) {
            Some(before) => before.frames += gap.frames,
            None => self.entries.push_back(Delivery::Gap(gap)),
        }
    }

    /// The oldest frame becomes a part of the gaps around it. A silence before it is no news any more.
    fn evict(&mut self) {
        let mut frames: Drops = Drops::default();
        let mut is_restarted = false;
        let mut evicted = false;
        while !evicted || matches!(self.entries.front(), Some(Delivery::Gap(_))) {
            match self.entries.pop_front() {
                Some(Delivery::Frame(_)) => {
                    evicted = true;
                    frames[OVERFLOWED.reason as usize] += OVERFLOWED.frames;
                }
                Some(Delivery::Gap(gap)) => {
                    is_restarted |= gap.reason == RemoteDropReason::Restarted;
                    frames[gap.reason as usize] += gap.frames;
                }
                Some(Delivery::Silent { .. }) => {}
                None => break,
            }
        }
        self.stats.waiting -= u64::from(evicted);
        for reason in RemoteDropReason::ALL.into_iter().rev() {
            let frames = frames[reason as usize];
            if frames > 0 || is_restarted && reason == RemoteDropReason::Restarted {
                self.entries.push_front(Delivery::Gap(Gap { frames, reason }));
            }
        }
    }

    /// Drops the frames that would be next and are too old.
    fn drop_stale(&mut self, now: Instant) -> u64 {
        let mut stale = 0;
        while let Some(Delivery::Frame(frame)) = self.entries.front()
            && self.is_stale(frame, now)
        {
            self.entries.pop_front();
            stale += 1;
        }
        self.stats.waiting -= stale;
        self.stats.stale += stale;
        stale
    }

    fn is_stale(&self, frame: &RemoteFrame, now: Instant) -> bool {
        let age = || {
            // A last will was made long before it is sent.
            let captured = self.clock.zip(frame.user_timestamp).filter(|_| !frame.is_last_will);
            let since_capture = captured.and_then(|(clock, timestamp)| clock.since(timestamp, now));
            since_capture.unwrap_or_else(|| now.saturating_duration_since(frame.received))
        };
        self.options.max_age.is_some_and(|max_age| age() > max_age)
    }
}

const OVERFLOWED: Gap = Gap { frames: 1, reason: RemoteDropReason::Overflow };

#[cfg(test)]
mod tests;
