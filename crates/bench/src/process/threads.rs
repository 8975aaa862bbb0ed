//! CPU time of each thread of a process, to see whether one of them had no more to give.

use std::collections::BTreeMap;
use std::time::Duration;

use super::stat::ProcessStat;

/// Clock ticks of each thread since it began, by its number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ThreadTicks(BTreeMap<u64, u64>);

impl ThreadTicks {
    /// Adds a thread by its own `stat`, which has the form of a process's.
    pub fn add(&mut self, stat: &ProcessStat) {
        self.0.insert(stat.pid, stat.cpu_ticks());
    }

    /// CPU time of the busiest thread from this moment to a later one, over wall time; `None` where there is nothing to
    /// compare. What a thread used that began in between counts whole.
    #[must_use]
    pub fn busiest(&self, later: &Self, wall: Duration, ticks_per_s: u64) -> Option<f64> {
        let used = |(thread, ticks): (&u64, &u64)| {
            ticks.saturating_sub(self.0.get(thread).copied().unwrap_or_default())
        };
        let ticks = later.0.iter().map(used).max()?;
        let cores = ticks as f64 / ticks_per_s as f64 / wall.as_secs_f64();
        cores.is_finite().then_some(cores)
    }
}
