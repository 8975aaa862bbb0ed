//! Tracks of a participant, and subscriptions whose frames are reported.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use trackyard::{DataTrackFrame, DataTrackOptions, DataTrackStream, LocalDataTrack, RemoteDataTrack};

use crate::call::{Description, Frame};
use crate::failure::Failure;
use crate::output::{report, wall_ms};
use crate::payload;
use crate::schema::{shown_encoding, shown_schema};

/// The tracks that a participant publishes, by name, and its subscriptions, by publisher and name.
#[derive(Debug, Default)]
pub(crate) struct Tracks {
    local: Mutex<BTreeMap<String, LocalDataTrack>>,
    readers: Mutex<BTreeMap<(String, String), JoinHandle<()>>>,
}

impl Tracks {
    pub(crate) fn add(&self, track: LocalDataTrack) {
        lock(&self.local).insert(track.name().to_owned(), track);
    }

    /// Pushes a frame; gives the wall clock just before.
    pub(crate) fn push(&self, name: &str, frame: Frame) -> Result<Value, Failure> {
        let track = self.local(name)?;
        let mut pushed = DataTrackFrame::new(payload::make(frame)?);
        if let Some(timestamp) = frame.timestamp {
            pushed = pushed.with_user_timestamp(timestamp);
        }
        let at_ms = wall_ms();
        track.try_push(pushed)?;
        Ok(json!(at_ms))
    }

    pub(crate) fn local(&self, name: &str) -> Result<LocalDataTrack, Failure> {
        let track = lock(&self.local).get(name).cloned();
        track.ok_or_else(|| Failure::misuse(format!("{name} was never published")))
    }

    /// Reports the frames of a subscription, in place of an older one.
    pub(crate) fn read(&self, identity: &str, key: (String, String), stream: DataTrackStream) {
        let task = tokio::spawn(read(identity.to_owned(), key.clone(), stream));
        lock(&self.readers).insert(key, task);
    }

    /// Ends a subscription, if there is one.
    pub(crate) async fn end(&self, key: &(String, String)) {
        let reader = lock(&self.readers).remove(key);
        if let Some(reader) = reader {
            reader.abort();
            // That it was cancelled is what was wanted.
            let _ = reader.await;
        }
    }
}

async fn read(identity: String, (publisher, name): (String, String), mut stream: DataTrackStream) {
    while let Some(frame) = stream.next().await {
        let at_ms = wall_ms();
        let verdict = payload::inspect(frame.payload());
        let fields = json!({
            "publisher": publisher,
            "name": name,
            "at_ms": at_ms,
            "sequence": verdict.sequence,
            "size": frame.payload().len(),
            "intact": verdict.is_intact,
            "timestamp": frame.user_timestamp(),
        });
        report(&identity, "frame", &fields);
    }
    report(&identity, "subscription_ended", &json!({"publisher": publisher, "name": name, "error": null}));
}

/// What is to be published.
pub(crate) fn options(name: String, description: Description) -> DataTrackOptions {
    let mut options = DataTrackOptions::new(name);
    if let Some(encoding) = description.frame_encoding {
        options = options.with_frame_encoding(encoding.into());
    }
    if let Some(schema) = description.schema {
        options = options.with_schema(schema.into());
    }
    if description.latch {
        options = options.latched();
    }
    options
}

/// What is known of another participant's track.
pub(crate) fn describe(track: &RemoteDataTrack) -> Value {
    let undecryptable = trackyard::RemoteDropReason::Undecryptable;
    let stats = track.stats().unwrap_or_default();
    json!({
        "publisher": track.publisher_identity(),
        "name": track.name(),
        "sid": track.sid(),
        "encrypted": track.is_encrypted(),
        "frame_encoding": track.frame_encoding().map(shown_encoding),
        "schema": track.schema().map(shown_schema),
        "undecryptable": stats.dropped(undecryptable),
        "frames_delivered": stats.frames_delivered,
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
