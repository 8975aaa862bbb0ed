//! Worker threads die, one after the other.

use std::time::Duration;

use anyhow::ensure;

use super::{Findings, Ground};
use crate::commands::bench::soak::site::{Site, until};

/// What says how many have died.
pub(in crate::commands::bench::soak) const DEATHS: &str = "deaths";
/// A worker that is told to die has died by then, and another runs in its place.
const DIES_WITHIN: Duration = Duration::from_secs(10);
/// Everything flows again by then.
const BACK_WITHIN: Duration = Duration::from_secs(20);

pub(super) async fn run(ground: &Ground) -> anyhow::Result<Findings> {
    let Ground { site, bystanders, .. } = ground;
    let (mut findings, mark) = (Findings::default(), bystanders.mark());
    let (before, mut noticed) = (bystanders.interruptions(), 0_u64);
    let workers = site.metrics().await?.count("trackyard_workers_alive");
    for worker in 0..workers {
        let interruptions = bystanders.interruptions();
        bystanders.take_silence();
        kill(site, (worker, workers)).await?;
        let is_back = bystanders.flows(BACK_WITHIN).await?;
        let silence = bystanders.take_silence();
        // Of a worker that served none of them they have nothing to tell.
        if bystanders.interruptions() > interruptions {
            noticed += 1;
            findings.tell(format!("worker_{worker}_silence_s"), silence.as_secs_f64());
        }
        findings.expect(is_back, || format!("nothing flows {BACK_WITHIN:?} after worker {worker} has died"));
    }
    findings.tell(DEATHS, workers as f64);
    findings.tell("deaths_noticed", noticed as f64);
    findings.tell("interruptions", (bystanders.interruptions() - before) as f64);
    findings.tell("unconfirmed_packets", bystanders.unconfirmed_since(&mark) as f64);
    // They are on some worker, whichever that is, and it has died.
    findings.expect(noticed > 0, || "no bystander has noticed that every worker has died".to_owned());
    Ok(findings)
}

async fn kill(site: &Site, (worker, workers): (u64, u64)) -> anyhow::Result<()> {
    let before = site.metrics().await?.count("trackyard_worker_deaths_total");
    site.order(&format!("worker {worker}"))?;
    let is_replaced = move || async move {
        let metrics = site.metrics().await?;
        let has_died = metrics.count("trackyard_worker_deaths_total") > before;
        Ok(has_died && metrics.count("trackyard_workers_alive") == workers)
    };
    ensure!(
        until(DIES_WITHIN, is_replaced).await?,
        "worker {worker} has not died, or none runs in its place"
    );
    Ok(())
}
