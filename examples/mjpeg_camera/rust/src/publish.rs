//! The sending side.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use tokio::signal::ctrl_c;
use tokio::time::{MissedTickBehavior, interval};
use trackyard::{
    DataTrackFrame, DataTrackOptions, LocalDataTrack, PublishPolicy, PublishRules, PushFrameError, Room,
};

use crate::pictures::Pictures;
use crate::{TRACK, mjpeg};

/// A picture that could not be sent for so long is of no use to anyone who steers by it.
const AGE_MAX: Duration = Duration::from_millis(150);

#[derive(Args)]
pub(crate) struct Publish {
    /// Directory of JPEG files, shown over and over in the order of their names
    #[arg(long, value_name = "DIRECTORY")]
    images: Option<PathBuf>,
    /// Pictures per second
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    fps: u32,
}

impl Publish {
    pub(crate) async fn run(self, room: &Room) -> Result<()> {
        let pictures =
            self.images.as_deref().map_or_else(|| Ok(Pictures::scene()), Pictures::of_directory)?;
        // On a link that does not carry every picture, the newest replaces the one that waits: what is seen
        // is never older than it must be. Queued, pictures would come ever later.
        let rules =
            PublishRules { policy: PublishPolicy::Latest, age_max: AGE_MAX, ..PublishRules::default() };
        let options = DataTrackOptions::new(TRACK).with_frame_encoding(mjpeg()).with_rules(rules);
        let track = room.local_participant().publish_data_track(options).await?;
        println!("publishing {TRACK} as {} in room {}", room.local_participant().identity(), room.name());
        tokio::select! {
            failed = self.push_pictures(pictures, &track) => failed?,
            interrupted = ctrl_c() => interrupted?,
        }
        let stats = track.stats();
        println!("{} pushed, {} sent, {} dropped", stats.pushed, stats.sent, stats.dropped_total());
        Ok(())
    }

    async fn push_pictures(&self, mut pictures: Pictures, track: &LocalDataTrack) -> Result<()> {
        let mut ticks = interval(Duration::from_secs(1) / self.fps);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            let frame = DataTrackFrame::new(pictures.next().await?).with_user_timestamp_now();
            match track.try_push(frame) {
                Ok(()) | Err(PushFrameError::Dropped { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
