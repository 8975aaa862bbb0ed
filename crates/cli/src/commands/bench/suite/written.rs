//! Where the results of a suite go.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use trackyard_bench::suite::{Document, charts, markdown};

use crate::failure::Failure;
use crate::text::printable_lines;
use crate::{Outcome, output};

/// Where the results of a suite go.
#[derive(Debug)]
pub(super) struct Written {
    folder: Option<PathBuf>,
    is_json: bool,
}

impl Written {
    /// Makes the folder: better said now than after an hour that it cannot be written.
    ///
    /// # Errors
    /// [`Failure::Usage`] when it cannot.
    pub(super) fn new(folder: Option<PathBuf>, is_json: bool) -> Result<Self, Failure> {
        if let Some(folder) = &folder {
            let probe = folder.join(".suite");
            let tried = fs::create_dir_all(folder).and_then(|()| fs::write(&probe, ""));
            tried.and_then(|()| fs::remove_file(&probe)).map_err(|error| {
                Failure::Usage(format!("--out: {} cannot be written: {error}", folder.display()))
            })?;
        }
        Ok(Self { folder, is_json })
    }

    /// Where a server's log goes.
    pub(super) fn log(&self, server: &str) -> Option<PathBuf> {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let name: String = server.chars().map(plain).collect();
        self.folder.as_ref().map(|folder| folder.join(format!("{name}.log")))
    }

    /// Prints the report, and writes all files: each of the two also if the other cannot be.
    ///
    /// # Errors
    /// When a file, or standard output, cannot be written.
    pub(super) fn write(&self, document: &Document) -> Outcome {
        let json = document.to_json().context("results cannot be written as JSON")?;
        let report = markdown(document);
        let printed = if self.is_json {
            output::write(json.as_bytes())
        } else {
            output::print(&printable_lines(&report)).map_err(Failure::from)
        };
        if let Some(folder) = &self.folder {
            write_all(folder, (&json, &report), &charts(document))?;
            say!("written to {}", folder.display());
        }
        printed
    }
}

fn write_all(folder: &Path, (json, report): (&str, &str), drawn: &[(String, String)]) -> anyhow::Result<()> {
    write(folder, "suite.json", json)?;
    let shown = |(name, _): &(String, String)| format!("\n![{name}]({name}.svg)\n");
    let pictures: String = drawn.iter().map(shown).collect();
    write(folder, "suite.md", &format!("{report}{pictures}"))?;
    drawn.iter().try_for_each(|(name, svg)| write(folder, &format!("{name}.svg"), svg))
}

fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let path = folder.join(name);
    fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
}
