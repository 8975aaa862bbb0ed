//! What goes into a room and what comes out of it.

use std::sync::Arc;

use trackyard_auth::Verified;
use trackyard_proto::join::JoinRequest;
use trackyard_proto::signal::LeaveAction;
use trackyard_proto::{Outbound, Request};

use super::admin::{AdminError, AdminId, AdminReply, AdminRequest};
use super::admission::Refusal;
use super::notice::Notice;
use crate::control::{Command, Event, PeerId, WorkerId};
use crate::directory::{DirectoryReply, DirectoryRequest};

/// One signal connection; a resumed session gets a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// What a room hears.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "inputs are moved once, and rare beside packets")]
pub enum Input {
    /// A client begins a session. Answered by a join or by [`Output::Refuse`].
    Join(Box<Join>),
    /// A client comes back to its session. Answered by a reconnect or by a leave.
    Resume(Resume),
    /// A client says something.
    Signal {
        /// On which connection.
        connection: ConnectionId,
        /// What.
        request: Request,
    },
    /// A signal connection has ended by itself.
    SignalClosed {
        /// Which.
        connection: ConnectionId,
    },
    /// A worker says something.
    Event(Event),
    /// The directory has answered.
    Directory(DirectoryReply),
    /// An administrator wants something. Answered by [`Output::Admin`], unless the room ends before.
    Admin(AdminRequest),
    /// The node stops: everyone has to leave, and do this next.
    Shutdown {
        /// What clients are told to do.
        action: LeaveAction,
    },
    /// The time of `poll_timeout` has come.
    Timeout,
}

/// A client that has been admitted and wants a new session.
#[derive(Debug, Clone)]
pub struct Join {
    /// Where its messages go.
    pub connection: ConnectionId,
    /// The new session; never used before.
    pub peer: PeerId,
    /// Who will serve its connections.
    pub worker: WorkerId,
    /// Its token.
    pub verified: Verified,
    /// What it asks for.
    pub request: JoinRequest,
    /// One peer connection; otherwise two (protocol §4.1).
    pub single: bool,
}

/// A client that wants its session back (protocol §9.1).
#[derive(Debug, Clone)]
pub struct Resume {
    /// Where its messages go from now on.
    pub connection: ConnectionId,
    /// Its token.
    pub verified: Verified,
    /// Names the session.
    pub request: JoinRequest,
}

/// What a room wants done, in this order.
#[derive(Debug)]
pub enum Output {
    /// Write this.
    Signal {
        /// Where.
        connection: ConnectionId,
        /// What; the same message may go to many.
        message: Outbound,
    },
    /// Close this connection after everything written before. No input of it matters any more.
    CloseSignal {
        /// Which.
        connection: ConnectionId,
    },
    /// There will be no session: answer the HTTP request with this instead of an upgrade.
    Refuse {
        /// Which.
        connection: ConnectionId,
        /// Why.
        refusal: Refusal,
    },
    /// Tell this to a worker.
    Command {
        /// Which.
        worker: WorkerId,
        /// What.
        command: Command,
    },
    /// Sign a token of these claims and write it as a refresh token.
    RefreshToken {
        /// Where.
        connection: ConnectionId,
        /// The token as it should be now.
        verified: Arc<Verified>,
    },
    /// Ask the directory this and give back its reply.
    Directory(DirectoryRequest),
    /// An administrator's wish was granted, or not.
    Admin {
        /// Which.
        id: AdminId,
        /// How it went.
        result: Result<AdminReply, AdminError>,
    },
    /// Something has become of the room or of a session; for the log and webhooks.
    Notice(Notice),
    /// The room has ended; forget it.
    Closed,
}
