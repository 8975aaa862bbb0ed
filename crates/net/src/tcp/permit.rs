//! How many ICE/TCP connections there may be, in all and from one address (of IPv6: one network).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::limiter::source_network;

/// Counts connections. Taken on accept and close only, never per packet.
#[derive(Debug)]
pub(crate) struct Permits {
    counts: Mutex<Counts>,
    total_max: usize,
    per_address_max: usize,
}

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    by_network: HashMap<IpAddr, usize>,
}

/// One connection's place; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    permits: Arc<Permits>,
    network: IpAddr,
}

impl Permits {
    pub(crate) fn new(total_max: usize, per_address_max: usize) -> Arc<Self> {
        Arc::new(Self { counts: Mutex::default(), total_max, per_address_max })
    }

    /// A place for a connection from `address`, if there is one.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Permit> {
        let network = source_network(address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let here = counts.by_network.get(&network).copied().unwrap_or(0);
        if counts.total >= self.total_max || here >= self.per_address_max {
            return None;
        }
        counts.total += 1;
        counts.by_network.insert(network, here + 1);
        Some(Permit { permits: Arc::clone(self), network })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.permits.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.total -= 1;
        if let Some(here) = counts.by_network.get_mut(&self.network) {
            *here -= 1;
            if *here == 0 {
                counts.by_network.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bounds_hold_and_places_come_back() {
        let permits = Permits::new(3, 2);
        let [a, b] = [IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2])];
        let first = permits.take(a).unwrap();
        let _second = permits.take(a).unwrap();
        assert!(permits.take(a).is_none(), "per address");
        let third = permits.take(b).unwrap();
        assert!(permits.take(b).is_none(), "in all");
        drop((first, third));
        assert!(permits.take(a).is_some());
        assert_eq!(permits.counts.lock().unwrap().by_network.len(), 1, "nothing is kept for the absent");
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_share_their_places() {
        let permits = Permits::new(10, 2);
        let address = |text: &str| text.parse().unwrap();
        let _held = ["2001:db8::1", "2001:db8::2"].map(|text| permits.take(address(text)).unwrap());
        assert!(permits.take(address("2001:db8::3")).is_none(), "the same network");
        assert!(permits.take(address("2001:db8:0:1::1")).is_some(), "another one");
    }
}
