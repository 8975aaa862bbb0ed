//! A TCP connection to a host with several addresses.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::endpoint::Endpoint;
use crate::error::SignalError;

/// An address that does not answer holds the next one up for this long (RFC 8305 §5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
/// Addresses of one host that are tried.
const ADDRESSES_MAX: usize = 16;

/// Connects to the first address that answers.
pub(super) async fn connect(endpoint: &Endpoint) -> Result<TcpStream, SignalError> {
    let addresses = interleaved(resolve(endpoint).await?);
    let mut attempts = JoinSet::new();
    let mut last = None;
    for address in addresses {
        attempts.spawn(async move { (address, TcpStream::connect(address).await) });
        let next = tokio::time::timeout(ATTEMPT_DELAY, attempts.join_next()).await;
        if let Some(stream) = next.ok().flatten().and_then(|attempt| succeeded(attempt, &mut last)) {
            return Ok(stream);
        }
    }
    while let Some(attempt) = attempts.join_next().await {
        if let Some(stream) = succeeded(attempt, &mut last) {
            return Ok(stream);
        }
    }
    Err(last.unwrap_or_else(|| unresolved(endpoint, "it has no address".to_owned())))
}

type Attempt = Result<(SocketAddr, io::Result<TcpStream>), tokio::task::JoinError>;

fn succeeded(attempt: Attempt, last: &mut Option<SignalError>) -> Option<TcpStream> {
    let (address, result) = attempt.ok()?;
    match result {
        Ok(stream) => {
            // Without it, small messages wait for acknowledgements; it works all the same.
            let _ = stream.set_nodelay(true);
            Some(stream)
        }
        Err(error) => {
            *last = Some(SignalError::Unreachable { address, message: error.to_string() });
            None
        }
    }
}

async fn resolve(endpoint: &Endpoint) -> Result<Vec<SocketAddr>, SignalError> {
    let found = tokio::net::lookup_host((endpoint.host.as_str(), endpoint.port)).await;
    match found {
        Ok(addresses) => Ok(addresses.take(ADDRESSES_MAX).collect()),
        Err(error) => Err(unresolved(endpoint, error.to_string())),
    }
}

fn unresolved(endpoint: &Endpoint, message: String) -> SignalError {
    SignalError::Dns { host: endpoint.host.clone(), message }
}

/// Families take turns, in the system's order (RFC 8305 §4).
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let mut second = second.into_iter();
    let mut ordered = Vec::new();
    for address in first {
        ordered.push(address);
        ordered.extend(second.next());
    }
    ordered.extend(second);
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let found = ["[::1]:1", "[::2]:1", "1.1.1.1:1", "2.2.2.2:1", "3.3.3.3:1"].map(address).to_vec();
        let expected = ["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "3.3.3.3:1"].map(address);
        assert_eq!(interleaved(found), expected);
    }
}
