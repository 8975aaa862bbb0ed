//! What a process used between two samples.

use std::time::Duration;

use thiserror::Error;

use super::machine::MachineTicks;
use super::memory::Memory;
use super::stat::ProcessStat;

/// One look at a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// When, since the run's epoch.
    pub at: Duration,
    /// Its CPU time.
    pub stat: ProcessStat,
    /// Its memory.
    pub memory: Memory,
}

/// What a process used in between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// In between.
    pub wall: Duration,
    /// CPU time of all threads.
    pub cpu: Duration,
    /// CPU time over wall time.
    pub cores: f64,
    /// At the end.
    pub rss_bytes: u64,
    /// More at the end than at the beginning; negative when less.
    pub rss_growth_bytes: i64,
    /// At most, ever, where that is known.
    pub rss_peak_bytes: Option<u64>,
}

/// What others on the machine used meanwhile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MachineUsage {
    /// Cores that were busy.
    pub busy_cores: f64,
    /// Of them, those that neither the server nor the benchmark used: large, and a run is worth little.
    pub other_cores: f64,
}

/// Why two samples cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UsageError {
    /// They are of two processes.
    #[error("the process was replaced by another while it was measured")]
    Replaced,
    /// The second is not later than the first.
    #[error("the samples are not in order")]
    Order,
    /// No tick has a length.
    #[error("a second has to have clock ticks")]
    Ticks,
}

impl Usage {
    /// From the first to the second of two samples, on a machine with so many clock ticks in a second
    /// (`sysconf(_SC_CLK_TCK)`).
    ///
    /// # Errors
    /// When they are of different processes, or out of order.
    pub fn between(first: &Sample, second: &Sample, ticks_per_s: u64) -> Result<Self, UsageError> {
        if (first.stat.pid, first.stat.start_ticks) != (second.stat.pid, second.stat.start_ticks) {
            return Err(UsageError::Replaced);
        }
        let wall = second.at.checked_sub(first.at).filter(|wall| !wall.is_zero()).ok_or(UsageError::Order)?;
        let ticks = second.stat.cpu_ticks().checked_sub(first.stat.cpu_ticks()).ok_or(UsageError::Order)?;
        let cpu = time(ticks, ticks_per_s)?;
        Ok(Self {
            wall,
            cpu,
            cores: cpu.as_secs_f64() / wall.as_secs_f64(),
            rss_bytes: second.memory.rss_bytes,
            rss_growth_bytes: growth(first.memory.rss_bytes, second.memory.rss_bytes),
            rss_peak_bytes: second.memory.rss_peak_bytes,
        })
    }

    /// Microseconds of CPU time for each of so many frames; `None` of none.
    ///
    /// The frames have to be those of the same time, warm-up included if the samples include it.
    #[must_use]
    pub fn cpu_us_per_frame(&self, frames: u64) -> Option<f64> {
        (frames > 0).then(|| self.cpu.as_secs_f64() * 1e6 / frames as f64)
    }
}

impl MachineUsage {
    /// Between two looks at `/proc/stat`, `wall` apart, while those of `ours` (the server, the benchmark)
    /// were seen too.
    ///
    /// # Errors
    /// When they are out of order.
    pub fn between(
        (first, second): (MachineTicks, MachineTicks),
        wall: Duration,
        ticks_per_s: u64,
        ours: &[Usage],
    ) -> Result<Self, UsageError> {
        if wall.is_zero() {
            return Err(UsageError::Order);
        }
        let ticks = second.busy.checked_sub(first.busy).ok_or(UsageError::Order)?;
        let busy_cores = time(ticks, ticks_per_s)?.as_secs_f64() / wall.as_secs_f64();
        let ours: f64 = ours.iter().map(|usage| usage.cores).sum();
        Ok(Self { busy_cores, other_cores: (busy_cores - ours).max(0.0) })
    }
}

fn growth(before: u64, after: u64) -> i64 {
    let by = i64::try_from(after.abs_diff(before)).unwrap_or(i64::MAX);
    if after >= before { by } else { -by }
}

fn time(ticks: u64, ticks_per_s: u64) -> Result<Duration, UsageError> {
    let nanos = (u128::from(ticks) * 1_000_000_000).checked_div(u128::from(ticks_per_s));
    let nanos = nanos.ok_or(UsageError::Ticks)?;
    Ok(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
}
