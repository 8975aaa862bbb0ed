//! The seam below a peer: one peer connection.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use bytes::Bytes;

/// How many connections a participant has (protocol §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The client offers; both directions use it.
    Single,
    /// The client offers one for what it publishes, the server one for what it subscribes to.
    Dual {
        /// What the participant receives arrives on the subscriber connection, which also decides when it is connected.
        subscriber_primary: bool,
    },
}

/// Which of a participant's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// The client offers.
    Publisher,
    /// The server offers.
    Subscriber,
}

/// A data channel by its label (protocol §4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChannelKind {
    /// `_reliable`
    Reliable,
    /// `_lossy`
    Lossy,
    /// `_data_track`
    DataTrack,
}

impl ChannelKind {
    /// The label by which it is known on the wire.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Reliable => "_reliable",
            Self::Lossy => "_lossy",
            Self::DataTrack => "_data_track",
        }
    }
}

/// What carries a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// UDP.
    Udp,
    /// ICE/TCP: framed by RFC 4571.
    Tcp,
}

/// An address of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LocalAddress {
    /// A UDP socket.
    Udp(SocketAddr),
    /// We open TCP connections from this address, each from a port of its own: the port is [`ACTIVE_PORT`].
    TcpActive(SocketAddr),
    /// We accept TCP connections.
    TcpPassive(SocketAddr),
    /// A relay's, which passes UDP on.
    Relayed {
        /// Of the relay; what is sent from it and comes to it goes through the relay.
        address: SocketAddr,
        /// The socket that speaks with the relay.
        base: SocketAddr,
    },
}

/// The port in the candidate of who only opens TCP connections (RFC 6544 §4.5).
pub const ACTIVE_PORT: u16 = 9;

impl LocalAddress {
    /// Of a server: its TCP is passive.
    #[must_use]
    pub fn listening((transport, address): (Transport, SocketAddr)) -> Self {
        match transport {
            Transport::Udp => Self::Udp(address),
            Transport::Tcp => Self::TcpPassive(address),
        }
    }

    /// For TCP connections that we open.
    #[must_use]
    pub fn tcp_active(ip: IpAddr) -> Self {
        Self::TcpActive(SocketAddr::new(ip, ACTIVE_PORT))
    }

    /// Where datagrams are said to come from and go to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Udp(address) | Self::TcpActive(address) | Self::TcpPassive(address) => *address,
            Self::Relayed { address, .. } => *address,
        }
    }
}

/// A datagram that has come.
#[derive(Debug, Clone, Copy)]
pub struct Datagram<'d> {
    /// What has carried it.
    pub transport: Transport,
    /// From whom.
    pub source: SocketAddr,
    /// To which of our addresses.
    pub destination: SocketAddr,
    /// What it holds.
    pub contents: &'d [u8],
}

/// A datagram to send.
#[derive(Debug)]
pub struct Transmit {
    /// What carries it.
    pub transport: Transport,
    /// From which of our addresses.
    pub source: SocketAddr,
    /// To whom.
    pub destination: SocketAddr,
    /// What to send.
    pub contents: Vec<u8>,
}

/// What a connection wants after a call.
#[derive(Debug)]
pub enum ConnectionOutput {
    /// Send this; then poll again.
    Transmit(Transmit),
    /// This has happened; then poll again.
    Event(ConnectionEvent),
    /// Nothing more until then.
    Timeout(Instant),
}

/// What has happened on a connection.
#[derive(Debug)]
pub enum ConnectionEvent {
    /// ICE and DTLS are up.
    Connected,
    /// ICE has lost its path, and may find it again.
    Interrupted,
    /// The path is back.
    Restored,
    /// A channel can be written.
    ChannelOpen(ChannelKind),
    /// A channel has ended.
    ChannelClosed(ChannelKind),
    /// A message has come.
    Message(ChannelKind, Bytes),
    /// DTLS or SCTP has ended, from the other side or by failure.
    Closed,
}

/// What a connection has passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ConnectionCounters {
    /// Datagrams that were none of ICE, DTLS or SRTP, or that could not be used.
    pub malformed_datagrams: u64,
    /// Channels with labels that mean nothing here (protocol §4.6).
    pub unknown_channels: u64,
    /// Addresses of ours that ICE cannot use, or that were too many.
    pub refused_addresses: u64,
}

impl std::ops::AddAssign for ConnectionCounters {
    fn add_assign(&mut self, other: Self) {
        self.malformed_datagrams += other.malformed_datagrams;
        self.unknown_channels += other.unknown_channels;
        self.refused_addresses += other.refused_addresses;
    }
}

/// Which part a connection plays in the exchange of descriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// A server that answers: ICE-lite, the client makes the channels.
    Answering,
    /// A server that offers: ICE-lite, and makes the three channels itself.
    Offering,
    /// A client that offers and makes the three channels.
    ClientOffering,
    /// A client that answers; the server makes the channels.
    ClientAnswering,
}

/// Makes connections.
pub trait ConnectionFactory {
    /// What it makes.
    type Connection: Connection;

    /// A new connection for this part.
    fn open(&self, role: Role, now: Instant) -> Self::Connection;
}

/// One peer connection. After each `&mut` call, poll until `Timeout`.
pub trait Connection {
    /// Why a description or candidate cannot be used.
    type Error: std::error::Error + Send + Sync + 'static;

    /// A datagram has come. One that is malformed is counted and forgotten.
    fn handle_datagram(
        &mut self,
        transport: Transport,
        source: SocketAddr,
        destination: SocketAddr,
        contents: &[u8],
        now: Instant,
    );
    /// Time has passed.
    fn handle_timeout(&mut self, now: Instant);
    /// What comes next.
    fn poll_output(&mut self) -> ConnectionOutput;

    /// Answers the other side's offer. Credentials may change (ICE restart).
    fn accept_offer(&mut self, sdp: &str, now: Instant) -> Result<String, Self::Error>;
    /// Makes an offer; `None` while another is unanswered.
    fn create_offer(&mut self, ice_restart: bool, now: Instant) -> Result<Option<String>, Self::Error>;
    /// The answer to our offer.
    fn accept_answer(&mut self, sdp: &str, now: Instant) -> Result<(), Self::Error>;
    /// A candidate of the other side, `candidate:…`.
    fn add_remote_candidate(&mut self, candidate: &str) -> Result<(), Self::Error>;
    /// One more address of ours, which is tried at once. A relayed one takes the place of the one before.
    /// Beyond a bound they are counted and not used.
    fn add_local_address(&mut self, address: LocalAddress);
    /// The ICE username fragment by which datagrams to us are recognised; changes with a restart.
    fn local_ufrag(&mut self) -> String;

    /// Queues a message. `false`: there is no room, or the channel is not open; nothing was queued.
    /// Timers start from the last input: after a pause, tell the time first.
    fn write(&mut self, channel: ChannelKind, message: &[u8]) -> bool;
    /// Whether a channel can be written at all.
    fn is_open(&self, channel: ChannelKind) -> bool;
    /// Bytes queued or in flight on a channel.
    fn buffered(&mut self, channel: ChannelKind) -> usize;
    /// The longest message the other side takes; a longer one is never accepted.
    fn message_bytes_max(&self) -> usize {
        usize::MAX
    }
    /// What it has passed over.
    fn counters(&self) -> ConnectionCounters {
        ConnectionCounters::default()
    }
    /// Begin to end it; poll once more to send the goodbye.
    fn close(&mut self, now: Instant);
}
