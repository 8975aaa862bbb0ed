//! How many HTTP connections one address, of IPv6 one network, may hold at once.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use trackyard_net::source_network;

/// Connections by where they come from: as many entries as there are connections at most.
#[derive(Debug)]
pub(super) struct Places {
    taken: Mutex<HashMap<IpAddr, usize>>,
    per_address_max: usize,
}

/// One connection's place; given back when dropped. Connections of this machine need none.
#[derive(Debug)]
pub(super) struct Place(Option<(Arc<Places>, IpAddr)>);

impl Places {
    /// So many for each.
    pub(super) fn new(per_address_max: usize) -> Arc<Self> {
        Arc::new(Self { taken: Mutex::default(), per_address_max })
    }

    /// A place for a connection from `address`, if there is one.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        if address.to_canonical().is_loopback() {
            return Some(Place(None));
        }
        let network = source_network(address);
        let mut taken = self.taken();
        let here = taken.get(&network).copied().unwrap_or(0);
        if here >= self.per_address_max {
            return None;
        }
        taken.insert(network, here + 1);
        Some(Place(Some((Arc::clone(self), network))))
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((places, network)) = &self.0 else { return };
        let mut taken = places.taken();
        if let Some(here) = taken.get_mut(network) {
            *here -= 1;
            if *here == 0 {
                taken.remove(network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let places = Places::new(2);
        let held = ["192.0.2.1", "192.0.2.1"].map(|text| places.take(address(text)).unwrap());
        assert!(places.take(address("192.0.2.1")).is_none());
        let other = places.take(address("192.0.2.2"));
        assert!(other.is_some(), "others are not held back");
        drop(held);
        assert!(places.take(address("192.0.2.1")).is_some());
        drop(other);
        assert!(places.taken().is_empty(), "nothing is kept for the absent");
    }

    #[test]
    fn a_network_of_ipv6_shares_its_places_and_this_machine_needs_none() {
        let places = Places::new(1);
        let _held = places.take(address("2001:db8::1")).unwrap();
        assert!(places.take(address("2001:db8::2")).is_none());
        let here = ["127.0.0.1", "127.0.0.1", "::1", "::ffff:127.0.0.1"];
        assert!(here.iter().all(|text| places.take(address(text)).is_some()));
    }
}
