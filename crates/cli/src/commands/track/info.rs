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
use crate::text::printable;
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
            let traffic = self.count(&track).await?;
            warn_of_undecryptable(&mut events, &track);
            Ok((track, traffic))
        };
        let outcome = interrupt.during(looked).await;
        let printed = outcome.and_then(|(track, traffic)| self.print(&room, &track, &traffic));
        room.close().await;
        printed
    }

    /// Counts what comes; nothing of what cannot be decrypted.
    async fn count(&self, track: &RemoteDataTrack) -> Result<Traffic, Failure> {
        let options = DataTrackSubscribeOptions::new().with_buffer_size(BUFFER_FRAMES);
        match track.subscribe_with_events(options).await {
            Ok(frames) => Ok(Traffic::counted(frames, self.duration).await),
            Err(SubscribeError::NoDecryptor) => {
                eprintln!(
                    "note: the track is encrypted, so that nothing is counted without --e2ee-passphrase"
                );
                Ok(Traffic::none())
            }
            Err(error @ SubscribeError::Timeout) => Err(Failure::TimedOut(error.to_string())),
            Err(error) => Err(anyhow::Error::new(error).into()),
        }
    }

    fn print(&self, room: &Room, track: &RemoteDataTrack, traffic: &Traffic) -> Outcome {
        if self.json {
            let mut value = track_json(track);
            value["publisher"] = track.publisher_identity().into();
            value["room"] = room.name().into();
            value["traffic"] = traffic.json();
            return Ok(output::print_json(&value)?);
        }
        output::write(self.text(track, traffic).as_bytes())
    }

    fn text(&self, track: &RemoteDataTrack, traffic: &Traffic) -> String {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let rows = [
            ("Track", track.name().to_owned()),
            ("Publisher", track.publisher_identity().to_owned()),
            ("SID", track.sid()),
            ("Encoding", or_none(track.frame_encoding().map(frame_name))),
            ("Schema", or_none(track.schema().map(schema_name))),
            ("Encrypted", if track.is_encrypted() { "yes" } else { "no" }.to_owned()),
            ("Traffic", traffic.text(self.duration)),
        ];
        rows.iter().map(|(head, text)| format!("{head:<10} {}\n", printable(text))).collect()
    }
}

/// Says why nothing is counted though frames come.
fn warn_of_undecryptable(events: &mut RoomEvents, track: &RemoteDataTrack) {
    while let Ok(Some(event)) = events.try_recv() {
        let RoomEvent::DataTrackUndecryptable { track: other, error } = event else { continue };
        if target::label(&other) == target::label(track) {
            eprintln!("warning: {}", undecryptable(track, error));
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
