//! One room with everything around it, in virtual time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use trackyard_auth::{Claims, Verified, VideoGrant};
use trackyard_proto::join::JoinRequest;
use trackyard_proto::signal::{
    DataSubscription, DataTrackPublication, Echo, PublishDataTrack, Reason, SignalTarget,
    SubscriptionOptions, Trickle,
};
use trackyard_proto::{DataTrackInfo, Encryption, Outbound, Permission, Request, Response};
use trackyard_wire::Handle;

use super::view::View;
use super::worker::{FakeWorker, delivered};
use crate::control::{Command, Event, Now, PeerId, RoomKey, RouteBatch, RouteChange, WorkerId};
use crate::directory::{DirectoryRequest, Memory};
use crate::room::admission::Refusal;
use crate::room::{
    Admin, AdminError, AdminId, AdminReply, AdminRequest, ConnectionId, Input, Join, Notice, Output,
    ParticipantChange, Resume, Room, RoomConfig,
};

pub(super) const WORKERS: u16 = 3;

pub(super) struct Script {
    pub(super) seed: u64,
    pub(super) room: Room,
    pub(super) now: Now,
    pub(super) directory: Memory,
    /// Requests wait here while the directory is held.
    pub(super) asked: VecDeque<DirectoryRequest>,
    pub(super) directory_held: bool,
    pub(super) workers: BTreeMap<WorkerId, FakeWorker>,
    /// What workers have not done yet.
    pub(super) queue: VecDeque<(WorkerId, Task)>,
    pub(super) routes_held: bool,
    /// Inputs come together: what the room wants done waits for the next pump.
    pub(super) outputs_held: bool,
    pub(super) views: BTreeMap<ConnectionId, View>,
    pub(super) refused: BTreeMap<ConnectionId, Refusal>,
    pub(super) tokens: Vec<(ConnectionId, Arc<Verified>)>,
    pub(super) commands: Vec<Command>,
    pub(super) messages: Vec<(ConnectionId, Outbound)>,
    pub(super) notices: Vec<Notice>,
    /// What administrators were told.
    pub(super) answers: BTreeMap<AdminId, Result<AdminReply, AdminError>>,
    pub(super) ended: bool,
    peers_by_sid: BTreeMap<String, PeerId>,
    handles_by_sid: BTreeMap<String, u16>,
    peers_by_connection: BTreeMap<ConnectionId, PeerId>,
    next: u64,
}

/// What a worker is asked.
pub(super) enum Task {
    Route(RouteBatch),
    Close(PeerId),
}

/// One client.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    pub(super) connection: ConnectionId,
    pub(super) peer: PeerId,
    pub(super) worker: WorkerId,
    pub(super) claims: Claims,
}

/// How a client joins.
pub(super) struct Arrival {
    pub(super) claims: Claims,
    pub(super) request: JoinRequest,
    pub(super) single: bool,
    pub(super) worker: WorkerId,
}

impl Arrival {
    pub(super) fn new(identity: &str) -> Self {
        let video = Some(VideoGrant::join("lab"));
        let claims = Claims { identity: identity.into(), video, ..Claims::default() };
        let mut request = JoinRequest::default();
        request.client.protocol = 17;
        Self { claims, request, single: true, worker: WorkerId(0) }
    }

    pub(super) fn grant(mut self, edit: impl FnOnce(&mut VideoGrant)) -> Self {
        edit(self.claims.video.as_mut().unwrap());
        self
    }

    pub(super) fn dual(mut self) -> Self {
        self.single = false;
        self
    }

    pub(super) fn on(mut self, worker: u16) -> Self {
        self.worker = WorkerId(worker);
        self
    }

    pub(super) fn sdk(mut self, sdk: &str) -> Self {
        self.request.client.sdk = sdk.into();
        self
    }
}

impl Script {
    pub(super) fn new() -> Self {
        Self::with(RoomConfig::default())
    }

    pub(super) fn with(config: RoomConfig) -> Self {
        Self::seeded(config, 7)
    }

    #[allow(clippy::disallowed_methods, reason = "virtual time begins anywhere")]
    pub(super) fn seeded(config: RoomConfig, seed: u64) -> Self {
        let now = Now { instant: Instant::now(), unix_ms: 1_700_000_000_000 };
        let config = RoomConfig { name: "lab".into(), ..config };
        let mut script = Self {
            seed,
            room: Room::new(RoomKey(5), config, seed, now),
            now,
            directory: Memory::default(),
            asked: VecDeque::new(),
            directory_held: false,
            workers: (0..WORKERS).map(|id| (WorkerId(id), FakeWorker::default())).collect(),
            queue: VecDeque::new(),
            routes_held: false,
            outputs_held: false,
            views: BTreeMap::new(),
            refused: BTreeMap::new(),
            tokens: Vec::new(),
            commands: Vec::new(),
            messages: Vec::new(),
            notices: Vec::new(),
            answers: BTreeMap::new(),
            ended: false,
            peers_by_sid: BTreeMap::new(),
            handles_by_sid: BTreeMap::new(),
            peers_by_connection: BTreeMap::new(),
            next: 1,
        };
        script.pump();
        script
    }

    pub(super) fn handle(&mut self, input: Input) {
        self.room.handle(input, self.now);
        if !self.outputs_held {
            self.pump();
        }
    }

    /// Takes everything the room wants done until it wants nothing more.
    pub(super) fn pump(&mut self) {
        loop {
            while let Some(output) = self.room.poll_output() {
                self.output(output);
            }
            if !self.answer() {
                return;
            }
        }
    }

    /// Lets one worker or the directory answer, unless they are held.
    fn answer(&mut self) -> bool {
        if !self.directory_held
            && let Some(request) = self.asked.pop_front()
        {
            let reply = self.directory.apply(request);
            self.room.handle(Input::Directory(reply), self.now);
            return true;
        }
        !self.routes_held && self.apply_next()
    }

    /// Lets a worker do the oldest of what it was asked.
    pub(super) fn apply_next(&mut self) -> bool {
        let Some((worker, task)) = self.queue.pop_front() else { return false };
        let table = self.workers.get_mut(&worker).unwrap();
        match task {
            Task::Route(batch) => {
                let (room, version) = (batch.room, batch.version);
                table.apply(batch);
                self.room.handle(Input::Event(Event::Applied { worker, room, version }), self.now);
            }
            Task::Close(peer) => table.close(peer),
        }
        true
    }

    fn output(&mut self, output: Output) {
        assert!(!self.ended, "nothing follows the end: {output:?}");
        match output {
            Output::Signal { connection, message } => self.signal(connection, message),
            Output::CloseSignal { connection } => {
                let view = self.views.entry(connection).or_default();
                assert!(!std::mem::replace(&mut view.closed, true), "a connection is closed once");
            }
            Output::Refuse { connection, refusal } => {
                assert!(!self.views.contains_key(&connection), "a refusal is all there is");
                self.refused.insert(connection, refusal);
            }
            Output::Command { worker, command } => self.command(worker, command),
            Output::RefreshToken { connection, verified } => self.tokens.push((connection, verified)),
            Output::Directory(request) => self.asked.push_back(request),
            Output::Admin { id, result } => {
                assert!(self.answers.insert(id, result).is_none(), "an administrator is answered once");
            }
            Output::Notice(notice) => self.notices.push(notice),
            Output::Closed => self.ended = true,
        }
    }

    fn command(&mut self, worker: WorkerId, command: Command) {
        match command {
            Command::Open(open) => {
                assert!(self.workers.get_mut(&worker).unwrap().peers.insert(open.peer));
                self.commands.push(Command::Open(open));
            }
            Command::Route(batch) => self.queue.push_back((worker, Task::Route(batch))),
            Command::Close { peer } => self.queue.push_back((worker, Task::Close(peer))),
            other => self.commands.push(other),
        }
    }

    fn signal(&mut self, connection: ConnectionId, message: Outbound) {
        let response = message.response().clone();
        match &response {
            Response::Join(join) => {
                let peer = self.peers_by_connection[&connection];
                self.peers_by_sid.insert(join.participant.sid.clone(), peer);
            }
            Response::DataTrackPublished(DataTrackPublication { info, .. }) => {
                self.handles_by_sid.insert(info.sid.clone(), info.pub_handle);
                let peer = self.peers_by_connection[&connection];
                self.check_added(peer, info.pub_handle);
            }
            Response::SubscriberHandles(handles) => {
                let subscriber = self.peers_by_connection[&connection];
                for entry in handles {
                    let publisher = self.peers_by_sid[&entry.track.publisher_sid];
                    let pub_handle = Handle::new(self.handles_by_sid[&entry.track.track_sid]).unwrap();
                    let reached = delivered(&self.workers, publisher, pub_handle);
                    let served = reached.get(&subscriber).map(|handle| handle.get());
                    assert_eq!(served, Some(entry.handle), "a handle is told before its routes serve");
                }
            }
            _ => {}
        }
        self.views.entry(connection).or_default().hear(response);
        self.messages.push((connection, message));
    }

    fn check_added(&self, publisher: PeerId, pub_handle: u16) {
        let key = (publisher, Handle::new(pub_handle).unwrap());
        let applied = self.workers.values().any(|worker| worker.sources.contains_key(&key));
        let batches = self.queue.iter().filter_map(|(_, task)| match task {
            Task::Route(batch) => Some(batch),
            Task::Close(_) => None,
        });
        let sent = batches.flat_map(|batch| &batch.changes).any(|change| {
            matches!(change, RouteChange::AddTrack { publisher, handle, .. } if (*publisher, *handle) == key)
        });
        assert!(applied || sent, "a publisher is answered before its worker is told");
    }

    /// Time passes; timers fire when they are due.
    pub(super) fn pass(&mut self, duration: Duration) {
        let end = self.now.instant + duration;
        let mut rounds = 0;
        while let Some(due) = self.room.poll_timeout().filter(|due| *due <= end) {
            self.move_to(due.max(self.now.instant));
            self.handle(Input::Timeout);
            rounds += 1;
            assert!(rounds < 100_000, "timers fire without end");
        }
        self.move_to(end);
    }

    fn move_to(&mut self, instant: Instant) {
        let step = instant - self.now.instant;
        self.now = Now { instant, unix_ms: self.now.unix_ms + u64::try_from(step.as_millis()).unwrap() };
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// An administrator's wish; its answer is in `answers`, by the id that is returned.
    pub(super) fn wish(&mut self, admin: Admin) -> AdminId {
        let id = AdminId(self.next_id());
        self.handle(Input::Admin(AdminRequest { id, admin }));
        id
    }

    /// An administrator's wish that is answered at once.
    pub(super) fn admin(&mut self, admin: Admin) -> Result<AdminReply, AdminError> {
        let id = self.wish(admin);
        self.answers.remove(&id).expect("an administrator is answered at once")
    }

    /// Replaces what a participant may do, if it is here.
    pub(super) fn permit(&mut self, identity: &str, permission: Permission) {
        let change = ParticipantChange { permission: Some(permission), ..ParticipantChange::default() };
        let answer = self.admin(Admin::UpdateParticipant { identity: identity.to_owned(), change });
        assert!(matches!(answer, Ok(_) | Err(AdminError::NoParticipant)), "{answer:?}");
    }

    /// Asks to join; what comes of it is in `views` or `refused`.
    pub(super) fn ask(&mut self, arrival: Arrival) -> Guest {
        let (connection, peer) = (ConnectionId(self.next_id()), PeerId(self.next_id()));
        let Arrival { claims, request, single, worker } = arrival;
        let guest = Guest { connection, peer, worker, claims: claims.clone() };
        self.peers_by_connection.insert(connection, peer);
        let verified = verified(claims);
        self.handle(Input::Join(Box::new(Join { connection, peer, worker, verified, request, single })));
        guest
    }

    /// Joins and connects, and forgets what was said meanwhile.
    pub(super) fn join(&mut self, arrival: Arrival) -> Guest {
        let guest = self.ask(arrival);
        assert!(self.views.contains_key(&guest.connection), "{:?}", self.refused.get(&guest.connection));
        self.handle(Input::Event(Event::Connected { peer: guest.peer }));
        self.pass(Duration::from_secs(6));
        self.views.get_mut(&guest.connection).unwrap().messages.clear();
        guest
    }

    pub(super) fn guest(&mut self, identity: &str) -> Guest {
        self.join(Arrival::new(identity))
    }

    pub(super) fn resume(&mut self, guest: &Guest, sid: &str) -> Guest {
        let connection = ConnectionId(self.next_id());
        self.peers_by_connection.insert(connection, guest.peer);
        self.views.entry(connection).or_default().own_identity.clone_from(&guest.claims.identity);
        let request = JoinRequest { reconnect: true, participant_sid: sid.into(), ..JoinRequest::default() };
        self.handle(Input::Resume(Resume { connection, verified: verified(guest.claims.clone()), request }));
        Guest { connection, ..guest.clone() }
    }

    pub(super) fn say(&mut self, guest: &Guest, request: Request) {
        self.handle(Input::Signal { connection: guest.connection, request });
    }

    pub(super) fn event(&mut self, event: Event) {
        self.handle(Input::Event(event));
    }

    /// Publishes and returns what was answered.
    pub(super) fn publish(
        &mut self,
        guest: &Guest,
        handle: u32,
        name: &str,
    ) -> Result<Arc<DataTrackInfo>, Reason> {
        self.publish_as(guest, publication(handle, name))
    }

    pub(super) fn publish_as(
        &mut self,
        guest: &Guest,
        wish: PublishDataTrack,
    ) -> Result<Arc<DataTrackInfo>, Reason> {
        let before = self.view(guest).messages.len();
        let echo = wish.echo.clone();
        self.say(guest, Request::PublishDataTrack(wish));
        let answer = self.view(guest).messages[before..].iter().find_map(|message| match message {
            Response::DataTrackPublished(track) => Some(Ok(Arc::clone(&track.info))),
            Response::RequestResponse { request_id: 0, reason, echo: Some(sent), .. } if *sent == echo => {
                Some(Err(*reason))
            }
            _ => None,
        });
        answer.expect("a publication is answered at once")
    }

    pub(super) fn subscribe(&mut self, guest: &Guest, sid: &str) {
        self.say(guest, wants(sid, true));
    }

    pub(super) fn unsubscribe(&mut self, guest: &Guest, sid: &str) {
        self.say(guest, wants(sid, false));
    }

    pub(super) fn view(&self, guest: &Guest) -> &View {
        &self.views[&guest.connection]
    }

    /// What a client was told since it was last asked.
    pub(super) fn heard(&mut self, guest: &Guest) -> Vec<Response> {
        std::mem::take(&mut self.views.get_mut(&guest.connection).unwrap().messages)
    }

    pub(super) fn sid(&self, guest: &Guest) -> String {
        self.peers_by_sid.iter().find(|(_, peer)| **peer == guest.peer).unwrap().0.clone()
    }

    /// Under which handle a subscriber would receive a track's packets now.
    pub(super) fn receives(&self, subscriber: &Guest, publisher: &Guest, pub_handle: u16) -> Option<u16> {
        let reached = delivered(&self.workers, publisher.peer, Handle::new(pub_handle).unwrap());
        reached.get(&subscriber.peer).map(|handle| handle.get())
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed of the room: {}", self.seed);
        }
    }
}

pub(super) fn verified(claims: Claims) -> Verified {
    Verified { api_key: "key".into(), claims, expires_at_unix_s: 1_700_003_600 }
}

/// Something that can be told from any other echo.
pub(super) fn echo(text: &str) -> Echo {
    Echo::from(&Trickle { candidate_init: text.into(), target: SignalTarget::Publisher, last: false })
}

pub(super) fn publication(pub_handle: u32, name: &str) -> PublishDataTrack {
    PublishDataTrack {
        pub_handle,
        name: name.into(),
        encryption: Encryption::None,
        frame_encoding: None,
        schema: None,
        last_will: None,
        latch: false,
        delivery: Default::default(),
        echo: echo(&format!("{pub_handle} {}", name.len())),
    }
}

pub(super) fn wants(sid: &str, subscribe: bool) -> Request {
    let options = SubscriptionOptions::default();
    Request::UpdateDataSubscription(vec![DataSubscription { track_sid: sid.into(), subscribe, options }])
}

pub(super) fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}
