//! Our own addresses, as candidates of ICE.

use str0m::net::{Protocol, TcpType};
use str0m::{Candidate, Rtc};

use crate::connection::LocalAddress;

/// Addresses of a connection over its life. A machine has fewer; one that changes networks all day reaches it,
/// and goes on with those it has until its next connection.
const ADDRESSES_MAX: usize = 64;

/// What ICE was given.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    known: Vec<LocalAddress>,
    /// The one relayed candidate that counts.
    relayed: Option<Candidate>,
    refused: u64,
}

impl Addresses {
    /// Gives ICE one more; `false` if there is nothing new in it.
    pub(super) fn add(&mut self, rtc: &mut Rtc, address: LocalAddress) -> bool {
        if self.known.contains(&address) {
            return false;
        }
        let Some(candidate) = candidate(address).filter(|_| self.known.len() < ADDRESSES_MAX) else {
            self.refused += 1;
            return false;
        };
        if matches!(address, LocalAddress::Relayed { .. }) {
            self.replace_relayed(rtc, candidate.clone());
        }
        self.known.push(address);
        rtc.add_local_candidate(candidate).is_some()
    }

    pub(super) fn refused(&self) -> u64 {
        self.refused
    }

    /// A relay that has given another address has forgotten the one before.
    fn replace_relayed(&mut self, rtc: &mut Rtc, candidate: Candidate) {
        if let Some(former) = self.relayed.replace(candidate) {
            rtc.direct_api().invalidate_candidate(&former);
            self.known.retain(|known| !matches!(known, LocalAddress::Relayed { .. }));
        }
    }
}

/// Relays are asked for UDP, whatever carries it to them.
fn candidate(address: LocalAddress) -> Option<Candidate> {
    let tcp = |address, role| Candidate::builder().tcp().host(address).tcptype(role).build().ok();
    match address {
        LocalAddress::Udp(address) => Candidate::host(address, Protocol::Udp).ok(),
        LocalAddress::TcpActive(address) => tcp(address, TcpType::Active),
        LocalAddress::TcpPassive(address) => tcp(address, TcpType::Passive),
        LocalAddress::Relayed { address, base } => Candidate::relayed(address, base, Protocol::Udp).ok(),
    }
}
