//! What is configured, with the defaults of LiveKit's server where it has them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use trackyard_auth::Keys;
use trackyard_http::Url;
use trackyard_sfu::room::rules::TrackRules;

use super::cidr::Cidr;
use super::track_rules::RuleEntry;

/// Everything that has an effect.
#[derive(Debug, Clone)]
pub struct Config {
    /// HTTP and WebSocket.
    pub port: u16,
    /// What HTTP and metrics are bound to; empty = every IPv4 address.
    pub bind_addresses: Vec<IpAddr>,
    /// Who may sign tokens.
    pub api_keys: Keys,
    /// Ports, candidates and public addresses.
    pub rtc: Rtc,
    /// What rooms start with.
    pub room: RoomSettings,
    /// What one client may send.
    pub limit: Limits,
    /// Metrics on a port of their own.
    pub prometheus: Option<Prometheus>,
    /// What metrics say about single rooms and tracks.
    pub metrics: MetricSettings,
    /// Who is told what happens in rooms.
    pub webhook: WebhookSettings,
    /// What is logged, and how.
    pub logging: Logging,
    /// Shown to clients.
    pub region: String,
    /// Refuses or allows data tracks.
    pub data_tracks: DataTracks,
    /// Participants may keep data blobs.
    pub data_blobs: bool,
    /// Keys may be weak and more is logged.
    pub development: bool,
    /// What clients are told when the server stops.
    pub shutdown: Shutdown,
    /// Threads that carry packets; none = one per core.
    pub workers: Option<u16>,
}

impl Config {
    /// Who may sign tokens.
    #[must_use]
    pub fn keys(&self) -> Keys {
        self.api_keys.clone()
    }

    /// Where HTTP and WebSocket listen.
    #[must_use]
    pub fn http_addresses(&self) -> Vec<SocketAddr> {
        self.addresses(self.port)
    }

    /// Where metrics listen, if they have a port of their own.
    #[must_use]
    pub fn metrics_addresses(&self) -> Vec<SocketAddr> {
        self.prometheus.as_ref().map(|prometheus| self.addresses(prometheus.port)).unwrap_or_default()
    }

    fn addresses(&self, port: u16) -> Vec<SocketAddr> {
        let every = [IpAddr::V4(Ipv4Addr::UNSPECIFIED)];
        let bound = if self.bind_addresses.is_empty() { every.as_slice() } else { &self.bind_addresses };
        bound.iter().map(|address| SocketAddr::new(*address, port)).collect()
    }
}

impl PortRange {
    /// A range of more than one port.
    #[must_use]
    pub fn range(self) -> Option<RangeInclusive<u16>> {
        (self.first < self.last).then_some(self.first..=self.last)
    }
}

impl DataTracks {
    /// The rules as rooms use them.
    #[must_use]
    pub fn compiled(&self) -> TrackRules {
        TrackRules::new(self.rules.iter().map(|entry| entry.rule.clone()).collect())
    }
}

/// Ports, candidates and public addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rtc {
    /// What ICE listens on; empty = every address. Development servers set it to what HTTP is bound to,
    /// all others are reached through a proxy for HTTP and directly for media.
    pub bind_addresses: Vec<IpAddr>,
    /// Where ICE over UDP listens.
    pub udp_ports: PortRange,
    /// Where ICE over TCP listens, if it does.
    pub tcp_port: Option<u16>,
    /// Advertised instead of the machine's own address of the same family.
    pub node_ip: NodeIp,
    /// The public address is asked for by STUN.
    pub use_external_ip: bool,
    /// Beside the public address the machine's own are advertised.
    pub advertise_internal_ip: bool,
    /// Addresses without a public one are not advertised.
    pub external_ip_only: bool,
    /// Loopback addresses are candidates too.
    pub enable_loopback_candidate: bool,
    /// Whom `use_external_ip` asks, as `host:port`.
    pub stun_servers: Vec<String>,
    /// Which interfaces are candidates.
    pub interfaces: Filter<String>,
    /// Which addresses are candidates.
    pub ips: Filter<Cidr>,
}

/// A range of ports, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortRange {
    /// The lowest.
    pub first: u16,
    /// The highest.
    pub last: u16,
}

/// A public address per family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NodeIp {
    /// For IPv4.
    pub v4: Option<Ipv4Addr>,
    /// For IPv6.
    pub v6: Option<Ipv6Addr>,
}

/// What is taken in and left out; `includes`, if there are any, decide alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter<T> {
    /// Only these.
    pub includes: Vec<T>,
    /// All but these.
    pub excludes: Vec<T>,
}

/// What rooms start with, unless their creator says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomSettings {
    /// Joining makes the room.
    pub auto_create: bool,
    /// A room that nobody has joined ends after this.
    pub empty_timeout: Duration,
    /// A room that everybody has left ends after this.
    pub departure_timeout: Duration,
    /// 0 = any number.
    pub max_participants: u32,
}

/// What one client may send, and the node may carry; 0 = no limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Bytes of a room's or participant's metadata.
    pub max_metadata_size: usize,
    /// Bytes of all attributes of a participant.
    pub max_attributes_size: usize,
    /// Bytes of a room's name.
    pub max_room_name_length: usize,
    /// Bytes of an identity.
    pub max_participant_identity_length: usize,
    /// Bytes of a participant's display name.
    pub max_participant_name_length: usize,
    /// Bytes of a custom encoding's name.
    pub max_data_track_custom_encoding_length: usize,
    /// Bytes of a data blob's key.
    pub max_data_blob_key_length: usize,
    /// Bytes of all data blobs of a participant, keys and contents.
    pub max_data_blobs_size: usize,
    /// Bytes of one signalling message.
    pub signal_message_size_limit: usize,
    /// The share of its time that a worker may be busy, for seconds: when all are busier, nobody new is let in.
    pub max_worker_load: f64,
    /// How long datagrams may wait, on average, before publishers are held to fair shares of what a worker carries; 0: for ever.
    pub max_input_wait: Duration,
}

/// Metrics on a port of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prometheus {
    /// On every address that HTTP is bound to.
    pub port: u16,
    /// Who may read them; none = everybody.
    pub login: Option<Login>,
}

/// What metrics say about single rooms and tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricSettings {
    /// One series for each room, up to a bound.
    pub rooms: bool,
    /// One series for each data track, up to a bound.
    pub tracks: bool,
}

/// Who is told what happens in rooms, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Each of them is told everything.
    pub urls: Vec<Url>,
    /// With which key events are signed; empty: the first one.
    pub api_key: String,
    /// Only these; empty = all.
    pub include_events: Vec<String>,
    /// None of these.
    pub exclude_events: Vec<String>,
    /// Data tracks are told of, too.
    pub data_tracks: bool,
    /// Events under way to one URL at a time; those of one room follow each other.
    pub parallel_max: usize,
    /// Events of one room that wait for one URL.
    pub depth_max: usize,
    /// How long an event is tried to be delivered.
    pub age_max: Duration,
}

/// A name and its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Who.
    pub username: String,
    /// Never shown.
    pub password: String,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    /// The least important level that is logged.
    pub level: LogLevel,
    /// One JSON object a line.
    pub json: bool,
}

/// How important a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LogLevel {
    /// Somebody must act.
    Error,
    /// Something is degraded.
    Warn,
    /// Sessions come and go.
    #[default]
    Info,
    /// What happens in a session.
    Debug,
    /// Packets.
    Trace,
}

/// Data tracks as such.
#[derive(Debug, Clone)]
pub struct DataTracks {
    /// Publishing is allowed.
    pub enabled: bool,
    /// First match wins; what matches none has the defaults.
    pub rules: Vec<RuleEntry>,
}

/// What clients are told when the server stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shutdown {
    /// Whether they come back.
    pub action: ShutdownAction,
    /// Everything is closed by then.
    pub deadline: Duration,
}

/// Whether clients come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ShutdownAction {
    /// The session is over, as LiveKit's server does it.
    #[default]
    Disconnect,
    /// They join again, at another node or once this one is back.
    Reconnect,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}
