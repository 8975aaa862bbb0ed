//! Results as Markdown, for documents as they are.

use std::fmt::Write as _;

use super::metric::Metric;
use super::results::{Cell, Document, Floor, Mark, Row};
use super::scenario::Group;

/// The whole report: what it was measured on, and a table for each group that was measured.
#[must_use]
pub fn markdown(document: &Document) -> String {
    let mut text = head(document);
    for group in Group::ALL {
        let rows = document.rows(group);
        if rows.is_empty() {
            continue;
        }
        let table = if group.columns().is_empty() {
            long(document, &rows)
        } else {
            wide(document, (group.columns(), &rows))
        };
        push(&mut text, format_args!("\n## {}\n\n{table}", group.title()));
        if group == Group::OneToOne {
            push(&mut text, format_args!("\n{}\n", highest(document)));
        }
    }
    text + &key(document)
}

/// Writing into a string never fails.
fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(what);
}

fn head(document: &Document) -> String {
    let machine = &document.machine;
    let mut text = format!(
        "Measured {} with trackyard {} on {} cores of {}, {} MiB, {}. Cells: median [least..greatest] of the runs.\n\n",
        document.date, document.version, machine.cores, machine.cpu_model, machine.memory_mib, machine.kernel
    );
    for server in &document.servers {
        let version = server.version.as_deref().unwrap_or("unknown");
        let core = server.core.map(|core| format!(", kept to core {core}")).unwrap_or_default();
        let by = server.started_by.as_ref().map(|by| format!(", started by `{}`", one_line(by)));
        push(
            &mut text,
            format_args!(
                "- **{}**: says that it is {} at {}{core}{}\n",
                one_line(&server.name),
                one_line(version),
                one_line(&server.url),
                by.unwrap_or_default()
            ),
        );
    }
    push(&mut text, format_args!("\n    {}\n", one_line(&document.command)));
    if let Some(floor) = &document.floor {
        push(&mut text, format_args!("\n{}\n", spoken_floor(floor)));
    }
    text
}

fn spoken_floor(floor: &Floor) -> String {
    let gso =
        floor.send_gso_us.map_or_else(String::new, |us| format!(", {us:.2} µs in one send of many (GSO)"));
    format!(
        "Floor of this machine in CPU time for {} bytes: {:.2} µs to send one datagram alone{gso}, {:.2} µs to seal it with AES-128-GCM. \
         A floor below is one of each: {:.2} µs.",
        floor.datagram_bytes,
        floor.send_us,
        floor.seal_us,
        floor.packet_us()
    )
}

/// A line for each server, and one for their ratio.
fn wide(document: &Document, (columns, rows): (&[Metric], &[Row<'_>])) -> String {
    let titles = columns.iter().map(|metric| metric.title());
    let head = ["load", "server"].into_iter().chain(titles).chain(["runs", "notes"]);
    let mut lines = vec![head.map(str::to_owned).collect::<Vec<_>>()];
    for row in rows {
        for (cell, server) in row.cells.iter().zip(&document.servers) {
            let mut line = vec![one_line(&row.title), one_line(&server.name)];
            line.extend(columns.iter().map(|metric| value(cell, *metric)));
            line.extend([cell.runs.to_string(), one_line(&cell.notes())]);
            lines.push(line);
        }
        if let [first, second] = document.servers.as_slice() {
            let mut line =
                vec![one_line(&row.title), format!("{} / {}", one_line(&first.name), one_line(&second.name))];
            line.extend(columns.iter().map(|metric| ratio(row, *metric)));
            line.extend([String::new(), String::new()]);
            lines.push(line);
        }
    }
    table(&lines)
}

/// A line for each figure, a column for each server.
fn long(document: &Document, rows: &[Row<'_>]) -> String {
    let mut head = vec!["what".to_owned(), "figure".to_owned()];
    head.extend(document.servers.iter().map(|server| one_line(&server.name)));
    if let [first, second] = document.servers.as_slice() {
        head.push(format!("{} / {}", one_line(&first.name), one_line(&second.name)));
    }
    head.extend(["runs".to_owned(), "notes".to_owned()]);
    let width = head.len();
    let mut lines = vec![head];
    for row in rows {
        for metric in metrics(row) {
            let mut line = vec![one_line(&row.title), metric.title().to_owned()];
            line.extend(row.cells.iter().map(|cell| value(cell, metric)));
            line.extend((row.cells.len() == 2).then(|| ratio(row, metric)));
            line.extend([runs(row), notes(document, row)]);
            lines.push(line);
        }
        if metrics(row).is_empty() {
            let mut line = vec![one_line(&row.title)];
            line.resize(width - 2, "-".to_owned());
            line.extend([runs(row), notes(document, row)]);
            lines.push(line);
        }
    }
    table(&lines)
}

fn metrics(row: &Row<'_>) -> Vec<Metric> {
    let mut metrics: Vec<Metric> = row.cells.iter().flat_map(|cell| cell.values.keys().copied()).collect();
    metrics.sort_unstable();
    metrics.dedup();
    metrics
}

fn runs(row: &Row<'_>) -> String {
    let runs = row.cells.iter().map(|cell| cell.runs.to_string());
    runs.collect::<Vec<_>>().join(" / ")
}

fn notes(document: &Document, row: &Row<'_>) -> String {
    let said = row.cells.iter().zip(&document.servers).filter_map(|(cell, server)| {
        let notes = cell.notes();
        (!notes.is_empty()).then(|| one_line(&format!("{}: {notes}", server.name)))
    });
    said.collect::<Vec<_>>().join("; ")
}

fn value(cell: &Cell, metric: Metric) -> String {
    cell.values.get(&metric).map_or_else(|| "-".to_owned(), |spread| spread.text(metric.digits()))
}

fn ratio(row: &Row<'_>, metric: Metric) -> String {
    let spoken = |ratio: f64| if ratio < 0.1 { format!("{ratio:.3}") } else { format!("{ratio:.2}") };
    row.ratio(metric).map_or_else(|| "-".to_owned(), spoken)
}

fn highest(document: &Document) -> String {
    let each = document.servers.iter().enumerate().map(|(index, server)| {
        let rate = document.highest_rate_hz(index).map_or("none".to_owned(), |rate| format!("{rate:.0} Hz"));
        format!("{} {rate}", one_line(&server.name))
    });
    format!("Highest of these rates with at least 99 % delivered: {}.", each.collect::<Vec<_>>().join(", "))
}

fn key(document: &Document) -> String {
    let seen = |mark| document.runs.iter().any(|run| run.marks.contains(&mark));
    let mut text = String::new();
    for (mark, meaning) in [
        (
            Mark::ClientBound,
            "the measuring process had a thread, or all cores it may use, busy for at least 95 % of the time: the figures are its own",
        ),
        (Mark::PublisherDropped, "publishers dropped more than 0.5 % of frames before they were sent"),
        (Mark::MachineFull, "all cores of the machine were busy for at least 95 % of the time"),
        (Mark::ServerBound, "the core that the server is kept to was busy for at least 95 % of the time"),
        (Mark::Noisy, "other processes used more than 0.35 cores"),
        (Mark::Used, "the server was not started anew, so that memory it had kept counts as none"),
    ] {
        if seen(mark) {
            push(&mut text, format_args!("- *{}*: {meaning}.\n", mark.text()));
        }
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

fn table(lines: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        push(&mut text, format_args!("| {} |\n", line.join(" | ")));
        if index == 0 {
            push(&mut text, format_args!("|{}\n", "---|".repeat(line.len())));
        }
    }
    text
}

/// Without what would break a line or a cell.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || c == '|' { ' ' } else { c }).collect()
}
