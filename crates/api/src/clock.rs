//! The machine's clock, read in one place.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970; 0 if the machine's clock stands before it.
pub(crate) fn unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
