//! Webhooks: what a server tells an application's backend about its rooms (protocol §10.1).

mod json;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{DisconnectReason, Kind, ParticipantInfo, ParticipantState, Permission, RoomInfo, TrackInfo};

/// The type of a webhook's body.
pub const CONTENT_TYPE: &str = "application/webhook+json";

/// Something has happened in a room.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WebhookEvent {
    /// What.
    pub kind: WebhookKind,
    /// `EV_…`; the same in each attempt to deliver it.
    pub id: String,
    /// When, in Unix seconds.
    pub created_at_s: u64,
    /// The room as it was then.
    pub room: Option<Arc<RoomInfo>>,
    /// The participant as it was then; in events of tracks `sid`, `identity` and `name` alone are filled.
    pub participant: Option<Arc<ParticipantInfo>>,
    /// In events of tracks. A data track is of kind `Data` and has a sid and a name.
    pub track: Option<Arc<TrackInfo>>,
    /// Why the room has ended, where the server says so.
    pub room_end_reason: RoomEndReason,
    /// Events that were dropped since the last one that was delivered.
    pub num_dropped: u32,
    /// What this crate does not know, as it came: egress, ingress, jobs of agents.
    pub other: Map<String, Value>,
}

/// What has happened.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum WebhookKind {
    /// A room has been made.
    RoomStarted,
    /// It has ended.
    RoomFinished,
    /// A participant is connected.
    ParticipantJoined,
    /// It has left.
    ParticipantLeft,
    /// It has left without ever having been connected.
    ParticipantConnectionAborted,
    /// It publishes a track.
    TrackPublished,
    /// It no longer does.
    TrackUnpublished,
    /// Anything else, by its name.
    Other(String),
}

/// Why a room has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RoomEndReason {
    /// The server does not say.
    #[default]
    Unknown,
    /// Somebody has deleted it.
    Deleted,
    /// Nobody was there for too long.
    Idle,
    /// The server has stopped.
    ServerShutdown,
    /// It goes on elsewhere.
    Superseded,
    /// It never began.
    OpenFailed,
}

impl WebhookKind {
    /// Those that this crate knows.
    pub const ALL: [Self; 7] = [
        Self::RoomStarted,
        Self::RoomFinished,
        Self::ParticipantJoined,
        Self::ParticipantLeft,
        Self::ParticipantConnectionAborted,
        Self::TrackPublished,
        Self::TrackUnpublished,
    ];

    /// The protocol's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::RoomStarted => "room_started",
            Self::RoomFinished => "room_finished",
            Self::ParticipantJoined => "participant_joined",
            Self::ParticipantLeft => "participant_left",
            Self::ParticipantConnectionAborted => "participant_connection_aborted",
            Self::TrackPublished => "track_published",
            Self::TrackUnpublished => "track_unpublished",
            Self::Other(name) => name,
        }
    }

    /// From the protocol's word.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == word);
        known.unwrap_or_else(|| Self::Other(word.to_owned()))
    }

    /// It is about a track.
    #[must_use]
    pub fn is_about_track(&self) -> bool {
        matches!(self, Self::TrackPublished | Self::TrackUnpublished)
    }
}

impl Default for WebhookKind {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl WebhookEvent {
    /// About how much memory it takes beside its fixed part.
    #[must_use]
    pub fn weight(&self) -> usize {
        let room = self.room.as_ref().map_or(0, |room| room.name.len() + room.metadata.len());
        let participant = self.participant.as_ref().map_or(0, |info| {
            let attributes: usize = info.attributes.iter().map(|(key, value)| key.len() + value.len()).sum();
            info.identity.len()
                + info.name.len()
                + info.metadata.len()
                + attributes
                + 64 * info.data_tracks.len()
        });
        room + participant + self.track.as_ref().map_or(0, |track| track.name.len())
    }
}

impl ParticipantInfo {
    /// A participant of which nothing but its names is told.
    #[must_use]
    pub fn named(sid: &str, identity: &str, name: &str) -> Self {
        Self {
            sid: sid.to_owned(),
            identity: identity.to_owned(),
            name: name.to_owned(),
            state: ParticipantState::default(),
            metadata: String::new(),
            attributes: BTreeMap::new(),
            joined_at_ms: 0,
            version: 0,
            permission: Permission {
                can_subscribe: false,
                can_publish: false,
                can_publish_data: false,
                can_publish_sources: Vec::new(),
                hidden: false,
                recorder: false,
                can_update_metadata: false,
                agent: false,
                can_subscribe_metrics: false,
            },
            region: String::new(),
            is_publisher: false,
            kind: Kind::default(),
            kind_details: Vec::new(),
            disconnect_reason: DisconnectReason::default(),
            tracks: Vec::new(),
            data_tracks: Vec::new(),
            client_protocol: 0,
            capabilities: Vec::new(),
        }
    }
}

impl From<DisconnectReason> for RoomEndReason {
    /// The reason that a room's participants are told.
    fn from(reason: DisconnectReason) -> Self {
        match reason {
            DisconnectReason::RoomDeleted => Self::Deleted,
            DisconnectReason::RoomClosed => Self::Idle,
            DisconnectReason::ServerShutdown => Self::ServerShutdown,
            DisconnectReason::Migration => Self::Superseded,
            _ => Self::Unknown,
        }
    }
}
