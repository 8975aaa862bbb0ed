//! Binding requests per second and source, in memory that does not grow.
//!
//! Sources share a fixed number of token buckets by a hash that is seeded per process, so that
//! nobody can aim at another's bucket. Two sources in one bucket share its rate.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::time::{Duration, Instant};

const BUCKETS: usize = 8_192;
/// A bucket holds this many seconds' worth.
const BURST_SECONDS: f32 = 2.0;

/// Token buckets by source.
#[derive(Debug)]
pub(crate) struct StunLimiter {
    buckets: Box<[Bucket]>,
    hasher: RandomState,
    rate: u32,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f32,
    filled: Instant,
}

impl StunLimiter {
    /// So many requests a second from each source.
    pub(crate) fn new(rate: u32, now: Instant) -> Self {
        let full = Bucket { tokens: burst(rate), filled: now };
        Self { buckets: vec![full; BUCKETS].into_boxed_slice(), hasher: RandomState::new(), rate }
    }

    /// Whether one more from `source` is within its rate. Loopback always is.
    pub(crate) fn admit(&mut self, source: IpAddr, now: Instant) -> bool {
        if source.is_loopback() {
            return true;
        }
        let index = self.hasher.hash_one(source_network(source)) as usize % BUCKETS;
        let bucket = &mut self.buckets[index];
        let elapsed: Duration = now.saturating_duration_since(bucket.filled);
        bucket.tokens = (bucket.tokens + elapsed.as_secs_f32() * self.rate as f32).min(burst(self.rate));
        bucket.filled = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}

fn burst(rate: u32) -> f32 {
    rate as f32 * BURST_SECONDS
}

/// What counts as one source in limits: of IPv6 the network, because a host has as many addresses in
/// it as it likes.
#[must_use]
pub fn source_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_to_the_rate_and_loopback_is_not() {
        let start = Instant::now();
        let mut limiter = StunLimiter::new(10, start);
        let source = IpAddr::from([192, 0, 2, 1]);
        let admitted =
            |limiter: &mut StunLimiter, source, at| (0..1_000).filter(|_| limiter.admit(source, at)).count();
        assert_eq!(admitted(&mut limiter, source, start), 20, "burst");
        assert_eq!(admitted(&mut limiter, source, start + Duration::from_secs(1)), 10, "rate");
        assert_eq!(admitted(&mut limiter, IpAddr::from([127, 0, 0, 1]), start), 1_000);
    }

    #[test]
    fn other_sources_are_not_harmed() {
        let start = Instant::now();
        let mut limiter = StunLimiter::new(10, start);
        let flood = IpAddr::from([192, 0, 2, 1]);
        while limiter.admit(flood, start) {}
        let others =
            (0..100u8).filter(|host| limiter.admit(IpAddr::from([198, 51, 100, *host]), start)).count();
        assert!(others >= 98, "{others} of 100: at most a collision or two in {BUCKETS} buckets");
    }
}
