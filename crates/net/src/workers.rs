//! The handle to all workers.

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use trackyard_sfu::control::{Command, WorkerId};

use crate::placement::{Choice, Recent, choose};
use crate::shared::{Roster, WorkerSnapshot};

/// The running workers; clones speak to the same ones. When the last is dropped, they are told to stop.
#[derive(Debug, Clone)]
pub struct Workers {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    workers: Roster,
    threads: Mutex<Vec<JoinHandle<()>>>,
    running: Arc<Running>,
    addresses: Addresses,
    /// Who was placed just now; locked once per join.
    recent: Mutex<Recent>,
}

/// Where the workers listen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Addresses {
    pub(crate) udp: Vec<SocketAddr>,
    pub(crate) tcp: Vec<SocketAddr>,
}

/// Counts threads that have not ended.
#[derive(Debug, Default)]
pub(crate) struct Running {
    count: Mutex<usize>,
    changed: Condvar,
}

/// A command that no worker has; it is given back.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct SendError {
    /// The command.
    pub command: Command,
    /// Why.
    pub reason: SendErrorReason,
}

/// Why a command could not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendErrorReason {
    /// The worker has died, or never was.
    #[error("the worker is gone")]
    WorkerGone,
    /// It has not kept up with its commands.
    #[error("the worker's queue of commands is full")]
    Full,
}

/// Not all threads have ended in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} worker threads have not ended in time")]
pub struct ShutdownTimeout(pub usize);

impl Workers {
    pub(crate) fn new(
        workers: Roster,
        threads: Vec<JoinHandle<()>>,
        running: Arc<Running>,
        addresses: Addresses,
    ) -> Self {
        let recent = Mutex::new(Recent::new(workers.len()));
        Self { inner: Arc::new(Inner { workers, threads: Mutex::new(threads), running, addresses, recent }) }
    }

    /// Sends a command. Never blocks; commands to one worker arrive in order.
    ///
    /// # Errors
    /// [`SendError`], with the command.
    pub fn send(&self, worker: WorkerId, command: Command) -> Result<(), SendError> {
        let Some(shared) = self.inner.workers.get(usize::from(worker.0)).filter(|shared| shared.serves())
        else {
            return Err(SendError { command, reason: SendErrorReason::WorkerGone });
        };
        let queued = shared.mailbox.commands.push(command);
        queued.map_err(|command| SendError { command, reason: SendErrorReason::Full })?;
        shared.mailbox.ring();
        Ok(())
    }

    /// The worker for a new participant of a room that is served by these, each with how many of it. It is the least
    /// busy of those alive, or one of the room's as long as the room is small and the difference is; who was placed just
    /// now counts, so that a burst of joins is spread.
    #[must_use]
    pub fn place(&self, room: impl IntoIterator<Item = (WorkerId, usize)>) -> WorkerId {
        let now = Instant::now();
        let mut recent = self.inner.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let mut choices = self.choices(recent.counts(now));
        for (worker, count) in room {
            if let Some(choice) = choices.get_mut(usize::from(worker.0)) {
                choice.of_room = count;
            }
        }
        let chosen = choose(&choices).unwrap_or(WorkerId(0));
        recent.add(chosen, now);
        chosen
    }

    fn choices(&self, recent: &[u64]) -> Vec<Choice> {
        let workers = self.inner.workers.iter().zip(recent);
        let choice = workers.map(|(shared, &recent)| {
            let (load, is_overloaded) = shared.load();
            let (worker, is_alive, peers) = (shared.id, shared.serves(), shared.peers());
            Choice { worker, is_alive, is_overloaded, load, peers, recent, of_room: 0 }
        });
        choice.collect()
    }

    /// Whether no worker has time for more.
    #[must_use]
    pub fn are_overloaded(&self) -> bool {
        let mut serving = self.inner.workers.iter().filter(|shared| shared.serves()).peekable();
        serving.peek().is_some() && serving.all(|shared| shared.load().1)
    }

    /// Has a worker die, as of a defect of its own: for tests of what becomes of its clients then.
    #[doc(hidden)]
    pub fn fail(&self, worker: WorkerId) {
        if let Some(shared) = self.inner.workers.get(usize::from(worker.0)) {
            shared.fail();
        }
    }

    /// How many workers there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.inner.workers.len()
    }

    /// What each worker has published last.
    #[must_use]
    pub fn stats(&self) -> Vec<WorkerSnapshot> {
        self.inner.workers.iter().map(|shared| shared.snapshot()).collect()
    }

    /// The bound UDP addresses, each once.
    #[must_use]
    pub fn udp_addresses(&self) -> &[SocketAddr] {
        &self.inner.addresses.udp
    }

    /// The bound ICE/TCP addresses.
    #[must_use]
    pub fn tcp_addresses(&self) -> &[SocketAddr] {
        &self.inner.addresses.tcp
    }

    /// Ends all workers: peers say goodbye on the wire, threads end, sockets close.
    ///
    /// # Errors
    /// [`ShutdownTimeout`] if a thread still runs at `deadline`. It ends by itself later, if it ends.
    pub fn shutdown(&self, deadline: Instant) -> Result<(), ShutdownTimeout> {
        self.inner.workers.iter().for_each(|shared| shared.stop());
        self.inner.running.wait(deadline)?;
        let mut threads = self.inner.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            // A thread that has panicked is reported by its snapshot.
            let _ = thread.join();
        }
        Ok(())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.workers.iter().for_each(|shared| shared.stop());
    }
}

impl Running {
    pub(crate) fn begin(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }

    pub(crate) fn end(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.changed.notify_all();
    }

    fn wait(&self, deadline: Instant) -> Result<(), ShutdownTimeout> {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        while *count > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ShutdownTimeout(*count));
            }
            count = self.changed.wait_timeout(count, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }
}
