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
