//! `trackyard track info`: what is known of one track, and how it comes.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use tokio::time::Instant;
use trackyard::{
    DataTrackEvent, DataTrackEvents, DataTrackSubscribeOptions, RemoteDataTrack, Room, RoomEvent, RoomEvents,
    SubscribeError,
};

use super::bw::Bandwidth;
use super::encoding::{frame_name, schema_name};
use super::hz::Rate;
use super::list::track_json;
use super::meter::Meter;
use super::target;
use super::watch::undecryptable;
use crate::connection::{Connection, Role, connect};
use crate::duration::positive_duration;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::quantity::readable_bytes;
use crate::text::{printable, printable_lines};
use crate::{Outcome, output};

/// Frames that wait for being counted.
const BUFFER_FRAMES: usize = 1_024;

/// Tell what is known of one data track, and how often it comes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trackyard track info pose
  trackyard track info robot-1/camera/front --for 5s
  trackyard track info pose --json")]
pub(crate) struct Info {
    /// Track, with its publisher's identity before it where several publish one of that name
    #[arg(value_name = "[IDENTITY/]NAME")]
    track: String,
    /// How long to count frames
    #[arg(long = "for", value_name = "DURATION", default_value = "2s", value_parser = positive_duration)]
    duration: Duration,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Info {
    pub(crate) async fn run(self, mut interrupt: Interrupt) -> Outcome {
        let (room, mut events) = interrupt.during(connect(&self.connection, Role::Observer)).await?;
        let looked = async {
            let track = target::find(&room, &mut events, (&self.track, self.connection.timeout)).await?;
            let schema_text = schema_text(&track).await;
            let traffic = self.count(&track).await?;
            warn_of_undecryptable(&mut events, &track);
            Ok(Findings { track, schema_text, traffic })
        };
        let outcome = interrupt.during(looked).await;
        let printed = outcome.and_then(|findings| self.print(&room, &findings));
        room.close().await;
        printed
    }

    /// Counts what comes; nothing of what cannot be decrypted.
    async fn count(&self, track: &RemoteDataTrack) -> Result<Traffic, Failure> {
        let options = DataTrackSubscribeOptions::new().with_buffer_size(BUFFER_FRAMES);
        match track.subscribe_with_events(options).await {
            Ok(frames) => Ok(Traffic::counted(frames, self.duration).await),
            Err(SubscribeError::NoDecryptor) => {
                say!("note: the track is encrypted, so that nothing is counted without --e2ee-passphrase");
                Ok(Traffic::none())
            }
            Err(error @ SubscribeError::Timeout) => Err(Failure::TimedOut(error.to_string())),
            Err(error) => Err(anyhow::Error::new(error).into()),
        }
    }

    fn print(&self, room: &Room, findings: &Findings) -> Outcome {
        if self.json {
            let mut value = track_json(&findings.track);
            value["publisher"] = findings.track.publisher_identity().into();
            value["room"] = room.name().into();
            value["schema_text"] = findings.schema_text.as_deref().into();
            value["traffic"] = findings.traffic.json();
            return Ok(output::print_json(&value)?);
        }
        output::write(findings.text(self.duration).as_bytes())
    }
}

/// What is known of a track.
#[derive(Debug)]
struct Findings {
    track: RemoteDataTrack,
    schema_text: Option<String>,
    traffic: Traffic,
}

impl Findings {
    fn text(&self, duration: Duration) -> String {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let track = &self.track;
        let rows = [
            ("Track", track.name().to_owned()),
            ("Publisher", track.publisher_identity().to_owned()),
            ("SID", track.sid()),
            ("Encoding", or_none(track.frame_encoding().map(frame_name))),
            ("Schema", or_none(track.schema().map(schema_name))),
            ("Encrypted", if track.is_encrypted() { "yes" } else { "no" }.to_owned()),
            ("Traffic", self.traffic.text(duration)),
        ];
        let rows = rows.iter().map(|(head, text)| format!("{head:<10} {}\n", printable(text)));
        let schema = self.schema_text.iter().map(|text| format!("\n{}\n", printable_lines(text.trim_end())));
        rows.chain(schema).collect()
    }
}

/// The text of a track's schema, if its publisher has stored one.
async fn schema_text(track: &RemoteDataTrack) -> Option<String> {
    match track.fetch_schema().await {
        Ok(text) => text.map(|text| String::from_utf8_lossy(&text).into_owned()),
        Err(error) => {
            say!("note: the schema's text cannot be fetched: {error}");
            None
        }
    }
}

/// Says why nothing is counted though frames come.
fn warn_of_undecryptable(events: &mut RoomEvents, track: &RemoteDataTrack) {
    while let Ok(Some(event)) = events.try_recv() {
        let RoomEvent::DataTrackUndecryptable { track: other, error } = event else { continue };
        if target::label(&other) == target::label(track) {
            say!("warning: {}", undecryptable(track, error));
        }
    }
}

/// What has come in a while.
#[derive(Debug)]
struct Traffic {
    rate: Rate,
    bandwidth: Bandwidth,
    frames: u64,
    missed: u64,
}

impl Traffic {
    fn none() -> Self {
        Self { rate: Rate::of_many(), bandwidth: Bandwidth::of_many(), frames: 0, missed: 0 }
    }

    async fn counted(mut frames: DataTrackEvents, duration: Duration) -> Self {
        let mut traffic = Self::none();
        let deadline = Instant::now() + duration;
        while let Ok(Some(event)) = tokio::time::timeout_at(deadline, frames.next()).await {
            match event {
                DataTrackEvent::Frame(frame) => {
                    traffic.frames += 1;
                    traffic.rate.frame(&frame);
                    traffic.bandwidth.frame(&frame);
                }
                DataTrackEvent::Gap(gap) => traffic.missed += gap.frames,
                DataTrackEvent::Silent { .. } => {}
            }
        }
        traffic
    }

    fn text(&self, duration: Duration) -> String {
        let Self { frames, missed, .. } = self;
        let mut text = format!("{frames} frames in {duration:?}");
        if let (Some(hertz), Some(bytes)) = (self.rate.hertz(), self.bandwidth.bytes_per_second()) {
            text += &format!(", {hertz:.2} Hz, {}/s", readable_bytes(bytes));
        }
        if *missed > 0 {
            text += &format!(", {missed} missed");
        }
        text
    }

    fn json(&self) -> Value {
        json!({
            "frames": self.frames,
            "missed": self.missed,
            "rate_hz": self.rate.hertz(),
            "bytes_per_s": self.bandwidth.bytes_per_second(),
        })
    }
}
