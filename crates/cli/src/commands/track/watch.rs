//! One track, watched until enough has come.

use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use trackyard::{
    CipherError, DataTrackEvent, DataTrackEvents, DataTrackFrame, DataTrackSubscribeOptions, EventsError,
    Gap, RemoteDataTrack, Room, RoomEvent, RoomEvents, SubscribeError,
};

use super::delivery::Delivery;
use super::target;
use crate::Outcome;
use crate::connection::{Connection, Role, connect};
use crate::duration::positive_duration;
use crate::failure::Failure;
use crate::interrupt::Interrupt;

/// How often a verb may report.
const TICK: Duration = Duration::from_secs(1);

/// What to watch, and for how long.
#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    /// Track, with its publisher's identity before it where several publish one of that name
    #[arg(value_name = "[IDENTITY/]NAME")]
    pub(super) track: String,
    /// End after so many frames
    #[arg(long, short = 'n', value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,
    /// End after so long, such as 10s; with 124 if nothing has come, or less than --count
    #[arg(long = "for", value_name = "DURATION", value_parser = positive_duration)]
    pub(super) duration: Option<Duration>,
    /// Ask the server for at most so many frames per second, of which it picks the latest
    #[arg(long, value_name = "FPS", value_parser = clap::value_parser!(u32).range(1..))]
    max_fps: Option<u32>,
    #[command(flatten)]
    delivery: Delivery,
    #[command(flatten)]
    pub(super) connection: Connection,
}

/// One track that is watched.
pub(super) struct Watch {
    room: Room,
    events: RoomEvents,
    track: RemoteDataTrack,
    frames: DataTrackEvents,
    limits: Limits,
    ticks: Interval,
    interrupt: Interrupt,
    /// Nothing more is told of the room.
    is_deaf: bool,
    seen: u64,
}

/// When it is enough.
#[derive(Debug, Clone, Copy)]
struct Limits {
    count: Option<u64>,
    deadline: Option<Instant>,
}

/// What comes of a track.
#[derive(Debug)]
pub(super) enum Seen {
    /// A frame.
    Frame(DataTrackFrame),
    /// Frames that do not come.
    Gap(Gap),
    /// None for as long as the deadline says.
    Silent,
    /// A second has passed.
    Tick,
    /// It is over, and this is what the verb ends with.
    End(Outcome),
}

impl Watch {
    /// Joins, finds the track and subscribes to it in this way, at the rate that is asked for.
    pub(super) async fn begin(
        args: &WatchArgs,
        mut interrupt: Interrupt,
        options: DataTrackSubscribeOptions,
    ) -> Result<Self, Failure> {
        let (room, mut events) = interrupt.during(connect(&args.connection, Role::Observer)).await?;
        let subscribed = interrupt.during(subscribe(&room, &mut events, (args, options))).await;
        let (track, frames) = match subscribed {
            Ok(subscribed) => subscribed,
            Err(failure) => {
                room.close().await;
                return Err(failure);
            }
        };
        let now = Instant::now();
        let limits = Limits { count: args.count, deadline: args.duration.map(|duration| now + duration) };
        let mut ticks = tokio::time::interval_at(now + TICK, TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { room, events, track, frames, limits, ticks, interrupt, is_deaf: false, seen: 0 })
    }

    /// The track.
    pub(super) fn track(&self) -> &RemoteDataTrack {
        &self.track
    }

    /// What comes next. What people may want to know beside is said on standard error.
    pub(super) async fn next(&mut self) -> Seen {
        loop {
            if self.limits.count.is_some_and(|count| self.seen >= count) {
                return Seen::End(Ok(()));
            }
            let deadline = self.limits.deadline;
            let seen = tokio::select! {
                biased;
                () = self.interrupt.wait() => Some(Seen::End(self.interrupted())),
                () = at(deadline) => Some(Seen::End(self.elapsed())),
                _ = self.ticks.tick() => Some(Seen::Tick),
                event = self.events.recv(), if !self.is_deaf => self.hear(event),
                event = self.frames.next() => self.take(event),
            };
            if let Some(seen) = seen {
                return seen;
            }
        }
    }

    /// Leaves the room.
    pub(super) async fn close(self) {
        drop(self.frames);
        self.room.close().await;
    }

    fn take(&mut self, event: Option<DataTrackEvent>) -> Option<Seen> {
        match event {
            Some(DataTrackEvent::Frame(frame)) => {
                self.seen += 1;
                Some(Seen::Frame(frame))
            }
            Some(DataTrackEvent::Gap(gap)) => Some(Seen::Gap(gap)),
            Some(DataTrackEvent::Silent { .. }) => Some(Seen::Silent),
            None => Some(Seen::End(Err(anyhow!("the server has ended the subscription").into()))),
        }
    }

    fn hear(&mut self, event: Result<RoomEvent, EventsError>) -> Option<Seen> {
        let is_ours = |track: &RemoteDataTrack| target::label(track) == target::label(&self.track);
        match event {
            Ok(RoomEvent::DataTrackUnpublished(track)) if is_ours(&track) => {
                say!("note: {} is not published any more; waiting for it", target::label(&track));
            }
            Ok(RoomEvent::DataTrackUndecryptable { track, error }) if is_ours(&track) => {
                say!("warning: {}", undecryptable(&track, error));
            }
            Ok(RoomEvent::Reconnecting) => say!("note: the connection is down; restoring it"),
            Ok(RoomEvent::Reconnected { .. }) => say!("note: the connection is up again"),
            Ok(RoomEvent::Disconnected(reason)) => {
                return Some(Seen::End(Err(anyhow!("the room has been left: {reason:?}").into())));
            }
            Err(EventsError::Closed) => self.is_deaf = true,
            Ok(_) | Err(EventsError::Overflowed { .. }) => {}
        }
        None
    }

    /// Without a bound, being interrupted is how it ends.
    fn interrupted(&self) -> Outcome {
        let is_bounded = self.limits.count.is_some() || self.limits.deadline.is_some();
        if is_bounded { Err(Failure::Interrupted) } else { Ok(()) }
    }

    fn elapsed(&self) -> Outcome {
        match (self.limits.count, self.seen) {
            (None, 0) => Err(Failure::TimedOut("no frame has come in the time given".to_owned())),
            (None, _) => Ok(()),
            (Some(count), seen) => {
                Err(Failure::TimedOut(format!("{seen} of {count} frames have come in the time given")))
            }
        }
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

async fn subscribe(
    room: &Room,
    events: &mut RoomEvents,
    (args, mut options): (&WatchArgs, DataTrackSubscribeOptions),
) -> Result<(RemoteDataTrack, DataTrackEvents), Failure> {
    let track = target::find(room, events, (&args.track, args.connection.timeout)).await?;
    options = options.with_delivery(args.delivery.wish());
    if let Some(fps) = args.max_fps {
        options = options.with_target_fps(fps);
    }
    let frames = track.subscribe_with_events(options).await.map_err(|error| refused(&track, error))?;
    Ok((track, frames))
}

fn refused(track: &RemoteDataTrack, error: SubscribeError) -> Failure {
    let text = format!("{}: {error}", target::label(track));
    match error {
        SubscribeError::NoDecryptor => {
            Failure::Failed(anyhow!("{text}; give --e2ee-passphrase or set TRACKYARD_E2EE_PASSPHRASE"))
        }
        SubscribeError::Unpublished => Failure::NotFound(text),
        SubscribeError::Timeout => Failure::TimedOut(text),
        _ => Failure::Failed(anyhow!(text)),
    }
}

/// Why frames come and cannot be read.
pub(super) fn undecryptable(track: &RemoteDataTrack, error: Option<CipherError>) -> String {
    let label = target::label(track);
    match error {
        Some(error) => format!("frames of {label} cannot be decrypted: {error}"),
        None => format!("frames of {label} should be encrypted and are not"),
    }
}
