//! Tracks of this client, and whoever waits for them to be published.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use tokio::sync::oneshot;
use trackyard_peer::Str0mFactory;
use trackyard_proto::DataTrackInfo;
use trackyard_session::Session;
use trackyard_track::{LocalEvent, LocalTrackId, LocalTrackStats, PublishError};

use crate::local_track::LocalDataTrack;
use crate::shared::Shared;

/// Tracks of this client.
#[derive(Default)]
pub(crate) struct Publications {
    tracks: BTreeMap<LocalTrackId, Publication>,
}

/// A track of this client.
struct Publication {
    name: Arc<str>,
    /// As the server announces it; nothing before it is published.
    info: Option<Arc<DataTrackInfo>>,
    /// The server keeps its last will.
    has_last_will: bool,
    /// The server keeps its last frame.
    is_latched: bool,
    waiting: Option<oneshot::Sender<Result<(), PublishError>>>,
    ended: Arc<Ended>,
}

/// What a track that has ended had counted.
pub(crate) type Ended = OnceLock<LocalTrackStats>;

impl Publications {
    /// Waits for a track to be published.
    pub(crate) fn wait(
        &mut self,
        track: LocalTrackId,
        (name, ended): (&Arc<str>, &Arc<Ended>),
    ) -> oneshot::Receiver<Result<(), PublishError>> {
        let (sender, receiver) = oneshot::channel();
        let (name, ended) = (Arc::clone(name), Arc::clone(ended));
        self.tracks.insert(
            track,
            Publication {
                name,
                info: None,
                has_last_will: false,
                is_latched: false,
                waiting: Some(sender),
                ended,
            },
        );
        receiver
    }

    /// As the server announces it; `None` if it is not published.
    pub(crate) fn info(&self, track: LocalTrackId) -> Option<Arc<DataTrackInfo>> {
        self.tracks.get(&track)?.info.clone()
    }

    /// Whether the server keeps a track's last will.
    pub(crate) fn has_last_will(&self, track: LocalTrackId) -> bool {
        self.tracks.get(&track).is_some_and(|publication| publication.has_last_will)
    }

    /// Whether the server keeps a track's last frame for those who come late.
    pub(crate) fn is_latched(&self, track: LocalTrackId) -> bool {
        self.tracks.get(&track).is_some_and(|publication| publication.is_latched)
    }

    /// The tracks that are published.
    pub(crate) fn published(&self, shared: &Arc<Shared>) -> Vec<LocalDataTrack> {
        let published = self.tracks.iter().filter(|(_, publication)| publication.info.is_some());
        published.map(|(id, publication)| publication.handle(*id, shared)).collect()
    }

    /// The application does without it; what it had counted is kept for those who still ask.
    pub(crate) fn remove(&mut self, track: LocalTrackId, stats: Option<LocalTrackStats>) {
        if let Some(publication) = self.tracks.remove(&track) {
            publication.end(stats.unwrap_or_default());
        }
    }

    /// What has become of a track; answers one that was taken away.
    pub(crate) fn event(&mut self, event: LocalEvent, shared: &Arc<Shared>) -> Option<LocalDataTrack> {
        match event {
            LocalEvent::Published { track, info, last_will, latched }
            | LocalEvent::Republished { track, info, last_will, latched } => {
                let publication = self.tracks.get_mut(&track)?;
                publication.info = Some(info);
                publication.has_last_will = last_will;
                publication.is_latched = latched;
                publication.answer(Ok(()));
                None
            }
            LocalEvent::PublishFailed { track, error } => {
                self.tracks.remove(&track)?.answer(Err(error));
                None
            }
            LocalEvent::RepublishFailed { track, stats, .. } | LocalEvent::Unpublished { track, stats } => {
                let publication = self.tracks.remove(&track)?;
                let handle = publication.handle(track, shared);
                publication.end(stats);
                Some(handle)
            }
        }
    }

    /// The room is gone.
    pub(crate) fn end_all(&mut self, session: &Session<Str0mFactory>) {
        for (id, publication) in std::mem::take(&mut self.tracks) {
            publication.end(session.local_stats(id).unwrap_or_default());
        }
    }
}

impl Publication {
    fn handle(&self, id: LocalTrackId, shared: &Arc<Shared>) -> LocalDataTrack {
        LocalDataTrack::new(shared, id, (&self.name, &self.ended))
    }

    fn answer(&mut self, answer: Result<(), PublishError>) {
        // Whoever does not wait any more has unpublished it.
        let _ = self.waiting.take().map(|waiter| waiter.send(answer));
    }

    fn end(&self, stats: LocalTrackStats) {
        // A track ends once.
        let _ = self.ended.set(stats);
    }
}
