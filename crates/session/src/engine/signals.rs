//! What the server says.

use std::time::{Duration, Instant};

use trackyard_peer::{ConnectionFactory, Target};
use trackyard_proto::signal::{JoinResponse, LeaveAction, SignalTarget, Trickle};
use trackyard_proto::{DisconnectReason, Response};

use super::phase::{Attempt, Phase};
use super::{ESTABLISH_MAX, Engine};
use crate::event::{CloseReason, EngineEvent};
use crate::heartbeat::Heartbeat;

/// Clients of a server that was restarted do not come back all at once.
const REJOIN_JITTER: Duration = Duration::from_millis(500);

impl<F: ConnectionFactory> Engine<F> {
    /// A message of the server.
    pub fn handle_signal(&mut self, response: Response, now: Instant) {
        if !self.phase.is_signalling() {
            return;
        }
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.heard(now);
        }
        match response {
            Response::Join(join) => self.joined(join, now),
            Response::Reconnect(reconnect) => self.resumed(reconnect.last_message_seq, now),
            Response::Leave { reason, action } => self.told_to_leave(reason, action, now),
            Response::Offer(offer) => self.connections.offered(&self.factories, &offer, now),
            Response::Answer(answer) => self.answered(&answer, now),
            Response::Trickle(trickle) => self.trickled(&trickle),
            Response::Update(participants) => {
                for (change, info) in self.roster.update(&participants) {
                    self.event(EngineEvent::Participant(change, info));
                }
                self.event(EngineEvent::Tracks(participants));
            }
            Response::RoomUpdate(room) => self.event(EngineEvent::Room(room)),
            Response::RefreshToken(token) => self.event(EngineEvent::TokenRefreshed(token)),
            Response::PongResp { .. } => {
                if let Some(heartbeat) = &mut self.heartbeat {
                    heartbeat.answered(now);
                }
            }
            Response::Pong(_) => {}
            other => self.event(EngineEvent::Response(Box::new(other))),
        }
        self.settle(now);
    }

    fn joined(&mut self, join: Box<JoinResponse>, now: Instant) {
        let Phase::Opening(Attempt::Join, _) = self.phase else { return };
        self.phase =
            Phase::Establishing { attempt: Attempt::Join, until: now + ESTABLISH_MAX, answered: false };
        self.sid.clone_from(&join.participant.sid);
        self.heartbeat = Some(Heartbeat::new(join.ping_interval_s, join.ping_timeout_s, now));
        if join.subscriber_primary {
            self.connections.set_primary(Target::Subscriber);
        }
        let mut everyone = join.other_participants.clone();
        everyone.push(std::sync::Arc::clone(&join.participant));
        let mut changes = self.roster.begin(&everyone);
        // What there is to say of this participant is in the answer itself.
        changes.retain(|(_, info)| info.identity != join.participant.identity);
        self.event(EngineEvent::Joined(join));
        for (change, info) in changes {
            self.event(EngineEvent::Participant(change, info));
        }
        self.event(EngineEvent::Tracks(everyone));
        if !self.is_single()
            && let Some(offer) = self.connections.offer(false, now)
        {
            self.signal(trackyard_proto::Request::Offer(offer));
        }
    }

    fn resumed(&mut self, last_sequence: u32, now: Instant) {
        let Phase::Opening(Attempt::Resume, _) = self.phase else { return };
        self.phase =
            Phase::Establishing { attempt: Attempt::Resume, until: now + ESTABLISH_MAX, answered: false };
        self.roster.expect_complete();
        self.event(EngineEvent::Resumed { last_sequence });
    }

    fn answered(&mut self, answer: &trackyard_proto::signal::SessionDescription, now: Instant) {
        let is_last = self.connections.answered(answer, now);
        if let Phase::Establishing { answered, .. } = &mut self.phase {
            *answered |= is_last;
        }
    }

    fn told_to_leave(&mut self, reason: DisconnectReason, action: LeaveAction, now: Instant) {
        match action {
            LeaveAction::Disconnect => self.end(CloseReason::Server(reason), now),
            LeaveAction::Resume if self.is_active() => self.lost(Attempt::Resume, Duration::ZERO, now),
            LeaveAction::Reconnect if self.is_active() => {
                let jitter = REJOIN_JITTER.mul_f64(self.attempts.draw());
                self.lost(Attempt::Join, jitter, now);
            }
            LeaveAction::Resume | LeaveAction::Reconnect if matches!(self.phase, Phase::Orphaned(_)) => {
                self.lost(Attempt::Join, Duration::ZERO, now);
            }
            // During an attempt it says that this one has failed.
            LeaveAction::Reconnect if self.phase.attempt() == Attempt::Resume => self.rejoin(now),
            LeaveAction::Resume | LeaveAction::Reconnect => self.failed(CloseReason::Server(reason), now),
        }
    }

    /// A candidate that cannot be read names a way that is not tried.
    fn trickled(&mut self, trickle: &Trickle) {
        let target = match trickle.target {
            SignalTarget::Publisher => Target::Publisher,
            SignalTarget::Subscriber => Target::Subscriber,
        };
        if let Ok(Some(candidate)) = trickle.candidate() {
            self.connections.add_candidate(target, &candidate);
        }
    }
}
