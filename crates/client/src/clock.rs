//! The machine's clocks, read in one place.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use trackyard_track::WallClock;

/// Milliseconds since 1970; 0 if the machine's clock stands before it.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The time of day now.
pub(crate) fn wall_clock() -> WallClock {
    WallClock { at: Instant::now(), unix_ms: unix_ms() }
}
