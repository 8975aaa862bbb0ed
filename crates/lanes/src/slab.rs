//! Slots that are used again, so that steady traffic allocates nothing.

/// Names a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(u32);

impl Key {
    /// Names no slot.
    pub(crate) const NONE: Self = Self(u32::MAX);

    pub(crate) fn is_none(self) -> bool {
        self == Self::NONE
    }
}

/// Beyond so many slots, an empty slab gives its memory back.
const SLOTS_KEPT: usize = 1_024;

#[derive(Debug)]
enum Slot<T> {
    Free(Key),
    Used(T),
}

/// A vector with holes. What bounds it is its user's to say.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: Key,
    used: usize,
}

impl<T> Slab<T> {
    pub(crate) fn new() -> Self {
        Self { slots: Vec::new(), free: Key::NONE, used: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.used
    }

    pub(crate) fn insert(&mut self, value: T) -> Key {
        self.used += 1;
        let key = self.free;
        match self.slots.get_mut(key.0 as usize) {
            Some(slot) => {
                if let Slot::Free(next) = *slot {
                    self.free = next;
                }
                *slot = Slot::Used(value);
                key
            }
            None => {
                self.slots.push(Slot::Used(value));
                Key(u32::try_from(self.slots.len() - 1).expect("bounded far below by bytes or handles"))
            }
        }
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let slot = self.slots.get_mut(key.0 as usize)?;
        if matches!(slot, Slot::Free(_)) {
            return None;
        }
        let Slot::Used(value) = std::mem::replace(slot, Slot::Free(self.free)) else { return None };
        self.free = key;
        self.used -= 1;
        if self.used == 0 && self.slots.len() > SLOTS_KEPT {
            *self = Self::new();
        }
        Some(value)
    }

    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        match self.slots.get(key.0 as usize)? {
            Slot::Used(value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        match self.slots.get_mut(key.0 as usize)? {
            Slot::Used(value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    /// Every key that may be in use, for what concerns all.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> + use<T> {
        (0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX)).map(Key)
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, SLOTS_KEPT, Slab};

    #[test]
    fn slots_are_used_again() {
        let mut slab = Slab::new();
        let keys: Vec<Key> = (0..4).map(|value| slab.insert(value)).collect();
        assert_eq!(slab.remove(keys[1]), Some(1));
        assert_eq!(slab.remove(keys[3]), Some(3));
        assert_eq!(slab.remove(keys[3]), None);
        assert_eq!(slab.insert(9), keys[3]);
        assert_eq!(slab.insert(8), keys[1]);
        assert_eq!(slab.len(), 4);
        assert_eq!(slab.get(keys[1]), Some(&8));
        assert_eq!(slab.get(Key::NONE), None);
    }

    #[test]
    fn an_empty_slab_gives_memory_back() {
        let mut slab = Slab::new();
        let keys: Vec<Key> = (0..=SLOTS_KEPT).map(|value| slab.insert(value)).collect();
        for key in keys {
            assert!(slab.remove(key).is_some());
        }
        assert_eq!(slab.slots.capacity(), 0);
        let key = slab.insert(1);
        assert_eq!(slab.get(key), Some(&1));
    }
}
