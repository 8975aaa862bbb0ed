//! What was found, line by line, and the verdict.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::output;

/// What is shorter is no secret, and may be any word.
const SECRET_BYTES_MIN: usize = 12;

/// A step of the examination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Step {
    Url,
    Dns,
    Tcp,
    Tls,
    Token,
    Signalling,
    Candidate,
    Relay,
    Connection,
    Channels,
    Echo,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Ok,
    Failed,
    Skipped,
}

/// One line: what was looked at, and what was found.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Line {
    step: Step,
    state: State,
    text: String,
    #[serde(rename = "ms", skip_serializing_if = "Option::is_none")]
    took: Option<f64>,
    #[serde(skip_serializing_if = "Value::is_null")]
    facts: Value,
}

/// Everything that was found.
#[derive(Debug)]
pub(super) struct Report {
    is_json: bool,
    lines: Vec<Line>,
    warnings: Vec<String>,
    problem: Option<(Step, String)>,
    secrets: Vec<String>,
}

/// What it comes to.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    outcome: &'static str,
    failed: Option<Step>,
    text: String,
    exit_code: u8,
}

impl Step {
    /// All of them, in their order.
    pub(super) const ALL: [Self; 11] = [
        Self::Url,
        Self::Dns,
        Self::Tcp,
        Self::Tls,
        Self::Token,
        Self::Signalling,
        Self::Candidate,
        Self::Relay,
        Self::Connection,
        Self::Channels,
        Self::Echo,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::Url => "URL",
            Self::Dns => "DNS",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Token => "Token",
            Self::Signalling => "Signalling",
            Self::Candidate => "ICE",
            Self::Relay => "TURN",
            Self::Connection => "Connection",
            Self::Channels => "Channels",
            Self::Echo => "Echo",
        }
    }
}

impl Line {
    pub(super) fn ok(step: Step, text: impl Into<String>) -> Self {
        Self::new(step, State::Ok, text.into())
    }

    pub(super) fn failed(step: Step, text: impl Into<String>) -> Self {
        Self::new(step, State::Failed, text.into())
    }

    pub(super) fn skipped(step: Step, text: impl Into<String>) -> Self {
        Self::new(step, State::Skipped, text.into())
    }

    fn new(step: Step, state: State, text: String) -> Self {
        Self { step, state, text, took: None, facts: Value::Null }
    }

    /// How long it took.
    pub(super) fn took(mut self, took: Duration) -> Self {
        self.took = Some(milliseconds(took));
        self
    }

    /// What programs want to know.
    pub(super) fn facts(mut self, facts: Value) -> Self {
        self.facts = facts;
        self
    }

    fn print(&self) -> String {
        let mark = match self.state {
            State::Ok => '✓',
            State::Failed => '✗',
            State::Skipped => '–',
        };
        let took = self.took.map(|took| format!(" ({})", shown_ms(took))).unwrap_or_default();
        format!("{mark} {:<11} {}{took}\n", self.step.title(), self.text)
    }
}

impl Report {
    /// Nothing yet; lines are printed as they come unless all of it is to be JSON.
    pub(super) fn new(is_json: bool) -> Self {
        Self { is_json, lines: Vec::new(), warnings: Vec::new(), problem: None, secrets: Vec::new() }
    }

    /// A text that is never shown, whoever says it.
    pub(super) fn hide(&mut self, secret: &str) {
        if secret.len() >= SECRET_BYTES_MIN {
            self.secrets.push(secret.to_owned());
        }
    }

    /// Notes a line, and prints it.
    pub(super) fn line(&mut self, line: Line) -> anyhow::Result<()> {
        let text = line.print();
        self.lines.push(line);
        if self.is_json { Ok(()) } else { output::print(&self.scrub(&text)) }
    }

    /// Something works, and worse than it could.
    pub(super) fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }

    /// Something that is needed does not work. What failed first counts: the rest may follow from it.
    pub(super) fn problem(&mut self, step: Step, text: impl Into<String>) {
        self.problem.get_or_insert_with(|| (step, text.into()));
    }

    /// Whether something was found at this step.
    pub(super) fn has(&self, step: Step) -> bool {
        self.lines.iter().any(|line| line.step == step)
    }

    pub(super) fn steps(&self) -> Value {
        json!(self.lines)
    }

    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What it comes to.
    pub(super) fn verdict(&self) -> Verdict {
        if let Some((step, text)) = &self.problem {
            let text = format!("{} failed. {text}", step.title());
            return Verdict { outcome: "failed", failed: Some(*step), text, exit_code: 3 };
        }
        let (outcome, text) = if self.warnings.is_empty() {
            ("ok", "Everything works.".to_owned())
        } else {
            ("warning", "It works, but worse than it could: see the warnings.".to_owned())
        };
        let skipped = self.lines.iter().find(|line| line.state == State::Skipped && line.step == Step::Echo);
        let but = skipped.map(|_| " Frames were not sent.").unwrap_or_default();
        Verdict { outcome, failed: None, text: format!("{text}{but}"), exit_code: 0 }
    }

    /// The last lines.
    pub(super) fn closing(&self, verdict: &Verdict) -> String {
        let warnings: String = self.warnings.iter().map(|warning| format!("warning: {warning}\n")).collect();
        self.scrub(&format!("\n{warnings}{}\n", verdict.text))
    }

    /// Without what is not to be shown.
    pub(super) fn scrub(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "<hidden>"))
    }
}

impl Verdict {
    /// Whether everything that is needed works.
    pub(super) fn is_well(&self) -> bool {
        self.exit_code == 0
    }
}

/// To the microsecond.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

fn shown_ms(ms: f64) -> String {
    if ms < 10.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_first_is_the_verdict() {
        let mut report = Report::new(true);
        report.warn("slow");
        report.problem(Step::Tcp, "Open the port.");
        report.problem(Step::Echo, "Nothing comes back.");
        let verdict = report.verdict();
        assert_eq!((verdict.text.as_str(), verdict.exit_code), ("TCP failed. Open the port.", 3));
        assert!(!verdict.is_well());
    }

    #[test]
    fn a_warning_is_no_failure() {
        let mut report = Report::new(true);
        assert_eq!(report.verdict().text, "Everything works.");
        report.warn("UDP is blocked.");
        let verdict = report.verdict();
        assert!(verdict.is_well());
        assert!(report.closing(&verdict).contains("warning: UDP is blocked.\nIt works, but worse"));
    }

    #[test]
    fn what_is_hidden_is_shown_nowhere() {
        let mut report = Report::new(true);
        report.hide("eyJ.token.of-somebody");
        report.hide("token");
        report.problem(Step::Token, "invalid token: eyJ.token.of-somebody");
        assert_eq!(report.closing(&report.verdict()), "\nToken failed. invalid token: <hidden>\n");
    }

    #[test]
    fn lines_are_aligned() {
        let line = Line::ok(Step::Dns, "1 address").took(Duration::from_micros(1_250));
        assert_eq!(line.print(), "✓ DNS         1 address (1.2 ms)\n");
    }
}
