//! Clients that stop acknowledging, or never begin.

use std::time::Duration;

use anyhow::Context;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval};
use trackyard::{DataTrackFrame, DataTrackStream, LocalDataTrack, Room, RoomOptions};
use trackyard_relay::{Relay, RelayConfig};

use super::{Findings, Ground, flows};
use crate::commands::bench::soak::site::Site;

/// Of what is due, so much is pushed.
const PUSHED_MIN: f64 = 0.95;
/// So much comes to a subscriber beside the silent ones, even on a machine that has far too much to do.
const HEARD_MIN: f64 = 0.5;
/// What is on its way has come by then.
const REST: Duration = Duration::from_secs(1);
/// Subscribers that stop acknowledging.
const SUBSCRIBERS: usize = 3;
/// Clients of each other kind.
const CLIENTS: usize = 8;
const FRAME_BYTES: usize = 1_000;
const FRAME_EVERY: Duration = Duration::from_millis(5);
const LASTS: Duration = Duration::from_secs(6);
const FLOWS_WITHIN: Duration = Duration::from_secs(10);
const ROOM: &str = "silent";
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A subscriber that can be heard no more.
struct Muted {
    relay: Relay,
    room: Room,
    frames: DataTrackStream,
}

pub(super) async fn run(ground: &Ground) -> anyhow::Result<Findings> {
    let site = &ground.site;
    let (sender, _events) = site.join("sender", ROOM).await?;
    let track = sender.local_participant().publish_data_track("log").await?;
    let mut muted = Vec::new();
    for number in 0..SUBSCRIBERS {
        let mut one = subscribe(site, number).await?;
        flows(&track, &mut one.frames, FLOWS_WITHIN).await.context("no frame comes before it is silent")?;
        muted.push(one);
    }
    let (listener, _others) = site.join("listener", ROOM).await?;
    let heard = listen(&listener, &track).await?;
    let idle = idle_connections(site).await?;
    muted.iter().for_each(|one| one.relay.set_datagrams_to_server_up(false));
    let (mut ticks, until, mut due, mut sent) = (interval(FRAME_EVERY), Instant::now() + LASTS, 0_u64, 0_u64);
    while ticks.tick().await < until {
        due += 1;
        sent += u64::from(track.try_push(DataTrackFrame::new(vec![7; FRAME_BYTES])).is_ok());
    }
    // What is on its way; a subscription ends with its room.
    tokio::time::sleep(REST).await;
    listener.close().await;
    let heard = heard.await.context("a subscriber has panicked")?;
    let there = site.metrics().await?.count("trackyard_participants");
    // They are gone without a goodbye: nothing gets through any more.
    for one in muted {
        one.relay.set_up(false);
        drop(one.room);
    }
    drop(idle);
    sender.close().await;
    let mut findings = Findings::default();
    findings.tell("frames_to_the_silent", sent as f64);
    findings.tell("frames_beside_them", heard as f64);
    findings.tell("muted_subscribers", SUBSCRIBERS as f64);
    findings.tell("idle_connections", 3.0 * CLIENTS as f64);
    findings.tell("participants_meanwhile", there as f64);
    let is_share = |count: u64, share: f64| count as f64 >= share * due as f64;
    findings.expect(is_share(sent, PUSHED_MIN), || {
        format!("a publisher was held up by subscribers that are silent: {sent} of {due} frames are pushed")
    });
    findings.expect(is_share(heard, HEARD_MIN), || {
        format!("a subscriber beside those that are silent has received {heard} of {due} frames")
    });
    Ok(findings)
}

/// Counts frames until their room is closed.
async fn listen(room: &Room, track: &LocalDataTrack) -> anyhow::Result<JoinHandle<u64>> {
    let mut frames = subscription(room).await?;
    flows(track, &mut frames, FLOWS_WITHIN).await.context("no frame comes to one that listens")?;
    Ok(tokio::spawn(async move {
        let mut whole = 0;
        while let Some(frame) = frames.next().await {
            whole += u64::from(frame.payload().len() == FRAME_BYTES);
        }
        whole
    }))
}

async fn subscription(room: &Room) -> anyhow::Result<DataTrackStream> {
    let found = room.data_tracks_of("sender").get_deferred("log").await;
    Ok(found.context("the room is closed")?.subscribe().await?)
}

async fn subscribe(site: &Site, number: usize) -> anyhow::Result<Muted> {
    let relay = Relay::start(RelayConfig::new(site.http)).await.context("no port for links is to be had")?;
    let identity = format!("silent-{number}");
    let (room, _events) = site.join_at(relay.address(), (&identity, ROOM), RoomOptions::new()).await?;
    let frames = subscription(&room).await?;
    Ok(Muted { relay, room, frames })
}

/// Heads of requests that never end, signal connections of which nothing is read and on which nothing is said, and
/// ICE/TCP connections that say nothing.
async fn idle_connections(site: &Site) -> anyhow::Result<Vec<TcpStream>> {
    let mut idle = Vec::new();
    for number in 0..CLIENTS {
        let mut head = TcpStream::connect(site.http).await?;
        head.write_all(b"GET / HTTP/1.1\r\nX-Half: ").await?;
        let mut signal = TcpStream::connect(site.http).await?;
        let token = site.token(&format!("absent-{number}"), ROOM)?;
        let request = format!("GET /rtc?access_token={token} HTTP/1.1\r\nHost: soak\r\n{UPGRADE}\r\n");
        signal.write_all(request.as_bytes()).await?;
        idle.extend([head, signal, TcpStream::connect(site.tcp).await?]);
    }
    Ok(idle)
}
