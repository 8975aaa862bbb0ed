//! `cargo xtask`: everything that is checked, in one command.

#![allow(clippy::print_stdout, reason = "a command speaks to whoever runs it")]

mod install;
mod run;
mod steps;
mod suites;
mod table;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
Usage: cargo xtask COMMAND

Commands:
  test                 every check and every test; installs what they need
  test --only STEP     one step (may be given more than once)
  test --list          the steps
  check                what is quick: formatting, lints, docs, spelling, tidy
  counts --write       count instructions and allocations of the hot path, and commit to them
  tidy                 only the tidy test";

fn main() -> ExitCode {
    match command(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn command(arguments: &[String]) -> Result<bool> {
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test"] => steps::run(&steps::all()),
        ["test", "--list"] => {
            steps::all().iter().for_each(|step| println!("{:<10} {}", step.name, step.what));
            Ok(true)
        }
        ["test", only @ ..] => steps::run(&steps::named(&names(only)?)?),
        ["check"] => steps::run(&steps::quick()),
        ["counts", "--write"] => steps::write_counts().map(|()| true),
        ["tidy"] => tidy::report(&root()),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(true)
        }
        _ => bail!("unknown command\n\n{HELP}"),
    }
}

fn names<'a>(words: &[&'a str]) -> Result<Vec<&'a str>> {
    words
        .chunks(2)
        .map(|pair| match pair {
            ["--only", name] => Ok(*name),
            _ => bail!("expected `--only STEP`\n\n{HELP}"),
        })
        .collect()
}

/// The workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}
