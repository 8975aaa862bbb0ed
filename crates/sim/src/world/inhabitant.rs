//! What a world asks of the clients in it.

use std::time::Instant;

use trackyard_peer::{ConnectionFactory, Datagram, Target, Transmit};
use trackyard_proto::join::JoinRequest;
use trackyard_proto::{Request, Response};

use crate::client::{Client, ClientEvent, ClientOutput};

/// What a client wants after a call.
#[derive(Debug)]
pub enum Wish<E> {
    /// Open a signal connection with this, in place of any other.
    OpenSignal {
        /// What to join or resume with.
        request: Box<JoinRequest>,
        /// One peer connection instead of two.
        single: bool,
    },
    /// Close the signal connection.
    CloseSignal,
    /// Say this on the signal connection.
    Signal(Request),
    /// Send this from the connection's own address.
    Transmit(Target, Transmit),
    /// This has happened.
    Event(E),
    /// Nothing more until then.
    Timeout(Option<Instant>),
}

impl<E> Wish<E> {
    /// The same wish; what has happened is put another way.
    pub(crate) fn map<T>(self, tell: impl FnOnce(E) -> T) -> Wish<T> {
        match self {
            Self::OpenSignal { request, single } => Wish::OpenSignal { request, single },
            Self::CloseSignal => Wish::CloseSignal,
            Self::Signal(request) => Wish::Signal(request),
            Self::Transmit(target, transmit) => Wish::Transmit(target, transmit),
            Self::Event(event) => Wish::Event(tell(event)),
            Self::Timeout(at) => Wish::Timeout(at),
        }
    }
}

/// A client that a world can hold.
pub trait Inhabitant {
    /// What it sees.
    type Event;

    /// A message of the server.
    fn handle_signal(&mut self, response: Response, now: Instant);
    /// The signal connection has ended without the client's doing.
    fn signal_closed(&mut self, now: Instant);
    /// The signal connection cannot be opened.
    fn signal_failed(&mut self, now: Instant);
    /// A datagram has come for one of the connections.
    fn handle_datagram(&mut self, target: Target, datagram: Datagram<'_>, now: Instant);
    /// Time has passed.
    fn handle_timeout(&mut self, now: Instant);
    /// What it wants; polled until `Timeout` after every call.
    fn poll_wish(&mut self) -> Wish<Self::Event>;
}

impl<F: ConnectionFactory> Inhabitant for Client<F> {
    type Event = ClientEvent;

    fn handle_signal(&mut self, response: Response, now: Instant) {
        self.handle_signal(response, now);
    }

    fn signal_closed(&mut self, _: Instant) {
        self.note_signal_closed();
    }

    fn signal_failed(&mut self, _: Instant) {
        self.note_signal_closed();
    }

    fn handle_datagram(&mut self, target: Target, datagram: Datagram<'_>, now: Instant) {
        self.handle_datagram(target, datagram, now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.handle_timeout(now);
    }

    fn poll_wish(&mut self) -> Wish<ClientEvent> {
        match self.poll_output() {
            ClientOutput::Signal(request) => Wish::Signal(request),
            ClientOutput::Transmit(target, transmit) => Wish::Transmit(target, transmit),
            ClientOutput::Event(event) => Wish::Event(event),
            ClientOutput::Timeout(at) => Wish::Timeout(at),
        }
    }
}
