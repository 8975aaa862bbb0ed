//! `trackyard bench suite`: a fixed set of scenarios, of one server or of two side by side.

mod conduct;
mod floor;
mod flow;
mod joining;
mod machine;
mod memory;
mod meter;
#[cfg_attr(not(target_os = "linux"), path = "suite/pin/elsewhere.rs")]
mod pin;
mod process;
mod spec;
mod subject;
mod tracks;
mod written;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use globset::{Glob, GlobMatcher};
use serde_json::json;
use trackyard_bench::suite::{Document, SCHEMA, Scale, Scenario, Work, catalogue};
use trackyard_bench::units;
use trackyard_server::config::{DEV_KEY, DEV_SECRET};

use self::conduct::Conductor;
use self::pin::Pinned;
use self::spec::ServerSpec;
use self::subject::{Keys, Subject};
use self::written::Written;
use crate::commands::bench::links::Server;
use crate::connection::url;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::runtime::run_client;
use crate::sensitive::Sensitive;
use crate::{Outcome, descriptors, output};

/// Servers that are measured side by side at most.
const SERVERS_MAX: usize = 2;
/// Of each scenario on each server.
const RUNS: u32 = 3;
/// Before memory is read.
const SETTLE: Duration = Duration::from_secs(2);
/// How long a flow counts, and how long it flows before, with `--quick`.
const QUICK: (Duration, Duration) = (Duration::from_millis(500), Duration::from_millis(200));
/// How much fewer participants and tracks there are with `--quick`.
const QUICK_DIVISOR: u32 = 10;

/// Measure a fixed set of scenarios, of one server or of two side by side
#[derive(Debug, Args)]
#[command(after_help = "\
A server is written as name=NAME,url=URL and what is known of its process: pid=PID of one that runs on this
machine, or run=COMMAND, which comes last, is split at spaces, and is started anew before whatever needs a
fresh server. Without either, CPU time and memory stay unknown. Servers of LiveKit are measured with the
same words; both servers take the same key.

Two servers alternate run by run, at equal rates. Cells are median [least..greatest], and a third line
holds the ratio of the medians. What a server does not finish is reported, and the rest goes on. The floor
of the machine (one UDP send, one AES-128-GCM seal) is measured in the same run.

With --pin-server, every thread of a server is kept to one core, and this process to the others, which shows
what a core can do; how threads were placed before is restored at the end.

Results hold what was typed, without --api-secret and without credentials in URLs, but with run= as it is:
what nobody else is to read belongs in a configuration file.

The report goes to standard output as Markdown, or JSON with --json, and with --out to suite.md, suite.json
and an SVG for each table in a folder. Ctrl-C ends it early: what was measured is reported. Killed (SIGKILL),
it cannot end the servers that it has started.

Exit codes: 0 done, whatever servers did; 2 wrong usage; 3 a server is not there; 130 interrupted.

Examples:
  trackyard bench suite --list
  trackyard bench suite --server name=ours,url=ws://localhost:7880,pid=$(pidof trackyard) --quick
  trackyard bench suite --server 'name=ours,url=ws://127.0.0.1:7880,run=trackyard serve --config a.yaml' \\
      --server 'name=livekit,url=ws://127.0.0.1:7980,run=livekit-server --config b.yaml' --out results
  trackyard bench suite --only 'one-to-one/*' --pin-server 0 --server name=ours,url=ws://localhost:7880,pid=123")]
pub(super) struct Suite {
    /// A server to measure: name=NAME,url=URL and pid=PID or run=COMMAND; once or twice
    #[arg(long = "server", value_name = "SERVER", required_unless_present = "list")]
    servers: Vec<ServerSpec>,
    /// API key of every server [env: LIVEKIT_API_KEY] [default on this machine: that of `trackyard dev`]
    #[arg(long, value_name = "KEY", requires = "api_secret", value_parser = NonEmptyStringValueParser::new())]
    api_key: Option<String>,
    /// Its secret; better given in the environment, as others see arguments [env: LIVEKIT_API_SECRET]
    #[arg(long, value_name = "SECRET", requires = "api_key")]
    api_secret: Option<Sensitive>,
    /// Measure only scenarios of these names, such as one-to-one/* or links/64KiB*; or a list
    #[arg(long, value_name = "GLOB,…", value_delimiter = ',')]
    only: Vec<Glob>,
    /// Show the scenarios, and measure nothing
    #[arg(long)]
    list: bool,
    /// How often to measure each scenario of each server [default: 3, with --quick 1]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: Option<u32>,
    /// How long flows count, such as 8s [default: 8s, with --quick 500ms]
    #[arg(long = "for", visible_alias = "duration", value_name = "DURATION", value_parser = units::duration)]
    duration: Option<Duration>,
    /// How long they flow before that [default: 2s, with --quick 200ms]
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    warm_up: Option<Duration>,
    /// See that everything works: short flows, a tenth of participants and tracks, one run
    #[arg(long)]
    quick: bool,
    /// Keep every thread of each server to this core, and this process to the others
    #[arg(long, value_name = "CORE")]
    pin_server: Option<u32>,
    /// Write suite.md, suite.json and charts into this folder, which is made if need be
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Print JSON instead of Markdown, of --list too
    #[arg(long)]
    json: bool,
}

impl Suite {
    pub(super) fn run(self) -> Outcome {
        if self.list {
            return self.show_scenarios();
        }
        run_client(|interrupt| self.measure(interrupt))
    }

    fn show_scenarios(&self) -> Outcome {
        if self.json {
            let entry = |scenario: &Scenario| json!({"name": scenario.name, "title": scenario.title});
            output::print_json(&self.scenarios()?.iter().map(entry).collect())?;
            return Ok(());
        }
        let line = |scenario: &Scenario| format!("{:<52} {}\n", scenario.name, scenario.title);
        output::print(&self.scenarios()?.iter().map(line).collect::<String>())?;
        Ok(())
    }

    async fn measure(self, mut interrupt: Interrupt) -> Outcome {
        let scenarios = self.scenarios()?;
        self.check_servers(&scenarios)?;
        let written = Written::new(self.out.clone(), self.json)?;
        descriptors::raise_limit();
        let keys = self.keys()?;
        let clients = self.pin_server.map(Pinned::all_but).transpose()?;
        let mut subjects = Vec::new();
        for spec in &self.servers {
            let opening =
                Subject::open(spec.clone(), (keys.clone(), self.pin_server), written.log(&spec.name));
            subjects.push(interrupt.during(opening).await?);
        }
        let mut document = self.document(&subjects)?;
        let conductor = Conductor {
            scenarios: &scenarios,
            runs: self.runs.unwrap_or(if self.quick { 1 } else { RUNS }),
            settle: if self.quick { QUICK.0 } else { SETTLE },
        };
        let outcome = conductor.conduct(&mut subjects, (&mut document, &mut interrupt)).await;
        drop((subjects, clients));
        written.write(&document)?;
        outcome
    }

    /// Those that are asked for.
    fn scenarios(&self) -> Result<Vec<Scenario>, Failure> {
        let all = catalogue(&self.scale()).map_err(|error| Failure::Usage(error.to_string()))?;
        let globs: Vec<GlobMatcher> = self.only.iter().map(Glob::compile_matcher).collect();
        let is_wanted =
            |scenario: &Scenario| globs.is_empty() || globs.iter().any(|glob| glob.is_match(&scenario.name));
        let wanted: Vec<Scenario> = all.into_iter().filter(is_wanted).collect();
        if wanted.is_empty() {
            return Err(Failure::Usage("--only: no scenario has such a name; --list shows all".to_owned()));
        }
        Ok(wanted)
    }

    fn scale(&self) -> Scale {
        let whole = Scale::default();
        let (duration, warm_up) = if self.quick { QUICK } else { (whole.duration, whole.warm_up) };
        Scale {
            duration: self.duration.unwrap_or(duration),
            warm_up: self.warm_up.unwrap_or(warm_up),
            divisor: if self.quick { QUICK_DIVISOR } else { whole.divisor },
        }
    }

    fn check_servers(&self, scenarios: &[Scenario]) -> Outcome {
        if self.servers.len() > SERVERS_MAX {
            let text =
                "--server: two servers can be measured side by side; measure others in a run of their own";
            return Err(Failure::Usage(text.to_owned()));
        }
        if let [first, second] = self.servers.as_slice()
            && first.name == second.name
        {
            return Err(Failure::Usage("--server: both have the same name; give name= to each".to_owned()));
        }
        let has_process = |spec: &ServerSpec| spec.pid.is_some() || !spec.command.is_empty();
        if self.pin_server.is_some() && !self.servers.iter().all(has_process) {
            return Err(Failure::Usage("--pin-server needs pid= or run= of each server".to_owned()));
        }
        self.servers.iter().try_for_each(|spec| check_url(spec, scenarios))
    }

    /// Flags come before the environment; the key of `trackyard dev` is for this machine alone.
    fn keys(&self) -> Result<Keys, Failure> {
        if let (Some(key), Some(secret)) = (&self.api_key, &self.api_secret) {
            return Ok(Keys { key: key.clone(), secret: secret.clone() });
        }
        let env = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        if let (Some(key), Some(secret)) = (env("LIVEKIT_API_KEY"), env("LIVEKIT_API_SECRET")) {
            return Ok(Keys { key, secret: secret.into() });
        }
        if self.servers.iter().all(|spec| url::is_loopback(&spec.url)) {
            return Ok(Keys { key: DEV_KEY.to_owned(), secret: DEV_SECRET.to_owned().into() });
        }
        let text = "no key to join with; give --api-key and --api-secret, or set LIVEKIT_API_KEY and LIVEKIT_API_SECRET";
        Err(Failure::Usage(text.to_owned()))
    }

    fn document(&self, subjects: &[Subject]) -> Result<Document, Failure> {
        Ok(Document {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            date: machine::now(),
            command: machine::command_line(std::env::args()),
            machine: machine::machine(),
            servers: subjects.iter().map(Subject::facts).collect(),
            floor: Some(floor::measure()?),
            runs: Vec::new(),
        })
    }
}

/// Better said now than when it is its turn.
fn check_url(spec: &ServerSpec, scenarios: &[Scenario]) -> Outcome {
    if Server::parse(&spec.url).is_ok() {
        return Ok(());
    }
    if !spec.command.is_empty() {
        let text = format!("{}: run= needs a server at a ws:// URL of this machine", spec.name);
        return Err(Failure::Usage(text));
    }
    let has_link = |scenario: &&Scenario| matches!(&scenario.work, Work::Flow(flow) if flow.link.is_some());
    match scenarios.iter().find(has_link) {
        Some(scenario) => Err(Failure::Usage(format!(
            "{}: {} needs a server at a ws:// URL, as links are put between by changing addresses in signalling; name \
             the others with --only",
            spec.name, scenario.name
        ))),
        None => Ok(()),
    }
}
