//! A client of our own in a simulated world: an [`Engine`] that answers what only its owner can answer.

use std::time::Instant;

use trackyard_peer::{ConnectionFactory, Datagram, Target};
use trackyard_proto::Response;
use trackyard_proto::signal::SyncState;
use trackyard_session::{Engine, EngineEvent, EngineOutput, SessionConfig, SignalFailure, SignalVersion};

use crate::world::{ClientId, Inhabitant, Realm, SeatConfig, Wish, World};

/// A world of clients of our own.
pub type OurWorld<R> = World<R, OurClient<<R as Realm>::Factory>>;

/// An engine, and what its owner would say on its behalf.
pub struct OurClient<F: ConnectionFactory> {
    engine: Engine<F>,
    /// What a resume claims to be published.
    pub published: Vec<String>,
    now: Instant,
}

impl<F: ConnectionFactory> OurClient<F> {
    /// Begins to join.
    pub fn new(config: SessionConfig, factories: [F; 2], now: Instant) -> Self {
        Self { engine: Engine::new(config, factories, now), published: Vec::new(), now }
    }

    /// The engine itself.
    pub fn engine(&mut self) -> &mut Engine<F> {
        &mut self.engine
    }
}

impl<F: ConnectionFactory> Inhabitant for OurClient<F> {
    type Event = EngineEvent;

    fn handle_signal(&mut self, response: Response, now: Instant) {
        self.now = now;
        self.engine.handle_signal(response, now);
    }

    fn signal_closed(&mut self, now: Instant) {
        self.engine.signal_closed(now);
    }

    fn signal_failed(&mut self, now: Instant) {
        self.engine.signal_failed(SignalFailure::Unreachable("simulated".to_owned()), now);
    }

    fn handle_datagram(&mut self, target: Target, datagram: Datagram<'_>, now: Instant) {
        self.now = now;
        self.engine.handle_datagram(target, datagram, now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        self.engine.handle_timeout(0, now);
    }

    fn poll_wish(&mut self) -> Wish<EngineEvent> {
        match self.engine.poll_output() {
            EngineOutput::OpenSignal(request) => {
                let single = request.version == SignalVersion::V1;
                Wish::OpenSignal { request: Box::new(request.join), single }
            }
            EngineOutput::CloseSignal => Wish::CloseSignal,
            EngineOutput::Signal(request) => Wish::Signal(request),
            EngineOutput::Transmit(target, transmit) => Wish::Transmit(target, transmit),
            EngineOutput::Event(EngineEvent::Resumed) => {
                let published = self.published.iter().cloned().map(Some).collect();
                let state = SyncState { publish_data_tracks: published, ..SyncState::default() };
                self.engine.sync(state, self.now);
                Wish::Event(EngineEvent::Resumed)
            }
            EngineOutput::Event(event) => Wish::Event(event),
            EngineOutput::Timeout(at) => Wish::Timeout(at),
        }
    }
}

impl<R: Realm> OurWorld<R> {
    /// A client of our own that begins to join.
    pub fn connect(&mut self, seat: SeatConfig, config: SessionConfig) -> ClientId {
        let id = self.enter(seat, |factories, now| OurClient::new(config, factories, now));
        self.settle();
        id
    }
}
