//! A server that the suite has started, and ends.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};

use crate::failure::Failure;

/// A server ends by itself within this when it is asked to.
const END_MAX: Duration = Duration::from_secs(5);
/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(20);

/// A server that the suite has started; it ends with this.
#[derive(Debug)]
pub(super) struct Started(Child);

impl Started {
    /// Starts a command; what it says goes to a file, or nowhere.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(command: &[String], log: Option<&Path>) -> Result<Self, Failure> {
        let (program, arguments) = command.split_first().context("a command has a program")?;
        let output = || -> anyhow::Result<Stdio> {
            let Some(path) = log else { return Ok(Stdio::null()) };
            let file = File::options().create(true).append(true).open(path);
            Ok(file.with_context(|| format!("{} cannot be written", path.display()))?.into())
        };
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output()?)
            .stderr(output()?)
            .spawn()
            .map_err(|error| Failure::Usage(format!("run=: `{program}` cannot be started: {error}")))?;
        Ok(Self(child))
    }

    pub(super) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Why it is not there any more, if it is not.
    pub(super) fn end_reason(&mut self) -> Option<anyhow::Error> {
        match self.0.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(anyhow!("the server has ended: {status}")),
            Err(error) => Some(anyhow!(error).context("the server cannot be watched")),
        }
    }

    /// Asks it to end, and waits until it has; whoever does not listen is ended.
    pub(super) async fn end(mut self) {
        let is_asked = ask_to_end(self.0.id());
        let deadline = Instant::now() + END_MAX;
        while is_asked && Instant::now() < deadline && self.end_reason().is_none() {
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It has ended already, or is to.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// As service managers do; whether it was asked.
#[cfg(unix)]
fn ask_to_end(process: u32) -> bool {
    use rustix::process::{Pid, Signal, kill_process};

    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok())
}

/// Processes are not asked here.
#[cfg(not(unix))]
fn ask_to_end(_process: u32) -> bool {
    false
}
