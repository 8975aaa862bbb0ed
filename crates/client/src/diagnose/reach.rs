//! Names and TCP: whether there is a way to the server at all.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::Server;

/// Addresses of one name that are looked at.
const ADDRESSES_MAX: usize = 16;

/// Why a name gives no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The name server, or this machine, says no.
    #[error("{message}")]
    Failed {
        /// In the system's words.
        message: String,
    },
    /// The name is known, and has no address.
    #[error("it has no address")]
    NoAddress,
    /// No name server has answered in time.
    #[error("no name server has answered within {} s", super::seconds(*limit))]
    Timeout {
        /// How long was waited.
        limit: Duration,
    },
}

/// Why a TCP connection does not come about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReachError {
    /// The machine is there, and nothing listens on that port; or a firewall says so.
    #[error("the connection is refused")]
    Refused,
    /// This machine has no way there, or the network says that it has none.
    #[error("there is no way there: {message}")]
    Unreachable {
        /// In the system's words.
        message: String,
    },
    /// Nothing comes back.
    #[error("no answer within {} s", super::seconds(*limit))]
    NoAnswer {
        /// How long was waited.
        limit: Duration,
    },
    /// Something else.
    #[error("{message}")]
    Failed {
        /// In the system's words.
        message: String,
    },
}

impl Server {
    /// The addresses of the server's name, in the system's order.
    ///
    /// # Errors
    /// [`ResolveError`].
    pub async fn resolve(&self, limit: Duration) -> Result<Vec<SocketAddr>, ResolveError> {
        // What is an address already needs nobody's help.
        if let Ok(address) = self.host().parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, self.port())]);
        }
        let found = timeout(limit, tokio::net::lookup_host((self.host(), self.port()))).await;
        let found = found.map_err(|_| ResolveError::Timeout { limit })?;
        let found = found.map_err(|error| ResolveError::Failed { message: error.to_string() })?;
        let mut addresses: Vec<SocketAddr> = Vec::new();
        for address in found.take(ADDRESSES_MAX) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if addresses.is_empty() { Err(ResolveError::NoAddress) } else { Ok(addresses) }
    }

    /// Opens a TCP connection and closes it; answers how long that took.
    ///
    /// # Errors
    /// [`ReachError`].
    pub async fn reach(&self, address: SocketAddr, limit: Duration) -> Result<Duration, ReachError> {
        let begin = Instant::now();
        connect(address, limit).await?;
        Ok(begin.elapsed())
    }
}

/// A TCP connection.
pub(super) async fn connect(address: SocketAddr, limit: Duration) -> Result<TcpStream, ReachError> {
    let connected = timeout(limit, TcpStream::connect(address)).await;
    connected.map_err(|_| ReachError::NoAnswer { limit })?.map_err(|error| reach_error(&error, limit))
}

/// What the system's words mean.
pub(super) fn reach_error(error: &io::Error, limit: Duration) -> ReachError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ReachError::Refused,
        io::ErrorKind::TimedOut => ReachError::NoAnswer { limit },
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::PermissionDenied => ReachError::Unreachable { message: error.to_string() },
        _ => ReachError::Failed { message: error.to_string() },
    }
}
