//! What rooms and workers say to each other about user packets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use trackyard_proto::relay::Delivery;

use super::{PeerId, RoomKey};

/// What a worker knows of a participant to forward its user packets.
#[derive(Debug, Clone, Default)]
pub struct Seat {
    /// Its sid.
    pub sid: String,
    /// Its identity.
    pub identity: String,
    /// Others are not told who it is.
    pub is_hidden: bool,
    /// It may send user packets.
    pub may_send: bool,
    /// It may speak for others.
    pub is_agent: bool,
    /// It gets the measurements of others.
    pub wants_metrics: bool,
    /// How far its reliable packets have come.
    pub progress: Arc<Progress>,
}

/// The number of the last reliable packet that was taken from a participant (protocol §6.2).
///
/// Its worker writes it for each packet, its room reads it at a resume. A value that is a moment old is as good: the
/// client sends a packet once more, and the worker passes over it.
#[derive(Debug, Default)]
pub struct Progress(AtomicU32);

impl Progress {
    /// The last number; 0 before the first.
    #[must_use]
    pub fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes a number; `false` if it is no later than the last.
    pub(crate) fn advance(&self, sequence: u32) -> bool {
        let later = sequence > self.get();
        if later {
            self.0.store(sequence, Ordering::Relaxed);
        }
        later
    }
}

/// Who is to get a user packet; never its sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Everyone.
    All,
    /// Those who want the measurements of others.
    Metrics,
    /// Those named.
    Named {
        /// By identity.
        identities: Vec<String>,
        /// By sid.
        sids: Vec<String>,
    },
}

/// A user packet on its way, sealed with its sender.
#[derive(Debug)]
pub struct UserPacket {
    /// Who has sent it; `None`: the server.
    pub from: Option<PeerId>,
    /// On which kind of channel.
    pub delivery: Delivery,
    /// The sender's number for it, if it is reliable; 0 is none.
    pub sequence: u32,
    /// Who is to get it.
    pub audience: Audience,
    /// The packet.
    pub message: Bytes,
}

/// A user packet of the server itself.
#[derive(Debug, Clone)]
pub struct ServerPacket {
    /// In which room.
    pub room: RoomKey,
    /// The packet and who is to get it.
    pub packet: Arc<UserPacket>,
    /// Answers with this request id go to the room.
    pub awaits: Option<String>,
}
