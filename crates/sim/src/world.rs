//! A whole server and its clients in virtual time and in one thread.
//!
//! Between rooms and workers, and between clients and rooms, run ordered queues whose delays are drawn
//! from the seed, so that each seed is another interleaving. Datagrams travel over [links](crate::link).

mod inhabitant;
mod mailbox;
mod node;
mod realm;
mod seat;
mod trace;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use trackyard_peer::Target;
use trackyard_proto::join::JoinRequest;

pub use inhabitant::{Inhabitant, Wish};
pub use mailbox::Mailbox;
pub use node::{Node, NodeConfig, Pace};
pub use realm::{MessageRealm, Realm, Str0mRealm};
use seat::SignalChange;
pub use seat::{Seat, SeatConfig};

use crate::client::Client;
use trace::Trace;

/// Which client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub usize);

/// A server, its clients, and the time.
pub struct World<R: Realm, C: Inhabitant = Client<<R as Realm>::Factory>> {
    realm: R,
    node: Node<R::Factory>,
    seats: Vec<Seat<C>>,
    now: Instant,
    begin: Instant,
    random: fastrand::Rng,
    trace: Trace,
}

impl<R: Realm> World<R> {
    /// A server without clients, for raw clients. The seed decides everything that is drawn by chance.
    pub fn new(realm: R, config: NodeConfig, seed: u64) -> Self {
        Self::with_inhabitants(realm, config, seed)
    }

    /// A new client that begins to join.
    pub fn join(&mut self, config: SeatConfig) -> ClientId {
        let client = config.client.clone();
        let id = self.enter(config, |factories, now| Client::new(factories, client, now));
        self.join_seat(id, Client::join_request);
        id
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
        self.join_seat(id, |client, _| client.resume_request());
    }
}

impl<R: Realm, C: Inhabitant> World<R, C> {
    /// A server without clients. The seed decides everything that is drawn by chance.
    pub fn with_inhabitants(realm: R, config: NodeConfig, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let now = realm.begin();
        let server = realm.clone();
        let node = Node::new(config, move |address| server.server(address), random.u64(..), now);
        Self { realm, node, seats: Vec::new(), now, begin: now, random, trace: Trace::default() }
    }

    /// A client takes its seat; what it does is its own affair.
    pub fn enter(
        &mut self,
        config: SeatConfig,
        make: impl FnOnce([R::Factory; 2], Instant) -> C,
    ) -> ClientId {
        let id = self.seats.len();
        let addresses = [address(id, 1), address(id, 2)];
        let factories = [self.realm.client(addresses[0]), self.realm.client(addresses[1])];
        let client = make(factories, self.now);
        let mut seat = Seat::new(config, client, addresses, (self.random.u64(..), self.now));
        seat.drain();
        self.seats.push(seat);
        ClientId(id)
    }

    /// Opens a signal connection for a client that does not do so by itself.
    pub(crate) fn join_seat(&mut self, id: ClientId, ask: impl FnOnce(&mut C, Instant) -> JoinRequest) {
        let seat = &mut self.seats[id.0];
        let request = ask(seat.client(), self.now);
        let single = seat.config().client.single;
        self.open_signal(id.0, request, single);
        self.settle();
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

    /// A worker of the server dies and begins anew.
    pub fn fail_worker(&mut self, id: u16) {
        self.node.fail_worker(id, self.now);
        self.settle();
    }

    /// The client's signal connection breaks.
    pub fn cut_signal(&mut self, id: ClientId) {
        if let Some(connection) = self.seats[id.0].disconnected() {
            self.node.signal_closed(connection, self.now);
        }
        self.settle();
    }

    /// The client's signal connection breaks, and the client notices.
    pub fn break_signal(&mut self, id: ClientId) {
        self.cut_signal(id);
        self.seats[id.0].signal_broken();
        self.settle();
    }

    /// Does something with a client, at this moment.
    pub fn with<T>(&mut self, id: ClientId, act: impl FnOnce(&mut C, Instant) -> T) -> T {
        let result = act(self.seats[id.0].client(), self.now);
        self.seats[id.0].drain_at(self.now);
        self.settle();
        result
    }

    /// A client with its links and everything it has seen.
    pub fn seat(&mut self, id: ClientId) -> &mut Seat<C> {
        &mut self.seats[id.0]
    }

    /// What a client has seen since this was last asked.
    pub fn events(&mut self, id: ClientId) -> Vec<(Instant, C::Event)> {
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
    pub(crate) fn settle(&mut self) {
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
            for at in 0..self.seats.len() {
                busy |= self.seats[at].run(self.now);
                busy |= self.change_signal(at);
                let seat = &mut self.seats[at];
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

    /// Does what a client wants done with its signal connection; `true` if there was anything.
    fn change_signal(&mut self, at: usize) -> bool {
        match self.seats[at].take_change() {
            Some(SignalChange::Open { request, single }) => self.open_signal(at, *request, single),
            Some(SignalChange::Close) => self.close_signal(at),
            None => return false,
        }
        true
    }

    fn open_signal(&mut self, at: usize, request: JoinRequest, single: bool) {
        self.close_signal(at);
        let seat = &mut self.seats[at];
        if seat.signal_works() {
            let connection = self.node.enter(at, seat.config(), (request, single), self.now);
            seat.connected(connection);
        } else {
            seat.client().signal_failed(self.now);
            seat.drain();
        }
    }

    fn close_signal(&mut self, at: usize) {
        let requests = self.seats[at].take_all_requests();
        if let Some(connection) = self.seats[at].disconnected() {
            for request in requests {
                self.node.request(connection, request, self.now);
            }
            self.node.signal_closed(connection, self.now);
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
