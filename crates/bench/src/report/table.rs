//! Results as a table for people: a row for each scenario, median [least..greatest] of its runs.

use super::fields::{ProcessReport, Report};
use crate::suite::Spread;

/// A column: its name, digits after the point, and what it holds.
type Column = (&'static str, usize, fn(&Report) -> Option<f64>);

const COLUMNS: [Column; 9] = [
    ("delivered %", 2, |run| Some(run.delivery.delivered_percent)),
    ("Mbit/s", 2, |run| Some(run.delivery.received_mbit_per_s)),
    ("p50 ms", 2, |run| run.latency.p50_ms),
    ("p99 ms", 1, |run| run.latency.p99_ms),
    ("max ms", 0, |run| run.latency.max_ms),
    ("CPU µs/frame", 1, |run| {
        run.server.as_ref().and_then(|server: &ProcessReport| server.cpu_us_per_frame)
    }),
    ("server cores", 2, |run| run.server.map(|server| server.cores)),
    ("RSS MiB", 1, |run| run.server.map(|server| server.rss_bytes as f64 / f64::from(1 << 20))),
    ("others' cores", 2, |run| run.machine.map(|machine| machine.other_cores)),
];

/// All runs; those with the same label share a row. It reads as Markdown too.
#[must_use]
pub fn table(runs: &[Report]) -> String {
    let mut rows = vec![header()];
    rows.extend(scenarios(runs).into_iter().map(|(label, runs)| row(label, &runs)));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..rows[0].len()).map(width).collect();
    let mut lines: Vec<_> = rows.iter().map(|row| line(row, &widths)).collect();
    let rule: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
    lines.insert(1, line(&rule, &widths));
    lines.concat()
}

fn header() -> Vec<String> {
    let names = COLUMNS.iter().map(|(name, ..)| *name);
    std::iter::once("load").chain(names).chain(["runs"]).map(str::to_owned).collect()
}

/// Runs by label, in the order in which labels first come.
fn scenarios(runs: &[Report]) -> Vec<(&str, Vec<&Report>)> {
    let mut scenarios: Vec<(&str, Vec<&Report>)> = Vec::new();
    for run in runs {
        match scenarios.iter_mut().find(|(label, _)| *label == run.label) {
            Some((_, runs)) => runs.push(run),
            None => scenarios.push((&run.label, vec![run])),
        }
    }
    scenarios
}

fn row(label: &str, runs: &[&Report]) -> Vec<String> {
    let mut cells = vec![one_line(label)];
    for (_, digits, value) in COLUMNS {
        cells.push(spread(runs.iter().filter_map(|run| value(run)).collect(), digits));
    }
    cells.push(runs.len().to_string());
    cells
}

fn spread(values: Vec<f64>, digits: usize) -> String {
    Spread::of(values).map_or_else(|| "-".to_owned(), |spread| spread.text(digits))
}

/// The label to the left, numbers to the right.
fn line(cells: &[String], widths: &[usize]) -> String {
    let padded = cells.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
        if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
    });
    format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "))
}

/// Without what would break a terminal's line or a table's cell.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || c == '|' { ' ' } else { c }).collect()
}
