//! Frames from one participant to another and the time they take.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout};
use trackyard_track::{PublishError, SubscribeError};

use crate::frame::DataTrackFrame;
use crate::local_track::{LocalDataTrack, PushFrameError};
use crate::publish::DataTrackOptions;
use crate::room::Room;
use crate::subscription::DataTrackStream;

/// The track that carries the frames.
pub const ECHO_TRACK: &str = "trackyard-doctor";

/// How often a frame of one size is sent: data tracks do not repeat what is lost.
const TRIES_MAX: u32 = 3;

/// What to send.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EchoPlan {
    /// Sizes of frames in bytes, sent one after the other; each at least 8.
    pub sizes: Vec<usize>,
    /// How long to wait for each step: the publication, the subscription, each frame.
    pub limit: Duration,
}

/// What has become of the frames of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Echo {
    /// Size in bytes.
    pub bytes: usize,
    /// Frames that were sent until one arrived.
    pub sent: u32,
    /// From pushing to receiving: to the server and back, as both participants are here. Nothing if none has
    /// arrived.
    pub round_trip: Option<Duration>,
}

/// Why no frames can be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EchoError {
    /// The track cannot be published.
    #[error("the track cannot be published: {0}")]
    Publish(#[from] PublishError),
    /// The other participant does not hear of the track in time.
    #[error("the other participant is not told of the track")]
    NotAnnounced,
    /// The track cannot be subscribed to.
    #[error("the track cannot be subscribed to: {0}")]
    Subscribe(#[from] SubscribeError),
    /// A frame cannot be sent.
    #[error("a frame cannot be sent: {0}")]
    Push(#[from] PushFrameError),
    /// Nothing came of it in time.
    #[error("no answer within {} s", super::seconds(*limit))]
    Timeout {
        /// How long was waited.
        limit: Duration,
    },
}

impl EchoPlan {
    /// Frames of these sizes, with so much time for each step.
    #[must_use]
    pub fn new(sizes: impl Into<Vec<usize>>, limit: Duration) -> Self {
        Self { sizes: sizes.into(), limit }
    }
}

/// Publishes a track in one room and receives its frames in another: two participants of the same room.
///
/// # Errors
/// [`EchoError`].
///
/// # Cancel safety
/// The track is unpublished when it is dropped.
pub async fn echo(publisher: &Room, subscriber: &Room, plan: &EchoPlan) -> Result<Vec<Echo>, EchoError> {
    let limit = plan.limit;
    let late = || EchoError::Timeout { limit };
    let local = publisher.local_participant();
    let publishing = local.publish_data_track(DataTrackOptions::new(ECHO_TRACK));
    let track = Unpublish(timeout(limit, publishing).await.map_err(|_| late())??);
    let announced = subscriber.data_tracks_of(&local.identity());
    let remote = timeout(limit, announced.get_deferred(ECHO_TRACK)).await;
    let remote = remote.ok().flatten().ok_or(EchoError::NotAnnounced)?;
    let mut frames = timeout(limit, remote.subscribe()).await.map_err(|_| late())??;
    let mut echoes = Vec::new();
    for bytes in &plan.sizes {
        echoes.push(of_size(*bytes, (&track.0, &mut frames), limit).await?);
    }
    Ok(echoes)
}

/// A track lives longer than what it is held by.
struct Unpublish(LocalDataTrack);

impl Drop for Unpublish {
    fn drop(&mut self) {
        self.0.unpublish();
    }
}

async fn of_size(
    bytes: usize,
    (track, frames): (&LocalDataTrack, &mut DataTrackStream),
    limit: Duration,
) -> Result<Echo, EchoError> {
    for sent in 1..=TRIES_MAX {
        let mark = fastrand::u64(..).to_be_bytes();
        let mut payload = vec![0; bytes.max(mark.len())];
        payload[..mark.len()].copy_from_slice(&mark);
        let begin = Instant::now();
        track.try_push(DataTrackFrame::new(Bytes::from(payload)))?;
        let arrived = timeout(limit / TRIES_MAX, async {
            while let Some(frame) = frames.next().await {
                if frame.payload().starts_with(&mark) && frame.payload().len() == bytes.max(mark.len()) {
                    return true;
                }
            }
            false
        });
        if arrived.await == Ok(true) {
            return Ok(Echo { bytes, sent, round_trip: Some(begin.elapsed()) });
        }
    }
    Ok(Echo { bytes, sent: TRIES_MAX, round_trip: None })
}
