//! The receiving side.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use tokio::signal::ctrl_c;
use tokio::time::{Instant, interval_at};
use trackyard::{DataTrackFrame, DataTrackStream, DataTrackSubscribeOptions, Room};

use crate::{TRACK, mjpeg};

const REPORT_PERIOD: Duration = Duration::from_secs(1);

#[derive(Args)]
pub(crate) struct Receive {
    /// Identity of the publisher, which need not be there yet
    #[arg(long, default_value = "robot")]
    from: String,
    /// Directory to write pictures to, named by their numbers
    #[arg(long, value_name = "DIRECTORY")]
    output: Option<PathBuf>,
    /// At most so many pictures per second; the server picks them
    #[arg(long)]
    fps: Option<u32>,
    /// End after so many pictures
    #[arg(long)]
    frames: Option<u64>,
}

/// What has come since the last report.
#[derive(Default)]
struct Report {
    frames: u32,
    bytes: usize,
    age_max: Duration,
}

impl Receive {
    pub(crate) async fn run(self, room: &Room) -> Result<()> {
        println!("waiting for {}/{TRACK}", self.from);
        tokio::select! {
            ended = self.receive(room) => ended,
            interrupted = ctrl_c() => Ok(interrupted?),
        }
    }

    async fn receive(&self, room: &Room) -> Result<()> {
        let mut pictures = self.subscribe(room).await?;
        let mut reports = interval_at(Instant::now() + REPORT_PERIOD, REPORT_PERIOD);
        let (mut report, mut received) = (Report::default(), 0);
        while self.frames.is_none_or(|limit| received < limit) {
            tokio::select! {
                picture = pictures.next() => {
                    let Some(picture) = picture else { break };
                    received += 1;
                    report.add(&picture);
                    if let Some(directory) = &self.output {
                        write(directory, &picture).await?;
                    }
                }
                _ = reports.tick() => std::mem::take(&mut report).print(&pictures),
            }
        }
        let stats = pictures.stats();
        println!("{} received, {} missed, {} skipped", stats.received, stats.missed, stats.overflowed);
        Ok(())
    }

    async fn subscribe(&self, room: &Room) -> Result<DataTrackStream> {
        let tracks = room.data_tracks_of(&self.from);
        let track = tracks.get_deferred(TRACK).await.context("the room was left")?;
        ensure!(track.frame_encoding() == Some(&mjpeg()), "{TRACK} holds no JPEG pictures");
        // Who is slow to show or to write pictures wants the newest, not all of them.
        let mut options = DataTrackSubscribeOptions::new().with_buffer_size(1);
        if let Some(fps) = self.fps {
            options = options.with_target_fps(fps);
        }
        Ok(track.subscribe_with_options(options).await?)
    }
}

async fn write(directory: &Path, picture: &DataTrackFrame) -> Result<()> {
    let number = picture.sequence().context("a received frame has a number")?;
    let path = directory.join(format!("{number:010}.jpg"));
    tokio::fs::write(&path, picture.payload())
        .await
        .with_context(|| format!("{} cannot be written", path.display()))
}

impl Report {
    fn add(&mut self, picture: &DataTrackFrame) {
        self.frames += 1;
        self.bytes += picture.payload().len();
        self.age_max = self.age_max.max(picture.duration_since_timestamp().unwrap_or_default());
    }

    fn print(self, pictures: &DataTrackStream) {
        let Self { frames, bytes, age_max } = self;
        let (kbits, missed) = (bytes * 8 / 1_000, pictures.stats().missed);
        println!("{frames} frames/s, {kbits} kbit/s, age at most {age_max:?}, {missed} missed so far");
    }
}
