//! What a peer answers.

use std::time::Instant;

use bytes::Bytes;

use super::messages::FlowChange;
use crate::connection::{ChannelKind, Target, Transmit};

/// What a peer wants after a call.
#[derive(Debug)]
pub enum PeerOutput {
    /// Send this; then poll again.
    Transmit(Transmit),
    /// This has happened; then poll again.
    Event(PeerEvent),
    /// Nothing more until then, or until the next call.
    Timeout(Option<Instant>),
}

/// What has happened to a peer.
#[derive(Debug)]
#[non_exhaustive]
pub enum PeerEvent {
    /// An offer for the client's subscriber connection.
    Offer {
        /// Pairs the answer with it.
        id: u32,
        /// The description.
        sdp: String,
    },
    /// Datagrams of a connection are recognised by this ICE user name from now on. Comes before the description that carries it.
    Credentials {
        /// Of which connection.
        target: Target,
        /// The user name.
        ufrag: String,
    },
    /// The primary connection is up: at first, and again when a connection comes back that had failed.
    Connected,
    /// The primary connection has lost its path, and may find it again.
    Interrupted,
    /// The path is back.
    Restored,
    /// A connection cannot be saved without the client. If it had lost its path, a restart of ICE may still
    /// bring it back.
    Failed(Target),
    /// A channel can be used.
    ChannelOpen(Target, ChannelKind),
    /// A message on the client's `_data_track` channel.
    Packet(Bytes),
    /// It has fallen so far behind with reliable packets that it has to begin anew. Said once.
    Behind,
    /// The sender of packets for it should pause, or may go on.
    Flow(FlowChange),
    /// A message on another channel.
    Message(ChannelKind, Bytes),
}
