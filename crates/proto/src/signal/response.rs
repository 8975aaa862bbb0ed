//! What a server says (`SignalResponse`, protocol appendix A).

use std::sync::Arc;

use super::{Echo, IceServer, SessionDescription, Trickle};
use crate::data_blob::{DataBlob, DataBlobKey};
use crate::data_track::DataTrackInfo;
use crate::participant::{DisconnectReason, ParticipantInfo};
use crate::room::RoomInfo;

/// One message of the server to a client.
#[derive(Debug, Clone, PartialEq)]
pub enum Response {
    /// First message of a new session.
    Join(Box<JoinResponse>),
    /// First message of a resumed session.
    Reconnect(ReconnectResponse),
    /// An offer for the subscriber connection; never in single peer connection mode.
    Offer(SessionDescription),
    /// The answer to the client's offer; carries the offer's id.
    Answer(SessionDescription),
    /// A candidate of the server.
    Trickle(Trickle),
    /// Changed participants, each with its complete list of data tracks.
    Update(Vec<Arc<ParticipantInfo>>),
    /// The room's own state has changed.
    RoomUpdate(Arc<RoomInfo>),
    /// How a request went.
    RequestResponse {
        /// The client's number for the request, or 0.
        request_id: u32,
        /// How it went.
        reason: Reason,
        /// For people.
        message: String,
        /// The request itself, where clients correlate by it.
        echo: Option<Echo>,
    },
    /// A data track is published.
    DataTrackPublished(DataTrackPublication),
    /// A data track is no longer published; also when the server took it away.
    DataTrackUnpublished(Arc<DataTrackInfo>),
    /// Handles under which packets of subscribed tracks arrive; clients merge.
    SubscriberHandles(Vec<SubscriberHandle>),
    /// A blob is kept.
    DataBlobStored {
        /// The request's.
        request_id: u32,
        /// What it is found by.
        key: DataBlobKey,
    },
    /// A blob that was asked for.
    DataBlob {
        /// The request's.
        request_id: u32,
        /// What was stored.
        blob: DataBlob,
    },
    /// A publisher has allowed or forbidden a track.
    SubscriptionPermissionUpdate {
        /// The publisher.
        participant_sid: String,
        /// Which track.
        track_sid: String,
        /// Whether it may be subscribed to.
        allowed: bool,
    },
    /// Asks the client of a single peer connection to offer again with so many sections more.
    MediaSectionsRequirement {
        /// Additional audio sections.
        audios: u32,
        /// Additional video sections.
        videos: u32,
    },
    /// Streams to named participants should pause, or may go on. A field of ours in an answer to no request, which
    /// official clients pass over.
    PauseStreams(bool),
    /// A fresh token for later reconnects.
    RefreshToken(String),
    /// Answer to `Ping`: the server's unix milliseconds.
    Pong(i64),
    /// Answer to `PingReq`.
    PongResp {
        /// The request's timestamp.
        last_ping_timestamp: i64,
        /// The server's unix milliseconds.
        timestamp: i64,
    },
    /// The session, or its connection, ends.
    Leave {
        /// Why.
        reason: DisconnectReason,
        /// What the client should do.
        action: LeaveAction,
    },
    /// Understood by nobody here yet; seen only by clients: the arm's name.
    Other(&'static str),
}

/// First message of a new session (protocol §3).
#[derive(Debug, Clone, PartialEq)]
pub struct JoinResponse {
    /// The room.
    pub room: RoomInfo,
    /// The participant itself.
    pub participant: Arc<ParticipantInfo>,
    /// Everyone else who is not hidden.
    pub other_participants: Vec<Arc<ParticipantInfo>>,
    /// `X.Y.Z`, between 1.8.0 and 1.13.6 (protocol §3.3).
    pub server_version: String,
    /// 17: 18 would promise negotiated data channels (protocol §4.6).
    pub server_protocol: i32,
    /// Region of this node.
    pub region: String,
    /// `ND_…`.
    pub node_id: String,
    /// The subscriber connection decides; false in single peer connection mode.
    pub subscriber_primary: bool,
    /// The client should negotiate its publisher connection at once.
    pub fast_publish: bool,
    /// Seconds between pings; never 0, which some clients divide by.
    pub ping_interval_s: i32,
    /// Seconds without an answer after which the client gives the connection up.
    pub ping_timeout_s: i32,
    /// STUN and TURN servers that the client may use.
    pub ice_servers: Vec<IceServer>,
    /// Random bytes of this room that end server-made media frames.
    pub sif_trailer: Vec<u8>,
}

/// First message of a resumed session (protocol §9.1).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReconnectResponse {
    /// As in the join response.
    pub server_version: String,
    /// As in the join response.
    pub server_protocol: i32,
    /// As in the join response.
    pub region: String,
    /// As in the join response.
    pub node_id: String,
    /// As in the join response.
    pub ice_servers: Vec<IceServer>,
    /// The last reliable packet seen of this participant.
    pub last_message_seq: u32,
}

/// A server's answer to the wish to publish a data track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataTrackPublication {
    /// As it is announced.
    pub info: Arc<DataTrackInfo>,
    /// The server keeps the last will that came with the wish. A field of ours: other servers keep none.
    pub last_will: bool,
    /// The server keeps the track's last whole frame for those who come late. A field of ours as well.
    pub latched: bool,
}

impl From<Arc<DataTrackInfo>> for DataTrackPublication {
    fn from(info: Arc<DataTrackInfo>) -> Self {
        Self { info, last_will: false, latched: false }
    }
}

/// One entry of the handle map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriberHandle {
    /// What packets to this subscriber carry; never 0.
    pub handle: u16,
    /// Which track it stands for.
    pub track: PublishedTrack,
}

/// A track by its publisher and sid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedTrack {
    /// Who publishes.
    pub publisher_identity: String,
    /// The publisher's session.
    pub publisher_sid: String,
    /// `DTR_…`.
    pub track_sid: String,
}

/// How a request went (`RequestResponse.Reason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the protocol's own words")]
pub enum Reason {
    Ok,
    NotFound,
    NotAllowed,
    LimitExceeded,
    Queued,
    UnsupportedType,
    UnclassifiedError,
    InvalidHandle,
    InvalidName,
    DuplicateHandle,
    DuplicateName,
    InvalidRequest,
}

/// What a client should do after a leave (protocol §1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaveAction {
    /// The session is over.
    Disconnect,
    /// Come back to the same session.
    Resume,
    /// Join anew.
    Reconnect,
}
