//! Newcomers: many at once, and one by one.

use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::task::AbortOnDropHandle;
use trackyard::{DataTrackFrame, Room};
use trackyard_bench::measure::Latency;
use trackyard_bench::suite::{Metric, Part};

use super::memory::leave;
use super::meter::{Figures, Meter, cpu_ms};
use super::subject::Subject;
use crate::connection::{Entrance, Role};
use crate::failure::Failure;

const TRACK: &str = "frames";
const FRAME_BYTES: usize = 200;
/// Of the track that a crowd subscribes to, and of the one that newcomers do.
const CROWD_PERIOD: Duration = Duration::from_millis(100);
const FLOW_PERIOD: Duration = Duration::from_millis(1);
/// How long a newcomer waits for its first frame.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two newcomers.
const PAUSE: Duration = Duration::from_millis(100);

/// What a newcomer has seen, and stays with.
struct Arrived {
    room: Room,
    connected: Duration,
    first_frame: Duration,
}

/// So many join at once, and each subscribes to a track.
///
/// # Errors
/// When there is nothing to subscribe to, or nobody gets as far.
pub(super) async fn crowd(subject: &Subject, count: u32) -> Result<Part, Failure> {
    let entrance = subject.entrance();
    let flow = Flow::start(&entrance, CROWD_PERIOD).await?;
    let (meter, begun) = (Meter::start(subject.watch()?), Instant::now());
    let mut joining = JoinSet::new();
    for number in 0..count {
        let (entrance, publisher) = (entrance.clone(), flow.identity.clone());
        joining.spawn(async move { arrive(&entrance, (&publisher, number)).await });
    }
    let (mut rooms, mut connected, mut failure) = (Vec::new(), Latency::new(), None);
    while let Some(arrived) = joining.join_next().await {
        match arrived.context("a task has ended")? {
            Ok(arrived) => {
                connected.record(arrived.connected);
                rooms.push(arrived.room);
            }
            Err(error) => failure = Some(error),
        }
    }
    if rooms.is_empty() {
        return Err(failure.unwrap_or_else(|| Failure::from(anyhow!("nobody has joined"))));
    }
    let mut figures = Figures::default();
    figures.since(Metric::CrowdMs, begun);
    figures.add(Metric::CpuMsPerJoin, cpu_ms(meter.used(), count));
    figures.add(Metric::ConnectP50Ms, connected.quantile(0.5).map(milliseconds));
    figures.add(Metric::ConnectP99Ms, connected.quantile(0.99).map(milliseconds));
    figures.add(Metric::FailedJoins, f64::from(count) - rooms.len() as f64);
    leave(rooms).await;
    flow.end().await;
    Ok(figures.part())
}

/// So many join one after another, and each subscribes to a track that flows.
///
/// # Errors
/// When one of them gets no frame.
pub(super) async fn first_frame(subject: &Subject, count: u32) -> Result<Part, Failure> {
    let entrance = subject.entrance();
    let flow = Flow::start(&entrance, FLOW_PERIOD).await?;
    let (mut connected, mut first_frames) = (Latency::new(), Latency::new());
    for number in 0..count {
        let arrived = arrive(&entrance, (&flow.identity, number)).await?;
        connected.record(arrived.connected);
        first_frames.record(arrived.first_frame);
        arrived.room.close().await;
        tokio::time::sleep(PAUSE).await;
    }
    let mut figures = Figures::default();
    figures.add(Metric::ConnectP50Ms, connected.quantile(0.5).map(milliseconds));
    figures.add(Metric::FirstFrameP50Ms, first_frames.quantile(0.5).map(milliseconds));
    figures.add(Metric::FirstFrameMaxMs, first_frames.max().map(milliseconds));
    flow.end().await;
    Ok(figures.part())
}

/// A track that flows until this ends.
struct Flow {
    room: Room,
    identity: String,
    _pushing: AbortOnDropHandle<()>,
}

impl Flow {
    async fn start(entrance: &Entrance, period: Duration) -> Result<Self, Failure> {
        let (room, _events) = entrance.join(Role::Publisher, "-publisher").await?;
        let published = room.local_participant().publish_data_track(TRACK).await;
        let track = published.context("a track cannot be published")?;
        let pushing = tokio::spawn(async move {
            let mut ticks = interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            loop {
                ticks.tick().await;
                // What a subscriber does not get in time shows as its wait.
                let _ = track.try_push(DataTrackFrame::new(vec![7; FRAME_BYTES]));
            }
        });
        let identity = room.local_participant().identity();
        Ok(Self { room, identity, _pushing: AbortOnDropHandle::new(pushing) })
    }

    async fn end(self) {
        self.room.close().await;
    }
}

async fn arrive(entrance: &Entrance, (publisher, number): (&str, u32)) -> Result<Arrived, Failure> {
    let begun = Instant::now();
    let (room, _events) = entrance.join(Role::Publisher, &format!("-{number}")).await?;
    let connected = begun.elapsed();
    let first = async {
        let track = room.data_tracks_of(publisher).get_deferred(TRACK).await.context("the room was left")?;
        let mut stream = track.subscribe().await.context("the track cannot be subscribed to")?;
        stream.next().await.context("the track has ended")
    };
    timeout(PATIENCE, first).await.map_err(|_| anyhow!("no frame after {PATIENCE:?}"))??;
    Ok(Arrived { room, connected, first_frame: begun.elapsed() })
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
