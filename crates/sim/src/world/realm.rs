//! What connections are made of: the level of the simulation.

use std::net::SocketAddr;
use std::time::Instant;

use trackyard_peer::{ConnectionFactory, Str0mFactory, Transport};

use crate::message::MessageFactory;

/// What connections are made of.
pub trait Realm: Clone + 'static {
    /// Makes them, for server and clients alike.
    type Factory: ConnectionFactory;

    /// The server's connections, whose datagrams come from `local`.
    fn server(&self, local: SocketAddr) -> Self::Factory;

    /// A client's connections, whose datagrams come from `local`.
    fn client(&self, local: SocketAddr) -> Self::Factory;

    /// The moment virtual time begins at. Nothing depends on which it is.
    fn begin(&self) -> Instant;
}

/// Level one: messages without WebRTC, the same run for the same seed.
#[derive(Debug, Clone)]
pub struct MessageRealm {
    begin: Instant,
    factory: MessageFactory,
}

impl MessageRealm {
    /// Virtual time begins at `begin`.
    #[must_use]
    pub fn new(begin: Instant) -> Self {
        Self { begin, factory: MessageFactory::new(SocketAddr::from(([0, 0, 0, 0], 0))) }
    }
}

impl Realm for MessageRealm {
    type Factory = MessageFactory;

    fn server(&self, local: SocketAddr) -> MessageFactory {
        self.factory.at(local)
    }

    fn client(&self, local: SocketAddr) -> MessageFactory {
        self.factory.at(local)
    }

    fn begin(&self) -> Instant {
        self.begin
    }
}

/// Level two: real ICE, DTLS and SCTP in virtual time. The engines draw their own randomness, so runs
/// are alike rather than the same.
#[derive(Debug, Clone, Copy)]
pub struct Str0mRealm {
    begin: Instant,
}

impl Str0mRealm {
    /// Virtual time begins at `begin`.
    #[must_use]
    pub fn new(begin: Instant) -> Self {
        Self { begin }
    }
}

impl Realm for Str0mRealm {
    type Factory = Str0mFactory;

    fn server(&self, local: SocketAddr) -> Str0mFactory {
        Str0mFactory::for_server(vec![(Transport::Udp, local)], 1200)
    }

    fn client(&self, local: SocketAddr) -> Str0mFactory {
        Str0mFactory::for_client(local)
    }

    fn begin(&self) -> Instant {
        self.begin
    }
}
