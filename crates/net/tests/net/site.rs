//! Workers under test, and a room that knows no policy.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use trackyard_lanes::{LaneRules, Policy};
use trackyard_net::{NetConfig, WorkerSnapshot, Workers, start};
use trackyard_peer::Mode;
use trackyard_sfu::control::{
    Command, Event, Hop, OpenPeer, PeerId, RoomKey, RouteBatch, RouteChange, TrackKey, WorkerId,
};
use trackyard_wire::Handle;

use crate::client::{Client, Link, PATIENCE, until};

/// Tests that count descriptors of the process cannot share it.
static SERIAL: Mutex<()> = Mutex::new(());

pub(crate) const ROOM: RoomKey = RoomKey(1);

/// The workers, and what they have said.
pub(crate) struct Site {
    pub(crate) workers: Workers,
    pub(crate) events: Receiver<Event>,
    next_peer: u64,
    _serial: MutexGuard<'static, ()>,
}

/// A client that has joined.
pub(crate) struct Member {
    pub(crate) client: Client,
    pub(crate) peer: PeerId,
    pub(crate) worker: WorkerId,
}

pub(crate) fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

pub(crate) fn config(workers: usize) -> NetConfig {
    let mut config = NetConfig::default();
    config.workers = workers;
    config.udp = vec![loopback()];
    config.tcp = vec![loopback()];
    config
}

pub(crate) fn handle(value: u16) -> Handle {
    Handle::new(value).unwrap()
}

/// A frame of one packet.
pub(crate) fn packet(handle: u16, number: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x18, 0];
    for field in [handle, number, number, 0, 0] {
        packet.extend(field.to_be_bytes());
    }
    packet.extend(payload);
    packet
}

impl Site {
    pub(crate) fn start(config: &NetConfig) -> Self {
        let serial = SERIAL.lock().unwrap_or_else(PoisonError::into_inner);
        let (sender, events): (Sender<Event>, _) = mpsc::channel();
        let sink = move |_: RoomKey, event: Event| {
            // A test that has ended takes no more events.
            let _ = sender.send(event);
        };
        let workers = start(config, &sink).unwrap();
        Self { workers, events, next_peer: 1, _serial: serial }
    }

    pub(crate) fn send(&self, worker: WorkerId, command: Command) {
        self.workers.send(worker, command).unwrap();
    }

    /// Waits for an event, passing over others.
    pub(crate) fn event<T>(&self, what: &str, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left).unwrap_or_else(|_| panic!("not in time: {what}"));
            if let Some(found) = wanted(event) {
                return found;
            }
        }
    }

    /// Opens a peer on a worker and connects a client to it.
    pub(crate) fn join(&mut self, worker: WorkerId, link: Link) -> Member {
        let peer = PeerId(self.next_peer);
        self.next_peer += 1;
        let (mut client, sdp) = Client::new(link);
        self.send(
            worker,
            Command::Open(OpenPeer { peer, room: ROOM, mode: Mode::Single, data_tracks: true }),
        );
        self.send(worker, Command::Offer { peer, id: 1, sdp });
        let answer = self.event("an answer", |event| match event {
            Event::Answer { sdp, .. } => Some(sdp),
            _ => None,
        });
        client.accept(&answer);
        until("channels", &mut [&mut client], |clients| clients[0].is_open());
        Member { client, peer, worker }
    }

    /// Changes routes and waits until they serve.
    pub(crate) fn route(&self, worker: WorkerId, changes: Vec<RouteChange>) {
        self.send(worker, Command::Route(RouteBatch { room: ROOM, version: 1, changes }));
        self.event("routes to be applied", |event| matches!(event, Event::Applied { .. }).then_some(()));
    }

    /// Lets `subscriber` receive what `publisher` sends under `from`, as `to`.
    pub(crate) fn connect(&self, publisher: (&Member, u16), subscriber: (&Member, u16)) {
        let track = TrackKey(publisher.0.peer.0 << 16 | u64::from(publisher.1));
        let ((from, from_handle), (to, to_handle)) = (publisher, subscriber);
        let rules = LaneRules { policy: Policy::Queue(1_000), age_max: PATIENCE, ..LaneRules::default() };
        let subscribe = RouteChange::Subscribe {
            track,
            publisher: from.peer,
            subscriber: to.peer,
            handle: handle(to_handle),
            rules,
        };
        self.route(to.worker, vec![subscribe, RouteChange::Flow { track, subscriber: to.peer }]);
        let mut changes =
            vec![RouteChange::AddTrack { track, publisher: from.peer, handle: handle(from_handle) }];
        if from.worker != to.worker {
            changes.push(RouteChange::AddHop { track, hop: Hop::Worker(to.worker) });
        }
        self.route(from.worker, changes);
    }

    pub(crate) fn stats(&self, worker: WorkerId) -> WorkerSnapshot {
        self.workers.stats()[usize::from(worker.0)].clone()
    }

    pub(crate) fn udp(&self) -> SocketAddr {
        self.workers.udp_addresses()[0]
    }

    pub(crate) fn tcp(&self) -> SocketAddr {
        self.workers.tcp_addresses()[0]
    }

    /// Waits until the workers have published something.
    pub(crate) fn wait(&self, what: &str, mut holds: impl FnMut(&[WorkerSnapshot]) -> bool) {
        until(what, &mut [], |_| holds(&self.workers.stats()));
    }

    /// Which worker the kernel gives a socket's datagrams to.
    pub(crate) fn kernel_choice(&self, socket: &UdpSocket) -> WorkerId {
        let garbage = |stats: &[WorkerSnapshot]| -> Vec<u64> {
            stats.iter().map(|worker| worker.core.garbage_unknown_protocol).collect()
        };
        let before = garbage(&self.workers.stats());
        socket.send_to(&[0xff], self.udp()).unwrap();
        let mut chosen = None;
        self.wait("the probe", |stats| {
            chosen = garbage(stats).iter().zip(&before).position(|(after, before)| after > before);
            chosen.is_some()
        });
        self.workers.stats()[chosen.unwrap()].worker
    }

    /// A socket whose datagrams the kernel gives to another worker than `worker`.
    pub(crate) fn misdirected(&self, worker: WorkerId) -> Link {
        loop {
            let Link::Udp(socket) = Link::udp() else { unreachable!("a UDP link") };
            if self.kernel_choice(&socket) != worker {
                return Link::Udp(socket);
            }
        }
    }

    /// A socket whose datagrams the kernel gives to `worker` itself.
    pub(crate) fn direct(&self, worker: WorkerId) -> Link {
        loop {
            let Link::Udp(socket) = Link::udp() else { unreachable!("a UDP link") };
            if self.kernel_choice(&socket) == worker {
                return Link::Udp(socket);
            }
        }
    }
}
