//! When a frame's turn has come, and which are given up for it.

use std::time::Instant;

use super::{Assembled, Assembler, FRAME_AGE_MAX, Slot, Whole};
use crate::remote::partial::PACKET_CHARGE;
use crate::remote::stats::RemoteDropReason;

/// What is to be done with the oldest frame.
enum Turn {
    /// It is its turn.
    Now,
    /// Frames before it have been waited for long enough.
    AfterGap,
    /// What is missing of it has been waited for long enough.
    GiveUp,
    /// Not before then.
    Wait(Instant),
}

impl Assembler {
    /// Hands on and gives up whatever it is time for.
    pub(super) fn advance(&mut self, now: Instant) {
        self.deadline = loop {
            match self.turn(now) {
                None => break None,
                Some(Turn::Wait(until)) => break Some(until),
                Some(Turn::Now) => {}
                Some(Turn::AfterGap) => self.reordering.waited_in_vain(),
                Some(Turn::GiveUp) => self.kill_first(RemoteDropReason::Incomplete, now),
            }
            self.decide_first(now);
        };
    }

    /// Makes room: the oldest frame goes, one way or the other.
    pub(super) fn force(&mut self, now: Instant) {
        if matches!(self.slots.first_key_value(), Some((_, Slot::Partial(_)))) {
            self.kill_first(RemoteDropReason::BufferFull, now);
        }
        self.decide_first(now);
    }

    /// Hands on the oldest frame, which is no longer partial, and counts those before it as missing.
    pub(super) fn decide_first(&mut self, now: Instant) {
        let Some((number, slot)) = self.slots.pop_first() else { return };
        self.bytes -= slot.charge();
        match slot {
            Slot::Whole(whole) => {
                self.stats.frames_waiting -= 1;
                self.decide(number, Ok(whole), now);
            }
            Slot::Dead(reason, _) => self.decide(number, Err(reason), now),
            Slot::Partial(_) => unreachable!("a partial frame is killed first"),
        }
    }

    pub(super) fn decide(&mut self, number: u64, frame: Result<Whole, RemoteDropReason>, now: Instant) {
        let steps = number - self.decided.unwrap_or(number - 1);
        self.decided = Some(number);
        self.history.decide(steps, frame.is_ok());
        if steps > 1 || frame.is_err() {
            self.gave_up = Some(now);
            self.stats.frames_missing += steps - 1;
            self.gap(steps - 1, RemoteDropReason::Missing);
        }
        match frame {
            Ok(whole) => {
                self.has_delivered = true;
                self.out.push(Assembled::Frame(whole));
            }
            Err(reason) => self.gap(1, reason),
        }
    }

    /// Drops a frame; what else comes of it is ignored.
    pub(super) fn kill(&mut self, number: u64, reason: RemoteDropReason, now: Instant) {
        let Some(slot) = self.slots.get_mut(&number).filter(|slot| !matches!(slot, Slot::Dead(..))) else {
            return;
        };
        self.bytes = self.bytes - slot.charge() + PACKET_CHARGE;
        *slot = Slot::Dead(reason, now);
        self.stats.frames_waiting -= 1;
        self.stats.drop_frame(reason);
    }

    /// Says that frames will not come. Whoever has had none yet misses none.
    pub(super) fn gap(&mut self, frames: u64, reason: RemoteDropReason) {
        if !self.has_delivered || frames == 0 && reason != RemoteDropReason::Restarted {
            return;
        }
        match self.out.last_mut() {
            Some(Assembled::Gap(before, same)) if *same == reason => *before += frames,
            _ => self.out.push(Assembled::Gap(frames, reason)),
        }
    }

    fn kill_first(&mut self, reason: RemoteDropReason, now: Instant) {
        if let Some((number, _)) = self.slots.first_key_value() {
            self.kill(*number, reason, now);
        }
    }

    fn turn(&self, now: Instant) -> Option<Turn> {
        let (number, slot) = self.slots.first_key_value()?;
        let settled = match slot {
            Slot::Partial(partial) => {
                let too_old = partial.since + FRAME_AGE_MAX;
                let overtaken = self.slots.values().find_map(Slot::settled);
                let given_up = overtaken.map(|at| at + self.reordering.wait_for_rest());
                let until = given_up.map_or(too_old, |at| at.min(too_old));
                return Some(if until <= now { Turn::GiveUp } else { Turn::Wait(until) });
            }
            Slot::Whole(whole) => whole.received,
            Slot::Dead(_, at) => *at,
        };
        if self.decided.is_some_and(|last| last + 1 == *number) {
            return Some(Turn::Now);
        }
        let until = settled + self.reordering.wait_for_missing();
        Some(match until {
            until if until > now => Turn::Wait(until),
            _ if self.reordering.wait_for_missing().is_zero() => Turn::Now,
            _ => Turn::AfterGap,
        })
    }
}

impl Slot {
    /// When nothing more was needed of it.
    fn settled(&self) -> Option<Instant> {
        match self {
            Self::Partial(_) => None,
            Self::Whole(whole) => Some(whole.received),
            Self::Dead(_, at) => Some(*at),
        }
    }
}
