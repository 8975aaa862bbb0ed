//! The signal channel: requests of a client, responses of a server, and their two encodings.

mod outbound;
mod request;
mod response;

pub use outbound::{Encoding, Outbound};
pub use request::{
    DataSubscription, Echo, LeaveRequest, MetadataUpdate, PublishDataTrack, Request, SubscriptionOptions,
    SubscriptionPermission, SyncState, TrackPermission,
};
pub use response::{
    JoinResponse, LeaveAction, PublishedTrack, Reason, ReconnectResponse, Response, SubscriberHandle,
};

/// An SDP offer or answer (`SessionDescription`, protocol §4.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionDescription {
    /// Pairs an answer with its offer; 0 is accepted for any.
    pub id: u32,
    /// The description itself; its type follows from the message that carries it.
    pub sdp: String,
}

/// Which of a participant's connections a candidate belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignalTarget {
    /// The client offers; the only one in single peer connection mode.
    Publisher,
    /// The server offers.
    Subscriber,
}

/// One ICE candidate (`TrickleRequest`, protocol §4.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trickle {
    /// The JSON of an `RTCIceCandidateInit`.
    pub candidate_init: String,
    /// Which connection.
    pub target: SignalTarget,
    /// The last one.
    pub last: bool,
}
