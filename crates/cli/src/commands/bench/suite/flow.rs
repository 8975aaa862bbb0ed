//! Scenarios in which frames flow.

use trackyard_bench::report::{Report, Side, SubscriberReport};
use trackyard_bench::suite::{Behind, Floor, Flow, Group, Mark, Metric, Part, Scenario};

use super::subject::Subject;
use crate::commands::bench::guests::Guests;
use crate::commands::bench::links::Links;
use crate::commands::bench::run::{self, Measured, Setup};
use crate::failure::Failure;
use crate::interrupt::Interrupt;

/// Busy for at least this share of the time: there is no more to give.
const FULL: f64 = 0.95;
/// Others disturb from so many cores on.
const NOISY_CORES: f64 = 0.35;
/// Publishers that drop more than this share are what is measured.
const DROPPED_SHARE: f64 = 0.005;

/// What the machine takes for one packet, and how many cores it has.
pub(super) type Ground<'f> = (Option<&'f Floor>, usize);

/// Lets frames flow once: what was measured, and what has to be known beside it.
///
/// # Errors
/// When clients do not get in, or it was interrupted.
pub(super) async fn measure(
    subject: &Subject,
    (scenario, flow): (&Scenario, &Flow),
    ((floor, cores), interrupt): (Ground<'_>, &mut Interrupt),
) -> Result<(Vec<Part>, Vec<Mark>), Failure> {
    let link = flow.link.as_ref().map(|link| Links::of_scenario(link, &subject.spec.url)).transpose()?;
    let setup = Setup {
        guests: Guests { entrance: subject.entrance(), passphrase: None },
        links: link,
        watch: subject.watch()?,
        target: String::new(),
        label: None,
        shows_progress: false,
    };
    let measured = run::run(&setup, &flow.plan, (fastrand::u64(..), interrupt)).await?;
    if measured.is_cut {
        return Err(Failure::Interrupted);
    }
    let marks = marks(&measured, (subject.core().is_some(), cores as f64));
    Ok((parts(&measured, (scenario.group, flow), floor), marks))
}

fn parts(measured: &Measured, (group, flow): (Group, &Flow), floor: Option<&Floor>) -> Vec<Part> {
    let report = &measured.report;
    let mut parts: Vec<Part> = match flow.link.as_ref().map(|link| link.behind) {
        Some(Behind::LastSubscriber) => {
            let kind = |subscriber: &SubscriberReport| {
                let who = if subscriber.link.is_some() { "slow" } else { "fast" };
                one(Some(who), subscriber)
            };
            report.subscribers.iter().map(kind).collect()
        }
        _ => vec![all(report)],
    };
    if let Some(part) = parts.first_mut() {
        part.values.extend(costs(measured, group, floor));
    }
    parts
}

fn all(report: &Report) -> Part {
    let latency = &report.latency;
    let values = [
        (Metric::DeliveredPercent, Some(report.delivery.delivered_percent)),
        (Metric::MbitPerS, Some(report.delivery.received_mbit_per_s)),
        (Metric::P50Ms, latency.p50_ms),
        (Metric::P99Ms, latency.p99_ms),
        (Metric::MaxMs, latency.max_ms),
    ];
    Part { who: None, values: known(values).collect() }
}

fn one(who: Option<&str>, subscriber: &SubscriberReport) -> Part {
    let latency = &subscriber.latency;
    let values = [
        (Metric::DeliveredPercent, Some(subscriber.delivery.delivered_percent)),
        (Metric::MbitPerS, Some(subscriber.delivery.received_mbit_per_s)),
        (Metric::P50Ms, latency.p50_ms),
        (Metric::P99Ms, latency.p99_ms),
        (Metric::MaxMs, latency.max_ms),
    ];
    Part { who: who.map(str::to_owned), values: known(values).collect() }
}

/// What belongs to the whole run.
fn costs(measured: &Measured, group: Group, floor: Option<&Floor>) -> impl Iterator<Item = (Metric, f64)> {
    let report = &measured.report;
    let cpu_us = report.server.map(|server| server.cpu_s * 1e6);
    let per_packet = cpu_us
        .filter(|_| measured.packets_watched > 0)
        .map(|cpu_us| cpu_us / measured.packets_watched as f64);
    // The floor is that of a small packet alone.
    let is_small = matches!(group, Group::OneToOne | Group::FanOut);
    let floors = per_packet.zip(floor).map(|(cost, floor)| cost / floor.packet_us());
    // CPU time counts from the beginning of the warm-up, like packets: frames of the same size have the same share.
    let frames = report.server.and_then(|server| server.cpu_us_per_frame);
    let per_mb = frames.map(|us| us * 1e3 / report.scenario.frame_bytes as f64);
    known([
        (Metric::CpuUsPerPacket, per_packet),
        (Metric::CpuFloors, floors.filter(|_| is_small)),
        (Metric::CpuMsPerMb, per_mb),
        (Metric::ServerCores, report.server.map(|server| server.cores)),
        (Metric::ClientCores, report.bench.map(|bench| bench.cores)),
        (Metric::ClientThreadCores, measured.busiest_thread),
        (Metric::OtherCores, report.machine.map(|machine| machine.other_cores)),
    ])
}

fn known<const N: usize>(values: [(Metric, Option<f64>); N]) -> impl Iterator<Item = (Metric, f64)> {
    values.into_iter().filter_map(|(metric, value)| Some((metric, value?)))
}

fn marks(measured: &Measured, (is_pinned, cores): (bool, f64)) -> Vec<Mark> {
    let report = &measured.report;
    // With a core set aside for the server, the others.
    let own_cores = if is_pinned { cores - 1.0 } else { cores };
    let sending = &report.sending;
    let own = report.drops.iter().filter(|drop| drop.side == Side::Publishers);
    let dropped = sending.frames_refused + sending.frames_unsent + own.map(|drop| drop.frames).sum::<u64>();
    let clients = report.bench.map_or(0.0, |bench| bench.cores);
    let is_set = [
        (
            Mark::ClientBound,
            measured.busiest_thread.is_some_and(|cores| cores >= FULL) || clients >= FULL * own_cores,
        ),
        (Mark::PublisherDropped, dropped as f64 > DROPPED_SHARE * sending.frames_due.max(1) as f64),
        (Mark::MachineFull, report.machine.is_some_and(|machine| machine.busy_cores >= FULL * cores)),
        (Mark::ServerBound, is_pinned && report.server.is_some_and(|server| server.cores >= FULL)),
        (Mark::Noisy, report.machine.is_some_and(|machine| machine.other_cores > NOISY_CORES)),
    ];
    is_set.into_iter().filter(|(_, is_set)| *is_set).map(|(mark, _)| mark).collect()
}
