//! Results as CSV (RFC 4180): a header, then one row for each run.

use super::fields::{LatencyReport, ProcessReport, Report};

/// A column's name and what it holds.
type Column = (&'static str, fn(&Report) -> Option<String>);

const COLUMNS: [Column; 36] = [
    ("label", |run| Some(run.label.clone())),
    ("target", |run| Some(run.target.clone())),
    ("run", |run| Some(run.run.clone())),
    ("frame_bytes", |run| text(run.scenario.frame_bytes)),
    ("rate_hz", |run| text(run.scenario.rate_hz)),
    ("tracks", |run| text(run.scenario.tracks)),
    ("publishers", |run| text(run.scenario.publishers)),
    ("subscribers", |run| text(run.scenario.subscribers)),
    ("duration_s", |run| text(run.scenario.duration_s)),
    ("links", |run| Some(links(run))),
    ("frames_due", |run| text(run.delivery.frames_due)),
    ("frames_sent", |run| text(run.delivery.frames_sent)),
    ("frames_received", |run| text(run.delivery.frames_received)),
    ("frames_missing", |run| text(run.delivery.frames_missing)),
    ("frames_unexpected", |run| text(run.delivery.frames_unexpected)),
    ("frames_duplicate", |run| text(run.delivery.frames_duplicate)),
    ("frames_out_of_order", |run| text(run.delivery.frames_out_of_order)),
    ("frames_corrupt", |run| text(run.delivery.frames_corrupt)),
    ("wrong_bytes", |run| text(run.delivery.wrong_bytes)),
    ("delivered_percent", |run| text(run.delivery.delivered_percent)),
    ("received_mbit_per_s", |run| text(run.delivery.received_mbit_per_s)),
    ("mean_ms", |run| latency(run, |latency| latency.mean_ms)),
    ("p50_ms", |run| latency(run, |latency| latency.p50_ms)),
    ("p90_ms", |run| latency(run, |latency| latency.p90_ms)),
    ("p99_ms", |run| latency(run, |latency| latency.p99_ms)),
    ("p999_ms", |run| latency(run, |latency| latency.p999_ms)),
    ("max_ms", |run| latency(run, |latency| latency.max_ms)),
    ("lateness_p99_ms", |run| run.sending.lateness.p99_ms.and_then(text)),
    ("fairness_jain", |run| run.fairness.and_then(|fairness| text(fairness.jain))),
    ("cpu_us_per_frame", |run| server(run, |server| server.cpu_us_per_frame)),
    ("server_cores", |run| server(run, |server| Some(server.cores))),
    ("server_rss_bytes", |run| run.server.and_then(|server| text(server.rss_bytes))),
    ("server_rss_growth_bytes", |run| run.server.and_then(|server| text(server.rss_growth_bytes))),
    ("bench_cores", |run| run.bench.and_then(|bench| text(bench.cores))),
    ("other_cores", |run| run.machine.and_then(|machine| text(machine.other_cores))),
    ("version", |run| Some(run.version.clone())),
];

/// All runs, lines ended by CR LF.
#[must_use]
pub fn csv(runs: &[Report]) -> String {
    let header = row(COLUMNS.iter().map(|(name, _)| (*name).to_owned()));
    let rows = runs.iter().map(|run| row(COLUMNS.iter().map(|(_, cell)| cell(run).unwrap_or_default())));
    std::iter::once(header).chain(rows).collect()
}

fn row(cells: impl Iterator<Item = String>) -> String {
    cells.map(|cell| quoted(&cell)).collect::<Vec<_>>().join(",") + "\r\n"
}

/// In quotes where it would not be read back otherwise.
fn quoted(cell: &str) -> String {
    let plain = !cell.contains([',', '"', '\r', '\n']) && cell.trim() == cell;
    if plain { cell.to_owned() } else { format!("\"{}\"", cell.replace('"', "\"\"")) }
}

fn text(value: impl ToString + Copy) -> Option<String> {
    Some(value.to_string())
}

/// Each link that some subscriber has, once.
fn links(run: &Report) -> String {
    let mut links: Vec<_> = run.subscribers.iter().filter_map(|one| one.link.as_deref()).collect();
    links.sort_unstable();
    links.dedup();
    links.join(" ")
}

fn latency(run: &Report, field: fn(&LatencyReport) -> Option<f64>) -> Option<String> {
    field(&run.latency).and_then(text)
}

fn server(run: &Report, field: fn(&ProcessReport) -> Option<f64>) -> Option<String> {
    run.server.as_ref().and_then(field).and_then(text)
}
