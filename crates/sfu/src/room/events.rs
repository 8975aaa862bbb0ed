//! What workers and timers say about sessions.

use std::time::Duration;

use trackyard_proto::signal::{LeaveAction, SessionDescription};
use trackyard_proto::{DisconnectReason, ParticipantState, Response};

use super::Room;
use super::leave::Departure;
use super::routes::RouteVersion;
use super::timers::Timer;
use crate::control::{Event, PeerId, WorkerId};

/// An offer has to be answered within this (protocol §4.4).
const NEGOTIATION_MAX: Duration = Duration::from_secs(15);
/// Clients close their connections before they say goodbye: a failure is one after this.
const FAREWELL_MAX: Duration = Duration::from_millis(500);
/// After a failure the client may come back for so long (protocol §9.2).
const FAILURE_GRACE: Duration = Duration::from_secs(5);
/// A client that came back after a failure has to be connected again within this.
const RECOVERY_MAX: Duration = Duration::from_secs(30);

impl Room {
    /// A worker says something.
    pub(super) fn event(&mut self, event: Event) {
        match event {
            Event::Answer { peer, id, sdp } => {
                self.tell(peer, Response::Answer(description(id, sdp)));
                self.advance_state(peer, ParticipantState::Joined);
            }
            Event::Offer { peer, id, sdp } => self.offer(peer, description(id, sdp)),
            Event::BadDescription { peer, error } => self.bad_description(peer, &error),
            Event::Connected { peer } => self.connected(peer),
            Event::Interrupted { .. } => {}
            Event::Failed { peer, .. } => self.ended(peer),
            Event::Applied { worker, version, .. } => self.routes_applied(RouteVersion { worker, version }),
            Event::Reply { peer, packet } => self.reply(peer, &packet),
            Event::TooLong { peer, bytes } => self.packet_too_long(peer, bytes),
            Event::Behind { peer } => self.behind(peer),
            Event::Flow { receiver, sender, pauses } => self.flow_changed(receiver, sender, pauses),
            Event::Lost { peer } => self.lost(peer),
            Event::WorkerLost { worker } => self.worker_lost(worker),
        }
    }

    /// Whatever is due by now.
    pub(super) fn fire_timers(&mut self) {
        while let Some(timer) = self.timers.pop(self.now.instant) {
            match timer {
                Timer::Announce(peer) => self.announce_due(peer),
                Timer::Presence => self.presence_due(),
                Timer::Handles(peer) => self.delayed_handles_due(peer),
                Timer::Join(peer) => self.join_failed(peer),
                Timer::Negotiation(peer) => self.negotiation_failed(peer),
                Timer::Failure(peer) => self.failed(peer),
                Timer::Grace(peer) => self.grace_over(peer),
                Timer::Refresh(peer) => self.refresh_token(peer),
                Timer::Pending(peer) => self.pending_due(peer),
                Timer::LastWills => self.last_wills_due(),
                Timer::Calls => self.calls_due(),
                Timer::Flows => self.repeat_pauses(),
                Timer::RoomUpdate => self.room_update_due(),
                Timer::RoomEnd => self.room_end_due(),
            }
        }
    }

    /// The session has come further; it never goes back.
    pub(super) fn advance_state(&mut self, peer: PeerId, state: ParticipantState) {
        let Some(member) = self.members.get_mut(peer) else { return };
        if member.face().state < state {
            member.face_mut().state = state;
            if state == ParticipantState::Active {
                self.notice_active(peer);
            }
            self.tell_self(peer);
            self.presence_changed(peer);
        }
    }

    fn offer(&mut self, peer: PeerId, offer: SessionDescription) {
        if self.members.get(peer).is_some_and(|member| member.connection.is_some()) {
            self.tell(peer, Response::Offer(offer));
            self.timers.set(Timer::Negotiation(peer), self.now.instant + NEGOTIATION_MAX);
        }
    }

    fn bad_description(&mut self, peer: PeerId, error: &str) {
        tracing::debug!(peer = peer.0, error, "a description cannot be used");
        self.counters.bad_descriptions += 1;
        self.remove(peer, Departure::mismatch());
    }

    fn connected(&mut self, peer: PeerId) {
        let Some(member) = self.members.get_mut(peer) else {
            self.counters.stale_inputs += 1;
            return;
        };
        member.failed = false;
        self.timers.cancel(Timer::Failure(peer));
        self.timers.cancel(Timer::Grace(peer));
        self.timers.cancel(Timer::Join(peer));
        self.advance_state(peer, ParticipantState::Active);
    }

    /// A connection has ended, by failure or because the client is about to leave.
    fn ended(&mut self, peer: PeerId) {
        let Some(member) = self.members.get(peer) else { return };
        if member.connection.is_some() {
            self.timers.set_by(Timer::Failure(peer), self.now.instant + FAREWELL_MAX);
        } else {
            self.failed(peer);
        }
    }

    /// The client is asked to come back; it has little time.
    fn failed(&mut self, peer: PeerId) {
        let Some(member) = self.members.get_mut(peer) else { return };
        if self.timers.is_set(Timer::Grace(peer)) && member.connection.is_none() {
            return;
        }
        member.failed = true;
        let reason = DisconnectReason::ConnectionTimeout;
        self.tell(peer, Response::Leave { reason, action: LeaveAction::Resume });
        self.close_signal(peer);
        self.timers.cancel(Timer::Negotiation(peer));
        self.timers.set(Timer::Grace(peer), self.now.instant + FAILURE_GRACE);
    }

    /// It is back: if its connection is still down, that has to change.
    pub(super) fn await_recovery(&mut self, peer: PeerId) {
        let failing = self.timers.is_set(Timer::Failure(peer));
        self.timers.cancel(Timer::Failure(peer));
        if failing || self.members.get(peer).is_some_and(|member| member.failed) {
            self.timers.set(Timer::Grace(peer), self.now.instant + RECOVERY_MAX);
        }
    }

    fn grace_over(&mut self, peer: PeerId) {
        self.counters.connection_timeouts += 1;
        self.remove(peer, Departure::told(DisconnectReason::ConnectionTimeout, LeaveAction::Reconnect));
    }

    fn join_failed(&mut self, peer: PeerId) {
        self.counters.join_failures += 1;
        self.remove(peer, Departure::told(DisconnectReason::JoinFailure, LeaveAction::Disconnect));
    }

    fn negotiation_failed(&mut self, peer: PeerId) {
        self.counters.negotiation_timeouts += 1;
        self.remove(peer, Departure::mismatch());
    }

    /// Everyone it served is told to join anew, and nothing that was asked of it is waited for.
    fn worker_lost(&mut self, worker: WorkerId) {
        let served = self.members.iter().filter(|member| member.worker == worker);
        let served: Vec<_> = served.map(|member| member.peer).collect();
        self.routes.forget(worker);
        for peer in served {
            self.lost(peer);
        }
    }

    fn lost(&mut self, peer: PeerId) {
        if self.members.get(peer).is_some() {
            self.counters.peers_lost += 1;
            self.remove(peer, Departure::mismatch());
        }
    }
}

/// The server sends no media, so no section has a track.
fn description(id: u32, sdp: String) -> SessionDescription {
    SessionDescription { id, sdp, ..SessionDescription::default() }
}
