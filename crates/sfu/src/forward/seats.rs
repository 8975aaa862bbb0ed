//! Who sends user packets to whom on this worker.
//!
//! Invariant: `rooms` says nothing that `seated` does not say too, but for neighbours.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::ids::IdMap;
use crate::control::{PeerId, RoomKey, Seat, WorkerId};
use crate::nonces::Nonces;

/// Answers that are awaited of one participant.
const AWAITED_MAX: usize = 256;

/// The table.
#[derive(Debug, Default)]
pub(super) struct Seats {
    seated: IdMap<PeerId, Seated>,
    rooms: IdMap<RoomKey, RoomSeats>,
}

/// One participant of this worker.
#[derive(Debug)]
pub(super) struct Seated {
    pub(super) room: RoomKey,
    pub(super) seat: Arc<Seat>,
    pub(super) nonces: Nonces,
    awaited: Vec<Awaited>,
    /// When it was last told that a packet was too long.
    pub(super) told_too_long: Option<Instant>,
}

/// An answer that the server awaits.
#[derive(Debug)]
struct Awaited {
    request_id: String,
    is_acknowledged: bool,
}

/// For whom an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The server awaits it.
    Awaited,
    /// The server has it.
    Repeated,
    /// Other participants.
    ForOthers,
}

/// The participants of one room on this worker, and its other workers.
#[derive(Debug, Default)]
pub(super) struct RoomSeats {
    pub(super) members: Vec<PeerId>,
    pub(super) neighbours: Vec<WorkerId>,
    by_identity: HashMap<String, PeerId>,
    by_sid: HashMap<String, PeerId>,
}

impl Seats {
    /// A participant is here, or what it may do has changed.
    pub(super) fn set(&mut self, room: RoomKey, peer: PeerId, seat: &Arc<Seat>) {
        if let Some(seated) = self.seated.get_mut(&peer) {
            seated.seat = Arc::clone(seat);
            return;
        }
        let table = self.rooms.entry(room).or_default();
        table.members.push(peer);
        table.by_identity.insert(seat.identity.clone(), peer);
        table.by_sid.insert(seat.sid.clone(), peer);
        let seated = Seated {
            room,
            seat: Arc::clone(seat),
            nonces: Nonces::default(),
            awaited: Vec::new(),
            told_too_long: None,
        };
        self.seated.insert(peer, seated);
    }

    /// The other workers of a room.
    pub(super) fn set_neighbours(&mut self, room: RoomKey, neighbours: Vec<WorkerId>) {
        self.rooms.entry(room).or_default().neighbours = neighbours;
        self.drop_if_empty(room);
    }

    /// The participant has left.
    pub(super) fn forget(&mut self, peer: PeerId) {
        let Some(Seated { room, seat, .. }) = self.seated.remove(&peer) else { return };
        if let Some(table) = self.rooms.get_mut(&room) {
            table.members.retain(|member| *member != peer);
            // Another session may have taken its identity meanwhile.
            if table.by_identity.get(&seat.identity) == Some(&peer) {
                table.by_identity.remove(&seat.identity);
            }
            table.by_sid.remove(&seat.sid);
        }
        self.drop_if_empty(room);
    }

    pub(super) fn seated(&self, peer: PeerId) -> Option<&Seated> {
        self.seated.get(&peer)
    }

    pub(super) fn seated_mut(&mut self, peer: PeerId) -> Option<&mut Seated> {
        self.seated.get_mut(&peer)
    }

    pub(super) fn room(&self, room: RoomKey) -> Option<&RoomSeats> {
        self.rooms.get(&room)
    }

    /// Nothing is left in the table.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.seated.is_empty() && self.rooms.is_empty()
    }

    /// A room that has nobody here says so of its neighbours too.
    fn drop_if_empty(&mut self, room: RoomKey) {
        let is_empty = |table: &RoomSeats| table.members.is_empty() && table.neighbours.is_empty();
        if self.rooms.get(&room).is_some_and(is_empty) {
            self.rooms.remove(&room);
        }
    }
}

impl RoomSeats {
    pub(super) fn by_identity(&self, identity: &str) -> Option<PeerId> {
        self.by_identity.get(identity).copied()
    }

    pub(super) fn by_sid(&self, sid: &str) -> Option<PeerId> {
        self.by_sid.get(sid).copied()
    }
}

impl Seated {
    /// The server awaits an answer. The one awaited longest is given up for it if there are too many.
    pub(super) fn await_answer(&mut self, request_id: String) {
        if self.awaited.len() >= AWAITED_MAX {
            self.awaited.remove(0);
        }
        self.awaited.push(Awaited { request_id, is_acknowledged: false });
    }

    /// Whether the server awaits this: one acknowledgement, and a last answer.
    pub(super) fn answer(&mut self, request_id: &str, is_last: bool) -> Answer {
        let Some(at) = self.awaited.iter().position(|awaited| awaited.request_id == request_id) else {
            return Answer::ForOthers;
        };
        if is_last {
            self.awaited.swap_remove(at);
            return Answer::Awaited;
        }
        let was_acknowledged = std::mem::replace(&mut self.awaited[at].is_acknowledged, true);
        if was_acknowledged { Answer::Repeated } else { Answer::Awaited }
    }
}
