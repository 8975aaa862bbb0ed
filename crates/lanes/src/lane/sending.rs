//! What leaves a lane, and what is too old to.

use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_wire::FrameNumber;

use crate::DropReason;
use crate::frame::Frame;
use crate::lane::{Lane, Shared, later};
use crate::rules::LaneSchedule;
use crate::slab::Key;

/// A frame that is never too old is looked at no more often than this.
const AGE_NEVER: Duration = Duration::from_secs(3_600);
/// A lane whose frames wait is looked at no more often than this.
const LOOK_MIN: Duration = Duration::from_millis(10);

impl Lane {
    /// Length of the packet that goes next, once frames too old for it are dropped.
    pub(crate) fn next_length(&mut self, now: Instant, shared: &mut Shared) -> Option<usize> {
        loop {
            let oldest = self.list.oldest;
            let overdue = shared.store.frame(oldest)?.overdue(self.schedule, now);
            match overdue.filter(|_| !self.is_latched(oldest, shared)) {
                Some(reason) => self.drop_frame(oldest, reason, shared),
                None => return shared.store.first_packet(oldest).map(Bytes::len),
            }
        }
    }

    /// The packet that goes next.
    pub(crate) fn next_packet<'s>(&self, shared: &'s Shared) -> Option<&'s Bytes> {
        shared.store.first_packet(self.list.oldest)
    }

    /// The frame number that packet is to carry, if it is another than its publisher's.
    pub(crate) fn next_number(&self, shared: &Shared) -> Option<FrameNumber> {
        shared.store.frame(self.list.oldest)?.renumbered()
    }

    /// There is a packet to send, perhaps too old.
    pub(crate) fn has_packet(&self, shared: &Shared) -> bool {
        self.next_packet(shared).is_some()
    }

    /// The channel has taken the packet; answers its length.
    pub(crate) fn sent(&mut self, now: Instant, shared: &mut Shared) -> Option<usize> {
        let oldest = self.list.oldest;
        self.forget_replaceable(oldest, shared);
        let length = shared.store.pop_packet(&mut self.list, oldest)?.len();
        let frame = shared.store.frame_mut(oldest)?;
        let sent_bytes = u32::try_from(length).unwrap_or(u32::MAX);
        frame.sent_bytes += sent_bytes;
        let age = now.saturating_duration_since(frame.arrived);
        let begins = frame.begun.replace(frame.begun.unwrap_or(now)).is_none();
        let (single, delivered) = (frame.single, frame.complete && frame.first_packet.is_none());
        if single {
            self.single_bytes -= sent_bytes;
        }
        if delivered {
            shared.store.remove_frame(&mut self.list, oldest);
        }
        self.count(shared, |stats| {
            stats.count_out(length);
            stats.frames_delivered += u64::from(delivered);
            if begins {
                stats.count_begun(age);
            }
        });
        Some(length)
    }

    /// Drops frames that are too old, wherever they are.
    pub(crate) fn expire(&mut self, now: Instant, shared: &mut Shared) {
        let mut key = self.list.oldest;
        while let Some(frame) = shared.store.frame(key) {
            let (newer, begun) = (frame.newer, frame.begun.is_some());
            match frame.overdue(self.schedule, now) {
                Some(_) if self.is_latched(key, shared) => return,
                Some(reason) => self.drop_frame(key, reason, shared),
                None if !begun => return,
                None => {}
            }
            key = newer;
        }
    }

    /// When to look for frames too old: when the first is, or sooner, so that frames still to come
    /// are never due before it.
    pub(crate) fn age_deadline(&self, now: Instant, shared: &Shared) -> Option<Instant> {
        let deadline = |key: Key| {
            let frame = shared.store.frame(key)?;
            let look = later(now, AGE_NEVER);
            Some(if self.is_latched(key, shared) { look } else { frame.deadline(self.schedule) })
        };
        let oldest = deadline(self.list.oldest)?;
        let second = shared.store.frame(self.list.oldest).and_then(|frame| deadline(frame.newer));
        let look = later(now, self.schedule.age_max().max(LOOK_MIN));
        Some(oldest.min(second.unwrap_or(oldest)).min(look))
    }
}

impl Lane {
    /// Nobody has got anything of a latched track yet, and this is the last whole frame, or newer than that: it may
    /// wait however old it is.
    fn is_latched(&self, key: Key, shared: &Shared) -> bool {
        if !self.schedule.latch || self.stats.frames_begun > 0 {
            return false;
        }
        let newer = shared.store.frame(key).and_then(|frame| shared.store.frame(frame.newer));
        newer.is_none_or(|newer| !newer.complete)
    }
}

impl Frame {
    fn deadline(&self, schedule: LaneSchedule) -> Instant {
        match self.begun {
            Some(begun) => later(begun, schedule.finish_max()),
            None => later(self.arrived, schedule.age_max()),
        }
    }

    fn overdue(&self, schedule: LaneSchedule, now: Instant) -> Option<DropReason> {
        if now < self.deadline(schedule) {
            return None;
        }
        Some(if self.begun.is_some() { DropReason::Unfinished } else { DropReason::Expired })
    }
}
