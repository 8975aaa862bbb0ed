//! One worker with participants, driven as its thread drives it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use trackyard_lanes::LaneRules;
use trackyard_peer::{ChannelKind, Datagram, Mode, Transport};
use trackyard_sfu::control::{
    Command, Hop, OpenPeer, PeerId, RoomKey, RouteBatch, RouteChange, Seat, TrackKey, WorkerId,
};
use trackyard_sfu::forward::{Crossing, Demux, Worker, WorkerConfig, WorkerOutput};
use trackyard_wire::Handle;

use crate::quiet::Quiet;

const ROOM: RoomKey = RoomKey(7);
const TRACK: TrackKey = TrackKey(9);
/// Between two packets; short enough for nobody to be given up during a run.
const INTERVAL: Duration = Duration::from_micros(100);

/// A worker whose participant 1 sends; the others receive.
pub(crate) struct Node {
    worker: Worker<Quiet>,
    factory: Quiet,
    now: Instant,
    peers: u64,
    version: u64,
    /// Datagrams that have left, and crossings.
    pub(crate) out: u64,
}

impl Node {
    /// So many participants, all connected; these messages come from the first.
    pub(crate) fn new(
        receivers: u16,
        channel: ChannelKind,
        messages: Vec<Bytes>,
        now: Instant,
    ) -> Result<Self> {
        let factory = Quiet::new(SocketAddr::from(([192, 0, 2, 1], 7882)), channel, messages);
        let worker = Worker::new(WorkerId(0), factory.clone(), WorkerConfig::default());
        let mut node = Self { worker, factory, now, peers: 0, version: 0, out: 0 };
        for _ in 0..=receivers {
            node.join()?;
        }
        Ok(node)
    }

    fn join(&mut self) -> Result<()> {
        self.peers += 1;
        let peer = PeerId(self.peers);
        self.command(Command::Open(OpenPeer { peer, room: ROOM, mode: Mode::Single, data_tracks: true }));
        self.command(Command::Offer { peer, id: 1, sdp: String::new() });
        let request = binding_request(&format!("{}:theirs", self.factory.last_ufrag()));
        ensure!(self.datagram(peer, &request), "the first datagram of {peer:?} is nobody's");
        self.poll();
        Ok(())
    }

    /// The first participant's track goes to all others.
    pub(crate) fn subscribe_all(&mut self, handle: Handle) {
        self.add_track(handle);
        let changes = (2..=self.peers).map(PeerId).flat_map(|subscriber| {
            let rules = LaneRules::default();
            [
                RouteChange::Subscribe { track: TRACK, publisher: PeerId(1), subscriber, handle, rules },
                RouteChange::Flow { track: TRACK, subscriber },
            ]
        });
        self.route(changes.collect());
    }

    /// The first participant's track goes to another worker.
    pub(crate) fn hop(&mut self, handle: Handle) {
        self.add_track(handle);
        self.route(vec![RouteChange::AddHop { track: TRACK, hop: Hop::Worker(WorkerId(1)) }]);
    }

    fn add_track(&mut self, handle: Handle) {
        self.route(vec![RouteChange::AddTrack { track: TRACK, publisher: PeerId(1), handle }]);
    }

    /// All may send and get user packets.
    pub(crate) fn seat_all(&mut self) {
        let seat = |number| Seat {
            sid: format!("PA_{number:012}"),
            identity: format!("participant-{number}"),
            may_send: true,
            ..Seat::default()
        };
        let seats = (1..=self.peers)
            .map(|number| RouteChange::Seat { peer: PeerId(number), seat: Arc::new(seat(number)) });
        self.route(seats.collect());
    }

    fn route(&mut self, changes: Vec<RouteChange>) {
        self.version += 1;
        self.command(Command::Route(RouteBatch { room: ROOM, version: self.version, changes }));
    }

    fn command(&mut self, command: Command) {
        self.worker.handle_command(command, self.now);
        self.poll();
    }

    fn datagram(&mut self, from: PeerId, contents: &[u8]) -> bool {
        let source = SocketAddr::from(([198, 51, 100, 1], 1_000 + from.0 as u16));
        let datagram =
            Datagram { transport: Transport::Udp, source, destination: self.factory.address, contents };
        self.worker.handle_datagram(datagram, self.now) == Demux::Mine
    }

    /// A message comes from the first participant, and all that follows is done.
    pub(crate) fn message(&mut self, index: usize) {
        self.now += INTERVAL;
        self.worker.handle_timeout(self.now);
        self.datagram(PeerId(1), &Quiet::datagram(index));
        self.poll();
    }

    /// A packet of the track comes from another worker, and all that follows is done.
    pub(crate) fn crossing(&mut self, packet: &Bytes) {
        self.now += INTERVAL;
        self.worker.handle_timeout(self.now);
        let crossing = Crossing {
            track: TRACK,
            from: Some(PeerId(1)),
            packet: packet.clone(),
            received: self.now,
            handed: self.now,
        };
        self.worker.handle_crossing(&crossing, self.now);
        self.poll();
    }

    fn poll(&mut self) {
        loop {
            match self.worker.poll_output() {
                WorkerOutput::Timeout(_) => return,
                WorkerOutput::Transmit(_) | WorkerOutput::Cross { .. } => self.out += 1,
                _ => {}
            }
        }
    }
}

/// A STUN binding request that carries only a user name.
fn binding_request(username: &str) -> Vec<u8> {
    let padded = username.len().next_multiple_of(4);
    let mut request = vec![0, 1, 0, padded as u8 + 4, 0x21, 0x12, 0xA4, 0x42];
    request.extend([7; 12]);
    request.extend([0, 6, 0, username.len() as u8]);
    request.extend(username.as_bytes());
    request.resize(24 + padded, 0);
    request
}
