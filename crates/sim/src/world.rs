//! A whole server and its clients in virtual time and in one thread.
//!
//! Between rooms and workers, and between clients and rooms, run ordered queues whose delays are drawn
//! from the seed, so that each seed is another interleaving. Datagrams travel over [links](crate::link).

mod mailbox;
mod node;
mod realm;
mod seat;
mod trace;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use trackyard_peer::Target;

pub use mailbox::Mailbox;
pub use node::{Node, NodeConfig};
pub use realm::{MessageRealm, Realm, Str0mRealm};
pub use seat::{Seat, SeatConfig};

use crate::client::{Client, ClientEvent};
use trace::Trace;

/// Which client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub usize);

/// A server, its clients, and the time.
pub struct World<R: Realm> {
    realm: R,
    node: Node<R::Factory>,
    seats: Vec<Seat<R::Factory>>,
    now: Instant,
    begin: Instant,
    random: fastrand::Rng,
    trace: Trace,
}

impl<R: Realm> World<R> {
    /// A server without clients. The seed decides everything that is drawn by chance.
    pub fn new(realm: R, config: NodeConfig, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let now = realm.begin();
        let node = Node::new(config, |address| realm.server(address), random.u64(..), now);
        Self { realm, node, seats: Vec::new(), now, begin: now, random, trace: Trace::default() }
    }

    /// Virtual time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.now - self.begin
    }

    /// Virtual time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Notes every datagram from now on.
    pub fn record_trace(&mut self) {
        self.trace.record();
    }

    /// A number that differs when any datagram that was noted does, or its time.
    pub fn trace(&self) -> u64 {
        self.trace.digest()
    }

    /// The server.
    pub fn node(&mut self) -> &mut Node<R::Factory> {
        &mut self.node
    }

    /// A new client that begins to join.
    pub fn join(&mut self, config: SeatConfig) -> ClientId {
        let id = self.seats.len();
        let addresses = [address(id, 1), address(id, 2)];
        let factories = [self.realm.client(addresses[0]), self.realm.client(addresses[1])];
        let mut seat = Seat::new(config, factories, addresses, (self.random.u64(..), self.now));
        let request = seat.client().join_request(self.now);
        let connection = self.node.enter(id, seat.config(), request, self.now);
        seat.connected(connection);
        self.seats.push(seat);
        self.settle();
        ClientId(id)
    }

    /// The client breaks its signal connection and comes back to its session.
    pub fn resume(&mut self, id: ClientId) {
        self.cut_signal(id);
        self.come_back(id);
    }

    /// The client comes back to its session before the server has noticed that it was away.
    pub fn resume_unnoticed(&mut self, id: ClientId) {
        self.seats[id.0].disconnected();
        self.come_back(id);
    }

    fn come_back(&mut self, id: ClientId) {
        let seat = &mut self.seats[id.0];
        let request = seat.client().resume_request();
        let connection = self.node.enter(id.0, seat.config(), request, self.now);
        seat.connected(connection);
        self.settle();
    }

    /// The client's signal connection breaks.
    pub fn cut_signal(&mut self, id: ClientId) {
        if let Some(connection) = self.seats[id.0].disconnected() {
            self.node.signal_closed(connection, self.now);
        }
        self.settle();
    }

    /// Does something with a client, at this moment.
    pub fn with<T>(&mut self, id: ClientId, act: impl FnOnce(&mut Client<R::Factory>, Instant) -> T) -> T {
        let result = act(self.seats[id.0].client(), self.now);
        self.settle();
        result
    }

    /// A client with its links and everything it has seen.
    pub fn seat(&mut self, id: ClientId) -> &mut Seat<R::Factory> {
        &mut self.seats[id.0]
    }

    /// What a client has seen since this was last asked.
    pub fn events(&mut self, id: ClientId) -> Vec<(Instant, ClientEvent)> {
        self.seats[id.0].take_events()
    }

    /// Lets so much time pass.
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.step(end) {}
        self.now = end;
    }

    /// Lets time pass until a condition holds; `false` if it does not within `limit`.
    pub fn run_until(&mut self, limit: Duration, mut condition: impl FnMut(&mut Self) -> bool) -> bool {
        let end = self.now + limit;
        loop {
            if condition(self) {
                return true;
            }
            if !self.step(end) {
                self.now = end;
                return condition(self);
            }
        }
    }

    /// Goes to the next moment at which something happens, if it is not after `end`.
    fn step(&mut self, end: Instant) -> bool {
        let next = self.seats.iter().filter_map(Seat::poll_timeout).chain(self.node.poll_timeout()).min();
        let Some(at) = next.filter(|at| *at <= end) else { return false };
        self.now = self.now.max(at);
        self.settle();
        true
    }

    /// Does everything that is due now.
    fn settle(&mut self) {
        loop {
            let mut busy = self.node.run(self.now);
            for signal in self.node.take_signals() {
                self.seats[signal.seat].signal(signal, self.now);
                busy = true;
            }
            for transmit in self.node.take_transmits() {
                self.trace.note(self.now - self.begin, transmit.destination, &transmit.contents);
                if let Some((seat, target)) = seat_of(transmit.destination) {
                    if let Some(seat) = self.seats.get_mut(seat) {
                        seat.downlink(target, transmit, self.now);
                    }
                    busy = true;
                }
            }
            for seat in &mut self.seats {
                busy |= seat.run(self.now);
                for (source, transmit) in seat.take_arrived_at_server(self.now) {
                    self.trace.note(self.now - self.begin, source, &transmit.contents);
                    self.node.datagram(source, &transmit, self.now);
                    busy = true;
                }
                for request in seat.take_requests() {
                    if let Some(connection) = seat.connection() {
                        self.node.request(connection, request, self.now);
                    }
                    busy = true;
                }
            }
            if !busy {
                return;
            }
        }
    }
}

/// Each client has one address per connection.
fn address(client: usize, connection: u8) -> SocketAddr {
    let [_, high, low, _] = u32::try_from(client << 8).unwrap_or(u32::MAX).to_be_bytes();
    SocketAddr::from(([10, high, low, connection], 40_000))
}

fn seat_of(address: SocketAddr) -> Option<(usize, Target)> {
    let std::net::IpAddr::V4(ip) = address.ip() else { return None };
    let [10, high, low, connection] = ip.octets() else { return None };
    let target = if connection == 1 { Target::Publisher } else { Target::Subscriber };
    Some((usize::from(high) << 8 | usize::from(low), target))
}
