//! What reaches a room's task.

use tokio::sync::oneshot;
use trackyard_sfu::room::{Admin, Input, Join, Resume};

use super::admin::Answer;
use super::describe::RoomDescription;
use super::sink::SignalSink;

/// One item of a room's mailbox.
#[derive(Debug)]
pub(crate) enum RoomMessage {
    /// A new session; everything for its connection goes to the sink.
    Join(Box<Join>, SignalSink),
    /// A session comes back on a new connection.
    Resume(Resume, SignalSink),
    /// Anything else the room understands.
    Input(Input),
    /// An administrator wants something.
    Admin(Box<Admin>, oneshot::Sender<Answer>),
    /// Asks what the room looks like.
    Describe(oneshot::Sender<RoomDescription>),
}
