//! From a configuration to a running server, and back to nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::Router;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};
use trackyard_net::Workers;
use trackyard_proto::signal::LeaveAction;

use crate::app::{App, Surface};
use crate::config::{Config, Loaded, ShutdownAction};
use crate::http;
use crate::rooms::{EventRouter, Rooms};

/// How long rooms may take to say goodbye.
const ROOMS_MAX: Duration = Duration::from_secs(4);
/// How long signal connections may take to close after that.
const SESSIONS_MAX: Duration = Duration::from_secs(3);
/// How long workers may take to send what they still have.
const WORKERS_MAX: Duration = Duration::from_secs(2);

/// What is not configuration.
pub struct RunOptions {
    /// Serve the demo page and hand out tokens for it.
    pub demo: bool,
    /// Called once everything listens.
    pub ready: Box<dyn FnOnce(&Endpoints) + Send>,
}

/// Where the server listens.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// HTTP and WebSocket.
    pub http: Vec<SocketAddr>,
    /// ICE over UDP.
    pub udp: Vec<SocketAddr>,
    /// ICE over TCP.
    pub tcp: Vec<SocketAddr>,
}

/// Serves until the process is told to stop (SIGTERM or Ctrl-C), then tells every client and ends.
///
/// # Errors
/// When a port cannot be had or the configuration cannot be served.
pub async fn run(loaded: Loaded, options: RunOptions) -> anyhow::Result<()> {
    for warning in &loaded.warnings {
        warn!("{warning}");
    }
    let config = loaded.config;
    let server = Server::start(&config, options.demo).await?;
    (options.ready)(&server.endpoints());
    stop_signal().await.context("signals cannot be received")?;
    server.stop(action(config.shutdown.action)).await;
    Ok(())
}

/// A running server.
pub struct Server {
    app: Arc<App>,
    listeners: Listeners,
    workers: Workers,
}

impl Server {
    /// Opens every port and begins to serve.
    ///
    /// # Errors
    /// When a port cannot be had or the configuration cannot be served.
    pub async fn start(config: &Config, demo: bool) -> anyhow::Result<Self> {
        let keys = Arc::new(config.keys());
        let events = EventRouter::default();
        let net = config.network().context("the network settings cannot be served")?;
        let workers = trackyard_net::start(&net, &events).context("the media ports cannot be opened")?;
        let rooms = Rooms::new(workers.clone(), Arc::clone(&keys), events, config.room_defaults());
        let surface = Surface { demo, metrics_on_main_port: config.prometheus.is_none() };
        let app = Arc::new(App::new(rooms, keys, surface));
        let mut listeners = Listeners::default();
        listeners.open(&config.http_addresses(), http::router(Arc::clone(&app))).await?;
        listeners.open(&config.metrics_addresses(), http::metrics_router(Arc::clone(&app))).await?;
        Ok(Self { app, listeners, workers })
    }

    /// Where it listens.
    #[must_use]
    pub fn endpoints(&self) -> Endpoints {
        let http = self.listeners.addresses.clone();
        Endpoints {
            http,
            udp: self.workers.udp_addresses().to_vec(),
            tcp: self.workers.tcp_addresses().to_vec(),
        }
    }

    /// Lets nobody in any more, tells every client what to do, and closes everything. Takes at most
    /// the sum of its deadlines, 10 s.
    pub async fn stop(self, action: LeaveAction) {
        info!(?action, "stopping");
        self.app.stop();
        report("rooms", timeout(ROOMS_MAX, self.app.rooms.shut_down(action)).await.is_ok());
        self.app.sessions.close();
        report("signal connections", timeout(SESSIONS_MAX, self.app.sessions.wait()).await.is_ok());
        self.listeners.close().await;
        let workers = self.workers;
        let stopped =
            tokio::task::spawn_blocking(move || workers.shutdown(Instant::now() + WORKERS_MAX)).await;
        report("workers", stopped.is_ok_and(|ended| ended.is_ok()));
        info!("stopped");
    }
}

fn report(what: &str, in_time: bool) {
    if !in_time {
        warn!("{what} did not end in time and were cut off");
    }
}

/// Ports that HTTP is served on.
#[derive(Default)]
struct Listeners {
    addresses: Vec<SocketAddr>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Listeners {
    async fn open(&mut self, addresses: &[SocketAddr], router: Router) -> anyhow::Result<()> {
        for address in addresses {
            let listener = TcpListener::bind(address).await.with_context(|| {
                format!("{address} cannot be listened on; is another server running there?")
            })?;
            self.addresses.push(listener.local_addr()?);
            self.tasks.spawn(http::serve(listener, router.clone(), self.stop.child_token()));
        }
        Ok(())
    }

    async fn close(self) {
        self.stop.cancel();
        self.tasks.close();
        report("HTTP connections", timeout(Duration::from_secs(1), self.tasks.wait()).await.is_ok());
    }
}

fn action(configured: ShutdownAction) -> LeaveAction {
    match configured {
        ShutdownAction::Disconnect => LeaveAction::Disconnect,
        ShutdownAction::Reconnect => LeaveAction::Reconnect,
    }
}

#[cfg(unix)]
async fn stop_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn stop_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
