//! From what was measured to what is reported.

use std::time::Duration;

use super::fields::{
    CurvePoint, DeliveryReport, FairnessReport, IntervalReport, LatencyReport, LoadReport, MachineReport,
    ProcessReport, Report, Scenario, SendingReport, StraysReport, SubscriberReport,
};
use super::losses::{DropReport, LinkReport};
use crate::measure::{Delivery, Fairness, Interval, Latency, Outcome, Sending, Series, Strays};
use crate::payload::ClockOffset;
use crate::plan::{Load, Plan};
use crate::process::{MachineUsage, Usage};

/// Whom and what a run was about.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// What the scenario is called; runs of one scenario have the same.
    pub label: String,
    /// Version of the tool that measures.
    pub version: String,
    /// What was measured; whoever fills it in leaves credentials out.
    pub target: String,
    /// Number of the run, as its payloads have it.
    pub run: u64,
    /// Seed of phases and links.
    pub seed: u64,
}

/// Everything that a report is made of.
#[derive(Debug)]
pub struct Facts<'a> {
    /// Whom and what it was about.
    pub target: &'a Target,
    /// What was asked for.
    pub plan: &'a Plan,
    /// What became of it.
    pub outcome: &'a Outcome,
    /// Of all publishers' pacers, merged.
    pub lateness: &'a Latency,
    /// As the subscribers' meters had it.
    pub clock: ClockOffset,
    /// Name and emulated link of each subscriber, in the outcome's order.
    pub subscribers: &'a [(String, Option<String>)],
    /// The server's process.
    pub server: Option<Usage>,
    /// The benchmark's own process.
    pub bench: Option<Usage>,
    /// The machine of both.
    pub machine: Option<MachineUsage>,
    /// Intact frames (`SubscriberMeter::intact_count`) that reached subscribers while processes were watched.
    pub frames_watched: u64,
    /// Lines of progress.
    pub series: &'a Series,
    /// By reason, as both sides' clients counted them.
    pub drops: &'a [DropReport],
    /// What emulated links have carried.
    pub links: &'a [LinkReport],
}

impl Report {
    /// Puts a report together.
    #[must_use]
    pub fn new(facts: &Facts<'_>) -> Self {
        let Facts { target, plan, outcome, .. } = facts;
        let process = |usage: Usage| ProcessReport::new(&usage, facts.frames_watched);
        let names = facts.subscribers.iter().map(Some).chain(std::iter::repeat(None));
        let subscribers = outcome.subscribers.iter().zip(names).enumerate();
        Self {
            label: target.label.clone(),
            version: target.version.clone(),
            target: target.target.clone(),
            run: format!("{:016x}", target.run),
            seed: format!("{:016x}", target.seed),
            scenario: Scenario::from(*plan),
            load: LoadReport::from(&plan.load()),
            clock_offset_ms: facts.clock.nanos as f64 / 1e6,
            sending: SendingReport::new(&outcome.sending, facts.lateness),
            delivery: DeliveryReport::new(&outcome.delivery, plan.duration),
            latency: LatencyReport::from(&outcome.latency),
            latency_curve: outcome.latency.curve().into_iter().map(CurvePoint::from).collect(),
            fairness: outcome.fairness.as_ref().map(FairnessReport::from),
            subscribers: subscribers
                .map(|(index, (subscriber, named))| {
                    let (name, link) =
                        named.cloned().unwrap_or_else(|| (format!("subscriber {index}"), None));
                    SubscriberReport {
                        name,
                        link,
                        delivery: DeliveryReport::new(&subscriber.delivery, plan.duration),
                        latency: LatencyReport::from(&subscriber.latency),
                        strays: StraysReport::from(subscriber.strays),
                    }
                })
                .collect(),
            drops: facts.drops.to_vec(),
            links: facts.links.to_vec(),
            server: facts.server.map(process),
            bench: facts.bench.map(process),
            machine: facts.machine.map(MachineReport::from),
            intervals: facts.series.iter().map(IntervalReport::from).collect(),
            intervals_dropped: facts.series.dropped(),
        }
    }
}

impl From<&Plan> for Scenario {
    fn from(plan: &Plan) -> Self {
        Self {
            frame_bytes: plan.frame_bytes,
            rate_hz: plan.rate.hertz(),
            tracks: plan.tracks,
            publishers: plan.publishers,
            subscribers: plan.subscribers,
            duration_s: plan.duration.as_secs_f64(),
            warm_up_s: plan.warm_up.as_secs_f64(),
        }
    }
}

impl From<&Load> for LoadReport {
    fn from(load: &Load) -> Self {
        Self {
            in_frames_per_s: thousandths(load.in_frames_per_s),
            in_mbit_per_s: thousandths(load.in_bits_per_s / 1e6),
            out_frames_per_s: thousandths(load.out_frames_per_s),
            out_mbit_per_s: thousandths(load.out_bits_per_s / 1e6),
        }
    }
}

impl SendingReport {
    fn new(sending: &Sending, lateness: &Latency) -> Self {
        Self {
            frames_due: sending.due,
            frames_sent: sending.sent,
            frames_refused: sending.refused,
            frames_unsent: sending.unsent,
            lateness: LatencyReport::from(lateness),
        }
    }
}

impl DeliveryReport {
    fn new(delivery: &Delivery, duration: Duration) -> Self {
        let mbit = delivery.received_bytes as f64 * 8.0 / 1e6;
        Self {
            frames_due: delivery.due,
            frames_sent: delivery.sent,
            frames_received: delivery.received,
            frames_missing: delivery.missing,
            frames_unexpected: delivery.unexpected,
            frames_duplicate: delivery.duplicates,
            frames_out_of_order: delivery.out_of_order,
            frames_corrupt: delivery.corrupt,
            wrong_bytes: delivery.wrong_bytes,
            delivered_percent: percent(delivery.share()),
            received_mbit_per_s: thousandths(mbit / duration.as_secs_f64().max(f64::MIN_POSITIVE)),
        }
    }
}

impl From<&Latency> for LatencyReport {
    fn from(latency: &Latency) -> Self {
        let quantile = |share| latency.quantile(share).map(milliseconds);
        Self {
            frames: latency.count(),
            min_ms: latency.min().map(milliseconds),
            mean_ms: latency.mean().map(milliseconds),
            p50_ms: quantile(0.5),
            p90_ms: quantile(0.9),
            p99_ms: quantile(0.99),
            p999_ms: quantile(0.999),
            max_ms: latency.max().map(milliseconds),
            frames_clamped: latency.clamped(),
        }
    }
}

impl From<(f64, Duration)> for CurvePoint {
    fn from((share, latency): (f64, Duration)) -> Self {
        // Nine digits: a curve of a billion frames ends at 0.999999999.
        Self { share: (share * 1e9).round() / 1e9, latency_ms: milliseconds(latency) }
    }
}

impl From<&Fairness> for FairnessReport {
    fn from(fairness: &Fairness) -> Self {
        Self {
            min_percent: percent(fairness.min),
            max_percent: percent(fairness.max),
            jain: (fairness.jain * 1e6).round() / 1e6,
        }
    }
}

impl From<Strays> for StraysReport {
    fn from(strays: Strays) -> Self {
        let Strays { warm_up, foreign, header, unknown, clock } = strays;
        Self { warm_up, foreign, header, unknown, clock }
    }
}

impl ProcessReport {
    fn new(usage: &Usage, frames: u64) -> Self {
        Self {
            cpu_s: thousandths(usage.cpu.as_secs_f64()),
            cores: thousandths(usage.cores),
            cpu_us_per_frame: usage.cpu_us_per_frame(frames).map(thousandths),
            rss_bytes: usage.rss_bytes,
            rss_growth_bytes: usage.rss_growth_bytes,
            rss_peak_bytes: usage.rss_peak_bytes,
        }
    }
}

impl From<MachineUsage> for MachineReport {
    fn from(usage: MachineUsage) -> Self {
        Self { busy_cores: thousandths(usage.busy_cores), other_cores: thousandths(usage.other_cores) }
    }
}

impl From<&Interval> for IntervalReport {
    fn from(interval: &Interval) -> Self {
        Self {
            end_s: thousandths(interval.end.as_secs_f64()),
            frames_sent: interval.sent,
            frames_refused: interval.refused,
            frames_received: interval.received,
            received_mbit_per_s: thousandths(interval.received_bits_per_s() / 1e6),
            p50_ms: interval.p50.map(milliseconds),
            p99_ms: interval.p99.map(milliseconds),
            max_ms: interval.max.map(milliseconds),
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    thousandths(time.as_secs_f64() * 1e3)
}

/// To a thousandth of a percent, and 100 only when nothing is missing.
fn percent(share: f64) -> f64 {
    let rounded = thousandths(share * 1e2);
    if share < 1.0 { rounded.min(99.999) } else { rounded }
}

/// Three digits after the point are all that anything here is known to.
fn thousandths(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
