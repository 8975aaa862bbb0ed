//! What is received of a track.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_core::Stream;
use tokio::time::Sleep;
use trackyard_proto::DeliveryWish;
use trackyard_proto::signal::SubscriptionOptions;
use trackyard_track::{Delivery, Gap, Overflow, QueueOptions, QueueStats, SubscriptionId};

use crate::core::Buffer;
use crate::frame::DataTrackFrame;
use crate::shared::Shared;

/// How a track is to be received.
///
/// ```
/// use std::time::Duration;
/// use trackyard::DataTrackSubscribeOptions;
///
/// let commands = DataTrackSubscribeOptions::new()
///     .with_buffer_size(1)
///     .with_max_age(Duration::from_millis(200))
///     .with_deadline(Duration::from_millis(500));
/// # drop(commands);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DataTrackSubscribeOptions {
    pub(crate) queue: QueueOptions,
    pub(crate) until_unpublished: bool,
    pub(crate) delivery: DeliveryWish,
}

impl DataTrackSubscribeOptions {
    /// A buffer of 16 frames, of which the oldest goes first.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Frames that wait for the application, at least 1.
    #[must_use]
    pub fn with_buffer_size(mut self, frames: usize) -> Self {
        self.queue.capacity = frames;
        self
    }

    /// Which frame is dropped when the buffer is full.
    #[must_use]
    pub fn with_overflow(mut self, overflow: Overflow) -> Self {
        self.queue.overflow = overflow;
        self
    }

    /// At most so many frames per second on a steady grid. The server leaves out what no subscription of
    /// the track has asked for.
    #[must_use]
    pub fn with_target_fps(mut self, fps: u32) -> Self {
        self.queue.target_fps = Some(fps);
        self
    }

    /// Wishes how the server hands the track's frames on to this client. Its operator's rules are upper bounds, and of
    /// several subscriptions of a track the server is asked for as much as any of them wants; servers that do not
    /// know this ignore it.
    #[must_use]
    pub fn with_delivery(mut self, wish: DeliveryWish) -> Self {
        self.delivery = wish;
        self
    }

    /// Frames older than this are dropped. Age counts from the frame's timestamp if it is a plausible time
    /// of day, else from its arrival.
    #[must_use]
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.queue.max_age = Some(age);
        self
    }

    /// After so long without a frame, [`DataTrackEvent::Silent`] is told; also while disconnected.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.queue.deadline = Some(deadline);
        self
    }

    /// The subscription ends when the track is no longer published. By default it waits, and goes on when
    /// its publisher comes back and publishes the track again.
    #[must_use]
    pub fn until_unpublished(mut self) -> Self {
        self.until_unpublished = true;
        self
    }

    pub(crate) fn signalled(&self) -> SubscriptionOptions {
        SubscriptionOptions { target_fps: self.queue.target_fps, delivery: self.delivery }
    }
}

/// What is received of a track, and what is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataTrackEvent {
    /// A frame.
    Frame(DataTrackFrame),
    /// Frames that do not come.
    Gap(Gap),
    /// No frame has come for as long as [`with_deadline`](DataTrackSubscribeOptions::with_deadline) says;
    /// told once until one comes.
    Silent {
        /// When the last frame came, or the subscription began.
        since: Instant,
    },
}

impl From<Delivery> for DataTrackEvent {
    fn from(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Frame(frame) => Self::Frame(frame.into()),
            Delivery::Gap(gap) => Self::Gap(gap),
            Delivery::Silent { since } => Self::Silent { since },
        }
    }
}

/// The frames of a subscription, as a [`Stream`]. It ends with the room, or when the server takes the
/// subscription away. Dropping it unsubscribes.
#[derive(Debug)]
pub struct DataTrackStream {
    subscription: Subscription,
}

/// The frames of a subscription, and what is missing, as a [`Stream`]. It ends and unsubscribes as
/// [`DataTrackStream`] does.
#[derive(Debug)]
pub struct DataTrackEvents {
    subscription: Subscription,
    /// Until when the track is silent.
    alarm: Option<Pin<Box<Sleep>>>,
}

/// A subscription, which ends when it is dropped.
pub(crate) struct Subscription {
    pub(crate) shared: Arc<Shared>,
    pub(crate) id: SubscriptionId,
    pub(crate) buffer: Arc<Buffer>,
}

impl DataTrackStream {
    pub(crate) fn new(subscription: Subscription) -> Self {
        Self { subscription }
    }

    /// The next frame; nothing once the subscription has ended.
    ///
    /// # Cancel safety
    /// Nothing is lost when it is dropped.
    pub async fn next(&mut self) -> Option<DataTrackFrame> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    /// The next frame if there is one already.
    pub fn try_next(&mut self) -> Option<DataTrackFrame> {
        let mut inner = self.subscription.buffer.lock();
        loop {
            if let Delivery::Frame(frame) = inner.queue.pop(Instant::now())? {
                return Some(frame.into());
            }
        }
    }

    /// What has become of the frames of this subscription.
    #[must_use]
    pub fn stats(&self) -> QueueStats {
        self.subscription.buffer.lock().queue.stats()
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Option<DataTrackFrame>> {
        loop {
            match self.subscription.poll(context) {
                Poll::Ready(Some(Delivery::Frame(frame))) => return Poll::Ready(Some(frame.into())),
                Poll::Ready(Some(Delivery::Gap(_) | Delivery::Silent { .. })) => {}
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl DataTrackEvents {
    pub(crate) fn new(subscription: Subscription) -> Self {
        Self { subscription, alarm: None }
    }

    /// What comes next; nothing once the subscription has ended.
    ///
    /// # Panics
    /// With a deadline, outside of a tokio runtime that has time.
    ///
    /// # Cancel safety
    /// Nothing is lost when it is dropped.
    pub async fn next(&mut self) -> Option<DataTrackEvent> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    /// What has become of the frames of this subscription.
    #[must_use]
    pub fn stats(&self) -> QueueStats {
        self.subscription.buffer.lock().queue.stats()
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<DataTrackEvent>> {
        loop {
            if let Poll::Ready(delivery) = self.subscription.poll(context) {
                return Poll::Ready(delivery.map(DataTrackEvent::from));
            }
            let Some(at) = self.subscription.buffer.lock().queue.poll_timeout() else { return Poll::Pending };
            let at = tokio::time::Instant::from_std(at);
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
            if alarm.deadline() != at {
                alarm.as_mut().reset(at);
            }
            if alarm.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl Stream for DataTrackStream {
    type Item = DataTrackFrame;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<DataTrackFrame>> {
        self.poll(context)
    }
}

impl Stream for DataTrackEvents {
    type Item = DataTrackEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<DataTrackEvent>> {
        self.poll(context)
    }
}

impl Subscription {
    fn poll(&self, context: &Context<'_>) -> Poll<Option<Delivery>> {
        let mut inner = self.buffer.lock();
        match inner.queue.pop(Instant::now()) {
            Some(delivery) => Poll::Ready(Some(delivery)),
            None if inner.is_ended => Poll::Ready(None),
            None => {
                let before = inner.waker.replace(context.waker().clone());
                // The last waker of a task may take what the task holds with it, such as this.
                drop(inner);
                drop(before);
                Poll::Pending
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.shared.with(|core, now| {
            core.subscribers.remove(self.id);
            core.session.unsubscribe(self.id, now);
        });
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Subscription").field(&self.id).finish()
    }
}
