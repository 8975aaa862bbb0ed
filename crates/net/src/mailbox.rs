//! What other threads send to a worker: bounded queues, and a bell that wakes it.
//!
//! Producers append whole batches under one short lock, the worker takes a whole queue under
//! another, so that no packet costs a lock of its own. The bell is rung only for a worker that
//! sleeps or is about to.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use mio::Waker;
use trackyard_peer::Transport;
use trackyard_sfu::control::Command;
use trackyard_sfu::forward::Crossing;

use std::net::SocketAddr;

use crate::tcp::Connection;
use crate::user_packets::UserPackets;

/// Commands waiting for a worker; one more is given back to the room.
const COMMANDS_MAX: usize = 65_536;
/// Packets from other workers, about 100 ms of work: frames that waited for longer would be too old. Those that do not
/// fit are dropped and counted.
const CROSSINGS_MAX: usize = 4_096;
/// Datagrams that have come to another worker's socket, as many as fit into one; those that do not fit are dropped and counted.
const DATAGRAMS_MAX: usize = 4_096;
/// ICE/TCP connections on their way to their worker; those that do not fit are closed and counted.
const CONNECTIONS_MAX: usize = 1_024;

/// A worker's incoming queues.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pub(crate) commands: Queue<Command>,
    pub(crate) crossings: Queue<Crossing>,
    pub(crate) user_packets: UserPackets,
    pub(crate) datagrams: Queue<StrayDatagram>,
    pub(crate) connections: Queue<Connection>,
    bell: Bell,
}

/// A datagram on its way to the worker it is for.
#[derive(Debug)]
pub(crate) struct StrayDatagram {
    pub(crate) transport: Transport,
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) contents: Vec<u8>,
    /// When it came to this machine.
    pub(crate) received: Instant,
}

/// A bounded queue of many producers and one consumer.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    items: Mutex<VecDeque<T>>,
    items_max: usize,
}

#[derive(Debug)]
struct Bell {
    sleeping: AtomicBool,
    waker: Waker,
}

impl Mailbox {
    pub(crate) fn new(waker: Waker) -> Self {
        Self {
            commands: Queue::new(COMMANDS_MAX),
            crossings: Queue::new(CROSSINGS_MAX),
            user_packets: UserPackets::default(),
            datagrams: Queue::new(DATAGRAMS_MAX),
            connections: Queue::new(CONNECTIONS_MAX),
            bell: Bell { sleeping: AtomicBool::new(false), waker },
        }
    }

    /// Throws away what waits: the worker has died, and nobody is left whom it is for.
    pub(crate) fn clear(&self) {
        self.commands.clear();
        self.crossings.clear();
        drop(self.user_packets.take());
        self.datagrams.clear();
        self.connections.clear();
    }

    /// Wakes the worker if it sleeps. To be called after something was queued.
    pub(crate) fn ring(&self) {
        if self.bell.sleeping.swap(false, Ordering::SeqCst) {
            // The waker writes to an event descriptor of this process: it fails only when that is
            // gone, and then nobody is left to wake.
            let _ = self.bell.waker.wake();
        }
    }

    /// The worker is about to sleep; `false` if it must not, because something has come. From here
    /// on producers ring.
    pub(crate) fn may_sleep(&self) -> bool {
        self.bell.sleeping.store(true, Ordering::SeqCst);
        let empty = self.commands.is_empty()
            && self.crossings.is_empty()
            && self.user_packets.is_empty()
            && self.datagrams.is_empty()
            && self.connections.is_empty();
        if !empty {
            self.bell.sleeping.store(false, Ordering::SeqCst);
        }
        empty
    }

    /// The worker is awake.
    pub(crate) fn awake(&self) {
        self.bell.sleeping.store(false, Ordering::SeqCst);
    }
}

impl<T> Queue<T> {
    fn new(items_max: usize) -> Self {
        Self { items: Mutex::new(VecDeque::new()), items_max }
    }

    /// Queues one, or gives it back.
    pub(crate) fn push(&self, item: T) -> Result<(), T> {
        let mut items = self.lock();
        if items.len() >= self.items_max {
            return Err(item);
        }
        items.push_back(item);
        Ok(())
    }

    /// Queues as many as fit, drops the rest, and answers how many those were.
    pub(crate) fn append(&self, batch: &mut Vec<T>) -> usize {
        let mut items = self.lock();
        let room = self.items_max.saturating_sub(items.len());
        let dropped = batch.len().saturating_sub(room);
        items.extend(batch.drain(..batch.len() - dropped));
        drop(items);
        batch.clear();
        dropped
    }

    /// Swaps what waits against an empty queue, whose memory is reused.
    pub(crate) fn take(&self, empty: &mut VecDeque<T>) {
        debug_assert!(empty.is_empty(), "what was taken before is lost");
        std::mem::swap(&mut *self.lock(), empty);
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn clear(&self) {
        // What an item does when it is dropped is not done under the lock.
        drop(std::mem::take(&mut *self.lock()));
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A panic elsewhere cannot leave a queue half-changed, so that poison says nothing.
    fn lock(&self) -> MutexGuard<'_, VecDeque<T>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_gives_back_or_drops_and_says_so() {
        let queue = Queue::new(3);
        assert_eq!(queue.push(1), Ok(()));
        assert_eq!(queue.append(&mut vec![2, 3, 4, 5]), 2);
        assert_eq!(queue.push(6), Err(6));
        let mut taken = VecDeque::new();
        queue.take(&mut taken);
        assert_eq!(taken, [1, 2, 3]);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn what_comes_before_sleep_keeps_the_worker_awake() {
        let poll = mio::Poll::new().unwrap();
        let mailbox = Mailbox::new(Waker::new(poll.registry(), mio::Token(0)).unwrap());
        assert!(mailbox.may_sleep());
        let command = Command::Close { peer: trackyard_sfu::control::PeerId(1) };
        assert!(mailbox.commands.push(command).is_ok());
        mailbox.ring();
        assert!(!mailbox.may_sleep());
    }
}
