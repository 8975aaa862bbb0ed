//! Links of clients go down, and come up again.

use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinSet;
use trackyard::RoomOptions;
use trackyard_relay::{Relay, RelayConfig};

use super::{Findings, Ground, flows};

/// Until so long an outage, the session goes on.
const RESUMES: Duration = Duration::from_secs(8);
const FLOWS_WITHIN: Duration = Duration::from_secs(10);
const BACK_WITHIN: Duration = Duration::from_secs(45);
const ROOM: &str = "flaps";

pub(super) async fn run(ground: &Ground) -> anyhow::Result<Findings> {
    let mut links = JoinSet::new();
    for (number, down) in ground.flaps.iter().copied().enumerate() {
        let ground = ground.clone();
        links.spawn(async move { flap(&ground, number, down).await });
    }
    let mut findings = Findings::default();
    while let Some(flapped) = links.join_next().await {
        findings.add(flapped.context("a client has panicked")??);
    }
    Ok(findings)
}

/// A publisher behind a link that goes down, and a subscriber that waits for it.
async fn flap(ground: &Ground, number: usize, down: Duration) -> anyhow::Result<Findings> {
    let site = &ground.site;
    let relay = Relay::start(RelayConfig::new(site.http)).await.context("no port for links is to be had")?;
    let (robot, operator) = (format!("robot-{number}"), format!("operator-{number}"));
    let (publisher, _events) = site.join_at(relay.address(), (&robot, ROOM), RoomOptions::new()).await?;
    let (subscriber, _others) = site.join(&operator, ROOM).await?;
    let track = publisher.local_participant().publish_data_track("pose").await?;
    let found = subscriber.data_tracks_of(&robot).get_deferred("pose").await;
    let mut frames = found.context("the room is closed")?.subscribe().await?;
    flows(&track, &mut frames, FLOWS_WITHIN).await.context("no frame comes before the link is down")?;
    let session = publisher.local_participant().sid();
    relay.set_up(false);
    // The outage itself.
    tokio::time::sleep(down).await;
    relay.set_up(true);
    let back = flows(&track, &mut frames, BACK_WITHIN).await;
    let has_resumed = publisher.local_participant().sid() == session;
    let mut findings = Findings::default();
    let label = format!("down_{}_s", down.as_secs());
    findings.tell(format!("{label}_resumed"), f64::from(u8::from(has_resumed)));
    if let Some(back) = back {
        findings.tell(format!("{label}_frames_after_s"), back.as_secs_f64());
    }
    findings.expect(back.is_some(), || format!("no frame comes after a link was down for {down:?}"));
    findings
        .expect(has_resumed || down > RESUMES, || format!("{down:?} without a link have ended a session"));
    publisher.close().await;
    subscriber.close().await;
    Ok(findings)
}
