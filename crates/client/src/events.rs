//! What an application is told about a room.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_core::Stream;
use trackyard_proto::{DataBlobKey, Encryption, PacketKind, Permission};
use trackyard_session::{CloseReason, DataBlobError};
use trackyard_track::CipherError;

use crate::local_track::LocalDataTrack;
use crate::participant::{Participant, RemoteParticipant};
use crate::remote_track::RemoteDataTrack;

/// Events that wait for the application, data aside; when more come, the oldest go.
pub const EVENTS_MAX: usize = 4_096;
/// What [`RoomEvent::DataReceived`] may wait for the application, with a charge for each; when more comes, the oldest go.
pub const DATA_EVENTS_BYTES_MAX: usize = 32 << 20;
/// What a payload costs beside its bytes.
const DATA_EVENT_CHARGE: usize = 256;

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
    /// A participant can receive what is sent to it from now on. Nothing reliable that is sent before is lost, unless
    /// it takes more than a moment; what has to be answered is best sent now.
    ParticipantActive(RemoteParticipant),
    /// A participant has another name.
    ParticipantNameChanged {
        /// Whose.
        participant: Participant,
        /// What it was.
        before: String,
    },
    /// A participant has other metadata.
    ParticipantMetadataChanged {
        /// Whose.
        participant: Participant,
        /// What they were.
        before: String,
    },
    /// A participant has other attributes.
    ParticipantAttributesChanged {
        /// Whose.
        participant: Participant,
        /// Those that have changed; an empty value means that there is none any more.
        changed: BTreeMap<String, String>,
    },
    /// A participant may do something else than before.
    ParticipantPermissionsChanged {
        /// Who.
        participant: Participant,
        /// What it was allowed.
        before: Permission,
    },
    /// The room has other metadata.
    RoomMetadataChanged {
        /// What they are now.
        metadata: String,
    },
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
    /// A participant has sent a payload.
    DataReceived(DataReceived),
    /// A new session has begun. Of so many reliable packets that were sent in the one before, nobody knows whether they
    /// have arrived.
    DataUnconfirmed {
        /// How many.
        packets: usize,
    },
    /// Packets of a participant come and cannot be decrypted. Said once for as long as the reason stays the same.
    DataUndecryptable {
        /// Whose; empty if it is hidden.
        participant_identity: String,
        /// Why; nothing if this room was joined without encryption.
        error: Option<CipherError>,
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

/// A payload that a participant has sent.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DataReceived {
    /// What was sent.
    pub payload: Bytes,
    /// Under which topic.
    pub topic: Option<String>,
    /// How it was sent.
    pub kind: PacketKind,
    /// Who has sent it; nothing for a hidden participant, for one that has left already, and for a backend.
    pub participant: Option<RemoteParticipant>,
    /// The identity of who has sent it; empty for a hidden participant and for a backend.
    pub participant_identity: String,
    /// How it has travelled. In an encrypted room others may send in the clear all the same.
    pub encryption: Encryption,
}

/// Why there is no next event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EventsError {
    /// More than [`EVENTS_MAX`] waited, or more data than [`DATA_EVENTS_BYTES_MAX`]: the oldest are lost, and the state
    /// of the room is to be looked at anew. The next call gives the oldest that is left.
    #[error("{missed} events are lost: too many waited")]
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
    /// Each with its place among all.
    events: VecDeque<(u64, RoomEvent)>,
    data: VecDeque<(u64, DataReceived)>,
    data_bytes: usize,
    /// The place of the next one.
    next: u64,
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
            (std::mem::take(&mut waiting.events), std::mem::take(&mut waiting.data))
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
        waiting.push(event);
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
    fn push(&mut self, event: RoomEvent) {
        let place = self.next;
        self.next += 1;
        match event {
            RoomEvent::DataReceived(data) => {
                self.data_bytes += charge(&data);
                self.data.push_back((place, data));
                while self.data_bytes > DATA_EVENTS_BYTES_MAX && self.pop_data().is_some() {
                    self.missed += 1;
                }
            }
            event => {
                if self.events.len() >= EVENTS_MAX {
                    self.events.pop_front();
                    self.missed += 1;
                }
                self.events.push_back((place, event));
            }
        }
    }

    fn pop(&mut self) -> Option<RoomEvent> {
        let place = |first: Option<u64>| first.unwrap_or(u64::MAX);
        let event = place(self.events.front().map(|(place, _)| *place));
        let data = place(self.data.front().map(|(place, _)| *place));
        if data < event {
            return self.pop_data().map(RoomEvent::DataReceived);
        }
        self.events.pop_front().map(|(_, event)| event)
    }

    fn pop_data(&mut self) -> Option<DataReceived> {
        let (_, data) = self.data.pop_front()?;
        self.data_bytes -= charge(&data);
        Some(data)
    }

    fn next(&mut self) -> Result<Option<RoomEvent>, EventsError> {
        match std::mem::take(&mut self.missed) {
            0 => {}
            missed => return Err(EventsError::Overflowed { missed }),
        }
        match self.pop() {
            None if self.is_ended => Err(EventsError::Closed),
            event => Ok(event),
        }
    }
}

fn charge(data: &DataReceived) -> usize {
    data.payload.len() + data.topic.as_ref().map_or(0, String::len) + DATA_EVENT_CHARGE
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
