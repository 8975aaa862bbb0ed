//! To whom a relay passes on: each peer needs the relay's permission first, and gets a channel with it.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Peers of one allocation: a server has a handful of addresses.
const PEERS_MAX: usize = 32;
/// Datagrams that wait for a peer's permission: a few checks of ICE. The oldest makes way.
const WAITING_MAX: usize = 8;
/// A peer that a relay has refused is asked for again after this.
const REFUSED_FOR: Duration = Duration::from_secs(30);

/// What is to be done with a datagram.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Send it.
    Send(Vec<u8>),
    /// It waits; ask for the peer's permission.
    Ask,
    /// It waits for a permission that was asked for. `lost` datagrams have made way.
    Wait { lost: u64 },
    /// The relay has refused this peer.
    Refused,
    /// There are too many peers.
    TooMany,
}

#[derive(Debug)]
enum Peer {
    Asked(VecDeque<Vec<u8>>),
    Allowed,
    Refused { until: Instant },
}

/// The peers of an allocation.
#[derive(Debug, Default)]
pub(super) struct Peers(HashMap<SocketAddr, Peer>);

impl Peers {
    /// A datagram is to go to a peer.
    pub(super) fn admit(&mut self, to: SocketAddr, datagram: Vec<u8>, now: Instant) -> Verdict {
        let is_full = self.0.len() == PEERS_MAX;
        match self.0.get_mut(&to) {
            Some(Peer::Allowed) => return Verdict::Send(datagram),
            Some(Peer::Refused { until }) if now < *until => return Verdict::Refused,
            Some(Peer::Asked(waiting)) => {
                let is_full = waiting.len() == WAITING_MAX;
                if is_full {
                    waiting.pop_front();
                }
                waiting.push_back(datagram);
                return Verdict::Wait { lost: u64::from(is_full) };
            }
            None if is_full => return Verdict::TooMany,
            Some(Peer::Refused { .. }) | None => {}
        }
        self.0.insert(to, Peer::Asked(VecDeque::from([datagram])));
        Verdict::Ask
    }

    /// The relay passes on to a peer from now on; answers what has waited for that.
    pub(super) fn allow(&mut self, peer: SocketAddr) -> VecDeque<Vec<u8>> {
        match self.0.get_mut(&peer) {
            Some(state @ Peer::Asked(_)) => match std::mem::replace(state, Peer::Allowed) {
                Peer::Asked(waiting) => waiting,
                Peer::Allowed | Peer::Refused { .. } => VecDeque::new(),
            },
            Some(Peer::Allowed | Peer::Refused { .. }) | None => VecDeque::new(),
        }
    }

    /// The same for every peer at an address.
    pub(super) fn allow_all(&mut self, ip: IpAddr) -> Vec<(SocketAddr, VecDeque<Vec<u8>>)> {
        self.at(ip).into_iter().map(|peer| (peer, self.allow(peer))).collect()
    }

    /// The relay does not pass on to a peer, or no longer. One that it has refused is not asked for soon; answers
    /// how many datagrams have waited in vain.
    pub(super) fn disallow(&mut self, peer: SocketAddr, now: Instant) -> u64 {
        match self.0.remove(&peer) {
            Some(Peer::Asked(waiting)) => {
                self.0.insert(peer, Peer::Refused { until: now + REFUSED_FOR });
                waiting.len() as u64
            }
            // Its permission has run out: it is asked for by the next datagram.
            Some(Peer::Allowed) | None => 0,
            Some(refused @ Peer::Refused { .. }) => {
                self.0.insert(peer, refused);
                0
            }
        }
    }

    /// The same for every peer at an address.
    pub(super) fn disallow_all(&mut self, ip: IpAddr, now: Instant) -> u64 {
        self.at(ip).into_iter().map(|peer| self.disallow(peer, now)).sum()
    }

    fn at(&self, ip: IpAddr) -> Vec<SocketAddr> {
        self.0.keys().filter(|peer| peer.ip() == ip).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    fn admit(peers: &mut Peers, port: u16, now: Instant) -> Verdict {
        peers.admit(peer(port), vec![1], now)
    }

    #[test]
    fn datagrams_wait_for_a_permission_that_is_asked_for_once() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        assert_eq!(admit(&mut peers, 1, now), Verdict::Ask);
        for _ in 1..WAITING_MAX {
            assert_eq!(admit(&mut peers, 1, now), Verdict::Wait { lost: 0 });
        }
        assert_eq!(admit(&mut peers, 1, now), Verdict::Wait { lost: 1 });
        assert_eq!(peers.allow(peer(1)).len(), WAITING_MAX);
        assert_eq!(admit(&mut peers, 1, now), Verdict::Send(vec![1]));
        assert!(peers.allow(peer(1)).is_empty());
    }

    #[test]
    fn a_refused_peer_is_asked_for_again_much_later() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        admit(&mut peers, 1, now);
        assert_eq!(peers.disallow_all(peer(1).ip(), now), 1);
        assert_eq!(peers.disallow(peer(1), now), 0);
        assert_eq!(admit(&mut peers, 1, now), Verdict::Refused);
        assert_eq!(admit(&mut peers, 1, now + REFUSED_FOR), Verdict::Ask);
    }

    #[test]
    fn a_permission_that_has_run_out_is_asked_for_at_once() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        admit(&mut peers, 1, now);
        assert_eq!(peers.allow_all(peer(1).ip()).len(), 1);
        assert_eq!(peers.disallow(peer(1), now), 0);
        assert_eq!(admit(&mut peers, 1, now), Verdict::Ask);
    }

    #[test]
    fn peers_are_bounded() {
        let (mut peers, now) = (Peers::default(), Instant::now());
        let verdicts: Vec<_> = (1..=40).map(|port| admit(&mut peers, port, now)).collect();
        assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Ask).count(), PEERS_MAX);
        assert_eq!(verdicts.last(), Some(&Verdict::TooMany));
    }
}
