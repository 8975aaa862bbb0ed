//! How a session begins: the directory agrees that the identity is its own, then it joins (protocol §3).

use std::collections::BTreeMap;
use std::sync::Arc;

use trackyard_auth::{Claims as TokenClaims, ParticipantKind, Verified, VideoGrant};
use trackyard_peer::Mode;
use trackyard_proto::join::JoinRequest;
use trackyard_proto::sid::SidKind;
use trackyard_proto::signal::{JoinResponse, Reason};
use trackyard_proto::{Kind, Outbound, ParticipantInfo, ParticipantState, Permission, Response};

use super::Room;
use super::admission::{Refusal, RefusalKind};
use super::bucket::TokenBucket;
use super::io::{ConnectionId, Join, Output};
use super::leave::Departure;
use super::member::{Member, NewMember, is_dependent};
use super::subscriptions::Subscriptions;
use super::timers::Timer;
use crate::control::{Command, OpenPeer};
use crate::directory::{
    DirectoryKey, DirectoryReply, DirectoryRequest, DirectoryValue, Outcome, Revision, RoomRecord,
    SessionRecord,
};

/// Seconds between a client's pings, and without an answer after which it gives up (protocol §3.1).
const PING_INTERVAL_S: i32 = 5;
const PING_TIMEOUT_S: i32 = 15;
/// Who is not active by then has failed to join.
const JOIN_MAX: std::time::Duration = std::time::Duration::from_secs(60);
/// How often a claim is repeated when others claim the same.
const CLAIM_ATTEMPTS: u8 = 8;

/// What the directory has been asked and has not answered.
#[derive(Debug, Default)]
pub(super) struct Claims {
    last: u64,
    asked: BTreeMap<u64, Claim>,
    /// Those who wait for the room's own record.
    waiting: Vec<PendingJoin>,
}

#[derive(Debug)]
enum Claim {
    Room,
    Session(PendingJoin),
}

/// A client that waits for the directory.
#[derive(Debug)]
struct PendingJoin {
    join: Box<Join>,
    /// What it will look like.
    face: ParticipantInfo,
    attempts: u8,
    /// Its connection has ended meanwhile.
    gone: bool,
}

impl Claims {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && !self.asked.values().any(|claim| matches!(claim, Claim::Session(_)))
    }

    fn joins(&self) -> impl Iterator<Item = &PendingJoin> {
        self.asked.values().filter_map(Claim::session).chain(&self.waiting)
    }

    fn joins_mut(&mut self) -> impl Iterator<Item = &mut PendingJoin> {
        self.asked.values_mut().filter_map(Claim::session_mut).chain(&mut self.waiting)
    }
}

impl Claim {
    fn session(&self) -> Option<&PendingJoin> {
        match self {
            Self::Session(pending) => Some(pending),
            Self::Room => None,
        }
    }

    fn session_mut(&mut self) -> Option<&mut PendingJoin> {
        match self {
            Self::Session(pending) => Some(pending),
            Self::Room => None,
        }
    }
}

impl Room {
    /// Claims the room's record, which every join waits for.
    pub(super) fn claim_room(&mut self) {
        let record = RoomRecord { sid: self.info.sid.clone(), creation_time_ms: self.info.creation_time_ms };
        let id = self.ask(self.room_key(), None, Some(DirectoryValue::Room(record)));
        self.claims.asked.insert(id, Claim::Room);
    }

    /// A client wants a new session.
    pub(super) fn ask_to_join(&mut self, join: Box<Join>) {
        if self.closed {
            self.counters.refused_closed += 1;
            let refusal = Refusal::new(RefusalKind::Unavailable, "the room is closing; try again");
            return self.refuse(join.connection, refusal);
        }
        let face = first_face(&join.verified.claims, &join.request, self.now.unix_ms);
        if self.is_full_for(&face) {
            self.counters.refused_full += 1;
            return self.refuse(join.connection, Refusal::new(RefusalKind::Internal, "the room is full"));
        }
        let pending = PendingJoin { join, face, attempts: 0, gone: false };
        if self.record.is_some() {
            self.claim_session(pending, None);
        } else {
            self.claims.waiting.push(pending);
        }
    }

    /// The directory has answered.
    pub(super) fn directory_replied(&mut self, reply: DirectoryReply) {
        match self.claims.asked.remove(&reply.id) {
            Some(Claim::Room) => self.room_claimed(reply.outcome),
            Some(Claim::Session(pending)) => self.session_claimed(pending, reply.outcome),
            // The answer to a release: whoever has taken the record over keeps it.
            None => {}
        }
    }

    /// Gives a record back, unless it is another's by now.
    pub(super) fn release_session(&mut self, identity: &str, claim: Revision) {
        self.ask(self.session_key(identity), Some(claim), None);
    }

    pub(super) fn release_room(&mut self) {
        if let Some(record) = self.record.take() {
            self.ask(self.room_key(), Some(record), None);
        }
    }

    /// A connection has ended before its session began.
    pub(super) fn forget_pending(&mut self, connection: ConnectionId) {
        let gone = self.claims.joins_mut().filter(|pending| pending.join.connection == connection);
        gone.for_each(|pending| pending.gone = true);
    }

    pub(super) fn refuse_pending(&mut self) {
        let waiting = std::mem::take(&mut self.claims.waiting);
        let asked = std::mem::take(&mut self.claims.asked).into_values();
        let sessions = asked.filter_map(|claim| match claim {
            Claim::Session(pending) => Some(pending),
            Claim::Room => None,
        });
        for pending in waiting.into_iter().chain(sessions) {
            self.counters.refused_closed += 1;
            let refusal = Refusal::new(RefusalKind::Unavailable, "the room is closing; try again");
            self.refuse(pending.join.connection, refusal);
        }
    }

    fn refuse(&mut self, connection: ConnectionId, refusal: Refusal) {
        self.outputs.push_back(Output::Refuse { connection, refusal });
    }

    fn room_claimed(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Swapped(revision) => self.record = Some(revision),
            Outcome::Conflict(Some((revision, DirectoryValue::Room(record)))) => {
                let info = Arc::make_mut(&mut self.info);
                info.sid = record.sid;
                info.creation_time_ms = record.creation_time_ms;
                self.record = Some(revision);
            }
            // It was released just now.
            Outcome::Conflict(_) => return self.claim_room(),
        }
        for pending in std::mem::take(&mut self.claims.waiting) {
            self.claim_session(pending, None);
        }
    }

    fn claim_session(&mut self, mut pending: PendingJoin, expected: Option<Revision>) {
        pending.attempts += 1;
        let record = SessionRecord { node_id: self.config.node.node_id.clone(), peer: pending.join.peer };
        let key = self.session_key(&pending.face.identity);
        let id = self.ask(key, expected, Some(DirectoryValue::Session(record)));
        self.claims.asked.insert(id, Claim::Session(pending));
    }

    fn session_claimed(&mut self, pending: PendingJoin, outcome: Outcome) {
        match outcome {
            Outcome::Swapped(claim) if pending.gone || self.closed => {
                self.release_session(&pending.face.identity, claim);
            }
            Outcome::Swapped(claim) => self.join(*pending.join, pending.face, claim),
            Outcome::Conflict(_) if pending.gone => {}
            Outcome::Conflict(current) if pending.attempts < CLAIM_ATTEMPTS => {
                self.claim_session(pending, current.map(|(revision, _)| revision));
            }
            Outcome::Conflict(_) => {
                self.counters.refused_directory += 1;
                let refusal =
                    Refusal::new(RefusalKind::Unavailable, "the identity is being claimed; try again");
                self.refuse(pending.join.connection, refusal);
            }
        }
    }

    fn ask(&mut self, key: DirectoryKey, expected: Option<Revision>, value: Option<DirectoryValue>) -> u64 {
        self.claims.last += 1;
        let id = self.claims.last;
        self.outputs.push_back(Output::Directory(DirectoryRequest { id, key, expected, value }));
        id
    }

    fn room_key(&self) -> DirectoryKey {
        DirectoryKey::Room { room: self.config.name.as_str().into() }
    }

    fn session_key(&self, identity: &str) -> DirectoryKey {
        DirectoryKey::Session { room: self.config.name.as_str().into(), identity: identity.into() }
    }

    fn is_full_for(&self, face: &ParticipantInfo) -> bool {
        if self.config.max_participants == 0 || is_dependent(face) {
            return false;
        }
        let counts = |other: &ParticipantInfo| other.identity != face.identity && !is_dependent(other);
        let members = self.members.iter().filter(|member| counts(member.face())).count();
        let joining = self.claims.joins().filter(|pending| !pending.gone && counts(&pending.face)).count();
        members + joining >= self.config.max_participants as usize
    }

    /// The identity is this session's: it begins.
    fn join(&mut self, join: Join, mut face: ParticipantInfo, claim: Revision) {
        self.replace_older(&face);
        let Join { connection, peer, worker, verified, request, single } = join;
        face.sid = self.draw_sid(SidKind::Participant);
        face.region.clone_from(&self.config.node.region);
        let mode = mode(single, &request, &face.permission);
        let limits = self.config.limits;
        self.members.insert(Member::new(NewMember {
            peer,
            worker,
            mode,
            connection,
            verified: with_state_of(verified, &face),
            claim,
            subscriptions: Subscriptions::new(self.random.u8(..)),
            bucket: TokenBucket::new(limits.signal_burst, limits.signal_rate_hz, self.now.instant),
            seen: (self.serial, self.now.instant),
            paced: request.client.sdk == "node",
            face,
        }));
        self.counters.joins += 1;
        self.counts_changed();
        self.send_join(peer, connection, mode);
        self.open(peer, request);
        self.refresh_token(peer);
        self.timers.set(Timer::Join(peer), self.now.instant + JOIN_MAX);
        self.presence_changed(peer);
        self.occupied();
    }

    /// The older session is gone for everyone before the new one's tracks are checked against it.
    fn replace_older(&mut self, newer: &ParticipantInfo) {
        let visible = !newer.permission.hidden;
        if let Some(older) = self.members.by_identity(&newer.identity) {
            self.counters.duplicate_identities += 1;
            self.remove(older, Departure::replaced(visible));
        }
        if visible {
            self.forget_departure(&newer.identity);
        } else {
            // Others are told before the newer session could hear of its own end.
            self.presence_due();
            self.flush_announcements();
        }
    }

    fn send_join(&mut self, peer: crate::control::PeerId, connection: ConnectionId, mode: Mode) {
        let others = self.members.iter_mut().filter(|member| member.peer != peer && !member.is_hidden());
        let other_participants = others.map(Member::snapshot).collect();
        let Some(member) = self.members.get_mut(peer) else { return };
        let fast_publish = member.face().permission.can_publish;
        let node = &self.config.node;
        let response = JoinResponse {
            room: (*self.info).clone(),
            participant: member.snapshot(),
            other_participants,
            server_version: node.server_version.clone(),
            server_protocol: node.server_protocol,
            region: node.region.clone(),
            node_id: node.node_id.clone(),
            subscriber_primary: matches!(mode, Mode::Dual { subscriber_primary: true }),
            fast_publish,
            ping_interval_s: PING_INTERVAL_S,
            ping_timeout_s: PING_TIMEOUT_S,
            ice_urls: node.ice_urls.clone(),
            sif_trailer: self.sif_trailer.clone(),
        };
        self.signal(connection, Outbound::new(Response::Join(Box::new(response))));
    }

    fn open(&mut self, peer: crate::control::PeerId, request: JoinRequest) {
        let Some(member) = self.members.get(peer) else { return };
        let (worker, mode) = (member.worker, member.mode);
        let open = OpenPeer { peer, room: self.key, mode, data_tracks: self.config.data_tracks };
        self.command(worker, Command::Open(open));
        for echo in request.add_tracks {
            self.respond(peer, 0, (Reason::UnsupportedType, "media tracks are not supported"), Some(echo));
        }
        if let (Mode::Single, Some(offer)) = (mode, request.publisher_offer) {
            self.command(worker, Command::Offer { peer, id: offer.id, sdp: offer.sdp });
        }
    }
}

fn mode(single: bool, request: &JoinRequest, permission: &Permission) -> Mode {
    if single {
        return Mode::Single;
    }
    // Older clients do not know a connection that the server offers as the primary one (protocol §1.9).
    Mode::Dual { subscriber_primary: request.client.protocol > 2 && permission.can_subscribe }
}

/// A participant as it is when it joins, except for what the room gives it.
fn first_face(claims: &TokenClaims, request: &JoinRequest, now_ms: u64) -> ParticipantInfo {
    let permission = permission_of(&claims.video.clone().unwrap_or_default());
    let mut face = ParticipantInfo {
        sid: String::new(),
        identity: claims.identity.clone(),
        name: claims.name.clone(),
        state: ParticipantState::Joining,
        metadata: claims.metadata.clone(),
        attributes: claims.attributes.clone(),
        joined_at_ms: now_ms,
        version: 0,
        permission,
        region: String::new(),
        is_publisher: false,
        kind: kind_of(claims.kind),
        kind_details: claims.kind_details.iter().filter_map(|detail| kind_detail(detail)).collect(),
        disconnect_reason: trackyard_proto::DisconnectReason::default(),
        data_tracks: Vec::new(),
        client_protocol: request.client.client_protocol,
        capabilities: request.client.capabilities.clone(),
    };
    if face.permission.can_update_metadata {
        merge_own_state(&mut face, request);
    }
    face
}

/// What a client says about itself goes over what its token says (protocol §1.3).
fn merge_own_state(face: &mut ParticipantInfo, request: &JoinRequest) {
    if !request.metadata.is_empty() {
        face.metadata.clone_from(&request.metadata);
    }
    let given = request.attributes.iter().filter(|(_, value)| !value.is_empty());
    face.attributes.extend(given.map(|(key, value)| (key.clone(), value.clone())));
}

/// A token that would bring the participant back as it is now.
pub(super) fn with_state_of(mut verified: Verified, face: &ParticipantInfo) -> Verified {
    let claims = &mut verified.claims;
    claims.name.clone_from(&face.name);
    claims.metadata.clone_from(&face.metadata);
    claims.attributes.clone_from(&face.attributes);
    verified
}

fn permission_of(grant: &VideoGrant) -> Permission {
    Permission {
        can_subscribe: grant.can_subscribe(),
        can_publish: grant.can_publish(),
        can_publish_data: grant.can_publish_data(),
        can_publish_sources: grant.can_publish_sources.iter().filter_map(|word| source(word)).collect(),
        hidden: grant.hidden,
        recorder: grant.recorder,
        can_update_metadata: grant.can_update_own_metadata(),
        agent: grant.agent,
        can_subscribe_metrics: grant.can_subscribe_metrics(),
    }
}

/// The sources a token names, by their numbers on the wire.
pub(super) const SOURCES: [(&str, i32); 4] =
    [("camera", 1), ("microphone", 2), ("screen_share", 3), ("screen_share_audio", 4)];

fn source(word: &str) -> Option<i32> {
    SOURCES.iter().find(|(name, _)| *name == word).map(|(_, number)| *number)
}

fn kind_of(kind: ParticipantKind) -> Kind {
    match kind {
        ParticipantKind::Standard => Kind::Standard,
        ParticipantKind::Ingress => Kind::Ingress,
        ParticipantKind::Egress => Kind::Egress,
        ParticipantKind::Sip => Kind::Sip,
        ParticipantKind::Agent => Kind::Agent,
        ParticipantKind::Connector => Kind::Connector,
        ParticipantKind::Bridge => Kind::Bridge,
    }
}

/// Details by their numbers on the wire; unknown ones are left out.
fn kind_detail(word: &str) -> Option<i32> {
    const DETAILS: [&str; 6] =
        ["cloud_agent", "forwarded", "connector_whatsapp", "connector_twilio", "bridge_rtsp", "simulation"];
    let index = DETAILS.iter().position(|detail| detail.eq_ignore_ascii_case(word))?;
    i32::try_from(index).ok()
}
