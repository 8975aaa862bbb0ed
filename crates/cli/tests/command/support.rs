//! Runs the binary.

use std::path::PathBuf;
use std::process::{Command, Output};

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
