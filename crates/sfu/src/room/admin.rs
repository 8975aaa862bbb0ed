//! What administrators may want of a room, and what they are told (protocol §10).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use thiserror::Error;
use trackyard_proto::media_track::TrackInfo;
use trackyard_proto::packet::{PacketKind, RpcErrorInfo};
use trackyard_proto::{ParticipantInfo, Permission, RoomInfo};

/// Pairs an answer with what was asked; chosen by who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AdminId(pub u64);

/// An administrator wants something. Answered by [`Output::Admin`](super::Output::Admin) with the same id, once.
#[derive(Debug, Clone)]
pub struct AdminRequest {
    /// Pairs the answer with it.
    pub id: AdminId,
    /// What is wanted.
    pub admin: Admin,
}

/// What an administrator may want.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Admin {
    /// Change what the room was made with, and let it stay as long as a new one.
    Configure(RoomChange),
    /// End the room.
    DeleteRoom,
    /// Show everyone, hidden participants included.
    ListParticipants,
    /// Show a participant.
    GetParticipant {
        /// Whom.
        identity: String,
    },
    /// Remove a participant.
    RemoveParticipant {
        /// Whom.
        identity: String,
    },
    /// Mute a media track, or unmute it.
    MuteTrack {
        /// Whose.
        identity: String,
        /// Which.
        track_sid: String,
        /// Or unmute.
        muted: bool,
    },
    /// Change a participant's state and what it may do.
    UpdateParticipant {
        /// Whose.
        identity: String,
        /// What changes.
        change: ParticipantChange,
    },
    /// Change what a participant is subscribed to.
    UpdateSubscriptions {
        /// Whose.
        identity: String,
        /// Which tracks, of whomever they are.
        track_sids: Vec<String>,
        /// Or no longer.
        subscribe: bool,
    },
    /// Say something to participants.
    SendData(ServerData),
    /// Replace the room's metadata.
    UpdateRoomMetadata {
        /// The new one.
        metadata: String,
    },
    /// Merge a patch into the room's metadata (RFC 7386).
    PatchRoomMetadata {
        /// What changes.
        patch: Value,
        /// Only if the metadata is of this revision.
        if_revision: Option<u64>,
    },
    /// Call a method that a participant has registered. The answer may take as long as the call.
    PerformRpc(Call),
}

/// What a room may be told of itself after it was made; `None`: as before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomChange {
    /// How long it stays before anyone has joined.
    pub empty_timeout: Option<Duration>,
    /// How long it stays after the last participant has left.
    pub departure_timeout: Option<Duration>,
    /// How many may be in it; those who are stay.
    pub max_participants: Option<u32>,
    /// Its metadata.
    pub metadata: Option<String>,
    /// Its tags.
    pub tags: Option<BTreeMap<String, String>>,
}

/// What changes about a participant; `None`, and in attributes what is not named: as before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParticipantChange {
    /// Its name.
    pub name: Option<String>,
    /// Its metadata.
    pub metadata: Option<String>,
    /// Merged; an empty value deletes.
    pub attributes: BTreeMap<String, String>,
    /// All it may do.
    pub permission: Option<Permission>,
}

/// A message of the server to participants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerData {
    /// What.
    pub data: Bytes,
    /// Whether it has to arrive.
    pub kind: PacketKind,
    /// What it is about.
    pub topic: Option<String>,
    /// To whom, by identity; with `sids` empty as well: everyone.
    pub identities: Vec<String>,
    /// To whom, by session.
    pub sids: Vec<String>,
    /// Names the message, so that it counts once; empty, or 16 bytes.
    pub nonce: Bytes,
}

/// A call of a participant's method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Whose.
    pub identity: String,
    /// Which.
    pub method: String,
    /// What it is given.
    pub payload: String,
    /// How long the answer may take.
    pub response_max: Duration,
}

/// What an administrator is told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AdminReply {
    /// It is done.
    Done,
    /// The room as it is now.
    Room(Arc<RoomInfo>),
    /// The participant as it is now.
    Participant(Arc<ParticipantInfo>),
    /// Everyone.
    Participants(Vec<Arc<ParticipantInfo>>),
    /// The track as it is now; `None` if there is no such track.
    Track(Option<Arc<TrackInfo>>),
    /// What a participant has answered.
    Payload(String),
    /// The room's metadata as they are now.
    Metadata {
        /// They themselves.
        metadata: String,
        /// How often they have changed.
        revision: u64,
    },
}

/// Why an administrator's wish was not granted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AdminError {
    /// Nobody of that identity is in the room.
    #[error("participant does not exist")]
    NoParticipant,
    /// Longer than it may be.
    #[error("{what} exceeds limits {limit}")]
    TooLong {
        /// What is.
        what: &'static str,
        /// In bytes.
        limit: usize,
    },
    /// What was asked for cannot be.
    #[error("{0}")]
    Invalid(&'static str),
    /// What was asked for cannot be as things are.
    #[error("{0}")]
    Precondition(&'static str),
    /// The metadata have changed since.
    #[error("the metadata are of revision {revision}")]
    Conflict {
        /// What they are of now.
        revision: u64,
    },
    /// So many calls wait for an answer already.
    #[error("{0} calls are waiting for an answer; try again")]
    TooManyCalls(usize),
    /// A call has failed.
    #[error("RpcError {}: {}", .0.code, .0.message)]
    Call(RpcErrorInfo),
}
