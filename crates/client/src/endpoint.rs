//! Where a server is.

use tokio_tungstenite::tungstenite::http::Uri;
use trackyard_session::{SignalRequest, SignalVersion};

use crate::error::ConnectError;

const PLAIN_PORT: u16 = 80;
const TLS_PORT: u16 = 443;

/// A server's URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// A name or an address, the latter without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) is_tls: bool,
    /// As in the URL: with brackets, and with the port if it was given.
    authority: String,
    /// What comes before `/rtc`; empty or beginning with a slash.
    prefix: String,
}

impl Endpoint {
    /// Reads `ws`, `wss`, `http` and `https` URLs.
    pub(crate) fn parse(url: &str) -> Result<Self, ConnectError> {
        let refuse = |message: &str| ConnectError::Url { url: url.to_owned(), message: message.to_owned() };
        let uri: Uri = url.trim().parse().map_err(|_| refuse("it cannot be read"))?;
        let is_tls = match uri.scheme_str() {
            Some("ws" | "http") => false,
            Some("wss" | "https") => true,
            Some(_) => return Err(refuse("its scheme is none of ws, wss, http and https")),
            None => return Err(refuse("it has no scheme")),
        };
        let authority = uri.authority().ok_or_else(|| refuse("it has no host"))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || authority.as_str().contains('@') {
            return Err(refuse("its host is empty or carries credentials"));
        }
        let after_host = authority.as_str().rsplit_once(']').map_or(authority.as_str(), |(_, rest)| rest);
        if uri.port_u16().is_none() && after_host.contains(':') {
            return Err(refuse("its port is none of 1 to 65535"));
        }
        let port = uri.port_u16().unwrap_or(if is_tls { TLS_PORT } else { PLAIN_PORT });
        Ok(Self {
            host: host.to_owned(),
            port,
            is_tls,
            authority: authority.as_str().to_owned(),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// The URL of a signal connection (protocol §1.1).
    pub(crate) fn signal_url(&self, request: &SignalRequest) -> String {
        let Self { authority, prefix, .. } = self;
        let scheme = if self.is_tls { "wss" } else { "ws" };
        match request.version {
            SignalVersion::V1 => {
                let parameter = request.join.encode_wrapped(true).replace('=', "%3D");
                format!("{scheme}://{authority}{prefix}/rtc/v1?join_request={parameter}")
            }
            SignalVersion::V0 => {
                format!("{scheme}://{authority}{prefix}/rtc?{}", request.join.encode_query())
            }
        }
    }

    /// Whether the server is on this machine, as far as the URL says.
    pub(crate) fn is_local(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Option<(&str, u16, bool, &str)>) {
        let parsed = Endpoint::parse(url).ok();
        let parsed = parsed.as_ref().map(|endpoint| {
            (endpoint.host.as_str(), endpoint.port, endpoint.is_tls, endpoint.prefix.as_str())
        });
        assert_eq!(parsed, expected, "{url}");
    }

    #[test]
    fn urls_of_servers_are_read() {
        check("ws://localhost:7880", Some(("localhost", 7880, false, "")));
        check("wss://example.org", Some(("example.org", 443, true, "")));
        check("https://example.org/", Some(("example.org", 443, true, "")));
        check("http://example.org/yard/", Some(("example.org", 80, false, "/yard")));
        check("ws://[::1]:7880", Some(("::1", 7880, false, "")));
    }

    #[test]
    fn other_urls_are_refused() {
        for url in [
            "",
            "localhost:7880",
            "ftp://example.org",
            "ws://",
            "ws://user:pw@example.org",
            "ws://a b",
            "ws://a:99999",
            "ws://[::1]:x",
        ] {
            check(url, None);
        }
    }

    #[test]
    fn only_addresses_of_this_machine_are_local() {
        let is_local = |url| Endpoint::parse(url).unwrap().is_local();
        assert!(is_local("ws://localhost:1") && is_local("ws://127.0.0.1:1") && is_local("ws://[::1]:1"));
        assert!(!is_local("ws://example.org") && !is_local("ws://10.0.0.1:1"));
    }
}
