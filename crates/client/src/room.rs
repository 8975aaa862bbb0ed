//! A room, and the way into it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use trackyard_peer::Target;
use trackyard_session::{CloseReason, PacketStats, Session, SessionConfig, SignalVersion, TracksConfig};
use trackyard_stream::{IncomingCounters, RpcCounters};
use trackyard_track::{LocalTracksConfig, RemoteCounters};

use crate::core::{Core, Parts, StreamsCore, dispatch};
use crate::driver::{self, Dialler};
use crate::endpoint::Endpoint;
use crate::error::{ConnectError, SignalError};
use crate::events::RoomEvents;
use crate::metadata::ApiAccess;
use crate::options::RoomOptions;
use crate::participant::{DataTracks, LocalParticipant, RemoteParticipant};
use crate::paths::{Inbound, Paths, PathsConfig, Route, local_addresses};
use crate::shared::{Receiver, Shared};
use crate::signal;
use crate::token::{Token, TokenStore};

/// A room that this client has joined. Dropping it leaves the room, without waiting for that.
///
/// See the [crate's documentation](crate) for an example.
pub struct Room {
    pub(crate) shared: Arc<Shared>,
    driver: tokio::sync::Mutex<Option<JoinHandle<()>>>,
    api: ApiAccess,
    close_timeout: Duration,
}

/// How the connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectionState {
    /// It is being made for the first time.
    Connecting,
    /// Everything is up.
    Connected,
    /// It is down in part, and is being restored.
    Reconnecting,
    /// The room has been left.
    Disconnected,
}

/// Counters of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RoomStats {
    /// Bytes that the server has said over the signal connection, those of earlier connections included.
    pub signal_bytes: u64,
    /// Datagrams that the system did not take.
    pub unsent_datagrams: u64,
    /// Candidates of the server that cannot be read.
    pub unusable_candidates: u64,
    /// Packets and announcements that were of no use.
    pub received: RemoteCounters,
    /// Packets beside data tracks.
    pub data: PacketStats,
    /// Streams of others.
    pub streams: IncomingCounters,
    /// Calls, of this participant and of others.
    pub rpc: RpcCounters,
    /// Streams and calls that the application was too slow for, and answers that could not be sent.
    pub lost: u64,
}

impl Room {
    /// Joins a room: opens a signal connection to a server at a `ws`, `wss`, `http` or `https` URL, and a
    /// peer connection. Has to be called within a tokio runtime, on which it goes on from then on.
    ///
    /// # Errors
    /// [`ConnectError`], which says what to do.
    ///
    /// # Panics
    /// Outside of a tokio runtime, and within one that has no time or no IO.
    ///
    /// # Cancel safety
    /// Nothing is left when it is dropped.
    pub async fn connect(
        url: &str,
        token: impl Into<Token>,
        options: RoomOptions,
    ) -> Result<(Self, RoomEvents), ConnectError> {
        let endpoint = Endpoint::parse(url)?;
        let tls = signal::client_config(&options.root_certificates)?;
        let tokens = Arc::new(TokenStore::new(token.into()));
        let api = ApiAccess::new(url, options.root_certificates.clone(), Arc::clone(&tokens));
        // Dropped with whatever comes of this: nothing else breaks the circle of events, tracks and room.
        let events = RoomEvents::new();
        let receiver = Arc::new(Receiver::default());
        let inbound: Arc<dyn Inbound> = Arc::<Receiver>::clone(&receiver);
        let paths = open_paths(&options, endpoint.is_local(), (inbound, Arc::clone(&tls)))?;
        let session = Session::new(
            session_config(&options),
            tracks_config(),
            paths.factories(),
            std::time::Instant::now(),
        );
        let (connecting, connected) = oneshot::channel();
        let encryption = options.encryption.clone();
        let (streams, jobs) = StreamsCore::new(std::time::Instant::now());
        let parts = Parts {
            session,
            paths,
            events: Arc::clone(events.queue()),
            tokens: Arc::clone(&tokens),
            connecting,
            encryption,
            streams,
        };
        let shared = Shared::new(Core::new(parts));
        receiver.bind(&shared);
        let dialler = Arc::new(Dialler { endpoint, tls, tokens });
        // It ends with the room, and leaves to the application what it has begun.
        tokio::spawn(dispatch(jobs));
        // Half for what is on its way, half for the goodbye.
        let close_timeout = options.close_timeout / 2;
        let driver = tokio::spawn(driver::run(Arc::clone(&shared), dialler, close_timeout));
        let driver = tokio::sync::Mutex::new(Some(driver));
        let room = Self { shared, driver, api, close_timeout };
        // From here on, dropping the room leaves it.
        match tokio::time::timeout(options.connect_timeout, connected).await {
            Ok(Ok(Ok(()))) => Ok((room, events)),
            Ok(Ok(Err(reason))) => Err(room.failure(Some(reason))),
            Ok(Err(_)) => Err(ConnectError::Closed),
            Err(_) => Err(room.failure(None)),
        }
    }

    /// This client, as others see it.
    #[must_use]
    pub fn local_participant(&self) -> LocalParticipant {
        LocalParticipant::new(&self.shared)
    }

    /// The other participants, in the order of their identities.
    #[must_use]
    pub fn remote_participants(&self) -> Vec<RemoteParticipant> {
        self.shared.read(|core| {
            core.people.others.values().map(|info| RemoteParticipant::new(&self.shared, info)).collect()
        })
    }

    /// The participant of this identity, if it is there.
    #[must_use]
    pub fn remote_participant(&self, identity: &str) -> Option<RemoteParticipant> {
        self.shared.read(|core| {
            core.people.others.get(identity).map(|info| RemoteParticipant::new(&self.shared, info))
        })
    }

    /// The data tracks of the participant of this identity, who need not be there yet.
    #[must_use]
    pub fn data_tracks_of(&self, identity: &str) -> DataTracks {
        DataTracks::new(&self.shared, identity)
    }

    /// The room's name.
    #[must_use]
    pub fn name(&self) -> String {
        self.shared.read(|core| core.people.room.as_ref().map(|room| room.name.clone()).unwrap_or_default())
    }

    /// The room's sid, which is another one when the room was empty in between.
    #[must_use]
    pub fn sid(&self) -> String {
        self.shared.read(|core| core.people.room.as_ref().map(|room| room.sid.clone()).unwrap_or_default())
    }

    /// The room's metadata.
    #[must_use]
    pub fn metadata(&self) -> String {
        let metadata = |core: &Core| core.people.room.as_ref().map(|room| room.metadata.clone());
        self.shared.read(metadata).unwrap_or_default()
    }

    /// The server's version, as it says.
    #[must_use]
    pub fn server_version(&self) -> String {
        self.shared.read(|core| core.people.server_version.clone())
    }

    /// How the connection stands.
    #[must_use]
    pub fn connection_state(&self) -> ConnectionState {
        self.shared.read(|core| core.state)
    }

    /// The relay at which this client has an address for what it publishes, used or not, if there is one.
    #[must_use]
    pub fn relay_url(&self) -> Option<String> {
        self.shared.read(|core| core.paths.relay_url(Target::Publisher))
    }

    /// Whether both directions share one peer connection.
    #[must_use]
    pub fn is_single_peer_connection(&self) -> bool {
        self.shared.read(|core| core.session.engine().is_single())
    }

    /// The way that this client's data goes now, or went last; nothing before it was connected.
    #[must_use]
    pub fn route(&self) -> Option<Route> {
        self.shared.read(|core| core.paths.route(Target::Publisher))
    }

    /// Counters of the connection.
    #[must_use]
    pub fn stats(&self) -> RoomStats {
        self.shared.read(|core| RoomStats {
            signal_bytes: core.signal.bytes,
            unsent_datagrams: core.paths.unsent(),
            unusable_candidates: core.session.engine().unusable_candidates(),
            received: core.session.remote().counters(),
            data: core.session.packet_stats(),
            streams: core.streams.streams.incoming_counters(),
            rpc: core.streams.streams.rpc_counters(),
            lost: core.streams.lost(),
        })
    }

    /// Leaves the room: waits until the server has what was sent reliably, says goodbye, closes the connection, and waits
    /// until all of that is done, within [`close_timeout`](RoomOptions::close_timeout).
    ///
    /// # Cancel safety
    /// The room is left even if this is dropped, at the latest when the room is.
    pub async fn close(&self) {
        if let Some(delivered) = self.shared.with(|core, _| core.when_delivered()) {
            // What is not delivered by then is lost.
            let _ = tokio::time::timeout(self.close_timeout, delivered).await;
        }
        self.leave();
        let mut driver = self.driver.lock().await;
        if let Some(task) = driver.as_mut() {
            // It ends by itself, and within its time; that it panicked is told by the runtime.
            let _ = task.await;
            *driver = None;
        }
    }

    pub(crate) fn api(&self) -> &ApiAccess {
        &self.api
    }

    fn leave(&self) {
        self.shared.with(|core, now| core.session.close(now));
    }

    /// Why no connection came about; without a reason, in the time given.
    fn failure(&self, reason: Option<CloseReason>) -> ConnectError {
        let (failure, joined) =
            self.shared.read(|core| (core.signal.failure.clone(), core.people.local.is_some()));
        let no_path = || {
            self.shared.read(|core| ConnectError::NoPath {
                candidates: core.people.candidates.list(),
                failures: core.paths.failures(),
            })
        };
        match (reason, failure) {
            (Some(CloseReason::Refused { .. } | CloseReason::Unreachable(_)), Some(failure)) => {
                failure.into()
            }
            (Some(CloseReason::Refused { status, message }), None) => {
                SignalError::Refused { status, message }.into()
            }
            (Some(CloseReason::Unreachable(_)), None) => SignalError::Timeout.into(),
            (Some(CloseReason::NoPath), _) => no_path(),
            (Some(CloseReason::Description(message)), _) => ConnectError::Description { message },
            (Some(CloseReason::Server(reason)), _) => ConnectError::Ended { reason },
            (Some(CloseReason::Local), _) => ConnectError::Closed,
            (None, _) if joined => no_path(),
            (None, Some(failure)) => failure.into(),
            (None, None) => SignalError::Timeout.into(),
        }
    }
}

/// Leaves the room. What is still to be said is said by the runtime, if it goes on.
impl Drop for Room {
    fn drop(&mut self) {
        self.leave();
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Room");
        debug.field("name", &self.name()).field("state", &self.connection_state()).finish_non_exhaustive()
    }
}

fn open_paths(
    options: &RoomOptions,
    with_loopback: bool,
    means: (Arc<dyn Inbound>, Arc<ClientConfig>),
) -> Result<Paths, ConnectError> {
    let addresses = local_addresses().unwrap_or_default();
    let config = PathsConfig {
        ice_servers: options.ice_servers.clone(),
        relay_only: options.relay_only,
        with_loopback,
    };
    Paths::open(config, addresses, means)
        .map_err(|error| ConnectError::Sockets { message: error.to_string() })
}

fn session_config(options: &RoomOptions) -> SessionConfig {
    let default = SessionConfig::default();
    let version = if options.single_peer_connection { SignalVersion::V1 } else { SignalVersion::V0 };
    let mut client = default.client;
    std::env::consts::OS.clone_into(&mut client.os);
    SessionConfig {
        client,
        attributes: options.attributes.clone(),
        metadata: options.metadata.clone(),
        version,
        seed: fastrand::u64(..),
    }
}

fn tracks_config() -> TracksConfig {
    let local = LocalTracksConfig { timestamp_base: fastrand::u32(..), ..LocalTracksConfig::default() };
    TracksConfig { local, ..TracksConfig::default() }
}
