//! Where results go.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use trackyard_bench::report::{Report, Results, chart, csv, table};

use crate::failure::Failure;
use crate::text::printable_lines;
use crate::{Outcome, output, say};

/// Where results go besides the table.
#[derive(Debug, Args)]
#[command(next_help_heading = "Results")]
pub(super) struct Destinations {
    /// Write everything as JSON to a file, or in place of the table to standard output with `-`
    #[arg(long, value_name = "FILE|-")]
    json: Option<PathBuf>,
    /// Write a row for each run to a file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Draw latencies and delivery into an SVG file
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
}

impl Destinations {
    /// Whether all files can be written: better said before than after an hour.
    ///
    /// # Errors
    /// [`Failure::Usage`] with the file that cannot.
    pub(super) fn check(&self) -> Outcome {
        let json = self.json.as_deref().filter(|path| !is_output(path));
        for path in [json, self.csv.as_deref(), self.chart.as_deref()].into_iter().flatten() {
            // What is there is not lost before there is something new.
            OpenOptions::new()
                .append(true)
                .create(true)
                .open(path)
                .map_err(|error| Failure::Usage(format!("{} cannot be written: {error}", path.display())))?;
        }
        Ok(())
    }

    /// Writes them all.
    ///
    /// # Errors
    /// When a file, or standard output, cannot be written.
    pub(super) fn write(&self, title: &str, reports: &[Report]) -> Outcome {
        let table = printable_lines(&text(reports)).into_owned();
        match self.json.as_deref() {
            Some(path) if is_output(path) => {
                say::text(&table);
                output::write(json(reports)?.as_bytes())?;
            }
            path => {
                output::print(&table)?;
                path.map_or(Ok(()), |path| write(path, &json(reports)?))?;
            }
        }
        if let Some(path) = &self.csv {
            write(path, &csv(reports))?;
        }
        if let Some(path) = &self.chart {
            write(path, &chart(title, reports))?;
        }
        Ok(())
    }
}

fn is_output(path: &Path) -> bool {
    path == Path::new("-")
}

fn json(reports: &[Report]) -> anyhow::Result<String> {
    Results::new(reports.to_vec()).to_json().context("results cannot be written as JSON")
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

/// The table, and what it has no columns for.
fn text(reports: &[Report]) -> String {
    let notes: String = reports.iter().flat_map(notes).map(|note| format!("{note}\n")).collect();
    let gap = if notes.is_empty() { "" } else { "\n" };
    format!("{}{gap}{notes}", table(reports))
}

fn notes(report: &Report) -> Vec<String> {
    let label = &report.label;
    let mut notes = Vec::new();
    let sending = &report.sending;
    if sending.frames_refused + sending.frames_unsent > 0 {
        notes.push(format!(
            "{label}: publishers were refused {} and did not come to {} of {} frames",
            sending.frames_refused, sending.frames_unsent, sending.frames_due
        ));
    }
    let drops: Vec<String> = report
        .drops
        .iter()
        .map(|drop| format!("{} {} by {:?}", drop.frames, drop.reason, drop.side).to_lowercase())
        .collect();
    if !drops.is_empty() {
        notes.push(format!("{label}: frames dropped, warm-up included: {}", drops.join(", ")));
    }
    notes.extend(report.links.iter().map(|link| {
        let share = link.datagrams_lost as f64
            / (link.datagrams_carried + link.datagrams_lost + link.datagrams_overflowed).max(1) as f64;
        format!(
            "{label}: links of {:?} {}: {} datagrams carried, {} lost ({:.2} %), {} found the queue full",
            link.side,
            link.direction,
            link.datagrams_carried,
            link.datagrams_lost,
            share * 1e2,
            link.datagrams_overflowed
        )
        .replace("Publishers", "publishers")
        .replace("Subscribers", "subscribers")
    }));
    let uneven = report.fairness.filter(|fairness| fairness.jain < 0.99);
    notes.extend(uneven.map(|fairness| {
        format!(
            "{label}: tracks were served unevenly: {} to {} %, Jain's index {}",
            fairness.min_percent, fairness.max_percent, fairness.jain
        )
    }));
    let late = sending.lateness.p99_ms.filter(|p99| report.latency.p99_ms.is_some_and(|all| p99 * 2.0 > all));
    notes.extend(late.map(|p99| {
        format!("{label}: this process was late itself: it pushed 1 % of frames more than {p99} ms after they were due")
    }));
    notes
}
