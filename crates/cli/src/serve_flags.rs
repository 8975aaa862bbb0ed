//! The flags that change a configuration. Their values are checked with it, so that every mistake is
//! reported in the same way and at once.

use std::path::PathBuf;

use clap::Args;
use trackyard_server::config::{ConfigErrors, Loaded, Overrides, Sources, load};

/// The flags that change a configuration.
#[derive(Debug, Default, Args)]
pub(crate) struct ServeFlags {
    /// Configuration in LiveKit's YAML, with our own keys beside
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Configuration as a text; takes the place of the file [env: LIVEKIT_CONFIG]
    #[arg(long, value_name = "YAML")]
    pub(crate) config_body: Option<String>,
    /// API keys and secrets, as `key: secret` on each line [env: LIVEKIT_KEYS]
    #[arg(long, value_name = "KEYS")]
    pub(crate) keys: Option<String>,
    /// File with API keys and secrets, which others must not be able to read
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<String>,
    /// Port of HTTP and WebSocket [default: 7880]
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<String>,
    /// Address that HTTP listens on; may be repeated [default: every IPv4 address]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) bind: Vec<String>,
    /// Address that clients are told for media [env: NODE_IP]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) node_ip: Option<String>,
    /// UDP port or range of ports for media [env: UDP_PORT] [default: 7882]
    #[arg(long, value_name = "PORT|FIRST-LAST")]
    pub(crate) udp_port: Option<String>,
    /// TCP port for media where UDP does not get through; 0 = none [default: 7881]
    #[arg(long, value_name = "PORT")]
    pub(crate) tcp_port: Option<String>,
    /// Region that clients are told [env: LIVEKIT_REGION]
    #[arg(long, value_name = "NAME")]
    pub(crate) region: Option<String>,
    /// error, warn, info, debug or trace; RUST_LOG wins [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
    /// Threads that carry packets [env: TRACKYARD_WORKERS] [default: one per core]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) workers: Option<String>,
    /// Development: without keys, `devkey` with `secret` on loopback only
    #[arg(long)]
    pub(crate) dev: bool,
}

impl ServeFlags {
    /// The configuration that these flags, the environment and the file make.
    ///
    /// # Errors
    /// [`ConfigErrors`] with everything that is wrong.
    pub(crate) fn load(self) -> Result<Loaded, ConfigErrors> {
        let overrides = self.overrides();
        self.load_with(overrides)
    }

    /// The same, with other overrides.
    pub(crate) fn load_with(self, overrides: Overrides) -> Result<Loaded, ConfigErrors> {
        let env = |name: &str| std::env::var(name).ok();
        load(Sources { file: self.config, body: self.config_body, env: &env, overrides })
    }

    /// What the flags set.
    pub(crate) fn overrides(&self) -> Overrides {
        let mut overrides = Overrides::default();
        let words = [
            ("--key-file", "key_file", &self.key_file),
            ("--port", "port", &self.port),
            ("--node-ip", "rtc.node_ip", &self.node_ip),
            ("--udp-port", "rtc.udp_port", &self.udp_port),
            ("--tcp-port", "rtc.tcp_port", &self.tcp_port),
            ("--region", "region", &self.region),
            ("--log-level", "logging.level", &self.log_level),
            ("--workers", "workers", &self.workers),
        ];
        if let Some(keys) = &self.keys {
            overrides.set_yaml("--keys", "keys", keys.clone());
        }
        for (flag, path, word) in words {
            if let Some(word) = word {
                overrides.set(flag, path, word.clone());
            }
        }
        if !self.bind.is_empty() {
            overrides.set_list("--bind", "bind_addresses", self.bind.clone());
        }
        if self.dev {
            overrides.set("--dev", "development", "true");
        }
        overrides
    }
}
