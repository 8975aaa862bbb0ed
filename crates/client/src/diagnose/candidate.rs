//! Where a server says that it is reached.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// One address of a server, as it names it (RFC 8839 §5.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Candidate {
    /// What is spoken there.
    pub transport: CandidateTransport,
    /// An address, or a name that stands for one.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// What carries datagrams to a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CandidateTransport {
    /// UDP.
    Udp,
    /// TCP connections that the client opens.
    Tcp,
}

/// From where an address can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// From its own machine alone.
    Loopback,
    /// From its own network.
    Private,
    /// From nowhere: addresses for examples.
    Documentation,
    /// From everywhere, as far as the address itself says.
    Public,
}

impl Candidate {
    /// Of `candidate:foundation component transport priority address port typ …`; nothing if it cannot be
    /// read, or is one that no client connects to.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let line = line.trim().trim_start_matches("a=").trim_start_matches("candidate:");
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let [_, _, transport, _, host, port, ..] = fields[..] else { return None };
        let kind = fields.windows(2).find(|pair| pair[0] == "tcptype").map(|pair| pair[1]);
        let transport = match transport.to_ascii_lowercase().as_str() {
            "udp" => CandidateTransport::Udp,
            // Others wait for nobody.
            "tcp" if kind == Some("passive") => CandidateTransport::Tcp,
            _ => return None,
        };
        let printable = host.len() <= 255 && host.bytes().all(|byte| byte.is_ascii_graphic());
        printable.then_some(())?;
        Some(Self { transport, host: host.to_owned(), port: port.parse().ok()? })
    }

    /// The address, unless a name stands for it.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.host.parse().ok().map(|ip: IpAddr| SocketAddr::new(ip, self.port))
    }

    /// From where it can be reached, unless a name stands for it.
    #[must_use]
    pub fn scope(&self) -> Option<Scope> {
        self.address().map(|address| Scope::of(address.ip()))
    }
}

/// As `udp 192.0.2.1:7882`.
impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address() {
            Some(address) => write!(f, "{} {address}", self.transport),
            None => write!(f, "{} {}:{}", self.transport, self.host, self.port),
        }
    }
}

impl fmt::Display for CandidateTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        })
    }
}

impl Scope {
    /// Of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let [first, second, ..] = address.octets();
                // Of carriers, RFC 6598.
                let is_shared = first == 100 && (64..128).contains(&second);
                if address.is_loopback() {
                    Self::Loopback
                } else if address.is_private() || address.is_link_local() || is_shared {
                    Self::Private
                } else if address.is_documentation() {
                    Self::Documentation
                } else {
                    Self::Public
                }
            }
            IpAddr::V6(address) => {
                let is_documentation = address.segments()[..2] == [0x2001, 0x0db8];
                if address.is_loopback() {
                    Self::Loopback
                } else if address.is_unique_local() || address.is_unicast_link_local() {
                    Self::Private
                } else if is_documentation {
                    Self::Documentation
                } else {
                    Self::Public
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<&str>) {
        assert_eq!(
            Candidate::parse(line).map(|candidate| candidate.to_string()).as_deref(),
            expected,
            "{line}"
        );
    }

    #[test]
    fn candidates_that_clients_connect_to_are_read() {
        check("a=candidate:1 1 UDP 2130706431 192.0.2.1 7882 typ host", Some("udp 192.0.2.1:7882"));
        check(
            "candidate:1 1 tcp 1 2001:db8::1 7881 typ host tcptype passive",
            Some("tcp [2001:db8::1]:7881"),
        );
        check("1 1 udp 1 x.local 7882 typ host generation 0", Some("udp x.local:7882"));
        check("candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active", None);
        check("candidate:1 1 tcp 1 192.0.2.1 9 typ host", None);
        check("candidate:1 1 udp 1 192.0.2.1 99999 typ host", None);
        check("candidate:1 1 sctp 1 192.0.2.1 9 typ host", None);
        check("candidate:1 1 udp 1 a\u{1b}b 9 typ host", None);
        check("", None);
    }

    #[test]
    fn scopes_are_told_apart() {
        for (address, scope) in [
            ("127.0.0.1", Scope::Loopback),
            ("::1", Scope::Loopback),
            ("::ffff:127.0.0.1", Scope::Loopback),
            ("10.1.2.3", Scope::Private),
            ("100.64.0.1", Scope::Private),
            ("100.128.0.1", Scope::Public),
            ("fd00::1", Scope::Private),
            ("203.0.113.7", Scope::Documentation),
            ("2001:db8::1", Scope::Documentation),
            ("8.8.8.8", Scope::Public),
            ("2606:4700::1", Scope::Public),
        ] {
            assert_eq!(Scope::of(address.parse().unwrap()), scope, "{address}");
        }
    }
}
