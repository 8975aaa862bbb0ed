//! The robot: does as it is told, for as long as it is told.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::sync::watch;
use tokio::time::interval;
use trackyard::{
    ConnectionState, DataTrackEvent, DataTrackEvents, DataTrackFrame, DataTrackOptions,
    DataTrackSubscribeOptions, PushFrameError, RemoteDropReason, Room, SubscribeError,
};

use crate::messages::{JSON, Telemetry, Velocity, frame};
use crate::motors::{Motors, moved};
use crate::{COMMANDS, TELEMETRY};

/// Commands come every 20 ms. Without a new one for so long, the robot stops: at 1 m/s it has gone 30 cm.
const DEADLINE: Duration = Duration::from_millis(300);
/// A command that has been on its way for longer is about a situation that is over.
const AGE_MAX: Duration = Duration::from_millis(200);
const TELEMETRY_PERIOD: Duration = Duration::from_millis(50);

pub(crate) async fn run(room: &Room, operator: &str) -> Result<()> {
    let (motors, velocity) = Motors::new();
    // Neither ends unless something has failed; then the other one ends with it, and the motors stop.
    tokio::select! {
        ended = Control { room, operator, motors, is_driven: false, too_old: 0 }.obey() => ended,
        ended = report(room, velocity) => ended,
    }
}

/// Turns commands into motion.
struct Control<'r> {
    room: &'r Room,
    operator: &'r str,
    motors: Motors,
    is_driven: bool,
    /// Commands that came too late since the last good one.
    too_old: u64,
}

impl Control<'_> {
    async fn obey(mut self) -> Result<()> {
        loop {
            let mut commands = self.subscribe().await?;
            println!("ready for commands of {}", self.operator);
            while let Some(event) = commands.next().await {
                self.handle(event);
            }
            self.stop("the server has ended the subscription");
        }
    }

    /// Waits for the operator's commands. It need not be there yet, and may come back as often as it likes:
    /// the subscription goes on by its identity and the track's name.
    async fn subscribe(&self) -> Result<DataTrackEvents> {
        // One command waits at most: the newest is the only one that counts.
        let options = DataTrackSubscribeOptions::new()
            .with_buffer_size(1)
            .with_max_age(AGE_MAX)
            .with_deadline(DEADLINE);
        let tracks = self.room.data_tracks_of(self.operator);
        loop {
            let track = tracks.get_deferred(COMMANDS).await.context("the room was left")?;
            match track.subscribe_with_events(options).await {
                // It has gone between the two calls.
                Err(SubscribeError::Unpublished) => {}
                other => return Ok(other?),
            }
        }
    }

    fn handle(&mut self, event: DataTrackEvent) {
        match event {
            // The operator has left this with the server, for the case that it vanishes.
            DataTrackEvent::Frame(frame) if frame.is_last_will() => self.stop("the operator has vanished"),
            DataTrackEvent::Frame(frame) => match command(&frame) {
                Ok(velocity) => self.drive(velocity),
                Err(error) => self.stop(&format!("a command cannot be obeyed: {error:#}")),
            },
            DataTrackEvent::Gap(gap) if gap.reason == RemoteDropReason::Stale => self.too_old += gap.frames,
            // Single lost commands do not matter: the next one is 20 ms away.
            DataTrackEvent::Gap(_) => {}
            DataTrackEvent::Silent { since } => self.stop_silent(since),
        }
    }

    fn drive(&mut self, velocity: Velocity) {
        self.motors.drive(velocity);
        self.too_old = 0;
        if !self.is_driven {
            self.is_driven = true;
            println!("driven by {}", self.operator);
        }
    }

    /// No command has come in time. The reason is for whoever has to mend it; the robot stops in any case.
    fn stop_silent(&mut self, since: Instant) {
        let reason = if self.room.connection_state() != ConnectionState::Connected {
            "the robot's own connection is down"
        } else if self.too_old > 0 {
            "commands come too late: the link is slow, or the two clocks differ"
        } else if self.room.remote_participant(self.operator).is_none() {
            "the operator has left the room"
        } else {
            "the operator's program or link is dead"
        };
        self.stop(&format!("no command for {} ms: {reason}", since.elapsed().as_millis()));
    }

    fn stop(&mut self, reason: &str) {
        // First the motors, then the words. Every reason is told, also to a robot that stands already.
        self.motors.stop();
        self.is_driven = false;
        println!("stopped: {reason}");
    }
}

/// What a frame commands.
fn command(frame: &DataTrackFrame) -> Result<Velocity> {
    // Without a time that makes sense, `with_max_age` cannot tell how old it is.
    ensure!(frame.duration_since_timestamp().is_some(), "it does not say when it was given");
    let velocity: Velocity = serde_json::from_slice(frame.payload()).context("it is no velocity")?;
    ensure!(velocity.linear.is_finite() && velocity.angular.is_finite(), "it is no velocity");
    Ok(velocity)
}

/// Moves, and tells where the robot is, whether anybody drives it or not.
async fn report(room: &Room, velocity: watch::Receiver<Velocity>) -> Result<()> {
    let options = DataTrackOptions::new(TELEMETRY).with_frame_encoding(JSON);
    let track = room.local_participant().publish_data_track(options).await?;
    let mut ticks = interval(TELEMETRY_PERIOD);
    let mut place = Telemetry::default();
    loop {
        ticks.tick().await;
        place = moved(place, *velocity.borrow(), TELEMETRY_PERIOD);
        match track.try_push(frame(&place)?) {
            // Without a connection nobody is told; the robot goes on all the same.
            Ok(()) | Err(PushFrameError::Dropped { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
