//! CPU time and memory of a process, and of the machine around it, from the text of `/proc`.
//!
//! Whoever reads the files hands their text in; nothing here knows a path.

mod machine;
mod memory;
mod stat;
mod threads;
mod usage;

use thiserror::Error;

pub use machine::MachineTicks;
pub use memory::Memory;
pub use stat::ProcessStat;
pub use threads::ThreadTicks;
pub use usage::{MachineUsage, Sample, Usage, UsageError};

/// Text of `/proc` longer than this is none.
pub const TEXT_BYTES_MAX: usize = 1 << 20;

/// Why a text is not what the kernel writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProcError {
    /// Longer than [`TEXT_BYTES_MAX`].
    #[error("the text is too long")]
    TooLong,
    /// A field is not there.
    #[error("it has no {field}")]
    Missing {
        /// Which.
        field: &'static str,
    },
    /// A field is no number.
    #[error("its {field} is no number")]
    Number {
        /// Which.
        field: &'static str,
    },
}

fn number(text: Option<&str>, field: &'static str) -> Result<u64, ProcError> {
    text.ok_or(ProcError::Missing { field })?.parse().map_err(|_| ProcError::Number { field })
}

fn bounded(text: &str) -> Result<&str, ProcError> {
    if text.len() > TEXT_BYTES_MAX { Err(ProcError::TooLong) } else { Ok(text) }
}

#[cfg(test)]
mod tests;
