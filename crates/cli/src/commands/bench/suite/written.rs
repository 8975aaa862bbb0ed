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

    /// Prints the report, and writes all files.
    ///
    /// # Errors
    /// When a file, or standard output, cannot be written.
    pub(super) fn write(&self, document: &Document) -> Outcome {
        let json = document.to_json().context("results cannot be written as JSON")?;
        let report = markdown(document);
        if let Some(folder) = &self.folder {
            write(folder, "suite.json", &json)?;
            let drawn = charts(document);
            let shown = |(name, _): &(String, String)| format!("\n![{name}]({name}.svg)\n");
            let pictures: String = drawn.iter().map(shown).collect();
            write(folder, "suite.md", &format!("{report}{pictures}"))?;
            for (name, svg) in &drawn {
                write(folder, &format!("{name}.svg"), svg)?;
            }
            say!("written to {}", folder.display());
        }
        if self.is_json {
            output::write(json.as_bytes())
        } else {
            output::print(&printable_lines(&report)).map_err(Failure::from)
        }
    }
}

fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let path = folder.join(name);
    fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
}
