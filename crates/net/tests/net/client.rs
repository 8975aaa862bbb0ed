//! A client: a real connection over a socket that is asked again and again.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use trackyard_peer::{
    ChannelKind, Connection, ConnectionEvent, ConnectionFactory, ConnectionOutput, LocalAddress, Role, Str0m,
    Str0mFactory, Transport,
};

/// Everything here happens within this, or never.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// One client with one connection (single mode).
pub(crate) struct Client {
    connection: Str0m,
    link: Link,
    /// As the connection knows it: what a translator in between does is hidden from it.
    local: (Transport, SocketAddr),
    open: Vec<ChannelKind>,
    has_ended: bool,
    pub(crate) received: VecDeque<Vec<u8>>,
    /// What the server's side is called.
    pub(crate) server_ufrag: String,
}

/// What carries its datagrams.
pub(crate) enum Link {
    Udp(UdpSocket),
    Tcp { stream: TcpStream, unread: Vec<u8> },
}

impl Link {
    pub(crate) fn udp() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self::Udp(socket)
    }

    pub(crate) fn tcp(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self::Tcp { stream, unread: Vec::new() }
    }

    fn candidate(&self) -> (Transport, SocketAddr) {
        match self {
            Self::Udp(socket) => (Transport::Udp, socket.local_addr().unwrap()),
            Self::Tcp { stream, .. } => (Transport::Tcp, stream.local_addr().unwrap()),
        }
    }

    fn send(&mut self, destination: SocketAddr, contents: &[u8]) {
        match self {
            Self::Udp(socket) => assert_eq!(socket.send_to(contents, destination).unwrap(), contents.len()),
            Self::Tcp { stream, .. } => {
                let length = u16::try_from(contents.len()).unwrap().to_be_bytes();
                stream.write_all(&[&length, contents].concat()).unwrap();
            }
        }
    }

    /// A datagram, if one is there.
    fn receive(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        let mut buffer = [0; 20_000];
        match self {
            Self::Udp(socket) => {
                let (count, source) = not_yet(socket.recv_from(&mut buffer))?;
                Some((source, buffer[..count].to_vec()))
            }
            Self::Tcp { stream, unread } => {
                let frame = take_frame(unread).or_else(|| {
                    let count = not_yet(stream.read(&mut buffer))?;
                    unread.extend(&buffer[..count]);
                    take_frame(unread)
                })?;
                Some((stream.peer_addr().unwrap(), frame))
            }
        }
    }
}

fn not_yet<T>(result: io::Result<T>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => None,
        Err(error) => panic!("{error}"),
    }
}

fn take_frame(unread: &mut Vec<u8>) -> Option<Vec<u8>> {
    let (prefix, rest) = unread.split_first_chunk::<2>()?;
    let frame = rest.get(..usize::from(u16::from_be_bytes(*prefix)))?.to_vec();
    unread.drain(..2 + frame.len());
    Some(frame)
}

impl Client {
    /// A client and its offer.
    pub(crate) fn new(link: Link) -> (Self, String) {
        let local = link.candidate();
        let factory = Str0mFactory {
            candidates: vec![LocalAddress::listening(local)],
            mtu: 1200,
            buffered_bytes_max: 1 << 20,
        };
        let now = Instant::now();
        let mut connection = factory.open(Role::ClientOffering, now);
        let offer = connection.create_offer(false, now).unwrap().unwrap();
        let (open, received, server_ufrag) = (Vec::new(), VecDeque::new(), String::new());
        (Self { connection, link, local, open, has_ended: false, received, server_ufrag }, offer)
    }

    pub(crate) fn accept(&mut self, answer: &str) {
        let ufrag = answer.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:"));
        self.server_ufrag = ufrag.unwrap().to_owned();
        self.connection.accept_answer(answer, Instant::now()).unwrap();
    }

    /// Goes on from another place; the connection learns of it by what happens.
    pub(crate) fn rebind(&mut self, link: Link) {
        self.link = link;
    }

    /// An offer with new ICE credentials.
    pub(crate) fn restart_ice(&mut self) -> String {
        self.connection.create_offer(true, Instant::now()).unwrap().unwrap()
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.len() == 3
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Sends a binding request from its address that names a connection, and proves nothing.
    pub(crate) fn forge(&mut self, server: SocketAddr, ufrag: &str) {
        let name = format!("{ufrag}:x");
        let length = u16::try_from(name.len()).unwrap();
        let padded = length.next_multiple_of(4);
        let mut request = vec![0, 1];
        request.extend((padded + 4).to_be_bytes());
        request.extend([0x21, 0x12, 0xA4, 0x42]);
        request.extend([7; 12]);
        request.extend([0, 6]);
        request.extend(length.to_be_bytes());
        request.extend(name.bytes());
        request.resize(usize::from(24 + padded), 0);
        self.link.send(server, &request);
    }

    /// Sends a data-track packet.
    pub(crate) fn publish(&mut self, packet: &[u8]) {
        assert!(self.connection.write(ChannelKind::DataTrack, packet), "the channel takes a packet");
        self.drain();
    }

    /// Takes what has come.
    pub(crate) fn look(&mut self) {
        self.drain();
        let (transport, local) = self.local;
        while let Some((source, contents)) = self.link.receive() {
            self.connection.handle_datagram(transport, source, local, &contents, Instant::now());
            self.drain();
        }
        self.connection.handle_timeout(Instant::now());
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            match self.connection.poll_output() {
                ConnectionOutput::Transmit(transmit) => {
                    self.link.send(transmit.destination, &transmit.contents)
                }
                ConnectionOutput::Event(ConnectionEvent::ChannelOpen(kind)) => self.open.push(kind),
                ConnectionOutput::Event(ConnectionEvent::Message(ChannelKind::DataTrack, message)) => {
                    self.received.push_back(message.to_vec());
                }
                ConnectionOutput::Event(ConnectionEvent::Closed) => self.has_ended = true,
                ConnectionOutput::Event(_) => {}
                ConnectionOutput::Timeout(_) => return,
            }
        }
    }
}

/// Lets all clients look until something holds.
pub(crate) fn until(what: &str, clients: &mut [&mut Client], mut holds: impl FnMut(&[&mut Client]) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds(clients) {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::yield_now();
        clients.iter_mut().for_each(|client| client.look());
    }
}
