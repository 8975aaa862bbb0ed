//! What becomes of packets, and what can go wrong with them.

use trackyard_proto::{DataPacket, Encryption};
use trackyard_track::CipherError;

use super::outgoing::PacketId;

/// What becomes of packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PacketEvent {
    /// One has come. One that was encrypted has its value in the clear.
    Received {
        /// What it says.
        packet: Box<DataPacket>,
        /// How it has travelled. In an encrypted room others may still send in the clear, as with official clients.
        encryption: Encryption,
    },
    /// The channel has taken a reliable packet.
    Written(PacketId),
    /// A reliable packet has not been written, and will not be.
    Dropped {
        /// Which one.
        packet: PacketId,
        /// Why.
        reason: PacketDropReason,
    },
    /// A new session has begun. Of these packets, written in the one before, nobody knows whether they arrived.
    Unconfirmed(Vec<PacketId>),
    /// Packets of a participant cannot be decrypted. Said once for as long as the reason stays the same.
    Undecryptable {
        /// Whose; empty if it is hidden.
        identity: String,
        /// Why; nothing if this client has no keys at all.
        error: Option<CipherError>,
    },
}

/// Why a reliable packet is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PacketDropReason {
    /// Its flow was cancelled.
    #[error("it was cancelled")]
    Cancelled,
    /// This participant may not publish data any more.
    #[error("the participant may not publish data any more")]
    NotAllowed,
    /// The server of a new session takes only shorter ones.
    #[error("the server takes {limit} bytes at most")]
    TooLarge {
        /// What it takes.
        limit: usize,
    },
    /// The session has ended.
    #[error("the session has ended")]
    Closed,
}

/// Why a packet is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// It is too long for one message of a channel.
    #[error("a packet of {bytes} bytes is longer than the {limit} bytes of a message; send a stream instead")]
    TooLarge {
        /// What it has, with all that belongs to it.
        bytes: usize,
        /// What it may have.
        limit: usize,
    },
    /// Too much waits already.
    #[error("{bytes_max} bytes wait for the channel; wait until earlier packets are written")]
    Full {
        /// What may wait.
        bytes_max: usize,
    },
    /// This participant may not publish data.
    #[error("this participant may not publish data (`canPublishData`)")]
    NotAllowed,
    /// The room is encrypted, and the packet cannot be.
    #[error("the packet cannot be encrypted: {0}")]
    Encryption(#[from] CipherError),
    /// The session has ended.
    #[error("the session has ended")]
    Closed,
}

/// What a session has counted of packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PacketStats {
    /// Reliable packets that the channel has taken.
    pub reliable_written: u64,
    /// Of those, how many it has taken once more, after a resume.
    pub reliable_repeated: u64,
    /// Reliable packets that were not written.
    pub reliable_dropped: u64,
    /// Reliable packets of earlier sessions of which nobody knows whether they arrived.
    pub reliable_unconfirmed: u64,
    /// Lossy packets that the channel has taken.
    pub lossy_written: u64,
    /// Lossy packets that were dropped, for the channel held too much.
    pub lossy_dropped_full: u64,
    /// Lossy packets that were dropped while there was no channel.
    pub lossy_dropped_no_channel: u64,
    /// Packets that have come and were of use.
    pub received: u64,
    /// Reliable packets that had come before.
    pub duplicates: u64,
    /// Messages that are no packets.
    pub malformed: u64,
    /// Packets that cannot be decrypted.
    pub undecryptable: u64,
}
