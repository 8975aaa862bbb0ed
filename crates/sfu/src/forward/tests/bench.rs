//! A worker on the bench: its clients are addresses, and everything it says is kept.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_lanes::LaneRules;
use trackyard_peer::{
    ChannelKind, Connection, ConnectionEvent, ConnectionFactory, ConnectionOutput, Datagram, LocalAddress,
    Mode, Role, Transmit, Transport,
};
use trackyard_wire::Handle;

use crate::control::{
    Command, Event, Hop, OpenPeer, PeerId, RoomKey, RouteBatch, RouteChange, TrackKey, UserPacket, WorkerId,
};
use crate::forward::stun::tests::request;
use crate::forward::{Crossing, Demux, DemuxKey, Worker, WorkerConfig, WorkerOutput};

/// First byte of a datagram that carries a data-track packet.
const DATA_TRACK: u8 = 20;
/// First byte of a datagram that carries a user packet.
pub(super) const LOSSY: u8 = 21;
/// First byte of a datagram that carries a reliable user packet.
pub(super) const RELIABLE: u8 = 24;
/// First byte of a datagram at which the connection panics.
pub(super) const POISON: u8 = 22;
/// First byte of a datagram after which the connection panics when it is next written to.
pub(super) const LATE_POISON: u8 = 23;
/// First byte of a datagram after which the connection's reliable channel delivers nothing more.
pub(super) const DEAF: u8 = 25;
/// What a closed connection says.
pub(super) const GOODBYE: &[u8] = b"\x3fgoodbye";

pub(super) const ROOM: RoomKey = RoomKey(7);
pub(super) const SERVER: &str = "192.0.2.1:7882";

/// What answers a binding request.
pub(super) const WELCOME: &[u8] = b"\x01welcome";
/// A binding request that ends so is not believed.
pub(super) const FORGED: &[u8] = b"forged";

/// Passes messages as datagrams, `first byte + message`. Open from its first binding request on.
#[derive(Debug)]
pub(super) struct Fake {
    ufrag: String,
    outputs: VecDeque<ConnectionOutput>,
    client: Option<SocketAddr>,
    unpolled: usize,
    is_poisoned: bool,
    reads_nothing: bool,
    unread: usize,
    gauges: Arc<Gauges>,
    idle_until: Instant,
}

/// What all connections of a factory count together.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    pub(super) polls: AtomicUsize,
    pub(super) unpolled_max: AtomicUsize,
    pub(super) timeouts: AtomicUsize,
}

#[derive(Debug, thiserror::Error)]
#[error("not a description")]
pub(super) struct NotADescription;

#[derive(Debug, Default)]
pub(super) struct FakeFactory {
    made: AtomicUsize,
    pub(super) gauges: Arc<Gauges>,
}

impl ConnectionFactory for FakeFactory {
    type Connection = Fake;

    fn open(&self, _role: Role, now: Instant) -> Fake {
        let made = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        Fake {
            ufrag: format!("u{made}"),
            outputs: VecDeque::new(),
            client: None,
            unpolled: 0,
            is_poisoned: false,
            reads_nothing: false,
            unread: 0,
            gauges: Arc::clone(&self.gauges),
            idle_until: now + Duration::from_secs(5),
        }
    }
}

impl Fake {
    fn event(&mut self, event: ConnectionEvent) {
        self.outputs.push_back(ConnectionOutput::Event(event));
    }

    fn send(&mut self, contents: Vec<u8>) {
        let Some(destination) = self.client else { return };
        let source = SERVER.parse().unwrap();
        let transport = Transport::Udp;
        self.outputs.push_back(ConnectionOutput::Transmit(Transmit {
            transport,
            source,
            destination,
            contents,
        }));
    }

    fn bind(&mut self, source: SocketAddr) {
        if self.client.replace(source).is_none() {
            self.event(ConnectionEvent::Connected);
            for kind in [ChannelKind::Reliable, ChannelKind::Lossy, ChannelKind::DataTrack] {
                self.event(ConnectionEvent::ChannelOpen(kind));
            }
        }
        self.send(WELCOME.to_vec());
    }
}

impl Connection for Fake {
    type Error = NotADescription;

    fn handle_datagram(
        &mut self,
        _transport: Transport,
        source: SocketAddr,
        _destination: SocketAddr,
        contents: &[u8],
        _now: Instant,
    ) {
        self.unpolled += 1;
        self.gauges.unpolled_max.fetch_max(self.unpolled, Ordering::Relaxed);
        let message = Bytes::copy_from_slice(&contents[1..]);
        match contents[0] {
            DATA_TRACK => self.event(ConnectionEvent::Message(ChannelKind::DataTrack, message)),
            LOSSY => self.event(ConnectionEvent::Message(ChannelKind::Lossy, message)),
            RELIABLE => self.event(ConnectionEvent::Message(ChannelKind::Reliable, message)),
            POISON => panic!("poisoned"),
            LATE_POISON => self.is_poisoned = true,
            DEAF => self.reads_nothing = true,
            _ if contents.ends_with(FORGED) => {}
            _ => self.bind(source),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.gauges.timeouts.fetch_add(1, Ordering::Relaxed);
        self.idle_until = now + Duration::from_secs(5);
    }

    fn poll_output(&mut self) -> ConnectionOutput {
        self.unpolled = 0;
        self.gauges.polls.fetch_add(1, Ordering::Relaxed);
        self.outputs.pop_front().unwrap_or(ConnectionOutput::Timeout(self.idle_until))
    }

    fn accept_offer(&mut self, sdp: &str, _now: Instant) -> Result<String, NotADescription> {
        match sdp {
            "offer" => {}
            "restart" => self.ufrag.push('r'),
            _ => return Err(NotADescription),
        }
        Ok(format!("answer {}", self.ufrag))
    }

    fn create_offer(&mut self, _ice_restart: bool, _now: Instant) -> Result<Option<String>, NotADescription> {
        Ok(Some("offer".to_owned()))
    }

    fn accept_answer(&mut self, _sdp: &str, _now: Instant) -> Result<(), NotADescription> {
        Ok(())
    }

    fn add_remote_candidate(&mut self, candidate: &str) -> Result<(), NotADescription> {
        if candidate.starts_with("candidate:") { Ok(()) } else { Err(NotADescription) }
    }

    fn add_local_address(&mut self, _: LocalAddress) {}

    fn local_ufrag(&mut self) -> String {
        self.ufrag.clone()
    }

    fn write(&mut self, channel: ChannelKind, message: &[u8]) -> bool {
        assert!(!self.is_poisoned, "poisoned");
        let first = match channel {
            ChannelKind::DataTrack => DATA_TRACK,
            ChannelKind::Lossy => LOSSY,
            ChannelKind::Reliable if self.reads_nothing => {
                self.unread += message.len();
                return true;
            }
            ChannelKind::Reliable => RELIABLE,
        };
        self.send([&[first], message].concat());
        self.client.is_some()
    }

    fn is_open(&self, _channel: ChannelKind) -> bool {
        self.client.is_some()
    }

    fn buffered(&mut self, channel: ChannelKind) -> usize {
        if channel == ChannelKind::Reliable { self.unread } else { 0 }
    }

    fn close(&mut self, _now: Instant) {
        self.send(GOODBYE.to_vec());
        self.event(ConnectionEvent::Closed);
    }
}

/// A worker, a clock that stands still until told otherwise, and all the worker has said.
pub(super) struct Bench {
    pub(super) worker: Worker<FakeFactory>,
    pub(super) gauges: Arc<Gauges>,
    pub(super) now: Instant,
    pub(super) events: Vec<Event>,
    pub(super) sent: Vec<(SocketAddr, Vec<u8>)>,
    pub(super) crossed: Vec<(WorkerId, Crossing)>,
    pub(super) user_packets: Vec<(WorkerId, Arc<UserPacket>)>,
    pub(super) claims: Vec<DemuxKey>,
    pub(super) deadline: Option<Instant>,
    opened: usize,
}

/// A client of the bench.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client {
    pub(super) peer: PeerId,
    pub(super) address: SocketAddr,
}

pub(super) fn handle(value: u16) -> Handle {
    Handle::new(value).unwrap()
}

/// A frame of one packet.
pub(super) fn packet(handle: u16, number: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x18, 0];
    for field in [handle, number, number, 0, 0] {
        packet.extend(field.to_be_bytes());
    }
    packet.extend(payload);
    packet
}

pub(super) fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 1], port))
}

impl Bench {
    pub(super) fn new(id: u16) -> Self {
        Self::with(id, WorkerConfig::default())
    }

    #[allow(clippy::disallowed_methods)]
    pub(super) fn with(id: u16, limits: WorkerConfig) -> Self {
        let factory = FakeFactory::default();
        let gauges = Arc::clone(&factory.gauges);
        Self {
            worker: Worker::new(WorkerId(id), factory, limits),
            gauges,
            now: Instant::now(),
            events: Vec::new(),
            sent: Vec::new(),
            crossed: Vec::new(),
            user_packets: Vec::new(),
            claims: Vec::new(),
            deadline: None,
            opened: 0,
        }
    }

    /// Takes what the worker says.
    pub(super) fn run(&mut self) {
        loop {
            match self.worker.poll_output() {
                WorkerOutput::Transmit(transmit) => self.sent.push((transmit.destination, transmit.contents)),
                WorkerOutput::Event(room, event) => {
                    assert_eq!(room, ROOM);
                    self.events.push(event);
                }
                WorkerOutput::Cross { to, crossing } => self.crossed.push((to, crossing)),
                WorkerOutput::CrossUserPacket { to, packet, .. } => self.user_packets.push((to, packet)),
                WorkerOutput::Claim(key) => self.claims.push(key),
                WorkerOutput::Release(key) => self.claims.retain(|known| *known != key),
                WorkerOutput::Timeout(deadline) => {
                    self.deadline = deadline;
                    return;
                }
            }
        }
    }

    /// Lets time pass, and the worker do what is due then.
    pub(super) fn advance(&mut self, duration: Duration) {
        self.now += duration;
        self.worker.handle_timeout(self.now);
        self.run();
    }

    pub(super) fn command(&mut self, command: Command) {
        self.worker.handle_command(command, self.now);
        self.run();
    }

    /// Subscriptions flow at once, as if their handles were told.
    pub(super) fn routes(&mut self, changes: Vec<RouteChange>) {
        let changes = changes.into_iter().flat_map(|change| {
            let flow = match change {
                RouteChange::Subscribe { track, subscriber, .. } => {
                    Some(RouteChange::Flow { track, subscriber })
                }
                _ => None,
            };
            [change].into_iter().chain(flow)
        });
        self.prepare(changes.collect());
    }

    /// Changes routes by exactly these.
    pub(super) fn prepare(&mut self, changes: Vec<RouteChange>) {
        self.command(Command::Route(RouteBatch { room: ROOM, version: 1, changes }));
    }

    /// Hands in a datagram without polling.
    pub(super) fn datagram<'a>(&mut self, source: SocketAddr, contents: &'a [u8]) -> Demux<'a> {
        let (transport, destination) = (Transport::Udp, SERVER.parse().unwrap());
        self.worker.handle_datagram(Datagram { transport, source, destination, contents }, self.now)
    }

    /// A participant that has connected from an address of its own.
    pub(super) fn join(&mut self, peer: u64) -> Client {
        let client = self.open(peer);
        let ufrag = self.ufrag();
        assert_eq!(self.datagram(client.address, &request(&ufrag)), Demux::Mine);
        self.run();
        self.sent.clear();
        client
    }

    /// A participant that has an answer, and nothing else.
    pub(super) fn open(&mut self, peer: u64) -> Client {
        self.opened += 1;
        let id = PeerId(peer);
        self.command(Command::Open(OpenPeer { peer: id, room: ROOM, mode: Mode::Single, data_tracks: true }));
        self.command(Command::Offer { peer: id, id: 1, sdp: "offer".to_owned() });
        Client { peer: id, address: address(1_000 + u16::try_from(peer).unwrap()) }
    }

    /// The fragment of whoever was opened last.
    pub(super) fn ufrag(&self) -> String {
        format!("u{}", self.opened)
    }

    pub(super) fn publish(&mut self, client: Client, bytes: &[u8]) {
        let contents = [&[DATA_TRACK], bytes].concat();
        assert_eq!(self.datagram(client.address, &contents), Demux::Mine);
    }

    /// The same, for a datagram that has waited since `received`.
    pub(super) fn publish_received(&mut self, client: Client, bytes: &[u8], received: Instant) {
        let contents = [&[DATA_TRACK], bytes].concat();
        let destination = SERVER.parse().unwrap();
        let datagram =
            Datagram { transport: Transport::Udp, source: client.address, destination, contents: &contents };
        assert_eq!(self.worker.handle_received(datagram, received, self.now), Demux::Mine);
    }

    /// The packets a client has been sent so far.
    pub(super) fn received(&self, client: Client) -> Vec<Vec<u8>> {
        let to_client = |(to, contents): &(SocketAddr, Vec<u8>)| {
            (*to == client.address && contents[0] == DATA_TRACK).then(|| contents[1..].to_vec())
        };
        self.sent.iter().filter_map(to_client).collect()
    }
}

pub(super) fn add_track(track: u64, publisher: Client, value: u16) -> RouteChange {
    RouteChange::AddTrack { track: TrackKey(track), publisher: publisher.peer, handle: handle(value) }
}

pub(super) fn subscribe(track: u64, subscriber: Client, value: u16) -> RouteChange {
    let rules = LaneRules::default();
    RouteChange::Subscribe {
        track: TrackKey(track),
        publisher: PeerId(1),
        subscriber: subscriber.peer,
        handle: handle(value),
        rules,
    }
}

pub(super) fn add_hop(track: u64, worker: u16) -> RouteChange {
    RouteChange::AddHop { track: TrackKey(track), hop: Hop::Worker(WorkerId(worker)) }
}
