//! Work in a room, for as long as there is a room.

use std::future::Future;
use std::pin::pin;

use anyhow::anyhow;
use trackyard::{EventsError, RoomEvent, RoomEvents};

use crate::failure::Failure;

/// Does the work, and says on standard error how the connection stands meanwhile.
///
/// # Errors
/// The work's own, or that the room has been left before it was done.
pub(crate) async fn while_joined<T>(
    events: &mut RoomEvents,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            outcome = &mut work => return outcome,
            event = events.recv() => drop(heard(event)?),
        }
    }
}

/// Says what an event means for the connection, and gives back what it means beside; nothing if some are lost.
///
/// # Errors
/// That the room has been left.
pub(crate) fn heard(event: Result<RoomEvent, EventsError>) -> Result<Option<RoomEvent>, Failure> {
    match event {
        Ok(RoomEvent::Disconnected(reason)) => Err(anyhow!("the room has been left: {reason:?}").into()),
        // The last event has said so already.
        Err(EventsError::Closed) => Err(anyhow!("the room has been left").into()),
        Ok(RoomEvent::Reconnecting) => {
            say!("note: the connection is down; restoring it");
            Ok(None)
        }
        Ok(RoomEvent::Reconnected { .. }) => {
            say!("note: the connection is up again");
            Ok(None)
        }
        Ok(event) => Ok(Some(event)),
        Err(EventsError::Overflowed { .. }) => Ok(None),
    }
}
