//! Texts and files, sent and received.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use trackyard::{
    ByteStreamReader, Room, StreamByteOptions, StreamContent, StreamTextOptions, TextStreamReader,
};

use crate::failure::Failure;
use crate::output::report;

/// The one topic that streams are received on.
const TOPIC: &str = "interop";
const TEXT_SHOWN_MAX: usize = 1_000;
/// How much more has to have come before it is told.
const PROGRESS_STEP: f64 = 0.1;

/// What goes with a stream.
#[derive(Debug, Deserialize)]
pub(crate) struct About {
    to: Vec<String>,
    attributes: BTreeMap<String, String>,
    topic: String,
}

impl About {
    pub(crate) fn text(self) -> StreamTextOptions {
        StreamTextOptions::new(self.topic).with_destinations(self.to).with_attributes(self.attributes)
    }

    fn bytes(self) -> StreamByteOptions {
        StreamByteOptions::new(self.topic).with_destinations(self.to).with_attributes(self.attributes)
    }
}

/// Reports whatever comes under the topic.
pub(crate) fn receive(room: &Room, identity: &str) -> Result<(), Failure> {
    let own: Arc<str> = identity.into();
    let reading = Arc::clone(&own);
    room.register_text_stream_handler(TOPIC, move |reader, sender| {
        read_text(Arc::clone(&reading), reader, sender)
    })?;
    room.register_byte_stream_handler(TOPIC, move |reader, sender| {
        read_bytes(Arc::clone(&own), reader, sender)
    })?;
    Ok(())
}

async fn read_text(identity: Arc<str>, mut reader: TextStreamReader, sender: String) {
    report(&identity, "stream_opened", &json!({"from": sender}));
    let (mut text, mut error) = (String::new(), None);
    while let Some(piece) = reader.next().await {
        match piece {
            Ok(piece) => text.push_str(&piece),
            Err(failure) => error = Some(failure.to_string()),
        }
    }
    let info = reader.info();
    let fields = json!({
        "from": sender,
        "topic": info.topic,
        "attributes": info.attributes,
        "total": info.size,
        "text": (text.chars().count() <= TEXT_SHOWN_MAX).then_some(&text),
        "size": text.len(),
        "sha256": digest(text.as_bytes()),
        "error": error,
    });
    report(&identity, "text", &fields);
}

async fn read_bytes(identity: Arc<str>, mut reader: ByteStreamReader, sender: String) {
    report(&identity, "stream_opened", &json!({"from": sender}));
    let (mut context, mut error) = (Context::new(&SHA256), None);
    let (mut progress, mut told) = (Vec::new(), 0.0);
    while let Some(piece) = reader.next().await {
        match piece {
            Ok(piece) => context.update(&piece),
            Err(failure) => error = Some(failure.to_string()),
        }
        progress.extend(reader.progress());
        if let Some(done) = reader.progress().filter(|done| *done >= told + PROGRESS_STEP) {
            told = done;
            report(&identity, "progress", &json!({"from": sender, "done": done}));
        }
    }
    let info = reader.info();
    let StreamContent::Bytes { name } = &info.content else { unreachable!("a byte stream's content") };
    let fields = json!({
        "from": sender,
        "topic": info.topic,
        "name": name,
        "total": info.size,
        "size": reader.bytes_received(),
        "sha256": hex(context.finish().as_ref()),
        "progress": progress,
        "error": error,
    });
    report(&identity, "bytes", &fields);
}

/// Sends a text piece by piece.
pub(crate) async fn stream_text(room: &Room, pieces: Vec<String>, about: About) -> Result<(), Failure> {
    let mut writer = room.local_participant().stream_text(about.text()).await?;
    for piece in pieces {
        writer.write(piece).await?;
    }
    Ok(writer.close().await?)
}

/// Sends random bytes as a file.
pub(crate) async fn send_file(room: &Room, size: usize, about: About) -> Result<Value, Failure> {
    let mut bytes = vec![0; size];
    fastrand::fill(&mut bytes);
    let file = Scratch::new(&bytes)?;
    let progress = Arc::new(Mutex::new(Vec::new()));
    let telling = Arc::clone(&progress);
    let options = about
        .bytes()
        .with_progress(move |done| telling.lock().unwrap_or_else(PoisonError::into_inner).push(done));
    room.local_participant().send_file(file.path(), options).await?;
    let progress = progress.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(json!({"sha256": digest(&bytes), "progress": progress}))
}

fn digest(bytes: &[u8]) -> String {
    hex(aws_lc_rs::digest::digest(&SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file that is gone with this.
struct Scratch(PathBuf);

impl Scratch {
    fn new(bytes: &[u8]) -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("sdk-peer-{:016x}.bin", fastrand::u64(..)));
        std::fs::write(&path, bytes)?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = std::fs::remove_file(&self.0);
    }
}
