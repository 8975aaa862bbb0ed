//! One file that comes, from its first byte to its place on the disk.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::{Value, json};
use trackyard::{ByteStreamReader, StreamContent, StreamInfo};

use super::digest::{self, Digest};
use super::name::safe_name;
use super::part::{Existing, Part};
use super::receipt::{Receipts, State};
use crate::progress::{Progress, Stage};
use crate::quantity::readable_bytes;
use crate::text::printable;

/// Pieces that are written at once.
const PIECES: usize = 32;
/// How often the sender is told how far it has come.
const RECEIPT_INTERVAL: Duration = Duration::from_secs(1);

/// Where files go, and which are taken.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) directory: PathBuf,
    pub(super) existing: Existing,
    pub(super) bytes_max: u64,
    pub(super) progress: Progress,
}

/// A file that comes.
pub(super) struct Transfer {
    place: Arc<Place>,
    receipts: Receipts,
    reader: ByteStreamReader,
    sender: String,
    name: String,
    path: PathBuf,
    began: Instant,
}

/// What has become of a file.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) sender: String,
    pub(super) name: String,
    stream: String,
    took: Duration,
    pub(super) result: Result<Stored, String>,
}

/// A file that is there.
#[derive(Debug)]
pub(super) struct Stored {
    path: PathBuf,
    bytes: u64,
    sha256: String,
    /// Whether the sender has said the same hash; otherwise it has said none.
    is_verified: bool,
}

impl Transfer {
    pub(super) fn new(
        place: &Arc<Place>,
        (reader, sender): (ByteStreamReader, String),
        receipts: Receipts,
    ) -> Self {
        let info = reader.info();
        let name =
            safe_name(sent_name(info)).or_else(|| safe_name(&info.id)).unwrap_or_else(|| "file".to_owned());
        let path = place.directory.join(&name);
        Self { place: Arc::clone(place), receipts, reader, sender, name, path, began: Instant::now() }
    }

    /// Takes it to its end, and tells the sender what has become of it.
    pub(super) async fn run(mut self) -> Report {
        self.receipts.tell(State::Receiving, 0, None).await;
        let result = self.receive().await;
        let bytes = self.reader.bytes_received();
        match &result {
            Ok(stored) => self.receipts.tell(State::Received, stored.bytes, None).await,
            Err(error) => self.receipts.tell(State::Failed, bytes, Some(error)).await,
        }
        let stream = self.reader.info().id.clone();
        Report { sender: self.sender, name: self.name, stream, took: self.began.elapsed(), result }
    }

    async fn receive(&mut self) -> Result<Stored, String> {
        self.check_place()?;
        self.check_length(self.reader.info().size.unwrap_or(0))?;
        let directory = self.place.directory.clone();
        let (part, file) = blocking(move || Part::create(&directory)).await?;
        let sha256 = self.write(file).await?;
        // What the sender says last counts: it may not have known the hash when it began.
        let announced = self.reader.info().attributes.get(digest::ATTRIBUTE);
        if announced.is_some_and(|announced| !announced.eq_ignore_ascii_case(&sha256)) {
            return Err("the hash is not the one that the sender has said: it is damaged, or was changed while it was sent".to_owned());
        }
        let is_verified = announced.is_some();
        let (path, existing) = (self.path.clone(), self.place.existing);
        tokio::task::spawn_blocking(move || part.finish(&path, existing))
            .await
            .map_err(|ended| ended.to_string())?
            .map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => self.exists(),
                _ => error.to_string(),
            })?;
        Ok(Stored { path: self.path.clone(), bytes: self.reader.bytes_received(), sha256, is_verified })
    }

    /// Writes what comes; answers its hash once it is on the disk.
    async fn write(&mut self, file: File) -> Result<String, String> {
        let (mut sink, mut told) = ((file, Digest::new()), Instant::now());
        loop {
            let Some(pieces) = (&mut self.reader).ready_chunks(PIECES).next().await else { break };
            self.check_length(self.reader.bytes_received())?;
            let pieces: Vec<Bytes> =
                pieces.into_iter().collect::<Result<_, _>>().map_err(|error| error.to_string())?;
            sink = blocking(move || append(sink, &pieces)).await?;
            self.show();
            if told.elapsed() >= RECEIPT_INTERVAL {
                told = Instant::now();
                self.receipts.tell(State::Receiving, self.reader.bytes_received(), None).await;
            }
        }
        let (file, digest) = sink;
        blocking(move || file.sync_all()).await?;
        Ok(digest.finish())
    }

    fn check_place(&self) -> Result<(), String> {
        let is_kept = self.place.existing == Existing::Keep;
        if is_kept && self.path.symlink_metadata().is_ok() { Err(self.exists()) } else { Ok(()) }
    }

    fn check_length(&self, bytes: u64) -> Result<(), String> {
        let limit = self.place.bytes_max;
        if bytes <= limit {
            return Ok(());
        }
        #[expect(clippy::cast_precision_loss, reason = "it is shown with three digits")]
        let shown = readable_bytes(limit as f64);
        Err(format!("it has more than the {shown} that are taken; the receiver's --size-max says how much"))
    }

    fn exists(&self) -> String {
        format!("`{}` exists already; the receiver's --overwrite replaces it", printable(&self.name))
    }

    fn show(&self) {
        self.place.progress.show(Stage {
            name: &self.name,
            done: self.reader.bytes_received(),
            total: self.reader.info().size,
            elapsed: self.began.elapsed(),
        });
    }
}

impl Report {
    /// For people.
    pub(super) fn text(&self) -> String {
        let (name, sender) = (printable(&self.name), printable(&self.sender));
        match &self.result {
            Ok(stored) => {
                let hash =
                    if stored.is_verified { "verified" } else { "not verified: the sender has said no hash" };
                let path = stored.path.display().to_string();
                format!(
                    "{} from {sender}: {} in {:.2} s, {}/s, sha256 {} ({hash})\n",
                    printable(&path),
                    self.readable(stored.bytes),
                    self.took.as_secs_f64(),
                    self.readable(self.rate(stored.bytes)),
                    stored.sha256,
                )
            }
            Err(error) => format!("`{name}` from {sender} was not received: {error}"),
        }
    }

    /// For programs, always with the same keys.
    pub(super) fn json(&self) -> Value {
        let stored = self.result.as_ref().ok();
        json!({
            "name": self.name,
            "path": stored.map(|stored| stored.path.display().to_string()),
            "from": self.sender,
            "id": self.stream,
            "bytes": stored.map(|stored| stored.bytes),
            "sha256": stored.map(|stored| stored.sha256.clone()),
            "verified": stored.map(|stored| stored.is_verified),
            "seconds": self.took.as_secs_f64(),
            "bytes_per_second": stored.map(|stored| self.rate(stored.bytes)),
            "error": self.result.as_ref().err(),
        })
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate needs no more digits"
    )]
    fn rate(&self, bytes: u64) -> u64 {
        (bytes as f64 / self.took.as_secs_f64().max(1e-6)) as u64
    }

    #[expect(clippy::cast_precision_loss, reason = "it is shown with three digits")]
    fn readable(&self, bytes: u64) -> String {
        readable_bytes(bytes as f64)
    }
}

fn sent_name(info: &StreamInfo) -> &str {
    match &info.content {
        StreamContent::Bytes { name } => name,
        StreamContent::Text(_) => "",
    }
}

fn append((mut file, mut digest): (File, Digest), pieces: &[Bytes]) -> std::io::Result<(File, Digest)> {
    for piece in pieces {
        digest.update(piece);
        file.write_all(piece)?;
    }
    Ok((file, digest))
}

/// Work with the disk, which nobody else waits for.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|ended| ended.to_string())?;
    done.map_err(|error| format!("it cannot be written: {error}"))
}
