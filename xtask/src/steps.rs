//! The steps of the test command, in order.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::install;
use crate::root;
use crate::run::Program;
use crate::suites::{self, Lane};
use crate::table::{Outcome, render};
use crate::tidy;

/// One step.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    quick: bool,
    run: fn() -> Result<()>,
}

const STEPS: [Step; 12] = [
    Step { name: "install", what: "Debian, Python and npm packages", quick: false, run: install_all },
    Step { name: "fmt", what: "formatting", quick: true, run: fmt },
    Step { name: "tidy", what: "structure, licences, sizes, contract table", quick: true, run: run_tidy },
    Step { name: "typos", what: "spelling", quick: true, run: typos },
    Step { name: "ruff", what: "lints and formatting of Python", quick: true, run: ruff },
    Step { name: "clippy", what: "lints", quick: true, run: clippy },
    Step { name: "doc", what: "documentation builds without a warning", quick: true, run: doc },
    Step { name: "build", what: "every program and test, compiled once", quick: false, run: build },
    Step {
        name: "unit",
        what: "unit, property, fuzz, simulation and documentation tests",
        quick: false,
        run: unit,
    },
    Step {
        name: "rig",
        what: "raw clients and the SDK over real sockets: links, hostile input, outages, relays, soak",
        quick: false,
        run: rig,
    },
    Step {
        name: "counts",
        what: "instructions and allocations of the hot path, against what is committed",
        quick: false,
        run: counts,
    },
    Step { name: "interop", what: "official clients: Python, Chromium, Node", quick: false, run: interop },
];

/// The program that counts, as it is compiled along with the tests.
const COUNTS: &str = "target/debug/counts";
/// Where the package of tests over real sockets is.
const RIG: &str = "tests/rig";
/// Packages whose tests start processes and wait for sockets.
const WAITING: [&str; 7] =
    ["crates/api", "crates/cli", "crates/client", "crates/http", "crates/net", "crates/server", "examples"];

/// Every step.
pub(crate) fn all() -> Vec<Step> {
    STEPS.to_vec()
}

/// Steps that need no browser and no server.
pub(crate) fn quick() -> Vec<Step> {
    STEPS.into_iter().filter(|step| step.quick).collect()
}

/// Steps by name.
pub(crate) fn named(names: &[&str]) -> Result<Vec<Step>> {
    names
        .iter()
        .map(|name| {
            let found = STEPS.into_iter().find(|step| step.name == *name);
            found.with_context(|| format!("no step `{name}`; `cargo xtask test --list` names them"))
        })
        .collect()
}

/// Runs steps to the last one, failures or not; `true` if none failed.
pub(crate) fn run(steps: &[Step]) -> Result<bool> {
    std::fs::create_dir_all(root().join("artifacts"))?;
    let outcomes: Vec<_> = steps.iter().map(run_one).collect();
    let table = render(&outcomes);
    println!("{table}");
    std::fs::write(root().join("artifacts/steps.md"), format!("{table}\n"))?;
    Ok(outcomes.iter().all(|outcome| outcome.failure.is_none()))
}

fn run_one(step: &Step) -> Outcome {
    println!("\n=== {}: {} ===", step.name, step.what);
    let begin = Instant::now();
    let failure = (step.run)().err().map(|error| format!("{error:#}"));
    if let Some(failure) = &failure {
        println!("step {} failed: {failure}", step.name);
    }
    Outcome { name: step.name, failure, took: begin.elapsed() }
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// Never incremental: on a clean clone that only takes longer, and what is inlined would depend on it, and with it
/// the counts of instructions.
pub(crate) fn cargo(words: &[&str]) -> Program {
    Program::new(&[&["cargo"], words].concat()).env("CARGO_INCREMENTAL", "0")
}

fn install_all() -> Result<()> {
    install::debian()?;
    install::python()?;
    install::node()?;
    install::npm()
}

fn fmt() -> Result<()> {
    cargo(&["fmt", "--all", "--check"]).run(minutes(2))
}

fn run_tidy() -> Result<()> {
    if tidy::report(&root())? { Ok(()) } else { anyhow::bail!("see above") }
}

fn typos() -> Result<()> {
    install::python()?;
    Program { words: vec![install::venv("typos")], ..Program::default() }.run(minutes(2))
}

fn ruff() -> Result<()> {
    install::python()?;
    for mode in [&["check"][..], &["format", "--check"][..]] {
        let mut words = vec![install::venv("ruff")];
        words.extend(mode.iter().chain(&["tests/interop"]).map(|word| (*word).to_owned()));
        Program { words, ..Program::default() }.run(minutes(2))?;
    }
    Ok(())
}

fn clippy() -> Result<()> {
    cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]).run(minutes(20))
}

fn doc() -> Result<()> {
    cargo(&["doc", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "-D warnings").run(minutes(10))
}

fn build() -> Result<()> {
    suites::compile().map(drop)
}

/// Tests over sockets wait more than they compute: they run beside the others.
fn unit() -> Result<()> {
    let suites = suites::compile()?.into_iter().filter(|suite| !suite.directory.starts_with(RIG));
    let (waiting, computing) =
        suites.partition(|suite| WAITING.iter().any(|directory| suite.directory.starts_with(directory)));
    suites::run(vec![
        Lane { suites: waiting, threads: 4, tells: false },
        Lane { suites: computing, threads: 2, tells: false },
    ])?;
    cargo(&["test", "--workspace", "--doc", "--no-fail-fast"]).run(minutes(10))
}

/// The SDK's tests mostly wait for links that are down.
fn rig() -> Result<()> {
    let suites = suites::compile()?.into_iter().filter(|suite| suite.directory.starts_with(RIG));
    let (sdk, raw) = suites.partition(|suite| ["churn", "sdk"].contains(&suite.target.as_str()));
    suites::run(vec![
        Lane { suites: sdk, threads: 6, tells: true },
        Lane { suites: raw, threads: 2, tells: true },
    ])
}

fn counts() -> Result<()> {
    install::debian()?;
    suites::compile()?;
    let table = root().join("artifacts/counts.md").display().to_string();
    Program::new(&[COUNTS, "check", &table]).run(minutes(5))
}

/// Counts, and commits to it.
pub(crate) fn write_counts() -> Result<()> {
    install::debian()?;
    suites::compile()?;
    Program::new(&[COUNTS, "write"]).run(minutes(5))
}

fn interop() -> Result<()> {
    install_all()?;
    // Two processes, as most of a test's time is waiting for one client or another.
    let words = "-m pytest tests/interop -q -n 2 --dist worksteal".split(' ').map(str::to_owned);
    let words = [install::venv("python")].into_iter().chain(words).collect();
    Program { words, ..Program::default() }.with_venv().run(minutes(25))
}
