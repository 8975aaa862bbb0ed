//! The operator: a scripted drive, so that it runs anywhere. A joystick would take the script's place.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::time::{MissedTickBehavior, interval};
use trackyard::{DataTrackOptions, LocalDataTrack, PublishPolicy, PublishRules, PushFrameError, Room};

use crate::messages::{JSON, Telemetry, Velocity, frame};
use crate::{COMMANDS, TELEMETRY};

const PERIOD: Duration = Duration::from_millis(20);
/// A command that could not be sent for so long is not sent at all: there are newer ones.
const AGE_MAX: Duration = Duration::from_millis(100);
/// Telemetry comes at 20 Hz; one a second is shown.
const SHOWN: usize = 20;

pub(crate) async fn run(room: &Room, robot: &str) -> Result<()> {
    let rules = PublishRules { policy: PublishPolicy::Latest, age_max: AGE_MAX, ..PublishRules::default() };
    let options = DataTrackOptions::new(COMMANDS)
        .with_frame_encoding(JSON)
        .with_rules(rules)
        // The robot stops by its own deadline. This tells it, and everyone else, that nobody will come back.
        .with_last_will(frame(&Velocity::ZERO)?);
    let commands = room.local_participant().publish_data_track(options).await?;
    println!("driving {robot}");
    tokio::select! {
        ended = drive(&commands) => ended,
        ended = watch(room, robot) => ended,
    }
}

async fn drive(commands: &LocalDataTrack) -> Result<()> {
    let begin = Instant::now();
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        match commands.try_push(frame(&script(begin.elapsed()))?) {
            // The link is full or down: the robot's deadline is what counts then.
            Ok(()) | Err(PushFrameError::Dropped { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Gentle curves to both sides.
fn script(time: Duration) -> Velocity {
    Velocity { linear: 0.5, angular: 0.8 * time.as_secs_f64().sin() }
}

/// Shows where the robot is.
async fn watch(room: &Room, robot: &str) -> Result<()> {
    let track = room.data_tracks_of(robot).get_deferred(TELEMETRY).await.context("the room was left")?;
    let mut telemetry = track.subscribe().await?;
    let mut count = 0_usize;
    while let Some(frame) = telemetry.next().await {
        if count.is_multiple_of(SHOWN) {
            let Telemetry { x, y, heading, speed } = serde_json::from_slice(frame.payload())?;
            let age = frame.duration_since_timestamp().unwrap_or_default();
            println!("{robot} at {x:.2} m, {y:.2} m, heading {heading:.2}, {speed:.2} m/s, {age:?} ago");
        }
        count += 1;
    }
    bail!("the server has ended the subscription of {robot}'s telemetry")
}
