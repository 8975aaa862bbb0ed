//! What published tracks want and tell.

use std::sync::Arc;
use std::time::Instant;

use trackyard_proto::{DataTrackInfo, Request};

use crate::local::{LocalTrackId, LocalTrackStats, PublishError};

/// What comes next.
#[derive(Debug, Clone, PartialEq)]
pub enum LocalOutput {
    /// Say this to the server.
    Request(Request),
    /// Tell the application.
    Event(LocalEvent),
    /// Nothing more until then.
    Timeout(Option<Instant>),
}

/// What has become of a publication.
#[derive(Debug, Clone, PartialEq)]
pub enum LocalEvent {
    /// The server has taken it: frames can be pushed.
    Published {
        /// The track.
        track: LocalTrackId,
        /// As the server announces it.
        info: Arc<DataTrackInfo>,
        /// The server keeps the track's last will; `false` if there is none, or the server knows of no such thing.
        last_will: bool,
        /// The server keeps the track's last whole frame for those who come late.
        latched: bool,
    },
    /// It is not published, and gone.
    PublishFailed {
        /// The track.
        track: LocalTrackId,
        /// Why.
        error: PublishError,
    },
    /// The server has taken it into a new session.
    Republished {
        /// The track.
        track: LocalTrackId,
        /// As the server announces it, with another sid.
        info: Arc<DataTrackInfo>,
        /// The server keeps the track's last will.
        last_will: bool,
        /// The server keeps the track's last whole frame for those who come late.
        latched: bool,
    },
    /// It was published, is not in the new session, and gone.
    RepublishFailed {
        /// The track.
        track: LocalTrackId,
        /// Why.
        error: PublishError,
        /// What it has counted.
        stats: LocalTrackStats,
    },
    /// The server has taken it away.
    Unpublished {
        /// The track.
        track: LocalTrackId,
        /// What it has counted.
        stats: LocalTrackStats,
    },
}
