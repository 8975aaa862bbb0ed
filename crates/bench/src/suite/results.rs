//! What was measured, as one document that is kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::metric::Metric;
use super::scenario::Group;
use super::spread::Spread;

/// Name and version of the document; the number changes when a field changes its meaning.
pub const SCHEMA: &str = "trackyard.suite/1";

/// At least this share, in percent, counts as delivered when the highest rate is looked for.
const DELIVERED_PERCENT_MIN: f64 = 99.0;

/// Everything that was measured, and on what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Version of what has measured.
    pub version: String,
    /// When it began.
    pub date: String,
    /// What was typed, without secrets.
    pub command: String,
    /// On which everything ran.
    pub machine: Machine,
    /// One or two, in the order given.
    pub servers: Vec<ServerFacts>,
    /// What the machine takes for one packet, whatever a server does.
    pub floor: Option<Floor>,
    /// In the order in which they were measured.
    pub runs: Vec<Run>,
}

/// On which everything ran.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Machine {
    /// All of them.
    pub cores: usize,
    /// As the system calls its processor.
    pub cpu_model: String,
    /// As the system calls itself.
    pub kernel: String,
    /// Memory in all.
    pub memory_mib: u64,
}

/// A server that was measured.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServerFacts {
    /// What it is called here.
    pub name: String,
    /// Where it is, without credentials.
    pub url: String,
    /// As it says itself.
    pub version: Option<String>,
    /// The command by which it was started anew before what needs a fresh one.
    pub started_by: Option<String>,
    /// The core it was kept to.
    pub core: Option<u32>,
}

/// CPU time that one packet takes on this machine, whatever a server does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Floor {
    /// Of each datagram.
    pub datagram_bytes: usize,
    /// One send of one datagram over UDP on loopback.
    pub send_us: f64,
    /// One datagram of many in one send (GSO), where the system has that.
    pub send_gso_us: Option<f64>,
    /// One seal with AES-128-GCM.
    pub seal_us: f64,
}

/// What one turn has shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Name of the scenario.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// Its table.
    pub group: Group,
    /// Index of the server.
    pub server: usize,
    /// Of the scenario's runs on this server, from 0.
    pub number: u32,
    /// Frames of each track per second, if any flow.
    pub rate_hz: Option<f64>,
    /// One, or one for each kind of subscriber. What belongs to the whole run is in the first.
    pub parts: Vec<Part>,
    /// What has to be known beside the figures.
    pub marks: Vec<Mark>,
    /// Why it did not come to its end.
    pub unfinished: Option<String>,
}

/// Figures of a run, or of one kind of its subscribers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Part {
    /// Which kind of subscribers, if there are several.
    pub who: Option<String>,
    /// What was measured.
    pub values: BTreeMap<Metric, f64>,
}

/// What has to be known beside the figures of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Mark {
    /// The measuring process had no more CPU time to spend: the figures are its own.
    ClientBound,
    /// Publishers dropped frames before they were sent.
    PublisherDropped,
    /// All cores of the machine were busy.
    MachineFull,
    /// The core that the server is kept to was busy.
    ServerBound,
    /// Others used more than a third of a core.
    Noisy,
    /// Something had happened to the server before, so that its memory says less.
    Used,
}

/// A line of a table: a scenario, or one kind of its subscribers.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<'d> {
    /// Name of the scenario.
    pub scenario: &'d str,
    /// For people.
    pub title: String,
    /// Frames of each track per second, if any flow.
    pub rate_hz: Option<f64>,
    /// One for each server.
    pub cells: Vec<Cell>,
}

/// What all runs of one server come to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cell {
    /// Over runs that came to their end.
    pub values: BTreeMap<Metric, Spread>,
    /// How many did.
    pub runs: usize,
    /// In how many of them each mark was set.
    pub marks: BTreeMap<Mark, usize>,
    /// Why others did not.
    pub unfinished: Vec<String>,
}

/// Why a document cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It is no JSON, or a field is missing.
    #[error("it holds no results of a suite: {0}")]
    Format(#[from] serde_json::Error),
    /// It is of another version.
    #[error("its schema is `{0}`, not `{SCHEMA}`")]
    Schema(String),
}

impl Floor {
    /// What a packet takes that is sealed and sent alone.
    #[must_use]
    pub fn packet_us(&self) -> f64 {
        self.send_us + self.seal_us
    }
}

impl Mark {
    /// For people.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::ClientBound => "client-bound",
            Self::PublisherDropped => "publisher dropped",
            Self::MachineFull => "machine full",
            Self::ServerBound => "server-bound",
            Self::Noisy => "noisy",
            Self::Used => "not fresh",
        }
    }
}

impl Document {
    /// As JSON, indented, with a line end.
    ///
    /// # Errors
    /// Never for a document of finite figures.
    pub fn to_json(&self) -> Result<String, ReadError> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads what was written before.
    ///
    /// # Errors
    /// When it is something else.
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        let document: Self = serde_json::from_str(text)?;
        if document.schema == SCHEMA { Ok(document) } else { Err(ReadError::Schema(document.schema)) }
    }

    /// Lines of a group's table, in the order of measuring.
    #[must_use]
    pub fn rows(&self, group: Group) -> Vec<Row<'_>> {
        let mut lines: Vec<(&Run, Option<&str>)> = Vec::new();
        for run in self.runs.iter().filter(|run| run.group == group) {
            for who in self.kinds(&run.scenario) {
                let is_it =
                    |(known, whose): &(&Run, Option<&str>)| known.scenario == run.scenario && *whose == who;
                if !lines.iter().any(is_it) {
                    lines.push((run, who));
                }
            }
        }
        lines.into_iter().map(|(run, who)| self.row(run, who)).collect()
    }

    /// The highest rate at which this server delivered 99 % of what was due, by the median of its runs.
    #[must_use]
    pub fn highest_rate_hz(&self, server: usize) -> Option<f64> {
        let rows = self.rows(Group::OneToOne);
        let delivers = |row: &Row<'_>| {
            let cell = row.cells.get(server)?;
            let delivered = cell.values.get(&Metric::DeliveredPercent)?.median;
            row.rate_hz.filter(|_| delivered >= DELIVERED_PERCENT_MIN)
        };
        rows.iter().filter_map(delivers).max_by(f64::total_cmp)
    }

    /// The kinds of subscribers that a scenario has figures of; one without a name if it has none at all.
    fn kinds(&self, scenario: &str) -> Vec<Option<&str>> {
        let runs = self.runs.iter().filter(|run| run.scenario == scenario);
        let mut kinds: Vec<Option<&str>> = Vec::new();
        for who in runs.flat_map(|run| &run.parts).map(|part| part.who.as_deref()) {
            if !kinds.contains(&who) {
                kinds.push(who);
            }
        }
        if kinds.is_empty() { vec![None] } else { kinds }
    }

    fn row<'d>(&'d self, run: &'d Run, who: Option<&str>) -> Row<'d> {
        let runs = |server| {
            let is_it = move |other: &&Run| other.scenario == run.scenario && other.server == server;
            self.runs.iter().filter(is_it)
        };
        Row {
            scenario: &run.scenario,
            title: who.map_or_else(|| run.title.clone(), |who| format!("{}: {who}", run.title)),
            rate_hz: run.rate_hz,
            cells: (0..self.servers.len()).map(|server| Cell::of(runs(server), who)).collect(),
        }
    }
}

impl Row<'_> {
    /// What the first server's median is over the second's.
    #[must_use]
    pub fn ratio(&self, metric: Metric) -> Option<f64> {
        let [first, second] = self.cells.as_slice() else { return None };
        let (first, second) = (first.values.get(&metric)?.median, second.values.get(&metric)?.median);
        let ratio = first / second;
        (metric.is_compared() && second > 0.0 && ratio.is_finite()).then_some(ratio)
    }
}

impl Cell {
    /// Of these runs, as far as these subscribers are concerned.
    fn of<'r>(runs: impl Iterator<Item = &'r Run>, who: Option<&str>) -> Self {
        let mut cell = Self::default();
        let mut values: BTreeMap<Metric, Vec<f64>> = BTreeMap::new();
        for run in runs {
            if let Some(reason) = &run.unfinished {
                cell.unfinished.push(reason.clone());
                continue;
            }
            cell.runs += 1;
            run.marks.iter().for_each(|mark| *cell.marks.entry(*mark).or_default() += 1);
            for part in run.parts.iter().filter(|part| part.who.as_deref() == who) {
                part.values
                    .iter()
                    .for_each(|(metric, value)| values.entry(*metric).or_default().push(*value));
            }
        }
        let spread = |(metric, values)| Some((metric, Spread::of(values)?));
        cell.values = values.into_iter().filter_map(spread).collect();
        cell
    }

    /// What has to be known beside its figures; empty if nothing.
    #[must_use]
    pub fn notes(&self) -> String {
        let mark = |(mark, count): (&Mark, &usize)| {
            if *count == self.runs {
                mark.text().to_owned()
            } else {
                format!("{} ({count} of {})", mark.text(), self.runs)
            }
        };
        let marks = self.marks.iter().map(mark);
        let mut reasons: Vec<(&str, usize)> = Vec::new();
        for reason in &self.unfinished {
            match reasons.iter_mut().find(|(known, _)| known == reason) {
                Some((_, count)) => *count += 1,
                None => reasons.push((reason, 1)),
            }
        }
        let all = self.runs + self.unfinished.len();
        let unfinished =
            reasons.iter().map(|(reason, count)| format!("not finished ({count} of {all}): {reason}"));
        marks.chain(unfinished).collect::<Vec<_>>().join("; ")
    }
}
