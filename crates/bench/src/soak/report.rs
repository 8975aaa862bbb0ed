//! What a soak says: JSON, whose fields stay, and Markdown.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::footprint::{Footprint, mib};

/// Name and version of the document; the number changes when a field changes its meaning.
pub const SOAK_SCHEMA: &str = "trackyard.soak/1";

/// Everything that a soak has done and found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SoakReport {
    /// Always [`SOAK_SCHEMA`].
    pub schema: String,
    /// Of the server and the soak.
    pub version: String,
    /// Decides the order of faults, and what is random in them.
    pub seed: u64,
    /// What was to be done.
    pub faults: Vec<Fault>,
    /// How long it took.
    pub took_s: f64,
    /// It ended before it had done everything; why is the last of what did not hold.
    pub is_cut: bool,
    /// Clients that came and went.
    pub joins: JoinsReport,
    /// In the order they were.
    pub stages: Vec<StageReport>,
    /// What the server held once it was warm, and in the end.
    pub before: Footprint,
    /// In the end, when everybody but the bystanders had gone; nothing in a soak that was cut short.
    pub after: Footprint,
    /// By how much more it may be.
    pub tolerance: ToleranceReport,
    /// The server's memory in the course of time.
    pub memory: Vec<MemoryPoint>,
    /// What did not hold; empty if everything did.
    pub broken: Vec<String>,
}

/// Clients that came and went.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct JoinsReport {
    /// How many were to.
    pub asked: u64,
    /// How many did, those of the warm-up not included.
    pub done: u64,
    /// Tries that failed and were repeated.
    pub repeated: u64,
    /// Clients that never came in.
    pub failed: u64,
    /// From the first to the last.
    pub took_s: f64,
}

/// Faults that came at the same time, and what was seen meanwhile.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StageReport {
    /// Of which round.
    pub round: u32,
    /// Which.
    pub faults: Vec<Fault>,
    /// When it began, since the beginning.
    pub began_s: f64,
    /// How long it took.
    pub took_s: f64,
    /// What was done and what came of it.
    pub facts: Vec<Fact>,
    /// What bystanders saw, in the order of subscribers.
    pub bystanders: Vec<BystanderReport>,
    /// What did not hold.
    pub broken: Vec<String>,
}

/// A figure of a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// What it counts or measures; a unit is the last word.
    pub name: String,
    /// How much.
    pub value: f64,
}

/// What a bystander saw during a stage.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct BystanderReport {
    /// How long it was watched.
    pub watched_s: f64,
    /// Frames that its publisher's connection took for it; compare with how long it was watched.
    pub frames_sent: u64,
    /// Of those, how many did not come.
    pub frames_lost: u64,
    /// Reliable packets that its publisher's connection took for it.
    pub packets_sent: u64,
    /// Of those, how many did not come.
    pub packets_lost: u64,
    /// Packets that came twice, or late.
    pub packets_repeated: u64,
    /// How often its connection, or its publisher's, was interrupted.
    pub interruptions: u64,
    /// Ages of its frames when it had them.
    pub age_p50_ms: Option<f64>,
    /// The oldest hundredth was older.
    pub age_p99_ms: Option<f64>,
    /// The oldest.
    pub age_max_ms: Option<f64>,
}

/// By how much more may be held in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ToleranceReport {
    /// Memory.
    pub memory_bytes: u64,
    /// Descriptors.
    pub descriptors: u64,
    /// Tasks.
    pub tasks: u64,
}

/// The server's memory at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MemoryPoint {
    /// Since the beginning.
    pub at_s: f64,
    /// Clients that had come and gone.
    pub joins: u64,
    /// Resident, without what it shares with files.
    pub memory_bytes: u64,
}

impl SoakReport {
    /// The document, indented, with a line end.
    ///
    /// # Errors
    /// Never for reports that this crate describes: their fields are plain.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// For people.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        [self.head(), self.held(), self.stages(), self.growth(), self.verdict()].join("\n")
    }

    fn head(&self) -> String {
        let JoinsReport { asked, done, repeated, failed, took_s } = self.joins;
        let rate = done as f64 / took_s.max(1e-3);
        let faults: Vec<_> = self.faults.iter().map(|fault| fault.name()).collect();
        let cut = if self.is_cut { ", cut short" } else { "" };
        format!(
            "# Soak\n\nTrackyard {}, seed {}, {:.0} s{cut}: {}.\n\n\
             {done} of {asked} joins in {took_s:.1} s, {rate:.1} a second; {repeated} tries repeated, {failed} failed.\n",
            self.version,
            self.seed,
            self.took_s,
            faults.join(", ")
        )
    }

    fn held(&self) -> String {
        let (before, after, slack) = (&self.before, &self.after, &self.tolerance);
        let mut text =
            String::from("| the server holds | before | after | may be more by |\n|---|---|---|---|\n");
        // Nobody has looked in the end.
        let is_known = *after != Footprint::default();
        let (was, is, may) = (mib(before.memory_bytes), mib(after.memory_bytes), mib(slack.memory_bytes));
        let told = |now: String| if is_known { now } else { "-".to_owned() };
        row(&mut text, format_args!("| memory, MiB | {was} | {} | {may} |", told(is.to_string())));
        for (what, before, after, slack) in [
            ("descriptors", before.descriptors, after.descriptors, slack.descriptors),
            ("threads", before.threads, after.threads, 1),
            ("tasks", before.tasks, after.tasks, slack.tasks),
            ("rooms", before.rooms, after.rooms, 0),
            ("participants", before.participants, after.participants, 0),
            ("ICE/TCP connections", before.tcp_connections, after.tcp_connections, 0),
            ("workers", before.workers_alive, after.workers_alive, 0),
        ] {
            row(&mut text, format_args!("| {what} | {before} | {} | {slack} |", told(after.to_string())));
        }
        text
    }

    fn stages(&self) -> String {
        let mut text = String::from(
            "| round | faults | s | what came of it | frames lost | packets lost | interruptions | age p50 / p99 / max, ms |\n\
             |---|---|---|---|---|---|---|---|\n",
        );
        for stage in &self.stages {
            let faults: Vec<_> = stage.faults.iter().map(|fault| fault.name()).collect();
            let facts: Vec<_> = stage.facts.iter().map(Fact::to_string).collect();
            let each = |show: fn(&BystanderReport) -> String| {
                stage.bystanders.iter().map(show).collect::<Vec<_>>().join("; ")
            };
            let ages = each(|seen| {
                let [p50, p99, max] = [seen.age_p50_ms, seen.age_p99_ms, seen.age_max_ms]
                    .map(|age| age.map_or("-".to_owned(), |age| age.to_string()));
                format!("{p50} / {p99} / {max}")
            });
            row(
                &mut text,
                format_args!(
                    "| {} | {} | {:.1} | {} | {} | {} | {} | {ages} |",
                    stage.round,
                    faults.join(" + "),
                    stage.took_s,
                    facts.join(", "),
                    each(|seen| format!("{} of {}", seen.frames_lost, seen.frames_sent)),
                    each(|seen| format!("{} of {}", seen.packets_lost, seen.packets_sent)),
                    each(|seen| seen.interruptions.to_string()),
                ),
            );
        }
        text
    }

    fn growth(&self) -> String {
        let mut text = String::from("| s | joins | memory, MiB |\n|---|---|---|\n");
        for point in &self.memory {
            let (at, joins, memory) = (point.at_s, point.joins, mib(point.memory_bytes));
            row(&mut text, format_args!("| {at:.0} | {joins} | {memory} |"));
        }
        text
    }

    fn verdict(&self) -> String {
        let lines: String = self.broken.iter().map(|broken| format!("- {broken}\n")).collect();
        let broken = (!lines.is_empty()).then(|| format!("What did not hold:\n\n{lines}"));
        let cut = self.is_cut.then(|| "Cut short: nothing is known of the end.\n".to_owned());
        let told: Vec<_> = cut.into_iter().chain(broken).collect();
        if told.is_empty() { "Everything held.\n".to_owned() } else { told.join("\n") }
    }
}

impl std::fmt::Display for Fact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name.replace('_', " "), self.value)
    }
}

fn row(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}
