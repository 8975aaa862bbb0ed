//! The engine of a session: from the first attempt to the end, over every interruption.

mod outputs;
mod phase;
mod signals;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use trackyard_peer::{ConnectionFactory, Datagram, LocalAddress, Target};
use trackyard_proto::join::JoinRequest;
use trackyard_proto::signal::{LeaveRequest, SyncState};
use trackyard_proto::{ConnectionSettings, DisconnectReason, ParticipantInfo, Request};

use crate::addresses::Addresses;
use crate::attempts::Attempts;
use crate::config::{SessionConfig, SignalRequest, SignalVersion};
use crate::connections::Connections;
use crate::event::{CloseReason, EngineEvent, Output, SignalFailure};
use crate::heartbeat::Heartbeat;
use crate::profile::ProfileChange;
use crate::roster::Roster;
use phase::{Attempt, Phase};

/// For the signal connection and its first message.
const OPEN_MAX: Duration = Duration::from_secs(10);
/// From the first message to connections and channels.
const ESTABLISH_MAX: Duration = Duration::from_secs(15);
/// Attempts to join before anything has ever worked; somebody is waiting for the outcome.
const FIRST_ATTEMPTS_MAX: u32 = 3;

/// The engine of a session.
pub struct Engine<F: ConnectionFactory> {
    /// For the publisher's and the subscriber's connection: each has its own socket.
    factories: [F; 2],
    config: SessionConfig,
    version: SignalVersion,
    connections: Connections<F>,
    phase: Phase,
    attempts: Attempts,
    heartbeat: Option<Heartbeat>,
    roster: Roster,
    /// Of the participant, once joined.
    sid: String,
    /// It has been up at least once.
    was_connected: bool,
    first_attempts: u32,
    outputs: VecDeque<Output<EngineEvent>>,
}

impl<F: ConnectionFactory> Engine<F> {
    /// Begins to join.
    pub fn new(config: SessionConfig, factories: [F; 2], now: Instant) -> Self {
        let mut engine = Self {
            connections: Connections::new(&factories, Addresses::default(), now),
            factories,
            version: config.version,
            phase: Phase::Closed,
            attempts: Attempts::new(config.seed),
            config,
            heartbeat: None,
            roster: Roster::default(),
            sid: String::new(),
            was_connected: false,
            first_attempts: 0,
            outputs: VecDeque::new(),
        };
        engine.begin(Attempt::Join, now);
        engine
    }

    /// The participant's sid, once joined; another one after a new join.
    pub fn sid(&self) -> &str {
        &self.sid
    }

    /// Everyone in the room as far as the server has told, this participant included, in the order of identities.
    pub fn participants(&self) -> impl Iterator<Item = &Arc<ParticipantInfo>> {
        self.roster.participants()
    }

    /// Whether the two directions share one peer connection.
    pub fn is_single(&self) -> bool {
        self.version == SignalVersion::V1
    }

    /// Everything is up.
    pub fn is_active(&self) -> bool {
        matches!(self.phase, Phase::Active)
    }

    /// It is over.
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Candidates of the server that could not be read.
    pub fn unusable_candidates(&self) -> u64 {
        self.connections.unusable_candidates()
    }

    /// The connection that carries what is published.
    pub fn publisher(&mut self) -> &mut F::Connection {
        self.connections.publisher()
    }

    /// Takes what the publisher's connection has to say after something was written to it.
    pub fn written(&mut self, now: Instant) {
        self.connections.drain(Target::Publisher);
        self.settle(now);
    }

    /// Says something on the signal connection. While there is none it is lost: what has to hold across
    /// an interruption is said again by whoever keeps it.
    pub fn signal(&mut self, request: Request) {
        if self.phase.is_signalling() {
            self.outputs.push_back(Output::Signal(request));
        }
    }

    /// What was asked for with the first request to join is something else by now, and later requests ask for that.
    /// What they did not ask for they do not: it may not be allowed there, and then they would be refused.
    pub(crate) fn note_profile(&mut self, change: &ProfileChange) {
        if let Some(metadata) = change.metadata.as_ref().filter(|_| !self.config.metadata.is_empty()) {
            self.config.metadata.clone_from(metadata);
        }
        for (key, value) in &change.attributes {
            if let Some(known) = self.config.attributes.get_mut(key) {
                known.clone_from(value);
            }
        }
        self.config.attributes.retain(|_, value| !value.is_empty());
    }

    /// Answers [`EngineEvent::Resumed`] with what the client believes (protocol §9.1).
    pub fn sync(&mut self, state: SyncState, now: Instant) {
        self.signal(Request::SyncState(Box::new(state)));
        self.connections.restart_ice(now);
        self.settle(now);
    }

    /// The signal connection could not be opened.
    pub fn signal_failed(&mut self, failure: SignalFailure, now: Instant) {
        let Phase::Opening(attempt, _) = self.phase else { return };
        match failure {
            SignalFailure::NotFound if self.version == SignalVersion::V1 && attempt == Attempt::Join => {
                self.version = SignalVersion::V0;
                self.begin(Attempt::Join, now);
            }
            SignalFailure::NotFound => {
                let message = "no such route: not a LiveKit-compatible server".to_owned();
                self.refused(attempt, CloseReason::Refused { status: 404, message }, now);
            }
            SignalFailure::Refused { status, message } if (400..500).contains(&status) => {
                self.refused(attempt, CloseReason::Refused { status, message }, now);
            }
            SignalFailure::Refused { status, message } => {
                self.failed(CloseReason::Unreachable(format!("status {status}: {message}")), now);
            }
            SignalFailure::Unreachable(message) => self.failed(CloseReason::Unreachable(message), now),
        }
    }

    /// The signal connection has ended without a word.
    pub fn signal_closed(&mut self, now: Instant) {
        match self.phase {
            Phase::Active => self.lost(Attempt::Resume, Duration::ZERO, now),
            Phase::Orphaned(_) => self.lost(Attempt::Join, Duration::ZERO, now),
            Phase::Opening(..) | Phase::Establishing { .. } => {
                self.failed(CloseReason::Unreachable("the signal connection was closed".to_owned()), now);
            }
            Phase::Waiting(..) | Phase::Closed => {}
        }
    }

    /// A datagram has come for one of the connections.
    pub fn handle_datagram(&mut self, target: Target, datagram: Datagram<'_>, now: Instant) {
        self.connections.handle_datagram(target, datagram, now);
        self.settle(now);
    }

    /// Makes connections from now on; those that exist stay.
    pub fn set_factories(&mut self, factories: [F; 2]) {
        self.factories = factories;
    }

    /// The machine has another address, or a relay has given one. It is tried at once, and by every later
    /// connection of this target.
    pub fn add_local_address(&mut self, target: Target, address: LocalAddress, now: Instant) {
        self.connections.add_local_address(target, address);
        self.settle(now);
    }

    /// The network has changed: ICE begins anew over what there is now.
    pub fn network_changed(&mut self, now: Instant) {
        if self.is_active() {
            self.lost(Attempt::Resume, Duration::ZERO, now);
        }
    }

    /// Ends it: says so, and closes everything.
    pub fn close(&mut self, now: Instant) {
        if self.is_closed() {
            return;
        }
        self.signal(Request::Leave(LeaveRequest { reason: DisconnectReason::ClientInitiated }));
        self.end(CloseReason::Local, now);
    }

    fn begin(&mut self, attempt: Attempt, now: Instant) {
        self.phase = Phase::Opening(attempt, now + OPEN_MAX);
        let join = match attempt {
            Attempt::Join => self.join_request(now),
            Attempt::Resume => {
                JoinRequest { reconnect: true, participant_sid: self.sid.clone(), ..self.request() }
            }
        };
        let request = SignalRequest { version: self.version, join };
        self.outputs.push_back(Output::OpenSignal(Box::new(request)));
        self.settle(now);
    }

    /// A new session takes new connections.
    fn join_request(&mut self, now: Instant) -> JoinRequest {
        self.connections.close(now);
        self.flush(now);
        let addresses = self.connections.take_addresses();
        self.connections = Connections::new(&self.factories, addresses, now);
        let publisher_offer = if self.is_single() { self.connections.offer(false, now) } else { None };
        JoinRequest { publisher_offer, ..self.request() }
    }

    fn request(&self) -> JoinRequest {
        JoinRequest {
            client: self.config.client.clone(),
            settings: ConnectionSettings { auto_subscribe: true, ..ConnectionSettings::default() },
            metadata: self.config.metadata.clone(),
            attributes: self.config.attributes.clone(),
            ..JoinRequest::default()
        }
    }

    /// Something that was up is down: come back, unless that is under way already.
    fn lost(&mut self, attempt: Attempt, after: Duration, now: Instant) {
        if self.is_closed() {
            return;
        }
        if !self.was_connected {
            return self.failed(CloseReason::NoPath, now);
        }
        self.stop_signalling();
        let delay = self.attempts.next().unwrap_or_default().max(after);
        self.phase = Phase::Waiting(attempt, now + delay);
        self.event(EngineEvent::Reconnecting { resuming: attempt == Attempt::Resume });
    }

    /// An attempt has failed; another one may not.
    fn failed(&mut self, reason: CloseReason, now: Instant) {
        self.stop_signalling();
        if !self.was_connected {
            self.first_attempts += 1;
            let next = self.attempts.next().filter(|_| self.first_attempts < FIRST_ATTEMPTS_MAX);
            let Some(delay) = next else { return self.end(reason, now) };
            self.phase = Phase::Waiting(Attempt::Join, now + delay);
            return;
        }
        let attempt = self.phase.attempt();
        match (self.attempts.next(), attempt) {
            (Some(delay), attempt) => self.phase = Phase::Waiting(attempt, now + delay),
            (None, Attempt::Resume) => self.rejoin(now),
            (None, Attempt::Join) => self.end(reason, now),
        }
    }

    /// The server does not want this attempt, however often it is made.
    fn refused(&mut self, attempt: Attempt, reason: CloseReason, now: Instant) {
        match attempt {
            Attempt::Resume => self.rejoin(now),
            Attempt::Join => self.end(reason, now),
        }
    }

    /// The session of before is gone; attempts are counted anew.
    fn rejoin(&mut self, now: Instant) {
        self.attempts.reset();
        self.stop_signalling();
        let delay = self.attempts.next().unwrap_or_default();
        self.phase = Phase::Waiting(Attempt::Join, now + delay);
        self.event(EngineEvent::Reconnecting { resuming: false });
    }

    fn stop_signalling(&mut self) {
        self.heartbeat = None;
        if self.phase.is_signalling() {
            self.outputs.push_back(Output::CloseSignal);
        }
    }

    fn end(&mut self, reason: CloseReason, now: Instant) {
        self.stop_signalling();
        self.phase = Phase::Closed;
        self.connections.close(now);
        self.flush(now);
        self.event(EngineEvent::Closed(reason));
    }

    fn event(&mut self, event: EngineEvent) {
        self.outputs.push_back(Output::Event(event));
    }
}
