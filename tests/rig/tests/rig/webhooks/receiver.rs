//! A backend that takes webhooks, fails to, or stalls.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use trackyard_api::{Webhook, WebhookEvent, WebhookKind, WebhookReceiver};

const PATIENCE: Duration = Duration::from_secs(20);

/// How it receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Each event is taken.
    Take,
    /// Each is answered with 503.
    Fail,
    /// Nothing is answered until the manner is another.
    Stall,
}

/// A backend. Its events are those that it has answered with 200.
pub(super) struct Receiver {
    address: SocketAddr,
    manner: watch::Sender<Manner>,
    events: mpsc::UnboundedReceiver<WebhookEvent>,
    refusals: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Desk {
    verifier: WebhookReceiver,
    manner: watch::Receiver<Manner>,
    events: mpsc::UnboundedSender<WebhookEvent>,
    refusals: watch::Sender<usize>,
}

impl FromRef<Desk> for WebhookReceiver {
    fn from_ref(desk: &Desk) -> Self {
        desk.verifier.clone()
    }
}

impl Receiver {
    pub(super) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (manner, manners) = watch::channel(manner);
        let (events_in, events) = mpsc::unbounded_channel();
        let (refusals_in, refusals) = watch::channel(0);
        let desk = Desk {
            verifier: WebhookReceiver::new("devkey", "secret").unwrap(),
            manner: manners,
            events: events_in,
            refusals: refusals_in,
        };
        let app = Router::new().route("/hook", post(told)).with_state(desk);
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, manner, events, refusals, task }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(super) fn set(&self, manner: Manner) {
        self.manner.send_replace(manner);
    }

    /// What has come so far.
    pub(super) fn received(&mut self) -> Vec<WebhookEvent> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }

    /// What comes up to the first event of this kind.
    pub(super) async fn until(&mut self, kind: WebhookKind) -> Vec<WebhookEvent> {
        let mut events: Vec<WebhookEvent> = Vec::new();
        while events.last().is_none_or(|event| event.kind != kind) {
            let next = timeout(PATIENCE, self.events.recv()).await;
            let next = next.unwrap_or_else(|_| panic!("no {kind:?} after {events:?}"));
            events.push(next.unwrap());
        }
        events
    }

    /// Waits until it has refused so many.
    pub(super) async fn refusals(&mut self, count: usize) {
        let refused = self.refusals.wait_for(|refused| *refused >= count);
        drop(timeout(PATIENCE, refused).await.expect("nothing was refused").unwrap());
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Only what the server has signed comes here at all.
async fn told(State(mut desk): State<Desk>, Webhook(event): Webhook) -> StatusCode {
    let manner = *desk.manner.wait_for(|manner| *manner != Manner::Stall).await.unwrap();
    if manner == Manner::Fail {
        desk.refusals.send_modify(|refused| *refused += 1);
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    desk.events.send(event).unwrap();
    StatusCode::OK
}
