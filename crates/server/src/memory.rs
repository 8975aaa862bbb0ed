//! Keeps the allocator from holding what nobody uses.
//!
//! Of the C library's, that is much: lists of thousands of tracks leave holes of megabytes, because from the first one
//! that is freed it takes their size for an ordinary one; and what a crowd has used lies between the pieces of others,
//! in the arenas of several threads. So what is long has pages of its own, and after many have come or gone whole pages
//! are returned, rarely enough to cost next to nothing.

use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};
use tracing::debug;

use crate::rooms::Rooms;

/// What is longer than this has pages of its own, which go back to the system at once. Nothing that is made for each
/// packet is.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const OWN_PAGES_BYTES: libc::c_int = 256 * 1024;
/// How often it is looked whether anything has come or gone.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// So many sessions, tracks and rooms that have come or gone make it worth while.
const MANY: u64 = 64;
/// Fewer are, after this.
const FEW_AFTER: Duration = Duration::from_secs(60);
/// Of all time, at most one part in this is spent on it.
const SHARE: u32 = 500;

/// What has been done about what has come and gone.
#[derive(Debug)]
struct Ledger {
    /// How many had come or gone when memory was last given back.
    settled: u64,
    at: Instant,
    took: Duration,
}

/// Gives memory back for as long as it runs.
pub(crate) async fn give_back(rooms: Rooms) {
    give_long_ones_pages();
    let mut ledger = Ledger { settled: 0, at: Instant::now(), took: Duration::ZERO };
    let mut looks = interval(LOOK_INTERVAL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let turnover = rooms.turnover();
        if !ledger.is_due(turnover, Instant::now()) {
            continue;
        }
        let begun = Instant::now();
        // It takes the allocator's locks and walks through all that is free: not for a thread of the runtime.
        if tokio::task::spawn_blocking(trim).await.is_err() {
            return;
        }
        ledger = Ledger { settled: turnover, at: Instant::now(), took: begun.elapsed() };
        debug!(took = ?ledger.took, "memory given back");
    }
}

impl Ledger {
    fn is_due(&self, turnover: u64, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.at);
        let enough = match turnover - self.settled {
            0 => false,
            MANY.. => true,
            _ => since >= FEW_AFTER,
        };
        enough && since >= self.took * SHARE
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the C library offers it, and no safe crate does")]
fn give_long_ones_pages() {
    // SAFETY: it sets a number in the allocator, may be called from any thread, and refuses a number that it cannot use.
    // To set it to what it is by default already ends its growth.
    unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_PAGES_BYTES) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_long_ones_pages() {}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the C library offers it, and no safe crate does")]
fn trim() {
    // SAFETY: it has no precondition, may be called from any thread, and changes nothing that is allocated. With another
    // allocator in the process it finds nothing to do.
    unsafe { libc::malloc_trim(0) };
}

/// Other C libraries have no arenas that keep so much.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn much_is_given_back_soon_and_little_later() {
        let at = Instant::now();
        let ledger = Ledger { settled: 100, at, took: Duration::from_millis(20) };
        let due = |turnover, seconds| ledger.is_due(turnover, at + Duration::from_secs(seconds));
        assert!(!due(100, 1_000), "nobody has come or gone");
        assert!(!due(163, 59));
        assert!(due(163, 60));
        assert!(due(164, 10));
        assert!(!due(164, 9), "what took 20 ms is not done again within 10 s");
    }
}
