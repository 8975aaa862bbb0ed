//! What workers are told of participants, so that they can forward user packets without asking a room.

use std::collections::BTreeMap;
use std::sync::Arc;

use trackyard_proto::Kind;

use super::Room;
use super::member::Member;
use crate::control::{Hop, PeerId, RouteChange, Seat, WorkerId};

/// How many participants each worker serves; only those that serve any.
#[derive(Debug, Default)]
pub(super) struct Seats(BTreeMap<WorkerId, usize>);

impl Seats {
    pub(super) fn workers(&self) -> impl Iterator<Item = WorkerId> {
        self.0.keys().copied()
    }

    pub(super) fn counts(&self) -> impl Iterator<Item = (WorkerId, usize)> {
        self.0.iter().map(|(worker, count)| (*worker, *count))
    }
}

impl Room {
    /// The participant's worker has been told of it: it sends and gets user packets from now on.
    pub(super) fn seat(&mut self, peer: PeerId) {
        let Some(worker) = self.members.get(peer).map(|member| member.worker) else { return };
        self.seat_changed(peer);
        let count = self.seats.0.entry(worker).or_default();
        *count += 1;
        if *count == 1 {
            self.tell_neighbours();
        }
    }

    /// What the participant may do has changed.
    pub(super) fn seat_changed(&mut self, peer: PeerId) {
        let Some(member) = self.members.get(peer) else { return };
        let (worker, seat) = (member.worker, Arc::new(seat(member)));
        self.route(worker, RouteChange::Seat { peer, seat });
    }

    /// A participant of this worker has left.
    pub(super) fn unseat(&mut self, worker: WorkerId) {
        let Some(count) = self.seats.0.get_mut(&worker) else { return };
        *count -= 1;
        if *count == 0 {
            self.seats.0.remove(&worker);
            self.route(worker, RouteChange::Neighbours { hops: Vec::new() });
            self.tell_neighbours();
        }
    }

    fn tell_neighbours(&mut self) {
        let workers: Vec<_> = self.seats.workers().collect();
        for worker in &workers {
            let others = workers.iter().filter(|other| *other != worker);
            let hops = others.map(|other| Hop::Worker(*other)).collect();
            self.route(*worker, RouteChange::Neighbours { hops });
        }
    }
}

fn seat(member: &Member) -> Seat {
    let face = member.face();
    Seat {
        sid: face.sid.clone(),
        identity: face.identity.clone(),
        is_hidden: face.permission.hidden,
        may_send: face.permission.can_publish_data,
        is_agent: face.kind == Kind::Agent,
        wants_metrics: face.permission.can_subscribe_metrics,
        progress: Arc::clone(&member.progress),
    }
}
