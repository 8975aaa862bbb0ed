//! CPU time and memory of the server, of this process, and of everybody else on the machine.

use std::fs;
use std::time::Duration;

use trackyard_bench::process::{
    MachineTicks, MachineUsage, Memory, ProcessStat, Sample, ThreadTicks, Usage, UsageError,
};

use crate::failure::Failure;

/// Looks at processes, as far as this system shows them.
#[derive(Debug)]
pub(super) struct Watch {
    server: Option<u32>,
    ticks_per_s: u64,
}

/// One look.
#[derive(Debug)]
pub(super) struct Look {
    at: Duration,
    server: Option<Sample>,
    bench: Option<Sample>,
    threads: ThreadTicks,
    machine: Option<MachineTicks>,
}

/// What was used between two looks.
#[derive(Debug)]
pub(super) struct Used {
    pub(super) server: Option<Usage>,
    pub(super) bench: Option<Usage>,
    /// CPU time of this process's busiest thread over wall time.
    pub(super) busiest_thread: Option<f64>,
    pub(super) machine: Option<MachineUsage>,
}

impl Watch {
    /// Watches the server's process if it is named.
    ///
    /// # Errors
    /// [`Failure::Usage`] when it cannot be seen.
    pub(super) fn new(server: Option<u32>) -> Result<Self, Failure> {
        if let Some(pid) = server {
            sample(pid, Duration::ZERO)
                .map_err(|error| Failure::Usage(format!("process {pid} cannot be watched: {error:#}")))?;
        }
        Ok(Self { server, ticks_per_s: ticks_per_s() })
    }

    /// Looks at all of them, at this moment of the run.
    pub(super) fn look(&self, at: Duration) -> Look {
        Look {
            at,
            server: self.server.and_then(|pid| sample(pid, at).ok()),
            bench: sample(std::process::id(), at).ok(),
            threads: threads(),
            machine: fs::read_to_string("/proc/stat").ok().and_then(|text| MachineTicks::parse(&text).ok()),
        }
    }

    /// What was used in between. What cannot be compared is said, and left out.
    pub(super) fn used(&self, first: &Look, second: &Look) -> Used {
        let server = self.between("the server", (&first.server, &second.server));
        if self.server.is_some() && second.server.is_none() {
            say!("warning: the server's process was gone before the end");
        }
        let bench = self.between("this process", (&first.bench, &second.bench));
        let ours: Vec<Usage> = server.into_iter().chain(bench).collect();
        let wall = second.at.saturating_sub(first.at);
        let machine = first.machine.zip(second.machine).and_then(|ticks| {
            said("the machine", MachineUsage::between(ticks, wall, self.ticks_per_s, &ours))
        });
        let busiest_thread = first.threads.busiest(&second.threads, wall, self.ticks_per_s);
        Used { server, bench, busiest_thread, machine }
    }

    fn between(&self, who: &str, samples: (&Option<Sample>, &Option<Sample>)) -> Option<Usage> {
        let (Some(first), Some(second)) = samples else { return None };
        said(who, Usage::between(first, second, self.ticks_per_s))
    }
}

fn said<T>(who: &str, used: Result<T, UsageError>) -> Option<T> {
    used.inspect_err(|error| say!("warning: what {who} used is not known: {error}")).ok()
}

fn sample(pid: u32, at: Duration) -> anyhow::Result<Sample> {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}"));
    let stat = ProcessStat::parse(&read("stat")?)?;
    Ok(Sample { at, stat, memory: Memory::parse_status(&read("status")?)? })
}

/// Those of this process, as far as the system shows them.
fn threads() -> ThreadTicks {
    let mut threads = ThreadTicks::default();
    let Ok(folders) = fs::read_dir("/proc/self/task") else { return threads };
    for folder in folders.flatten() {
        let stat = fs::read_to_string(folder.path().join("stat")).ok();
        // One that ends meanwhile counts no more.
        if let Some(stat) = stat.and_then(|text| ProcessStat::parse(&text).ok()) {
            threads.add(&stat);
        }
    }
    threads
}

#[cfg(unix)]
fn ticks_per_s() -> u64 {
    rustix::param::clock_ticks_per_second()
}

/// There is no `/proc` here whose ticks would count.
#[cfg(not(unix))]
fn ticks_per_s() -> u64 {
    100
}
