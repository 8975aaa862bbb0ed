//! `trackyard dev`: a server to try things with, and everything needed to connect to it.

mod banner;

use std::net::IpAddr;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use tracing::warn;
use trackyard_auth::Token;
use trackyard_server::config::{Config, DEV_KEY, DEV_SECRET, Loaded};
use trackyard_server::{Endpoints, RunOptions};

use self::banner::Banner;
use super::serve::serve;
use crate::serve_flags::ServeFlags;
use crate::{Outcome, clock, logging, output};

const TOKEN_VALIDITY: Duration = Duration::from_secs(24 * 60 * 60);

/// Run a development server with a demo page, a known key and a ready token
#[derive(Debug, Args)]
#[command(after_help = "\
Only this machine can connect, unless --lan is given. The key is `devkey` with the secret `secret`,
which everybody knows, unless the configuration has others; the demo page gives a token to whoever
opens it, whichever key signs. Never run it where strangers can reach it.

Examples:
  trackyard dev
  trackyard dev --lan
  trackyard dev --port 8880 --udp-port 8882 --tcp-port 8881")]
pub(crate) struct Dev {
    /// Listen on every address, for other machines of the network
    #[arg(long)]
    lan: bool,
    /// Port of HTTP and WebSocket [default: 7880]
    #[arg(long, value_name = "PORT")]
    port: Option<String>,
    /// UDP port for media [default: 7882]
    #[arg(long, value_name = "PORT|FIRST-LAST")]
    udp_port: Option<String>,
    /// TCP port for media where UDP does not get through; 0 = none [default: 7881]
    #[arg(long, value_name = "PORT")]
    tcp_port: Option<String>,
    /// Room that the printed token is for
    #[arg(long, value_name = "NAME", default_value = "demo", value_parser = NonEmptyStringValueParser::new())]
    room: String,
    /// error, warn, info, debug or trace, whatever the configuration says; RUST_LOG wins
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log_level: String,
    /// Configuration in LiveKit's YAML, with our own keys beside
    #[arg(long, short, value_name = "FILE")]
    config: Option<std::path::PathBuf>,
}

impl Dev {
    pub(crate) fn run(self) -> Outcome {
        let room = self.room.clone();
        let loaded = self.load()?;
        let log_lines_lost = logging::start(&loaded.config.logging)?;
        let token = Token::new("you").room(&room).validity(TOKEN_VALIDITY);
        let token = loaded.config.keys().sign(&token, clock::unix_s());
        let token = token.map_err(|error| anyhow::Error::new(error).context("no token can be made"))?;
        let banner = Banner { room, token, key: known_key(&loaded.config), lan: lan_address(&loaded.config) };
        let ready = move |endpoints: &Endpoints| {
            if let Err(error) = output::print(&banner.text(endpoints)) {
                warn!("{error:#}");
            }
        };
        serve(loaded, RunOptions { demo: true, ready: Box::new(ready), faults: None, log_lines_lost })
    }

    fn load(self) -> Result<Loaded, trackyard_server::config::ConfigErrors> {
        let flags = ServeFlags {
            config: self.config,
            port: self.port,
            udp_port: self.udp_port,
            tcp_port: self.tcp_port,
            log_level: Some(self.log_level),
            ..ServeFlags::default()
        };
        let mut overrides = flags.overrides();
        let (source, bound) = if self.lan { ("--lan", "0.0.0.0") } else { ("trackyard dev", "127.0.0.1") };
        overrides.set_list(source, "bind_addresses", vec![bound.to_owned()]);
        overrides.set("trackyard dev", "development", "true");
        flags.load_with(overrides)
    }
}

/// The key that signs, and its secret if everybody knows it.
fn known_key(config: &Config) -> (String, Option<String>) {
    let (keys, now) = (config.keys(), clock::unix_s());
    let name = keys.names().next().unwrap_or_default().to_owned();
    let known =
        Token::new("you").to_jwt(&name, DEV_SECRET, now).is_ok_and(|jwt| keys.verify(&jwt, now).is_ok());
    let known = known && name == DEV_KEY;
    (name, known.then(|| DEV_SECRET.to_owned()))
}

/// Where other machines reach this one, if it listens for them.
fn lan_address(config: &Config) -> Option<IpAddr> {
    let addresses = config.lan_addresses().inspect_err(|error| warn!("{error}")).unwrap_or_default();
    addresses.into_iter().find(IpAddr::is_ipv4)
}
