//! A subscriber's link carries a fraction of what is sent.

use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, timeout_at};
use trackyard::{DataTrackFrame, DataTrackStream, Room, RoomOptions};
use trackyard_relay::{LinkConfig, Relay, RelayConfig};

use super::{Findings, Ground, flows};

const RATE_BPS: u64 = 1_000_000;
/// 20 Mbit/s of these.
const FRAME_BYTES: usize = 64 * 1024;
const FRAME_EVERY: Duration = Duration::from_micros(26_214);
const LASTS: Duration = Duration::from_secs(6);
/// What is on its way has come by then.
const REST: Duration = Duration::from_secs(2);
/// A link of a megabit carries as many in the time at least; it has room for eleven.
const FRAMES_MIN: u64 = 3;
/// Of what is due, so much comes to a fast subscriber, even on a machine that has far too much to do; and so many times
/// what comes to the slow one.
const FAST_SHARE_MIN: f64 = 0.1;
const FAST_TIMES_MIN: u64 = 2;
const FLOWS_WITHIN: Duration = Duration::from_secs(10);
const ROOM: &str = "slow";

pub(super) async fn run(ground: &Ground) -> anyhow::Result<Findings> {
    let site = &ground.site;
    let down = LinkConfig { rate_bps: Some(RATE_BPS), ..LinkConfig::default() };
    let config = RelayConfig { down, seed: ground.seed, ..RelayConfig::new(site.http) };
    let relay = Relay::start(config).await.context("no port for links is to be had")?;
    let (camera, _events) = site.join("camera", ROOM).await?;
    let track = camera.local_participant().publish_data_track("video").await?;
    let (slow, _slow_events) = site.join_at(relay.address(), ("slow", ROOM), RoomOptions::new()).await?;
    let (fast, _fast_events) = site.join("fast", ROOM).await?;
    let mut readers = Vec::new();
    let end = Instant::now() + FLOWS_WITHIN + LASTS + REST;
    for room in [&slow, &fast] {
        let mut frames = subscribe(room).await?;
        flows(&track, &mut frames, FLOWS_WITHIN).await.context("no frame comes before many do")?;
        readers.push(read(frames, end));
    }
    let (mut ticks, until, mut due, mut sent) = (interval(FRAME_EVERY), Instant::now() + LASTS, 0_u64, 0_u64);
    while ticks.tick().await < until {
        due += 1;
        sent += u64::from(track.try_push(DataTrackFrame::new(vec![7; FRAME_BYTES])).is_ok());
    }
    let mut received = Vec::new();
    // A subscription ends with its room.
    tokio::time::sleep(REST).await;
    for (room, reader) in [slow, fast].into_iter().zip(readers) {
        room.close().await;
        received.push(reader.await.context("a subscriber has panicked")?);
    }
    camera.close().await;
    let mut findings = Findings::default();
    findings.tell("video_frames_sent", sent as f64);
    findings.tell("video_frames_slow", received[0] as f64);
    findings.tell("video_frames_fast", received[1] as f64);
    findings
        .expect(received[0] >= FRAMES_MIN, || format!("{} frames have come over a slow link", received[0]));
    let is_fast =
        received[1] as f64 >= FAST_SHARE_MIN * due as f64 && received[1] >= FAST_TIMES_MIN * received[0];
    findings.expect(is_fast, || {
        let [slow, fast] = [received[0], received[1]];
        format!("beside a slow subscriber with {slow} frames a fast one has received {fast} of {due}")
    });
    Ok(findings)
}

async fn subscribe(room: &Room) -> anyhow::Result<DataTrackStream> {
    let found = room.data_tracks_of("camera").get_deferred("video").await;
    Ok(found.context("the room is closed")?.subscribe().await?)
}

/// Counts whole frames.
fn read(mut frames: DataTrackStream, end: Instant) -> JoinHandle<u64> {
    tokio::spawn(async move {
        let mut whole = 0;
        while let Ok(Some(frame)) = timeout_at(end, frames.next()).await {
            whole += u64::from(frame.payload().len() == FRAME_BYTES);
        }
        whole
    })
}
