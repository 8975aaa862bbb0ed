//! Emulated links between the clients and the server.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};
use tokio::net::{TcpStream, lookup_host};
use trackyard_bench::link::{Direction, PathSpec};
use trackyard_bench::report::{LinkReport, Side};
use trackyard_bench::suite::{Behind, FlowLink};
use trackyard_relay::{Relay, RelayConfig};

use crate::failure::Failure;

/// How long finding the server's address may take.
const REACH_TIMEOUT: Duration = Duration::from_secs(10);
const PLAIN: [&str; 2] = ["ws://", "http://"];
const PLAIN_PORT: u16 = 80;

/// Which clients are behind emulated links, and what these are like.
#[derive(Debug, Args)]
#[command(next_help_heading = "Links")]
pub(super) struct LinkArgs {
    /// Emulated link of each client, such as rate:5Mbit/rtt:40ms/loss:1%/queue:100ms
    #[arg(long, value_name = "LINK")]
    link: Option<LinkText>,
    /// Who is behind them
    #[arg(long, value_name = "WHO", value_enum, default_value_t = LinkFor::Subscribers, requires = "link")]
    link_for: LinkFor,
}

/// A path, and the words for it.
#[derive(Debug, Clone)]
struct LinkText {
    text: String,
    spec: PathSpec,
}

/// Who is behind emulated links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LinkFor {
    Publishers,
    Subscribers,
    /// The last one only, with the others beside it
    LastSubscriber,
    Both,
}

/// The links of a benchmark, before they are there.
#[derive(Debug)]
pub(super) struct Links {
    link: LinkText,
    who: LinkFor,
    server: Server,
}

/// Where a server is.
#[derive(Debug)]
pub(super) struct Server {
    /// With its port.
    authority: String,
    /// What follows it in the URL.
    path: String,
}

/// The links of one side.
#[derive(Debug)]
pub(super) struct SideLinks {
    side: Side,
    relay: Relay,
    /// By which clients reach the server.
    pub(super) url: String,
}

impl std::str::FromStr for LinkText {
    type Err = trackyard_bench::link::PathSpecError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self { text: text.to_owned(), spec: text.parse()? })
    }
}

impl LinkArgs {
    /// The links to a server at this URL, if any are wanted.
    ///
    /// # Errors
    /// [`Failure::Usage`] when none can be put before it.
    pub(super) fn links(&self, url: &str) -> Result<Option<Links>, Failure> {
        let Some(link) = self.link.clone() else { return Ok(None) };
        Ok(Some(Links { link, who: self.link_for, server: Server::parse(url)? }))
    }
}

impl Links {
    /// The link of a scenario of the suite, to a server at this URL.
    ///
    /// # Errors
    /// [`Failure::Usage`] when none can be put before it.
    pub(super) fn of_scenario(link: &FlowLink, url: &str) -> Result<Self, Failure> {
        let who = match link.behind {
            Behind::Publishers => LinkFor::Publishers,
            Behind::Subscribers => LinkFor::Subscribers,
            Behind::LastSubscriber => LinkFor::LastSubscriber,
        };
        let link = LinkText { text: link.text.clone(), spec: link.spec };
        Ok(Self { link, who, server: Server::parse(url)? })
    }

    /// The words for the link of a side's clients, if any of them has one.
    pub(super) fn text(&self, side: Side) -> Option<&str> {
        let has_links = match side {
            Side::Publishers => matches!(self.who, LinkFor::Publishers | LinkFor::Both),
            Side::Subscribers => self.who != LinkFor::Publishers,
        };
        has_links.then_some(self.link.text.as_str())
    }

    /// The words for the link of one of so many subscribers, if it has one.
    pub(super) fn text_of_subscriber(&self, number: u32, count: u32) -> Option<&str> {
        let is_beside = self.who == LinkFor::LastSubscriber && number + 1 < count;
        self.text(Side::Subscribers).filter(|_| !is_beside)
    }

    /// How long a frame may be on its way without anything having been lost.
    pub(super) fn patience(&self) -> Duration {
        2 * (self.link.spec.round_trip + self.link.spec.queue)
    }

    /// Puts the links of a side up, if it has any; the seed decides what they lose.
    ///
    /// # Errors
    /// [`Failure::Connect`] when the server is not reached, or there is no port to be had.
    pub(super) async fn start(&self, side: Side, seed: u64) -> Result<Option<SideLinks>, Failure> {
        if self.text(side).is_none() {
            return Ok(None);
        }
        let server = tokio::time::timeout(REACH_TIMEOUT, self.server.reach()).await;
        let server = server.map_err(|_| anyhow!("the server does not answer")).flatten();
        let config = RelayConfig {
            up: self.link.spec.direction(Direction::Up),
            down: self.link.spec.direction(Direction::Down),
            seed,
            ..RelayConfig::new(server.map_err(Failure::Connect)?)
        };
        let relay = Relay::start(config).await.context("no port for links is to be had")?;
        let url = format!("ws://{}{}", relay.address(), self.server.path);
        Ok(Some(SideLinks { side, relay, url }))
    }
}

impl SideLinks {
    /// What they have carried so far.
    pub(super) fn report(&self) -> [LinkReport; 2] {
        let stats = self.relay.stats();
        [LinkReport::new(self.side, "up", &stats.up), LinkReport::new(self.side, "down", &stats.down)]
    }
}

impl Server {
    /// Links are made by reading signalling, which nobody can read over TLS.
    pub(super) fn parse(url: &str) -> Result<Self, Failure> {
        let url = url.trim();
        let scheme = PLAIN
            .into_iter()
            .find(|scheme| url.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme)));
        let scheme = scheme.ok_or_else(|| {
            Failure::Usage(
                "--link needs a server at a ws:// URL: links are put between by changing addresses in signalling, which wss:// hides"
                    .to_owned(),
            )
        })?;
        let rest = &url[scheme.len()..];
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let authority = if has_port { authority.to_owned() } else { format!("{authority}:{PLAIN_PORT}") };
        Ok(Self { authority, path: path.to_owned() })
    }

    /// The first of its addresses that accepts a connection.
    pub(super) async fn reach(&self) -> anyhow::Result<SocketAddr> {
        let addresses = lookup_host(&self.authority).await.context("the server's host has no address")?;
        let mut refusal = anyhow!("the server's host has no address");
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(_) => return Ok(address),
                Err(error) => {
                    refusal = anyhow::Error::new(error).context(format!("nothing answers at {address}"));
                }
            }
        }
        Err(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_for_plain_signalling() {
        for (url, authority, path) in [
            ("ws://localhost:7880", "localhost:7880", ""),
            ("WS://[::1]/yard", "[::1]:80", "/yard"),
            ("http://10.0.0.1", "10.0.0.1:80", ""),
        ] {
            let server = Server::parse(url).unwrap();
            assert_eq!((server.authority.as_str(), server.path.as_str()), (authority, path), "{url}");
        }
        for url in ["wss://localhost", "https://h", "", "ws:/"] {
            assert!(matches!(Server::parse(url), Err(Failure::Usage(_))), "{url}");
        }
    }
}
