//! What holds where nothing is configured.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use trackyard_auth::Keys;
use trackyard_proto::limits;

use super::settings::{
    Config, DataTracks, Filter, Limits, LogLevel, Logging, MetricSettings, NodeIp, PortRange, RoomSettings,
    Rtc, Shutdown, WebhookSettings,
};

/// The key of development servers.
pub const DEV_KEY: &str = "devkey";
/// Its secret, known to everybody.
pub const DEV_SECRET: &str = "secret";

/// Above this a worker has no time left for what comes in bursts.
const WORKER_LOAD: f64 = 0.95;
/// A third of what a frame may be old.
const INPUT_WAIT: Duration = Duration::from_millis(30);
/// HTTP and WebSocket.
const PORT: u16 = 7880;
/// ICE over TCP.
const TCP_PORT: u16 = 7881;
/// ICE over UDP.
const UDP_PORT: u16 = 7882;

impl Config {
    /// Loopback only, with a key that everybody knows.
    #[must_use]
    pub fn dev() -> Self {
        let mut config = Self { development: true, ..Self::default() };
        config.complete_for_development();
        config
    }

    /// In development a missing key is replaced by one that everybody knows, and then only loopback
    /// is listened on, unless addresses are named. Media is bound to what HTTP is bound to.
    pub(super) fn complete_for_development(&mut self) {
        if !self.development {
            return;
        }
        if self.api_keys.is_empty() {
            self.api_keys = Keys::new([(DEV_KEY, DEV_SECRET)]).unwrap_or_default();
            if self.bind_addresses.is_empty() {
                self.bind_addresses = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
            }
        }
        self.rtc.bind_addresses = self.bind_addresses.clone();
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: PORT,
            bind_addresses: Vec::new(),
            api_keys: Keys::default(),
            rtc: Rtc::default(),
            room: RoomSettings::default(),
            limit: Limits::default(),
            prometheus: None,
            metrics: MetricSettings::default(),
            webhook: WebhookSettings::default(),
            logging: Logging { level: LogLevel::default(), json: false },
            region: String::new(),
            data_tracks: DataTracks { enabled: true, rules: Vec::new() },
            data_blobs: true,
            development: false,
            shutdown: Shutdown::default(),
            workers: None,
        }
    }
}

impl Default for Rtc {
    fn default() -> Self {
        Self {
            bind_addresses: Vec::new(),
            udp_ports: PortRange { first: UDP_PORT, last: UDP_PORT },
            tcp_port: Some(TCP_PORT),
            node_ip: NodeIp::default(),
            use_external_ip: false,
            advertise_internal_ip: false,
            external_ip_only: false,
            enable_loopback_candidate: false,
            stun_servers: Vec::new(),
            interfaces: Filter::default(),
            ips: Filter::default(),
        }
    }
}

impl<T> Default for Filter<T> {
    fn default() -> Self {
        Self { includes: Vec::new(), excludes: Vec::new() }
    }
}

impl Default for RoomSettings {
    fn default() -> Self {
        Self {
            auto_create: true,
            empty_timeout: Duration::from_secs(5 * 60),
            departure_timeout: Duration::from_secs(20),
            max_participants: 0,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_metadata_size: limits::METADATA_BYTES,
            max_attributes_size: limits::ATTRIBUTES_BYTES,
            max_room_name_length: limits::NAME_BYTES,
            max_participant_identity_length: limits::NAME_BYTES,
            max_participant_name_length: limits::NAME_BYTES,
            max_data_track_custom_encoding_length: limits::CUSTOM_ENCODING_BYTES,
            max_data_blob_key_length: limits::BLOB_KEY_BYTES,
            max_data_blobs_size: limits::BLOBS_BYTES,
            signal_message_size_limit: limits::SIGNAL_MESSAGE_BYTES,
            max_worker_load: WORKER_LOAD,
            max_input_wait: INPUT_WAIT,
        }
    }
}

impl Default for MetricSettings {
    fn default() -> Self {
        Self { rooms: true, tracks: false }
    }
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            api_key: String::new(),
            include_events: Vec::new(),
            exclude_events: Vec::new(),
            data_tracks: true,
            parallel_max: 10,
            depth_max: 200,
            age_max: Duration::from_secs(30),
        }
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { action: super::ShutdownAction::default(), deadline: Duration::from_secs(10) }
    }
}
