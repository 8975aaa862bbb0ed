//! The way from workers to rooms, apart from what clients say, so that no flood of theirs fills it.
//! Workers never wait: a full queue loses the event and counts it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use prometheus_client::metrics::counter::Counter;
use tokio::sync::{mpsc, watch};
use trackyard_net::EventSink;
use trackyard_sfu::control::{Event, RoomKey, WorkerId};

/// Events that may wait for one room.
const EVENTS_MAX: usize = 16_384;
/// Of these, what comes of packets takes no more: clients send them as they like, and what is lost then is an answer to a
/// call of the server's or a refusal, never what becomes of a session.
const PACKETS_MAX: usize = EVENTS_MAX / 2;

/// How often each worker has died, of those that have.
pub(super) type Deaths = BTreeMap<WorkerId, u64>;

/// Finds a room's queue of events by its key. Events are rare beside packets, of which none comes this
/// way but answers to calls of the server's own.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventRouter(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    queues: RwLock<HashMap<RoomKey, mpsc::Sender<Event>>>,
    lost: Counter,
    /// Not in the queues, so that no full one keeps a room from hearing of it.
    deaths: watch::Sender<Deaths>,
}

impl EventRouter {
    /// Events that found their room's queue full.
    pub(crate) fn lost(&self) -> Counter {
        self.0.lost.clone()
    }

    /// A room's queue, which the room is to read.
    pub(super) fn insert(&self, room: RoomKey) -> mpsc::Receiver<Event> {
        let (queue, events) = mpsc::channel(EVENTS_MAX);
        self.0.queues.write().unwrap_or_else(PoisonError::into_inner).insert(room, queue);
        events
    }

    /// What a room watches to know that it has to begin anew with a worker.
    pub(super) fn deaths(&self) -> watch::Receiver<Deaths> {
        self.0.deaths.subscribe()
    }

    pub(super) fn remove(&self, room: RoomKey) {
        self.0.queues.write().unwrap_or_else(PoisonError::into_inner).remove(&room);
    }
}

impl EventSink for EventRouter {
    fn deliver(&self, room: RoomKey, event: Event) {
        let queues = self.0.queues.read().unwrap_or_else(PoisonError::into_inner);
        // A room that has ended needs no events.
        let Some(queue) = queues.get(&room) else { return };
        let is_packet = matches!(event, Event::Reply { .. } | Event::TooLong { .. });
        let has_room = !is_packet || queue.capacity() > EVENTS_MAX - PACKETS_MAX;
        if !has_room || matches!(queue.try_send(event), Err(mpsc::error::TrySendError::Full(_))) {
            self.0.lost.inc();
        }
    }

    fn worker_lost(&self, worker: WorkerId) {
        self.0.deaths.send_modify(|deaths| *deaths.entry(worker).or_default() += 1);
    }
}
