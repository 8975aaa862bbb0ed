//! One run: who takes part, what happens, and the report of it.

mod cast;
mod play;

use std::sync::Arc;

use trackyard_bench::measure::{Outcome, SubscriberMeter};
use trackyard_bench::payload::ClockOffset;
use trackyard_bench::plan::{Plan, PlanError};
use trackyard_bench::report::{Facts, Report, Side, Target};

use self::cast::Cast;
use self::play::Played;
use super::drops::Drops;
use super::guests::Guests;
use super::links::Links;
use super::stage::{Stage, lock};
use super::watch::Watch;
use crate::failure::Failure;
use crate::interrupt::Interrupt;

/// What all runs of a benchmark have in common.
pub(super) struct Setup {
    pub(super) guests: Guests,
    pub(super) links: Option<Links>,
    pub(super) watch: Watch,
    /// The server, without credentials.
    pub(super) target: String,
    pub(super) label: Option<String>,
    pub(super) shows_progress: bool,
}

/// What was measured.
pub(super) struct Measured {
    pub(super) report: Report,
    /// Packets that subscribers received while processes were watched.
    pub(super) packets_watched: u64,
    /// CPU time of this process's busiest thread over wall time.
    pub(super) busiest_thread: Option<f64>,
    /// It was interrupted.
    pub(super) is_cut: bool,
}

/// Measures a scenario once.
///
/// # Errors
/// When clients do not get in, or it was interrupted before there was anything to report.
pub(super) async fn run(
    setup: &Setup,
    plan: &Plan,
    (seed, interrupt): (u64, &mut Interrupt),
) -> Result<Measured, Failure> {
    let run = fastrand::u64(..);
    let stage = Arc::new(Stage::new(plan.clone(), run));
    let mut cast = interrupt.during(Cast::gather(setup, plan, (run, seed))).await?;
    let played = play::play(setup, (&stage, seed), (&mut cast, interrupt)).await?;
    let report = report(setup, (&stage, seed), (&cast, &played));
    cast.leave().await?;
    if let Some(lost) = played.lost_note() {
        say!("warning: {lost}");
    }
    let report = report.ok_or(Failure::Interrupted)?;
    Ok(Measured {
        report,
        packets_watched: played.packets_watched,
        busiest_thread: played.used.busiest_thread,
        is_cut: played.cut_at.is_some(),
    })
}

/// Nothing if it was interrupted before anything counted.
fn report(setup: &Setup, (stage, seed): (&Stage, u64), (cast, played): (&Cast, &Played)) -> Option<Report> {
    let plan = match played.cut_at {
        Some(at) => shortened(&stage.plan, at).ok()?,
        None => stage.plan.clone(),
    };
    let senders: Vec<_> = played.pushed.iter().map(|pushing| pushing.meter.clone()).collect();
    let subscribers: Vec<SubscriberMeter> =
        cast.subscribers.iter().map(|subscriber| lock(&subscriber.meter).clone()).collect();
    let mut lateness = trackyard_bench::measure::Latency::new();
    played.pushed.iter().for_each(|pushing| lateness.merge(pushing.lateness()));
    let link = |number| {
        let links = setup.links.as_ref()?;
        links.text_of_subscriber(number, plan.subscribers).map(str::to_owned)
    };
    let names: Vec<_> =
        (0..plan.subscribers).map(|number| (format!("subscriber {number}"), link(number))).collect();
    let mut drops = Drops::default();
    drops.add_publishers(&cast.publishers);
    drops.add_subscribers(&cast.subscribers);
    drops.add_buffers(&played.buffers);
    Some(Report::new(&Facts {
        target: &Target {
            label: label(setup, &stage.plan),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            target: setup.target.clone(),
            run: stage.payloads.run(),
            seed,
        },
        plan: &plan,
        outcome: &Outcome::tally(&plan, &senders, &subscribers),
        lateness: &lateness,
        clock: ClockOffset::default(),
        subscribers: &names,
        server: played.used.server,
        bench: played.used.bench,
        machine: played.used.machine,
        frames_watched: played.frames_watched,
        series: &played.series,
        drops: &drops.report(),
        links: &cast.link_reports(),
    }))
}

/// What would have been planned if it had been known when it was interrupted.
fn shortened(plan: &Plan, at: std::time::Duration) -> Result<Plan, PlanError> {
    let shortened = Plan { duration: at.saturating_sub(plan.warm_up).min(plan.duration), ..plan.clone() };
    shortened.check().map(|()| shortened)
}

fn label(setup: &Setup, plan: &Plan) -> String {
    let given = setup.label.as_ref().map(|label| format!("{label}: ")).unwrap_or_default();
    let link = |side| setup.links.as_ref().and_then(|links| links.text(side));
    let link = link(Side::Subscribers).or(link(Side::Publishers));
    let link = link.map(|link| format!(", {link}")).unwrap_or_default();
    format!("{given}{plan}{link}")
}
