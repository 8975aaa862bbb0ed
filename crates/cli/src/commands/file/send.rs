//! `trackyard file send`: sends files, and waits until receivers have them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::{Value, json};
use tokio::time::Instant;
use trackyard::{Room, RoomEvents, StreamByteOptions, StreamInfo};

use super::recipient::Recipients as Receivers;
use super::{digest, receipt};
use crate::connection::{Connection, Role, connect};
use crate::duration::duration;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::pair::pair;
use crate::progress::{Progress, Stage};
use crate::quantity::readable_bytes;
use crate::sending::{Recipients, stream_refused};
use crate::session::heard;
use crate::text::printable;
use crate::{Outcome, output};

/// How long receivers that have begun may say nothing; they tell every second.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Send files
#[derive(Debug, Args)]
#[command(after_help = "\
Receivers get the file's name, length and SHA-256. Those that run `trackyard file receive` say whether it
has come whole, and are waited for; official clients say nothing, and are given --linger.
Ends with 1 if a receiver has not taken a file.

Examples:
  trackyard file send map.bin
  trackyard file send map.bin --to operator --mime-type image/x-portable-graymap
  trackyard file send logs/*.gz --to archive --json")]
pub(crate) struct SendFile {
    /// Files to send, one after the other
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Topic, by which receivers tell what it is for; official clients listen to an empty one unless told otherwise
    #[arg(long, value_name = "NAME", default_value = super::TOPIC)]
    topic: String,
    #[command(flatten)]
    recipients: Recipients,
    /// Name for receivers, if there is one file [default: its own]
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// What it is [default: application/octet-stream]
    #[arg(long, value_name = "TYPE")]
    mime_type: Option<String>,
    /// Attribute, which receivers are told before the content; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    attribute: Vec<(String, String)>,
    /// Stay so long after the last byte for receivers that have not said anything
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    linger: Duration,
    /// Print one JSON object per file on a line of its own
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// A file that was sent.
struct Sent {
    name: String,
    info: StreamInfo,
    bytes: u64,
    sha256: String,
    took: Duration,
    receivers: Receivers,
}

impl SendFile {
    pub(crate) async fn run(self, mut interrupt: Interrupt) -> Outcome {
        self.check()?;
        let (room, events) = interrupt.during(connect(&self.connection, Role::Publisher)).await?;
        let outcome = interrupt.during(self.send_all(&room, events)).await;
        room.close().await;
        outcome
    }

    /// All files have to be there before anything is sent.
    fn check(&self) -> Result<(), Failure> {
        if self.name.is_some() && self.files.len() > 1 {
            return Err(Failure::Usage("--name is for one file; several have their own".to_owned()));
        }
        let reserved = [digest::ATTRIBUTE, receipt::ATTRIBUTE];
        if let Some((key, _)) = self.attribute.iter().find(|(key, _)| reserved.contains(&key.as_str())) {
            return Err(Failure::Usage(format!("--attribute: `{key}` is made by the command itself")));
        }
        for path in &self.files {
            let metadata =
                std::fs::metadata(path).with_context(|| format!("{} cannot be read", path.display()))?;
            if !metadata.is_file() {
                return Err(Failure::Usage(format!("{} is no file", path.display())));
            }
        }
        Ok(())
    }

    async fn send_all(&self, room: &Room, mut events: RoomEvents) -> Outcome {
        self.recipients.wait(room, &mut events, self.connection.timeout).await?;
        let mut failures = Vec::new();
        for path in &self.files {
            let sent = self.send(room, &mut events, path).await?;
            if self.json {
                output::write_json(&sent.json())?;
            } else {
                output::write(sent.text(&self.recipients).as_bytes())?;
            }
            failures.extend(sent.receivers.failures());
        }
        if failures.is_empty() {
            return Ok(());
        }
        Err(anyhow!("not everyone has taken it: {}", failures.join("; ")).into())
    }

    async fn send(&self, room: &Room, events: &mut RoomEvents, path: &Path) -> Result<Sent, Failure> {
        let name = self.name_of(path);
        let progress = Arc::new(Progress::new(self.json));
        let (bytes, sha256) = hash(path, (&name, &progress)).await?;
        let transfer = format!("{:016x}", fastrand::u64(..));
        let mut receivers = Receivers::new(&transfer, &self.recipients.identities);
        let options = self.options((&name, bytes), (&sha256, &transfer));
        let began = Instant::now();
        let shown = (name.clone(), Arc::clone(&progress));
        let options = options.with_progress(move |part| {
            shown.1.show(Stage {
                name: &shown.0,
                done: part_of(bytes, part),
                total: Some(bytes),
                elapsed: began.elapsed(),
            });
        });
        let participant = room.local_participant();
        let sending = async { participant.send_file(path, options).await.map_err(stream_refused) };
        let info = listen(events, &mut receivers, sending).await?;
        let took = began.elapsed();
        self.wait(events, &mut receivers).await?;
        progress.clear();
        Ok(Sent { name, info, bytes, sha256, took, receivers })
    }

    /// Waits until everyone who says so has the file, and so long for those who say nothing.
    async fn wait(&self, events: &mut RoomEvents, receivers: &mut Receivers) -> Result<(), Failure> {
        let silent_until = Instant::now() + self.linger;
        let mut receiving_until = Instant::now() + SILENCE_MAX;
        loop {
            let until = match (receivers.is_any_receiving(), receivers.is_any_silent()) {
                (false, false) => return Ok(()),
                (true, _) => receiving_until,
                (false, true) => silent_until,
            };
            let Ok(event) = tokio::time::timeout_at(until, events.recv()).await else { return Ok(()) };
            if heard(event)?.is_some_and(|event| receivers.hear(&event)) {
                receiving_until = Instant::now() + SILENCE_MAX;
            }
        }
    }

    fn name_of(&self, path: &Path) -> String {
        let own = || path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        self.name.clone().unwrap_or_else(own)
    }

    fn options(&self, (name, bytes): (&str, u64), (sha256, transfer): (&str, &str)) -> StreamByteOptions {
        let options = StreamByteOptions::new(&self.topic)
            .with_name(name)
            .with_total_length(bytes)
            .with_destinations(&self.recipients.identities)
            .with_attributes(self.attribute.iter().cloned().collect())
            .with_attribute(digest::ATTRIBUTE, sha256)
            .with_attribute(receipt::ATTRIBUTE, transfer);
        match &self.mime_type {
            Some(mime_type) => options.with_mime_type(mime_type),
            None => options,
        }
    }
}

impl Sent {
    fn text(&self, to: &Recipients) -> String {
        format!(
            "{}: {} to {} in {:.2} s, {}/s, sha256 {}\n{}",
            printable(&self.name),
            readable(self.bytes),
            to.text(),
            self.took.as_secs_f64(),
            readable(self.rate()),
            self.sha256,
            self.receivers.text(),
        )
    }

    /// For programs, always with the same keys.
    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "id": self.info.id,
            "topic": self.info.topic,
            "bytes": self.bytes,
            "sha256": self.sha256,
            "seconds": self.took.as_secs_f64(),
            "bytes_per_second": self.rate(),
            "receivers": self.receivers.json(),
        })
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate needs no more digits"
    )]
    fn rate(&self) -> u64 {
        (self.bytes as f64 / self.took.as_secs_f64().max(1e-6)) as u64
    }
}

/// Does the work, and hears what receivers say meanwhile.
async fn listen<T>(
    events: &mut RoomEvents,
    receivers: &mut Receivers,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            outcome = &mut work => return outcome,
            event = events.recv() => {
                if let Some(event) = heard(event)? {
                    receivers.hear(&event);
                }
            }
        }
    }
}

/// Length and hash of the file.
async fn hash(path: &Path, (name, progress): (&str, &Arc<Progress>)) -> Result<(u64, String), Failure> {
    let (file, shown, progress) = (path.to_owned(), format!("hash of {name}"), Arc::clone(progress));
    let hashing = move || {
        let began = Instant::now();
        let tell = |done, total| {
            progress.show(Stage { name: &shown, done, total: Some(total), elapsed: began.elapsed() });
        };
        digest::of_file(&file, tell)
    };
    let hashed = tokio::task::spawn_blocking(hashing).await.map_err(anyhow::Error::new)?;
    Ok(hashed.with_context(|| format!("{} cannot be read", path.display()))?)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is shown with three digits"
)]
fn part_of(bytes: u64, part: f64) -> u64 {
    (bytes as f64 * part) as u64
}

#[expect(clippy::cast_precision_loss, reason = "it is shown with three digits")]
fn readable(bytes: u64) -> String {
    readable_bytes(bytes as f64)
}
