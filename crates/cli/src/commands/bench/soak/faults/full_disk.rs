//! The log is written to a device that is full: by a server beside the one that is tested, which logs everything.

use std::sync::Arc;
use std::time::Duration;

use trackyard_bench::soak::Hostile;

use super::{Findings, Ground};
use crate::commands::bench::soak::http;
use crate::commands::bench::soak::site::{Log, Site};
use crate::commands::bench::soak::visits::Visits;

const VISITS: u64 = 20;
const REQUESTS: usize = 20;
const STOPS_WITHIN: Duration = Duration::from_secs(20);

pub(super) async fn run(ground: &Ground) -> anyhow::Result<Findings> {
    let site = Arc::new(Site::start(&ground.directory, &Log::Full, 2).await?);
    let mut findings = Findings::default();
    let mut visits = Visits::begin(&site, VISITS, "tenant");
    visits.all().await?;
    let joins = visits.report();
    let mut hostile = Hostile::new(ground.seed, "");
    for _ in 0..REQUESTS {
        let path: String = hostile.noise(&[]).iter().map(|byte| char::from(byte % 26 + b'a')).collect();
        // Any answer will do: what counts is that there is one.
        http::get(site.http, &format!("/rtc?access_token={path}")).await?;
    }
    let metrics = site.metrics().await?;
    let lost = metrics.get("trackyard_log_lines_lost_total");
    let panics = metrics.get("trackyard_worker_peers_lost_total") + metrics.room_event("peers_lost");
    findings.tell("joins_without_a_log", joins.done as f64);
    findings.tell("log_lines_lost", lost);
    findings.expect(joins.done == VISITS && joins.repeated == 0, || {
        format!(
            "{} of {VISITS} joins without a log, {} repeated: {:?}",
            joins.done,
            joins.repeated,
            visits.why()
        )
    });
    findings.expect(lost > 0.0, || "the server counts no lost lines of its log".to_owned());
    findings.expect(panics == 0.0, || format!("{panics} peers have panicked without a log"));
    let status = site.stop(STOPS_WITHIN).await?;
    findings.expect(status.success(), || format!("a server without a log ends with {status}"));
    Ok(findings)
}
