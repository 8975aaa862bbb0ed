//! Which frames wait: policies and bounds.

use crate::lane::{Lane, Shared};
use crate::packet::Packet;
use crate::slab::Key;
use crate::store::PACKET_CHARGE;
use crate::{DropReason, Policy};

/// Bytes of frames of one packet that wait under [`Policy::Auto`].
const SINGLE_BYTES_MAX: usize = 64 << 10;

impl Lane {
    /// Drops what the policy does not keep beside a new frame.
    pub(super) fn make_place(&mut self, start: &Packet, shared: &mut Shared) {
        match self.schedule.policy {
            Policy::Latest => self.keep_replaceable(0, DropReason::Superseded, shared),
            Policy::Queue(frames) => {
                self.keep_replaceable(u32::from(frames.max(1)) - 1, DropReason::QueueFull, shared);
            }
            Policy::Auto if start.last => self.make_place_for_single(start.bytes.len(), shared),
            Policy::Auto => self.drop_frame(self.replaceable_multi, DropReason::Superseded, shared),
        }
    }

    /// Drops frames that wait, oldest first, until a packet fits within the bounds of lane and outbox.
    pub(super) fn make_space(&mut self, of: Key, length: usize, shared: &mut Shared) -> bool {
        let charge = length + PACKET_CHARGE;
        loop {
            let lane_fits = self.list.charge() + charge <= shared.config.lane_bytes_max;
            if lane_fits && shared.store.charge() + charge <= shared.config.bytes_max {
                return true;
            }
            let waits =
                |key: Key| key != of && shared.store.frame(key).is_some_and(|frame| frame.begun.is_none());
            let Some(oldest) = self.find(shared, waits) else { return false };
            self.drop_frame(oldest, DropReason::QueueFull, shared);
        }
    }

    pub(super) fn note_replaceable(&mut self, key: Key, shared: &Shared) {
        let Some(frame) = shared.store.frame(key).filter(|frame| frame.is_replaceable()) else { return };
        self.replaceable += 1;
        if !frame.single {
            self.replaceable_multi = key;
        }
    }

    /// A frame begins or is dropped.
    pub(super) fn forget_replaceable(&mut self, key: Key, shared: &Shared) {
        if shared.store.frame(key).is_some_and(|frame| frame.is_replaceable()) {
            self.replaceable -= 1;
        }
        if self.replaceable_multi == key {
            self.replaceable_multi = Key::NONE;
        }
    }

    fn keep_replaceable(&mut self, frames: u32, reason: DropReason, shared: &mut Shared) {
        while self.replaceable > frames {
            let replaceable = |key: Key| shared.store.frame(key).is_some_and(|frame| frame.is_replaceable());
            let Some(oldest) = self.find(shared, replaceable) else { return };
            self.drop_frame(oldest, reason, shared);
        }
    }

    fn make_place_for_single(&mut self, length: usize, shared: &mut Shared) {
        while self.single_bytes as usize + length > SINGLE_BYTES_MAX {
            let replaceable = |key: Key| {
                shared.store.frame(key).is_some_and(|frame| frame.single && frame.is_replaceable())
            };
            let Some(oldest) = self.find(shared, replaceable) else { return };
            self.drop_frame(oldest, DropReason::QueueFull, shared);
        }
    }

    /// The oldest frame of that kind. Those passed over have begun, or were admitted since the
    /// channel was last written, or are the one larger frame among small ones: they are few.
    fn find(&self, shared: &Shared, matches: impl Fn(Key) -> bool) -> Option<Key> {
        let mut key = self.list.oldest;
        while let Some(frame) = shared.store.frame(key) {
            if matches(key) {
                return Some(key);
            }
            key = frame.newer;
        }
        None
    }
}
