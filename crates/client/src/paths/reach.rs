//! Whole connections over real sockets where a network lets through nothing but one way.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};
use trackyard_peer::{
    ChannelKind, Connection, ConnectionEvent, ConnectionFactory, ConnectionOutput, LocalAddress, Role, Str0m,
    Str0mFactory, Target, Transmit, Transport,
};

use super::inbox::{Came, Inbox, WAIT_MAX};
use super::tcp::{TcpPaths, push_frame, take_frame};
use super::turn::Relays;
use super::turn::coturn::{Coturn, server as ice_server};

const TARGET: Target = Target::Publisher;
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

type Packet = (SocketAddr, Vec<u8>);

/// The server's end of the network.
struct Wire {
    transport: Transport,
    local: SocketAddr,
    incoming: mpsc::Receiver<Packet>,
    outgoing: mpsc::Sender<Packet>,
    _tasks: JoinSet<()>,
}

impl Wire {
    async fn udp() -> Self {
        let socket = UdpSocket::bind((LOOPBACK, 0)).await.unwrap();
        let local = socket.local_addr().unwrap();
        let ((sender, incoming), (outgoing, mut receiver)) =
            (mpsc::channel(100), mpsc::channel::<Packet>(100));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut buffer = [0; 2_000];
            loop {
                tokio::select! {
                    received = socket.recv_from(&mut buffer) => {
                        let (count, from) = received.unwrap();
                        sender.send((from, buffer[..count].to_vec())).await.unwrap();
                    }
                    Some((to, packet)) = receiver.recv() => {
                        socket.send_to(&packet, to).await.unwrap();
                    }
                }
            }
        });
        Self { transport: Transport::Udp, local, incoming, outgoing, _tasks: tasks }
    }

    /// Takes one connection.
    async fn tcp() -> Self {
        let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
        let local = listener.local_addr().unwrap();
        let ((sender, incoming), (outgoing, mut receiver)) =
            (mpsc::channel(100), mpsc::channel::<Packet>(100));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let (mut stream, from) = listener.accept().await.unwrap();
            let mut buffer = BytesMut::new();
            loop {
                tokio::select! {
                    count = stream.read_buf(&mut buffer) => assert_ne!(count.unwrap(), 0),
                    Some((to, packet)) = receiver.recv() => {
                        assert_eq!(to, from);
                        let mut frame = BytesMut::new();
                        push_frame(&mut frame, &packet);
                        stream.write_all(&frame).await.unwrap();
                    }
                }
                while let Some(frame) = take_frame(&mut buffer).unwrap() {
                    sender.send((from, frame.to_vec())).await.unwrap();
                }
            }
        });
        Self { transport: Transport::Tcp, local, incoming, outgoing, _tasks: tasks }
    }
}

/// A client and a server, and what is between them.
struct World<S> {
    client: Str0m,
    server: Str0m,
    wire: Wire,
    inbox: Inbox,
    /// Sends for the client.
    send: S,
    arrived: Vec<Vec<u8>>,
    has_written: bool,
}

impl<S: FnMut(Transmit)> World<S> {
    fn new(addresses: Vec<LocalAddress>, wire: Wire, inbox: Inbox, send: S) -> Self {
        let now = Instant::now();
        let server = Str0mFactory::for_server(vec![(wire.transport, wire.local)], 1_200);
        let mut server = server.open(Role::Answering, now);
        let nowhere = SocketAddr::new(LOOPBACK, 9);
        let client = Str0mFactory { candidates: addresses, ..Str0mFactory::for_client(nowhere) };
        let mut client = client.open(Role::ClientOffering, now);
        let offer = client.create_offer(false, now).unwrap().unwrap();
        let answer = server.accept_offer(&offer, now).unwrap();
        client.accept_answer(&answer, now).unwrap();
        Self { client, server, wire, inbox, send, arrived: Vec::new(), has_written: false }
    }

    /// Runs until a message of the client has reached the server.
    async fn check_connected(mut self) {
        let running = async {
            while self.arrived.is_empty() {
                let wake = self.settle().await;
                self.step(wake).await;
            }
        };
        timeout(WAIT_MAX, running).await.expect("no message has reached the server");
        assert_eq!(self.arrived, [vec![7; 16_000]]);
    }

    async fn step(&mut self, wake: Instant) {
        tokio::select! {
            came = self.inbox.next() => match came {
                Came::Datagram { transport, source, destination, contents, .. } => {
                    self.client.handle_datagram(transport, source, destination, &contents, Instant::now());
                }
                Came::Relayed(_, address) => {
                    self.client.add_local_address(LocalAddress::Relayed { address, base: address });
                }
            },
            Some((from, packet)) = self.wire.incoming.recv() => {
                let (transport, local) = (self.wire.transport, self.wire.local);
                self.server.handle_datagram(transport, from, local, &packet, Instant::now());
            }
            () = sleep_until(wake.into()) => {
                self.client.handle_timeout(Instant::now());
                self.server.handle_timeout(Instant::now());
            }
        }
    }

    async fn settle(&mut self) -> Instant {
        if !self.has_written && self.client.is_open(ChannelKind::DataTrack) {
            self.has_written = self.client.write(ChannelKind::DataTrack, &[7; 16_000]);
        }
        let client_wakes = loop {
            match self.client.poll_output() {
                ConnectionOutput::Transmit(transmit) => (self.send)(transmit),
                ConnectionOutput::Event(_) => {}
                ConnectionOutput::Timeout(at) => break at,
            }
        };
        loop {
            match self.server.poll_output() {
                ConnectionOutput::Transmit(Transmit { destination, contents, .. }) => {
                    self.wire.outgoing.send((destination, contents)).await.unwrap();
                }
                ConnectionOutput::Event(ConnectionEvent::Message(_, message)) => {
                    self.arrived.push(message.to_vec());
                }
                ConnectionOutput::Event(_) => {}
                ConnectionOutput::Timeout(at) => return at.min(client_wakes),
            }
        }
    }
}

#[tokio::test]
async fn a_client_reaches_a_server_over_tcp_that_it_opens() {
    let (inbox, inbound) = Inbox::new();
    let mut paths = TcpPaths::new(inbound, Handle::current());
    let send = move |transmit: Transmit| paths.send(TARGET, transmit);
    let addresses = vec![LocalAddress::tcp_active(LOOPBACK)];
    World::new(addresses, Wire::tcp().await, inbox, send).check_connected().await;
}

#[tokio::test]
async fn a_client_reaches_a_server_through_a_relay() {
    let Some(coturn) = Coturn::start().await else { return };
    for url in [coturn.udp(), coturn.tcp(), coturn.tls()] {
        let (inbox, inbound) = Inbox::new();
        let mut relays = Relays::new(inbound, coturn.trusting(), Handle::current());
        relays.set_servers(TARGET, &[ice_server(&[url])]);
        let send = |transmit: Transmit| relays.send(TARGET, transmit).expect("it is sent from nowhere else");
        World::new(Vec::new(), Wire::udp().await, inbox, send).check_connected().await;
    }
}
