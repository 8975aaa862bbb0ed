//! What becomes of a worker that dies of a defect: its sockets stay open, everything else is made anew.
//!
//! A panic while one peer is handled costs that peer alone; this is for what happens outside of peers.
//! Everyone who had something to do with its peers is told before it serves again.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use mio::Events;
use trackyard_lanes::LaneStats;
use trackyard_peer::ConnectionFactory;
use trackyard_sfu::forward::{Worker, WorkerCounters};

use super::mail::Mail;
use super::{EVENTS_PER_WAIT, WorkerThread};
use crate::EventSink;
use crate::load::LoadMeter;

/// Who has lived for so long may die without having to rest.
const LIFE_MIN: Duration = Duration::from_secs(1);
/// The first rest; each one more without a life between them is twice as long.
const REST_MIN: Duration = Duration::from_millis(50);
/// What comes to its sockets meanwhile for other workers waits for so long.
const REST_MAX: Duration = Duration::from_millis(200);

/// What workers have counted that have died, so that no counter goes back.
#[derive(Debug, Default)]
pub(super) struct Past {
    counters: WorkerCounters,
    lanes: LaneStats,
}

impl Past {
    /// With what the one that lives has counted.
    pub(super) fn counters(&self, present: &WorkerCounters) -> WorkerCounters {
        let (past, present) = (self.counters.values(), present.values());
        WorkerCounters::from_values(std::array::from_fn(|at| past[at] + present[at]))
    }

    pub(super) fn lanes(&self, present: LaneStats) -> LaneStats {
        let mut lanes = self.lanes;
        lanes += present;
        lanes
    }

    /// It has died. Its peers are closed, so that what waited in their lanes is dropped and counted.
    fn bury<F: ConnectionFactory>(&mut self, worker: &mut Worker<F>, now: Instant) {
        // What is half-changed in it may make it panic again; then what it has counted so far is all there is.
        contain(|| worker.close_all(now));
        self.counters = self.counters(worker.counters());
        self.lanes = self.lanes(contain(|| worker.lane_totals()).unwrap_or_default());
    }
}

impl<F: ConnectionFactory + Clone, S: EventSink> WorkerThread<F, S> {
    /// Serves until told to stop, through as many lives as it takes.
    pub(crate) fn run(&mut self) {
        let mut rest = REST_MIN;
        while !self.shared.is_stopping() {
            let born = Instant::now();
            match contain(|| self.serve()) {
                Some(Ok(())) => return,
                Some(Err(error)) => tracing::error!(
                    worker = self.shared.id.0,
                    %error,
                    "a worker cannot wait for its sockets; its clients have to reconnect"
                ),
                None => tracing::error!(
                    worker = self.shared.id.0,
                    "a worker has died of a defect and begins anew; its clients have to reconnect"
                ),
            }
            self.begin_anew();
            if born.elapsed() >= LIFE_MIN {
                rest = REST_MIN;
            } else {
                self.rest(rest);
                rest = (rest * 2).min(REST_MAX);
            }
            self.shared.revive();
        }
    }

    /// Forgets everything but the sockets. The order matters: what was meant for the dead is thrown away before
    /// rooms are told, so that whatever they send afterwards reaches the living.
    fn begin_anew(&mut self) {
        let (now, id) = (Instant::now(), self.shared.id);
        self.shared.die();
        self.past.bury(&mut self.switch.worker, now);
        let dead = std::mem::replace(&mut self.switch, self.blueprint.build(now));
        contain(|| drop(dead));
        self.blueprint.table.release_all(id);
        self.wire.reset();
        self.mail = Mail::default();
        self.shared.mailbox.clear();
        self.load = LoadMeter::new(self.blueprint.load_limit_permille, now);
        // Readiness is told once, and may have been told to the dead.
        self.readable.fill(true);
        for listener in &mut self.listeners {
            listener.ready_at = Some(now);
        }
        self.publish(now);
        self.publish_lanes();
        contain(|| self.blueprint.sink.worker_lost(id));
    }

    /// A worker that dies again and again leaves the machine to others meanwhile.
    fn rest(&mut self, duration: Duration) {
        let (until, mut events) = (Instant::now() + duration, Events::with_capacity(EVENTS_PER_WAIT));
        while !self.shared.is_stopping() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            match self.poll.poll(&mut events, Some(left)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => std::thread::sleep(left),
                _ => events.iter().for_each(|event| self.on_ready(event)),
            }
        }
    }
}

/// Runs what may panic. What it leaves half-changed is thrown away by who asks.
fn contain<T>(act: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(act)).ok()
}
