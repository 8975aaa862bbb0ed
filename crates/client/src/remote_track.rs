//! A track of another participant.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;
use trackyard_proto::{DataBlobKey, DataTrackInfo, Encryption, FrameEncoding, Schema};
use trackyard_session::DataBlobError;
use trackyard_track::{FrameQueue, RemoteTrackId, RemoteTrackStats, SubscribeError};

use crate::clock;
use crate::core::{Buffer, Core, Subscriber};
use crate::participant::fetch_blob;
use crate::shared::Shared;
use crate::subscription::{DataTrackEvents, DataTrackStream, DataTrackSubscribeOptions, Subscription};

/// A data track of another participant. Cheap to clone.
#[derive(Clone)]
pub struct RemoteDataTrack {
    shared: Arc<Shared>,
    id: RemoteTrackId,
    publisher: Arc<str>,
    /// As announced when this was made.
    info: Arc<DataTrackInfo>,
}

impl RemoteDataTrack {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        (id, publisher): (RemoteTrackId, Arc<str>),
        info: Arc<DataTrackInfo>,
    ) -> Self {
        Self { shared: Arc::clone(shared), id, publisher, info }
    }

    /// A track that is known by its id alone.
    pub(crate) fn find(shared: &Arc<Shared>, core: &Core, id: RemoteTrackId) -> Option<Self> {
        let info = Arc::clone(core.session.remote().info(id)?);
        let publisher = Arc::clone(core.session.remote().publisher(id)?);
        Some(Self::new(shared, (id, publisher), info))
    }

    /// Its name, unique among its publisher's tracks.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.info.name
    }

    /// Identity of the participant that publishes it.
    #[must_use]
    pub fn publisher_identity(&self) -> &str {
        &self.publisher
    }

    /// Its sid, which is another one when its publisher has published it anew.
    #[must_use]
    pub fn sid(&self) -> String {
        self.shared.read(|core| core.session.remote().info(self.id).unwrap_or(&self.info).sid.clone())
    }

    /// How its payloads are encoded, as its publisher says.
    #[must_use]
    pub fn frame_encoding(&self) -> Option<&FrameEncoding> {
        self.info.frame_encoding.as_ref()
    }

    /// What describes its payloads, as its publisher says.
    #[must_use]
    pub fn schema(&self) -> Option<&Schema> {
        self.info.schema.as_ref()
    }

    /// Fetches the text of its schema, if it has one and its publisher has stored it
    /// ([`store_data_blob`](crate::LocalParticipant::store_data_blob)).
    ///
    /// # Errors
    /// [`DataBlobError`]: it is not stored, the server refuses, or does not answer within 10 s.
    pub async fn fetch_schema(&self) -> Result<Option<Bytes>, DataBlobError> {
        let Some(schema) = self.info.schema.clone() else { return Ok(None) };
        fetch_blob(&self.shared, &self.publisher, DataBlobKey::Schema(schema)).await.map(Some)
    }

    /// Whether its payloads are encrypted end to end.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.info.encryption != Encryption::None
    }

    /// Whether it is published now.
    #[must_use]
    pub fn is_published(&self) -> bool {
        self.shared.read(|core| core.session.remote().is_published(self.id))
    }

    /// What has become of its packets and frames since it was subscribed to. At every moment, frames
    /// received = delivered + dropped + waiting. Stays as it was when the track has ended, for the latest 256
    /// that have; nothing for others.
    ///
    /// ```no_run
    /// # fn example(track: trackyard::RemoteDataTrack) {
    /// if let Some(stats) = track.stats() {
    ///     let (whole, lost) = (stats.frames_delivered, stats.frames_missing + stats.dropped_total());
    ///     println!("{whole} frames came whole, {lost} did not");
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn stats(&self) -> Option<RemoteTrackStats> {
        let ended =
            |core: &Core| core.ended.iter().rev().find(|(id, _)| *id == self.id).map(|(_, stats)| *stats);
        self.shared.read(|core| core.session.remote().stats(self.id).or_else(|| ended(core)))
    }

    /// Subscribes with default options.
    ///
    /// # Errors
    /// As [`subscribe_with_options`](Self::subscribe_with_options).
    pub async fn subscribe(&self) -> Result<DataTrackStream, SubscribeError> {
        self.subscribe_with_options(DataTrackSubscribeOptions::new()).await
    }

    /// Subscribes, and waits until the server sends the track's frames. Several subscriptions of a track
    /// share one at the server; each has a buffer of its own.
    ///
    /// # Errors
    /// [`SubscribeError`]: it is not published, may not be subscribed to, cannot be decrypted, or the
    /// server does not answer within 10 s.
    ///
    /// # Cancel safety
    /// There is no subscription when it is dropped.
    pub async fn subscribe_with_options(
        &self,
        options: DataTrackSubscribeOptions,
    ) -> Result<DataTrackStream, SubscribeError> {
        self.begin(&options).await.map(DataTrackStream::new)
    }

    /// Subscribes like [`subscribe_with_options`](Self::subscribe_with_options), and is told as well which
    /// frames do not come and when none come.
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use trackyard::{DataTrackEvent, DataTrackSubscribeOptions, RemoteDataTrack};
    ///
    /// # async fn example(commands: RemoteDataTrack) -> Result<(), Box<dyn std::error::Error>> {
    /// let options = DataTrackSubscribeOptions::new()
    ///     .with_max_age(Duration::from_millis(200))
    ///     .with_deadline(Duration::from_millis(300));
    /// let mut events = commands.subscribe_with_events(options).await?;
    /// while let Some(event) = events.next().await {
    ///     match event {
    ///         DataTrackEvent::Frame(frame) if frame.is_last_will() => println!("stop: the operator is gone"),
    ///         DataTrackEvent::Frame(frame) => println!("drive: {:?}", frame.payload()),
    ///         DataTrackEvent::Gap(gap) => println!("{} commands {}", gap.frames, gap.reason.label()),
    ///         DataTrackEvent::Silent { since } => println!("stop: nothing for {:?}", since.elapsed()),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`subscribe_with_options`](Self::subscribe_with_options).
    pub async fn subscribe_with_events(
        &self,
        options: DataTrackSubscribeOptions,
    ) -> Result<DataTrackEvents, SubscribeError> {
        self.begin(&options).await.map(DataTrackEvents::new)
    }

    async fn begin(&self, options: &DataTrackSubscribeOptions) -> Result<Subscription, SubscribeError> {
        let clock = clock::wall_clock();
        let buffer = Buffer::new(FrameQueue::new(options.queue, Some(clock), clock.at));
        let (sender, answer) = oneshot::channel();
        let id = self.shared.with(|core, now| {
            if core.closed().is_some() {
                return Err(SubscribeError::Closed);
            }
            let id = core.session.subscribe(self.id, options.signalled(), now)?;
            let subscriber = Subscriber {
                buffer: Arc::clone(&buffer),
                until_unpublished: options.until_unpublished,
                waiting: Some(sender),
            };
            core.subscribers.insert(id, subscriber);
            Ok(id)
        })?;
        let subscription = Subscription { shared: Arc::clone(&self.shared), id, buffer };
        // No answer at all: the room is gone.
        answer.await.unwrap_or(Err(SubscribeError::Closed))?;
        Ok(subscription)
    }
}

impl fmt::Debug for RemoteDataTrack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RemoteDataTrack");
        debug.field("publisher", &self.publisher).field("name", &self.info.name).finish_non_exhaustive()
    }
}
