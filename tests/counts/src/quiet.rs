//! A connection without WebRTC that allocates nothing: a datagram stands for a message that is there already, and
//! a message that is written leaves as an empty datagram.

use std::cell::Cell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_peer::{
    ChannelKind, Connection, ConnectionEvent, ConnectionFactory, ConnectionOutput, LocalAddress, Role,
    Transmit, Transport,
};

/// What a connection has to say waits in room for so much.
const OUTPUTS: usize = 32;
/// When it wants to be called next.
const IDLE: Duration = Duration::from_secs(3_600);

/// Makes connections, to which the same messages come.
#[derive(Debug, Clone)]
pub(crate) struct Quiet {
    pub(crate) address: SocketAddr,
    pub(crate) channel: ChannelKind,
    messages: Rc<[Bytes]>,
    made: Rc<Cell<u32>>,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct QuietConnection {
    factory: Quiet,
    ufrag: String,
    client: Option<SocketAddr>,
    outputs: VecDeque<ConnectionOutput>,
    wake: Instant,
}

/// Nothing that is described here is refused.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Never {}

impl std::fmt::Display for Never {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Never {}

impl Quiet {
    /// Connections at an address, to which these messages come on one channel.
    pub(crate) fn new(address: SocketAddr, channel: ChannelKind, messages: Vec<Bytes>) -> Self {
        Self { address, channel, messages: messages.into(), made: Rc::default() }
    }

    /// The datagram by which a message comes; looks like DTLS.
    pub(crate) fn datagram(index: usize) -> [u8; 9] {
        let mut datagram = [20; 9];
        datagram[1..].copy_from_slice(&(index as u64).to_be_bytes());
        datagram
    }

    /// The name of the connection that was made last.
    pub(crate) fn last_ufrag(&self) -> String {
        format!("u{}", self.made.get())
    }
}

impl ConnectionFactory for Quiet {
    type Connection = QuietConnection;

    fn open(&self, _: Role, now: Instant) -> QuietConnection {
        self.made.set(self.made.get() + 1);
        QuietConnection {
            factory: self.clone(),
            ufrag: self.last_ufrag(),
            client: None,
            outputs: VecDeque::with_capacity(OUTPUTS),
            wake: now + IDLE,
        }
    }
}

impl QuietConnection {
    fn transmit(&mut self) {
        let (Some(destination), source) = (self.client, self.factory.address) else { return };
        let transmit = Transmit { transport: Transport::Udp, source, destination, contents: Vec::new() };
        self.outputs.push_back(ConnectionOutput::Transmit(transmit));
    }

    fn event(&mut self, event: ConnectionEvent) {
        self.outputs.push_back(ConnectionOutput::Event(event));
    }

    fn bind(&mut self, source: SocketAddr) {
        if self.client.replace(source).is_none() {
            self.event(ConnectionEvent::Connected);
            for kind in [ChannelKind::Reliable, ChannelKind::Lossy, ChannelKind::DataTrack] {
                self.event(ConnectionEvent::ChannelOpen(kind));
            }
        }
        self.transmit();
    }
}

impl Connection for QuietConnection {
    type Error = Never;

    fn handle_datagram(
        &mut self,
        _: Transport,
        source: SocketAddr,
        _: SocketAddr,
        contents: &[u8],
        _: Instant,
    ) {
        match *contents {
            [20, a, b, c, d, e, f, g, h] => {
                let index = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
                let message = usize::try_from(index).ok().and_then(|index| self.factory.messages.get(index));
                if let Some(message) = message.cloned() {
                    self.event(ConnectionEvent::Message(self.factory.channel, message));
                }
            }
            _ => self.bind(source),
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.wake = now + IDLE;
    }

    fn poll_output(&mut self) -> ConnectionOutput {
        self.outputs.pop_front().unwrap_or(ConnectionOutput::Timeout(self.wake))
    }

    fn accept_offer(&mut self, _: &str, _: Instant) -> Result<String, Never> {
        Ok(String::new())
    }

    fn create_offer(&mut self, _: bool, _: Instant) -> Result<Option<String>, Never> {
        Ok(None)
    }

    fn accept_answer(&mut self, _: &str, _: Instant) -> Result<(), Never> {
        Ok(())
    }

    fn add_remote_candidate(&mut self, _: &str) -> Result<(), Never> {
        Ok(())
    }

    fn add_local_address(&mut self, _: LocalAddress) {}

    fn local_ufrag(&mut self) -> String {
        self.ufrag.clone()
    }

    fn write(&mut self, _: ChannelKind, message: &[u8]) -> bool {
        std::hint::black_box(message);
        self.transmit();
        true
    }

    fn is_open(&self, _: ChannelKind) -> bool {
        self.client.is_some()
    }

    fn buffered(&mut self, _: ChannelKind) -> usize {
        0
    }

    fn close(&mut self, _: Instant) {
        self.event(ConnectionEvent::Closed);
    }
}
