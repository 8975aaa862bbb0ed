//! What clients call our addresses.

use std::net::{IpAddr, SocketAddr};

use crate::Advertised;

/// The names of one bound address; never empty where clients are told of it.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    names: Vec<Name>,
    /// The socket takes datagrams to any address of the machine.
    wildcard: bool,
}

#[derive(Debug, Clone, Copy)]
struct Name {
    local: IpAddr,
    public: SocketAddr,
}

impl Names {
    /// The names of `bound` among what is advertised.
    pub(crate) fn of(bound: SocketAddr, advertised: &[Advertised]) -> Self {
        let wildcard = bound.ip().is_unspecified();
        let fits = |entry: &&Advertised| {
            entry.public.is_ipv4() == bound.is_ipv4()
                && (wildcard || entry.local == bound.ip() || entry.local.is_unspecified())
        };
        let name = |entry: &Advertised| Name {
            local: if wildcard { entry.local } else { bound.ip() },
            public: SocketAddr::new(entry.public, bound.port()),
        };
        let mut names: Vec<Name> = advertised.iter().filter(fits).map(name).collect();
        if names.is_empty() && !wildcard {
            names.push(Name { local: bound.ip(), public: bound });
        }
        Self { names, wildcard }
    }

    /// What clients are told.
    pub(crate) fn public(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.names.iter().map(|name| name.public)
    }

    /// What the client has called the address at which something came. `None`: it was told of no such address.
    pub(crate) fn public_of(&self, local: Option<IpAddr>) -> Option<SocketAddr> {
        let exact = self.names.iter().find(|name| Some(name.local) == local);
        let only = || self.names.first().filter(|_| !self.wildcard || local.is_none());
        let any = || self.names.iter().find(|name| name.local.is_unspecified());
        exact.or_else(any).or_else(only).map(|name| name.public)
    }

    /// Whether clients know the socket by that address.
    pub(crate) fn has(&self, public: SocketAddr) -> bool {
        self.public().any(|known| known == public)
    }

    /// From which of the machine's addresses to answer, where the socket leaves a choice.
    pub(crate) fn source_of(&self, public: SocketAddr) -> Option<IpAddr> {
        let name = self.names.iter().find(|name| name.public == public)?;
        (self.wildcard && !name.local.is_unspecified()).then_some(name.local)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn advertised(pairs: &[(&str, &str)]) -> Vec<Advertised> {
        pairs.iter().map(|(local, public)| Advertised { local: ip(local), public: ip(public) }).collect()
    }

    #[test]
    fn an_address_names_itself() {
        let names = Names::of(address("127.0.0.1:7882"), &[]);
        assert!(names.has(address("127.0.0.1:7882")));
        assert_eq!(names.public_of(Some(ip("127.0.0.1"))), Some(address("127.0.0.1:7882")));
        assert_eq!(names.public_of(None), Some(address("127.0.0.1:7882")));
        assert_eq!(names.source_of(address("127.0.0.1:7882")), None, "the socket leaves no choice");
    }

    #[test]
    fn a_translated_address_is_called_by_its_outer_name() {
        let names = Names::of(address("10.0.0.5:7882"), &advertised(&[("10.0.0.5", "203.0.113.9")]));
        assert_eq!(names.public().collect::<Vec<_>>(), [address("203.0.113.9:7882")]);
        assert_eq!(names.public_of(Some(ip("10.0.0.5"))), Some(address("203.0.113.9:7882")));
    }

    #[test]
    fn a_wildcard_is_called_by_what_is_advertised() {
        let known = advertised(&[("10.0.0.5", "203.0.113.9"), ("127.0.0.1", "127.0.0.1"), ("::1", "::1")]);
        let names = Names::of(address("0.0.0.0:7882"), &known);
        assert_eq!(names.public().count(), 2, "the other family has a socket of its own");
        assert_eq!(names.public_of(Some(ip("10.0.0.5"))), Some(address("203.0.113.9:7882")));
        assert_eq!(names.source_of(address("203.0.113.9:7882")), Some(ip("10.0.0.5")));
        assert_eq!(names.public_of(Some(ip("10.0.0.77"))), None);
    }

    #[test]
    fn behind_an_unknown_inner_address_any_will_do() {
        let names = Names::of(address("0.0.0.0:7882"), &advertised(&[("0.0.0.0", "203.0.113.9")]));
        assert_eq!(names.public_of(Some(ip("172.17.0.2"))), Some(address("203.0.113.9:7882")));
        assert_eq!(names.source_of(address("203.0.113.9:7882")), None, "the kernel chooses");
    }

    #[test]
    fn a_wildcard_without_names_tells_nobody() {
        assert_eq!(Names::of(address("0.0.0.0:7882"), &[]).public().count(), 0);
    }
}
