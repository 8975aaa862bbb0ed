//! Test programs that run one after the other.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::Suite;
use crate::root;
use crate::run::Program;

const SUITE_MAX: Duration = Duration::from_secs(900);

/// Test programs that run one after the other, each with so many tests at a time.
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    pub(crate) suites: Vec<Suite>,
    pub(crate) threads: usize,
    /// Whether what tests print is kept even if they pass.
    pub(crate) tells: bool,
}

impl Lane {
    /// Runs all of them, and answers which have failed and why.
    pub(super) fn run(&self, logs: &Path) -> Vec<String> {
        self.suites.iter().filter_map(|suite| self.run_one(suite, logs).err()).collect()
    }

    fn run_one(&self, suite: &Suite, logs: &Path) -> Result<(), String> {
        let name = suite.name();
        let log = logs.join(format!("{}.log", name.replace(['/', ' '], "-")));
        let begin = Instant::now();
        let ended = self.program(suite).run_quietly(&log, SUITE_MAX);
        let took = begin.elapsed().as_secs_f64();
        let said = fs::read_to_string(&log).unwrap_or_default();
        match ended {
            Ok(()) => {
                println!("{took:>7.1} s  {name}: {}", counts(&said));
                Ok(())
            }
            Err(error) => {
                println!("{took:>7.1} s  {name}: FAILED\n{said}");
                Err(format!("{name}: {error:#}"))
            }
        }
    }

    /// In the directory of its package, as cargo runs it.
    fn program(&self, suite: &Suite) -> Program {
        let mut words = vec![suite.program.display().to_string()];
        if self.tells {
            words.push("--nocapture".to_owned());
        }
        Program { words, directory: Some(root().join(&suite.directory)), ..Program::default() }
            .env("TRACKYARD_ARTIFACTS", root().join("artifacts").display().to_string())
            .env("RUST_TEST_THREADS", self.threads.to_string())
    }
}

impl Suite {
    /// Its package and target, for people.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.directory.display(), self.target)
    }
}

/// What the test program says at its end: how many tests have passed.
fn counts(said: &str) -> &str {
    let last = said.lines().rev().find_map(|line| line.strip_prefix("test result: "));
    last.and_then(|line| line.split("; 0 measured").next()).unwrap_or("it has not told how many tests it has")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_tells_how_many_have_passed() {
        let said = "running 2 tests\n\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        assert_eq!(counts(said), "ok. 2 passed; 0 failed; 0 ignored");
        assert!(counts("").starts_with("it has not told"));
    }
}
