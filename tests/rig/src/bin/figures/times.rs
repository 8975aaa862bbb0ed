//! How soon a newcomer sees something.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use trackyard_rig::flow::{self, Plan};
use trackyard_rig::{LiveClient, ServerProcess};
use trackyard_sim::client::ClientEvent;

use crate::report::Table;
use crate::{Settings, join, table};

const PATIENCE: Duration = Duration::from_secs(60);
const NEWCOMERS: usize = 20;
const CROWD: usize = 100;

pub(crate) async fn measure(settings: &Settings) -> Result<Table> {
    let mut times = first_frames(&settings.start()?).await?;
    times.sort_unstable();
    let first = format!("{:.1?} / {:.1?}", times[times.len() / 2], times[times.len() - 1]);
    let crowd = crowd(&settings.start()?).await?;
    Ok(table(
        "Newcomers",
        vec![
            [format!("connect to first frame, 100 Hz, p50 / max of {NEWCOMERS}"), first],
            [format!("{CROWD} join at once: until the last can receive"), format!("{crowd:.1?}")],
        ],
    ))
}

async fn first_frames(server: &ServerProcess) -> Result<Vec<Duration>> {
    let mut publisher = join(server, "publisher").await?;
    let sid = publisher.publish(1, "frames").await?;
    let sending = tokio::spawn(async move {
        flow::send(&publisher, Plan::telemetry(1, PATIENCE)).await?;
        anyhow::Ok(())
    });
    let mut times = Vec::new();
    for number in 0..NEWCOMERS {
        times.push(first_frame(server, &format!("newcomer-{number}"), &sid).await?);
    }
    sending.abort();
    Ok(times)
}

async fn first_frame(server: &ServerProcess, identity: &str, sid: &str) -> Result<Duration> {
    let begun = Instant::now();
    let mut client = LiveClient::start(server.client(identity, "figures")).await?;
    client.wait(PATIENCE, |_, event| matches!(event, ClientEvent::Joined(_)).then_some(())).await?;
    let sid = sid.to_owned();
    client.act(move |client, _| client.subscribe(&sid))?;
    let first = client.wait(PATIENCE, |at, event| matches!(event, ClientEvent::Frame(_)).then_some(at));
    let took = first.await.context("the first frame")? - begun;
    client.leave().await?;
    Ok(took)
}

async fn crowd(server: &ServerProcess) -> Result<Duration> {
    let mut joining = JoinSet::new();
    let begun = Instant::now();
    for number in 0..CROWD {
        let config = server.client(&format!("client-{number}"), "figures");
        joining.spawn(LiveClient::join(config));
    }
    let _clients = joining.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    Ok(begun.elapsed())
}
