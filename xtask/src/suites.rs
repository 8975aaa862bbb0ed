//! Test programs: all are compiled at once, and those that wait run beside those that compute.

mod lane;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::root;
use crate::steps::cargo;

pub(crate) use self::lane::Lane;

const COMPILE_MAX: Duration = Duration::from_secs(1800);

/// A test program, as cargo has built it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suite {
    /// Its package's directory in the workspace.
    pub(crate) directory: PathBuf,
    /// The target's name: that of the library or binary, or of the file or folder in `tests/`.
    pub(crate) target: String,
    program: PathBuf,
}

/// Compiles whatever is tested, in one go: cargo unites features over the packages it is given, and builds
/// anew what has other features than before.
pub(crate) fn compile() -> Result<Vec<Suite>> {
    let path = root().join("artifacts/compiled.json");
    fs::create_dir_all(root().join("artifacts"))?;
    let words = ["test", "--workspace", "--no-run", "--message-format=json-render-diagnostics"];
    cargo(&words).run_into(&path, COMPILE_MAX)?;
    let suites = parse(&fs::read_to_string(&path)?, &root())?;
    fs::remove_file(&path)?;
    ensure!(!suites.is_empty(), "cargo has named no test program");
    Ok(suites)
}

/// Runs lanes at the same time, each to its end.
pub(crate) fn run(lanes: Vec<Lane>) -> Result<()> {
    let logs = root().join("artifacts/tests");
    fs::create_dir_all(&logs)?;
    let running: Vec<_> = lanes
        .into_iter()
        .map(|lane| {
            let logs = logs.clone();
            thread::spawn(move || lane.run(&logs))
        })
        .collect();
    let mut failed = Vec::new();
    for lane in running {
        let Ok(failures) = lane.join() else { bail!("the thread of a lane has died") };
        failed.extend(failures);
    }
    ensure!(failed.is_empty(), "{}", failed.join(", "));
    Ok(())
}

/// The test programs among cargo's messages.
fn parse(messages: &str, root: &Path) -> Result<Vec<Suite>> {
    let messages = messages.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>();
    messages.context("cargo's messages")?.iter().filter_map(|message| suite(message, root)).collect()
}

fn suite(message: &Value, root: &Path) -> Option<Result<Suite>> {
    let tests = message["reason"] == "compiler-artifact" && message["profile"]["test"] == true;
    let program = message["executable"].as_str().filter(|_| tests)?;
    let manifest = Path::new(message["manifest_path"].as_str().unwrap_or_default());
    let directory = manifest.parent().and_then(|directory| directory.strip_prefix(root).ok());
    let target = message["target"]["name"].as_str().unwrap_or_default().to_owned();
    let suite = |directory: &Path| Suite { directory: directory.into(), target, program: program.into() };
    Some(directory.map(suite).with_context(|| format!("{program} belongs to no package of the workspace")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_run_to_their_ends_and_tell_what_failed() {
        let suite = |program: &str| Suite {
            directory: PathBuf::new(),
            target: program.to_owned(),
            program: Path::new("/bin").join(program),
        };
        let lane =
            |programs: [&str; 2]| Lane { suites: programs.map(suite).to_vec(), threads: 1, tells: false };
        let error = run(vec![lane(["false", "true"]), lane(["true", "missing"])]).unwrap_err().to_string();
        assert!(error.contains("false: ") && error.contains("missing"), "{error}");
        assert!(!error.contains("true"), "{error}");
        run(vec![lane(["true", "true"])]).unwrap();
    }

    #[test]
    fn test_programs_are_told_from_what_else_is_built() {
        let message = |test: bool, executable: Option<&str>| {
            serde_json::json!({
                "reason": "compiler-artifact",
                "manifest_path": "/tree/crates/sim/Cargo.toml",
                "target": { "name": "worlds" },
                "profile": { "test": test },
                "executable": executable,
            })
        };
        let messages = [
            message(true, Some("/tree/target/debug/deps/worlds-1")),
            message(false, Some("/tree/target/debug/sdk-peer")),
            message(true, None),
            serde_json::json!({ "reason": "build-finished", "success": true }),
        ];
        let text = messages.map(|message| message.to_string()).join("\n");
        let expected = Suite {
            directory: "crates/sim".into(),
            target: "worlds".to_owned(),
            program: "/tree/target/debug/deps/worlds-1".into(),
        };
        assert_eq!(parse(&text, Path::new("/tree")).unwrap(), [expected]);
        assert!(parse(&text, Path::new("/elsewhere")).is_err());
        assert!(parse("what is this", Path::new("/tree")).is_err());
    }
}
