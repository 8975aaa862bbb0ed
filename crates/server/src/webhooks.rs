//! Webhooks: what happens in rooms is told to backends over HTTP (protocol §10.1).
//!
//! A room hands an event over and goes on, whatever becomes of it: between rooms and each receiver is a bounded
//! queue, and behind that one for each room, in which events keep their order until they are delivered, refused or
//! too old. Whatever is not delivered is counted, and the next event that is says how many were not.

mod counters;
mod courier;
mod delivery;
mod events;
mod queues;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use trackyard_auth::Keys;
use trackyard_http::HttpClient;
use trackyard_proto::webhook::WebhookEvent;
use trackyard_sfu::room::Notice;

use self::counters::Undelivered;
use self::courier::Courier;
use self::delivery::{Sender, Signer};
use self::events::Selection;
use self::queues::{Limits, Queues};
use crate::clock::Clock;
use crate::config::WebhookSettings;

pub(crate) use self::counters::WebhookCounters;

/// Events that rooms have handed over and one receiver's task has not seen yet. It does nothing but sort them.
const HANDOVER_MAX: usize = 16_384;
/// How long receivers that are cut off may take to say what they have not delivered.
const CUT_MAX: Duration = Duration::from_millis(200);

/// Tells backends what happens in rooms. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Webhooks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    receivers: Vec<Receiver>,
    selection: Selection,
    clock: Clock,
    counters: WebhookCounters,
    tasks: TaskTracker,
    /// No more events come.
    closing: CancellationToken,
    /// What is not delivered by now is not delivered at all.
    cut: CancellationToken,
}

/// The way to one receiver's task.
#[derive(Debug)]
struct Receiver {
    events: mpsc::Sender<Told>,
    /// Events that found it full, to be told of.
    lost: Arc<AtomicU32>,
}

/// An event, and when it happened.
#[derive(Debug, Clone)]
struct Told {
    event: Arc<WebhookEvent>,
    at: Instant,
}

impl Webhooks {
    /// Begins to deliver to everyone who is configured.
    ///
    /// # Errors
    /// If there is no key to sign with.
    pub(crate) fn start(settings: &WebhookSettings, keys: &Arc<Keys>, clock: &Clock) -> anyhow::Result<Self> {
        let mut inner = Inner {
            receivers: Vec::new(),
            selection: Selection::new(settings),
            clock: clock.clone(),
            counters: WebhookCounters::default(),
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            cut: CancellationToken::new(),
        };
        if settings.urls.is_empty() {
            return Ok(Self(Arc::new(inner)));
        }
        let http = HttpClient::new(&[])?;
        let api_key = match settings.api_key.as_str() {
            "" => keys.names().next().context("webhooks need a key to be signed with; set `keys`")?,
            key => key,
        };
        for url in &settings.urls {
            let signer = Signer { keys: Arc::clone(keys), api_key: api_key.into(), clock: clock.clone() };
            let sender = Sender::new(http.clone(), url.clone(), signer);
            inner.open(settings, sender);
        }
        Ok(Self(Arc::new(inner)))
    }

    /// Something has become of a room or of a session in it. Never waits.
    pub(crate) fn tell(&self, notice: &Notice) {
        if self.0.receivers.is_empty() {
            return;
        }
        for event in self.0.selection.events(notice, self.0.clock.unix_s()) {
            let told = Told { event: Arc::new(event), at: Instant::now() };
            self.0.receivers.iter().for_each(|receiver| self.0.hand_over(receiver, told.clone()));
        }
    }

    /// What has become of events.
    pub(crate) fn counters(&self) -> &WebhookCounters {
        &self.0.counters
    }

    /// Delivers what there is until all of it is, or until the time is over. Answers whether all of it was.
    pub(crate) async fn shut_down(&self, limit: Duration) -> bool {
        self.0.closing.cancel();
        self.0.tasks.close();
        let is_done = timeout(limit, self.0.tasks.wait()).await.is_ok();
        if !is_done {
            self.0.cut.cancel();
            // They only count; should one not get to it, its events are not in the metrics of a server that ends.
            let _ = timeout(CUT_MAX, self.0.tasks.wait()).await;
        }
        is_done
    }
}

impl Inner {
    fn open(&mut self, settings: &WebhookSettings, sender: Sender) {
        let (events, inbox) = mpsc::channel(HANDOVER_MAX);
        let lost = Arc::new(AtomicU32::new(0));
        let limits = Limits {
            parallel_max: settings.parallel_max,
            depth_max: settings.depth_max,
            age_max: settings.age_max,
            ..Limits::default()
        };
        let courier = Courier {
            queues: Queues::new(limits, fastrand::u64(..)),
            sender,
            counters: self.counters.clone(),
            lost: Arc::clone(&lost),
            closing: self.closing.clone(),
            cut: self.cut.clone(),
        };
        self.tasks.spawn(courier.run(inbox));
        self.receivers.push(Receiver { events, lost });
    }

    fn hand_over(&self, receiver: &Receiver, told: Told) {
        if receiver.events.try_send(told).is_err() {
            receiver.lost.fetch_add(1, Ordering::Relaxed);
            self.counters.dropped(Undelivered::Handover, 1);
        }
    }
}

#[cfg(test)]
mod tests;
