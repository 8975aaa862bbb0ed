//! How far a soak has come, in lines on standard error.

use std::time::Instant;

/// Tells how far it has come, if anybody wants to know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progress {
    pub(super) began: Instant,
    pub(super) is_shown: bool,
}

impl Progress {
    /// A line.
    pub(super) fn tell(&self, line: &str) {
        if self.is_shown {
            say!("[{:>5.0} s] {line}", self.began.elapsed().as_secs_f64());
        }
    }
}
