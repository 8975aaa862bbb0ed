//! Which of a worker's connections a datagram is for: by ufrag when it is a binding request, else
//! by where it comes from.
//!
//! A binding request moves its source address to the connection it names, so that rebinding needs
//! nothing else. Everything a peer owned is forgotten with it.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use trackyard_peer::{Target, Transport};

use super::ids::IdMap;
use crate::control::PeerId;

/// Fragments a connection answers to: the current one, and those that checks in flight still carry after restarts.
const UFRAGS_PER_CONNECTION: usize = 4;
/// Addresses of one connection; the one confirmed longest ago goes first.
const ADDRESSES_PER_CONNECTION: usize = 16;

/// Where datagrams come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// What carries them.
    pub transport: Transport,
    /// The sender.
    pub address: SocketAddr,
}

/// What datagrams are recognised by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DemuxKey {
    /// Our ICE username fragment.
    Ufrag(Arc<str>),
    /// The sender's address.
    Address(Endpoint),
}

/// One connection of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Owner {
    pub(super) peer: PeerId,
    pub(super) target: Target,
}

/// A change that others who demultiplex have to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Claimed(DemuxKey),
    Released(DemuxKey),
}

/// Invariant: a key is in `ufrags` or `addresses` exactly if it is in its owner's lists.
#[derive(Debug, Default)]
pub(super) struct DemuxTable {
    ufrags: HashMap<Arc<str>, Owner>,
    addresses: HashMap<Endpoint, Owner>,
    owned: IdMap<PeerId, [Owned; 2]>,
    changes: VecDeque<Change>,
}

#[derive(Debug, Default)]
struct Owned {
    ufrags: VecDeque<Arc<str>>,
    addresses: VecDeque<Endpoint>,
}

impl DemuxTable {
    pub(super) fn by_ufrag(&self, ufrag: &str) -> Option<Owner> {
        self.ufrags.get(ufrag).copied()
    }

    pub(super) fn by_address(&self, endpoint: &Endpoint) -> Option<Owner> {
        self.addresses.get(endpoint).copied()
    }

    /// A connection answers to `ufrag` from now on.
    pub(super) fn claim_ufrag(&mut self, owner: Owner, ufrag: &str) {
        if self.ufrags.get(ufrag) == Some(&owner) {
            return;
        }
        let ufrag: Arc<str> = Arc::from(ufrag);
        if let Some(former) = self.ufrags.insert(Arc::clone(&ufrag), owner) {
            self.list(former).ufrags.retain(|known| *known != ufrag);
        }
        let ufrags = &mut self.list(owner).ufrags;
        ufrags.push_back(Arc::clone(&ufrag));
        let evicted = if ufrags.len() > UFRAGS_PER_CONNECTION { ufrags.pop_front() } else { None };
        self.changes.push_back(Change::Claimed(DemuxKey::Ufrag(ufrag)));
        if let Some(old) = evicted {
            self.ufrags.remove(&old);
            self.changes.push_back(Change::Released(DemuxKey::Ufrag(old)));
        }
    }

    /// A binding request for `owner` has come from `endpoint`.
    pub(super) fn confirm_address(&mut self, owner: Owner, endpoint: Endpoint) {
        match self.addresses.insert(endpoint, owner) {
            Some(former) if former == owner => return self.refresh(owner, endpoint),
            Some(former) => self.list(former).addresses.retain(|known| *known != endpoint),
            None => {}
        }
        let addresses = &mut self.list(owner).addresses;
        addresses.push_back(endpoint);
        let evicted = if addresses.len() > ADDRESSES_PER_CONNECTION { addresses.pop_front() } else { None };
        self.changes.push_back(Change::Claimed(DemuxKey::Address(endpoint)));
        if let Some(old) = evicted {
            self.addresses.remove(&old);
            self.changes.push_back(Change::Released(DemuxKey::Address(old)));
        }
    }

    /// The address has moved to another worker, which has said so itself.
    pub(super) fn disown(&mut self, endpoint: &Endpoint) {
        if let Some(former) = self.addresses.remove(endpoint) {
            self.list(former).addresses.retain(|known| known != endpoint);
        }
    }

    /// Forgets everything of a peer.
    pub(super) fn forget(&mut self, peer: PeerId) {
        for owned in self.owned.remove(&peer).into_iter().flatten() {
            for ufrag in owned.ufrags {
                self.ufrags.remove(&ufrag);
                self.changes.push_back(Change::Released(DemuxKey::Ufrag(ufrag)));
            }
            for endpoint in owned.addresses {
                self.addresses.remove(&endpoint);
                self.changes.push_back(Change::Released(DemuxKey::Address(endpoint)));
            }
        }
    }

    /// The next change to tell others.
    pub(super) fn pop_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    fn refresh(&mut self, owner: Owner, endpoint: Endpoint) {
        let addresses = &mut self.list(owner).addresses;
        if addresses.back() != Some(&endpoint) {
            addresses.retain(|known| *known != endpoint);
            addresses.push_back(endpoint);
        }
    }

    fn list(&mut self, owner: Owner) -> &mut Owned {
        let [publisher, subscriber] = self.owned.entry(owner.peer).or_default();
        match owner.target {
            Target::Publisher => publisher,
            Target::Subscriber => subscriber,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Owner = Owner { peer: PeerId(1), target: Target::Publisher };
    const B: Owner = Owner { peer: PeerId(2), target: Target::Subscriber };

    fn endpoint(port: u16) -> Endpoint {
        Endpoint { transport: Transport::Udp, address: SocketAddr::from(([10, 0, 0, 1], port)) }
    }

    fn changes(table: &mut DemuxTable) -> Vec<Change> {
        std::iter::from_fn(|| table.pop_change()).collect()
    }

    #[test]
    fn restarts_keep_a_few_old_fragments() {
        let mut table = DemuxTable::default();
        for index in 0..=UFRAGS_PER_CONNECTION {
            table.claim_ufrag(A, &format!("u{index}"));
        }
        assert_eq!(table.by_ufrag("u0"), None);
        assert_eq!(table.by_ufrag("u1"), Some(A));
        assert_eq!(table.ufrags.len(), UFRAGS_PER_CONNECTION);
        assert!(changes(&mut table).contains(&Change::Released(DemuxKey::Ufrag("u0".into()))));
    }

    #[test]
    fn addresses_of_a_connection_are_bounded_and_the_oldest_goes() {
        let mut table = DemuxTable::default();
        table.confirm_address(A, endpoint(1));
        table.confirm_address(A, endpoint(2));
        table.confirm_address(A, endpoint(1));
        for port in 100..99 + u16::try_from(ADDRESSES_PER_CONNECTION).unwrap() {
            table.confirm_address(A, endpoint(port));
        }
        assert_eq!(table.addresses.len(), ADDRESSES_PER_CONNECTION);
        assert_eq!(table.by_address(&endpoint(2)), None, "confirmed longest ago");
        assert_eq!(table.by_address(&endpoint(1)), Some(A));
    }

    #[test]
    fn an_address_moves_to_whom_the_request_names() {
        let mut table = DemuxTable::default();
        table.confirm_address(A, endpoint(1));
        table.confirm_address(B, endpoint(1));
        assert_eq!(table.by_address(&endpoint(1)), Some(B));
        table.forget(A.peer);
        assert_eq!(table.by_address(&endpoint(1)), Some(B), "the former owner no longer counts");
    }

    #[test]
    fn a_forgotten_peer_leaves_nothing() {
        let mut table = DemuxTable::default();
        table.claim_ufrag(A, "u");
        table.confirm_address(A, endpoint(1));
        changes(&mut table);
        table.forget(A.peer);
        assert_eq!((table.by_ufrag("u"), table.by_address(&endpoint(1))), (None, None));
        assert_eq!(changes(&mut table).len(), 2);
        assert!(table.ufrags.is_empty() && table.addresses.is_empty() && table.owned.is_empty());
    }

    #[test]
    fn a_disowned_address_is_not_released_for_its_new_owner() {
        let mut table = DemuxTable::default();
        table.confirm_address(A, endpoint(1));
        changes(&mut table);
        table.disown(&endpoint(1));
        table.forget(A.peer);
        assert_eq!(changes(&mut table), []);
    }
}
