//! Runs programs: output streams through, and what takes too long is ended with everything it started.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::root;

/// A program with its arguments, run in the workspace.
#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    pub(crate) words: Vec<String>,
    pub(crate) env: Vec<(&'static str, String)>,
    pub(crate) directory: Option<PathBuf>,
}

impl Program {
    pub(crate) fn new(words: &[&str]) -> Self {
        Self { words: words.iter().map(|word| (*word).to_owned()).collect(), ..Self::default() }
    }

    #[must_use]
    pub(crate) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    /// Runs it to its end, or to the end of its time.
    pub(crate) fn run(&self, limit: Duration) -> Result<()> {
        println!("$ {}", self.words.join(" "));
        let (name, arguments) = self.words.split_first().context("no program")?;
        let mut command = Command::new(name);
        command.args(arguments).current_dir(self.directory.clone().unwrap_or_else(root)).process_group(0);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        let child = command.spawn().with_context(|| format!("{name} cannot be started; is it installed?"))?;
        let status = wait(child, limit)?;
        if !status.success() {
            bail!("{name}: {status}");
        }
        Ok(())
    }

    /// Whether it can be run at all and ends well, with its output hidden.
    pub(crate) fn works(&self) -> bool {
        let Some((name, arguments)) = self.words.split_first() else { return false };
        Command::new(name)
            .args(arguments)
            .current_dir(root())
            .output()
            .is_ok_and(|output| output.status.success())
    }
}

fn wait(mut child: Child, limit: Duration) -> Result<ExitStatus> {
    let group = child.id();
    let (ended, end) = mpsc::channel();
    let waiter = thread::spawn(move || {
        let status = child.wait();
        // The receiver has given up only when it has already failed the step.
        let _ = ended.send(());
        status
    });
    let late = end.recv_timeout(limit).is_err();
    if late {
        Command::new("kill").args(["-KILL", "--", &format!("-{group}")]).status().context("kill")?;
    }
    let Ok(status) = waiter.join() else { bail!("the waiting thread has died") };
    if late {
        bail!("not done after {} s", limit.as_secs());
    }
    Ok(status?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_long_is_ended() {
        let error = Program::new(&["sleep", "60"]).run(Duration::from_millis(100)).unwrap_err();
        assert_eq!(error.to_string(), "not done after 0 s");
    }

    #[test]
    fn a_failure_is_told() {
        assert!(Program::new(&["false"]).run(Duration::from_secs(10)).is_err());
        assert!(Program::new(&["true"]).run(Duration::from_secs(10)).is_ok());
        let missing = Program::new(&["no-such-program"]).run(Duration::from_secs(10)).unwrap_err();
        assert!(missing.to_string().contains("is it installed"), "{missing}");
    }
}
