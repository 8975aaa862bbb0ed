//! Many tracks: how soon they are published and subscribed to, and what a watcher is sent.

use std::time::Duration;

use anyhow::Result;
use trackyard_rig::LiveClient;

use crate::report::Table;
use crate::{Settings, join, table};

/// Long enough for anything here.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) async fn measure(settings: &Settings) -> Result<Table> {
    let mut rows = Vec::new();
    for (in_flight, how) in [(1, "one by one"), (64, "64 in flight")] {
        for count in [1_000, 2_000] {
            rows.extend(publishing(settings, (settings.count(count), in_flight), how).await?);
        }
    }
    for count in [100, 1_000] {
        let count = settings.count(count);
        let took = subscribing(settings, count).await?;
        rows.push([
            format!("{count} tracks subscribed to at once: until the last handle"),
            format!("{took:.1?}"),
        ]);
    }
    for count in [10_000, 65_535] {
        rows.extend(with_late_joiner(settings, settings.count(count)).await?);
    }
    Ok(table("Many tracks", rows))
}

/// Tracks of one participant, in the eyes of who watches, who comes late and who subscribes to all of them.
async fn with_late_joiner(settings: &Settings, count: usize) -> Result<Vec<[String; 2]>> {
    let server = settings.start()?;
    let mut publisher = join(&server, "publisher").await?;
    let mut watcher = join(&server, "watcher").await?;
    let (memory, bytes) = (server.process().memory_kib()?, watcher.signal_bytes());
    let watching = tokio::spawn(async move { watcher.announced(count, PATIENCE).await.map(|_| watcher) });
    let published = publisher.publish_many(1..=u16::try_from(count)?, 256).await?;
    let bytes = watching.await??.signal_bytes() - bytes;
    let (mut late, arrival) = LiveClient::arrive(server.client("late", "figures")).await?;
    let each = (server.process().memory_kib()? - memory) * 1024 / count as u64;
    let subscribed = late.subscribe_many(arrival.sids).await?;
    let row = |what: &str, figure: String| [format!("{count} tracks of one participant: {what}"), figure];
    Ok(vec![
        row("published in", format!("{published:.1?}")),
        row("known to who comes late in", format!("{:.1?}", arrival.took)),
        row("all subscribed to in", format!("{subscribed:.1?}")),
        row("bytes to a watcher", bytes.to_string()),
        row("memory of the server, each", format!("{each} B")),
    ])
}

async fn publishing(
    settings: &Settings,
    (count, in_flight): (usize, usize),
    how: &str,
) -> Result<[[String; 2]; 2]> {
    let server = settings.start()?;
    let mut publisher = join(&server, "publisher").await?;
    let mut watcher = join(&server, "watcher").await?;
    let bytes = watcher.signal_bytes();
    let took = publisher.publish_many(1..=u16::try_from(count)?, in_flight).await?;
    watcher.announced(count, PATIENCE).await?;
    let bytes = watcher.signal_bytes() - bytes;
    Ok([
        [format!("{count} tracks {how}: published in"), format!("{took:.1?}")],
        [format!("{count} tracks {how}: bytes to a watcher"), format!("{bytes}")],
    ])
}

async fn subscribing(settings: &Settings, count: usize) -> Result<Duration> {
    let server = settings.start()?;
    let mut publisher = join(&server, "publisher").await?;
    let mut subscriber = join(&server, "subscriber").await?;
    publisher.publish_many(1..=u16::try_from(count)?, 64).await?;
    let sids = subscriber.announced(count, PATIENCE).await?;
    subscriber.subscribe_many(sids).await
}
