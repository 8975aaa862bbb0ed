//! How much may be on its way at once to a side that drops bursts.
//!
//! A socket holds some fifty to ninety datagrams unless its program asked for more (Linux: 208 KiB, of which each takes two to
//! four), and drops what comes before they are read: a browser's does with two peer connections. On a short path no round trip
//! tells of it, as the queue is gone within a millisecond, and so it looks like chance; but it takes several datagrams in a row, of
//! large frames only, and nearly all of those. So after such a loss with more on its way than a socket holds and a path of
//! 100 Mbit/s carries in its least round trip, no more than that goes out at once, and then slowly more again.
//!
//! A run at the end of all that was sent is not seen. Beyond about 80 ms of round trip there is no ceiling.

use std::time::{Duration, Instant};

/// So many datagrams lost in a row are not chance.
pub(super) const RUN_MIN: usize = 3;
/// What a socket with the usual bounds holds, with some to spare.
const SOCKET_BYTES: usize = 40 << 10;
/// What a fast path carries besides, in a thousandth of a second.
const PATH_BYTES: u128 = 100_000 / 8;
/// The ceiling doubles in so long without such a loss.
const DOUBLING: Duration = Duration::from_secs(30);
/// There is none beyond this: lanes allow no more.
const BYTES_MAX: f64 = 1_048_576.0;

/// Once a burst was lost: the ceiling of then, and when that was.
#[derive(Debug, Default)]
pub(super) struct Ceiling(Option<(usize, Instant)>);

impl Ceiling {
    /// A run was lost that was sent while so many bytes were on their way, over a path of so long a round trip.
    pub(super) fn lost(&mut self, in_flight: usize, round_trip: Duration, now: Instant) {
        let path = usize::try_from(PATH_BYTES * round_trip.as_micros() / 1_000).unwrap_or(usize::MAX);
        let floor = SOCKET_BYTES.saturating_add(path);
        if in_flight > floor {
            self.0 = Some((floor, now));
        }
    }

    /// Bytes that may be on their way; `None`: as many as the other side takes.
    pub(super) fn bytes(&self, now: Instant) -> Option<u32> {
        let (floor, since) = self.0?;
        let doublings = now.saturating_duration_since(since).as_secs_f64() / DOUBLING.as_secs_f64();
        let bytes = floor as f64 * doublings.exp2();
        (bytes < BYTES_MAX).then_some(bytes as u32)
    }
}
