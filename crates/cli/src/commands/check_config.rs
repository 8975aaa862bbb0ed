//! `trackyard check-config`: what a configuration means, or what is wrong with it.

mod settings;

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use trackyard_server::config::{ConfigErrors, Diagnostic, Loaded, RuleEntry, first_match};

use crate::failure::Failure;
use crate::serve_flags::ServeFlags;
use crate::{Outcome, output};

/// Check a configuration, and show what holds and which rule a data track follows
#[derive(Debug, Args)]
#[command(after_help = "\
The environment counts as it does for `trackyard serve`.

Examples:
  trackyard check-config config.yaml
  trackyard check-config config.yaml --room yard --track cam/front
  trackyard check-config config.yaml --json")]
pub(crate) struct CheckConfig {
    /// Configuration in LiveKit's YAML, with our own keys beside
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Room of the track whose rule is asked for
    #[arg(long, value_name = "NAME", requires = "track")]
    room: Option<String>,
    /// Data track whose rule is asked for
    #[arg(long, value_name = "NAME", requires = "room")]
    track: Option<String>,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl CheckConfig {
    pub(crate) fn run(self) -> Outcome {
        let flags = ServeFlags { config: Some(self.file.clone()), ..ServeFlags::default() };
        match flags.load() {
            Ok(loaded) => self.explain(&loaded),
            Err(errors) if self.json => {
                output::print_json(&refusal(&errors))?;
                Err(Failure::Reported)
            }
            Err(errors) => Err(errors.into()),
        }
    }

    fn explain(&self, loaded: &Loaded) -> Outcome {
        let asked = self.room.as_deref().zip(self.track.as_deref());
        let rules = &loaded.config.data_tracks.rules;
        let found = asked.map(|(room, track)| first_match(rules, room, track));
        if self.json {
            let settings: serde_json::Map<String, Value> = settings::effective(&loaded.config)
                .into_iter()
                .map(|(path, value)| (path.to_owned(), value))
                .collect();
            let rules: Vec<Value> = rules.iter().map(settings::rule_json).collect();
            let answer = json!({
                "ok": true,
                "warnings": diagnostics(&loaded.warnings),
                "settings": settings,
                "rules": rules,
                "rule_line": found.map(|found| found.map(|entry| entry.line)),
            });
            return Ok(output::print_json(&answer)?);
        }
        for warning in &loaded.warnings {
            say!("warning: {warning}");
        }
        Ok(output::print(&self.text(loaded, found))?)
    }

    fn text(&self, loaded: &Loaded, found: Option<Option<&RuleEntry>>) -> String {
        let mut text = format!("{}: ok, {}\n\n", self.file.display(), warnings(loaded.warnings.len()));
        for (path, value) in settings::effective(&loaded.config) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let _ = writeln!(text, "{path}: {value}");
        }
        text.push_str("\ndata_tracks.rules, of which the first that matches holds:\n");
        for (index, entry) in loaded.config.data_tracks.rules.iter().enumerate() {
            let _ = writeln!(text, "  {}. line {}: {}", index + 1, entry.line, settings::rule_text(entry));
        }
        let _ = writeln!(text, "  else: {}", settings::defaults_text());
        if let (Some(found), Some(room), Some(track)) = (found, &self.room, &self.track) {
            let rule = found.map_or_else(
                || format!("no rule, so {}", settings::defaults_text()),
                |entry| format!("the rule on line {}, so {}", entry.line, settings::lane_text(entry)),
            );
            let _ = writeln!(text, "\ntrack `{track}` of room `{room}`: {rule}");
        }
        text
    }
}

fn warnings(count: usize) -> String {
    match count {
        0 => "no warnings".to_owned(),
        1 => "1 warning".to_owned(),
        count => format!("{count} warnings"),
    }
}

fn refusal(errors: &ConfigErrors) -> Value {
    json!({ "ok": false, "errors": diagnostics(&errors.errors), "warnings": diagnostics(&errors.warnings) })
}

fn diagnostics(list: &[Diagnostic]) -> Vec<Value> {
    let one = |diagnostic: &Diagnostic| json!({ "source": &*diagnostic.place.source, "line": diagnostic.place.line, "text": diagnostic.text });
    list.iter().map(one).collect()
}
