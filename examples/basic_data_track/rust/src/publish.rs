//! The sending side.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::signal::ctrl_c;
use tokio::time::{MissedTickBehavior, interval};
use trackyard::{DataTrackFrame, DataTrackOptions, FrameEncoding, LocalDataTrack, PushFrameError, Room};

use crate::TRACK;

const PERIOD: Duration = Duration::from_millis(20);
/// JSON, by its number in the protocol.
const JSON: FrameEncoding = FrameEncoding::JSON;

/// Publishes readings until Ctrl-C.
pub(crate) async fn run(room: &Room) -> Result<()> {
    let options = DataTrackOptions::new(TRACK).with_frame_encoding(JSON);
    let track = room.local_participant().publish_data_track(options).await?;
    println!("publishing {TRACK} as {} in room {}", room.local_participant().identity(), room.name());
    tokio::select! {
        failed = push_readings(&track) => failed?,
        interrupted = ctrl_c() => interrupted?,
    }
    let stats = track.stats();
    println!("{} pushed, {} sent, {} dropped", stats.pushed, stats.sent, stats.dropped_total());
    Ok(())
}

async fn push_readings(track: &LocalDataTrack) -> Result<()> {
    let begin = Instant::now();
    let mut ticks = interval(PERIOD);
    // After a pause of this program, the present counts: what was missed is not made up for in a burst.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        // The timestamp is taken when the sensor is read, so that receivers see the whole delay.
        let frame = DataTrackFrame::new(read_sensor(begin.elapsed())).with_user_timestamp_now();
        match track.try_push(frame) {
            // The link is full or down. A newer reading comes in 20 ms; this one is counted as dropped.
            Ok(()) | Err(PushFrameError::Dropped { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Stands for a sensor: a robot that drives a figure of eight.
fn read_sensor(elapsed: Duration) -> String {
    let t = elapsed.as_secs_f64();
    let (x, y, speed) = (t.sin(), t.sin() * t.cos(), t.cos().hypot((2.0 * t).cos()));
    format!(r#"{{"x":{x:.3},"y":{y:.3},"speed":{speed:.3}}}"#)
}
