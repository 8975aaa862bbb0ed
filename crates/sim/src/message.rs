//! A message-level transport in place of WebRTC: no ICE, no DTLS, no SCTP, and therefore the same bytes
//! at the same virtual time for the same seed, hundreds of runs a minute.
//!
//! A description is one line with a name; the first datagram of a client looks like a STUN request,
//! so that a worker finds the connection as it does a real one. Every message is one datagram and is
//! acknowledged, so that what is buffered falls one round trip after it was written, as with SCTP. A
//! lost message is given up once a later one is acknowledged; there are no retransmissions.

mod datagram;

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

use datagram::{Datagram, binding_request};

/// Bytes that may be under way before a write is refused.
const WINDOW_BYTES: usize = 256 * 1024;
/// How often a client knocks until it is heard.
const KNOCK_INTERVAL: Duration = Duration::from_millis(100);
/// How often it knocks afterwards, so that the server knows it lives.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
/// Without an acknowledgement for so long, what is under way is given up.
const GIVE_UP: Duration = Duration::from_secs(1);
/// Far enough to mean never.
const NEVER: Duration = Duration::from_secs(86_400);

/// Makes connections of the message-level transport.
#[derive(Debug, Clone)]
pub struct MessageFactory {
    local: SocketAddr,
    names: Rc<Cell<u64>>,
}

/// A description that is not one of this transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a description of the message-level transport")]
pub struct NotADescription;

/// One connection of the message-level transport.
#[derive(Debug)]
pub struct MessageConnection {
    name: String,
    local: SocketAddr,
    /// The other side's name and, once known, its address.
    remote_name: Option<String>,
    remote: Option<SocketAddr>,
    /// Knocks first: a client.
    knocks: bool,
    connected: bool,
    closed: bool,
    outputs: VecDeque<ConnectionOutput>,
    next_sequence: u32,
    under_way: VecDeque<Written>,
    /// When to knock.
    knock_at: Option<Instant>,
    /// When to give up what is under way.
    give_up_at: Option<Instant>,
    /// The last time that was told; writes carry none.
    now: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Written {
    sequence: u32,
    channel: ChannelKind,
    bytes: usize,
}

impl MessageFactory {
    /// Connections whose datagrams come from `local`. Clones share one sequence of names.
    #[must_use]
    pub fn new(local: SocketAddr) -> Self {
        Self { local, names: Rc::default() }
    }

    /// The same sequence of names, another address.
    #[must_use]
    pub fn at(&self, local: SocketAddr) -> Self {
        Self { local, names: Rc::clone(&self.names) }
    }
}

impl ConnectionFactory for MessageFactory {
    type Connection = MessageConnection;

    fn open(&self, role: Role, now: Instant) -> MessageConnection {
        let number = self.names.get() + 1;
        self.names.set(number);
        MessageConnection {
            name: format!("m{number:06}"),
            local: self.local,
            remote_name: None,
            remote: None,
            knocks: matches!(role, Role::ClientOffering | Role::ClientAnswering),
            connected: false,
            closed: false,
            outputs: VecDeque::new(),
            next_sequence: 0,
            under_way: VecDeque::new(),
            knock_at: None,
            give_up_at: None,
            now,
        }
    }
}

impl MessageConnection {
    fn describe(&self) -> String {
        format!("{} {}", self.name, self.local)
    }

    fn accept(&mut self, sdp: &str, now: Instant) -> Result<(), NotADescription> {
        let (name, address) = sdp.split_once(' ').ok_or(NotADescription)?;
        let address = address.trim().parse().map_err(|_| NotADescription)?;
        self.remote_name = Some(name.to_owned());
        if self.knocks {
            self.remote = Some(address);
            self.knock(now);
        }
        Ok(())
    }

    fn knock(&mut self, now: Instant) {
        if let Some(remote_name) = &self.remote_name {
            let request = binding_request(&format!("{remote_name}:{}", self.name));
            self.transmit(request);
            let interval = if self.connected { KEEPALIVE_INTERVAL } else { KNOCK_INTERVAL };
            self.knock_at = Some(now + interval);
        }
    }

    fn transmit(&mut self, contents: Vec<u8>) {
        let Some(destination) = self.remote else { return };
        let transmit = Transmit { transport: Transport::Udp, source: self.local, destination, contents };
        self.outputs.push_back(ConnectionOutput::Transmit(transmit));
    }

    fn connect(&mut self) {
        if self.connected {
            return;
        }
        self.connected = true;
        self.event(ConnectionEvent::Connected);
        for kind in [ChannelKind::Reliable, ChannelKind::Lossy, ChannelKind::DataTrack] {
            self.event(ConnectionEvent::ChannelOpen(kind));
        }
    }

    fn wake(&self) -> Instant {
        self.knock_at.into_iter().chain(self.give_up_at).min().unwrap_or(self.now + NEVER)
    }

    fn event(&mut self, event: ConnectionEvent) {
        self.outputs.push_back(ConnectionOutput::Event(event));
    }

    /// Everything up to `sequence` has arrived or never will.
    fn release(&mut self, sequence: u32) {
        while self.under_way.front().is_some_and(|written| written.sequence <= sequence) {
            self.under_way.pop_front();
        }
        if self.under_way.is_empty() {
            self.give_up_at = None;
        }
    }
}

impl Connection for MessageConnection {
    type Error = NotADescription;

    fn handle_datagram(
        &mut self,
        _transport: Transport,
        source: SocketAddr,
        _destination: SocketAddr,
        contents: &[u8],
        now: Instant,
    ) {
        self.now = now;
        match Datagram::parse(contents) {
            Some(Datagram::Knock) if !self.closed => {
                self.remote = Some(source);
                self.transmit(Datagram::Welcome.build());
                self.connect();
            }
            Some(Datagram::Welcome) if !self.closed => self.connect(),
            Some(Datagram::Message { channel, sequence, contents }) if self.connected => {
                self.transmit(Datagram::Acknowledge { sequence }.build());
                self.event(ConnectionEvent::Message(channel, Bytes::copy_from_slice(contents)));
            }
            Some(Datagram::Acknowledge { sequence }) => {
                self.release(sequence);
                self.give_up_at = (!self.under_way.is_empty()).then_some(now + GIVE_UP);
            }
            Some(Datagram::Goodbye) if self.connected => {
                self.connected = false;
                self.knock_at = None;
                self.event(ConnectionEvent::Closed);
            }
            _ => {}
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if is_due(self.give_up_at) {
            self.release(u32::MAX);
        }
        if is_due(self.knock_at) {
            self.knock(now);
        }
    }

    fn poll_output(&mut self) -> ConnectionOutput {
        self.outputs.pop_front().unwrap_or_else(|| ConnectionOutput::Timeout(self.wake()))
    }

    fn accept_offer(&mut self, sdp: &str, now: Instant) -> Result<String, NotADescription> {
        self.accept(sdp, now)?;
        Ok(self.describe())
    }

    fn create_offer(&mut self, _ice_restart: bool, _now: Instant) -> Result<Option<String>, NotADescription> {
        Ok(Some(self.describe()))
    }

    fn accept_answer(&mut self, sdp: &str, now: Instant) -> Result<(), NotADescription> {
        self.accept(sdp, now)
    }

    fn add_remote_candidate(&mut self, _candidate: &str) -> Result<(), NotADescription> {
        Ok(())
    }

    fn add_local_address(&mut self, address: LocalAddress) {
        self.local = address.address();
    }

    fn local_ufrag(&mut self) -> String {
        self.name.clone()
    }

    fn write(&mut self, channel: ChannelKind, message: &[u8]) -> bool {
        let waiting: usize = self.under_way.iter().map(|written| written.bytes).sum();
        if !self.connected || waiting + message.len() > WINDOW_BYTES {
            return false;
        }
        self.next_sequence += 1;
        let sequence = self.next_sequence;
        self.under_way.push_back(Written { sequence, channel, bytes: message.len() });
        self.transmit(Datagram::Message { channel, sequence, contents: message }.build());
        self.give_up_at.get_or_insert(self.now + GIVE_UP);
        true
    }

    fn is_open(&self, _channel: ChannelKind) -> bool {
        self.connected
    }

    fn buffered(&mut self, channel: ChannelKind) -> usize {
        self.under_way.iter().filter(|written| written.channel == channel).map(|written| written.bytes).sum()
    }

    fn close(&mut self, _now: Instant) {
        self.transmit(Datagram::Goodbye.build());
        self.connected = false;
        self.closed = true;
        self.knock_at = None;
    }
}
