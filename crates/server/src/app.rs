//! What request handlers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::task::TaskTracker;
use trackyard_auth::Keys;

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

    /// Why new clients should go elsewhere, if they should.
    pub(crate) fn not_ready(&self) -> Option<&'static str> {
        if self.stopping.load(Ordering::Relaxed) {
            return Some("the server is shutting down");
        }
        let alive = self.rooms.workers().stats().iter().all(|worker| worker.is_alive);
        (!alive).then_some("a worker has died; restart the server")
    }

    /// Everything counted, as OpenMetrics text.
    pub(crate) async fn metrics(&self) -> String {
        metrics::render(&self.counters, &self.rooms, self.surface.metrics).await
    }
}
