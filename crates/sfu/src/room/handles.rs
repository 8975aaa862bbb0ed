//! Handles of one subscriber: never 0, never in use, and not used again before all others were.

use trackyard_wire::Handle;

const WORDS: usize = 65_536 / 64;

/// Hands out handles upwards from a random start.
#[derive(Debug)]
pub(super) struct Handles {
    last: u16,
    /// One bit per handle, as far as any has been used: most participants never subscribe to much.
    used: Vec<u64>,
}

impl Handles {
    /// The first handle follows `start`.
    pub(super) fn new(start: u8) -> Self {
        Self { last: u16::from(start), used: Vec::new() }
    }

    /// The next free handle, or `None` if all 65,535 are in use.
    pub(super) fn allocate(&mut self) -> Option<Handle> {
        let next = next_free(&self.used, self.last.wrapping_add(1))?;
        let word = usize::from(next / 64);
        if self.used.len() <= word {
            self.used.resize(word + 1, 0);
        }
        self.used[word] |= 1 << (next % 64);
        self.last = next;
        Handle::new(next)
    }

    /// The handle may be used again, once all others were.
    pub(super) fn release(&mut self, handle: Handle) {
        if let Some(word) = self.used.get_mut(usize::from(handle.get() / 64)) {
            *word &= !(1 << (handle.get() % 64));
        }
    }
}

/// The first free handle at or after `from`, going around once.
fn next_free(used: &[u64], from: u16) -> Option<u16> {
    let first = usize::from(from / 64);
    let before = (1_u64 << (from % 64)) - 1;
    (0..=WORDS).find_map(|step| {
        let word = (first + step) % WORDS;
        let skipped = if step == 0 { before } else { 0 };
        // Handle 0 is taken from the start.
        let zero = u64::from(word == 0);
        let free = !(used.get(word).copied().unwrap_or(0) | skipped | zero);
        (free != 0).then(|| u16::try_from(word * 64).ok().map(|base| base + low_bit(free)))?
    })
}

fn low_bit(word: u64) -> u16 {
    // At most 63 for a word that is not 0.
    u16::try_from(word.trailing_zeros()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn handles_follow_the_start_and_skip_zero() {
        let mut handles = Handles::new(255);
        assert_eq!(handles.allocate().unwrap().get(), 256);
        assert_eq!(handles.allocate().unwrap().get(), 257);
        handles.last = 65_534;
        assert_eq!(handles.allocate().unwrap().get(), 65_535);
        assert_eq!(handles.allocate().unwrap().get(), 1);
    }

    #[test]
    fn a_released_handle_waits_for_the_wrap() {
        let mut handles = Handles::new(0);
        let first = handles.allocate().unwrap();
        handles.release(first);
        assert_eq!(handles.allocate().unwrap().get(), 2);
        handles.last = 65_535;
        assert_eq!(handles.allocate().unwrap(), first);
    }

    #[test]
    fn there_are_65_535_and_those_in_use_are_skipped() {
        for start in [0, 1, 63, 64, 255] {
            let mut handles = Handles::new(start);
            let all: HashSet<u16> = std::iter::from_fn(|| handles.allocate()).map(Handle::get).collect();
            assert_eq!(all.len(), 65_535);
            assert!(!all.contains(&0));
            handles.release(Handle::new(777).unwrap());
            assert_eq!(handles.allocate().unwrap().get(), 777);
            assert_eq!(handles.allocate(), None);
        }
    }
}
