//! What bad links leave of a flow.

use std::time::{Duration, Instant};

use anyhow::Result;
use trackyard_rig::Links;
use trackyard_rig::flow::{self, Plan};
use trackyard_sim::link::LinkConfig;

use crate::report::Table;
use crate::{Settings, join, join_as};

struct Case {
    what: &'static str,
    bytes: usize,
    rate_hz: f64,
    round_trip: Duration,
    rate_bps: Option<u64>,
    loss: f64,
}

const OPEN: Case =
    Case { what: "", bytes: 65_536, rate_hz: 38.15, round_trip: Duration::ZERO, rate_bps: None, loss: 0.0 };
const NEAR: Duration = Duration::from_millis(20);
const MBIT: u64 = 1_000_000;

const CASES: [Case; 6] = [
    Case { what: "64 KiB at 20 Mbit/s, no limit", ..OPEN },
    Case {
        what: "64 KiB at 20 Mbit/s, 5 Mbit/s and 20 ms",
        round_trip: NEAR,
        rate_bps: Some(5 * MBIT),
        ..OPEN
    },
    Case {
        what: "16 KiB at 50 Hz, 100 ms",
        bytes: 16_384,
        rate_hz: 50.0,
        round_trip: Duration::from_millis(100),
        ..OPEN
    },
    Case {
        what: "75 KiB at 30 Hz, 20 ms, loss 1 %",
        bytes: 76_800,
        rate_hz: 30.0,
        round_trip: NEAR,
        loss: 0.01,
        ..OPEN
    },
    Case {
        what: "75 KiB at 30 Hz, 20 ms, loss 3 %",
        bytes: 76_800,
        rate_hz: 30.0,
        round_trip: NEAR,
        loss: 0.03,
        ..OPEN
    },
    Case {
        what: "200 B at 100 Hz, 20 ms, loss 3 %",
        bytes: 200,
        rate_hz: 100.0,
        round_trip: NEAR,
        loss: 0.03,
        ..OPEN
    },
];

impl Case {
    fn links(&self) -> Links {
        let up = LinkConfig { delay: self.round_trip / 2, loss: self.loss, ..LinkConfig::default() };
        Links { up, down: LinkConfig { rate_bps: self.rate_bps, ..up } }
    }
}

pub(crate) async fn measure(settings: &Settings) -> Result<Table> {
    let mut rows = Vec::new();
    for case in &CASES {
        rows.push(run(settings, case).await?);
    }
    let head = vec!["subscriber's link", "intact", "of these after 3 s", "Mbit/s", "age p50 / p95", "drops"];
    Ok(Table { title: "Links".to_owned(), head, rows })
}

async fn run(settings: &Settings, case: &Case) -> Result<Vec<String>> {
    let server = settings.start()?;
    let mut publisher = join(&server, "publisher").await?;
    let sid = publisher.publish(1, "frames").await?;
    let mut config = server.client("subscriber", "figures");
    config.links = case.links();
    let mut subscriber = join_as(config).await?;
    subscriber.subscribe(&sid).await?;
    // SCTP begins slowly on long paths; what comes after is shown, too.
    let begin =
        Plan { handle: 1, bytes: case.bytes, rate_hz: case.rate_hz, duration: Duration::from_secs(3) };
    let steady = Plan { duration: settings.flow(), ..begin };
    let mut seen = Vec::new();
    for plan in [begin, steady] {
        let end = Instant::now() + plan.duration + Duration::from_millis(500);
        let (sent, tally) =
            tokio::join!(flow::send(&publisher, plan), flow::collect(&mut subscriber, &sid, end));
        seen.push((sent?.accepted, tally?));
    }
    let share = |intact: u64, sent: u64| format!("{:.1} %", intact as f64 * 100.0 / sent.max(1) as f64);
    let [(first_sent, first), (sent, tally)] = [&seen[0], &seen[1]];
    let rate = tally.bytes as f64 * 8.0 / steady.duration.as_secs_f64() / MBIT as f64;
    let drops = server.metrics().await?.drops().into_iter().filter(|(_, count)| *count > 0.0);
    Ok(vec![
        case.what.to_owned(),
        share(first.intact + tally.intact, first_sent + sent),
        share(tally.intact, *sent),
        format!("{rate:.1}"),
        format!("{:.0?} / {:.0?}", tally.age_permille(500), tally.age_permille(950)),
        drops.map(|(reason, count)| format!("{reason} {count}")).collect::<Vec<_>>().join(", "),
    ])
}
