//! A client in the world: its links, its signal queue, and what it has seen.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use trackyard_peer::{Datagram, Target, Transmit};
use trackyard_proto::join::JoinRequest;
use trackyard_proto::{Request, Response};
use trackyard_sfu::room::ConnectionId;

use super::inhabitant::{Inhabitant, Wish};
use super::mailbox::Mailbox;
use super::node::Signal;
use crate::client::ClientConfig;
use crate::link::{Link, LinkConfig};

/// A client to be.
#[derive(Debug, Clone)]
pub struct SeatConfig {
    /// Which room.
    pub room: String,
    /// Who.
    pub identity: String,
    /// The token's grants; the room is added.
    pub grant: trackyard_auth::VideoGrant,
    /// Which tracks the token allows.
    pub tracks: trackyard_auth::TrackNames,
    /// How the client behaves.
    pub client: ClientConfig,
    /// From the client to the server.
    pub up: LinkConfig,
    /// From the server to the client.
    pub down: LinkConfig,
    /// How long a message over the signal connection takes at most, each way.
    pub signal_delay: Duration,
}

impl SeatConfig {
    /// A client with all ordinary permissions on a perfect link.
    #[must_use]
    pub fn new(room: &str, identity: &str) -> Self {
        Self {
            room: room.to_owned(),
            identity: identity.to_owned(),
            grant: trackyard_auth::VideoGrant::default(),
            tracks: trackyard_auth::TrackNames::default(),
            client: ClientConfig::default(),
            up: LinkConfig::default(),
            down: LinkConfig::default(),
            signal_delay: Duration::from_millis(2),
        }
    }
}

/// A client in the world.
pub struct Seat<C: Inhabitant> {
    config: SeatConfig,
    client: C,
    addresses: [SocketAddr; 2],
    up: Link<(SocketAddr, Transmit)>,
    down: Link<(Target, Transmit)>,
    /// `None`: the end of the connection.
    signals: Mailbox<Option<Response>>,
    requests: Mailbox<Request>,
    connection: Option<ConnectionId>,
    /// What the client wants done with its signal connection.
    change: Option<SignalChange>,
    events: Vec<(Instant, C::Event)>,
    wake: Option<Instant>,
    now: Instant,
    reads: bool,
    signal_works: bool,
}

/// What a client wants done with its signal connection.
#[derive(Debug)]
pub(super) enum SignalChange {
    Open { request: Box<JoinRequest>, single: bool },
    Close,
}

impl<C: Inhabitant> Seat<C> {
    pub(super) fn new(
        config: SeatConfig,
        client: C,
        addresses: [SocketAddr; 2],
        (seed, now): (u64, Instant),
    ) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let signal_delay = config.signal_delay;
        Self {
            client,
            addresses,
            up: Link::new(config.up, random.u64(..)),
            down: Link::new(config.down, random.u64(..)),
            signals: Mailbox::new(signal_delay, random.u64(..)),
            requests: Mailbox::new(signal_delay, random.u64(..)),
            connection: None,
            change: None,
            events: Vec::new(),
            wake: Some(now),
            now,
            reads: true,
            signal_works: true,
            config,
        }
    }

    /// How it was made.
    pub fn config(&self) -> &SeatConfig {
        &self.config
    }

    /// The client itself.
    pub fn client(&mut self) -> &mut C {
        &mut self.client
    }

    /// The link towards the client.
    pub fn down(&mut self) -> &mut Link<(Target, Transmit)> {
        &mut self.down
    }

    /// The link from the client.
    pub fn up(&mut self) -> &mut Link<(SocketAddr, Transmit)> {
        &mut self.up
    }

    /// Whether the links carry anything, either way.
    pub fn set_path(&mut self, works: bool) {
        self.up.set_up(works);
        self.down.set_up(works);
    }

    /// Whether the links carry anything, and a signal connection can be opened: one that is open stays
    /// ([`World::break_signal`](super::World::break_signal)).
    pub fn set_reachable(&mut self, reachable: bool) {
        self.set_path(reachable);
        self.signal_works = reachable;
    }

    /// Whether datagrams that arrive are handed to the client at all.
    pub fn set_reads(&mut self, reads: bool) {
        self.reads = reads;
    }

    /// Whether a signal connection can be opened at all.
    pub fn set_signal_works(&mut self, works: bool) {
        self.signal_works = works;
    }

    pub(super) fn signal_works(&self) -> bool {
        self.signal_works
    }

    pub(super) fn signal_broken(&mut self) {
        self.client.signal_closed(self.now);
        self.drain();
    }

    /// Takes what the client wants after it was spoken to directly.
    pub(super) fn drain_at(&mut self, now: Instant) {
        self.now = now;
        self.drain();
    }

    pub(super) fn take_change(&mut self) -> Option<SignalChange> {
        self.change.take()
    }

    /// Its signal connection, if it has one.
    pub fn connection(&self) -> Option<ConnectionId> {
        self.connection
    }

    pub(super) fn connected(&mut self, connection: ConnectionId) {
        self.connection = Some(connection);
    }

    /// What was on its way over the old connection is lost with it.
    pub(super) fn disconnected(&mut self) -> Option<ConnectionId> {
        while self.signals.pop(self.now + Duration::from_secs(3600)).is_some() {}
        while self.requests.pop(self.now + Duration::from_secs(3600)).is_some() {}
        self.connection.take()
    }

    /// Something for one of its signal connections, which may no longer be the current one.
    pub(super) fn signal(&mut self, signal: Signal, now: Instant) {
        if self.connection == Some(signal.connection) {
            self.signals.push(signal.message, now);
        }
    }

    pub(super) fn downlink(&mut self, target: Target, transmit: Transmit, now: Instant) {
        self.down.send(transmit.contents.len(), (target, transmit), now);
    }

    pub(super) fn take_events(&mut self) -> Vec<(Instant, C::Event)> {
        std::mem::take(&mut self.events)
    }

    pub(super) fn take_arrived_at_server(&mut self, now: Instant) -> Vec<(SocketAddr, Transmit)> {
        std::iter::from_fn(|| self.up.poll(now)).collect()
    }

    pub(super) fn take_requests(&mut self) -> Vec<Request> {
        std::iter::from_fn(|| self.requests.pop(self.now)).collect()
    }

    /// What was said before the signal connection is closed still arrives.
    pub(super) fn take_all_requests(&mut self) -> Vec<Request> {
        std::iter::from_fn(|| self.requests.pop(self.now + Duration::from_secs(3600))).collect()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        [
            self.wake,
            self.up.poll_timeout(),
            self.down.poll_timeout(),
            self.signals.poll_timeout(),
            self.requests.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Hands the client what has arrived and takes what it says; `true` if there was anything.
    pub(super) fn run(&mut self, now: Instant) -> bool {
        self.now = now;
        let mut busy = false;
        while let Some((target, transmit)) = self.down.poll(now) {
            busy = true;
            if self.reads {
                let Transmit { transport, source, destination, contents } = transmit;
                let datagram = Datagram { transport, source, destination, contents: &contents };
                self.client.handle_datagram(target, datagram, now);
                self.drain();
            }
        }
        while let Some(response) = self.signals.pop(now) {
            busy = true;
            match response {
                Some(response) => self.client.handle_signal(response, now),
                None => {
                    self.disconnected();
                    self.client.signal_closed(now);
                }
            }
            self.drain();
        }
        if self.wake.is_some_and(|wake| wake <= now) {
            self.wake = None;
            self.client.handle_timeout(now);
        }
        self.drain() || busy
    }

    pub(super) fn drain(&mut self) -> bool {
        let mut busy = false;
        loop {
            match self.client.poll_wish() {
                Wish::OpenSignal { request, single } => {
                    self.change = Some(SignalChange::Open { request, single });
                }
                Wish::CloseSignal => self.change = Some(SignalChange::Close),
                Wish::Signal(request) => self.requests.push(request, self.now),
                Wish::Transmit(target, transmit) => {
                    let source = self.addresses[target as usize];
                    self.up.send(transmit.contents.len(), (source, transmit), self.now);
                }
                Wish::Event(event) => self.events.push((self.now, event)),
                Wish::Timeout(at) => {
                    // What is already due is served at the next moment, so that time moves on.
                    self.wake = at.map(|at| at.max(self.now + Duration::from_micros(1)));
                    return busy;
                }
            }
            busy = true;
        }
    }
}
