//! What an engine wants and tells.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use trackyard_peer::{ChannelKind, Target, Transmit};
use trackyard_proto::room::RoomInfo;
use trackyard_proto::signal::JoinResponse;
use trackyard_proto::{DisconnectReason, ParticipantInfo, Request, Response};
use trackyard_track::{LocalEvent, Received, RemoteEvent, RemoteTrackId};

use crate::blobs::DataBlobEvent;
use crate::config::SignalRequest;
use crate::packets::PacketEvent;
use crate::profile::ProfileEvent;

/// What comes next; `E` is what there is to tell.
#[derive(Debug)]
pub enum Output<E> {
    /// Open this signal connection, in place of any other; forget what the other one still says.
    OpenSignal(Box<SignalRequest>),
    /// Close the signal connection once what was said before is on its way.
    CloseSignal,
    /// Say this on the signal connection.
    Signal(Request),
    /// Send this from the socket of that connection.
    Transmit(Target, Transmit),
    /// Tell the application.
    Event(E),
    /// Nothing more until then.
    Timeout(Option<Instant>),
}

/// What an application is told.
#[derive(Debug)]
pub enum SessionEvent {
    /// Of the session as such.
    Engine(EngineEvent),
    /// Of a track that this client publishes.
    Local(LocalEvent),
    /// Of a track that another participant publishes.
    Remote(RemoteEvent),
    /// For every subscription of this track.
    Item(RemoteTrackId, Received),
    /// Of a data blob.
    DataBlob(DataBlobEvent),
    /// Of packets beside data tracks.
    Packet(PacketEvent),
    /// Of a change of this participant's own state.
    Profile(ProfileEvent),
}

/// What has become of a session.
#[derive(Debug)]
pub enum EngineEvent {
    /// The server has begun a session with this client: the first, or a new one in place of the one before,
    /// for which what was published is to be published anew.
    Joined(Box<JoinResponse>),
    /// Signalling, connections and channels are up for the first time.
    Connected,
    /// They are down in part.
    Reconnecting {
        /// The same session is to be resumed, rather than a new one joined.
        resuming: bool,
    },
    /// The server has kept the session. Answer with [`Engine::sync`](crate::Engine::sync).
    Resumed {
        /// Of this client's reliable packets, the last one that the server has seen; 0 if there is none.
        last_sequence: u32,
    },
    /// Everything is up again.
    Reconnected {
        /// It is the session of before.
        resumed: bool,
    },
    /// It is over. Nothing follows.
    Closed(CloseReason),
    /// Another participant, or this one, has changed.
    Participant(ParticipantChange, Arc<ParticipantInfo>),
    /// The complete lists of data tracks of these participants.
    Tracks(Vec<Arc<ParticipantInfo>>),
    /// The room has changed.
    Room(Arc<RoomInfo>),
    /// A token for later reconnects.
    TokenRefreshed(String),
    /// A message of a data channel.
    Message(ChannelKind, Bytes),
    /// An answer that is for others to understand.
    Response(Box<Response>),
}

/// How a participant has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParticipantChange {
    /// It is new.
    Joined,
    /// It is known and has changed.
    Updated,
    /// It is gone.
    Left,
}

/// Why a signal connection could not be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignalFailure {
    /// The server knows no such route.
    NotFound,
    /// The server has answered with this status: trying again is of no use if it is one of 400 to 499.
    Refused {
        /// Of HTTP.
        status: u16,
        /// What the server says.
        message: String,
    },
    /// The server was not reached, or has not answered as a server does.
    Unreachable(String),
}

/// Why a session is over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// The application has closed it.
    #[error("closed by this client")]
    Local,
    /// The server has ended it.
    #[error("ended by the server: {0:?}")]
    Server(DisconnectReason),
    /// The server refuses it.
    #[error("refused by the server with status {status}: {message}")]
    Refused {
        /// Of HTTP.
        status: u16,
        /// What the server says.
        message: String,
    },
    /// The signal connection could not be opened, for as long as was tried.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// The server describes its connection in a way that cannot be used.
    #[error("the server's session description cannot be used: {0}")]
    Description(String),
    /// Signalling works, and the peer connection does not come up.
    #[error("no connection for data: neither UDP nor TCP to the server's addresses works")]
    NoPath,
}
