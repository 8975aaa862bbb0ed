//! Figures of a server in a process of its own, with clients in this one, that `trackyard bench suite` does not have: what
//! a participant and a track hold for raw clients, what comes back of memory, what signalling sends, streams and calls.
//!
//! They are printed and written as Markdown.

mod crowds;
mod memory;
mod messages;
mod report;
mod tracks;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use report::{Report, Table};
use trackyard_rig::{LiveClient, LiveConfig, ServerProcess};

const HELP: &str = "\
Usage: figures [--quick] [--server PATH] [--out PATH]

  --quick          a tenth of the time, for seeing that it works
  --server PATH    the `trackyard` to measure (default: the one beside this program)
  --out PATH       where Markdown goes (default: artifacts/figures.md)";

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    quick: bool,
    server: PathBuf,
    out: PathBuf,
}

#[tokio::main]
async fn main() -> Result<()> {
    let settings = Settings::parse(std::env::args().skip(1))?;
    let mut report = Report::new(&settings);
    report.add(&memory::measure(&settings).await?);
    report.add(&tracks::measure(&settings).await?);
    report.add(&crowds::measure(&settings).await?);
    report.add(&messages::streams(&settings).await?);
    report.add(&messages::calls(&settings).await?);
    report.write(&settings.out)
}

impl Settings {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let beside = std::env::current_exe()?.with_file_name("trackyard");
        let mut settings = Self { quick: false, server: beside, out: PathBuf::from("artifacts/figures.md") };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => settings.quick = true,
                "--server" => settings.server = arguments.next().context(HELP)?.into(),
                "--out" => settings.out = arguments.next().context(HELP)?.into(),
                _ => bail!(HELP),
            }
        }
        let hint = "build it with `cargo build -p trackyard-cli`";
        anyhow::ensure!(settings.server.is_file(), "{} is missing; {hint}", settings.server.display());
        Ok(settings)
    }

    /// So many, or a tenth.
    pub(crate) fn count(&self, whole: usize) -> usize {
        if self.quick { whole.div_ceil(10) } else { whole }
    }

    pub(crate) fn is_quick(&self) -> bool {
        self.quick
    }

    pub(crate) fn server(&self) -> &std::path::Path {
        &self.server
    }

    /// A fresh server.
    pub(crate) fn start(&self) -> Result<ServerProcess> {
        ServerProcess::start(&self.server, "")
    }
}

/// A client of a room that everybody is in.
pub(crate) async fn join(server: &ServerProcess, identity: &str) -> Result<LiveClient> {
    join_as(server.client(identity, "figures")).await
}

/// A client that joins like this.
pub(crate) async fn join_as(config: LiveConfig) -> Result<LiveClient> {
    Ok(LiveClient::join(config).await?.0)
}

/// A table of two columns.
pub(crate) fn table(title: &str, rows: Vec<[String; 2]>) -> Table {
    let rows = rows.into_iter().map(Vec::from).collect();
    Table { title: title.to_owned(), head: vec!["what", "figure"], rows }
}
