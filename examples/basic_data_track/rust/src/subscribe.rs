//! The receiving side.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::signal::ctrl_c;
use trackyard::{DataTrackEvent, DataTrackEvents, DataTrackFrame, DataTrackSubscribeOptions, Room};

use crate::TRACK;

/// Readings come every 20 ms; without any for so long, something is wrong.
const DEADLINE: Duration = Duration::from_secs(1);

/// What has been received.
#[derive(Default)]
struct Tally {
    frames: u64,
    missing: u64,
    age_sum: Duration,
    age_max: Duration,
}

/// Shows readings until Ctrl-C, or until so many have come.
pub(crate) async fn run(room: &Room, from: &str, frames: Option<u64>) -> Result<()> {
    println!("waiting for {from}/{TRACK}");
    let mut tally = Tally::default();
    tokio::select! {
        ended = receive(room, from, frames, &mut tally) => ended?,
        interrupted = ctrl_c() => interrupted?,
    }
    let mean = tally.age_sum.checked_div(u32::try_from(tally.frames)?).unwrap_or_default();
    let Tally { frames, missing, age_max, .. } = tally;
    println!("{frames} received, {missing} missing, age {mean:.1?} on average, {age_max:.1?} at most");
    Ok(())
}

async fn receive(room: &Room, from: &str, limit: Option<u64>, tally: &mut Tally) -> Result<()> {
    // The publisher may come later, and may come back: the subscription goes on by the track's name.
    let track = room.data_tracks_of(from).get_deferred(TRACK).await.context("the room was left")?;
    let options = DataTrackSubscribeOptions::new().with_deadline(DEADLINE);
    let mut events: DataTrackEvents = track.subscribe_with_events(options).await?;
    while limit.is_none_or(|limit| tally.frames < limit) {
        match events.next().await {
            Some(DataTrackEvent::Frame(frame)) => tally.add(&frame),
            Some(DataTrackEvent::Gap(gap)) => {
                tally.missing += gap.frames;
                println!("-- {} not received: {}", gap.frames, gap.reason.label());
            }
            Some(DataTrackEvent::Silent { since }) => println!("-- nothing for {:.1?}", since.elapsed()),
            None => break,
        }
    }
    Ok(())
}

impl Tally {
    fn add(&mut self, frame: &DataTrackFrame) {
        // As exact as both machines' clocks agree.
        let age = frame.duration_since_timestamp().unwrap_or_default();
        self.frames += 1;
        self.age_sum += age;
        self.age_max = self.age_max.max(age);
        let number = frame.sequence().unwrap_or_default();
        println!("#{number} {age:?} {}", String::from_utf8_lossy(frame.payload()));
    }
}
