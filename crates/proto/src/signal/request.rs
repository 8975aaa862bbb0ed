//! What a client asks for (`SignalRequest`, protocol appendix A).

mod new;

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Echo, SessionDescription, Trickle};
use crate::data_blob::{DataBlob, DataBlobKey};
use crate::data_track::{Encryption, FrameEncoding, Schema};
use crate::delivery::DeliveryWish;
use crate::participant::DisconnectReason;

/// One request of a client.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// An offer for the publisher connection.
    Offer(SessionDescription),
    /// The answer to the server's offer for the subscriber connection.
    Answer(SessionDescription),
    /// A candidate of the client.
    Trickle(Trickle),
    /// A media track; refused until media is built.
    AddTrack {
        /// The client's id of the track, by which it would be matched.
        cid: String,
        /// Sent back with the refusal.
        echo: Echo,
    },
    /// A deliberate end of the session.
    Leave(LeaveRequest),
    /// Liveness, the older form: the client's unix milliseconds.
    Ping(i64),
    /// Liveness with round trip, in unix milliseconds and milliseconds.
    PingReq {
        /// When it was sent.
        timestamp: i64,
        /// The client's last round trip.
        rtt: i64,
    },
    /// After a resume: what the client believes is published (protocol §9.1).
    SyncState(Box<SyncState>),
    /// A change of the participant's own name, metadata or attributes.
    UpdateMetadata(MetadataUpdate),
    /// Publish a data track.
    PublishDataTrack(PublishDataTrack),
    /// Unpublish a data track.
    UnpublishDataTrack {
        /// The publisher's handle as sent; may be out of range.
        pub_handle: u32,
        /// Sent back if it is refused.
        echo: Echo,
    },
    /// Subscribe to or unsubscribe from data tracks.
    UpdateDataSubscription(Vec<DataSubscription>),
    /// Who may subscribe to this participant's tracks.
    SubscriptionPermission(SubscriptionPermission),
    /// Keep a blob with the participant's session.
    StoreDataBlob {
        /// Correlates the answer.
        request_id: u32,
        /// What to keep; `None` is refused.
        blob: Option<DataBlob>,
    },
    /// Fetch a blob of a participant.
    GetDataBlob {
        /// Correlates the answer.
        request_id: u32,
        /// Whose.
        identity: String,
        /// Which; `None` is refused.
        key: Option<DataBlobKey>,
    },
    /// Understood but without effect yet, or unknown: the arm's name.
    Other(&'static str),
}

/// A client's goodbye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaveRequest {
    /// Becomes the participant's disconnect reason if it is one a client may give, else client-initiated.
    pub reason: DisconnectReason,
}

/// What a client believes to be published, after a resume.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SyncState {
    /// Sids (or, where the client left them out, cids) of its media tracks.
    pub publish_tracks: Vec<String>,
    /// Its data tracks: the sid, or `None` for an entry without info.
    pub publish_data_tracks: Vec<Option<String>>,
    /// Data subscriptions it wants kept; official clients leave it empty.
    pub data_subscription: Vec<DataSubscription>,
    /// What it has received on its reliable channel.
    pub receive_states: Vec<ReceiveState>,
}

/// How far a client has received the reliable packets of one sender (protocol §6.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiveState {
    /// The sender's session.
    pub publisher_sid: String,
    /// The last number that has come.
    pub last_sequence: u32,
}

/// A change of one's own state; `None` leaves a field as it is (protocol §7).
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataUpdate {
    /// Correlates the answer.
    pub request_id: u32,
    /// Replaces the name unless empty.
    pub name: Option<String>,
    /// Replaces the metadata unless empty.
    pub metadata: Option<String>,
    /// Merged; an empty value deletes.
    pub attributes: BTreeMap<String, String>,
    /// Sent back with the answer.
    pub echo: Echo,
}

/// A wish to publish a data track (protocol §5.1). Values are as sent, not yet checked.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishDataTrack {
    /// Must be 1..=65535 and unused.
    pub pub_handle: u32,
    /// Must be 1..=256 bytes and unused.
    pub name: String,
    /// End-to-end encryption.
    pub encryption: Encryption,
    /// How payloads are encoded.
    pub frame_encoding: Option<FrameEncoding>,
    /// What describes payloads.
    pub schema: Option<Schema>,
    /// A whole packet of the track, of one frame, that the server hands to its subscribers if the publisher
    /// vanishes without a word. A field of ours: other servers do not see it, and it is no part of `echo`.
    pub last_will: Option<Bytes>,
    /// The server is to keep the last whole frame for those who come late. A field of ours, as is the next.
    pub latch: bool,
    /// How its frames are to be handed on.
    pub delivery: DeliveryWish,
    /// Sent back if it is refused.
    pub echo: Echo,
}

/// One change of a data subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSubscription {
    /// Which track.
    pub track_sid: String,
    /// Subscribe, or unsubscribe.
    pub subscribe: bool,
    /// How frames are to be picked.
    pub options: SubscriptionOptions,
}

/// How frames of a subscription are to be picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SubscriptionOptions {
    /// At most so many frames per second.
    pub target_fps: Option<u32>,
    /// What else is wished. Fields of ours: other servers do not see them.
    pub delivery: DeliveryWish,
}

/// Who may subscribe to a publisher's tracks (protocol §8.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubscriptionPermission {
    /// Everyone may, to everything.
    pub all_participants: bool,
    /// Else only these.
    pub track_permissions: Vec<TrackPermission>,
}

/// What one participant may subscribe to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrackPermission {
    /// Names the participant, or empty.
    pub participant_sid: String,
    /// Names the participant, or empty.
    pub participant_identity: String,
    /// Every track.
    pub all_tracks: bool,
    /// Else these.
    pub track_sids: Vec<String>,
}
