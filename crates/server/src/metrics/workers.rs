//! What workers count, under the names of their counters, and the fates of frames.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;
use trackyard_lanes::{DropReason, LaneStats};
use trackyard_net::{NetSnapshot, WorkerSnapshot};
use trackyard_sfu::forward::WorkerCounters;

use super::{by_reason, constant, family};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DirectionLabel {
    direction: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WorkerLabel {
    worker: u16,
}

/// How each worker is.
pub(super) fn each(registry: &mut Registry, workers: &[WorkerSnapshot]) {
    let [load, wait] = std::array::from_fn(|_| Family::<WorkerLabel, Gauge<f64, AtomicU64>>::default());
    let [peers, overloaded] = std::array::from_fn(|_| Family::<WorkerLabel, Gauge>::default());
    for worker in workers {
        let label = WorkerLabel { worker: worker.worker.0 };
        load.get_or_create(&label).set(f64::from(worker.load_permille) / 1_000.0);
        wait.get_or_create(&label).set(worker.wait_max.as_secs_f64());
        peers.get_or_create(&label).set(i64::try_from(worker.peers).unwrap_or(i64::MAX));
        overloaded.get_or_create(&label).set(worker.is_overloaded.into());
    }
    registry.register("worker_load", "Share of its time in which a worker does not wait, of late", load);
    registry.register(
        "worker_wait_seconds",
        "The longest that a datagram has waited in a worker's sockets, of late",
        wait,
    );
    registry.register("worker_participants", "Participants that a worker serves", peers);
    registry.register("worker_overloaded", "Whether a worker has had too much to do for seconds", overloaded);
    let deaths = workers.iter().map(|worker| worker.deaths).sum();
    registry.register(
        "worker_deaths",
        "Times that a worker has died of a defect and begun anew",
        constant(deaths),
    );
}

/// Every counter of workers and of their sockets, summed over workers.
pub(super) fn counters(registry: &mut Registry, workers: &[WorkerSnapshot]) {
    let core: Vec<_> = workers.iter().map(|worker| worker.core.values()).collect();
    for (at, (name, help)) in sentences(WorkerCounters::NAMES, WorkerCounters::HELP).enumerate() {
        let sum = core.iter().map(|values| values[at]).sum::<u64>();
        registry.register(format!("worker_{name}"), help, constant(sum));
    }
    let net: Vec<_> = workers.iter().map(|worker| worker.net.values()).collect();
    for (at, (name, help)) in sentences(NetSnapshot::NAMES, NetSnapshot::HELP).enumerate() {
        let sum = net.iter().map(|values| values[at]).sum::<u64>();
        registry.register(format!("net_{name}"), help, constant(sum));
    }
}

/// Names with texts that say something by themselves: where counters are declared, one may refer to those before it.
fn sentences<const N: usize>(
    names: [&'static str; N],
    help: [&'static str; N],
) -> impl Iterator<Item = (&'static str, String)> {
    // The registry ends each text with a full stop of its own.
    let help = help.map(|text| text.trim().trim_end_matches('.'));
    let mut whole = "";
    names.into_iter().zip(help).map(move |(name, text)| {
        let part = text.strip_prefix("Of those: ");
        if part.is_none() && !text.starts_with("Their ") && !text.starts_with("Of ") {
            whole = text;
            return (name, text.to_owned());
        }
        match (part, text.strip_prefix("Their ")) {
            (Some(part), _) => (name, format!("{whole}: {part}")),
            (None, Some(what)) => (name, format!("{whole}: their {what}")),
            (None, None) => (name, format!("Among others: {text}")),
        }
    })
}

/// Frames on their way to subscribers: `in` is once per subscription, `out` is what was delivered whole.
pub(super) fn frames(registry: &mut Registry, workers: &[WorkerSnapshot]) {
    let mut lanes = LaneStats::default();
    workers.iter().for_each(|worker| lanes += worker.lanes);
    let frames = directions(lanes.frames_in, lanes.frames_delivered);
    registry.register("frames", "Frames times subscriptions, by direction", frames);
    let bytes = directions(lanes.bytes_in, lanes.bytes_out);
    registry.register("bytes", "Bytes of their packets, by direction", bytes);
    registry.register(
        "dropped_frames",
        "Frames times subscriptions that were not delivered, by reason",
        by_reason(DropReason::ALL.map(|reason| (reason.label(), lanes.dropped(reason)))),
    );
    registry.register(
        "wasted_bytes",
        "Bytes sent of frames that were dropped later",
        constant(lanes.wasted_bytes),
    );
    let waiting =
        i64::try_from(lanes.frames_in - lanes.frames_delivered - lanes.dropped_total()).unwrap_or(i64::MAX);
    registry.register("queue_frames", "Frames that wait or are under way", ConstGauge::new(waiting));
}

fn directions(into: u64, out: u64) -> Family<DirectionLabel, Counter> {
    family([("in", into), ("out", out)], |direction| DirectionLabel { direction })
}
