//! Runs programs: output streams through, and what takes too long is ended with everything it started.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
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

    /// Finds programs of the Python environment first; the directory need not be there yet.
    #[must_use]
    pub(crate) fn with_venv(self) -> Self {
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", root().join(".venv/bin").display());
        self.env("PATH", path)
    }

    /// Runs it to its end, or to the end of its time.
    pub(crate) fn run(&self, limit: Duration) -> Result<()> {
        println!("$ {}", self.words.join(" "));
        self.to_its_end(self.command()?, limit)
    }

    /// The same, with standard output in a file.
    pub(crate) fn run_into(&self, file: &Path, limit: Duration) -> Result<()> {
        println!("$ {}", self.words.join(" "));
        let mut command = self.command()?;
        command.stdout(create(file)?);
        self.to_its_end(command, limit)
    }

    /// The same, with all it says in a file, and nothing else said about it.
    pub(crate) fn run_quietly(&self, file: &Path, limit: Duration) -> Result<()> {
        let mut command = self.command()?;
        let file = create(file)?;
        command.stderr(file.try_clone()?).stdout(file);
        self.to_its_end(command, limit)
    }

    fn command(&self) -> Result<Command> {
        let (name, arguments) = self.words.split_first().context("no program")?;
        let mut command = Command::new(name);
        command.args(arguments).current_dir(self.directory.clone().unwrap_or_else(root));
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    fn to_its_end(&self, mut command: Command, limit: Duration) -> Result<()> {
        let name = &self.words[0];
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
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .output()
            .is_ok_and(|output| output.status.success())
    }
}

fn create(file: &Path) -> Result<File> {
    File::create(file).with_context(|| format!("{} cannot be written", file.display()))
}

fn wait(mut child: Child, limit: Duration) -> Result<ExitStatus> {
    let id = child.id();
    let (ended, end) = mpsc::channel();
    let waiter = thread::spawn(move || {
        let status = child.wait();
        // The receiver has given up only when it has already failed the step.
        let _ = ended.send(());
        status
    });
    let late = end.recv_timeout(limit).is_err();
    if late {
        kill(&family(id, &parents()))?;
    }
    let Ok(status) = waiter.join() else { bail!("the waiting thread has died") };
    if late {
        bail!("not done after {} s", limit.as_secs());
    }
    Ok(status?)
}

/// Ends processes. By the shell, as `kill` is no program of its own on the smallest systems.
fn kill(processes: &[u32]) -> Result<()> {
    let ids: Vec<_> = processes.iter().map(u32::to_string).collect();
    // Some may have ended meanwhile; that of others, `wait` would notice.
    Command::new("sh").args(["-c", &format!("kill -KILL {}", ids.join(" "))]).output().context("sh")?;
    Ok(())
}

/// A process and everything it started. Steps have no process group of their own, so that an interrupt
/// from the terminal reaches them, and a question asked there can be answered.
fn family(head: u32, parents: &HashMap<u32, u32>) -> Vec<u32> {
    let mut found = vec![head];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(parents.iter().filter(|(_, of)| **of == parent).map(|(child, _)| child));
        next += 1;
    }
    found
}

/// Each process's parent, where the system tells.
fn parents() -> HashMap<u32, u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter_map(|id| Some((id, parent(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)?))).collect()
}

/// The fourth field; the second is a name in parentheses, which may hold anything.
fn parent(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
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
    fn what_it_started_is_ended_too() {
        let begin = std::time::Instant::now();
        // The pipe ends when nobody holds it any more.
        let script = "sleep 61 & wait";
        let child = Command::new("sh").args(["-c", script]).stdout(std::process::Stdio::piped()).spawn();
        let mut child = child.unwrap();
        let pipe = child.stdout.take().unwrap();
        let error = wait(child, Duration::from_millis(300)).unwrap_err();
        assert_eq!(error.to_string(), "not done after 0 s");
        assert_eq!(std::io::read_to_string(pipe).unwrap(), "");
        assert!(begin.elapsed() < Duration::from_secs(30), "its child still held the pipe");
    }

    #[test]
    fn a_family_is_all_that_descends_from_its_head() {
        let parents = HashMap::from([(2, 1), (3, 2), (4, 3), (5, 1), (6, 9)]);
        let mut found = family(2, &parents);
        found.sort_unstable();
        assert_eq!(found, [2, 3, 4]);
        assert_eq!(parent("17 (a ) b) S 12 17 17"), Some(12));
    }

    #[test]
    fn a_failure_is_told() {
        assert!(Program::new(&["false"]).run(Duration::from_secs(10)).is_err());
        assert!(Program::new(&["true"]).run(Duration::from_secs(10)).is_ok());
        let missing = Program::new(&["no-such-program"]).run(Duration::from_secs(10)).unwrap_err();
        assert!(missing.to_string().contains("is it installed"), "{missing}");
    }
}
