//! `/proc/<pid>/status` and `/proc/<pid>/smaps_rollup`: the memory of a process.

use super::{ProcError, bounded, number};

/// What a process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// Resident.
    pub rss_bytes: u64,
    /// Resident at most, ever; only `status` says so.
    pub rss_peak_bytes: Option<u64>,
    /// Resident, with what is shared divided among those who share it; only `smaps_rollup` says so.
    pub pss_bytes: Option<u64>,
}

impl Memory {
    /// Reads `/proc/<pid>/status`, which is cheap and off by up to 64 pages per thread.
    ///
    /// # Errors
    /// When it has no resident size, as kernel threads and zombies do not.
    pub fn parse_status(text: &str) -> Result<Self, ProcError> {
        let text = bounded(text)?;
        let rss = kilobytes(text, "VmRSS")?.ok_or(ProcError::Missing { field: "VmRSS" })?;
        Ok(Self { rss_bytes: rss, rss_peak_bytes: kilobytes(text, "VmHWM")?, pss_bytes: None })
    }

    /// Reads `/proc/<pid>/smaps_rollup`, which is exact and makes the kernel walk every page.
    ///
    /// # Errors
    /// When it has no resident size.
    pub fn parse_smaps_rollup(text: &str) -> Result<Self, ProcError> {
        let text = bounded(text)?;
        let rss = kilobytes(text, "Rss")?.ok_or(ProcError::Missing { field: "Rss" })?;
        Ok(Self { rss_bytes: rss, rss_peak_bytes: None, pss_bytes: kilobytes(text, "Pss")? })
    }
}

/// `Name:   123 kB` in bytes. A process can put line ends into its name, which the kernel escapes.
fn kilobytes(text: &str, name: &'static str) -> Result<Option<u64>, ProcError> {
    let value = |line: &'_ str| line.strip_prefix(name)?.strip_prefix(':').map(str::trim).map(str::to_owned);
    let Some(value) = text.lines().find_map(value) else { return Ok(None) };
    let digits = value.strip_suffix("kB").map(str::trim_end).ok_or(ProcError::Number { field: name })?;
    Ok(Some(number(Some(digits), name)?.saturating_mul(1_024)))
}
