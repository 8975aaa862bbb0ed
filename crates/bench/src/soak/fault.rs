//! What can go wrong around a server.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What can go wrong around a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fault {
    /// Clients join and leave all the while.
    Joins,
    /// Links of clients go down, and come up again.
    Flaps,
    /// A subscriber's link carries a fraction of what is sent.
    Slow,
    /// Clients stop acknowledging, or never begin.
    Silent,
    /// Strangers send what nobody should.
    Garbage,
    /// Worker threads die.
    Workers,
    /// The time of day jumps, and the process stands still.
    Clock,
    /// The log is written to a device that is full.
    FullDisk,
}

/// A word that names no fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is none of joins, flaps, slow, silent, garbage, workers, clock, full-disk")]
pub struct UnknownFault(pub String);

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 8] = [
        Self::Joins,
        Self::Flaps,
        Self::Slow,
        Self::Silent,
        Self::Garbage,
        Self::Workers,
        Self::Clock,
        Self::FullDisk,
    ];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Joins => "joins",
            Self::Flaps => "flaps",
            Self::Slow => "slow",
            Self::Silent => "silent",
            Self::Garbage => "garbage",
            Self::Workers => "workers",
            Self::Clock => "clock",
            Self::FullDisk => "full-disk",
        }
    }

    /// Whether it concerns the whole server, so that others at the same time would be judged by it.
    #[must_use]
    pub fn is_for_all(self) -> bool {
        matches!(self, Self::Workers | Self::Clock)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|fault| fault.name() == text);
        found.ok_or_else(|| UnknownFault(text.to_owned()))
    }
}
