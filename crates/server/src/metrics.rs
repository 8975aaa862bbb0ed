//! Everything the process counts, as OpenMetrics text.
//!
//! Counters of the packet path live in the workers and are read from their snapshots when somebody asks.

mod packets;
mod rooms;
mod workers;

use std::hash::Hash;
use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use tokio::runtime::Handle;

use crate::api::ApiCounters;
use crate::app::Surface;
use crate::rooms::Rooms;

/// Counters of the HTTP and signalling edge.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counters {
    signal: SignalCounters,
    refusals: Family<StatusLabel, Counter>,
    /// Joins refused because the node was overloaded.
    pub(crate) overload_refusals: Counter,
    /// Requests of the server API.
    pub(crate) api: ApiCounters,
    /// HTTP connections refused because their address had too many.
    pub(crate) connections_refused: Counter,
}

/// Counters of signal connections. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct SignalCounters {
    connections: Counter,
    messages_in: Counter,
    bytes_in: Counter,
    messages_out: Counter,
    bytes_out: Counter,
    undecodable: Counter,
}

/// Counters of room tasks.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoomTaskCounters {
    /// Commands that a worker did not take.
    pub(crate) command_lost: Counter,
    /// Signal connections given up because their reader was too slow.
    pub(crate) signal_overflow: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabel {
    status: u16,
}

impl Counters {
    /// A join was refused before the upgrade.
    pub(crate) fn refused(&self, status: StatusCode) {
        self.refusals.get_or_create(&StatusLabel { status: status.as_u16() }).inc();
    }

    /// Counters for one more signal connection.
    pub(crate) fn signal(&self) -> SignalCounters {
        self.signal.connections.inc();
        self.signal.clone()
    }
}

impl SignalCounters {
    /// A frame has come.
    pub(crate) fn received(&self, bytes: usize) {
        self.messages_in.inc();
        self.bytes_in.inc_by(bytes as u64);
    }

    /// A frame goes out.
    pub(crate) fn sent(&self, bytes: usize) {
        self.messages_out.inc();
        self.bytes_out.inc_by(bytes as u64);
    }

    /// A frame could not be decoded.
    pub(crate) fn undecodable(&self) {
        self.undecodable.inc();
    }
}

/// Everything counted, as OpenMetrics text.
pub(crate) async fn render(counters: &Counters, rooms: &Rooms, surface: &Surface) -> String {
    let settings = surface.metrics;
    let survey = rooms.survey().await;
    let workers = rooms.workers().stats();
    let mut registry = Registry::default();
    rooms::totals(&mut registry, rooms, &workers);
    let ours = registry.sub_registry_with_prefix("trackyard");
    edge(ours, counters, rooms);
    process(ours, surface);
    rooms.webhooks().counters().register(ours);
    rooms::events(ours, &survey.counters);
    if settings.rooms {
        rooms::each(ours, &survey.rooms);
    }
    if settings.tracks {
        rooms::each_track(ours, &survey.rooms);
    }
    packets::users(ours, &workers);
    workers::each(ours, &workers);
    workers::counters(ours, &workers);
    let tracks = registry.sub_registry_with_prefix("trackyard_datatrack");
    packets::tracks(tracks, &workers);
    workers::frames(tracks, &workers);
    let mut page = String::new();
    // Writing to a string cannot fail; an encoder that reports so has left a page that shows it.
    if text::encode(&mut page, &registry).is_err() {
        page.push_str("# metrics could not be encoded\n");
    }
    page
}

/// Why something was given up.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

/// Counters of one name, each with its label.
fn family<L, K>(values: impl IntoIterator<Item = (K, u64)>, label: impl Fn(K) -> L) -> Family<L, Counter>
where
    L: Clone + Hash + Eq,
{
    let family = Family::<L, Counter>::default();
    for (key, value) in values {
        family.get_or_create(&label(key)).inc_by(value);
    }
    family
}

/// Counters of one name by reason.
fn by_reason(values: impl IntoIterator<Item = (&'static str, u64)>) -> Family<ReasonLabel, Counter> {
    family(values, |reason| ReasonLabel { reason })
}

/// A counter that is read elsewhere.
fn constant(value: u64) -> ConstCounter<u64> {
    ConstCounter::new(value)
}

fn edge(registry: &mut Registry, counters: &Counters, rooms: &Rooms) {
    let signal = &counters.signal;
    let tasks = rooms.counters();
    counters.api.register(registry);
    for (name, help, counter) in [
        ("signal_connections", "Signal connections served", &signal.connections),
        ("signal_messages_received", "Signal messages from clients", &signal.messages_in),
        ("signal_received_bytes", "Bytes of signal messages from clients", &signal.bytes_in),
        ("signal_messages_sent", "Signal messages to clients", &signal.messages_out),
        ("signal_sent_bytes", "Bytes of signal messages to clients", &signal.bytes_out),
        ("signal_undecodable", "Signal messages that could not be decoded", &signal.undecodable),
        (
            "signal_overflow",
            "Signal connections given up because their reader was too slow",
            &tasks.signal_overflow,
        ),
        (
            "joins_refused_overload",
            "Joins refused because the node was overloaded",
            &counters.overload_refusals,
        ),
        (
            "http_connections_refused",
            "HTTP connections refused because their address had too many",
            &counters.connections_refused,
        ),
        ("commands_lost", "Commands that a worker did not take", &tasks.command_lost),
        ("events_lost", "Events of workers that found their room's queue full", &rooms.events_lost()),
    ] {
        registry.register(name, help, counter.clone());
    }
    registry.register(
        "joins_refused",
        "Joins refused before the upgrade, by status",
        counters.refusals.clone(),
    );
}

/// What the process itself holds, and has lost.
fn process(registry: &mut Registry, surface: &Surface) {
    let tasks = Handle::current().metrics().num_alive_tasks();
    let tasks = i64::try_from(tasks).unwrap_or(i64::MAX);
    registry.register("tasks", "Tasks that run or wait", ConstGauge::new(tasks));
    let lost = surface.log_lines_lost.load(Ordering::Relaxed);
    registry.register("log_lines_lost", "Lines of the log that could not be written", constant(lost));
}

#[cfg(test)]
mod tests;
