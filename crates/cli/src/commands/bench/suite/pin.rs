//! Threads that are kept to some cores for a while.

use std::collections::BTreeMap;
use std::fs;

use anyhow::Context;
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::failure::Failure;

/// Rounds of looking for threads: one that begins while others are placed is found by the next.
const ROUNDS: usize = 3;

/// All threads of a process, kept to some cores until this is dropped.
#[derive(Debug)]
pub(super) struct Pinned {
    process: u32,
    /// Where each thread was allowed to run before.
    before: BTreeMap<u32, CpuSet>,
    /// The same for threads that have begun since.
    main: CpuSet,
}

impl Pinned {
    /// Keeps all threads of a process to one core, and those that they start.
    ///
    /// # Errors
    /// When there is no such core or process, or it is somebody else's.
    pub(super) fn to_core(process: u32, core: u32) -> Result<Self, Failure> {
        let mut cores = CpuSet::new();
        if core as usize >= CpuSet::MAX_CPU {
            return Err(no_such(core));
        }
        cores.set(core as usize);
        Self::to(process, &cores).map_err(|error| match error.downcast_ref() {
            Some(&rustix::io::Errno::INVAL) => no_such(core),
            _ => error.into(),
        })
    }

    /// Keeps all threads of this process off a core, so that it is a server's alone.
    ///
    /// # Errors
    /// When there is no such core, or no other.
    pub(super) fn all_but(core: u32) -> Result<Self, Failure> {
        let mut cores = sched_getaffinity(None).context("the cores of this process are not known")?;
        if core as usize >= CpuSet::MAX_CPU || !cores.is_set(core as usize) {
            return Err(no_such(core));
        }
        cores.unset(core as usize);
        if cores.count() == 0 {
            let text = "--pin-server needs a second core, on which clients run";
            return Err(Failure::Usage(text.to_owned()));
        }
        Self::to(std::process::id(), &cores).map_err(Failure::from)
    }

    fn to(process: u32, cores: &CpuSet) -> anyhow::Result<Self> {
        let main =
            affinity(process).with_context(|| format!("the cores of process {process} are not known"))?;
        let mut pinned = Self { process, before: BTreeMap::new(), main };
        for _ in 0..ROUNDS {
            for thread in threads(process)? {
                // A thread that has ended meanwhile needs no core.
                let Ok(before) = affinity(thread) else { continue };
                pinned.before.entry(thread).or_insert(before);
                place(thread, cores)
                    .with_context(|| format!("process {process} cannot be kept to a core; is it yours?"))?;
            }
        }
        Ok(pinned)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // A process that has ended needs nothing.
        for thread in threads(self.process).unwrap_or_default() {
            if let Err(error) = place(thread, self.before.get(&thread).unwrap_or(&self.main)) {
                tracing::warn!(thread, %error, "a thread stays where it was kept");
            }
        }
    }
}

fn no_such(core: u32) -> Failure {
    Failure::Usage(format!("--pin-server: there is no core {core} that this process may use; the first is 0"))
}

fn threads(process: u32) -> anyhow::Result<Vec<u32>> {
    let folders = fs::read_dir(format!("/proc/{process}/task"))
        .with_context(|| format!("process {process} is not there"))?;
    Ok(folders.flatten().filter_map(|folder| folder.file_name().to_str()?.parse().ok()).collect())
}

fn affinity(thread: u32) -> rustix::io::Result<CpuSet> {
    sched_getaffinity(Some(pid(thread)?))
}

fn place(thread: u32, cores: &CpuSet) -> rustix::io::Result<()> {
    match sched_setaffinity(Some(pid(thread)?), cores) {
        // It has ended meanwhile.
        Err(rustix::io::Errno::SRCH) => Ok(()),
        placed => placed,
    }
}

fn pid(thread: u32) -> rustix::io::Result<Pid> {
    i32::try_from(thread).ok().and_then(Pid::from_raw).ok_or(rustix::io::Errno::SRCH)
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    /// Ended with its test.
    struct Sleeper(Child);

    impl Drop for Sleeper {
        fn drop(&mut self) {
            // It has ended already, or is to.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn sleeper() -> Sleeper {
        Sleeper(Command::new("sleep").arg("60").spawn().unwrap())
    }

    #[test]
    fn a_process_is_kept_to_a_core_and_let_go() {
        let sleeper = sleeper();
        let before = affinity(sleeper.0.id()).unwrap();
        let core = (0..CpuSet::MAX_CPU).find(|core| before.is_set(*core)).unwrap();
        let pinned = Pinned::to_core(sleeper.0.id(), u32::try_from(core).unwrap()).unwrap();
        let kept = affinity(sleeper.0.id()).unwrap();
        assert!(kept.is_set(core) && kept.count() == 1);
        drop(pinned);
        assert!(affinity(sleeper.0.id()).unwrap() == before);
    }

    #[test]
    fn it_is_let_go_when_something_panics() {
        let sleeper = sleeper();
        let before = affinity(sleeper.0.id()).unwrap();
        let core = (0..CpuSet::MAX_CPU).find(|core| before.is_set(*core)).unwrap();
        let panicked = std::panic::catch_unwind(|| {
            let _pinned = Pinned::to_core(sleeper.0.id(), u32::try_from(core).unwrap()).unwrap();
            panic!("as a scenario might");
        });
        assert!(panicked.is_err() && affinity(sleeper.0.id()).unwrap() == before);
    }

    #[test]
    fn a_core_that_is_not_there_is_refused() {
        for core in [u32::MAX, 1_023] {
            let refused = Pinned::to_core(std::process::id(), core);
            assert!(matches!(refused, Err(Failure::Usage(text)) if text.contains("no core")));
        }
    }
}
