//! What reaches a room's task.

use tokio::sync::oneshot;
use trackyard_sfu::room::{Admin, Input, Join, Resume};

use super::admin::Answer;
use super::describe::RoomDescription;
use super::sink::SignalSink;

/// One item of a room's mailbox: small, because each room holds room for dozens.
#[derive(Debug)]
pub(crate) enum RoomMessage {
    /// A new session; everything for its connection goes to the sink.
    Join(Box<Join>, SignalSink),
    /// A session comes back on a new connection.
    Resume(Box<Resume>, SignalSink),
    /// Anything else the room understands.
    Input(Box<Input>),
    /// An administrator wants something.
    Admin(Box<Admin>, oneshot::Sender<Answer>),
    /// Asks what the room looks like.
    Describe(oneshot::Sender<RoomDescription>),
}

impl RoomMessage {
    /// Anything that the room understands without more.
    pub(crate) fn input(input: Input) -> Self {
        Self::Input(Box::new(input))
    }
}
