//! A key ring, and the keys ahead of its own.

use crate::e2ee::{Key, KeyError, KeyOptions};

/// Keys by their index, all of one participant or shared by all.
#[derive(Debug, Clone)]
pub(crate) struct KeyRing {
    slots: Vec<Option<Slot>>,
}

#[derive(Debug, Clone)]
struct Slot {
    key: Key,
    /// The next steps of the ratchet, derived when first needed: a frame that fails costs no
    /// derivation that an earlier one has paid for.
    ahead: Vec<Key>,
}

/// A payload that a key of the ring has opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) payload: Vec<u8>,
    /// By how many steps the publisher is ahead.
    pub(crate) steps: usize,
}

impl KeyRing {
    pub(crate) fn new(options: &KeyOptions) -> Self {
        Self { slots: vec![None; options.ring_slots.get().into()] }
    }

    pub(crate) fn set(&mut self, index: u8, key: Key) -> Result<(), KeyError> {
        // A ring is made with the length of a `NonZeroU8`.
        let slots = u8::try_from(self.slots.len()).unwrap_or(u8::MAX);
        let slot = self.slots.get_mut(usize::from(index)).ok_or(KeyError::OutsideRing { index, slots })?;
        *slot = Some(Slot { key, ahead: Vec::new() });
        Ok(())
    }

    pub(crate) fn key(&self, index: u8) -> Option<&Key> {
        self.slots.get(usize::from(index))?.as_ref().map(|slot| &slot.key)
    }

    fn slot_mut(&mut self, index: u8) -> Option<&mut Slot> {
        self.slots.get_mut(usize::from(index))?.as_mut()
    }

    /// Replaces a key by the next of its chain.
    pub(crate) fn ratchet(&mut self, index: u8) -> Result<&Key, KeyError> {
        let slot = self.slot_mut(index).ok_or(KeyError::NoKey { index })?;
        slot.derive_ahead(1)?;
        slot.advance(1);
        Ok(&slot.key)
    }

    /// Opens a payload with the key at the index, or with one of so many that come after it.
    pub(crate) fn open(&mut self, index: u8, sealed: Sealed<'_>, window: usize) -> Option<Opened> {
        let slot = self.slot_mut(index)?;
        if let Some(payload) = slot.key.open(sealed.iv, sealed.payload) {
            return Some(Opened { payload, steps: 0 });
        }
        (1..=window).find_map(|steps| {
            slot.derive_ahead(steps).ok()?;
            let payload = slot.ahead.get(steps - 1)?.open(sealed.iv, sealed.payload)?;
            Some(Opened { payload, steps })
        })
    }

    /// Takes the key so many steps ahead for the one at the index.
    pub(crate) fn advance(&mut self, index: u8, steps: usize) {
        if let Some(slot) = self.slot_mut(index) {
            slot.advance(steps);
        }
    }
}

/// What is to be opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sealed<'p> {
    pub(crate) iv: [u8; 12],
    pub(crate) payload: &'p [u8],
}

impl Slot {
    fn derive_ahead(&mut self, steps: usize) -> Result<(), KeyError> {
        while self.ahead.len() < steps {
            let next = self.ahead.last().unwrap_or(&self.key).ratcheted()?;
            self.ahead.push(next);
        }
        Ok(())
    }

    fn advance(&mut self, steps: usize) {
        if let Some(key) = self.ahead.drain(..steps.min(self.ahead.len())).next_back() {
            self.key = key;
        }
    }
}
