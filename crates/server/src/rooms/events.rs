//! The way from workers to rooms. Workers never wait: a full mailbox loses the event and counts it.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use prometheus_client::metrics::counter::Counter;
use tokio::sync::mpsc;
use trackyard_net::EventSink;
use trackyard_sfu::control::{Event, RoomKey};
use trackyard_sfu::room::Input;

use super::message::RoomMessage;

/// Finds a room's mailbox by its key. Events are rare beside packets, which never come this way.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventRouter(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    mailboxes: RwLock<HashMap<RoomKey, mpsc::Sender<RoomMessage>>>,
    lost: Counter,
}

impl EventRouter {
    /// Events that found their room's mailbox full.
    pub(crate) fn lost(&self) -> Counter {
        self.0.lost.clone()
    }

    pub(super) fn insert(&self, room: RoomKey, mailbox: mpsc::Sender<RoomMessage>) {
        self.0.mailboxes.write().unwrap_or_else(std::sync::PoisonError::into_inner).insert(room, mailbox);
    }

    pub(super) fn remove(&self, room: RoomKey) {
        self.0.mailboxes.write().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&room);
    }
}

impl EventSink for EventRouter {
    fn deliver(&self, room: RoomKey, event: Event) {
        let mailboxes = self.0.mailboxes.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        // A room that has ended needs no events.
        let Some(mailbox) = mailboxes.get(&room) else { return };
        if let Err(mpsc::error::TrySendError::Full(_)) =
            mailbox.try_send(RoomMessage::Input(Input::Event(event)))
        {
            self.0.lost.inc();
        }
    }
}
