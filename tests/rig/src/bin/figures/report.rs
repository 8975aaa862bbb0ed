//! What was measured, as Markdown.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;

use crate::Settings;

/// Figures of one kind.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) head: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// All figures, in order.
#[derive(Debug)]
pub(crate) struct Report {
    text: String,
}

impl Report {
    pub(crate) fn new(settings: &Settings) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let kind = if settings.is_quick() { ", quick run" } else { "" };
        let server = settings.server.display();
        let text = format!(
            "# Figures\n\nServer `{server}`, clients in one process beside it, {cores} cores{kind}.\n"
        );
        Self { text }
    }

    /// Adds a table, and shows it at once.
    pub(crate) fn add(&mut self, table: &Table) {
        let text = table.markdown();
        show(&text);
        self.text.push_str(&text);
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, &self.text)?;
        show(&format!("\nwritten to {}\n", path.display()));
        Ok(())
    }
}

/// A reader that has gone does not keep the rest from being measured.
fn show(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

impl Table {
    fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let head: Vec<String> = self.head.iter().map(|&cell| cell.to_owned()).collect();
        let mut text = format!("\n## {}\n\n{}|{}\n", self.title, line(&head), "---|".repeat(head.len()));
        for row in &self.rows {
            // Writing to a string cannot fail.
            let _ = write!(text, "{}", line(row));
        }
        text
    }
}
