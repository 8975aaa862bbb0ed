//! The signal channel: requests of a client, responses of a server, and their two encodings.

mod codec;
mod echo;
mod ice_server;
mod outbound;
mod overlay;
mod parts;
mod request;
mod response;
mod trickle;

use std::collections::BTreeMap;

pub use codec::DecodeError;
pub use echo::Echo;
pub use ice_server::IceServer;
pub use outbound::{Encoding, Outbound};
pub use request::{
    DataSubscription, LeaveRequest, MetadataUpdate, PublishDataTrack, ReceiveState, Request,
    SubscriptionOptions, SubscriptionPermission, SyncState, TrackPermission,
};
pub use response::{
    DataTrackPublication, JoinResponse, LeaveAction, PublishedTrack, Reason, ReconnectResponse, Response,
    SubscriberHandle,
};
pub use trickle::{CandidateError, Trickle};

/// An SDP offer or answer (`SessionDescription`, protocol §4.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionDescription {
    /// Pairs an answer with its offer; 0 is accepted for any.
    pub id: u32,
    /// The description itself; its type follows from the message that carries it.
    pub sdp: String,
    /// Media tracks by the section that carries them to the client.
    pub mid_to_track_id: BTreeMap<String, String>,
}

/// Which of a participant's connections a candidate belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignalTarget {
    /// The client offers; the only one in single peer connection mode.
    Publisher,
    /// The server offers.
    Subscriber,
}
