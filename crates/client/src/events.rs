//! What an application is told about a room.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use trackyard_proto::DataBlobKey;
use trackyard_session::{CloseReason, DataBlobError};
use trackyard_track::CipherError;

use crate::local_track::LocalDataTrack;
use crate::participant::RemoteParticipant;
use crate::remote_track::RemoteDataTrack;

/// Events that wait for the application; when more come, the oldest go.
pub const EVENTS_MAX: usize = 4_096;

/// What an application is told about a room. Frames never come this way.
///
/// Subscribing to whatever is published takes a task for each track, which goes on when a publisher comes
/// back:
///
/// ```no_run
/// use trackyard::{RemoteDataTrack, RoomEvent, RoomEvents, SubscribeError};
///
/// # async fn example(mut events: RoomEvents) -> Result<(), Box<dyn std::error::Error>> {
/// loop {
///     match events.recv().await? {
///         RoomEvent::DataTrackPublished(track) => drop(tokio::spawn(show(track))),
///         RoomEvent::Reconnecting => println!("the connection is down"),
///         RoomEvent::Reconnected { resumed } => println!("it is up again; the same session: {resumed}"),
///         RoomEvent::Disconnected(reason) => return Err(format!("out of the room: {reason:?}").into()),
///         _ => {}
///     }
/// }
///
/// async fn show(track: RemoteDataTrack) -> Result<(), SubscribeError> {
///     let mut frames = track.subscribe().await?;
///     while let Some(frame) = frames.next().await {
///         println!("{}/{}: {} bytes", track.publisher_identity(), track.name(), frame.payload().len());
///     }
///     Ok(())
/// }
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum RoomEvent {
    /// A participant has joined. Those who were there before are in
    /// [`Room::remote_participants`](crate::Room::remote_participants).
    ParticipantConnected(RemoteParticipant),
    /// A participant has left.
    ParticipantDisconnected(RemoteParticipant),
    /// A participant's name, metadata, attributes or permissions have changed.
    ParticipantChanged(RemoteParticipant),
    /// A data track of another participant can be subscribed to; also those that were there before. One that
    /// is subscribed to already is [republished](Self::DataTrackRepublished) instead.
    DataTrackPublished(RemoteDataTrack),
    /// A data track that this client is subscribed to is published again, by a publisher that has come back:
    /// its subscriptions go on, and there is nothing to do.
    DataTrackRepublished(RemoteDataTrack),
    /// A data track is no longer published. Its subscriptions go on should it be published again.
    DataTrackUnpublished(RemoteDataTrack),
    /// Frames of a track come and cannot be decrypted. Said once for as long as the reason stays the same.
    DataTrackUndecryptable {
        /// The track.
        track: RemoteDataTrack,
        /// Why; nothing if frames are not encrypted though the track says so.
        error: Option<CipherError>,
    },
    /// The server has taken a track of this client away, or has not taken it into a new session.
    LocalDataTrackUnpublished(LocalDataTrack),
    /// A data blob that was stored in an earlier session is not in this one, and is stored no more.
    DataBlobLost {
        /// What it was found by.
        key: DataBlobKey,
        /// Why.
        error: DataBlobError,
    },
    /// The connection is down in part, and is being restored. Tracks and subscriptions stay.
    Reconnecting,
    /// The connection is up again.
    Reconnected {
        /// The server has kept the session: nothing has changed for others. Otherwise tracks have been
        /// published and subscribed to anew.
        resumed: bool,
    },
    /// The room has been left. Nothing follows.
    Disconnected(CloseReason),
}

/// Why there is no next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EventsError {
    /// More than [`EVENTS_MAX`] waited: the oldest are lost, and the state of the room is to be looked at
    /// anew. The next call gives the oldest that is left.
    #[error("{missed} events are lost: more than {EVENTS_MAX} waited")]
    Overflowed {
        /// How many are lost.
        missed: u64,
    },
    /// The room is gone, and everything has been told.
    #[error("the room is gone")]
    Closed,
}

/// The events of a room, in order. A [`Stream`] as well.
#[derive(Debug)]
pub struct RoomEvents(Arc<EventQueue>);

/// Events that wait.
#[derive(Debug, Default)]
pub(crate) struct EventQueue(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<RoomEvent>,
    missed: u64,
    waker: Option<Waker>,
    /// Nothing more comes.
    is_ended: bool,
    /// Nobody listens.
    is_abandoned: bool,
}

impl RoomEvents {
    /// Empty, and not yet fed.
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// Where events come from.
    pub(crate) fn queue(&self) -> &Arc<EventQueue> {
        &self.0
    }

    /// The next event.
    ///
    /// # Errors
    /// [`EventsError`]: some are lost, or nothing more comes.
    ///
    /// # Cancel safety
    /// Nothing is lost when it is dropped.
    pub async fn recv(&mut self) -> Result<RoomEvent, EventsError> {
        std::future::poll_fn(|context| self.poll_recv(context)).await
    }

    /// The next event if there is one already.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn try_recv(&mut self) -> Result<Option<RoomEvent>, EventsError> {
        self.0.lock().next()
    }

    fn poll_recv(&self, context: &Context<'_>) -> Poll<Result<RoomEvent, EventsError>> {
        let mut waiting = self.0.lock();
        match waiting.next() {
            Ok(Some(event)) => Poll::Ready(Ok(event)),
            Ok(None) => {
                let before = waiting.waker.replace(context.waker().clone());
                // The last waker of a task may take what the task holds with it.
                drop(waiting);
                drop(before);
                Poll::Pending
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl Stream for RoomEvents {
    type Item = Result<RoomEvent, EventsError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_recv(context).map(|event| match event {
            Err(EventsError::Closed) => None,
            other => Some(other),
        })
    }
}

/// Events hold tracks, and tracks the room: nothing is kept that nobody listens to.
impl Drop for RoomEvents {
    fn drop(&mut self) {
        let events = {
            let mut waiting = self.0.lock();
            waiting.is_abandoned = true;
            std::mem::take(&mut waiting.events)
        };
        drop(events);
    }
}

impl EventQueue {
    pub(crate) fn push(&self, event: RoomEvent) {
        let mut waiting = self.lock();
        if waiting.is_abandoned {
            return;
        }
        if waiting.events.len() >= EVENTS_MAX {
            waiting.events.pop_front();
            waiting.missed += 1;
        }
        waiting.events.push_back(event);
        wake(waiting);
    }

    pub(crate) fn end(&self) {
        let mut waiting = self.lock();
        waiting.is_ended = true;
        wake(waiting);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn next(&mut self) -> Result<Option<RoomEvent>, EventsError> {
        match std::mem::take(&mut self.missed) {
            0 => {}
            missed => return Err(EventsError::Overflowed { missed }),
        }
        match self.events.pop_front() {
            None if self.is_ended => Err(EventsError::Closed),
            event => Ok(event),
        }
    }
}

/// Whoever is woken finds the lock free.
fn wake(mut waiting: MutexGuard<'_, Waiting>) {
    let waker = waiting.waker.take();
    drop(waiting);
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn events_beyond_the_bound_are_counted_and_the_latest_stay() {
        let mut events = RoomEvents::new();
        let queue = Arc::clone(events.queue());
        for _ in 0..EVENTS_MAX {
            queue.push(RoomEvent::Reconnecting);
        }
        queue.push(RoomEvent::Reconnected { resumed: true });
        queue.push(RoomEvent::Reconnected { resumed: true });
        queue.end();
        assert_eq!(events.recv().await.unwrap_err(), EventsError::Overflowed { missed: 2 });
        for _ in 0..EVENTS_MAX - 2 {
            assert!(matches!(events.recv().await, Ok(RoomEvent::Reconnecting)));
        }
        for _ in 0..2 {
            assert!(matches!(events.recv().await, Ok(RoomEvent::Reconnected { .. })));
        }
        assert_eq!(events.recv().await.unwrap_err(), EventsError::Closed);
    }

    #[tokio::test]
    async fn whoever_waits_is_woken() {
        let mut events = RoomEvents::new();
        let queue = Arc::clone(events.queue());
        let (told, ()) = tokio::join!(events.recv(), async { queue.push(RoomEvent::Reconnecting) });
        assert!(matches!(told, Ok(RoomEvent::Reconnecting)));
        let (told, ()) = tokio::join!(events.recv(), async { queue.end() });
        assert_eq!(told.unwrap_err(), EventsError::Closed);
    }

    #[test]
    fn nothing_is_kept_that_nobody_listens_to() {
        let events = RoomEvents::new();
        let queue = Arc::clone(events.queue());
        queue.push(RoomEvent::Reconnecting);
        drop(events);
        queue.push(RoomEvent::Reconnecting);
        assert!(queue.lock().events.is_empty());
    }
}
