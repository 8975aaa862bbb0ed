//! What remote tracks want and tell.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use trackyard_proto::{DataTrackInfo, Request};

use crate::CipherError;
use crate::remote::{RemoteDropReason, RemoteTrackId, RemoteTrackStats, SubscribeError, SubscriptionId};

/// What comes next.
#[derive(Debug, Clone, PartialEq)]
pub enum RemoteOutput {
    /// Say this to the server.
    Request(Request),
    /// Tell the application.
    Event(RemoteEvent),
    /// Hand this to every subscription of the track.
    Item(RemoteTrackId, Received),
    /// Nothing more until then.
    Timeout(Option<Instant>),
}

/// What a subscription receives, in the order of the track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// A whole frame, in the clear.
    Frame(RemoteFrame),
    /// Frames that will not come.
    Gap(Gap),
}

/// A frame of another participant. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFrame {
    /// The application's bytes.
    pub payload: Bytes,
    /// As given by its publisher; Unix milliseconds by convention.
    pub user_timestamp: Option<u64>,
    /// Counts the track's frames, missing ones included, from some number; does not wrap.
    pub number: u64,
    /// 90 kHz from some base. Not to be relied on: one official client never advances it.
    pub timestamp: u32,
    /// When its last packet came.
    pub received: Instant,
    /// Identity of its publisher.
    pub publisher: Arc<str>,
    /// Its publisher has not pushed it: it had left it for the case that it vanishes, and has vanished.
    pub is_last_will: bool,
    /// The server had kept it for those who come late: it may have been pushed long before this client came.
    pub is_latched: bool,
}

/// Frames that will not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// How many; 0 if that is not known ([`RemoteDropReason::Restarted`]).
    pub frames: u64,
    /// Why.
    pub reason: RemoteDropReason,
}

/// What has become of a track or a subscription.
#[derive(Debug, Clone, PartialEq)]
pub enum RemoteEvent {
    /// A track can be subscribed to. It has the id of before if it is subscribed to still: the
    /// subscription goes on.
    Published {
        /// The track.
        track: RemoteTrackId,
        /// Identity of its publisher.
        publisher: Arc<str>,
        /// As announced.
        info: Arc<DataTrackInfo>,
    },
    /// A track is no longer published. Its subscriptions go on if its publisher publishes it again, under
    /// the same name and encrypted alike. Its last will may still follow: it travels on another way.
    Unpublished {
        /// The track.
        track: RemoteTrackId,
        /// Identity of its publisher.
        publisher: Arc<str>,
        /// As last announced.
        info: Arc<DataTrackInfo>,
        /// What it has counted.
        stats: RemoteTrackStats,
    },
    /// A track has become another publication of its publisher, without an end.
    Migrated {
        /// The track.
        track: RemoteTrackId,
        /// As announced now.
        info: Arc<DataTrackInfo>,
        /// What it was called before.
        old_sid: String,
    },
    /// The server sends the track's frames to this client: for the first time to these subscriptions.
    Subscribed {
        /// The track.
        track: RemoteTrackId,
        /// New ones among its subscriptions.
        subscriptions: Vec<SubscriptionId>,
    },
    /// These subscriptions have come to nothing, and are gone.
    SubscribeFailed {
        /// The track.
        track: RemoteTrackId,
        /// All of its subscriptions.
        subscriptions: Vec<SubscriptionId>,
        /// Why.
        error: SubscribeError,
    },
    /// Frames come and cannot be decrypted; said once for as long as the reason stays the same, and at most once
    /// in [`UNDECRYPTABLE_PAUSE`](crate::UNDECRYPTABLE_PAUSE).
    Undecryptable {
        /// The track.
        track: RemoteTrackId,
        /// Why; nothing if the frames are not encrypted though the track says so.
        error: Option<CipherError>,
    },
}
