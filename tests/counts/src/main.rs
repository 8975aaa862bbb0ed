//! `counts`: what one operation of each piece of the hot path costs in instructions and allocations, against what
//! is committed.
//!
//! Callgrind counts the same for every run, and on every processor: what a library of the system chooses by the
//! processor's model is told apart, and held to one of its ways where it copies memory.

#![allow(clippy::print_stdout, reason = "a command speaks to whoever runs it")]

mod allocator;
mod callgrind;
mod committed;
mod document;
mod meter;
mod node;
mod pieces;
mod quiet;
mod verdict;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::committed::Committed;
use crate::meter::{Allocated, Meter};
use crate::pieces::PIECES;
use crate::verdict::{Verdict, table};

const HELP: &str = "\
Usage: counts COMMAND

Commands:
  check [TABLE]  count, and compare with what is committed; the table is written to that file
  write          count, and commit to it, with the table in docs/performance.md
  show           count, and print the table
  measure        what is run to be counted: prints allocations";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    match command(&words) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn command(words: &[&str]) -> Result<bool> {
    match words {
        ["check", rest @ ..] => check(rest.first().map(Path::new)),
        ["write"] => write().map(|()| true),
        ["show"] => {
            let committed = Committed::read(&file())?;
            println!("{}", table(&committed, &verdict::all(&committed, &callgrind::count()?)));
            Ok(true)
        }
        ["measure"] => measure(),
        _ => bail!("unknown command\n\n{HELP}"),
    }
}

/// What is committed.
fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("counts.json")
}

fn write() -> Result<()> {
    let committed = Committed::of(&callgrind::count()?);
    committed.write(&file())?;
    document::write(&committed)
}

fn check(target: Option<&Path>) -> Result<bool> {
    let committed = Committed::read(&file())?;
    let verdicts = verdict::all(&committed, &callgrind::count()?);
    let table = table(&committed, &verdicts);
    println!("{table}");
    if let Some(target) = target {
        std::fs::write(target, table).with_context(|| format!("{} cannot be written", target.display()))?;
    }
    let failures = verdicts.iter().filter_map(Verdict::failure).chain(verdict::stale(&committed));
    let failures: Vec<_> = failures.collect();
    failures.iter().for_each(|failure| println!("{failure}"));
    Ok(failures.is_empty())
}

/// Runs every piece, and tells what it has allocated in a line each.
fn measure() -> Result<bool> {
    for piece in &PIECES {
        let mut meter = Meter::new(piece.name);
        (piece.run)(&mut meter).context(piece.name)?;
        let allocated: Allocated =
            meter.finish().with_context(|| format!("{} counts nothing", piece.name))?;
        println!("{}", serde_json::to_string(&allocated)?);
    }
    Ok(true)
}
