//! The addresses of this client beyond those its factories know.

use std::collections::VecDeque;

use trackyard_peer::{LocalAddress, Target};

/// Addresses kept for each connection; the oldest makes way.
const ADDRESSES_MAX: usize = 16;

/// For each connection, so that one that is opened later has them too.
#[derive(Debug, Default)]
pub(crate) struct Addresses([VecDeque<LocalAddress>; 2]);

impl Addresses {
    /// One more. There is one relay for each connection: a relayed address takes the former one's place.
    pub(crate) fn add(&mut self, target: Target, address: LocalAddress) {
        let known = &mut self.0[target as usize];
        let is_relayed = |address: &LocalAddress| matches!(address, LocalAddress::Relayed { .. });
        known.retain(|other| *other != address && !(is_relayed(other) && is_relayed(&address)));
        if known.len() == ADDRESSES_MAX {
            known.pop_front();
        }
        known.push_back(address);
    }

    pub(crate) fn of(&self, target: Target) -> impl Iterator<Item = LocalAddress> {
        self.0[target as usize].iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relayed(port: u16) -> LocalAddress {
        LocalAddress::Relayed { address: ([192, 0, 2, 1], port).into(), base: ([10, 0, 0, 1], 1).into() }
    }

    fn udp(port: u16) -> LocalAddress {
        LocalAddress::Udp(([10, 0, 0, 1], port).into())
    }

    #[test]
    fn a_relay_has_one_address_for_each_connection() {
        let mut addresses = Addresses::default();
        addresses.add(Target::Publisher, relayed(1));
        addresses.add(Target::Publisher, udp(7));
        addresses.add(Target::Subscriber, relayed(2));
        addresses.add(Target::Publisher, relayed(3));
        assert_eq!(addresses.of(Target::Publisher).collect::<Vec<_>>(), [udp(7), relayed(3)]);
        assert_eq!(addresses.of(Target::Subscriber).collect::<Vec<_>>(), [relayed(2)]);
    }

    #[test]
    fn the_oldest_makes_way_for_the_newest() {
        let mut addresses = Addresses::default();
        for port in 1..=20 {
            addresses.add(Target::Publisher, udp(port));
            addresses.add(Target::Publisher, udp(1));
        }
        let kept: Vec<_> = addresses.of(Target::Publisher).collect();
        assert_eq!((kept.len(), kept[0], kept[15]), (ADDRESSES_MAX, udp(6), udp(1)));
    }
}
