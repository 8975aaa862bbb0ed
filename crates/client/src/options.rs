//! How a room is to be connected to.

use std::collections::BTreeMap;
use std::time::Duration;

use trackyard_proto::signal::IceServer;

use crate::encryption::E2eeOptions;

/// How long [`Room::connect`](crate::Room::connect) tries unless told otherwise.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long closing a room may take unless told otherwise.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// How a room is to be connected to.
///
/// ```
/// use std::time::Duration;
/// use trackyard::RoomOptions;
///
/// let options = RoomOptions::new()
///     .with_attribute("role", "robot")
///     .with_connect_timeout(Duration::from_secs(5));
/// assert_eq!(options.attributes["role"], "robot");
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RoomOptions {
    /// End-to-end encryption of what this participant publishes and receives.
    pub encryption: Option<E2eeOptions>,
    /// Merged into the token's attributes. A server refuses them, and with them the connection, unless the token
    /// has the grant `canUpdateOwnMetadata`.
    pub attributes: BTreeMap<String, String>,
    /// Replaces the token's metadata, if it is not empty; needs the same grant.
    pub metadata: String,
    /// One peer connection for both directions, as far as the server knows that; else one for each.
    pub single_peer_connection: bool,
    /// Certificates of issuers, in DER, that are trusted beside the platform's.
    pub root_certificates: Vec<Vec<u8>>,
    /// STUN and TURN servers to use beside those that the server names.
    pub ice_servers: Vec<IceServer>,
    /// Through TURN servers and no other way.
    pub relay_only: bool,
    /// How long connecting may take in all.
    pub connect_timeout: Duration,
    /// How long closing may take; what has not been said by then is not said.
    pub close_timeout: Duration,
}

impl Default for RoomOptions {
    fn default() -> Self {
        Self {
            encryption: None,
            attributes: BTreeMap::new(),
            metadata: String::new(),
            single_peer_connection: true,
            root_certificates: Vec::new(),
            ice_servers: Vec::new(),
            relay_only: false,
            connect_timeout: CONNECT_TIMEOUT,
            close_timeout: CLOSE_TIMEOUT,
        }
    }
}

impl RoomOptions {
    /// The default options.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With end-to-end encryption.
    #[must_use]
    pub fn with_encryption(mut self, encryption: E2eeOptions) -> Self {
        self.encryption = Some(encryption);
        self
    }

    /// With an attribute of this participant.
    #[must_use]
    pub fn with_attribute(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.insert(key.into(), value.into());
        self
    }

    /// With metadata of this participant.
    #[must_use]
    pub fn with_metadata(mut self, metadata: impl Into<String>) -> Self {
        self.metadata = metadata.into();
        self
    }

    /// With one peer connection for both directions, or one for each.
    #[must_use]
    pub fn with_single_peer_connection(mut self, single: bool) -> Self {
        self.single_peer_connection = single;
        self
    }

    /// With certificates of issuers, in DER, that are trusted beside the platform's.
    #[must_use]
    pub fn with_root_certificates(mut self, certificates: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.root_certificates.extend(certificates);
        self
    }

    /// With STUN and TURN servers beside those that the server names.
    #[must_use]
    pub fn with_ice_servers(mut self, servers: impl IntoIterator<Item = IceServer>) -> Self {
        self.ice_servers.extend(servers);
        self
    }

    /// Through TURN servers and no other way, or whatever way there is.
    #[must_use]
    pub fn with_relay_only(mut self, relay_only: bool) -> Self {
        self.relay_only = relay_only;
        self
    }

    /// With so much time for connecting.
    #[must_use]
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// With so much time for closing.
    #[must_use]
    pub fn with_close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }
}
