//! The control plane: one room's members, permissions, data tracks, subscriptions and state.
//!
//! A [`Room`] is told what clients, workers, the directory and administrators say, and answers with
//! what is to be done. What a client relies on is the order of its own messages: the join or
//! reconnect first, a track's announcement before its handle, and a handle only when the workers
//! have confirmed the routes that serve it (protocol §5.3). Its code is one file per verb.

mod admin;
mod administer;
pub mod admission;
mod announce;
mod audience;
mod blobs;
mod bucket;
mod calls;
mod claims;
mod config;
mod counters;
mod deliver;
mod events;
mod flows;
mod former;
mod handles;
mod io;
mod join;
mod last_wills;
mod leave;
mod lifetime;
mod limits;
mod member;
mod members;
mod metadata;
mod meters;
mod notice;
mod packets;
mod permission;
mod profile;
mod publish;
mod published;
mod resume;
mod routes;
pub mod rules;
mod seats;
mod server_data;
mod signal;
mod state;
mod subscribe;
mod subscriptions;
mod timers;
mod track;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use trackyard_proto::sid::{self, SidKind};
use trackyard_proto::{Outbound, ParticipantInfo, Response, RoomInfo};

use self::announce::Announcements;
use self::calls::Calls;
use self::claims::Claims;
use self::flows::Flows;
use self::former::Former;
use self::last_wills::LastWills;
use self::lifetime::Lifetime;
use self::members::Members;
use self::routes::Routes;
use self::seats::Seats;
use self::timers::Timers;
use self::track::Tracks;
use crate::control::{Now, PeerId, RoomKey, WorkerId};
use crate::directory::Revision;
use crate::nonces::Nonces;

pub use admin::{
    Admin, AdminError, AdminId, AdminReply, AdminRequest, Call, ParticipantChange, RoomChange, ServerData,
};
pub use config::{BlobLimits, NodeInfo, RoomConfig, RoomLimits, StateLimits};
pub use counters::RoomCounters;
pub use io::{ConnectionId, Input, Join, Output, Resume};
pub use meters::TrackFigures;
pub use notice::{News, Notice, SessionNotice, Subject};
pub use rules::{TrackRule, TrackRules};

/// Outputs for which room is kept when all have been taken.
const OUTPUTS_KEPT: usize = 64;

/// One room. After [`handle`](Self::handle), drain [`poll_output`](Self::poll_output). What has come together may be
/// handed in together: what it leads to is then said once.
#[derive(Debug)]
pub struct Room {
    key: RoomKey,
    config: RoomConfig,
    random: fastrand::Rng,
    info: Arc<RoomInfo>,
    /// The revision of the room's record; `None` until the directory has agreed.
    record: Option<Revision>,
    sif_trailer: Vec<u8>,
    claims: Claims,
    members: Members,
    former: Former,
    tracks: Tracks,
    /// Counts publications; also numbers the next track.
    serial: u64,
    routes: Routes,
    seats: Seats,
    flows: Flows,
    announcements: Announcements,
    last_wills: LastWills,
    calls: Calls,
    nonces: Nonces,
    /// How often the room's metadata have changed.
    metadata_revision: u64,
    /// Those who wait for an unknown track.
    pending: BTreeSet<PeerId>,
    /// Those who are to be told handles.
    ready: BTreeSet<PeerId>,
    timers: Timers,
    lifetime: Lifetime,
    outputs: VecDeque<Output>,
    /// Inputs were handled since outputs were last taken.
    is_unflushed: bool,
    counters: RoomCounters,
    /// When the input that is being handled came.
    now: Now,
    closed: bool,
}

impl Room {
    /// A room without anyone in it. The seed decides its identifiers and first handles.
    #[must_use]
    pub fn new(key: RoomKey, mut config: RoomConfig, seed: u64, now: Now) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        config.track_rules = config.track_rules.for_room(&config.name);
        let info = Arc::new(lifetime::first_info(&config, &mut random, now));
        let sif_trailer = std::iter::repeat_with(|| random.u8(..)).take(16).collect();
        let mut room = Self {
            key,
            config,
            random,
            info,
            record: None,
            sif_trailer,
            claims: Claims::default(),
            members: Members::default(),
            former: Former::default(),
            tracks: Tracks::default(),
            serial: 0,
            routes: Routes::new(key),
            seats: Seats::default(),
            flows: Flows::default(),
            announcements: Announcements::default(),
            last_wills: LastWills::default(),
            calls: Calls::default(),
            nonces: Nonces::default(),
            metadata_revision: 0,
            pending: BTreeSet::new(),
            ready: BTreeSet::new(),
            timers: Timers::default(),
            lifetime: Lifetime::default(),
            outputs: VecDeque::new(),
            is_unflushed: false,
            counters: RoomCounters::default(),
            now,
            closed: false,
        };
        room.begin();
        room
    }

    /// Something has happened. A room that has closed only refuses.
    pub fn handle(&mut self, input: Input, now: Now) {
        self.now = now;
        self.dispatch(input);
        self.fire_timers();
        self.is_unflushed = true;
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        if std::mem::take(&mut self.is_unflushed) {
            self.flush();
        }
        let output = self.outputs.pop_front();
        if output.is_none() {
            self.outputs.shrink_to(OUTPUTS_KEPT);
        }
        output
    }

    /// When [`Input::Timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The room's own state.
    #[must_use]
    pub fn info(&self) -> Arc<RoomInfo> {
        Arc::clone(&self.info)
    }

    /// What its owner has written on it.
    #[must_use]
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.config.tags
    }

    /// Which workers serve how many of its participants.
    pub fn served_by(&self) -> impl Iterator<Item = (WorkerId, usize)> {
        self.seats.counts()
    }

    /// Everyone in it, hidden ones included.
    pub fn participants(&self) -> impl Iterator<Item = Arc<ParticipantInfo>> {
        self.members.iter().map(member::Member::peek)
    }

    /// What it has counted.
    #[must_use]
    pub fn counters(&self) -> &RoomCounters {
        &self.counters
    }

    fn dispatch(&mut self, input: Input) {
        match input {
            Input::Join(join) => self.ask_to_join(join),
            Input::Resume(resume) => self.resume(resume),
            Input::Signal { connection, request } => self.request(connection, request),
            Input::SignalClosed { connection } => self.signal_closed(connection),
            Input::Event(event) => self.event(event),
            Input::Directory(reply) => self.directory_replied(reply),
            Input::Admin(request) => self.admin(request),
            Input::Shutdown { action } => self.shut_down(action),
            Input::Timeout => {}
        }
    }

    /// Announcements go before handles, and packets flow only after their handle is told.
    fn flush(&mut self) {
        self.flush_announcements();
        self.end_batches();
        self.flush_handles();
        self.end_batches();
    }

    fn signal(&mut self, connection: ConnectionId, message: Outbound) {
        self.outputs.push_back(Output::Signal { connection, message });
    }

    /// Says the same to many, encoded once.
    fn broadcast(&mut self, connections: Vec<ConnectionId>, response: Response) {
        let message = Outbound::new(response);
        for connection in connections {
            self.signal(connection, message.clone());
        }
    }

    fn draw_sid(&mut self, kind: SidKind) -> String {
        sid::generate(kind, |bound| self.random.u32(..bound))
    }

    /// Says something to a participant, if it can hear it.
    fn tell(&mut self, peer: PeerId, response: Response) {
        if let Some(connection) = self.members.get(peer).and_then(|member| member.connection) {
            self.signal(connection, Outbound::new(response));
        }
    }
}

#[cfg(test)]
mod tests;
