//! A session, and everybody who waits for what becomes of it.

mod blobs;
mod events;
mod packets;
mod publications;
mod state;
mod streams;
mod subscriptions;

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use trackyard_peer::Str0mFactory;
use trackyard_proto::Request;
use trackyard_proto::signal::IceServer;
use trackyard_session::{CloseReason, Output, Session, SignalRequest};
use trackyard_track::{RemoteTrackId, RemoteTrackStats};

use crate::clock;
use crate::encryption::{E2eeOptions, KeyProvider};
use crate::error::SignalError;
use crate::events::EventQueue;
use crate::paths::Paths;
use crate::people::People;
use crate::room::ConnectionState;
use crate::shared::Shared;
use crate::token::TokenStore;
use blobs::BlobRequests;
use packets::PacketWaiters;
use state::ProfileWaiters;

pub(crate) use publications::{Ended, Publications};
pub(crate) use streams::{FlowTicket, Handlers, Job, StreamsCore, dispatch};
pub(crate) use subscriptions::{Buffer, Subscriber, Subscribers};

/// UDP is given this much time alone: most clients need no TCP connection at all. DTLS repeats its first flight
/// after a second even if none has left yet, and handshakes that begin with two of them take seconds longer.
const TCP_DELAY: Duration = Duration::from_millis(700);

/// Requests that wait for a server that does not take them, beyond which the connection is given up: twice
/// what publishing every possible track anew takes.
const REQUESTS_MAX: usize = 1 << 17;

/// A session, and everybody who waits for what becomes of it.
pub(crate) struct Core {
    pub(crate) session: Session<Str0mFactory>,
    pub(crate) paths: Paths,
    pub(crate) people: People,
    pub(crate) publications: Publications,
    pub(crate) subscribers: Subscribers,
    /// What tracks of others had counted that are no longer there, the latest last.
    pub(crate) ended: VecDeque<(RemoteTrackId, RemoteTrackStats)>,
    pub(crate) blobs: BlobRequests,
    pub(crate) packets: PacketWaiters,
    pub(crate) profile: ProfileWaiters,
    pub(crate) streams: StreamsCore,
    pub(crate) signal: SignalState,
    pub(crate) state: ConnectionState,
    /// What is published is encrypted, unless a track says otherwise.
    pub(crate) is_encrypted: bool,
    events: Arc<EventQueue>,
    tokens: Arc<TokenStore>,
    /// Whoever waits for the room to be connected.
    connecting: Option<oneshot::Sender<Result<(), CloseReason>>>,
    /// Whoever waits until everything that was sent reliably is delivered.
    delivering: Option<oneshot::Sender<()>>,
    /// Why it is over.
    closed: Option<CloseReason>,
    /// When the session wants to be called.
    wake: Option<Instant>,
    /// When TCP is tried as well.
    tcp_at: Option<Instant>,
}

/// The signal connection, as far as the session is concerned.
#[derive(Default)]
pub(crate) struct SignalState {
    /// Takes what is to be said.
    outgoing: Option<mpsc::Sender<Request>>,
    /// The connection to open.
    wish: Option<SignalWish>,
    /// Counts the wishes: what an earlier connection still says is of no interest.
    generation: u64,
    /// That were heard, over all connections.
    pub(crate) bytes: u64,
    /// Why the latest attempt has failed.
    pub(crate) failure: Option<SignalError>,
}

/// A signal connection to open.
pub(crate) struct SignalWish {
    pub(crate) request: Box<SignalRequest>,
    pub(crate) generation: u64,
    /// Ends when the connection is to be closed.
    pub(crate) outgoing: mpsc::Receiver<Request>,
}

/// What a core is made of.
pub(crate) struct Parts {
    pub(crate) session: Session<Str0mFactory>,
    pub(crate) paths: Paths,
    pub(crate) events: Arc<EventQueue>,
    pub(crate) tokens: Arc<TokenStore>,
    pub(crate) connecting: oneshot::Sender<Result<(), CloseReason>>,
    pub(crate) encryption: Option<E2eeOptions>,
    pub(crate) streams: StreamsCore,
}

impl Core {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { mut session, paths, events, tokens, connecting, encryption, streams } = parts;
        let keys = encryption.as_ref().map(|encryption| &encryption.key_provider);
        session.set_encryptor(keys.map(KeyProvider::encryptor));
        session.set_decryptor(keys.map(KeyProvider::decryptor));
        session.set_packet_cipher(keys.map(KeyProvider::packet_cipher));
        Self {
            session,
            paths,
            people: People::default(),
            publications: Publications::default(),
            subscribers: Subscribers::default(),
            ended: VecDeque::new(),
            blobs: BlobRequests::default(),
            packets: PacketWaiters::default(),
            profile: ProfileWaiters::default(),
            streams,
            signal: SignalState::default(),
            state: ConnectionState::Connecting,
            is_encrypted: encryption.is_some(),
            events,
            tokens,
            connecting: Some(connecting),
            delivering: None,
            closed: None,
            wake: None,
            tcp_at: None,
        }
    }

    /// Does what the session wants; `true` if the driver is to look at it.
    pub(crate) fn pump(&mut self, shared: &Arc<Shared>, now: Instant) -> bool {
        let before = self.wake();
        if self.streams.is_touched {
            self.pump_streams(shared, now);
        }
        loop {
            match self.session.poll_output() {
                Output::OpenSignal(request) => self.signal.open(request),
                Output::CloseSignal => self.signal.outgoing = None,
                Output::Signal(request) => {
                    if !self.signal.say(request) {
                        self.session.signal_closed(now);
                    }
                }
                Output::Transmit(target, transmit) => self.paths.send(target, transmit),
                Output::Event(event) => self.event(event, shared, now),
                Output::Timeout(at) => {
                    self.wake = at;
                    break;
                }
            }
        }
        self.paths.flush();
        if self.delivering.is_some() && self.session.unfinished_packets() == 0 {
            // Whoever does not wait any more closes the room.
            let _ = self.delivering.take().map(|waiter| waiter.send(()));
        }
        let earlier = match (before, self.wake()) {
            (Some(before), Some(wake)) => wake < before,
            (before, wake) => before != wake,
        };
        earlier || self.signal.wish.is_some() || self.closed.is_some()
    }

    /// Waits until the server has everything that was sent reliably; nothing if there is no use in waiting.
    pub(crate) fn when_delivered(&mut self) -> Option<oneshot::Receiver<()>> {
        if self.state != ConnectionState::Connected || self.session.unfinished_packets() == 0 {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        self.delivering = Some(sender);
        Some(receiver)
    }

    /// When [`handle_timeout`](Self::handle_timeout) is next of use.
    pub(crate) fn wake(&self) -> Option<Instant> {
        [self.wake, self.tcp_at, self.streams.wake].into_iter().flatten().min()
    }

    /// Time has passed.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.tcp_at.is_some_and(|at| at <= now) {
            self.tcp_at = None;
            for (target, address) in self.paths.tcp_addresses() {
                self.session.add_local_address(target, address, now);
            }
        }
        let unix_ms = i64::try_from(clock::unix_ms()).unwrap_or(i64::MAX);
        self.session.handle_timeout(unix_ms, now);
        self.streams_timeout(now);
    }

    /// Nobody drives the session any more: it is over if it was not, and its sockets and relays are given
    /// back, whoever still holds a track of it. Answers what the application has registered.
    pub(crate) fn abandon(&mut self) -> Handlers {
        if self.closed.is_none() {
            self.close(CloseReason::Local);
        }
        self.signal = SignalState { failure: self.signal.failure.take(), ..SignalState::default() };
        self.paths.close();
        self.streams.take_handlers()
    }

    /// Why it is over, if it is.
    pub(crate) fn closed(&self) -> Option<&CloseReason> {
        self.closed.as_ref()
    }

    /// The server has named its STUN and TURN servers.
    pub(crate) fn set_ice_servers(&mut self, servers: &[IceServer]) {
        self.paths.set_ice_servers(self.session.engine().is_single(), servers);
    }

    /// The signal connection to open, once.
    pub(crate) fn take_signal_wish(&mut self) -> Option<SignalWish> {
        self.signal.wish.take()
    }

    /// The machine has these addresses now; those that are gone may have carried the connection.
    pub(crate) fn set_addresses(&mut self, addresses: BTreeSet<IpAddr>, now: Instant) {
        let known = self.paths.all_udp_addresses();
        let has_lost = self.paths.set_addresses(addresses);
        self.session.set_factories(self.paths.factories());
        for (target, address) in self.paths.all_udp_addresses() {
            if !known.contains(&(target, address)) {
                self.session.add_local_address(target, address, now);
            }
        }
        if has_lost {
            self.session.network_changed(now);
        }
    }
}

impl SignalState {
    /// Whether a connection is the one that counts.
    pub(crate) fn is_current(&self, generation: u64) -> bool {
        self.generation == generation
    }

    fn open(&mut self, request: Box<SignalRequest>) {
        let (sender, outgoing) = mpsc::channel(REQUESTS_MAX);
        self.outgoing = Some(sender);
        self.generation += 1;
        self.wish = Some(SignalWish { request, generation: self.generation, outgoing });
    }

    /// `false` if too much waits already. What is said to a connection that is on its end is lost; the session
    /// says it again.
    fn say(&self, request: Request) -> bool {
        let Some(outgoing) = &self.outgoing else { return true };
        !matches!(outgoing.try_send(request), Err(TrySendError::Full(_)))
    }
}
