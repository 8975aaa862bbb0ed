//! The configuration: LiveKit's YAML as it is, with our own settings beside.

mod cidr;
mod defaults;
mod diagnostic;
mod settings;
mod track_rules;

pub use cidr::{Cidr, CidrError};
pub use defaults::{DEV_KEY, DEV_SECRET};
pub use diagnostic::{ConfigErrors, Diagnostic};
pub use settings::{
    Config, DataTracks, Filter, Limits, LogLevel, Logging, Login, NodeIp, PortRange, Prometheus, RoomSettings, Rtc,
    Shutdown, ShutdownAction,
};
pub use track_rules::{TrackRule, first_match};

/// A configuration that can be used.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What to do.
    pub config: Config,
    /// What has no effect or should be looked at.
    pub warnings: Vec<Diagnostic>,
}
