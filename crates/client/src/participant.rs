//! Participants of a room.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use trackyard_proto::{DataBlob, DataBlobKey, Kind, ParticipantInfo, ParticipantState, Permission};
use trackyard_session::DataBlobError;
use trackyard_track::{LocalTrackId, PublishError};

use crate::core::Ended;
use crate::local_track::LocalDataTrack;
use crate::publish::DataTrackOptions;
use crate::remote_track::RemoteDataTrack;
use crate::shared::Shared;

/// This client, as others see it. Cheap to clone.
#[derive(Clone)]
pub struct LocalParticipant {
    pub(crate) shared: Arc<Shared>,
}

impl LocalParticipant {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared) }
    }

    /// Its identity, unique in the room; the token's subject.
    #[must_use]
    pub fn identity(&self) -> String {
        self.info(|info| info.identity.clone())
    }

    /// Its sid, which is another one after each full reconnect.
    #[must_use]
    pub fn sid(&self) -> String {
        self.info(|info| info.sid.clone())
    }

    /// Its display name.
    #[must_use]
    pub fn name(&self) -> String {
        self.info(|info| info.name.clone())
    }

    /// Its metadata.
    #[must_use]
    pub fn metadata(&self) -> String {
        self.info(|info| info.metadata.clone())
    }

    /// Its attributes.
    #[must_use]
    pub fn attributes(&self) -> BTreeMap<String, String> {
        self.info(|info| info.attributes.clone())
    }

    /// What it may do now; nothing before it has joined.
    #[must_use]
    pub fn permissions(&self) -> Option<Permission> {
        self.shared.read(|core| core.people.local.as_ref().map(|info| info.permission.clone()))
    }

    /// What kind of program it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.shared.read(|core| core.people.local.as_ref().map(|info| info.kind).unwrap_or_default())
    }

    /// How far its session has come.
    #[must_use]
    pub fn state(&self) -> ParticipantState {
        self.shared.read(|core| core.people.local.as_ref().map(|info| info.state).unwrap_or_default())
    }

    /// Whether the server has it for one that can receive what is sent to it.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state() == ParticipantState::Active
    }

    /// The data tracks that it publishes.
    #[must_use]
    pub fn data_tracks(&self) -> Vec<LocalDataTrack> {
        self.shared.read(|core| core.publications.published(&self.shared))
    }

    /// Publishes a data track, and waits until the server has taken it.
    ///
    /// # Errors
    /// [`PublishError`]: the name is taken or unfit, the server refuses, or it does not answer within 10 s.
    ///
    /// # Cancel safety
    /// Nothing is published when it is dropped.
    pub async fn publish_data_track(
        &self,
        options: impl Into<DataTrackOptions>,
    ) -> Result<LocalDataTrack, PublishError> {
        let options = options.into();
        let name: Arc<str> = options.name().into();
        let ended = Arc::new(Ended::new());
        let (id, answer) = self.shared.with(|core, now| {
            if core.closed().is_some() {
                return Err(PublishError::Closed);
            }
            let options = options.into_options(core.is_encrypted);
            let id = core.session.publish(options, now)?;
            Ok((id, core.publications.wait(id, (&name, &ended))))
        })?;
        let mut publishing = Publishing { shared: &self.shared, id: Some(id) };
        // No answer at all: the room is gone.
        answer.await.unwrap_or(Err(PublishError::Closed))?;
        publishing.id = None;
        Ok(LocalDataTrack::new(&self.shared, id, (&name, &ended)))
    }

    /// Keeps a small blob with this participant's session, for others to fetch: at most 64,000 bytes in
    /// all. It is stored anew after each full reconnect.
    ///
    /// # Errors
    /// [`DataBlobError`]: it is empty or too large, the server refuses, or does not answer within 10 s.
    pub async fn store_data_blob(
        &self,
        key: DataBlobKey,
        contents: impl Into<Bytes>,
    ) -> Result<(), DataBlobError> {
        let blob = DataBlob { key: Some(key), contents: contents.into() };
        let answer = self.shared.with(|core, now| {
            let id = core.session.store_data_blob(blob, now);
            core.blobs.wait_stored(id)
        });
        answer.await.unwrap_or(Err(DataBlobError::Closed))
    }

    fn info<T: Default>(&self, look: impl FnOnce(&ParticipantInfo) -> T) -> T {
        self.shared.read(|core| core.people.local.as_deref().map(look).unwrap_or_default())
    }
}

impl fmt::Debug for LocalParticipant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalParticipant").field("identity", &self.identity()).finish_non_exhaustive()
    }
}

/// A track that is being published; unpublishes it if nobody waits any more.
struct Publishing<'s> {
    shared: &'s Arc<Shared>,
    id: Option<LocalTrackId>,
}

impl Drop for Publishing<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.shared.with(|core, now| {
                let stats = core.session.unpublish(id, now);
                core.publications.remove(id, stats);
            });
        }
    }
}

/// Another participant, as it was when this was asked for; its tracks are those of now. Cheap to clone.
#[derive(Clone)]
pub struct RemoteParticipant {
    shared: Arc<Shared>,
    info: Arc<ParticipantInfo>,
}

impl RemoteParticipant {
    pub(crate) fn new(shared: &Arc<Shared>, info: &Arc<ParticipantInfo>) -> Self {
        Self { shared: Arc::clone(shared), info: Arc::clone(info) }
    }

    /// Its identity, unique in the room.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.info.identity
    }

    /// Its sid, which is another one after each full reconnect.
    #[must_use]
    pub fn sid(&self) -> &str {
        &self.info.sid
    }

    /// Its display name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.info.name
    }

    /// Its metadata.
    #[must_use]
    pub fn metadata(&self) -> &str {
        &self.info.metadata
    }

    /// Its attributes.
    #[must_use]
    pub fn attributes(&self) -> &BTreeMap<String, String> {
        &self.info.attributes
    }

    /// What kind of program it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.info.kind
    }

    /// What it may do.
    #[must_use]
    pub fn permissions(&self) -> &Permission {
        &self.info.permission
    }

    /// How far its session has come.
    #[must_use]
    pub fn state(&self) -> ParticipantState {
        self.info.state
    }

    /// Whether it can receive what is sent to it.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.info.state == ParticipantState::Active
    }

    /// Fetches a blob that it keeps with its session.
    ///
    /// # Errors
    /// [`DataBlobError`]: there is none, the server refuses, or does not answer within 10 s.
    pub async fn data_blob(&self, key: DataBlobKey) -> Result<Bytes, DataBlobError> {
        fetch_blob(&self.shared, &self.info.identity, key).await
    }

    /// The data tracks that it publishes.
    #[must_use]
    pub fn data_tracks(&self) -> DataTracks {
        DataTracks { shared: Arc::clone(&self.shared), publisher: self.info.identity.clone() }
    }
}

impl fmt::Debug for RemoteParticipant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteParticipant").field("identity", &self.info.identity).finish_non_exhaustive()
    }
}

/// A participant of either kind. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Participant {
    /// This client.
    Local(LocalParticipant),
    /// Another one.
    Remote(RemoteParticipant),
}

impl Participant {
    /// Its identity, unique in the room.
    #[must_use]
    pub fn identity(&self) -> String {
        match self {
            Self::Local(local) => local.identity(),
            Self::Remote(remote) => remote.identity().to_owned(),
        }
    }

    /// Its display name.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Local(local) => local.name(),
            Self::Remote(remote) => remote.name().to_owned(),
        }
    }

    /// Its metadata.
    #[must_use]
    pub fn metadata(&self) -> String {
        match self {
            Self::Local(local) => local.metadata(),
            Self::Remote(remote) => remote.metadata().to_owned(),
        }
    }

    /// Its attributes.
    #[must_use]
    pub fn attributes(&self) -> BTreeMap<String, String> {
        match self {
            Self::Local(local) => local.attributes(),
            Self::Remote(remote) => remote.attributes().clone(),
        }
    }

    /// What it may do; nothing if it has left the room.
    #[must_use]
    pub fn permissions(&self) -> Option<Permission> {
        match self {
            Self::Local(local) => local.permissions(),
            Self::Remote(remote) => Some(remote.permissions().clone()),
        }
    }

    /// Whether it is this client.
    #[must_use]
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Local(_))
    }
}

/// Fetches a blob of a participant.
pub(crate) async fn fetch_blob(
    shared: &Arc<Shared>,
    identity: &str,
    key: DataBlobKey,
) -> Result<Bytes, DataBlobError> {
    let answer = shared.with(|core, now| {
        let id = core.session.get_data_blob(identity, key, now);
        core.blobs.wait_found(id)
    });
    answer.await.unwrap_or(Err(DataBlobError::Closed))
}

/// The data tracks that another participant publishes.
#[derive(Clone)]
pub struct DataTracks {
    shared: Arc<Shared>,
    publisher: String,
}

impl DataTracks {
    pub(crate) fn new(shared: &Arc<Shared>, publisher: &str) -> Self {
        Self { shared: Arc::clone(shared), publisher: publisher.to_owned() }
    }

    /// All of them, in the order of their sids.
    #[must_use]
    pub fn all(&self) -> Vec<RemoteDataTrack> {
        self.shared.read(|core| {
            let publisher: Arc<str> = self.publisher.as_str().into();
            let tracks = core.session.remote().tracks_of(&self.publisher);
            let handle = |(id, info)| {
                RemoteDataTrack::new(&self.shared, (id, Arc::clone(&publisher)), Arc::clone(info))
            };
            tracks.map(handle).collect()
        })
    }

    /// The one of this name, if it is published.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<RemoteDataTrack> {
        self.shared.read(|core| {
            let id = core.session.remote().find(&self.publisher, name)?;
            RemoteDataTrack::find(&self.shared, core, id)
        })
    }

    /// The one of this name, as soon as it is published; nothing if the room is left before. The
    /// participant itself need not be there yet.
    ///
    /// ```no_run
    /// # async fn example(room: trackyard::Room) -> Result<(), Box<dyn std::error::Error>> {
    /// let track = room.data_tracks_of("robot").get_deferred("pose").await.ok_or("the room was left")?;
    /// let mut poses = track.subscribe().await?;
    /// while let Some(pose) = poses.next().await {
    ///     println!("{:?}", pose.payload());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Nothing is lost when it is dropped.
    pub async fn get_deferred(&self, name: &str) -> Option<RemoteDataTrack> {
        let changed = self.shared.read(|core| Arc::clone(&core.people.tracks_changed));
        loop {
            // Whoever listens before it looks misses nothing.
            let mut told = std::pin::pin!(changed.notified());
            told.as_mut().enable();
            if let Some(track) = self.get(name) {
                return Some(track);
            }
            if self.shared.read(|core| core.closed().is_some()) {
                return None;
            }
            told.await;
        }
    }
}

impl fmt::Debug for DataTracks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataTracks").field("publisher", &self.publisher).finish_non_exhaustive()
    }
}
