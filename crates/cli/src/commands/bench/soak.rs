//! `trackyard bench soak`: a server of its own under faults, and what is left of it afterwards.

mod bystanders;
mod faults;
mod http;
mod process;
mod progress;
mod run;
mod site;
mod stages;
mod visits;

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use trackyard_bench::soak::{Fault, SoakReport};

use self::run::Run;
use crate::duration::positive_duration;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::runtime::run_client;
use crate::{Outcome, descriptors, output};

/// What the allocator keeps more once faults and clients have come in ever other orders.
const MEMORY_LEVEL_BYTES: u64 = 6 << 20;
/// The same for each client, beyond which it is a leak.
const MEMORY_JOIN_BYTES: u64 = 512;
/// The level is reached with so many at the latest.
const MEMORY_JOINS_MAX: u64 = 20_000;

/// Put a server under faults and see that nothing is left of them
#[derive(Debug, Args)]
#[command(after_help = "\
A server is started on loopback, and clients join and leave it while faults come one after the other, in
rounds, until all have joined. Three bystanders, a publisher at 100 Hz and two subscribers, say what they
have seen of each fault. In the end the server's memory, descriptors, tasks and rooms are compared with
what they were once it was warm. Nothing but loopback is used, and the server ends with the command.

Faults: joins (clients come and go), flaps (links go down), slow (1 Mbit/s of 20), silent (clients that
stop acknowledging, or never begin), garbage (on every port), workers (threads die), clock (the time of
day jumps by an hour either way, the process stands still for 3 s), full-disk (no log line is taken).

The exit code is 1 if something did not hold or could not be carried out, and 124 if it took longer than it
may. The server's log stays if not everything held.

Examples:
  trackyard bench soak
  trackyard bench soak --joins 500 --mixed --out soak-results
  trackyard bench soak --only joins,garbage --seed 7
  trackyard bench soak --only flaps --flaps 3s,8s,40s")]
pub(crate) struct Soak {
    /// Clients that join and leave
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    joins: u64,
    /// These faults alone [default: all]
    #[arg(long, value_name = "FAULT,…", value_delimiter = ',')]
    only: Vec<Fault>,
    /// What the order of faults follows from, and what is random in them [default: random, and told]
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Bring all faults that can be told apart at the same time
    #[arg(long)]
    mixed: bool,
    /// How long links are down; sessions are to outlive up to 8 s
    #[arg(long, value_name = "DURATION,…", value_delimiter = ',', default_value = "3s,8s", value_parser = positive_duration)]
    flaps: Vec<Duration>,
    /// The longest it may take
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = positive_duration)]
    duration: Duration,
    /// Worker threads of the server
    #[arg(long, value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
    /// By how many MiB the server's memory may be more in the end [default: 6, and 0.5 KiB for each of 20,000 joins]
    #[arg(long, value_name = "MIB")]
    memory_tolerance: Option<u64>,
    /// Keep report.md, report.json and server.log in a directory, which is made
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Show progress even where standard error is no terminal
    #[arg(long)]
    progress: bool,
}

impl Soak {
    pub(crate) fn run(self) -> Outcome {
        run_client(|interrupt| self.soak(interrupt))
    }

    async fn soak(self, mut interrupt: Interrupt) -> Outcome {
        descriptors::raise_limit();
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..));
        let directory = self.directory(seed)?;
        say!("note: seed {seed}; the server's log is {}", directory.join("server.log").display());
        let mut run = Run::new(&self, seed, directory.clone());
        let ran = tokio::time::timeout(self.duration, interrupt.during(run.all())).await;
        let late = || Err(Failure::TimedOut(format!("not done within {:?}", self.duration)));
        let ran = ran.unwrap_or_else(|_| late());
        let report = run.finish(ran.as_ref().err().map(Failure::text));
        self.tell(&report)?;
        self.tidy_up(&directory, &report);
        ran?;
        if report.broken.is_empty() {
            return Ok(());
        }
        Err(Failure::Failed(anyhow!("{}", report.broken.join("\nerror: "))))
    }

    /// Every fault that is wanted, once.
    fn faults(&self) -> Vec<Fault> {
        let is_wanted = |fault: &Fault| self.only.is_empty() || self.only.contains(fault);
        Fault::ALL.into_iter().filter(is_wanted).collect()
    }

    /// By how much the server's memory may be more in the end.
    fn memory_tolerance_bytes(&self) -> u64 {
        match self.memory_tolerance {
            Some(mib) => mib.saturating_mul(1 << 20),
            None => MEMORY_LEVEL_BYTES + MEMORY_JOIN_BYTES * self.joins.min(MEMORY_JOINS_MAX),
        }
    }

    fn shows_progress(&self) -> bool {
        self.progress || std::io::stderr().is_terminal()
    }

    /// Where results go, or the log alone.
    fn directory(&self, seed: u64) -> anyhow::Result<PathBuf> {
        let temporary =
            || std::env::temp_dir().join(format!("trackyard-soak-{}-{seed:x}", std::process::id()));
        let directory = self.out.clone().unwrap_or_else(temporary);
        fs::create_dir_all(&directory).with_context(|| format!("{} cannot be made", directory.display()))?;
        Ok(directory)
    }

    /// What nobody has asked for and nobody needs does not stay.
    fn tidy_up(&self, directory: &Path, report: &SoakReport) {
        if self.out.is_some() {
            return;
        }
        if report.is_cut || !report.broken.is_empty() {
            say!("note: the server's log is kept in {}", directory.display());
        } else if let Err(error) = fs::remove_dir_all(directory) {
            say!("warning: {} cannot be removed: {error}", directory.display());
        }
    }

    fn tell(&self, report: &SoakReport) -> Outcome {
        let json = report.to_json().context("the report cannot be written as JSON")?;
        let markdown = report.to_markdown();
        // Each also if the other cannot be written.
        let printed = output::print(if self.json { &json } else { &markdown });
        if let Some(directory) = &self.out {
            write(&directory.join("report.json"), &json)?;
            write(&directory.join("report.md"), &markdown)?;
        }
        Ok(printed?)
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}
