//! `trackyard man`: manual pages.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_mangen::Man as Page;

use crate::{Cli, Outcome, output};

/// Print the manual page, or write those of all verbs
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trackyard man | man -l -
  trackyard man --out ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// Directory to write a page for the command and for each verb to
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(self) -> Outcome {
        match self.out {
            Some(directory) => write_all(&directory),
            None => print(),
        }
    }
}

fn print() -> Outcome {
    let mut page = Vec::new();
    Page::new(Cli::command()).render(&mut page).context("the page cannot be made")?;
    output::write(&page)
}

fn write_all(directory: &Path) -> Outcome {
    let refuse = || format!("pages cannot be written to {}", directory.display());
    std::fs::create_dir_all(directory).with_context(refuse)?;
    // `help` of each verb would be a page of its own, and say nothing.
    let command = Cli::command().disable_help_subcommand(true);
    Ok(clap_mangen::generate_to(command, directory).with_context(refuse)?)
}
