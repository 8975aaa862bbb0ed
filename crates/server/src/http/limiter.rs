//! How many joins one address, of IPv6 one network, may ask for: a token bucket each, in a bounded table.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Instant;

use trackyard_net::source_network;

/// Joins per second and address, and as many at once.
const JOINS_PER_SECOND: f64 = 50.0;
/// Addresses remembered; beyond it, full buckets are forgotten first.
const ADDRESSES_MAX: usize = 16_384;

/// Who may join now.
#[derive(Debug, Default)]
pub(crate) struct JoinLimiter {
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl JoinLimiter {
    /// Takes one join of this address; `false` if it has to wait. Loopback is exempt.
    pub(crate) fn admit(&self, address: IpAddr, now: Instant) -> bool {
        if address.to_canonical().is_loopback() {
            return true;
        }
        let address = source_network(address);
        let Ok(mut buckets) = self.buckets.lock() else { return false };
        if buckets.len() >= ADDRESSES_MAX && !buckets.contains_key(&address) {
            buckets.retain(|_, bucket| bucket.refilled(now).tokens < JOINS_PER_SECOND);
            if buckets.len() >= ADDRESSES_MAX {
                return false;
            }
        }
        let bucket = buckets.entry(address).or_insert(Bucket { tokens: JOINS_PER_SECOND, filled: now });
        *bucket = bucket.refilled(now);
        let admitted = bucket.tokens >= 1.0;
        if admitted {
            bucket.tokens -= 1.0;
        }
        admitted
    }
}

impl Bucket {
    fn refilled(self, now: Instant) -> Self {
        let gained = now.saturating_duration_since(self.filled).as_secs_f64() * JOINS_PER_SECOND;
        Self { tokens: (self.tokens + gained).min(JOINS_PER_SECOND), filled: now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn an_address_is_limited_and_recovers_while_others_are_not() {
        let limiter = JoinLimiter::default();
        let now = Instant::now();
        let address = IpAddr::from([192, 0, 2, 1]);
        let admitted = (0..200).filter(|_| limiter.admit(address, now)).count();
        assert_eq!(admitted, 50);
        assert!(limiter.admit(IpAddr::from([192, 0, 2, 2]), now));
        assert!(limiter.admit(address, now + Duration::from_millis(21)));
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address_and_a_mapped_one_as_itself() {
        let (limiter, now) = (JoinLimiter::default(), Instant::now());
        let admitted = |text: &dyn Fn(u16) -> String| {
            (0..200).filter(|host| limiter.admit(text(*host).parse().unwrap(), now)).count()
        };
        assert_eq!(admitted(&|host| format!("2001:db8::{host:x}")), 50);
        assert_eq!(admitted(&|host| format!("::ffff:192.0.2.{host}")), 200);
    }

    #[test]
    fn loopback_is_exempt() {
        let limiter = JoinLimiter::default();
        let now = Instant::now();
        assert!((0..10_000).all(|_| limiter.admit(IpAddr::from([127, 0, 0, 1]), now)));
    }

    #[test]
    fn the_table_is_bounded_and_forgets_the_idle() {
        let limiter = JoinLimiter::default();
        let now = Instant::now();
        let address = |n: u32| IpAddr::from(0x0A00_0000_u32.wrapping_add(n).to_be_bytes());
        let first = (0..ADDRESSES_MAX as u32 + 1).filter(|n| limiter.admit(address(*n), now)).count();
        assert_eq!(first, ADDRESSES_MAX);
        assert!(limiter.admit(address(u32::MAX), now + Duration::from_secs(2)));
    }
}
