//! Over which way data goes.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use trackyard_peer::{Target, Transmit, Transport};

/// A DTLS record begins with one of these; a request that looks for a way does not (RFC 7983 §7).
const DTLS: std::ops::RangeInclusive<u8> = 20..=63;

/// The way that a client's data goes: between these two addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Route {
    /// The address of this client, or that of its relay. With TCP its port says nothing.
    pub local: SocketAddr,
    /// The address of the server, as it names it.
    pub remote: SocketAddr,
    /// Over TCP.
    pub is_tcp: bool,
    /// Through a relay.
    pub is_relayed: bool,
}

/// The way of each connection.
#[derive(Debug, Default)]
pub(super) struct Routes([Option<Route>; 2]);

impl Routes {
    /// Notes where a datagram goes if it carries data.
    pub(super) fn note(&mut self, target: Target, transmit: &Transmit) {
        if transmit.contents.first().is_some_and(|first| DTLS.contains(first)) {
            let is_tcp = transmit.transport == Transport::Tcp;
            let (local, remote) = (transmit.source, transmit.destination);
            self.0[target as usize] = Some(Route { local, remote, is_tcp, is_relayed: false });
        }
    }

    /// What was noted last, if it came from this address, is passed on by a relay.
    pub(super) fn note_relayed(&mut self, target: Target, source: SocketAddr) {
        if let Some(route) = self.0[target as usize].as_mut().filter(|route| route.local == source) {
            route.is_relayed = true;
        }
    }

    /// Whether data may have gone over one of these addresses. Nobody knows which one carries a relay.
    pub(super) fn are_over(&self, lost: &BTreeSet<IpAddr>) -> bool {
        let mut routes = self.0.iter().flatten().peekable();
        let is_unknown = routes.peek().is_none();
        !lost.is_empty()
            && (is_unknown || routes.any(|route| route.is_relayed || lost.contains(&route.local.ip())))
    }

    /// Where the latest data went.
    pub(super) fn of(&self, target: Target) -> Option<Route> {
        self.0[target as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_data_makes_a_route() {
        let transmit = |first: u8, port| Transmit {
            transport: Transport::Udp,
            source: SocketAddr::from(([127, 0, 0, 1], 1)),
            destination: SocketAddr::from(([127, 0, 0, 1], port)),
            contents: vec![first, 0],
        };
        let mut routes = Routes::default();
        routes.note(Target::Publisher, &transmit(0, 2));
        assert_eq!(routes.of(Target::Publisher), None);
        routes.note(Target::Publisher, &transmit(23, 3));
        routes.note(Target::Publisher, &transmit(0, 4));
        assert_eq!(routes.of(Target::Publisher).map(|route| route.remote.port()), Some(3));
        assert_eq!(routes.of(Target::Subscriber), None);
    }

    #[test]
    fn an_address_that_carries_nothing_is_no_loss() {
        let lost = |addresses: &[[u8; 4]]| addresses.iter().copied().map(IpAddr::from).collect();
        let mut routes = Routes::default();
        assert!(!routes.are_over(&lost(&[])));
        assert!(routes.are_over(&lost(&[[10, 0, 0, 1]])), "nothing is known yet");
        let source = SocketAddr::from(([10, 0, 0, 2], 1));
        let transmit = Transmit {
            transport: Transport::Udp,
            source,
            destination: SocketAddr::from(([192, 0, 2, 1], 2)),
            contents: vec![23],
        };
        routes.note(Target::Publisher, &transmit);
        assert!(!routes.are_over(&lost(&[[10, 0, 0, 1]])));
        assert!(routes.are_over(&lost(&[[10, 0, 0, 1], [10, 0, 0, 2]])));
        routes.note_relayed(Target::Publisher, source);
        assert!(routes.are_over(&lost(&[[10, 0, 0, 1]])));
    }
}
