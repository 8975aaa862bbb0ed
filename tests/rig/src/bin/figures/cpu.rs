//! Processor time of the server per packet it forwards.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;
use trackyard_rig::flow::{self, Plan};
use trackyard_rig::{LiveClient, ServerProcess};

use crate::report::Table;
use crate::{Settings, join};

const FRAME_BYTES: usize = 1_000;

pub(crate) async fn measure(settings: &Settings) -> Result<Table> {
    let mut rows = Vec::new();
    for (subscribers, rate_hz) in [(1, 1_000.0), (20, 1_000.0)] {
        rows.push(forward(settings, subscribers, rate_hz).await?);
    }
    let title = format!("Processor time per forwarded packet, frames of {FRAME_BYTES} bytes");
    let head = vec!["flow", "per packet", "cores used", "delivered", "age p50 / p99"];
    Ok(Table { title, head, rows })
}

async fn forward(settings: &Settings, subscribers: usize, rate_hz: f64) -> Result<Vec<String>> {
    let server = settings.start()?;
    let mut publisher = join(&server, "publisher").await?;
    let sid = publisher.publish(1, "frames").await?;
    let plan = Plan { handle: 1, bytes: FRAME_BYTES, rate_hz, duration: settings.flow() };
    let mut collecting = JoinSet::new();
    for number in 0..subscribers {
        let mut subscriber = join(&server, &format!("subscriber-{number}")).await?;
        subscriber.subscribe(&sid).await?;
        let (sid, end) = (sid.clone(), Instant::now() + plan.duration + Duration::from_secs(3));
        collecting.spawn(async move { flow::collect(&mut subscriber, &sid, end).await });
    }
    let cost = cost(&server, &publisher, plan).await?;
    let tallies = collecting.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    let delivered: u64 = tallies.iter().map(|tally| tally.intact).sum();
    let share = delivered as f64 * 100.0 / (cost.accepted * subscribers as u64) as f64;
    let ages = [500, 990].map(|permille| tallies[0].age_permille(permille));
    Ok(vec![
        format!("1 → {subscribers} at {rate_hz} Hz"),
        format!("{:.1?}", cost.per_packet),
        format!("{:.2}", cost.cores),
        format!("{share:.2} %"),
        format!("{:.1?} / {:.1?}", ages[0], ages[1]),
    ])
}

struct Cost {
    per_packet: Duration,
    cores: f64,
    accepted: u64,
}

async fn cost(server: &ServerProcess, publisher: &LiveClient, plan: Plan) -> Result<Cost> {
    let forwarded = server.metrics().await?.counter("worker_forwarded");
    let (cpu, begun) = (server.process().cpu()?, Instant::now());
    let sent = flow::send(publisher, plan).await?;
    let (spent, took) = (server.process().cpu()? - cpu, begun.elapsed());
    let packets = server.metrics().await?.counter("worker_forwarded") - forwarded;
    Ok(Cost {
        per_packet: spent.div_f64(packets.max(1.0)),
        cores: spent.as_secs_f64() / took.as_secs_f64(),
        accepted: sent.accepted,
    })
}
