//! What has to be reached, for those who measure in order to be told.

use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use trackyard_bench::report::Report;
use trackyard_bench::units;

use crate::Outcome;
use crate::failure::Failure;

/// What has to be reached.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct Limits {
    /// Exit with 1 if any run delivers less of what was due, such as 99% or 0.99
    #[arg(long, value_name = "SHARE", value_parser = units::share)]
    fail_if_delivery_below: Option<f64>,
    /// Exit with 1 if the 99th percentile of latency of any run is longer, or nothing arrives
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    fail_if_p99_above: Option<Duration>,
}

impl Limits {
    /// Whether every run has kept them.
    ///
    /// # Errors
    /// [`Failure::Failed`] with everything that was not reached.
    pub(super) fn check(&self, reports: &[Report]) -> Outcome {
        let broken: Vec<String> = reports.iter().flat_map(|report| self.broken(report)).collect();
        if broken.is_empty() { Ok(()) } else { Err(Failure::Failed(anyhow!(broken.join("\nerror: ")))) }
    }

    fn broken(&self, report: &Report) -> Vec<String> {
        let (label, delivered) = (&report.label, report.delivery.delivered_percent);
        let least = self.fail_if_delivery_below.map(|share| share * 100.0);
        let too_few = least
            .filter(|least| delivered < *least)
            .map(|least| format!("{label}: {delivered} % were delivered, below {least} %"));
        let longest = self.fail_if_p99_above.map(|time| time.as_secs_f64() * 1e3);
        let too_late = longest.and_then(|longest| match report.latency.p99_ms {
            None => Some(format!(
                "{label}: nothing has arrived, so the 99th percentile is not below {longest} ms"
            )),
            Some(p99) if p99 > longest => {
                Some(format!("{label}: the 99th percentile of latency is {p99} ms, above {longest} ms"))
            }
            Some(_) => None,
        });
        too_few.into_iter().chain(too_late).collect()
    }
}
