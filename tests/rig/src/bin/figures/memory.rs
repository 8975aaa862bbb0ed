//! What the server holds for each participant and each track.

use std::time::Duration;

use anyhow::Result;
use trackyard_rig::{Metrics, ServerProcess};
use trackyard_sim::client::ClientConfig;

use crate::report::Table;
use crate::{Settings, join, join_as, table};

const PARTICIPANTS: u32 = 50;
const TRACKS: usize = 2_000;
/// Two of them share a room.
const CROWD: usize = 300;
const ROUNDS: usize = 4;
const GONE_MAX: Duration = Duration::from_secs(20);

pub(crate) async fn measure(settings: &Settings) -> Result<Table> {
    let mut rows = Vec::new();
    for (mode, single) in [("one connection", true), ("two connections", false)] {
        let each = participants(&settings.start()?, single).await?;
        rows.push([format!("per participant with {mode}, {PARTICIPANTS} in a room"), each]);
    }
    let (tracks, each) = idle_tracks(settings).await?;
    rows.push([format!("per idle track, {tracks} of one participant"), each]);
    rows.push(given_back(settings).await?);
    Ok(table("Memory of the server", rows))
}

/// What stays after many have come at once and gone, again and again.
async fn given_back(settings: &Settings) -> Result<[String; 2]> {
    let server = ServerProcess::start(settings.server(), "room: {departure_timeout: 1}")?;
    let crowd = settings.count(CROWD);
    let mut sizes = vec![server.process().memory_kib()?];
    for _ in 0..ROUNDS {
        let joins = (0..crowd).map(|number| {
            let (identity, room) = (format!("client-{number}"), format!("room-{}", number / 2));
            join_as(server.client(&identity, &room))
        });
        let clients = futures_util::future::try_join_all(joins).await?;
        for client in clients {
            client.leave().await?;
        }
        let gone = ("everyone is gone", GONE_MAX);
        Metrics::wait(server.http(), gone, |metrics| metrics.get("trackyard_rooms", "") == 0.0).await?;
        sizes.push(server.process().memory_kib()?);
    }
    let sizes: Vec<_> = sizes.iter().map(|kib| format!("{:.0}", *kib as f64 / 1024.0)).collect();
    let what = format!("MiB at the start, and after each time {crowd} came at once and went");
    Ok([what, sizes.join(", ")])
}

fn share(before: u64, after: u64, count: u32) -> String {
    format!("{:.1} KiB", after.saturating_sub(before) as f64 / f64::from(count))
}

async fn participants(server: &ServerProcess, single: bool) -> Result<String> {
    let mut clients = vec![join(server, "warm").await?];
    let before = server.process().memory_kib()?;
    for number in 0..PARTICIPANTS {
        let mut config = server.client(&format!("client-{number}"), "figures");
        config.client = ClientConfig { single, ..config.client };
        clients.push(join_as(config).await?);
    }
    Ok(share(before, server.process().memory_kib()?, PARTICIPANTS))
}

async fn idle_tracks(settings: &Settings) -> Result<(usize, String)> {
    let (server, count) = (settings.start()?, settings.count(TRACKS));
    let mut publisher = join(&server, "publisher").await?;
    publisher.publish(u16::MAX, "warm").await?;
    let before = server.process().memory_kib()?;
    publisher.publish_many(1..=u16::try_from(count)?, 64).await?;
    let each = share(before, server.process().memory_kib()?, u32::try_from(count)?);
    Ok((count, each))
}
