//! What can go wrong when a track is published or a frame is pushed.

use trackyard_proto::limits::LAST_WILL_PAYLOAD_BYTES;
use trackyard_proto::signal::Reason;

use crate::local::{LocalDropReason, PUBLISH_TIMEOUT, SchemaMismatch};
use crate::{CipherError, Frame};

/// Why a track is not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The name is empty or too long.
    #[error("a track's name has 1 to 256 bytes")]
    InvalidName,
    /// The name of an encoding of one's own is empty or too long.
    #[error("the name of a custom encoding has 1 to 32 bytes")]
    InvalidEncoding,
    /// What describes payloads does not fit how they are encoded.
    #[error("the schema does not fit the frame encoding: {0}")]
    Schema(#[from] SchemaMismatch),
    /// The last will is not one packet.
    #[error("a last will has at most {LAST_WILL_PAYLOAD_BYTES} bytes, not {bytes}")]
    LastWillTooLarge {
        /// What it has.
        bytes: usize,
    },
    /// The last will cannot be encrypted, and never leaves in the clear.
    #[error("the last will cannot be encrypted: {0}")]
    LastWillNotEncrypted(#[source] CipherError),
    /// This participant publishes a track of that name already.
    #[error("a track of this name is published already")]
    DuplicateName,
    /// Every handle is in use.
    #[error("all 65,535 handles are in use")]
    LimitReached,
    /// The track is to be encrypted in a way that no official client knows, or there is no key material.
    #[error("the track cannot be encrypted: there is no encryptor for this kind of encryption")]
    NoEncryptor,
    /// The server refuses it.
    #[error("the server refuses the track ({reason:?}): {message}")]
    Refused {
        /// In the protocol's words.
        reason: Reason,
        /// In the server's words.
        message: String,
    },
    /// The room is left, or was left meanwhile.
    #[error("the room is left")]
    Closed,
    /// The server has not answered.
    #[error(
        "the server has not answered within {} s: most likely it is an old one that does not know data tracks",
        PUBLISH_TIMEOUT.as_secs()
    )]
    Timeout,
}

/// Why a frame is not taken; it comes back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// The track is not published, or no longer.
    #[error("the track is not published")]
    Unpublished(Frame),
    /// The frame is dropped, and counted.
    #[error("the frame is dropped: {}", reason.label())]
    Dropped {
        /// What was pushed.
        frame: Frame,
        /// Why it is dropped.
        reason: LocalDropReason,
    },
    /// The frame cannot be encrypted; it is counted, and never sent in the clear.
    #[error("the frame cannot be encrypted: {error}")]
    NotEncrypted {
        /// What was pushed.
        frame: Frame,
        /// Why.
        #[source]
        error: CipherError,
    },
}

impl PushError {
    /// What was pushed.
    #[must_use]
    pub fn into_frame(self) -> Frame {
        match self {
            Self::Unpublished(frame) | Self::Dropped { frame, .. } | Self::NotEncrypted { frame, .. } => {
                frame
            }
        }
    }
}
