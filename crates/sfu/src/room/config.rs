//! What a room starts with.

use std::collections::BTreeMap;
use std::time::Duration;

use trackyard_proto::limits;

use super::rules::TrackRules;

/// What a room starts with.
#[derive(Debug, Clone)]
pub struct RoomConfig {
    /// What clients ask for.
    pub name: String,
    /// How long it stays before anyone has joined.
    pub empty_timeout: Duration,
    /// How long it stays after the last participant has left.
    pub departure_timeout: Duration,
    /// 0: no limit. Dependents (agents, egress, recorders) do not count.
    pub max_participants: u32,
    /// Data tracks may be published.
    pub data_tracks: bool,
    /// Bounds of data blobs; `None`: participants keep none.
    pub blobs: Option<BlobLimits>,
    /// The room's first metadata.
    pub metadata: String,
    /// For the server's owner; clients do not see them.
    pub tags: BTreeMap<String, String>,
    /// How data tracks are scheduled.
    pub track_rules: TrackRules,
    /// Each data track's packets are counted on their own.
    pub meter_tracks: bool,
    /// Bounds of what clients can make the room hold or do.
    pub limits: RoomLimits,
    /// The node it runs on.
    pub node: NodeInfo,
}

/// What clients are told about a node.
#[derive(Debug, Clone)]
pub struct NodeInfo {
    /// `ND_…`.
    pub node_id: String,
    /// May be empty.
    pub region: String,
    /// `X.Y.Z`, between 1.8.0 and 1.13.6 (protocol §3.3).
    pub server_version: String,
    /// 17: 18 would promise negotiated data channels (protocol §4.6).
    pub server_protocol: i32,
    /// STUN and TURN servers without credentials.
    pub ice_urls: Vec<String>,
}

/// Bounds of what clients can make a room hold or do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomLimits {
    /// Signal messages a session may send at once.
    pub signal_burst: u32,
    /// Signal messages a session may send per second.
    pub signal_rate_hz: u32,
    /// Subscriptions to unknown tracks that one participant may have waiting.
    pub pending_subscriptions: usize,
    /// Entries (participants and tracks) of one publisher's subscription permission.
    pub permission_entries: usize,
    /// Bounds of names and state.
    pub state: StateLimits,
}

/// Bounds of names and state, in bytes; the protocol's unless configured otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateLimits {
    /// A room's name.
    pub room_name_bytes: usize,
    /// A participant's identity.
    pub identity_bytes: usize,
    /// A participant's display name.
    pub name_bytes: usize,
    /// A room's or a participant's metadata.
    pub metadata_bytes: usize,
    /// A participant's attributes, keys and values.
    pub attributes_bytes: usize,
    /// The name of an application's own frame or schema encoding.
    pub custom_encoding_bytes: usize,
}

/// Bounds of data blobs, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobLimits {
    /// A blob's key.
    pub key_bytes: usize,
    /// All blobs of a participant, keys and contents.
    pub bytes: usize,
}

impl Default for BlobLimits {
    fn default() -> Self {
        Self { key_bytes: limits::BLOB_KEY_BYTES, bytes: limits::BLOBS_BYTES }
    }
}

impl Default for RoomConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            empty_timeout: Duration::from_secs(300),
            departure_timeout: Duration::from_secs(20),
            max_participants: 0,
            data_tracks: true,
            blobs: Some(BlobLimits::default()),
            metadata: String::new(),
            tags: BTreeMap::new(),
            track_rules: TrackRules::default(),
            meter_tracks: false,
            limits: RoomLimits::default(),
            node: NodeInfo::default(),
        }
    }
}

impl Default for NodeInfo {
    fn default() -> Self {
        Self {
            node_id: "ND_trackyard".to_owned(),
            region: String::new(),
            server_version: "1.13.5".to_owned(),
            server_protocol: 17,
            ice_urls: Vec::new(),
        }
    }
}

impl Default for RoomLimits {
    fn default() -> Self {
        Self {
            signal_burst: 70_000,
            signal_rate_hz: 5_000,
            pending_subscriptions: 1_024,
            permission_entries: 65_536,
            state: StateLimits::default(),
        }
    }
}

impl Default for StateLimits {
    fn default() -> Self {
        Self {
            room_name_bytes: limits::NAME_BYTES,
            identity_bytes: limits::NAME_BYTES,
            name_bytes: limits::NAME_BYTES,
            metadata_bytes: limits::METADATA_BYTES,
            attributes_bytes: limits::ATTRIBUTES_BYTES,
            custom_encoding_bytes: limits::CUSTOM_ENCODING_BYTES,
        }
    }
}
