//! The server in the world: rooms, a directory, and workers, with queues between them.

mod config;
mod desk;
mod slot;
mod workers;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use trackyard_auth::{Claims, Verified};
use trackyard_lanes::LaneStats;
use trackyard_peer::{ConnectionFactory, Transmit};
use trackyard_proto::join::JoinRequest;
use trackyard_proto::{Encoding, Outbound, Request, Response};
use trackyard_sfu::control::{Event, Now, PeerId, RoomKey, TrackKey, WorkerId};
use trackyard_sfu::directory;
use trackyard_sfu::forward::{DemuxKey, Worker};
use trackyard_sfu::room::{
    Admin, AdminId, AdminRequest, ConnectionId, Input, Join, Output, Resume, Room, RoomConfig,
};

pub use config::{NodeConfig, Pace};
use desk::Desk;
use slot::{RoomSlot, WorkerInput, WorkerSlot};

use super::mailbox::Mailbox;
use super::seat::SeatConfig;

/// Unix milliseconds at the beginning of each run.
const UNIX_MS: u64 = 1_700_000_000_000;

/// The server.
pub struct Node<F: ConnectionFactory> {
    config: NodeConfig,
    workers: Vec<WorkerSlot<F>>,
    rooms: BTreeMap<RoomKey, RoomSlot>,
    directory: directory::Memory,
    /// Looked up, never walked through: its order must not matter.
    claims: HashMap<DemuxKey, WorkerId>,
    connections: BTreeMap<ConnectionId, (RoomKey, usize)>,
    signals: VecDeque<Signal>,
    signal_bytes: BTreeMap<usize, u64>,
    transmits: VecDeque<Transmit>,
    next_id: u64,
    random: fastrand::Rng,
    begin: Instant,
    /// Datagrams that came to another worker than theirs.
    hops: u64,
    /// Datagrams that found a socket full.
    overflowed: u64,
    /// Datagrams that came from anywhere.
    arrived: u64,
    /// What found another worker's queue full.
    crowded_out: u64,
    buried: LaneStats,
    buried_waiting: u64,
    /// Which worker serves the next participant: in turn, so that what one worker does alone is no test's only case.
    turn: u16,
    /// What has crossed in one go: a packet crosses once to each worker.
    crossed: BTreeSet<(WorkerId, TrackKey, usize)>,
    /// Makes the connections of a worker that begins anew.
    factory: Box<dyn Fn(SocketAddr) -> F>,
}

/// Something for a client's signal connection; `None`: its end.
pub(super) struct Signal {
    pub(super) seat: usize,
    pub(super) connection: ConnectionId,
    pub(super) message: Option<Response>,
}

impl<F: ConnectionFactory> Node<F> {
    pub(super) fn new(
        config: NodeConfig,
        factory: impl Fn(SocketAddr) -> F + 'static,
        seed: u64,
        now: Instant,
    ) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let workers = (0..config.workers)
            .map(|id| WorkerSlot {
                worker: Worker::new(WorkerId(id), factory(config.address), config.worker.clone()),
                inbox: Mailbox::new(config.delay_max, random.u64(..)),
                foreign: BTreeMap::new(),
                foreign_seed: random.u64(..),
                wake: None,
                desk: Desk::default(),
            })
            .collect();
        Self {
            config,
            workers,
            rooms: BTreeMap::new(),
            directory: directory::Memory::default(),
            claims: HashMap::new(),
            connections: BTreeMap::new(),
            signals: VecDeque::new(),
            signal_bytes: BTreeMap::new(),
            transmits: VecDeque::new(),
            next_id: 1,
            random,
            begin: now,
            hops: 0,
            overflowed: 0,
            arrived: 0,
            crowded_out: 0,
            buried: LaneStats::default(),
            buried_waiting: 0,
            crossed: BTreeSet::new(),
            turn: 0,
            factory: Box::new(factory),
        }
    }

    /// The room of that name, if it is open.
    pub fn room(&self, name: &str) -> Option<&Room> {
        self.rooms.values().map(|slot| &slot.room).find(|room| room.info().name == name)
    }

    /// A worker.
    pub fn worker(&mut self, id: u16) -> &mut Worker<F> {
        &mut self.workers[usize::from(id)].worker
    }

    /// How many rooms are open.
    pub fn rooms(&self) -> usize {
        self.rooms.len()
    }

    /// How many addresses and names of connections the workers claim.
    pub fn claims(&self) -> usize {
        self.claims.len()
    }

    /// Bytes signalled to a client so far, if they are counted.
    pub fn signal_bytes(&self, client: super::ClientId) -> u64 {
        self.signal_bytes.get(&client.0).copied().unwrap_or_default()
    }

    /// How many workers there are.
    pub fn workers(&self) -> u16 {
        self.config.workers
    }

    /// Datagrams that came to another worker than theirs.
    pub fn hops(&self) -> u64 {
        self.hops
    }

    /// An administrator's wish.
    pub fn admin(&mut self, room: &str, admin: Admin, now: Instant) {
        let id = AdminId(self.next_id());
        self.input(room, Input::Admin(AdminRequest { id, admin }), now);
    }

    /// Any input to a room.
    pub fn input(&mut self, room: &str, input: Input, now: Instant) {
        let slot = self.rooms.values_mut().find(|slot| slot.room.info().name == room);
        slot.expect("the room is open").inbox.push(input, now);
    }

    /// A client enters; its messages go to the seat of that index.
    pub(super) fn enter(
        &mut self,
        seat: usize,
        config: &SeatConfig,
        (request, single): (JoinRequest, bool),
        now: Instant,
    ) -> ConnectionId {
        let connection = ConnectionId(self.next_id());
        let key = self.find_or_make(&config.room, now);
        self.connections.insert(connection, (key, seat));
        let verified = verified(config);
        let input = if request.reconnect {
            Input::Resume(Resume { connection, verified, request })
        } else {
            let peer = PeerId(self.next_id());
            let worker = WorkerId(self.turn % self.config.workers);
            self.turn = self.turn.wrapping_add(1);
            Input::Join(Box::new(Join { connection, peer, worker, verified, request, single }))
        };
        self.rooms.get_mut(&key).expect("just found").inbox.push(input, now);
        connection
    }

    pub(super) fn signal_closed(&mut self, connection: ConnectionId, now: Instant) {
        let Some((key, _)) = self.connections.remove(&connection) else { return };
        if let Some(slot) = self.rooms.get_mut(&key) {
            slot.inbox.push(Input::SignalClosed { connection }, now);
        }
    }

    pub(super) fn request(&mut self, connection: ConnectionId, request: Request, now: Instant) {
        let Some((key, _)) = self.connections.get(&connection) else { return };
        let input = Input::Signal { connection, request };
        if let Some(slot) = self.rooms.get_mut(key) {
            slot.inbox.push(input, now);
        }
    }

    pub(super) fn take_signals(&mut self) -> Vec<Signal> {
        self.signals.drain(..).collect()
    }

    pub(super) fn take_transmits(&mut self) -> Vec<Transmit> {
        self.transmits.drain(..).collect()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let workers = self.workers.iter().map(WorkerSlot::poll_timeout);
        let rooms =
            self.rooms.values().flat_map(|slot| [slot.room.poll_timeout(), slot.inbox.poll_timeout()]);
        workers.chain(rooms).flatten().min()
    }

    /// Does what is due; `true` if there was anything.
    pub(super) fn run(&mut self, now: Instant) -> bool {
        let mut busy = false;
        for at in 0..self.workers.len() {
            busy |= match self.config.pace {
                None => self.run_worker(at, now),
                Some(pace) => self.run_slow_worker(at, pace, now),
            };
        }
        let keys: Vec<_> = self.rooms.keys().copied().collect();
        for key in keys {
            busy |= self.run_room(key, now);
        }
        busy
    }

    fn event(&mut self, key: RoomKey, event: Event, now: Instant) {
        if let Some(slot) = self.rooms.get_mut(&key) {
            slot.inbox.push(Input::Event(event), now);
        }
    }

    fn run_room(&mut self, key: RoomKey, now: Instant) -> bool {
        let clocks = self.clocks(now);
        let Some(slot) = self.rooms.get_mut(&key) else { return false };
        let mut busy = false;
        while let Some(input) = slot.inbox.pop(now) {
            busy = true;
            slot.room.handle(input, clocks);
        }
        if slot.room.poll_timeout().is_some_and(|at| at <= now) {
            busy = true;
            slot.room.handle(Input::Timeout, clocks);
        }
        self.drain_room(key, clocks);
        busy
    }

    fn drain_room(&mut self, key: RoomKey, now: Now) {
        while let Some(output) = self.rooms.get_mut(&key).and_then(|slot| slot.room.poll_output()) {
            self.room_output(key, output, now);
        }
        self.rooms.retain(|_, slot| !slot.closed);
    }

    fn room_output(&mut self, key: RoomKey, output: Output, now: Now) {
        match output {
            Output::Signal { connection, message } => self.signal(connection, &message),
            Output::CloseSignal { connection } | Output::Refuse { connection, .. } => {
                if let Some((_, seat)) = self.connections.remove(&connection) {
                    self.signals.push_back(Signal { seat, connection, message: None });
                }
            }
            Output::Command { worker, command } => {
                self.workers[usize::from(worker.0)].inbox.push(WorkerInput::Command(command), now.instant);
            }
            Output::RefreshToken { connection, .. } => {
                self.signal(connection, &Outbound::new(Response::RefreshToken("refreshed".to_owned())));
            }
            Output::Directory(request) => {
                let reply = self.directory.apply(request);
                self.rooms
                    .get_mut(&key)
                    .expect("it has just spoken")
                    .inbox
                    .push(Input::Directory(reply), now.instant);
            }
            // What came of a wish is seen by what participants are told.
            Output::Admin { .. } | Output::Notice(_) => {}
            Output::Closed => self.rooms.get_mut(&key).expect("it has just spoken").closed = true,
        }
    }

    fn signal(&mut self, connection: ConnectionId, message: &Outbound) {
        let Some((_, seat)) = self.connections.get(&connection) else { return };
        if self.config.counts_signal_bytes {
            *self.signal_bytes.entry(*seat).or_default() += message.encode(Encoding::Binary).len() as u64;
        }
        let message = Some(message.response().clone());
        self.signals.push_back(Signal { seat: *seat, connection, message });
    }

    fn find_or_make(&mut self, name: &str, now: Instant) -> RoomKey {
        let found = self.rooms.iter().find(|(_, slot)| slot.room.info().name == name).map(|(key, _)| *key);
        found.unwrap_or_else(|| {
            let key = RoomKey(self.next_id());
            let config = RoomConfig { name: name.to_owned(), ..self.config.room.clone() };
            let room = Room::new(key, config, self.random.u64(..), self.clocks(now));
            let inbox = Mailbox::new(self.config.delay_max, self.random.u64(..));
            self.rooms.insert(key, RoomSlot { room, inbox, closed: false });
            key
        })
    }

    fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn clocks(&self, now: Instant) -> Now {
        let elapsed = u64::try_from((now - self.begin).as_millis()).unwrap_or(u64::MAX);
        Now { instant: now, unix_ms: UNIX_MS + elapsed }
    }
}

/// A token as its verification would give it.
fn verified(config: &SeatConfig) -> Verified {
    let mut video = config.grant.clone();
    video.room_join = true;
    video.room.clone_from(&config.room);
    let claims = Claims {
        identity: config.identity.clone(),
        video: Some(video),
        trackyard: config.tracks.clone(),
        ..Claims::default()
    };
    Verified { api_key: "devkey".to_owned(), claims, expires_at_unix_s: UNIX_MS / 1000 + 3600 }
}
