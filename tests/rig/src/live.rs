//! One raw client over real sockets, as its user sees it.

mod driver;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::sync::{Barrier, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use trackyard_peer::Str0mFactory;
use trackyard_sim::client::{Client, ClientConfig, ClientEvent};
use trackyard_sim::link::LinkConfig;

use crate::signal_socket::SignalEnd;
use driver::{Driver, Order};

/// How a live client connects.
#[derive(Debug, Clone, Default)]
pub struct LiveConfig {
    /// `ws://host:port`
    pub url: String,
    /// Who it is.
    pub token: String,
    /// How it behaves.
    pub client: ClientConfig,
    /// What carries its datagrams.
    pub path: Path,
    /// What its path is like.
    pub links: Links,
    /// Decides which datagrams its links lose.
    pub seed: u64,
    /// Where it waits for others, with its request made: they set out together.
    pub gate: Option<Arc<Barrier>>,
}

/// What carries a client's datagrams.
#[derive(Debug, Clone, Copy, Default)]
pub enum Path {
    /// UDP, to whatever the server names.
    #[default]
    Udp,
    /// ICE/TCP, to this address.
    Tcp(SocketAddr),
}

/// A path in both directions.
#[derive(Debug, Clone, Copy, Default)]
pub struct Links {
    /// From the client.
    pub up: LinkConfig,
    /// To the client.
    pub down: LinkConfig,
}

/// What the driver tells beside events.
#[derive(Debug)]
pub(crate) struct Facts {
    signal_bytes: Arc<AtomicU64>,
    signal: watch::Sender<SignalEnd>,
    ufrag: watch::Sender<String>,
}

/// A client that runs in the background. Dropping it ends it without a goodbye.
pub struct LiveClient {
    orders: mpsc::UnboundedSender<Order>,
    events: mpsc::UnboundedReceiver<(Instant, ClientEvent)>,
    signal_bytes: Arc<AtomicU64>,
    signal: watch::Receiver<SignalEnd>,
    ufrag: watch::Receiver<String>,
    task: JoinHandle<Result<()>>,
}

impl LiveClient {
    /// Connects and begins to join.
    ///
    /// # Errors
    /// When the server refuses the signal connection.
    pub async fn start(config: LiveConfig) -> Result<Self> {
        let (orders, orders_in) = mpsc::unbounded_channel();
        let (events_out, events) = mpsc::unbounded_channel();
        let (signal_in, signal) = watch::channel(SignalEnd::Open);
        let (ufrag_in, ufrag) = watch::channel(String::new());
        let signal_bytes = Arc::new(AtomicU64::new(0));
        let facts = Facts { signal_bytes: Arc::clone(&signal_bytes), signal: signal_in, ufrag: ufrag_in };
        let driver = Driver::start(config, events_out, facts).await?;
        let task = tokio::spawn(driver.run(orders_in));
        Ok(Self { orders, events, signal_bytes, signal, ufrag, task })
    }

    /// Does something with the client.
    ///
    /// # Errors
    /// When the client has ended.
    pub fn act(&self, act: impl FnOnce(&mut Client<Str0mFactory>, Instant) + Send + 'static) -> Result<()> {
        self.order(Order::Act(Box::new(act)))
    }

    /// Drops the signal connection and comes back to the session.
    ///
    /// # Errors
    /// When the client has ended.
    pub fn resume(&self) -> Result<()> {
        self.order(Order::Resume)
    }

    /// Takes both directions of the path down, or up again.
    ///
    /// # Errors
    /// When the client has ended.
    pub fn set_links_up(&self, up: bool) -> Result<()> {
        self.order(Order::LinksUp(up))
    }

    /// The next event.
    ///
    /// # Errors
    /// When none comes within `limit`, or the client has ended.
    pub async fn event(&mut self, limit: Duration) -> Result<(Instant, ClientEvent)> {
        let event = timeout(limit, self.events.recv()).await.context("nothing happened in time")?;
        event.context("the client has ended")
    }

    /// Waits for an event that `pick` makes something of; others are passed over.
    ///
    /// # Errors
    /// When none comes within `limit`, or the client has ended.
    pub async fn wait<T>(
        &mut self,
        limit: Duration,
        mut pick: impl FnMut(Instant, ClientEvent) -> Option<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + limit;
        loop {
            let (at, event) = self.event(deadline.saturating_duration_since(Instant::now())).await?;
            if let Some(found) = pick(at, event) {
                return Ok(found);
            }
        }
    }

    /// Events that have already happened.
    pub fn drain(&mut self) -> Vec<(Instant, ClientEvent)> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }

    /// Waits until the signal connection has ended, and says how.
    ///
    /// # Errors
    /// When it does not end within `limit`.
    pub async fn signal_end(&mut self, limit: Duration) -> Result<SignalEnd> {
        let ended = self.signal.wait_for(|end| *end != SignalEnd::Open);
        let end = timeout(limit, ended).await.context("the signal connection stays open")?;
        Ok(*end.context("the client has ended")?)
    }

    /// The name under which the server's end of the publisher connection takes datagrams; empty before
    /// the first answer.
    #[must_use]
    pub fn ufrag(&self) -> String {
        self.ufrag.borrow().clone()
    }

    /// Bytes of signalling received so far.
    #[must_use]
    pub fn signal_bytes(&self) -> u64 {
        self.signal_bytes.load(Ordering::Relaxed)
    }

    fn order(&self, order: Order) -> Result<()> {
        if self.orders.send(order).is_err() {
            bail!("the client has ended");
        }
        Ok(())
    }
}

impl Drop for LiveClient {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Facts {
    fn signal_bytes(&self) -> u64 {
        self.signal_bytes.load(Ordering::Relaxed)
    }

    fn set_signal_bytes(&self, bytes: u64) {
        self.signal_bytes.store(bytes, Ordering::Relaxed);
    }

    fn set_signal(&self, end: SignalEnd) {
        // Whoever asked may have gone.
        self.signal.send_replace(end);
    }

    fn set_ufrag(&self, sdp: &str) {
        if let Some(ufrag) = sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")) {
            self.ufrag.send_replace(ufrag.trim().to_owned());
        }
    }
}
