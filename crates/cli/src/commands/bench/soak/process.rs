//! What the system knows of the server's process, and signals to it.

use std::fs;

use anyhow::Context;
use trackyard_bench::soak::Footprint;

use super::http::Metrics;

/// What it holds now, as the system and its metrics say.
///
/// # Errors
/// When the process is gone, or this system does not show processes.
pub(super) fn footprint(pid: u32, metrics: &Metrics) -> anyhow::Result<Footprint> {
    Ok(Footprint {
        memory_bytes: memory_bytes(pid)?,
        descriptors: entries(pid, "fd")?,
        threads: entries(pid, "task")?,
        tasks: metrics.count("trackyard_tasks"),
        rooms: metrics.count("trackyard_rooms"),
        participants: metrics.count("trackyard_participants"),
        tcp_connections: metrics.count("trackyard_ice_tcp_connections"),
        workers_alive: metrics.count("trackyard_workers_alive"),
    })
}

/// Its resident memory, without what it shares with files.
///
/// # Errors
/// As [`footprint`].
pub(super) fn memory_bytes(pid: u32) -> anyhow::Result<u64> {
    let status =
        fs::read_to_string(format!("/proc/{pid}/status")).context("the server's memory is not shown")?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: u64 = kib.context("the server has no memory any more")?.trim().parse()?;
    Ok(kib * 1_024)
}

fn entries(pid: u32, what: &str) -> anyhow::Result<u64> {
    let listed = fs::read_dir(format!("/proc/{pid}/{what}"));
    Ok(listed.with_context(|| format!("the server's {what} is not shown"))?.count() as u64)
}

/// What a process is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Word {
    /// Stand still.
    Stop,
    /// Go on.
    Continue,
    /// End as service managers ask for it.
    Terminate,
}

/// Tells a process.
///
/// # Errors
/// When it is gone.
#[cfg(unix)]
pub(super) fn tell(pid: u32, word: Word) -> anyhow::Result<()> {
    use rustix::process::{Pid, Signal, kill_process};

    let signal = match word {
        Word::Stop => Signal::STOP,
        Word::Continue => Signal::CONT,
        Word::Terminate => Signal::TERM,
    };
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).context("this is no process")?;
    kill_process(pid, signal).with_context(|| format!("the server does not get {word:?}"))
}

/// Tells a process.
///
/// # Errors
/// Always: there are no signals here.
#[cfg(not(unix))]
pub(super) fn tell(_: u32, word: Word) -> anyhow::Result<()> {
    anyhow::bail!("this system has no signal to tell a server {word:?}")
}
