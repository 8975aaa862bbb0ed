//! The task that delivers to one receiver.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::Told;
use super::counters::{Undelivered, WebhookCounters};
use super::delivery::{Report, Sender};
use super::queues::{Outcome, Queues};

/// Events taken before anything else is looked at again.
const BATCH_MAX: usize = 256;

/// Delivers to one receiver.
pub(super) struct Courier {
    pub(super) queues: Queues,
    pub(super) sender: Sender,
    pub(super) counters: WebhookCounters,
    /// Events that found the inbox full.
    pub(super) lost: Arc<AtomicU32>,
    pub(super) closing: CancellationToken,
    pub(super) cut: CancellationToken,
}

/// The attempts that are being made.
#[derive(Default)]
struct Attempts {
    tasks: JoinSet<Report>,
    rooms: HashMap<Id, Arc<str>>,
    /// The last one has failed.
    is_failing: bool,
}

impl Courier {
    /// Runs until no more events come and all are delivered or given up, or until it is cut off.
    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Told>) {
        let mut attempts = Attempts::default();
        let (closing, cut) = (self.closing.clone(), self.cut.clone());
        let mut batch = Vec::new();
        let mut shown = 0;
        loop {
            self.begin(&mut attempts);
            self.count(&mut shown);
            if inbox.is_closed() && inbox.is_empty() && self.queues.waiting() == 0 {
                return;
            }
            tokio::select! {
                _ = inbox.recv_many(&mut batch, BATCH_MAX), if !inbox.is_empty() || !inbox.is_closed() => {
                    batch.drain(..).for_each(|told| self.queues.push(told));
                    self.queues.lost(self.lost.swap(0, Ordering::Relaxed));
                }
                Some(ended) = attempts.tasks.join_next_with_id() => self.ended(&mut attempts, ended),
                () = until(self.queues.timeout()) => {}
                () = closing.cancelled(), if !inbox.is_closed() => inbox.close(),
                () = cut.cancelled() => break,
            }
        }
        self.cut_off(&mut shown);
    }

    /// Sends whatever may be sent.
    fn begin(&mut self, attempts: &mut Attempts) {
        while let Some(attempt) = self.queues.next(Instant::now()) {
            let (sender, room) = (self.sender.clone(), Arc::clone(&attempt.room));
            let task = attempts.tasks.spawn(async move { sender.send(&attempt).await });
            attempts.rooms.insert(task.id(), room);
        }
    }

    fn ended(&mut self, attempts: &mut Attempts, ended: Result<(Id, Report), JoinError>) {
        let (id, report) = match ended {
            Ok(ended) => ended,
            Err(error) => (error.id(), Report { outcome: Outcome::Refused, why: error.to_string() }),
        };
        let Some(room) = attempts.rooms.remove(&id) else { return };
        self.queues.settle(&room, report.outcome, Instant::now());
        self.note(attempts, &report);
    }

    /// One line when a receiver begins to fail, and one when it is back.
    fn note(&self, attempts: &mut Attempts, report: &Report) {
        let url = self.sender.url();
        let is_failing = report.outcome != Outcome::Delivered;
        match report.outcome {
            Outcome::Delivered => self.counters.delivered(),
            Outcome::Failed | Outcome::Refused => self.counters.failed(),
        }
        if is_failing == std::mem::replace(&mut attempts.is_failing, is_failing) {
            return;
        }
        if is_failing {
            warn!(%url, why = report.why, "a webhook is not taken; events wait, and are given up when they are too old");
        } else {
            info!(%url, "webhooks are taken again");
        }
    }

    /// Takes the counters along.
    fn count(&mut self, shown: &mut usize) {
        for (reason, count) in self.queues.take_drops() {
            let before = self.counters.dropped(reason, count);
            if reason != Undelivered::Shutdown
                && before.next_power_of_two() < (before + count).next_power_of_two()
            {
                warn!(url = %self.sender.url(), ?reason, count, dropped = before + count, "webhooks were dropped");
            }
        }
        let waiting = self.queues.waiting();
        self.counters.waiting(signed(waiting) - signed(*shown));
        *shown = waiting;
    }

    fn cut_off(&mut self, shown: &mut usize) {
        let waiting = self.queues.waiting();
        warn!(url = %self.sender.url(), waiting, "the server stops, and webhooks are not delivered");
        self.queues.clear();
        self.count(shown);
    }
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
