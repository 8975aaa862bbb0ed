//! A peer and its client, joined by a link, in virtual time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_peer::{
    ChannelKind, Connection, ConnectionEvent, ConnectionFactory, ConnectionOutput, Datagram, Mode, Peer,
    PeerConfig, PeerEvent, PeerOutput, Role, Str0m, Str0mFactory, Target, Transport,
};

use crate::link::Link;

pub(crate) const TARGETS: [Target; 2] = [Target::Publisher, Target::Subscriber];
/// Everything that can happen at once has happened after so many steps.
const STEPS_AT_ONCE: u32 = 20_000;

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) peer: Peer<Str0m>,
    /// The client's end of each connection.
    pub(crate) client: [Option<Str0m>; 2],
    pub(crate) link: Link,
    /// What the peer has said.
    pub(crate) said: Vec<PeerEvent>,
    /// What the client's connections have said.
    pub(crate) seen: Vec<(Target, ConnectionEvent)>,
    /// Most datagrams that the peer was given without being polled in between.
    pub(crate) most_at_once: usize,
    /// Of what the client sends, nothing but STUN reaches the peer.
    pub(crate) only_stun: bool,
    /// Before each datagram of the client's comes one that somebody has forged after it.
    pub(crate) forge: Option<fastrand::Rng>,
    steps: u32,
    peer_wakes: Option<Instant>,
    client_wakes: [Option<Instant>; 2],
}

pub(crate) fn server_address() -> SocketAddr {
    "192.0.2.1:7882".parse().unwrap()
}

pub(crate) fn client_address(target: Target) -> SocketAddr {
    match target {
        Target::Publisher => "198.51.100.1:5000".parse().unwrap(),
        Target::Subscriber => "198.51.100.1:5001".parse().unwrap(),
    }
}

#[expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]
fn beginning() -> Instant {
    Instant::now()
}

pub(crate) fn server_factory() -> Str0mFactory {
    Str0mFactory::for_server(vec![(Transport::Udp, server_address())], 1200)
}

pub(crate) fn new_peer(mode: Mode, factory: &Str0mFactory, now: Instant) -> Peer<Str0m> {
    let publisher = factory.open(Role::Answering, now);
    let subscriber = matches!(mode, Mode::Dual { .. }).then(|| factory.open(Role::Offering, now));
    Peer::new(mode, publisher, subscriber, PeerConfig::default(), now)
}

impl World {
    pub(crate) fn new(mode: Mode) -> Self {
        Self::with_factory(mode, &server_factory())
    }

    pub(crate) fn with_factory(mode: Mode, factory: &Str0mFactory) -> Self {
        let now = beginning();
        let open = |target, role| Str0mFactory::for_client(client_address(target)).open(role, now);
        let subscriber =
            matches!(mode, Mode::Dual { .. }).then(|| open(Target::Subscriber, Role::ClientAnswering));
        Self {
            now,
            peer: new_peer(mode, factory, now),
            client: [Some(open(Target::Publisher, Role::ClientOffering)), subscriber],
            link: Link::new(7),
            said: Vec::new(),
            seen: Vec::new(),
            most_at_once: 0,
            only_stun: false,
            forge: None,
            steps: 0,
            peer_wakes: None,
            client_wakes: [None; 2],
        }
    }

    /// One connection, up, with all channels open.
    pub(crate) fn single() -> Self {
        let mut world = Self::new(Mode::Single);
        world.exchange_publisher(false);
        world.run_until(Self::is_open(Target::Publisher));
        world
    }

    /// Two connections, up, with all channels open.
    pub(crate) fn dual() -> Self {
        let mut world = Self::new(Mode::Dual { subscriber_primary: true });
        world.peer.request_offer(false, world.now);
        world.exchange_publisher(false);
        world.run_until(Self::is_open(Target::Publisher));
        world.run_until(Self::is_open(Target::Subscriber));
        world
    }

    pub(crate) fn publisher(&mut self) -> &mut Str0m {
        self.client[0].as_mut().unwrap()
    }

    pub(crate) fn subscriber(&mut self) -> &mut Str0m {
        self.client[1].as_mut().unwrap()
    }

    /// The client offers its publisher connection, and takes the answer.
    pub(crate) fn exchange_publisher(&mut self, ice_restart: bool) {
        let now = self.now;
        let offer = self.publisher().create_offer(ice_restart, now).unwrap().unwrap();
        let answer = self.peer.accept_offer(1, &offer, now).unwrap();
        self.publisher().accept_answer(&answer, now).unwrap();
    }

    /// The client answers an offer of the peer's.
    pub(crate) fn answer(&mut self, id: u32, offer: &str) {
        let now = self.now;
        let answer = self.subscriber().accept_offer(offer, now).unwrap();
        self.peer.accept_answer(id, &answer, now).unwrap();
    }

    pub(crate) fn is_open(target: Target) -> impl FnMut(&mut Self) -> bool {
        move |world| {
            let connection = world.client[target as usize].as_ref().unwrap();
            let kinds = [ChannelKind::Reliable, ChannelKind::Lossy, ChannelKind::DataTrack];
            kinds.into_iter().all(|kind| {
                let told = |event: &PeerEvent| matches!(event, PeerEvent::ChannelOpen(t, k) if *t == target && *k == kind);
                connection.is_open(kind) && world.said.iter().any(told)
            })
        }
    }

    /// The client sends.
    pub(crate) fn client_writes(&mut self, target: Target, kind: ChannelKind, message: &[u8]) -> bool {
        let now = self.now;
        let connection = self.client[target as usize].as_mut().unwrap();
        connection.handle_timeout(now);
        connection.write(kind, message)
    }

    /// Goes on until something is so; a minute is enough for anything.
    #[track_caller]
    pub(crate) fn run_until(&mut self, mut so: impl FnMut(&mut Self) -> bool) {
        let end = self.now + Duration::from_secs(60);
        loop {
            self.settle();
            if so(self) {
                return;
            }
            assert!(self.step(end), "it never happens; said {:?}", self.said);
        }
    }

    pub(crate) fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.step(end) {}
        self.now = end;
    }

    /// What the client's connection has received, in order.
    pub(crate) fn received(&mut self, target: Target, kind: ChannelKind) -> Vec<Bytes> {
        let mut messages = Vec::new();
        self.seen.retain_mut(|(from, event)| match event {
            ConnectionEvent::Message(of, message) if *of == kind && *from == target => {
                messages.push(std::mem::take(message));
                false
            }
            _ => true,
        });
        messages
    }

    /// What the peer has received on a channel, in order.
    pub(crate) fn arrived(&mut self, kind: ChannelKind) -> Vec<Bytes> {
        let mut messages = Vec::new();
        self.said.retain_mut(|event| match event {
            PeerEvent::Packet(message) if kind == ChannelKind::DataTrack => {
                messages.push(std::mem::take(message));
                false
            }
            PeerEvent::Message(of, message) if *of == kind => {
                messages.push(std::mem::take(message));
                false
            }
            _ => true,
        });
        messages
    }

    pub(crate) fn count_said(&self, what: impl Fn(&PeerEvent) -> bool) -> usize {
        self.said.iter().filter(|event| what(event)).count()
    }

    /// Gives the peer a datagram as if it came from the client.
    pub(crate) fn inject(&mut self, target: Target, contents: &[u8]) {
        let datagram = Datagram {
            transport: Transport::Udp,
            source: client_address(target),
            destination: server_address(),
            contents,
        };
        self.peer.handle_datagram(target, datagram, self.now);
    }

    /// Everything that can be said now is said.
    pub(crate) fn settle(&mut self) {
        loop {
            match self.peer.poll_output() {
                PeerOutput::Transmit(transmit) => self.link.send(transmit, self.now),
                PeerOutput::Event(PeerEvent::Offer { id, sdp }) => {
                    self.answer(id, &sdp);
                    self.said.push(PeerEvent::Offer { id, sdp });
                }
                PeerOutput::Event(event) => self.said.push(event),
                PeerOutput::Timeout(at) => {
                    self.peer_wakes = at;
                    break;
                }
            }
        }
        for target in TARGETS {
            while let Some(output) = self.client[target as usize].as_mut().map(Connection::poll_output) {
                match output {
                    ConnectionOutput::Transmit(transmit) => self.link.send(transmit, self.now),
                    ConnectionOutput::Event(event) => self.seen.push((target, event)),
                    ConnectionOutput::Timeout(at) => {
                        self.client_wakes[target as usize] = Some(at);
                        break;
                    }
                }
            }
        }
    }

    /// The next thing happens, if it does before the end.
    fn step(&mut self, end: Instant) -> bool {
        self.settle();
        let Some(next) = self.next().filter(|next| *next <= end) else {
            return false;
        };
        self.steps = if next > self.now { 0 } else { self.steps + 1 };
        assert!(self.steps < STEPS_AT_ONCE, "time stands still");
        self.now = self.now.max(next);
        let mut at_once = 0;
        while let Some(transmit) = self.link.deliver(self.now) {
            at_once += usize::from(transmit.destination == server_address());
            self.deliver(&transmit);
        }
        self.most_at_once = self.most_at_once.max(at_once);
        self.time_passes();
        true
    }

    fn deliver(&mut self, transmit: &trackyard_peer::Transmit) {
        let from = TARGETS.into_iter().find(|target| client_address(*target) == transmit.source);
        if self.only_stun && from.is_some() && transmit.contents[0] > 3 {
            return;
        }
        if let (Some(target), Some(random)) = (from, &mut self.forge) {
            let forged = crate::hostile::forged(&transmit.contents, random);
            self.inject(target, &forged);
        }
        if let Some(from) = from {
            return self.inject(from, &transmit.contents);
        }
        let to = TARGETS.into_iter().find(|target| client_address(*target) == transmit.destination);
        if let Some(connection) = to.and_then(|target| self.client[target as usize].as_mut()) {
            let (from, to) = (transmit.source, transmit.destination);
            connection.handle_datagram(Transport::Udp, from, to, &transmit.contents, self.now);
        }
    }

    fn time_passes(&mut self) {
        let now = self.now;
        if self.peer_wakes.is_some_and(|at| at <= now) {
            self.peer.handle_timeout(now);
        }
        for (connection, wakes) in self.client.iter_mut().zip(self.client_wakes) {
            if let Some(connection) = connection.as_mut().filter(|_| wakes.is_some_and(|at| at <= now)) {
                connection.handle_timeout(now);
            }
        }
    }

    fn next(&self) -> Option<Instant> {
        let wakes = self.client_wakes.into_iter().chain([self.peer_wakes, self.link.next()]);
        wakes.flatten().min()
    }
}
