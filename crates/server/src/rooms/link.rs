//! A signal connection's way to its room. Dropping it tells the room that the connection is gone.

use tokio::sync::mpsc;
use trackyard_proto::Request;
use trackyard_sfu::room::{ConnectionId, Input};

use super::message::RoomMessage;

/// A signal connection's way to its room.
#[derive(Debug)]
pub(crate) struct SignalLink {
    connection: ConnectionId,
    mailbox: mpsc::Sender<RoomMessage>,
}

/// The room has ended.
#[derive(Debug)]
pub(crate) struct RoomGone;

impl SignalLink {
    pub(super) fn new(connection: ConnectionId, mailbox: mpsc::Sender<RoomMessage>) -> Self {
        Self { connection, mailbox }
    }

    /// Which connection this is.
    pub(crate) fn connection(&self) -> ConnectionId {
        self.connection
    }

    /// Hands a request to the room; waits while the room is busy, which holds the sender back.
    ///
    /// # Cancel safety
    /// Cancelling before it returns loses the request.
    pub(crate) async fn send(&self, request: Request) -> Result<(), RoomGone> {
        let input = Input::Signal { connection: self.connection, request };
        self.mailbox.send(RoomMessage::input(input)).await.map_err(|_| RoomGone)
    }
}

impl Drop for SignalLink {
    fn drop(&mut self) {
        let notice = RoomMessage::input(Input::SignalClosed { connection: self.connection });
        if let Err(mpsc::error::TrySendError::Full(notice)) = self.mailbox.try_send(notice) {
            let mailbox = self.mailbox.clone();
            // Ends as soon as the room takes it or ends itself.
            tokio::spawn(async move { mailbox.send(notice).await });
        }
    }
}
