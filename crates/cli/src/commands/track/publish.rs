//! `trackyard track pub`: publishes a data track.

mod images;
mod pace;
mod pattern;
mod source;
mod summary;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::Args;
use tokio::time::Instant;
use trackyard::{
    DataBlobKey, DataTrackFrame, DataTrackOptions, EventsError, LocalDataTrack, LocalDropReason,
    LocalParticipant, PublishError, PushFrameError, Room, RoomEvent, RoomEvents, Schema,
};

use self::pace::{Pace, drain};
use self::source::{Input, Source};
use self::summary::{Progress, Summary};
use super::delivery::Delivery;
use super::encoding::{MJPEG, parse_frame, parse_schema};
use crate::connection::{Connection, Role, connect};
use crate::duration::{duration, positive_duration};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::quantity;
use crate::{Outcome, output};

/// Rates unless told otherwise.
const IMAGES_HZ: f64 = 30.0;
const GENERATED_HZ: f64 = 10.0;

/// Publish a data track
#[derive(Debug, Args)]
#[command(after_help = "\
Without --file, --images and --size each line of standard input is a frame, without its end. Without
--rate, a line or file follows as soon as the one before has left. What has become of the frames is
told at the end.

Examples:
  echo 'hello' | trackyard track pub greetings
  sensor | trackyard track pub robot-1/pose --encoding json --timestamp
  trackyard track pub map --file map.bin --latch --linger 1h
  trackyard track pub pose --encoding cdr --schema ros2msg:geometry_msgs/msg/Pose --schema-file Pose.msg
  trackyard track pub camera/front --images 'frames/*.jpg' --rate 30Hz --loop --timestamp
  trackyard track pub load --size 16KiB --rate 50Hz --for 10s
  trackyard track pub load --size 64 --pattern counter --rate 100Hz --count 1000 --json")]
pub(crate) struct Publish {
    /// Name of the track
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    input: Input,
    /// Frames per second, such as 50Hz [default: 30Hz for --images, 10Hz for --size and --loop]
    #[arg(long, value_name = "RATE", value_parser = quantity::hertz)]
    rate: Option<f64>,
    /// End after so many frames
    #[arg(long, short = 'n', value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End after so long, such as 10s
    #[arg(long = "for", value_name = "DURATION", value_parser = positive_duration)]
    duration: Option<Duration>,
    /// Give each frame the time of day at which it is pushed, in milliseconds. Lines that wait in a pipe, for
    /// room or for a connection, get it late: a sensor whose age matters writes its own
    #[arg(long)]
    timestamp: bool,
    /// Announce how payloads are encoded: ros1, cdr, protobuf, flatbuffer, cbor, msgpack, json, or a name
    /// of one's own [default for --images: mjpeg]
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// Announce what describes payloads; languages are protobuf, flatbuffer, ros1msg, ros2msg, ros2idl,
    /// omgidl, jsonschema, or a name of one's own
    #[arg(long, value_name = "LANGUAGE:NAME", value_parser = parse_schema, requires = "encoding")]
    schema: Option<Schema>,
    /// File with the schema's text, which others can fetch
    #[arg(long, value_name = "FILE", requires = "schema")]
    schema_file: Option<PathBuf>,
    /// Text that the server sends as the track's last frame should this client vanish, if it is ours
    #[arg(long, value_name = "TEXT")]
    last_will: Option<String>,
    /// Have the server keep the last frame for those who subscribe later, if it is ours
    #[arg(long)]
    latch: bool,
    #[command(flatten)]
    delivery: Delivery,
    /// Wait so long for subscribers before the first frame
    #[arg(long, value_name = "DURATION", default_value = "500ms", value_parser = duration)]
    wait: Duration,
    /// Stay so long after the last frame, so that it arrives
    #[arg(long, value_name = "DURATION", default_value = "300ms", value_parser = duration)]
    linger: Duration,
    /// Print what has become of the frames as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Publish {
    pub(crate) async fn run(self, mut interrupt: Interrupt) -> Outcome {
        let source = Source::open(&self.input)?;
        let (room, events) = interrupt.during(connect(&self.connection, Role::Publisher)).await?;
        let outcome = self.publish(&room, events, (source, interrupt)).await;
        room.close().await;
        outcome
    }

    async fn publish(
        &self,
        room: &Room,
        mut events: RoomEvents,
        (mut source, mut interrupt): (Source, Interrupt),
    ) -> Outcome {
        let participant = room.local_participant();
        let track = interrupt.during(self.begin(&participant)).await?;
        let sid = track.sid();
        let began = Instant::now();
        let outcome = self.push_all(&track, &mut source, (&mut events, &mut interrupt)).await;
        let pushing = began.elapsed();
        drain(&track).await;
        tokio::time::sleep(self.linger).await;
        track.unpublish();
        let summary = Summary {
            name: self.name.clone(),
            publisher: participant.identity(),
            sid,
            pushing,
            stats: track.stats(),
        };
        if self.json {
            output::write_json(&summary.json())?;
        } else {
            output::write(summary.text().as_bytes())?;
        }
        outcome
    }

    /// Publishes the track, and waits for its subscribers.
    async fn begin(&self, participant: &LocalParticipant) -> Result<LocalDataTrack, Failure> {
        if let (Some(schema), Some(path)) = (&self.schema, &self.schema_file) {
            let text = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
            let stored = participant.store_data_blob(DataBlobKey::Schema(schema.clone()), text).await;
            stored.context("the schema cannot be stored")?;
        }
        let track = participant.publish_data_track(self.options()).await.map_err(refused)?;
        if self.last_will.is_some() && !track.has_last_will() {
            say!("warning: the server keeps no last will");
        }
        if self.latch && !track.is_latched() {
            say!("warning: the server keeps no frame for those who subscribe later");
        }
        tokio::time::sleep(self.wait).await;
        Ok(track)
    }

    fn options(&self) -> DataTrackOptions {
        let options = DataTrackOptions::new(&self.name).with_delivery(self.delivery.wish());
        let options = if self.latch { options.latched() } else { options };
        let options = match &self.last_will {
            Some(text) => options.with_last_will(DataTrackFrame::new(text.clone())),
            None => options,
        };
        let is_pictures = !self.input.images.is_empty();
        let encoding = self.encoding.as_deref().or(is_pictures.then_some(MJPEG));
        let options = match encoding {
            Some(encoding) => options.with_frame_encoding(parse_frame(encoding)),
            None => options,
        };
        match &self.schema {
            Some(schema) => options.with_schema(schema.clone()),
            None => options,
        }
    }

    async fn push_all(
        &self,
        track: &LocalDataTrack,
        source: &mut Source,
        (events, interrupt): (&mut RoomEvents, &mut Interrupt),
    ) -> Outcome {
        let mut pace = Pace::new(self.rate(), source.is_waited_for());
        let mut progress = Progress::new(self.json);
        let deadline = self.duration.map(|duration| Instant::now() + duration);
        let mut pushed = 0;
        while self.count.is_none_or(|count| pushed < count) {
            let next = async {
                pace.tick(track).await;
                source.next().await
            };
            let payload = tokio::select! {
                biased;
                () = interrupt.wait() => return self.interrupted(source),
                () = at(deadline) => return Ok(()),
                failure = ended(events) => return Err(failure),
                next = next => next?,
            };
            let Some(payload) = payload else { break };
            let frame = DataTrackFrame::new(payload);
            let frame = if self.timestamp { frame.with_user_timestamp_now() } else { frame };
            push(track, frame)?;
            pushed += 1;
            progress.show(track);
        }
        Ok(())
    }

    /// What has no end of its own has a rate, so that it floods nobody.
    fn rate(&self) -> Option<f64> {
        let default = match &self.input {
            Input { images, .. } if !images.is_empty() => Some(IMAGES_HZ),
            Input { size: Some(_), .. } | Input { repeat: true, .. } => Some(GENERATED_HZ),
            _ => None,
        };
        self.rate.or(default)
    }

    /// What goes on without end is ended in this way.
    fn interrupted(&self, source: &Source) -> Outcome {
        let is_bounded = self.count.is_some() || self.duration.is_some() || source.is_finite();
        if is_bounded { Err(Failure::Interrupted) } else { Ok(()) }
    }
}

/// Pushes a frame. That there is no room for it at the moment is counted, and no failure.
fn push(track: &LocalDataTrack, frame: DataTrackFrame) -> Result<(), Failure> {
    match track.try_push(frame) {
        Ok(()) => Ok(()),
        Err(PushFrameError::Dropped { frame, reason: LocalDropReason::TooLarge }) => {
            Err(Failure::Usage(format!("{} bytes are too many for a frame", frame.payload().len())))
        }
        Err(PushFrameError::Dropped { .. }) => Ok(()),
        Err(error) => Err(anyhow::Error::new(error).into()),
    }
}

/// Waits until nothing can be published any more.
async fn ended(events: &mut RoomEvents) -> Failure {
    loop {
        match events.recv().await {
            Ok(RoomEvent::LocalDataTrackUnpublished(_)) => {
                return anyhow!("the server has taken the track away").into();
            }
            Ok(RoomEvent::Disconnected(reason)) => {
                return anyhow!("the room has been left: {reason:?}").into();
            }
            Ok(RoomEvent::Reconnecting) => say!("note: the connection is down; restoring it"),
            Ok(RoomEvent::Reconnected { .. }) => say!("note: the connection is up again"),
            Ok(_) | Err(EventsError::Overflowed { .. }) => {}
            // The last event has said so already.
            Err(EventsError::Closed) => return anyhow!("the room has been left").into(),
        }
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn refused(error: PublishError) -> Failure {
    match error {
        PublishError::Timeout => Failure::TimedOut(error.to_string()),
        PublishError::InvalidName
        | PublishError::InvalidEncoding
        | PublishError::Schema(_)
        | PublishError::LastWillTooLarge { .. } => Failure::Usage(error.to_string()),
        error => Failure::Failed(anyhow::Error::new(error)),
    }
}
