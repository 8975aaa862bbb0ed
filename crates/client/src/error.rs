//! What can go wrong with a connection, and what to do about it.

use std::net::SocketAddr;

use trackyard_http::tls::RootsError;
use trackyard_proto::DisconnectReason;

/// Why a signal connection cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignalError {
    /// The host's name has no address.
    #[error(
        "the host `{host}` cannot be resolved ({message}): check the name in the URL, and this machine's DNS"
    )]
    Dns {
        /// As in the URL.
        host: String,
        /// In the system's words.
        message: String,
    },
    /// Nothing accepts connections there.
    #[error(
        "nothing answers at {address} ({message}): check that the server runs, that its port is the URL's, and that no firewall is between"
    )]
    Unreachable {
        /// The address that was tried last.
        address: SocketAddr,
        /// In the system's words.
        message: String,
    },
    /// The server's certificate is not trusted, or it does not speak TLS.
    #[error(
        "no TLS with `{host}` ({message}): check the certificate's name, dates and issuer; a private issuer's root is added with `RoomOptions::with_root_certificates`"
    )]
    Tls {
        /// As in the URL.
        host: String,
        /// In the TLS library's words.
        message: String,
    },
    /// The server has answered with a status of its own.
    #[error("{}", refusal(*status, message))]
    Refused {
        /// Of HTTP.
        status: u16,
        /// In the server's words.
        message: String,
    },
    /// What answers is no signalling server.
    #[error("what answers does not speak the signalling protocol ({message}): check the URL's port and path")]
    Protocol {
        /// What is wrong.
        message: String,
    },
    /// There is no token to show.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Nothing came of it in time.
    #[error("the server has not answered in time: check for a firewall, a proxy, or an overloaded server")]
    Timeout,
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the token provider has failed: {message}")]
pub struct TokenError {
    /// In the provider's words.
    pub message: String,
}

/// Why a room is not connected to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL is none of a server.
    #[error("`{url}` is no server's URL ({message}): it looks like wss://host or ws://host:7880")]
    Url {
        /// As given.
        url: String,
        /// What is wrong.
        message: String,
    },
    /// A root certificate cannot be used, or the platform has none.
    #[error("TLS cannot be set up: {message}")]
    Roots {
        /// In the TLS library's words.
        message: String,
    },
    /// No socket can be opened.
    #[error("no UDP socket can be opened: {message}")]
    Sockets {
        /// In the system's words.
        message: String,
    },
    /// The signal connection cannot be opened.
    #[error(transparent)]
    Signal(#[from] SignalError),
    /// Signalling works, and data does not get through.
    #[error(
        "signalling works, and no connection for data comes up: neither UDP nor TCP reaches the addresses the server names \
         ({}): open its UDP and TCP ports, or check its `node_ip`{}",
        list(candidates),
        details(failures)
    )]
    NoPath {
        /// What the server says it is reached at.
        candidates: Vec<String>,
        /// TCP connections and relays that have failed, and why.
        failures: Vec<String>,
    },
    /// The server has ended the session before it was up.
    #[error("the server has ended the session: {reason:?}")]
    Ended {
        /// In the protocol's words.
        reason: DisconnectReason,
    },
    /// The server's session description cannot be used.
    #[error("the server's session description cannot be used: {message}")]
    Description {
        /// What is wrong.
        message: String,
    },
    /// It was closed before it was up.
    #[error("closed before it was connected")]
    Closed,
}

impl From<RootsError> for ConnectError {
    fn from(error: RootsError) -> Self {
        Self::Roots { message: error.message }
    }
}

fn refusal(status: u16, message: &str) -> String {
    let advice = match status {
        401 if message.contains("own metadata") => {
            "the token does not allow attributes or metadata to be set: it needs `canUpdateOwnMetadata`, or they belong into \
             the token"
        }
        401 if message.contains("expired") => "the token has expired: issue a new one, and check both clocks",
        401 => "check the API key and secret that signed the token, its dates, and both clocks",
        403 => "the token's grants do not allow it: it needs `roomJoin` and this room",
        404 if message.contains("room does not exist") => {
            "create the room first, or let the server create rooms by themselves (`room.auto_create`)"
        }
        404 => "there is no LiveKit-compatible server at this URL: check its port and path",
        429 | 503 => "the server is at a limit or shutting down: try again later",
        _ => "see the server's log",
    };
    let message = if message.is_empty() { "no reason given" } else { message };
    format!("the server refuses with status {status} ({message}): {advice}")
}

fn details(failures: &[String]) -> String {
    if failures.is_empty() { String::new() } else { format!(" (seen: {})", failures.join("; ")) }
}

fn list(candidates: &[String]) -> String {
    if candidates.is_empty() { "it has named none".to_owned() } else { candidates.join(", ") }
}
