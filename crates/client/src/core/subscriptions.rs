//! Subscriptions of this client: their buffers, and whoever waits for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

use tokio::sync::oneshot;
use trackyard_track::{FrameQueue, Received, SubscribeError, SubscriptionId};

/// Subscriptions of this client.
#[derive(Default)]
pub(crate) struct Subscribers {
    all: HashMap<SubscriptionId, Subscriber>,
}

/// One subscription.
pub(crate) struct Subscriber {
    pub(crate) buffer: Arc<Buffer>,
    /// It ends when its track is no longer published.
    pub(crate) until_unpublished: bool,
    pub(crate) waiting: Option<oneshot::Sender<Result<(), SubscribeError>>>,
}

/// What a subscription has received and the application has not taken yet.
#[derive(Debug)]
pub(crate) struct Buffer(Mutex<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) queue: FrameQueue,
    pub(crate) waker: Option<Waker>,
    /// Nothing more comes.
    pub(crate) is_ended: bool,
}

impl Buffer {
    pub(crate) fn new(queue: FrameQueue) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Inner { queue, waker: None, is_ended: false })))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, received: Received, now: Instant) {
        let mut inner = self.lock();
        inner.queue.push(received, now);
        wake(inner);
    }

    fn end(&self) {
        let mut inner = self.lock();
        inner.is_ended = true;
        wake(inner);
    }
}

impl Subscribers {
    pub(crate) fn insert(&mut self, id: SubscriptionId, subscriber: Subscriber) {
        self.all.insert(id, subscriber);
    }

    pub(crate) fn remove(&mut self, id: SubscriptionId) {
        if let Some(subscriber) = self.all.remove(&id) {
            subscriber.buffer.end();
        }
    }

    /// The server sends the track's frames.
    pub(crate) fn active(&mut self, ids: &[SubscriptionId]) {
        for id in ids {
            let waiting = self.all.get_mut(id).and_then(|subscriber| subscriber.waiting.take());
            // Whoever does not wait any more unsubscribes.
            let _ = waiting.map(|waiter| waiter.send(Ok(())));
        }
    }

    /// They have come to nothing.
    pub(crate) fn failed(&mut self, ids: &[SubscriptionId], error: SubscribeError) {
        for subscriber in ids.iter().filter_map(|id| self.all.remove(id)) {
            subscriber.buffer.end();
            let _ = subscriber.waiting.map(|waiter| waiter.send(Err(error)));
        }
    }

    /// Hands something to one subscription.
    pub(crate) fn push(&self, id: SubscriptionId, received: Received, now: Instant) {
        if let Some(subscriber) = self.all.get(&id) {
            subscriber.buffer.push(received, now);
        }
    }

    /// Those that end with their track's publication.
    pub(crate) fn that_end(&self, of: impl Iterator<Item = SubscriptionId>) -> Vec<SubscriptionId> {
        of.filter(|id| self.all.get(id).is_some_and(|subscriber| subscriber.until_unpublished)).collect()
    }

    /// The room is gone.
    pub(crate) fn end_all(&mut self) {
        for subscriber in self.all.drain().map(|(_, subscriber)| subscriber) {
            subscriber.buffer.end();
        }
    }
}

/// Whoever is woken finds the buffer's lock free.
fn wake(mut inner: MutexGuard<'_, Inner>) {
    let waker = inner.waker.take();
    drop(inner);
    if let Some(waker) = waker {
        waker.wake();
    }
}
