//! What one subscriber has seen of a numbered flow.

use std::ops::Range;
use std::time::Duration;

use crate::measure::Latency;

/// Gaps that are kept by their place; those beyond count in every range.
pub const GAPS_MAX: usize = 10_000;

/// What one subscriber has seen of a flow whose numbers rise by one: what is missing, where, and how old the rest was.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    /// What comes next if nothing is missing; nothing before the first.
    next: Option<u64>,
    received: u64,
    /// Numbers that came when later ones had come, or twice.
    repeated: u64,
    gaps: Vec<Range<u64>>,
    /// Numbers missing in gaps that found no place.
    untold: u64,
    ages: Latency,
}

impl Ledger {
    /// One has come, this old. The first decides where counting begins.
    pub fn record(&mut self, number: u64, age: Duration) {
        let next = *self.next.get_or_insert(number);
        if number < next {
            self.repeated += 1;
            return;
        }
        if number > next {
            self.miss(next..number);
        }
        self.next = Some(number + 1);
        self.received += 1;
        self.ages.record(age);
    }

    fn miss(&mut self, gap: Range<u64>) {
        if self.gaps.len() < GAPS_MAX {
            self.gaps.push(gap);
        } else {
            self.untold += gap.end - gap.start;
        }
    }

    /// How many have come.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// How many came when later ones had come, or twice.
    #[must_use]
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    /// What would come next; 0 before the first.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next.unwrap_or_default()
    }

    /// How many of these have not come.
    #[must_use]
    pub fn lost_in(&self, range: &Range<u64>) -> u64 {
        let overlap = |gap: &Range<u64>| range.end.min(gap.end).saturating_sub(range.start.max(gap.start));
        let outstanding = range.end.saturating_sub(range.start.max(self.next()));
        self.gaps.iter().map(overlap).sum::<u64>() + self.untold + outstanding
    }

    /// How old they were since this was last asked.
    pub fn take_ages(&mut self) -> Latency {
        std::mem::take(&mut self.ages)
    }
}
