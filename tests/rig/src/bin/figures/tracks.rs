//! Many tracks: how soon they are published and subscribed to, and what a watcher is sent.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::Result;
use trackyard_rig::LiveClient;
use trackyard_sim::client::ClientEvent;

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
    Ok(table("Many tracks", rows))
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
    let took = publish_many(&mut publisher, count, in_flight).await?;
    watcher.announced(count, PATIENCE).await?;
    let bytes = watcher.signal_bytes() - bytes;
    Ok([
        [format!("{count} tracks {how}: published in"), format!("{took:.1?}")],
        [format!("{count} tracks {how}: bytes to a watcher"), format!("{bytes}")],
    ])
}

/// Publishes tracks, so many unanswered at most; how long it took.
pub(crate) async fn publish_many(
    client: &mut LiveClient,
    count: usize,
    in_flight: usize,
) -> Result<Duration> {
    let (begun, mut asked) = (Instant::now(), 0);
    for published in 0..count {
        while asked < count && asked < published + in_flight {
            asked += 1;
            let handle = u16::try_from(asked)?;
            client.act(move |client, _| client.publish(handle, &format!("track/{handle:05}")))?;
        }
        client.wait(PATIENCE, |_, event| matches!(event, ClientEvent::Published(_)).then_some(())).await?;
    }
    Ok(begun.elapsed())
}

async fn subscribing(settings: &Settings, count: usize) -> Result<Duration> {
    let server = settings.start()?;
    let mut publisher = join(&server, "publisher").await?;
    let mut subscriber = join(&server, "subscriber").await?;
    publish_many(&mut publisher, count, 64).await?;
    let sids = subscriber.announced(count, PATIENCE).await?;
    let mut missing: HashSet<String> = sids.iter().cloned().collect();
    let begun = Instant::now();
    subscriber.act(move |client, _| sids.iter().for_each(|sid| client.subscribe(sid)))?;
    let last = subscriber.wait(PATIENCE, |at, event| {
        if let ClientEvent::Handle { handle, .. } = event {
            missing.remove(&handle.track.track_sid);
        }
        missing.is_empty().then_some(at)
    });
    Ok(last.await? - begun)
}
