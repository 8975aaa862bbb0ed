//! how far an engine has come.

use std::time::Instant;

/// What is being attempted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// A session of its own.
    Join,
    /// The session of before.
    Resume,
}

/// how far an engine has come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Phase {
    /// The next attempt begins then.
    Waiting(Attempt, Instant),
    /// The signal connection is being opened, or its first message is awaited, until then.
    Opening(Attempt, Instant),
    /// The server has answered; connections and channels come up.
    Establishing {
        attempt: Attempt,
        until: Instant,
        /// Our offer is answered.
        answered: bool,
    },
    /// Everything is up.
    Active,
    /// The connections have ended; until then the server may say why. What it says and the end of the
    /// connections travel on different ways, and whoever was replaced must not come back.
    Orphaned(Instant),
    /// It is over.
    Closed,
}

impl Phase {
    /// There is a signal connection, or one is being opened.
    pub(super) fn is_signalling(self) -> bool {
        matches!(self, Self::Opening(..) | Self::Establishing { .. } | Self::Active | Self::Orphaned(_))
    }

    /// What is being attempted, or would be next.
    pub(super) fn attempt(self) -> Attempt {
        match self {
            Self::Waiting(attempt, _) | Self::Opening(attempt, _) | Self::Establishing { attempt, .. } => {
                attempt
            }
            Self::Orphaned(_) => Attempt::Join,
            Self::Active | Self::Closed => Attempt::Resume,
        }
    }

    pub(super) fn deadline(self) -> Option<Instant> {
        match self {
            Self::Waiting(_, at)
            | Self::Opening(_, at)
            | Self::Orphaned(at)
            | Self::Establishing { until: at, .. } => Some(at),
            Self::Active | Self::Closed => None,
        }
    }
}
