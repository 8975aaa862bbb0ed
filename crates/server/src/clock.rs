//! The process's clocks, read in one place.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use trackyard_sfu::control::Now;

/// Both clocks at once.
pub(crate) fn now() -> Now {
    Now { instant: Instant::now(), unix_ms: unix_ms() }
}

/// Seconds since 1970; 0 if the machine's clock stands before it.
pub(crate) fn unix_s() -> u64 {
    unix_ms() / 1_000
}

fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
