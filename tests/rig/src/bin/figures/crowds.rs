//! Many participants at once, and many rooms.

use std::time::Duration;

use anyhow::Result;
use trackyard_rig::{Crowd, CrowdTimes, end_rooms, make_rooms, raise_descriptors};

use crate::report::Table;
use crate::{Settings, table};

const CROWD: usize = 1_000;
const ROOMS: usize = 10_000;
const PATIENCE: Duration = Duration::from_secs(120);
/// Three sockets for each of a crowd, on either side.
const DESCRIPTORS: u64 = 8_000;

pub(crate) async fn measure(settings: &Settings) -> Result<Table> {
    raise_descriptors(DESCRIPTORS)?;
    let mut rows = crowd(settings, settings.count(CROWD)).await?;
    rows.extend(rooms(settings, settings.count(ROOMS)).await?);
    Ok(table("Many participants and rooms", rows))
}

async fn crowd(settings: &Settings, count: usize) -> Result<Vec<[String; 2]>> {
    let server = settings.start()?;
    let before = server.process().memory_kib()?;
    let configs = (0..count).map(|number| {
        let identity = format!("client-{number}");
        let config = server.client(&identity, "figures");
        (identity, config)
    });
    let Crowd { clients, times } = Crowd::join(configs.collect(), PATIENCE).await?;
    let each = (server.process().memory_kib()? - before) / count as u64;
    let cpu = server.process().cpu()? / u32::try_from(count)?;
    drop(clients);
    let CrowdTimes { joined, active, known, signal_bytes } = times;
    let row = |what: &str, figure: String| [format!("{count} join one room at once: {what}"), figure];
    Ok(vec![
        row("the last has its join response after", format!("{joined:.1?}")),
        row("the last is active after", format!("{active:.1?}")),
        row("each knows that all are after", format!("{known:.1?}")),
        row("processor time of the server, each", format!("{cpu:.1?}")),
        row("signalling, bytes for each of each other", (signal_bytes / (count * count) as u64).to_string()),
        row("memory of the server, each", format!("{each} KiB")),
    ])
}

async fn rooms(settings: &Settings, count: usize) -> Result<Vec<[String; 2]>> {
    let server = settings.start()?;
    let before = server.process().memory_kib()?;
    let made = make_rooms(server.http(), count).await?;
    let each = (server.process().memory_kib()? - before) * 1024 / count as u64;
    let ended = end_rooms(server.http(), count).await?;
    let row = |what: &str, figure: String| [format!("{count} rooms by the API: {what}"), figure];
    Ok(vec![
        row("made in / ended in", format!("{made:.1?} / {ended:.1?}")),
        row("memory of an empty one", format!("{each} B")),
    ])
}
