//! What a raw client wants and sees.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use trackyard_peer::{ChannelKind, Target, Transmit};
use trackyard_proto::signal::{JoinResponse, SubscriberHandle};
use trackyard_proto::{DataTrackInfo, ParticipantInfo, Request, Response};

/// What a client wants after a call.
#[derive(Debug)]
pub enum ClientOutput {
    /// Send this over the signal connection; then poll again.
    Signal(Request),
    /// Send this from the connection's own address; then poll again.
    Transmit(Target, Transmit),
    /// This has happened; then poll again.
    Event(ClientEvent),
    /// Nothing more until then.
    Timeout(Option<Instant>),
}

/// What a client sees.
#[derive(Debug)]
pub enum ClientEvent {
    /// The session has begun.
    Joined(Box<JoinResponse>),
    /// The session goes on over a new signal connection.
    Resumed {
        /// The last reliable packet that the server has.
        last_message_seq: u32,
    },
    /// A connection is up.
    Connected(Target),
    /// A channel can be used.
    ChannelOpen(Target, ChannelKind),
    /// A connection has ended.
    Closed(Target),
    /// Participants have changed.
    Update(Vec<Arc<ParticipantInfo>>),
    /// One of its own tracks is published.
    Published(Arc<DataTrackInfo>),
    /// A subscribed track has a handle.
    Handle {
        /// Which.
        handle: SubscriberHandle,
        /// The track was announced before.
        announced: bool,
    },
    /// A frame is complete.
    Frame(ReceivedFrame),
    /// A frame was begun and cannot be completed.
    Broken {
        /// Of which track.
        sid: String,
    },
    /// A packet under a handle that nobody has announced.
    UnknownHandle(u16),
    /// A packet that is none.
    Malformed,
    /// A message on another channel.
    Message(ChannelKind, Bytes),
    /// Any other message of the server.
    Other(Box<Response>),
    /// The server has ended the signal connection.
    SignalClosed,
    /// A description could not be used.
    Failed(String),
}

/// A frame that has arrived.
#[derive(Debug, Clone)]
pub struct ReceivedFrame {
    /// Of which track.
    pub sid: String,
    /// The publisher's number of it.
    pub number: u16,
    /// When its last packet came.
    pub arrived: Instant,
    /// What it holds.
    pub payload: Vec<u8>,
}

/// What became of a frame that was to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// On its way.
    Accepted,
    /// Too much is waiting.
    Dropped,
    /// There is no track with that handle.
    Unpublished,
}
