//! From a configuration to a running server, and back to nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::Router;
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};
use trackyard_net::Workers;
use trackyard_proto::signal::LeaveAction;

use crate::app::{App, Surface};
use crate::clock::Clock;
use crate::config::{Config, Loaded, Shutdown, ShutdownAction};
use crate::faults::Faults;
use crate::http;
use crate::memory;
use crate::rooms::{EventRouter, Rooms, Wiring};
use crate::webhooks::Webhooks;

/// Shares of the time a shutdown may take: rooms say goodbye, signal connections close, HTTP ends,
/// workers send what they still have.
const ROOMS_SHARE: f64 = 0.4;
const SESSIONS_SHARE: f64 = 0.3;
const HTTP_SHARE: f64 = 0.1;
const WORKERS_SHARE: f64 = 0.2;

/// How long a client may take to answer the close of its signal connection.
const FAREWELL_MAX: Duration = Duration::from_secs(1);

/// Connections that wait to be accepted: after a restart all clients come back at once.
const BACKLOG: u32 = 4_096;

/// What is not configuration.
pub struct RunOptions {
    /// Serve the demo page and hand out tokens for it.
    pub demo: bool,
    /// Called once everything listens.
    pub ready: Box<dyn FnOnce(&Endpoints) + Send>,
    /// Given what tests may do to the server, once everything listens.
    pub faults: Option<Box<dyn FnOnce(Faults) + Send>>,
    /// Lines of the log that could not be written, as whoever writes them counts.
    pub log_lines_lost: Arc<AtomicU64>,
}

/// Where the server listens.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// HTTP and WebSocket.
    pub http: Vec<SocketAddr>,
    /// Metrics, if they have a port of their own.
    pub metrics: Vec<SocketAddr>,
    /// ICE over UDP.
    pub udp: Vec<SocketAddr>,
    /// ICE over TCP.
    pub tcp: Vec<SocketAddr>,
}

/// Serves until the process is told to stop (SIGTERM, Ctrl-C or the end of its terminal), then tells every client and ends.
///
/// # Errors
/// When a port cannot be had or the configuration cannot be served.
pub async fn run(loaded: Loaded, options: RunOptions) -> anyhow::Result<()> {
    for warning in &loaded.warnings {
        warn!("{warning}");
    }
    let config = loaded.config;
    // From here on: whoever hears that it is ready may tell it to stop at once.
    let stopped = stop_signal().context("signals cannot be received")?;
    let server = Server::open(&config, options.demo, options.log_lines_lost).await?;
    (options.ready)(server.endpoints());
    let faults = server.faults();
    if let Some(given) = options.faults {
        given(faults.clone());
    }
    tokio::select! {
        signal = stopped => signal.context("signals cannot be received")?,
        () = faults.stop.cancelled() => {}
    }
    server.stop().await;
    Ok(())
}

/// A running server.
pub struct Server {
    app: Arc<App>,
    listeners: Listeners,
    endpoints: Endpoints,
    workers: Workers,
    shutdown: Shutdown,
    /// Cancelled by a fault that stops it.
    faulted: CancellationToken,
}

impl Server {
    /// Opens every port and begins to serve.
    ///
    /// # Errors
    /// When a port cannot be had or the configuration cannot be served.
    pub async fn start(config: &Config) -> anyhow::Result<Self> {
        Self::open(config, false, Arc::default()).await
    }

    /// As [`Self::start`], with the demo page, which hands out tokens to whoever reaches the port.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with_demo(config: &Config) -> anyhow::Result<Self> {
        Self::open(config, true, Arc::default()).await
    }

    async fn open(config: &Config, demo: bool, log_lines_lost: Arc<AtomicU64>) -> anyhow::Result<Self> {
        let main = bind(&config.http_addresses())?;
        let metrics = bind(&config.metrics_addresses())?;
        let keys = Arc::new(config.keys());
        let events = EventRouter::default();
        let network = config.clone();
        let net = tokio::task::spawn_blocking(move || network.network())
            .await?
            .context("the network settings cannot be served")?;
        let workers = trackyard_net::start(&net, &events).context("the media ports cannot be opened")?;
        let clock = Clock::default();
        let webhooks = Webhooks::start(&config.webhook, &keys, &clock)?;
        let wiring = Wiring { workers: workers.clone(), keys: Arc::clone(&keys), events, webhooks, clock };
        let rooms = Rooms::new(wiring, config.room_defaults());
        let surface = Surface {
            demo,
            metrics_on_main_port: config.prometheus.is_none(),
            metrics_login: config.prometheus.as_ref().and_then(|prometheus| prometheus.login.clone()),
            metrics: config.metrics,
            signal_message_bytes_max: config.signal_message_bytes_max(),
            farewell_max: farewell_max(&config.shutdown),
            log_lines_lost,
        };
        let app = Arc::new(App::new(rooms, keys, surface));
        let listeners = Listeners::default();
        let endpoints = Endpoints {
            http: listeners.serve(main, &http::router(Arc::clone(&app)), &app)?,
            metrics: listeners.serve(metrics, &http::metrics_router(Arc::clone(&app)), &app)?,
            udp: workers.udp_addresses().to_vec(),
            tcp: workers.tcp_addresses().to_vec(),
        };
        listeners.accompany(memory::give_back(app.rooms.clone()));
        Ok(Self {
            app,
            listeners,
            endpoints,
            workers,
            shutdown: config.shutdown,
            faulted: CancellationToken::new(),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// What tests may do to it.
    #[must_use]
    pub fn faults(&self) -> Faults {
        let clock = self.app.rooms.clock().clone();
        Faults { clock, workers: self.workers.clone(), stop: self.faulted.clone() }
    }

    /// Lets nobody in any more, tells every client what to do, and closes everything, all within the
    /// configured deadline.
    pub async fn stop(self) {
        let action = action(self.shutdown.action);
        let share = |share: f64| self.shutdown.deadline.mul_f64(share);
        info!(?action, "stopping");
        self.app.stop();
        report("rooms", timeout(share(ROOMS_SHARE), self.app.rooms.shut_down(action)).await.is_ok());
        // What rooms have said at last is delivered while everything else ends.
        let webhooks = self.app.rooms.webhooks().clone();
        let limit = share(SESSIONS_SHARE + HTTP_SHARE + WORKERS_SHARE / 2.0);
        let webhooks = tokio::spawn(async move { webhooks.shut_down(limit).await });
        self.app.sessions.close();
        report("signal connections", timeout(share(SESSIONS_SHARE), self.app.sessions.wait()).await.is_ok());
        report("HTTP connections", timeout(share(HTTP_SHARE), self.listeners.close()).await.is_ok());
        let deadline = Instant::now() + share(WORKERS_SHARE);
        let workers = self.workers;
        let stopped = tokio::task::spawn_blocking(move || workers.shutdown(deadline)).await;
        report("workers", stopped.is_ok_and(|ended| ended.is_ok()));
        report("webhooks", webhooks.await.unwrap_or(false));
        info!("stopped");
    }
}

/// Of its share of a shutdown half is left for what has to be said before.
fn farewell_max(shutdown: &Shutdown) -> Duration {
    FAREWELL_MAX.min(shutdown.deadline.mul_f64(SESSIONS_SHARE / 2.0))
}

fn report(what: &str, in_time: bool) {
    if !in_time {
        warn!("{what} did not end in time and were cut off");
    }
}

/// Ports that HTTP is served on.
#[derive(Default)]
struct Listeners {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Listeners {
    /// Serves on all of them, and answers where that is.
    fn serve(
        &self,
        listeners: Vec<TcpListener>,
        router: &Router,
        app: &App,
    ) -> anyhow::Result<Vec<SocketAddr>> {
        let mut addresses = Vec::with_capacity(listeners.len());
        for listener in listeners {
            addresses.push(listener.local_addr()?);
            let refused = app.counters.connections_refused.clone();
            self.tasks.spawn(http::serve(listener, router.clone(), self.stop.child_token(), refused));
        }
        Ok(addresses)
    }

    /// Runs something for as long as it is served.
    fn accompany(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(self.stop.child_token().run_until_cancelled_owned(task));
    }

    async fn close(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

fn bind(addresses: &[SocketAddr]) -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = Vec::with_capacity(addresses.len());
    for address in addresses {
        let listener = listen(*address)
            .with_context(|| format!("{address} cannot be listened on; is another server running there?"))?;
        listeners.push(listener);
    }
    Ok(listeners)
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // What closed connections leave behind does not keep a restarted server from its port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn action(configured: ShutdownAction) -> LeaveAction {
    match configured {
        ShutdownAction::Disconnect => LeaveAction::Disconnect,
        ShutdownAction::Reconnect => LeaveAction::Reconnect,
    }
}

/// Ends when the process is told to stop, even if that comes before it is awaited.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = std::io::Result<()>>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // Whoever has it ignored, as `nohup` does, wants the server to outlive the terminal.
    let mut hangup = if ignores_hangup() { None } else { Some(signal(SignalKind::hangup())?) };
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = received(hangup.as_mut()) => {}
        }
        Ok(())
    })
}

#[cfg(unix)]
async fn received(signal: Option<&mut tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether SIGHUP is ignored from the start; only Linux tells without unsafe code.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // The lowest bit is the first signal, which is SIGHUP.
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// Ends when the process is told to stop.
#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = std::io::Result<()>>> {
    Ok(tokio::signal::ctrl_c())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_farewell_fits_into_the_time_that_a_shutdown_may_take() {
        let within = |deadline: Duration| {
            let farewell = farewell_max(&Shutdown { deadline, ..Shutdown::default() });
            assert!(farewell < deadline.mul_f64(SESSIONS_SHARE), "{farewell:?} of {deadline:?}");
            farewell
        };
        assert_eq!(within(Duration::from_secs(10)), FAREWELL_MAX);
        within(Duration::from_millis(200));
    }
}
