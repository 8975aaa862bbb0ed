//! What the server holds for each participant and each track.

use anyhow::Result;
use trackyard_rig::ServerProcess;
use trackyard_sim::client::ClientConfig;

use crate::report::Table;
use crate::tracks::publish_many;
use crate::{Settings, join, join_as, table};

const PARTICIPANTS: u32 = 50;
const TRACKS: usize = 2_000;

pub(crate) async fn measure(settings: &Settings) -> Result<Table> {
    let mut rows = Vec::new();
    for (mode, single) in [("one connection", true), ("two connections", false)] {
        let each = participants(&settings.start()?, single).await?;
        rows.push([format!("per participant with {mode}, {PARTICIPANTS} in a room"), each]);
    }
    let (tracks, each) = idle_tracks(settings).await?;
    rows.push([format!("per idle track, {tracks} of one participant"), each]);
    Ok(table("Memory of the server", rows))
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
    publish_many(&mut publisher, count, 64).await?;
    let each = share(before, server.process().memory_kib()?, u32::try_from(count)?);
    Ok((count, each))
}
