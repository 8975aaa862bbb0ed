//! Before a session begins: the directory agrees that its identity is its own.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use trackyard_proto::ParticipantInfo;

use super::Room;
use super::admission::{Refusal, RefusalKind};
use super::io::{ConnectionId, Join, Output};
use super::member::is_dependent;
use super::profile::first_face;
use crate::directory::{
    DirectoryKey, DirectoryReply, DirectoryRequest, DirectoryValue, Outcome, Revision, RoomRecord,
    SessionRecord,
};

/// Joins that may wait for the directory; more are refused.
const PENDING_JOINS_MAX: usize = 4_096;
/// How often a claim is repeated when others claim the same.
const CLAIM_ATTEMPTS: u8 = 8;

/// What the directory has been asked and has not answered.
#[derive(Debug, Default)]
pub(super) struct Claims {
    last: u64,
    asked: BTreeMap<u64, Claim>,
    /// Those who wait for the room's own record.
    waiting: VecDeque<Box<PendingJoin>>,
}

#[derive(Debug)]
enum Claim {
    Room,
    Session(Box<PendingJoin>),
}

/// A client that waits for the directory.
#[derive(Debug)]
struct PendingJoin {
    join: Join,
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

    /// The directory has answered everything that was claimed.
    pub(super) fn is_settled(&self) -> bool {
        self.asked.is_empty()
    }

    fn joins(&self) -> impl Iterator<Item = &PendingJoin> {
        self.asked.values().filter_map(Claim::session).chain(self.waiting.iter().map(Box::as_ref))
    }

    fn joins_mut(&mut self) -> impl Iterator<Item = &mut PendingJoin> {
        self.asked.values_mut().filter_map(Claim::session_mut).chain(self.waiting.iter_mut().map(Box::as_mut))
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
        if self.claims.asked.len() + self.claims.waiting.len() >= PENDING_JOINS_MAX {
            self.counters.refused_directory += 1;
            let refusal = Refusal::new(RefusalKind::Unavailable, "too many joins are waiting; try again");
            return self.refuse(join.connection, refusal);
        }
        let pending = Box::new(PendingJoin { join: *join, face, attempts: 0, gone: false });
        if self.record.is_some() {
            self.claim_session(pending, None);
        } else {
            self.claims.waiting.push_back(pending);
        }
    }

    /// The directory has answered.
    pub(super) fn directory_replied(&mut self, reply: DirectoryReply) {
        // The answer to a release: whoever has taken the record over keeps it.
        let Some(claim) = self.claims.asked.remove(&reply.id) else { return };
        match claim {
            Claim::Room if self.closed => self.room_claimed_in_vain(&reply.outcome),
            Claim::Room => self.room_claimed(reply.outcome),
            Claim::Session(pending) => self.session_claimed(pending, reply.outcome),
        }
        if self.closed {
            self.close_if_settled();
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

    /// Nobody who waits gets in any more. What was asked for them is still answered, and then given back.
    pub(super) fn refuse_pending(&mut self) {
        let waiting = self.claims.joins_mut().filter(|pending| !pending.gone);
        let connections: Vec<_> = waiting
            .map(|pending| {
                pending.gone = true;
                pending.join.connection
            })
            .collect();
        self.claims.waiting.clear();
        for connection in connections {
            self.counters.refused_closed += 1;
            let refusal = Refusal::new(RefusalKind::Unavailable, "the room is closing; try again");
            self.refuse(connection, refusal);
        }
    }

    fn refuse(&mut self, connection: ConnectionId, refusal: Refusal) {
        self.outputs.push_back(Output::Refuse { connection, refusal });
    }

    fn room_claimed(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Swapped(revision) => {
                self.record = Some(revision);
                self.notice_started();
            }
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

    /// The room has ended meanwhile.
    fn room_claimed_in_vain(&mut self, outcome: &Outcome) {
        if let Outcome::Swapped(revision) = *outcome {
            self.record = Some(revision);
            self.release_room();
        }
    }

    fn claim_session(&mut self, mut pending: Box<PendingJoin>, expected: Option<Revision>) {
        pending.attempts += 1;
        let record = SessionRecord { node_id: self.config.node.node_id.clone(), peer: pending.join.peer };
        let key = self.session_key(&pending.face.identity);
        let id = self.ask(key, expected, Some(DirectoryValue::Session(record)));
        self.claims.asked.insert(id, Claim::Session(pending));
    }

    fn session_claimed(&mut self, pending: Box<PendingJoin>, outcome: Outcome) {
        match outcome {
            Outcome::Swapped(claim) if pending.gone => {
                self.release_session(&pending.face.identity, claim);
            }
            Outcome::Swapped(claim) => self.join(pending.join, pending.face, claim),
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
}
