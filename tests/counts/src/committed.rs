//! What pieces may cost, as it was committed.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::callgrind::Count;

/// The file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Committed {
    /// The compiler that these counts are of; another makes other instructions of the same source.
    pub(crate) rustc: String,
    pub(crate) pieces: BTreeMap<String, Cost>,
}

/// Of one operation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cost {
    pub(crate) instructions: f64,
    /// Instructions of the system's libraries.
    pub(crate) system: f64,
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
}

impl Committed {
    /// These counts, by the compiler in use.
    pub(crate) fn of(counts: &[Count]) -> Self {
        let pieces = counts.iter().map(|count| {
            let cost = Cost {
                instructions: rounded(count.instructions, 10.0),
                system: rounded(count.system, 10.0),
                allocations: rounded(count.allocations, 100.0),
                bytes: rounded(count.bytes, 10.0),
            };
            (count.name.clone(), cost)
        });
        Self { rustc: compiler(), pieces: pieces.collect() }
    }

    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not understood", path.display()))
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(path, text + "\n").with_context(|| format!("{} cannot be written", path.display()))
    }

    /// Whether the compiler in use is that of these counts.
    pub(crate) fn is_of_this_compiler(&self) -> bool {
        self.rustc == compiler()
    }
}

/// Tenths are enough, of allocations hundredths.
fn rounded(count: f64, parts: f64) -> f64 {
    (count * parts).round() / parts
}

/// What `rustc` says of itself.
fn compiler() -> String {
    let said = Command::new("rustc").arg("--version").output();
    said.map_or_else(|_| "unknown".to_owned(), |said| String::from_utf8_lossy(&said.stdout).trim().to_owned())
}
