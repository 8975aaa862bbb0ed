//! A message through real connections: ICE, DTLS and SCTP on both ends.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use trackyard_lanes::LaneRules;
use trackyard_peer::{
    ChannelKind, Connection, ConnectionEvent, ConnectionFactory, ConnectionOutput, Datagram, Mode, Peer,
    PeerConfig, PeerEvent, PeerOutput, Role, Str0m, Str0mFactory, Target, Transmit, Transport,
};
use trackyard_wire::{Handle, Header};

use super::{OPERATIONS, WARM, beginning, handle, small_frames};
use crate::meter::Meter;

/// Between two messages.
const INTERVAL: Duration = Duration::from_millis(1);
/// Within so many of these the connection is up.
const INTERVALS_UP: u32 = 60_000;

/// A client, and the server's end of its connection. What one sends, the other has at once.
struct Pair {
    client: Str0m,
    peer: Peer<Str0m>,
    lane: Handle,
    now: Instant,
    /// Data-track packets that the client has got back.
    returned: usize,
    is_open: bool,
}

impl Pair {
    fn new() -> Result<Self> {
        let (ours, theirs): (SocketAddr, SocketAddr) =
            ("192.0.2.1:7882".parse()?, "198.51.100.1:5000".parse()?);
        let (now, lane) = (beginning(), handle(9)?);
        let server = Str0mFactory::for_server(vec![(Transport::Udp, ours)], 1200).open(Role::Answering, now);
        let mut peer = Peer::new(Mode::Single, server, None, PeerConfig::default(), now);
        let mut client = Str0mFactory::for_client(theirs).open(Role::ClientOffering, now);
        let offer = client.create_offer(false, now)?.context("no offer is made")?;
        let answer = peer.accept_offer(1, &offer, now)?;
        client.accept_answer(&answer, now)?;
        peer.add_lane(lane, LaneRules::default(), now);
        Ok(Self { client, peer, lane, now, returned: 0, is_open: false })
    }

    fn connect(&mut self) -> Result<()> {
        for _ in 0..INTERVALS_UP {
            if self.is_open && self.client.is_open(ChannelKind::DataTrack) {
                return Ok(());
            }
            self.pass();
        }
        anyhow::bail!("the connection does not come up")
    }

    /// Time passes, and everything is said that is to be said now.
    fn pass(&mut self) {
        self.now += INTERVAL;
        self.client.handle_timeout(self.now);
        self.peer.handle_timeout(self.now);
        while self.client_speaks() | self.peer_speaks() {}
    }

    fn client_speaks(&mut self) -> bool {
        let mut spoke = false;
        loop {
            match self.client.poll_output() {
                ConnectionOutput::Timeout(_) => return spoke,
                ConnectionOutput::Event(ConnectionEvent::Message(ChannelKind::DataTrack, _)) => {
                    self.returned += 1;
                }
                ConnectionOutput::Event(_) => {}
                ConnectionOutput::Transmit(transmit) => {
                    let Transmit { transport, source, destination, ref contents } = transmit;
                    let datagram = Datagram { transport, source, destination, contents };
                    self.peer.handle_datagram(Target::Publisher, datagram, self.now);
                    spoke = true;
                }
            }
        }
    }

    fn peer_speaks(&mut self) -> bool {
        let mut spoke = false;
        loop {
            match self.peer.poll_output() {
                PeerOutput::Timeout(_) => return spoke,
                PeerOutput::Event(PeerEvent::Packet(packet)) => self.forward(&packet),
                PeerOutput::Event(PeerEvent::ChannelOpen(_, ChannelKind::DataTrack)) => self.is_open = true,
                PeerOutput::Event(_) => {}
                PeerOutput::Transmit(transmit) => {
                    let Transmit { transport, source, destination, contents } = transmit;
                    self.client.handle_datagram(transport, source, destination, &contents, self.now);
                    spoke = true;
                }
            }
        }
    }

    fn forward(&mut self, packet: &Bytes) {
        if let Ok(header) = Header::parse(packet) {
            self.peer.push(self.lane, &header, packet, self.now);
        }
    }

    fn send(&mut self, packets: &[Bytes]) {
        for packet in packets {
            self.client.write(ChannelKind::DataTrack, packet);
            self.pass();
        }
    }
}

pub(super) fn there_and_back(meter: &mut Meter) -> Result<()> {
    let packets = small_frames(WARM + OPERATIONS)?;
    let mut pair = Pair::new()?;
    pair.connect()?;
    let (warm, counted) = packets.split_at(WARM.into());
    pair.send(warm);
    meter.measure(counted.len() as u64, || pair.send(counted));
    ensure!(pair.returned == packets.len(), "{} packets came back", pair.returned);
    Ok(())
}
