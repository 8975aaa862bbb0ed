//! A set of frame numbers, one bit for each.

use std::ops::Range;

const BITS: u64 = u64::BITS as u64;

/// Which numbers of a window were seen. It grows to the highest one seen and no further than the window.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    window: Range<u64>,
    words: Vec<u64>,
    count: u64,
}

impl Seen {
    pub(super) fn new(window: Range<u64>) -> Self {
        Self { window, words: Vec::new(), count: 0 }
    }

    /// Whether the number is in the window, seen or not.
    pub(super) fn spans(&self, number: u64) -> bool {
        self.window.contains(&number)
    }

    /// `true` if the number is in the window and was not seen before.
    pub(super) fn insert(&mut self, number: u64) -> bool {
        if !self.spans(number) {
            return false;
        }
        let index = number - self.window.start;
        let (word, bit) = ((index / BITS) as usize, 1 << (index % BITS));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let fresh = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.count += u64::from(fresh);
        fresh
    }

    /// How many.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// How many are in both.
    pub(super) fn in_common(&self, other: &Self) -> u64 {
        let pairs = self.words.iter().zip(&other.words);
        pairs.map(|(one, other)| u64::from((one & other).count_ones())).sum()
    }
}
