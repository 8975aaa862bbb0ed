//! Runs the binary.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

/// What a run of the command has said.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The command with an empty environment, so that the machine's own does not count.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trackyard"));
    command.args(args).env_clear();
    command
}

/// The command with SIGHUP as this option of `env` leaves it, whatever the tests themselves were started with.
#[cfg(target_os = "linux")]
pub(crate) fn with_hang_up(option: &str, args: &[&str]) -> Command {
    let mut command = Command::new("/usr/bin/env");
    command.args([option, env!("CARGO_BIN_EXE_trackyard")]).args(args).env_clear();
    command
}

/// Runs the command to its end.
pub(crate) fn run(args: &[&str]) -> Ran {
    run_with(args, &[])
}

/// The same with an environment.
pub(crate) fn run_with(args: &[&str], env: &[(&str, &str)]) -> Ran {
    let Output { status, stdout, stderr } = command(args).envs(env.iter().copied()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
}

/// A server that is killed with its test.
pub(crate) struct Server(Child);

impl Server {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::spawn(command(args))
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Reads standard output up to a line with this text.
    pub(crate) fn until(&mut self, text: &str) -> String {
        let mut read = String::new();
        for line in BufReader::new(self.0.stdout.as_mut().unwrap()).lines() {
            read.push_str(&line.unwrap());
            read.push('\n');
            if read.contains(text) {
                return read;
            }
        }
        let mut err = String::new();
        self.0.stderr.as_mut().unwrap().read_to_string(&mut err).unwrap();
        panic!("it has ended without `{text}`:\n{read}{err}");
    }

    /// Ctrl-C, and the exit code.
    pub(crate) fn interrupt(self) -> Option<i32> {
        self.signal("-INT")
    }

    /// Whether SIGHUP, the first of signals, is ignored.
    #[cfg(target_os = "linux")]
    pub(crate) fn ignores_hang_up(&self) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
        u64::from_str_radix(mask.trim(), 16).unwrap() & 1 == 1
    }

    /// A signal, and the exit code.
    pub(crate) fn signal(mut self, signal: &str) -> Option<i32> {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        self.0.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already, or is to.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A file that goes away with the test.
pub(crate) struct TempFile(PathBuf);

impl TempFile {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // A file that is left behind does no harm.
        let _ = std::fs::remove_file(&self.0);
    }
}
