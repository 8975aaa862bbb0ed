//! How a session is to be held.

use std::collections::BTreeMap;

use trackyard_proto::client::ClientInfo;
use trackyard_proto::join::JoinRequest;

/// The route of the signal connection (protocol §1.1), and with it the mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalVersion {
    /// `/rtc/v1`: one peer connection for both directions.
    V1,
    /// `/rtc`: one peer connection for each.
    V0,
}

/// How a session is to be held.
#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// What the server is told of this software.
    pub client: ClientInfo,
    /// Merged into the token's attributes if the token allows.
    pub attributes: BTreeMap<String, String>,
    /// Replaces the token's metadata if the token allows.
    pub metadata: String,
    /// Tried first. If the server does not know [`SignalVersion::V1`], the other one follows.
    pub version: SignalVersion,
    /// Decides the jitter of reconnection.
    pub seed: u64,
}

/// Calls over streams, and streams of version 2 (protocol §6.4, §6.5).
const CLIENT_PROTOCOL: i32 = 2;
/// Streams may come compressed.
const CAP_COMPRESSION_DEFLATE_RAW: i32 = 2;

impl Default for SessionConfig {
    fn default() -> Self {
        let client = ClientInfo {
            sdk: "rust".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: 17,
            client_protocol: CLIENT_PROTOCOL,
            capabilities: vec![CAP_COMPRESSION_DEFLATE_RAW],
            ..ClientInfo::default()
        };
        Self {
            client,
            attributes: BTreeMap::new(),
            metadata: String::new(),
            version: SignalVersion::V1,
            seed: 0,
        }
    }
}

/// A signal connection to open.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalRequest {
    /// Which route.
    pub version: SignalVersion,
    /// What to say. `reconnect` is set for a session that is to be resumed.
    pub join: JoinRequest,
}
