//! The configuration: LiveKit's YAML as it is, with our own settings beside.

mod check;
mod cidr;
mod defaults;
mod diagnostic;
mod external_ip;
mod network;
mod read;
mod room_defaults;
mod scalar;
mod schema;
mod settings;
mod source;
mod suggest;
mod track_rules;
mod yaml;

pub use cidr::{Cidr, CidrError};
pub use defaults::{DEV_KEY, DEV_SECRET};
pub use diagnostic::{ConfigErrors, Diagnostic, Place};
pub use external_ip::ExternalIpError;
pub use network::NetworkError;
pub use scalar::duration as parse_duration;
pub use settings::{
    Config, DataTracks, Filter, Limits, LogLevel, Logging, Login, MetricSettings, NodeIp, PortRange,
    Prometheus, RoomSettings, Rtc, Shutdown, ShutdownAction, WebhookSettings,
};
pub use source::{CONFIG_BYTES_MAX, Overrides, Sources, load};
pub use track_rules::{RuleEntry, first_match};

/// A configuration that can be used.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What to do.
    pub config: Config,
    /// What has no effect or should be looked at.
    pub warnings: Vec<Diagnostic>,
}

#[cfg(test)]
mod tests;
