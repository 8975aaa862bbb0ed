//! A track of this client.

use std::fmt;
use std::sync::Arc;

use trackyard_track::{LocalDropReason, LocalTrackId, LocalTrackStats};

use crate::core::Ended;
use crate::frame::DataTrackFrame;
use crate::shared::Shared;

/// A data track that this client publishes. It stays published, over every interruption, until it is
/// [unpublished](Self::unpublish), the server takes it away, or the room is left. Cheap to clone.
#[derive(Clone)]
pub struct LocalDataTrack {
    shared: Arc<Shared>,
    id: LocalTrackId,
    name: Arc<str>,
    ended: Arc<Ended>,
}

/// Why a frame is not sent. It comes back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PushFrameError {
    /// The track is not published any more.
    #[error("the track is not published")]
    Unpublished(DataTrackFrame),
    /// The frame is dropped, and counted in [`LocalDataTrack::stats`].
    #[error("the frame is dropped: {}", reason.label())]
    Dropped {
        /// What was pushed.
        frame: DataTrackFrame,
        /// Why.
        reason: LocalDropReason,
    },
}

impl PushFrameError {
    /// What was pushed.
    #[must_use]
    pub fn into_frame(self) -> DataTrackFrame {
        match self {
            Self::Unpublished(frame) | Self::Dropped { frame, .. } => frame,
        }
    }
}

impl LocalDataTrack {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        id: LocalTrackId,
        (name, ended): (&Arc<str>, &Arc<Ended>),
    ) -> Self {
        Self { shared: Arc::clone(shared), id, name: Arc::clone(name), ended: Arc::clone(ended) }
    }

    /// Its name, unique among this participant's tracks.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its sid, which is another one after each full reconnect; nothing once it is not published.
    #[must_use]
    pub fn sid(&self) -> Option<String> {
        self.shared.read(|core| core.publications.info(self.id).map(|info| info.sid.clone()))
    }

    /// Whether it is published.
    #[must_use]
    pub fn is_published(&self) -> bool {
        self.ended.get().is_none()
    }

    /// Whether the server keeps the track's last will and sends it when this client vanishes; `false` if
    /// it has none, or the server does not know of such a thing.
    #[must_use]
    pub fn has_last_will(&self) -> bool {
        self.shared.read(|core| core.publications.has_last_will(self.id))
    }

    /// Whether the server keeps the track's last whole frame and sends it to those who subscribe later; `false` if
    /// neither this client nor the server's operator wants that, or the server does not know of such a thing.
    #[must_use]
    pub fn is_latched(&self) -> bool {
        self.shared.read(|core| core.publications.is_latched(self.id))
    }

    /// Pushes a frame, which is sent as soon as the connection has room for it. Never blocks and never
    /// waits; what has no room is dropped whole, the oldest first, and counted.
    ///
    /// ```no_run
    /// use trackyard::{DataTrackFrame, LocalDataTrack, PushFrameError};
    ///
    /// # fn example(pose: LocalDataTrack) -> Result<(), PushFrameError> {
    /// match pose.try_push(DataTrackFrame::new("x=1 y=2").with_user_timestamp_now()) {
    ///     // The link is full or down, and the frame is counted: a newer one will come.
    ///     Ok(()) | Err(PushFrameError::Dropped { .. }) => {}
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`PushFrameError`] gives the frame back.
    pub fn try_push(&self, frame: DataTrackFrame) -> Result<(), PushFrameError> {
        if self.ended.get().is_some() {
            return Err(PushFrameError::Unpublished(frame));
        }
        let pushed = self.shared.with(|core, now| core.session.try_push(self.id, frame.into(), now));
        pushed.map_err(|error| match error {
            trackyard_track::PushError::Unpublished(frame) => PushFrameError::Unpublished(frame.into()),
            trackyard_track::PushError::Dropped { frame, reason } => {
                PushFrameError::Dropped { frame: frame.into(), reason }
            }
            other => PushFrameError::Dropped {
                frame: other.into_frame().into(),
                reason: LocalDropReason::NotEncrypted,
            },
        })
    }

    /// What has become of the frames pushed so far: at every moment, pushed = sent + dropped + waiting.
    /// Stays as it was once the track is not published any more.
    ///
    /// ```no_run
    /// use trackyard::LocalDropReason;
    ///
    /// # fn example(track: trackyard::LocalDataTrack) {
    /// let stats = track.stats();
    /// println!("{} of {} frames sent", stats.sent, stats.pushed);
    /// for reason in LocalDropReason::ALL {
    ///     println!("{} dropped: {}", stats.dropped(reason), reason.label());
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn stats(&self) -> LocalTrackStats {
        let current = || self.shared.read(|core| core.session.local_stats(self.id)).unwrap_or_default();
        self.ended.get().copied().unwrap_or_else(current)
    }

    /// Ends the track, and drops what waits.
    pub fn unpublish(&self) {
        self.shared.with(|core, now| {
            let stats = core.session.unpublish(self.id, now);
            core.publications.remove(self.id, stats);
        });
    }
}

impl fmt::Debug for LocalDataTrack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalDataTrack").field("name", &self.name).finish_non_exhaustive()
    }
}
