//! What becomes of the connections, of time, and of what both have to say.

use std::time::{Duration, Instant};

use trackyard_peer::{ConnectionEvent, ConnectionFactory, Target};
use trackyard_proto::Request;

use super::Engine;
use super::phase::{Attempt, Phase};
use crate::connections::Outcome;
use crate::event::{CloseReason, EngineEvent, Output};
use crate::heartbeat::Beat;

/// What the server has to say about the end of the connections comes within this.
const ORPHANED_MAX: Duration = Duration::from_secs(1);

impl<F: ConnectionFactory> Engine<F> {
    /// Time has passed; `unix_ms` is what the server may see of the wall clock.
    pub fn handle_timeout(&mut self, unix_ms: i64, now: Instant) {
        self.connections.handle_timeout(now);
        self.beat(unix_ms, now);
        if self.phase.deadline().is_some_and(|at| at <= now) {
            self.overdue(now);
        }
        self.settle(now);
    }

    /// What comes next.
    pub fn poll_output(&mut self) -> Output<EngineEvent> {
        self.outputs.pop_front().unwrap_or_else(|| Output::Timeout(self.poll_timeout()))
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let heartbeat = self.heartbeat.as_ref().map(|heartbeat| heartbeat.poll_timeout());
        let connections = self.connections.poll_timeout().filter(|_| !self.is_closed());
        [heartbeat, connections, self.phase.deadline()].into_iter().flatten().min()
    }

    fn beat(&mut self, unix_ms: i64, now: Instant) {
        match self.heartbeat.as_mut().and_then(|heartbeat| heartbeat.handle_timeout(now)) {
            Some(Beat::Ask(rtt)) => self.signal(Request::PingReq { timestamp: unix_ms, rtt }),
            Some(Beat::Lost) => self.signal_closed(now),
            None => {}
        }
    }

    fn overdue(&mut self, now: Instant) {
        match self.phase {
            Phase::Waiting(attempt, _) => self.begin(attempt, now),
            Phase::Orphaned(_) => self.lost(Attempt::Join, Duration::ZERO, now),
            Phase::Opening(..) => {
                self.failed(CloseReason::Unreachable("the server did not answer in time".to_owned()), now);
            }
            // The server has kept the session, and nothing gets through to it: new connections may.
            Phase::Establishing { attempt: Attempt::Resume, .. } => self.rejoin(now),
            Phase::Establishing { .. } => self.failed(CloseReason::NoPath, now),
            Phase::Active | Phase::Closed => {}
        }
    }

    /// Takes what the connections say, and notes when everything is up.
    pub(super) fn settle(&mut self, now: Instant) {
        self.flush(now);
        let Phase::Establishing { attempt, answered: true, .. } = self.phase else { return };
        if !self.connections.are_established() {
            return;
        }
        self.phase = Phase::Active;
        self.attempts.reset();
        let first = !std::mem::replace(&mut self.was_connected, true);
        self.event(if first {
            EngineEvent::Connected
        } else {
            EngineEvent::Reconnected { resumed: attempt == Attempt::Resume }
        });
    }

    pub(super) fn flush(&mut self, now: Instant) {
        while let Some(outcome) = self.connections.poll() {
            match outcome {
                Outcome::Transmit(target, transmit) => {
                    self.outputs.push_back(Output::Transmit(target, transmit));
                }
                Outcome::Signal(request) => self.signal(request),
                Outcome::Event(target, event) => self.connection_event(target, event, now),
                Outcome::Failed(error) => self.broken(CloseReason::Description(error), now),
            }
        }
    }

    fn connection_event(&mut self, _target: Target, event: ConnectionEvent, now: Instant) {
        match event {
            ConnectionEvent::Message(kind, message) => self.event(EngineEvent::Message(kind, message)),
            ConnectionEvent::Interrupted if self.is_active() => {
                self.lost(Attempt::Resume, Duration::ZERO, now);
            }
            ConnectionEvent::Closed => self.broken(CloseReason::NoPath, now),
            ConnectionEvent::Interrupted
            | ConnectionEvent::Connected
            | ConnectionEvent::Restored
            | ConnectionEvent::ChannelOpen(_)
            | ConnectionEvent::ChannelClosed(_) => {}
        }
    }

    /// The connections are of no more use; only a new session has new ones.
    fn broken(&mut self, reason: CloseReason, now: Instant) {
        match self.phase {
            Phase::Active => self.phase = Phase::Orphaned(now + ORPHANED_MAX),
            Phase::Waiting(Attempt::Resume, _) => self.phase = Phase::Waiting(Attempt::Join, now),
            Phase::Opening(Attempt::Resume, _) | Phase::Establishing { attempt: Attempt::Resume, .. } => {
                self.rejoin(now);
            }
            Phase::Establishing { .. } => self.failed(reason, now),
            Phase::Opening(..) | Phase::Waiting(..) | Phase::Orphaned(_) | Phase::Closed => {}
        }
    }
}
