//! Whether the relays that a server names give an address.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rustls::ClientConfig;
use tokio::time::{Instant, timeout};
use trackyard_proto::signal::IceServer;

use super::validate::printable;
use crate::paths::{TurnError, probe_relays};

/// Relays that are looked at.
const RELAYS_MAX: usize = 8;

/// What has become of a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Relay {
    /// As the server names it.
    pub url: String,
    /// The address that it gives to this client.
    pub outcome: Result<SocketAddr, RelayFailure>,
    /// How long it took to answer.
    pub took: Duration,
}

/// Why a relay gives no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RelayFailure {
    /// Its URL cannot be used.
    #[error("its URL cannot be used")]
    Url,
    /// Its name has no address.
    #[error("its name cannot be resolved ({message})")]
    Resolve {
        /// In the system's words.
        message: String,
    },
    /// There is no way there.
    #[error("it cannot be reached ({message})")]
    Unreachable {
        /// In the system's words.
        message: String,
    },
    /// Nothing comes back.
    #[error("no answer")]
    NoAnswer,
    /// Its certificate is not trusted, or it does not speak TLS.
    #[error("no TLS ({message})")]
    Tls {
        /// In the TLS library's words.
        message: String,
    },
    /// It does not know the credentials that the server has given.
    #[error("it refuses the credentials that the server gives")]
    WrongCredentials,
    /// Something else.
    #[error("{message}")]
    Refused {
        /// In the relay's words, or ours.
        message: String,
    },
}

/// Whether a URL is that of a relay, rather than of a server that only tells addresses.
pub(super) fn is_relay(url: &str) -> bool {
    url.starts_with("turn:") || url.starts_with("turns:")
}

/// Asks all of them at once.
pub(super) async fn probe(servers: &[IceServer], tls: &Arc<ClientConfig>, limit: Duration) -> Vec<Relay> {
    let one = |server: &IceServer, url: &String| IceServer { urls: vec![url.clone()], ..server.clone() };
    let single = servers.iter().flat_map(|server| server.urls.iter().map(move |url| one(server, url)));
    let relays = single.filter(|server| server.urls.iter().all(|url| is_relay(url))).take(RELAYS_MAX);
    join_all(relays.map(|server| probe_one(server, tls, limit))).await
}

async fn probe_one(server: IceServer, tls: &Arc<ClientConfig>, limit: Duration) -> Relay {
    let begin = Instant::now();
    let servers = [server];
    let probed = timeout(limit, probe_relays(&servers, tls)).await;
    let outcome = match probed.map(|probed| probed.into_iter().next()) {
        Ok(Some((_, outcome))) => outcome.map_err(|error| failure(&error)),
        Ok(None) => Err(RelayFailure::Url),
        Err(_) => Err(RelayFailure::NoAnswer),
    };
    let [server] = servers;
    let url = server.urls.first().map(|url| printable(url)).unwrap_or_default();
    Relay { url, outcome, took: begin.elapsed() }
}

fn failure(error: &TurnError) -> RelayFailure {
    match error {
        TurnError::Url(_) => RelayFailure::Url,
        TurnError::Resolve(source) => RelayFailure::Resolve { message: source.to_string() },
        TurnError::Unreachable(source) => RelayFailure::Unreachable { message: source.to_string() },
        TurnError::Timeout => RelayFailure::NoAnswer,
        TurnError::Tls(source) => RelayFailure::Tls { message: source.to_string() },
        TurnError::WrongCredentials { .. } => RelayFailure::WrongCredentials,
        other => {
            let source = other.source().map(|source| format!(" ({source})")).unwrap_or_default();
            RelayFailure::Refused { message: printable(&format!("{other}{source}")) }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::UdpSocket;

    use super::*;
    use crate::signal;

    async fn ask(urls: &[String]) -> Vec<Relay> {
        let server = IceServer {
            urls: urls.to_vec(),
            username: "user".to_owned(),
            credential: "credential".to_owned(),
        };
        let tls = signal::client_config(&[]).unwrap();
        probe(&[server], &tls, Duration::from_millis(300)).await
    }

    #[tokio::test]
    async fn each_relay_has_its_own_outcome_in_time() {
        let hole = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let silent = format!("turn:{}?transport=udp", hole.local_addr().unwrap());
        let relays = ask(&[silent.clone(), "turn:".to_owned(), "stun:127.0.0.1:3478".to_owned()]).await;
        let outcomes: Vec<_> =
            relays.iter().map(|relay| (relay.url.as_str(), relay.outcome.clone())).collect();
        let expected = [(silent.as_str(), Err(RelayFailure::NoAnswer)), ("turn:", Err(RelayFailure::Url))];
        assert_eq!(outcomes, expected);
    }

    #[tokio::test]
    async fn no_relay_is_no_outcome() {
        assert_eq!(ask(&[]).await, []);
        assert_eq!(ask(&["stun:127.0.0.1:3478".to_owned()]).await, []);
    }
}
