//! What request handlers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio_util::task::TaskTracker;
use trackyard_auth::Keys;
use trackyard_sfu::room::admission::Capacity;

use crate::api::Bodies;
use crate::config::{Login, MetricSettings};
use crate::http::JoinLimiter;
use crate::metrics::{self, Counters};
use crate::rooms::Rooms;

/// What request handlers share.
#[derive(Debug)]
pub(crate) struct App {
    /// The rooms of this node.
    pub(crate) rooms: Rooms,
    /// Who may sign tokens.
    pub(crate) keys: Arc<Keys>,
    /// What the edge has counted.
    pub(crate) counters: Counters,
    /// What is held of requests of the server API.
    pub(crate) api_bodies: Bodies,
    /// How fast one address may join.
    pub(crate) joins: JoinLimiter,
    /// Signal connections being served.
    pub(crate) sessions: TaskTracker,
    /// What this process serves beside clients.
    pub(crate) surface: Surface,
    stopping: AtomicBool,
}

/// What this process serves beside clients.
#[derive(Debug, Clone)]
pub(crate) struct Surface {
    /// The demo page and its helpers.
    pub(crate) demo: bool,
    /// `/metrics` on the main port, for loopback peers; else it has a port of its own.
    pub(crate) metrics_on_main_port: bool,
    /// Who may read metrics on their own port; anyone if there is none.
    pub(crate) metrics_login: Option<Login>,
    /// What metrics say about single rooms and tracks.
    pub(crate) metrics: MetricSettings,
    /// The longest signal message.
    pub(crate) signal_message_bytes_max: usize,
    /// How long a client may take to answer the close of its signal connection.
    pub(crate) farewell_max: Duration,
    /// Lines of the log that could not be written.
    pub(crate) log_lines_lost: Arc<AtomicU64>,
}

impl App {
    /// Ready to serve.
    pub(crate) fn new(rooms: Rooms, keys: Arc<Keys>, surface: Surface) -> Self {
        Self {
            rooms,
            keys,
            surface,
            counters: Counters::default(),
            api_bodies: Bodies::default(),
            joins: JoinLimiter::default(),
            sessions: TaskTracker::new(),
            stopping: AtomicBool::new(false),
        }
    }

    /// From now on nobody new is let in.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Nobody new is let in.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Why new clients should go elsewhere, if they should.
    pub(crate) fn not_ready(&self) -> Option<&'static str> {
        if self.is_stopping() {
            return Some("the server is shutting down");
        }
        if !self.rooms.workers().stats().iter().all(|worker| worker.is_alive) {
            return Some("a worker has died and is starting anew");
        }
        match self.rooms.capacity() {
            Capacity::Free => None,
            Capacity::Full => Some("the node takes no more participants"),
            Capacity::Overloaded => Some("the node is overloaded"),
        }
    }

    /// Everything counted, as OpenMetrics text.
    pub(crate) async fn metrics(&self) -> String {
        metrics::render(&self.counters, &self.rooms, &self.surface).await
    }
}
