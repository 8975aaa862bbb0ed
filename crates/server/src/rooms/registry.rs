//! Which rooms there are, and how a client gets into one.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use trackyard_auth::{Keys, Verified};
use trackyard_net::Workers;
use trackyard_proto::join::JoinRequest;
use trackyard_proto::signal::LeaveAction;
use trackyard_proto::{Outbound, RoomInfo};
use trackyard_sfu::control::{PeerId, RoomKey, WorkerId};
use trackyard_sfu::directory::{self, DirectoryReply, DirectoryRequest};
use trackyard_sfu::room::admission::Capacity;
use trackyard_sfu::room::{ConnectionId, Input, Join, Resume, Room, RoomConfig, RoomCounters, StateLimits};

use super::defaults::RoomDefaults;
use super::describe::{RoomDescription, Survey};
use super::driver::{Driver, Inbox};
use super::events::EventRouter;
use super::link::SignalLink;
use super::message::RoomMessage;
use super::sink::{SignalItem, SignalSource, signal_queue};
use crate::clock::Clock;
use crate::http::Refusal;
use crate::metrics::RoomTaskCounters;
use crate::webhooks::Webhooks;

/// What clients have said and a room has not read yet; whoever says more waits.
const MAILBOX_MAX: usize = 16_384;
/// Rooms of this node; a client that would make one more is refused.
const ROOMS_MAX: usize = 65_536;
/// How often a join is tried again when the room it found has just ended.
pub(super) const ATTEMPTS: usize = 4;
/// How long a room may take to say its first word.
const FIRST_MESSAGE_MAX: Duration = Duration::from_secs(10);

/// The rooms of this node. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Rooms(Arc<Shared>);

/// What all rooms share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) workers: Workers,
    pub(super) keys: Arc<Keys>,
    pub(super) webhooks: Webhooks,
    pub(super) clock: Clock,
    pub(super) counters: RoomTaskCounters,
    events: EventRouter,
    defaults: RoomDefaults,
    peers_max: u64,
    directory: Mutex<directory::Memory>,
    by_name: Mutex<HashMap<String, Entry>>,
    /// What rooms have counted that have ended.
    ended: Mutex<RoomCounters>,
    /// Sessions, tracks and rooms that have come or gone.
    turnover: AtomicU64,
    tasks: TaskTracker,
    next_id: AtomicU64,
}

/// What rooms work with.
#[derive(Debug)]
pub(crate) struct Wiring {
    /// Who carries packets.
    pub(crate) workers: Workers,
    /// Who may sign tokens.
    pub(crate) keys: Arc<Keys>,
    /// What workers say.
    pub(crate) events: EventRouter,
    /// Who is told what happens.
    pub(crate) webhooks: Webhooks,
    /// What time it is.
    pub(crate) clock: Clock,
}

/// The way to a room's task.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    key: RoomKey,
    pub(super) mailbox: mpsc::Sender<RoomMessage>,
    info: watch::Receiver<Arc<RoomInfo>>,
}

/// A session that has begun.
#[derive(Debug)]
pub(crate) struct Entered {
    /// Takes the client's requests to the room.
    pub(crate) link: SignalLink,
    /// Gives what the room says.
    pub(crate) source: SignalSource,
    /// What goes out before anything else.
    pub(crate) first: Outbound,
}

/// A client that has been admitted.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    /// Its token.
    pub(crate) verified: Verified,
    /// Which room.
    pub(crate) room: String,
    /// What it asks for.
    pub(crate) request: JoinRequest,
    /// One connection instead of two.
    pub(crate) single: bool,
    /// Where it is.
    pub(crate) address: SocketAddr,
}

impl Rooms {
    /// No rooms yet.
    pub(crate) fn new(wiring: Wiring, defaults: RoomDefaults) -> Self {
        let Wiring { workers, keys, events, webhooks, clock } = wiring;
        Self(Arc::new(Shared {
            workers,
            keys,
            webhooks,
            clock,
            counters: RoomTaskCounters::default(),
            events,
            peers_max: defaults.peers_max,
            defaults,
            directory: Mutex::default(),
            by_name: Mutex::default(),
            ended: Mutex::default(),
            turnover: AtomicU64::new(0),
            tasks: TaskTracker::new(),
            next_id: AtomicU64::new(1),
        }))
    }

    /// Whether a client could enter this room: it exists, or joining makes it.
    pub(crate) fn admits(&self, room: &str) -> bool {
        self.0.defaults.auto_create || self.find(room).is_some()
    }

    /// Takes a client to its room, which is made if need be, and waits for the session's first message.
    ///
    /// # Errors
    /// What the client is told instead of an upgrade.
    pub(crate) async fn enter(&self, arrival: Arrival) -> Result<Entered, Refusal> {
        for _ in 0..ATTEMPTS {
            let entry = self.room_for(&arrival)?;
            let connection = ConnectionId(self.0.next_id());
            let (sink, mut source) = signal_queue(arrival.address);
            let message = self.message(arrival.clone(), connection, sink);
            if entry.mailbox.send(message).await.is_err() {
                continue;
            }
            let link = SignalLink::new(connection, entry.mailbox);
            match timeout(FIRST_MESSAGE_MAX, source.recv()).await {
                Ok(Some(SignalItem::Message(first))) => return Ok(Entered { link, source, first }),
                Ok(Some(SignalItem::Refused(refusal))) => return Err(refusal),
                // The room has ended between being found and being asked.
                Ok(None) => {}
                Err(_) => return Err(Refusal::unavailable("the room does not answer; try again")),
            }
        }
        Err(Refusal::unavailable("the room is closing; try again"))
    }

    /// What each room looks like now.
    pub(crate) async fn describe(&self) -> Vec<RoomDescription> {
        let mailboxes: Vec<_> = self.0.table().values().map(|entry| entry.mailbox.clone()).collect();
        let mut descriptions = Vec::with_capacity(mailboxes.len());
        for mailbox in mailboxes {
            let (reply, answer) = oneshot::channel();
            if mailbox.send(RoomMessage::Describe(reply)).await.is_ok()
                && let Ok(description) = answer.await
            {
                descriptions.push(description);
            }
        }
        descriptions
    }

    /// Whether the node takes more participants, or why not.
    pub(crate) fn capacity(&self) -> Capacity {
        let mut alive = self.0.workers.stats();
        alive.retain(|worker| worker.is_alive);
        if !alive.is_empty() && alive.iter().all(|worker| worker.peers >= self.0.peers_max) {
            return Capacity::Full;
        }
        if alive.iter().all(|worker| worker.is_overloaded) { Capacity::Overloaded } else { Capacity::Free }
    }

    /// Bounds of names and state.
    pub(crate) fn limits(&self) -> StateLimits {
        self.0.defaults.config.limits.state
    }

    /// How many rooms there are.
    pub(crate) fn count(&self) -> usize {
        self.0.table().len()
    }

    /// All rooms, and what they have counted with those that have ended.
    pub(crate) async fn survey(&self) -> Survey {
        let mut counters = *self.0.ended();
        let rooms = self.describe().await;
        rooms.iter().for_each(|room| counters += room.counters);
        Survey { rooms, counters }
    }

    /// Events of workers that found their room's queue full.
    pub(crate) fn events_lost(&self) -> Counter {
        self.0.events.lost()
    }

    /// Sessions, tracks and rooms that have come or gone.
    pub(crate) fn turnover(&self) -> u64 {
        self.0.turnover.load(Ordering::Relaxed)
    }

    /// What room tasks have counted.
    pub(crate) fn counters(&self) -> &RoomTaskCounters {
        &self.0.counters
    }

    /// Who is told what happens in rooms.
    pub(crate) fn webhooks(&self) -> &Webhooks {
        &self.0.webhooks
    }

    /// What time it is.
    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The workers behind the rooms.
    pub(crate) fn workers(&self) -> &Workers {
        &self.0.workers
    }

    /// Tells everyone in every room to leave, and waits until all rooms have ended.
    pub(crate) async fn shut_down(&self, action: LeaveAction) {
        self.0.tasks.close();
        let mailboxes: Vec<_> = self.0.table().values().map(|entry| entry.mailbox.clone()).collect();
        for mailbox in mailboxes {
            // A room that has just ended needs no telling.
            let _ = mailbox.send(RoomMessage::input(Input::Shutdown { action })).await;
        }
        self.0.tasks.wait().await;
    }

    fn message(
        &self,
        arrival: Arrival,
        connection: ConnectionId,
        sink: super::sink::SignalSink,
    ) -> RoomMessage {
        let Arrival { verified, request, single, .. } = arrival;
        if request.reconnect {
            let resume = Resume { connection, verified, request };
            return RoomMessage::Resume(Box::new(resume), sink);
        }
        // The room's task chooses the worker, knowing which ones serve the room already.
        let (peer, worker) = (PeerId(self.0.next_id()), WorkerId(0));
        RoomMessage::Join(Box::new(Join { connection, peer, worker, verified, request, single }), sink)
    }

    /// A room that exists.
    pub(super) fn find(&self, name: &str) -> Option<Entry> {
        self.0.table().get(name).filter(|entry| !entry.mailbox.is_closed()).cloned()
    }

    /// All rooms that exist.
    pub(super) fn entries(&self) -> Vec<Entry> {
        self.0.table().values().filter(|entry| !entry.mailbox.is_closed()).cloned().collect()
    }

    /// What rooms start with.
    pub(super) fn defaults(&self) -> &RoomDefaults {
        &self.0.defaults
    }

    /// A room of that name, which is made if there is none.
    ///
    /// # Errors
    /// There is none, and none can be made.
    pub(super) fn find_or_make(
        &self,
        name: &str,
        config: impl FnOnce() -> Result<RoomConfig, Refusal>,
    ) -> Result<Entry, Refusal> {
        let mut table = self.0.table();
        if let Some(entry) = table.get(name).filter(|entry| !entry.mailbox.is_closed()) {
            return Ok(entry.clone());
        }
        if self.0.tasks.is_closed() {
            return Err(Refusal::unavailable("the server is shutting down"));
        }
        if table.len() >= ROOMS_MAX {
            return Err(Refusal::unavailable("the node takes no more rooms; try again"));
        }
        let entry = self.make(name, config()?);
        table.insert(name.to_owned(), entry.clone());
        Ok(entry)
    }

    /// The room a client enters. It may have ended since the client was admitted.
    fn room_for(&self, arrival: &Arrival) -> Result<Entry, Refusal> {
        let Arrival { room, verified, .. } = arrival;
        if !self.admits(room) {
            return Err(Refusal::new(StatusCode::NOT_FOUND, "requested room does not exist"));
        }
        let claims = &verified.claims;
        self.find_or_make(room, || {
            if !claims.room_preset.is_empty() {
                return Err(Refusal::bad_request("unknown room configuration in create room request"));
            }
            Ok(self.0.defaults.room(room, claims.room_config.as_ref()))
        })
    }

    fn make(&self, name: &str, config: RoomConfig) -> Entry {
        let shared = Arc::clone(&self.0);
        let key = RoomKey(shared.next_id());
        let (mailbox, receiver) = mpsc::channel(MAILBOX_MAX);
        let (events, deaths) = (shared.events.insert(key), shared.events.deaths());
        let inbox = Inbox { mailbox: receiver, events, deaths };
        let room = Room::new(key, config, fastrand::u64(..), shared.clock.now());
        let (shown, info) = watch::channel(room.info());
        let entry = Entry { key, mailbox, info };
        let guard = Registered { shared: Arc::clone(&shared), key, name: name.to_owned() };
        shared.tasks.clone().spawn(async move {
            let guard = guard;
            let mut inbox = Driver::new(room, shown, shared).run(inbox).await;
            inbox.mailbox.close();
            drop(guard);
        });
        entry
    }
}

impl Entry {
    /// The room as it is now.
    pub(super) fn shown(&self) -> Arc<RoomInfo> {
        Arc::clone(&self.info.borrow())
    }
}

impl Shared {
    pub(super) fn directory(&self, request: DirectoryRequest) -> DirectoryReply {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner).apply(request)
    }

    /// A room has ended; its counters are kept.
    pub(super) fn count_ended(&self, counters: RoomCounters) {
        *self.ended() += counters;
    }

    /// A session, a track or a room has come or gone.
    pub(super) fn note_turnover(&self) {
        self.turnover.fetch_add(1, Ordering::Relaxed);
    }

    fn ended(&self) -> MutexGuard<'_, RoomCounters> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    fn table(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A room's entries in the tables; gone with its task, even if that panics.
struct Registered {
    shared: Arc<Shared>,
    key: RoomKey,
    name: String,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.shared.events.remove(self.key);
        let mut table = self.shared.table();
        if table.get(&self.name).is_some_and(|entry| entry.key == self.key) {
            table.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests;
