//! A server in this process, and what its clients need to know.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use trackyard_auth::{Token, VideoGrant};
use trackyard_server::Server;
use trackyard_server::config::{Overrides, Sources, load};
use trackyard_sim::client::ClientConfig;

use crate::live::LiveConfig;
use crate::metrics::Metrics;

/// What development servers know; without other keys they listen on loopback only.
pub(crate) const KEY: (&str, &str) = ("devkey", "secret");
/// Another program may take a free port first.
const PORT_TRIES: usize = 5;

/// A server in this process.
pub struct Site {
    server: Server,
    http: SocketAddr,
}

impl Site {
    /// A server with these keys of configuration on top.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start(yaml: &str) -> Result<Self> {
        let mut failure = anyhow!("no port was tried");
        for _ in 0..PORT_TRIES {
            match Self::try_start(yaml).await {
                Ok(site) => return Ok(site),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    async fn try_start(yaml: &str) -> Result<Self> {
        let body = configuration(yaml, Ports { http: 0, udp: 0, tcp: free_port()? });
        let none = |_: &str| None;
        let sources = Sources { file: None, body: Some(body), env: &none, overrides: Overrides::default() };
        let loaded = load(sources).map_err(|errors| anyhow!("{errors}"))?;
        let server = Server::start(&loaded.config).await?;
        let http = *server.endpoints().http.first().context("nothing listens")?;
        Ok(Self { server, http })
    }

    /// HTTP and WebSocket.
    #[must_use]
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// A port of its own for metrics, if there is one.
    #[must_use]
    pub fn metrics_port(&self) -> Option<SocketAddr> {
        self.server.endpoints().metrics.first().copied()
    }

    /// ICE over TCP.
    ///
    /// # Panics
    /// Never: it is always configured.
    #[must_use]
    pub fn tcp(&self) -> SocketAddr {
        *self.server.endpoints().tcp.first().expect("ICE/TCP is configured")
    }

    /// How a client of this identity connects to a room.
    #[must_use]
    pub fn client(&self, identity: &str, room: &str) -> LiveConfig {
        client_of(self.http, identity, room)
    }

    /// What it has counted.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn metrics(&self) -> Result<Metrics> {
        Metrics::read(self.http).await
    }

    /// Stops it as an operator would.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// Ports of a server; 0 is whatever is free.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) http: u16,
    pub(crate) udp: u16,
    pub(crate) tcp: u16,
}

/// A development server on loopback. Keys of `yaml` come first and must not repeat these.
pub(crate) fn configuration(yaml: &str, ports: Ports) -> String {
    let Ports { http, udp, tcp } = ports;
    format!(
        "{yaml}\nport: {http}\ndevelopment: true\nrtc: {{udp_port: {udp}, tcp_port: {tcp}, enable_loopback_candidate: true, ips: {{includes: [127.0.0.0/8]}}}}\n"
    )
}

/// A port that nobody listened on a moment ago, of those that the system gives to nobody's outgoing connections: of these there are thousands
/// in these tests, and one could come between the look and the server.
pub(crate) fn free_port() -> Result<u16> {
    let free = |port: &u16| {
        TcpListener::bind(("127.0.0.1", *port)).is_ok() && UdpSocket::bind(("127.0.0.1", *port)).is_ok()
    };
    let mut ports = std::iter::repeat_with(|| 20_000 + fastrand::u16(..12_000)).take(1_000);
    ports.find(free).context("no port is free")
}

pub(crate) fn client_of(http: SocketAddr, identity: &str, room: &str) -> LiveConfig {
    LiveConfig {
        url: format!("ws://{http}"),
        token: token(identity, room),
        client: ClientConfig::default(),
        seed: 1,
        ..LiveConfig::default()
    }
}

/// A token with which this identity may join this room.
#[must_use]
pub fn token(identity: &str, room: &str) -> String {
    token_with(identity, VideoGrant::join(room))
}

/// A token with this grant.
///
/// # Panics
/// When the grant cannot be signed, which a test wants to know.
#[must_use]
pub fn token_with(identity: &str, grant: VideoGrant) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is set").as_secs();
    Token::new(identity).grant(grant).to_jwt(KEY.0, KEY.1, now).expect("a token can be signed")
}
