//! The room's participants, by session, identity and signal connection.

use std::collections::{BTreeMap, HashMap};

use super::io::ConnectionId;
use super::member::Member;
use crate::control::PeerId;

/// The room's participants. Iteration is in the order of sessions, which does not depend on hashes.
#[derive(Debug, Default)]
pub(super) struct Members {
    by_peer: BTreeMap<PeerId, Member>,
    by_identity: HashMap<String, PeerId>,
    by_connection: HashMap<ConnectionId, PeerId>,
    counts: Counts,
}

/// How many there are of each kind, kept as they come, change and go: a crowd may go in one step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Those who keep a room alive and count in it.
    pub(super) occupants: usize,
    pub(super) publishers: usize,
    pub(super) recorders: usize,
}

/// As what a member is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counted {
    is_occupant: bool,
    is_publisher: bool,
    is_recorder: bool,
}

impl Counted {
    fn of(member: &Member) -> Self {
        Self {
            is_occupant: !member.is_dependent(),
            is_publisher: member.face().is_publisher,
            is_recorder: member.face().permission.recorder,
        }
    }
}

impl Counts {
    fn add(&mut self, Counted { is_occupant, is_publisher, is_recorder }: Counted) {
        self.occupants += usize::from(is_occupant);
        self.publishers += usize::from(is_publisher);
        self.recorders += usize::from(is_recorder);
    }

    fn subtract(&mut self, Counted { is_occupant, is_publisher, is_recorder }: Counted) {
        self.occupants -= usize::from(is_occupant);
        self.publishers -= usize::from(is_publisher);
        self.recorders -= usize::from(is_recorder);
    }
}

impl Members {
    pub(super) fn insert(&mut self, member: Member) {
        self.by_identity.insert(member.identity().to_owned(), member.peer);
        self.by_connection.extend(member.connection.map(|connection| (connection, member.peer)));
        let peer = member.peer;
        self.by_peer.insert(peer, member);
        self.recount(peer);
    }

    /// What the member is counted as may have changed.
    pub(super) fn recount(&mut self, peer: PeerId) {
        let Some(member) = self.by_peer.get_mut(&peer) else { return };
        let counted = Counted::of(member);
        self.counts.subtract(std::mem::replace(&mut member.counted, counted));
        self.counts.add(counted);
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    pub(super) fn remove(&mut self, peer: PeerId) -> Option<Member> {
        let member = self.by_peer.remove(&peer)?;
        self.counts.subtract(member.counted);
        self.by_identity.remove(member.identity());
        if let Some(connection) = member.connection {
            self.by_connection.remove(&connection);
        }
        Some(member)
    }

    /// Gives a member another signal connection, or none; the former one is returned.
    pub(super) fn reconnect(&mut self, peer: PeerId, to: Option<ConnectionId>) -> Option<ConnectionId> {
        let member = self.by_peer.get_mut(&peer)?;
        let former = std::mem::replace(&mut member.connection, to);
        if let Some(former) = former {
            self.by_connection.remove(&former);
        }
        self.by_connection.extend(to.map(|connection| (connection, peer)));
        former
    }

    pub(super) fn get(&self, peer: PeerId) -> Option<&Member> {
        self.by_peer.get(&peer)
    }

    pub(super) fn get_mut(&mut self, peer: PeerId) -> Option<&mut Member> {
        self.by_peer.get_mut(&peer)
    }

    pub(super) fn by_identity(&self, identity: &str) -> Option<PeerId> {
        self.by_identity.get(identity).copied()
    }

    pub(super) fn by_connection(&self, connection: ConnectionId) -> Option<PeerId> {
        self.by_connection.get(&connection).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.by_peer.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.by_peer.values()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.by_peer.values_mut()
    }
}
