//! One participant.

use std::sync::OnceLock;

use serde_json::{Value, json};
use trackyard::{
    DataBlobKey, DataTrackSubscribeOptions, E2eeOptions, KeyProvider, RemoteDataTrack, Room, RoomOptions,
};

use crate::call::{Call, Joining};
use crate::encryption;
use crate::events::listen;
use crate::failure::Failure;
use crate::rpc;
use crate::streams;
use crate::tracks::{self, Tracks};

/// One participant, which joins at most once.
pub(crate) struct Member {
    identity: String,
    joined: OnceLock<(Room, Option<KeyProvider>)>,
    tracks: Tracks,
}

impl Member {
    pub(crate) fn new(identity: &str) -> Self {
        Self { identity: identity.to_owned(), joined: OnceLock::new(), tracks: Tracks::default() }
    }

    /// Does what it is told.
    pub(crate) async fn call(&self, call: Call) -> Result<Value, Failure> {
        match call {
            Call::Connect(joining) => self.connect(joining).await,
            Call::Publish { name, description } => self.publish(tracks::options(name, description)).await,
            Call::Push { name, frame } => self.tracks.push(&name, frame),
            Call::Unpublish { name } => {
                self.tracks.local(&name)?.unpublish();
                Ok(Value::Null)
            }
            Call::IsPublished { name } => Ok(json!(self.tracks.local(&name)?.is_published())),
            Call::Subscribe { publisher, name, target_fps } => {
                self.subscribe((publisher, name), target_fps).await
            }
            Call::Unsubscribe { publisher, name } => {
                self.tracks.end(&(publisher, name)).await;
                Ok(Value::Null)
            }
            Call::Talk { talk } => talk.with(self.room()?).await,
            Call::Close => {
                self.close().await;
                Ok(Value::Null)
            }
            other => self.tell(other).await,
        }
    }

    /// What it is asked, and what changes neither tracks nor subscriptions.
    async fn tell(&self, call: Call) -> Result<Value, Failure> {
        match call {
            Call::Describe { publisher, name } => Ok(tracks::describe(&self.remote(&publisher, &name)?)),
            Call::FetchSchema { publisher, name } => {
                let text = self.remote(&publisher, &name)?.fetch_schema().await?;
                Ok(json!(text.map(|text| String::from_utf8_lossy(&text).into_owned())))
            }
            Call::StoreSchema { schema, text } => {
                let key = DataBlobKey::Schema(schema.into());
                self.room()?.local_participant().store_data_blob(key, text).await?;
                Ok(Value::Null)
            }
            Call::Key(change) => {
                let keys = self.keys().ok_or_else(|| Failure::misuse("joined without keys"))?;
                Ok(json!(change.apply(keys)?))
            }
            Call::KeyStats => encryption::stats(self.keys()),
            Call::Sid => Ok(json!(self.room()?.local_participant().sid())),
            Call::IsSingle => Ok(json!(self.room()?.is_single_peer_connection())),
            Call::Participants => {
                let others = self.room()?.remote_participants();
                Ok(others.iter().map(|other| other.identity()).collect())
            }
            _ => Err(Failure::misuse("not a question")),
        }
    }

    async fn connect(&self, joining: Joining) -> Result<Value, Failure> {
        let mut options = RoomOptions::new().with_single_peer_connection(joining.single);
        let keys = joining.keys.map(|keys| keys.provider()).transpose()?;
        if let Some(keys) = keys.clone() {
            options = options.with_encryption(E2eeOptions::new(keys));
        }
        let (room, events) = Room::connect(&joining.url, joining.token, options).await?;
        streams::receive(&room, &self.identity)?;
        rpc::serve(&room)?;
        tokio::spawn(listen(self.identity.clone(), events));
        self.joined.set((room, keys)).map_err(|_| Failure::misuse("joined already"))?;
        Ok(Value::Null)
    }

    async fn publish(&self, options: trackyard::DataTrackOptions) -> Result<Value, Failure> {
        let track = self.room()?.local_participant().publish_data_track(options).await?;
        let sid = track.sid();
        self.tracks.add(track);
        Ok(json!(sid))
    }

    async fn subscribe(&self, key: (String, String), target_fps: Option<u32>) -> Result<Value, Failure> {
        let mut options = DataTrackSubscribeOptions::new();
        if let Some(fps) = target_fps {
            options = options.with_target_fps(fps);
        }
        let track = self.remote(&key.0, &key.1)?;
        self.tracks.end(&key).await;
        let stream = track.subscribe_with_options(options).await?;
        self.tracks.read(&self.identity, key, stream);
        Ok(Value::Null)
    }

    /// Leaves, if it has joined; may be called twice.
    pub(crate) async fn close(&self) {
        if let Some((room, _)) = self.joined.get() {
            room.close().await;
        }
    }

    fn room(&self) -> Result<&Room, Failure> {
        let joined = self.joined.get().ok_or_else(|| Failure::misuse("not joined"))?;
        Ok(&joined.0)
    }

    fn keys(&self) -> Option<&KeyProvider> {
        self.joined.get()?.1.as_ref()
    }

    fn remote(&self, publisher: &str, name: &str) -> Result<RemoteDataTrack, Failure> {
        let found = self.room()?.data_tracks_of(publisher).get(name);
        found.ok_or_else(|| Failure::misuse(format!("{publisher} does not publish {name}")))
    }
}
