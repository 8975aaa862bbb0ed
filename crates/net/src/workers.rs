//! The handle to all workers.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use trackyard_sfu::control::{Command, WorkerId};

use crate::shared::{Roster, Shared, WorkerSnapshot};

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
    /// Whose turn it is for a new participant.
    turn: AtomicUsize,
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
    /// The worker has ended, or never was.
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
        Self {
            inner: Arc::new(Inner {
                workers,
                threads: Mutex::new(threads),
                running,
                addresses,
                turn: AtomicUsize::new(0),
            }),
        }
    }

    /// Sends a command. Never blocks; commands to one worker arrive in order.
    ///
    /// # Errors
    /// [`SendError`], with the command.
    pub fn send(&self, worker: WorkerId, command: Command) -> Result<(), SendError> {
        let Some(shared) = self.inner.workers.get(usize::from(worker.0)).filter(|shared| !shared.has_ended())
        else {
            return Err(SendError { command, reason: SendErrorReason::WorkerGone });
        };
        let queued = shared.mailbox.commands.push(command);
        queued.map_err(|command| SendError { command, reason: SendErrorReason::Full })?;
        shared.mailbox.ring();
        Ok(())
    }

    /// The worker for a new participant: of those alive with the fewest peers, each in its turn. Workers
    /// count their peers once per pass, so a burst of joins would all go to the same one otherwise.
    #[must_use]
    pub fn least_loaded(&self) -> WorkerId {
        let workers = &self.inner.workers;
        let turn = self.inner.turn.fetch_add(1, Ordering::Relaxed) % workers.len().max(1);
        let (before, from_turn) = workers.split_at(turn);
        let load = |shared: &&Arc<Shared>| (shared.has_ended(), shared.peers());
        from_turn.iter().chain(before).min_by_key(load).map_or(WorkerId(0), |shared| shared.id)
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
