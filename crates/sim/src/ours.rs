//! Clients of our own in a simulated world, beside raw ones: a [`Session`] as an application holds it.

use std::time::Instant;

use trackyard_peer::{ConnectionFactory, Datagram, Target};
use trackyard_proto::Response;
use trackyard_session::{
    Output, Session, SessionConfig, SessionEvent, SignalFailure, SignalVersion, TracksConfig,
};

use crate::client::{Client, ClientEvent};
use crate::world::{ClientId, Inhabitant, Realm, SeatConfig, Wish, World};

/// A world of our own clients and raw ones.
pub type MixedWorld<R> = World<R, Guest<<R as Realm>::Factory>>;

/// A client of one kind or the other.
pub enum Guest<F: ConnectionFactory> {
    /// Everything it sees is an event.
    Raw(Box<Client<F>>),
    /// What applications get.
    Ours(Box<Session<F>>),
}

/// What a client sees.
#[derive(Debug)]
pub enum GuestEvent {
    /// A raw one.
    Raw(ClientEvent),
    /// One of ours.
    Ours(SessionEvent),
}

impl<F: ConnectionFactory> Guest<F> {
    /// The session of a client of ours.
    ///
    /// # Panics
    /// If it is a raw one.
    pub fn session(&mut self) -> &mut Session<F> {
        match self {
            Self::Ours(session) => session,
            Self::Raw(_) => panic!("a raw client has no session"),
        }
    }

    /// The raw client.
    ///
    /// # Panics
    /// If it is one of ours.
    pub fn raw(&mut self) -> &mut Client<F> {
        match self {
            Self::Raw(client) => client,
            Self::Ours(_) => panic!("a client of ours is not raw"),
        }
    }
}

impl<F: ConnectionFactory> Inhabitant for Guest<F> {
    type Event = GuestEvent;

    fn handle_signal(&mut self, response: Response, now: Instant) {
        match self {
            Self::Raw(client) => client.handle_signal(response, now),
            Self::Ours(session) => session.handle_signal(response, now),
        }
    }

    fn signal_closed(&mut self, now: Instant) {
        match self {
            Self::Raw(client) => client.note_signal_closed(),
            Self::Ours(session) => session.signal_closed(now),
        }
    }

    fn signal_failed(&mut self, now: Instant) {
        match self {
            Self::Raw(client) => client.note_signal_closed(),
            Self::Ours(session) => {
                session.signal_failed(SignalFailure::Unreachable("simulated".to_owned()), now);
            }
        }
    }

    fn handle_datagram(&mut self, target: Target, datagram: Datagram<'_>, now: Instant) {
        match self {
            Self::Raw(client) => client.handle_datagram(target, datagram, now),
            Self::Ours(session) => session.handle_datagram(target, datagram, now),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        match self {
            Self::Raw(client) => client.handle_timeout(now),
            Self::Ours(session) => session.handle_timeout(0, now),
        }
    }

    fn poll_wish(&mut self) -> Wish<GuestEvent> {
        match self {
            Self::Raw(client) => client.poll_wish().map(GuestEvent::Raw),
            Self::Ours(session) => wish(session.poll_output()).map(GuestEvent::Ours),
        }
    }
}

fn wish(output: Output<SessionEvent>) -> Wish<SessionEvent> {
    match output {
        Output::OpenSignal(request) => {
            let single = request.version == SignalVersion::V1;
            Wish::OpenSignal { request: Box::new(request.join), single }
        }
        Output::CloseSignal => Wish::CloseSignal,
        Output::Signal(request) => Wish::Signal(request),
        Output::Transmit(target, transmit) => Wish::Transmit(target, transmit),
        Output::Event(event) => Wish::Event(event),
        Output::Timeout(at) => Wish::Timeout(at),
    }
}

impl<R: Realm> MixedWorld<R> {
    /// A client of ours that begins to join.
    pub fn connect(&mut self, seat: SeatConfig, config: SessionConfig) -> ClientId {
        let id = self.enter(seat, |factories, now| {
            Guest::Ours(Box::new(Session::new(config, TracksConfig::default(), factories, now)))
        });
        self.settle();
        id
    }

    /// A raw client that begins to join.
    pub fn join_raw(&mut self, seat: SeatConfig) -> ClientId {
        let client = seat.client.clone();
        let id = self.enter(seat, |factories, now| Guest::Raw(Box::new(Client::new(factories, client, now))));
        self.join_seat(id, |guest, now| guest.raw().join_request(now));
        id
    }
}
