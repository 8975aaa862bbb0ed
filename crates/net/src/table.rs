//! Which worker a datagram belongs to when the kernel has given it to another one.
//!
//! One map is shared behind a lock that workers take only when they claim or release, and on the
//! first datagram of an address they do not know. What they read they keep; a generation, bumped
//! whenever an answer already given may have become wrong, empties what is kept. So a datagram of
//! a known address costs one atomic load and one lookup in the worker's own map.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use trackyard_peer::Transport;
use trackyard_sfu::control::WorkerId;
use trackyard_sfu::forward::{DemuxKey, Endpoint, Foreign};

use crate::steering::Steering;

/// Foreign addresses a worker keeps; when full it starts anew.
const KEPT_MAX: usize = 65_536;

/// Shared by all workers. Its size is bounded by the peers they may hold.
#[derive(Debug)]
pub(crate) struct SharedTable {
    maps: RwLock<Maps>,
    generation: AtomicU64,
    steering: Steering,
}

#[derive(Debug, Default)]
struct Maps {
    ufrags: HashMap<std::sync::Arc<str>, WorkerId>,
    addresses: HashMap<Endpoint, WorkerId>,
}

/// What one worker has read.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    addresses: HashMap<Endpoint, Owner>,
    generation: u64,
}

#[derive(Debug, Clone, Copy)]
struct Owner {
    worker: WorkerId,
    /// The kernel has been asked to give it what comes from there.
    is_led: bool,
}

impl SharedTable {
    /// `shares_ports`: what is a worker's may come to another one's sockets, and the kernel can be told.
    pub(crate) fn new(shares_ports: bool) -> Self {
        Self { maps: RwLock::default(), generation: AtomicU64::new(0), steering: Steering::new(shares_ports) }
    }

    /// How the kernel is told.
    pub(crate) fn steering(&self) -> &Steering {
        &self.steering
    }

    /// Has the kernel told where what comes from there belongs, the first time that it has come to somebody else. `true`:
    /// there is something to tell it.
    pub(crate) fn lead(&self, kept: &mut Kept, from: Endpoint) -> bool {
        let Some(owner) = kept.addresses.get_mut(&from) else { return false };
        let is_first = from.transport == Transport::Udp && !owner.is_led;
        owner.is_led = true;
        is_first && self.steering.lead(from.address, owner.worker)
    }

    /// Datagrams of that key are `worker`'s.
    pub(crate) fn claim(&self, key: DemuxKey, worker: WorkerId) {
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        let former = match key {
            DemuxKey::Ufrag(ufrag) => maps.ufrags.insert(ufrag, worker),
            DemuxKey::Address(endpoint) => maps.addresses.insert(endpoint, worker),
        };
        if former.is_some_and(|former| former != worker) {
            self.generation.fetch_add(1, Ordering::Release);
        }
    }

    /// They are no longer; another worker's claim stands.
    pub(crate) fn release(&self, key: &DemuxKey, worker: WorkerId) {
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        match key {
            DemuxKey::Ufrag(ufrag) if maps.ufrags.get(ufrag) == Some(&worker) => {
                maps.ufrags.remove(ufrag);
            }
            DemuxKey::Address(endpoint) if maps.addresses.get(endpoint) == Some(&worker) => {
                maps.addresses.remove(endpoint);
                self.generation.fetch_add(1, Ordering::Release);
                if endpoint.transport == Transport::Udp {
                    self.steering.release(endpoint.address, worker);
                }
            }
            DemuxKey::Ufrag(_) | DemuxKey::Address(_) => {}
        }
    }

    /// A worker has died: nothing is its any more.
    pub(crate) fn release_all(&self, worker: WorkerId) {
        let mut maps = self.maps.write().unwrap_or_else(PoisonError::into_inner);
        maps.ufrags.retain(|_, owner| *owner != worker);
        maps.addresses.retain(|_, owner| *owner != worker);
        self.steering.release_all(worker);
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Whose a datagram is.
    pub(crate) fn find(&self, kept: &mut Kept, key: Foreign<'_>) -> Option<WorkerId> {
        match key {
            Foreign::Ufrag(ufrag) => self.read().ufrags.get(ufrag).copied(),
            Foreign::Address(endpoint) => self.find_address(kept, endpoint),
        }
    }

    fn find_address(&self, kept: &mut Kept, endpoint: Endpoint) -> Option<WorkerId> {
        let generation = self.generation.load(Ordering::Acquire);
        if kept.generation != generation || kept.addresses.len() >= KEPT_MAX {
            kept.addresses.clear();
            kept.generation = generation;
        }
        if let Some(owner) = kept.addresses.get(&endpoint) {
            return Some(owner.worker);
        }
        let worker = self.read().addresses.get(&endpoint).copied()?;
        kept.addresses.insert(endpoint, Owner { worker, is_led: false });
        Some(worker)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Maps> {
        self.maps.read().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        let maps = self.read();
        maps.ufrags.len() + maps.addresses.len()
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    const ENDPOINT: Endpoint = Endpoint {
        transport: Transport::Udp,
        address: SocketAddr::V4(std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 9)),
    };

    #[test]
    fn what_was_read_is_forgotten_when_it_moves() {
        let (table, mut kept) = (SharedTable::new(true), Kept::default());
        let address = DemuxKey::Address(ENDPOINT);
        assert_eq!(table.find(&mut kept, Foreign::Address(ENDPOINT)), None);
        table.claim(address.clone(), WorkerId(1));
        assert_eq!(table.find(&mut kept, Foreign::Address(ENDPOINT)), Some(WorkerId(1)));
        table.claim(address.clone(), WorkerId(2));
        assert_eq!(table.find(&mut kept, Foreign::Address(ENDPOINT)), Some(WorkerId(2)));
        table.release(&address, WorkerId(1));
        assert_eq!(table.find(&mut kept, Foreign::Address(ENDPOINT)), Some(WorkerId(2)), "a late release");
        table.release(&address, WorkerId(2));
        assert_eq!(table.find(&mut kept, Foreign::Address(ENDPOINT)), None);
        assert_eq!(table.len(), 0);
    }

    #[test]
    fn what_a_dead_worker_had_claimed_is_nobodys() {
        let (table, mut kept) = (SharedTable::new(true), Kept::default());
        table.claim(DemuxKey::Address(ENDPOINT), WorkerId(1));
        table.claim(DemuxKey::Ufrag("one".into()), WorkerId(1));
        table.claim(DemuxKey::Ufrag("two".into()), WorkerId(2));
        assert_eq!(table.find(&mut kept, Foreign::Address(ENDPOINT)), Some(WorkerId(1)));
        table.release_all(WorkerId(1));
        assert_eq!(table.find(&mut kept, Foreign::Address(ENDPOINT)), None, "what was read is forgotten");
        assert_eq!(table.find(&mut kept, Foreign::Ufrag("one")), None);
        assert_eq!(table.find(&mut kept, Foreign::Ufrag("two")), Some(WorkerId(2)));
    }

    #[test]
    fn a_known_address_takes_no_lock() {
        let (table, mut kept) = (SharedTable::new(true), Kept::default());
        table.claim(DemuxKey::Address(ENDPOINT), WorkerId(1));
        table.find(&mut kept, Foreign::Address(ENDPOINT));
        let _writer = table.maps.write().unwrap();
        assert_eq!(table.find(&mut kept, Foreign::Address(ENDPOINT)), Some(WorkerId(1)));
    }

    #[test]
    fn ufrags_are_found() {
        let (table, mut kept) = (SharedTable::new(true), Kept::default());
        table.claim(DemuxKey::Ufrag("u".into()), WorkerId(3));
        assert_eq!(table.find(&mut kept, Foreign::Ufrag("u")), Some(WorkerId(3)));
        table.release(&DemuxKey::Ufrag("u".into()), WorkerId(3));
        assert_eq!(table.find(&mut kept, Foreign::Ufrag("u")), None);
    }
}
