//! A participant as others see it (protocol §7).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::data_track::DataTrackInfo;
use crate::media_track::TrackInfo;

/// A snapshot of one participant. It always carries the complete list of data tracks: clients take
/// a track that is missing from the list for unpublished (protocol §5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParticipantInfo {
    /// `PA_…`, new at each full join.
    pub sid: String,
    /// The token's subject, unique in the room.
    pub identity: String,
    /// Display name.
    pub name: String,
    /// How far the session has come; never goes back.
    pub state: ParticipantState,
    /// Free text of at most 512 KiB.
    pub metadata: String,
    /// At most 64 KiB of keys and values.
    pub attributes: BTreeMap<String, String>,
    /// Unix milliseconds; also fills the legacy field in seconds.
    pub joined_at_ms: u64,
    /// Grows with each change within a session.
    pub version: u32,
    /// What the participant may do now.
    pub permission: Permission,
    /// Region of the node that serves it.
    pub region: String,
    /// Something is published.
    pub is_publisher: bool,
    /// What kind of program it is.
    pub kind: Kind,
    /// Numbers of `kind_details`, passed through.
    pub kind_details: Vec<i32>,
    /// Why it left; only with [`ParticipantState::Disconnected`].
    pub disconnect_reason: DisconnectReason,
    /// All its media tracks; this server carries none.
    pub tracks: Vec<Arc<TrackInfo>>,
    /// All its data tracks.
    pub data_tracks: Vec<Arc<DataTrackInfo>>,
    /// Which client-to-client protocol it speaks (0 legacy, 1 RPC over streams, 2 streams v2).
    pub client_protocol: i32,
    /// Numbers of its capabilities, passed through.
    pub capabilities: Vec<i32>,
}

/// Progress of a session; never backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum ParticipantState {
    /// Signalling is open.
    #[default]
    Joining,
    /// It has sent its first description.
    Joined,
    /// Its primary connection is up.
    Active,
    /// It has left.
    Disconnected,
}

/// What kind of program a participant is; from the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the protocol's own words")]
pub enum Kind {
    #[default]
    Standard,
    Ingress,
    Egress,
    Sip,
    Agent,
    Connector,
    Bridge,
}

/// What a participant may do (`ParticipantPermission`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the protocol's own words")]
pub struct Permission {
    pub can_subscribe: bool,
    pub can_publish: bool,
    pub can_publish_data: bool,
    /// Numbers of the track sources it may publish; empty means all.
    pub can_publish_sources: Vec<i32>,
    pub hidden: bool,
    pub recorder: bool,
    pub can_update_metadata: bool,
    pub agent: bool,
    pub can_subscribe_metrics: bool,
}

/// Why a session ended (protocol §1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the protocol's own words")]
pub enum DisconnectReason {
    #[default]
    Unknown,
    ClientInitiated,
    DuplicateIdentity,
    ServerShutdown,
    ParticipantRemoved,
    RoomDeleted,
    StateMismatch,
    JoinFailure,
    Migration,
    SignalClose,
    RoomClosed,
    UserUnavailable,
    UserRejected,
    SipTrunkFailure,
    ConnectionTimeout,
    MediaFailure,
    AgentError,
}
