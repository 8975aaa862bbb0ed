//! `trackyard bench`: publishes load, receives it, and says what became of every frame.

mod crowd;
mod drops;
mod guests;
mod limits;
mod links;
mod load;
mod publisher;
mod readers;
mod results;
mod run;
mod soak;
mod stage;
mod subscriber;
mod suite;
mod watch;

use std::io::IsTerminal;

use clap::{Args, Subcommand};
use trackyard_bench::plan::Plan;
use trackyard_bench::report::Report;

use self::guests::Guests;
use self::limits::Limits;
use self::links::LinkArgs;
use self::load::Load;
use self::results::Destinations;
use self::run::Setup;
use self::watch::Watch;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::runtime::run_client;
use crate::{Outcome, descriptors};

/// Measure delivery and latency under load
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Every publisher and every subscriber is a client of its own, all in this process. Frames are due at
fixed moments whatever becomes of them, and latency counts from when a frame was due, so that a server
that stalls does not hide it. Every byte that arrives is compared with what was sent. Lists measure each
combination. Servers of LiveKit are measured with the same words.

Links are put between clients and server by reading plain signalling (ws://); each client has links
of its own. A link is written as rate, up, down, rtt, loss, queue; what is not said changes nothing.

Ctrl-C ends it early: what has been measured is reported, and the exit code is 130.

Examples:
  trackyard bench
  trackyard bench --size 1KiB,64KiB --rate 50Hz,500Hz --subscribers 1,8 --for 10s --csv bench.csv
  trackyard bench --link rate:5Mbit/rtt:40ms/loss:1%/queue:100ms --subscribers 2
  trackyard bench --pid $(pidof livekit-server) --label livekit --runs 3 --json bench.json
  trackyard bench --for 5s --fail-if-delivery-below 99% --fail-if-p99-above 50ms
  trackyard bench soak --joins 1000"
)]
pub(crate) struct Bench {
    #[command(subcommand)]
    course: Option<Course>,
    #[command(flatten)]
    load: Load,
    #[command(flatten)]
    link: LinkArgs,
    #[command(flatten)]
    measuring: Measuring,
    #[command(flatten)]
    destinations: Destinations,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    connection: Connection,
}

/// Measurements that bring their own load.
#[derive(Debug, Subcommand)]
enum Course {
    Soak(Box<soak::Soak>),
    Suite(Box<suite::Suite>),
}

/// How to measure.
#[derive(Debug, Args)]
#[command(next_help_heading = "Measuring")]
struct Measuring {
    /// How often to measure each scenario
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    runs: u32,
    /// What phases of tracks and losses of links follow from [default: random, and reported]
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// What to call it in reports
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Process of the server on this machine, whose CPU time and memory are measured too
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
    /// Show progress even where standard error is no terminal
    #[arg(long)]
    progress: bool,
    /// Encrypt frames end to end, with a random passphrase unless one is given
    #[arg(long)]
    e2ee: bool,
}

impl Bench {
    pub(crate) fn run(mut self) -> Outcome {
        match self.course.take() {
            Some(Course::Soak(soak)) => soak.run(),
            Some(Course::Suite(suite)) => suite.run(),
            None => run_client(|interrupt| self.measure_all(interrupt)),
        }
    }

    async fn measure_all(self, mut interrupt: Interrupt) -> Outcome {
        let plans = self.load.plans()?;
        let setup = self.setup()?;
        self.destinations.check()?;
        descriptors::raise_limit();
        let mut reports = Vec::new();
        let outcome = self.measure(&setup, &plans, (&mut interrupt, &mut reports)).await;
        // What was measured before something went wrong is worth keeping.
        if !reports.is_empty() {
            self.destinations.write(self.title(), &reports)?;
        }
        outcome?;
        self.limits.check(&reports)
    }

    async fn measure(
        &self,
        setup: &Setup,
        plans: &[Plan],
        (interrupt, reports): (&mut Interrupt, &mut Vec<Report>),
    ) -> Outcome {
        let seed = self.measuring.seed.unwrap_or_else(|| fastrand::u64(..));
        for plan in plans {
            for number in 0..self.measuring.runs {
                let measured = run::run(setup, plan, (seed.wrapping_add(number.into()), interrupt)).await?;
                reports.push(measured.report);
                if measured.is_cut {
                    return Err(Failure::Interrupted);
                }
            }
        }
        Ok(())
    }

    fn setup(&self) -> Result<Setup, Failure> {
        let entrance = self.connection.entrance()?;
        if entrance.is_for_one() {
            return Err(Failure::Usage(
                "a token lets one client in, and a benchmark has several; give --api-key and --api-secret with --room"
                    .to_owned(),
            ));
        }
        let given = self.connection.passphrase().cloned();
        let random = || self.measuring.e2ee.then(|| format!("{:032x}", fastrand::u128(..)).into());
        Ok(Setup {
            links: self.link.links(entrance.url())?,
            target: without_query(entrance.url()),
            guests: Guests { entrance, passphrase: given.or_else(random) },
            watch: Watch::new(self.measuring.pid)?,
            label: self.measuring.label.clone(),
            shows_progress: self.measuring.progress || std::io::stderr().is_terminal(),
        })
    }

    fn title(&self) -> &str {
        self.measuring.label.as_deref().unwrap_or("trackyard bench")
    }
}

/// People write tokens into queries.
fn without_query(url: &str) -> String {
    url.split(['?', '#']).next().unwrap_or_default().to_owned()
}
