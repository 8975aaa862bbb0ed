//! URLs of relays (RFC 7065).

use std::fmt;

const PORT: u16 = 3478;
const TLS_PORT: u16 = 5349;
/// A DNS name is not longer.
const HOST_BYTES_MAX: usize = 253;

/// How a relay is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Carrier {
    /// Plain UDP.
    Udp,
    /// Plain TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

/// A relay's URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TurnUrl {
    /// A name or an address, the latter without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) carrier: Carrier,
}

/// Why a URL names no relay that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TurnUrlError {
    /// Neither `turn:` nor `turns:`.
    #[error("not a turn: or turns: URL")]
    Scheme,
    /// No name and no address.
    #[error("it has no host, or one that cannot be")]
    Host,
    /// Not a port.
    #[error("its port is none")]
    Port,
    /// Something else than `udp` or `tcp`.
    #[error("its transport is neither udp nor tcp")]
    Transport,
    /// TLS over UDP.
    #[error("DTLS is not supported: offer turns: over tcp")]
    Dtls,
}

impl TurnUrl {
    /// Reads `turn:host[:port][?transport=udp|tcp]` and `turns:…`.
    pub(crate) fn parse(url: &str) -> Result<Self, TurnUrlError> {
        let (scheme, rest) = url.trim().split_once(':').ok_or(TurnUrlError::Scheme)?;
        let is_tls = match scheme.to_ascii_lowercase().as_str() {
            "turn" => false,
            "turns" => true,
            _ => return Err(TurnUrlError::Scheme),
        };
        let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, port) = split_port(authority)?;
        let port = port.unwrap_or(if is_tls { TLS_PORT } else { PORT });
        Ok(Self { host: host.to_owned(), port, carrier: carrier(is_tls, query)? })
    }
}

/// As it can be read again.
impl fmt::Display for TurnUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, carrier } = self;
        let (scheme, transport) = match carrier {
            Carrier::Udp => ("turn", "udp"),
            Carrier::Tcp => ("turn", "tcp"),
            Carrier::Tls => ("turns", "tcp"),
        };
        let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{scheme}:{open}{host}{close}:{port}?transport={transport}")
    }
}

fn carrier(is_tls: bool, query: &str) -> Result<Carrier, TurnUrlError> {
    let transport = query.split('&').find_map(|parameter| parameter.strip_prefix("transport="));
    match (is_tls, transport.map(str::to_ascii_lowercase).as_deref()) {
        (false, None | Some("udp")) => Ok(Carrier::Udp),
        (false, Some("tcp")) => Ok(Carrier::Tcp),
        (true, None | Some("tcp")) => Ok(Carrier::Tls),
        (true, Some("udp")) => Err(TurnUrlError::Dtls),
        (_, Some(_)) => Err(TurnUrlError::Transport),
    }
}

/// The host without brackets, and the port if there is one.
fn split_port(authority: &str) -> Result<(&str, Option<u16>), TurnUrlError> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or(TurnUrlError::Host)?;
            (host, after.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let is_host = |host: &str| !host.is_empty() && !host.contains(['/', '@', ' ']);
    if !is_host(host) || host.len() > HOST_BYTES_MAX {
        return Err(TurnUrlError::Host);
    }
    let port = port.map(|port| port.parse().ok().filter(|port| *port != 0).ok_or(TurnUrlError::Port));
    Ok((host, port.transpose()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Result<(&str, u16, Carrier), TurnUrlError>) {
        let parsed = TurnUrl::parse(url);
        let seen =
            parsed.as_ref().map(|url| (url.host.as_str(), url.port, url.carrier)).map_err(|error| *error);
        assert_eq!(seen, expected, "{url}");
        if let Ok(parsed) = parsed {
            assert_eq!(TurnUrl::parse(&parsed.to_string()).as_ref(), Ok(&parsed), "it reads itself");
        }
    }

    #[test]
    fn the_forms_that_servers_send_are_read() {
        check("turn:192.0.2.1:3478?transport=udp", Ok(("192.0.2.1", 3478, Carrier::Udp)));
        check("turn:relay.example.org?transport=tcp", Ok(("relay.example.org", 3478, Carrier::Tcp)));
        check("turns:relay.example.org:443?transport=tcp", Ok(("relay.example.org", 443, Carrier::Tls)));
        check("turns:relay.example.org", Ok(("relay.example.org", 5349, Carrier::Tls)));
        check("TURN:relay.example.org", Ok(("relay.example.org", 3478, Carrier::Udp)));
        check("turn:[2001:db8::1]:9?transport=UDP", Ok(("2001:db8::1", 9, Carrier::Udp)));
        check("turn:[2001:db8::1]", Ok(("2001:db8::1", 3478, Carrier::Udp)));
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        check("stun:192.0.2.1", Err(TurnUrlError::Scheme));
        check("192.0.2.1", Err(TurnUrlError::Scheme));
        check("turn:", Err(TurnUrlError::Host));
        check("turn:user@host", Err(TurnUrlError::Host));
        check("turn:[::1", Err(TurnUrlError::Host));
        check(&format!("turn:{}", "a".repeat(254)), Err(TurnUrlError::Host));
        check("turn:host:0", Err(TurnUrlError::Port));
        check("turn:host:99999", Err(TurnUrlError::Port));
        check("turn:host?transport=sctp", Err(TurnUrlError::Transport));
        check("turns:host?transport=udp", Err(TurnUrlError::Dtls));
    }
}
