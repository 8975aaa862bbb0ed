//! Everything the process counts, as OpenMetrics text.
//!
//! Counters of the packet path live in the workers and are read from their snapshots when somebody asks.

use axum::http::StatusCode;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use trackyard_lanes::{DropReason, LaneStats};
use trackyard_net::{NetSnapshot, WorkerSnapshot};
use trackyard_sfu::forward::WorkerCounters;
use trackyard_sfu::room::RoomCounters;

use crate::api::ApiCounters;
use crate::rooms::Rooms;

/// Counters of the HTTP and signalling edge.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counters {
    signal: SignalCounters,
    refusals: Family<StatusLabel, Counter>,
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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DirectionLabel {
    direction: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabel {
    event: &'static str,
}

/// Everything counted, as OpenMetrics text.
pub(crate) async fn render(counters: &Counters, rooms: &Rooms) -> String {
    let mut registry = Registry::default();
    let workers = rooms.workers().stats();
    edge(registry.sub_registry_with_prefix("trackyard"), counters, rooms);
    rooms.webhooks().counters().register(registry.sub_registry_with_prefix("trackyard"));
    room_gauges(&mut registry, rooms, &workers);
    room_events(registry.sub_registry_with_prefix("trackyard"), &rooms.room_counters().await);
    worker_counters(registry.sub_registry_with_prefix("trackyard"), &workers);
    frames(registry.sub_registry_with_prefix("trackyard_datatrack"), &workers);
    let mut page = String::new();
    // Writing to a string cannot fail; an encoder that reports so has left a page that shows it.
    if text::encode(&mut page, &registry).is_err() {
        page.push_str("# metrics could not be encoded\n");
    }
    page
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

fn room_gauges(registry: &mut Registry, rooms: &Rooms, workers: &[WorkerSnapshot]) {
    let count = |value: u64| ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
    let participants = workers.iter().map(|worker| worker.peers).sum();
    let tcp = workers.iter().map(|worker| worker.tcp_connections).sum();
    let alive = workers.iter().filter(|worker| worker.is_alive).count();
    for (name, help, value) in [
        ("trackyard_rooms", "Rooms that are open", rooms.count() as u64),
        ("trackyard_participants", "Participants on this node", participants),
        ("trackyard_ice_tcp_connections", "ICE/TCP connections", tcp),
        ("trackyard_workers_alive", "Worker threads that run", alive as u64),
        // As boards made for LiveKit's server know them.
        ("livekit_room_total", "Rooms that are open", rooms.count() as u64),
        ("livekit_participant_total", "Participants on this node", participants),
    ] {
        registry.register(name, help, count(value));
    }
}

fn room_events(registry: &mut Registry, counters: &RoomCounters) {
    let events = Family::<EventLabel, Counter>::default();
    for (event, value) in RoomCounters::NAMES.into_iter().zip(counters.values()) {
        events.get_or_create(&EventLabel { event }).inc_by(value);
    }
    registry.register("room_events", "What has happened in rooms, those that have ended included", events);
}

fn worker_counters(registry: &mut Registry, workers: &[WorkerSnapshot]) {
    let core: Vec<_> = workers.iter().map(|worker| worker.core.values()).collect();
    for (at, name) in WorkerCounters::NAMES.into_iter().enumerate() {
        let sum = core.iter().map(|values| values[at]).sum::<u64>();
        registry.register(format!("worker_{name}"), "Sum over workers", ConstCounter::new(sum));
    }
    let net: Vec<_> = workers.iter().map(|worker| worker.net.values()).collect();
    for (at, name) in NetSnapshot::NAMES.into_iter().enumerate() {
        let sum = net.iter().map(|values| values[at]).sum::<u64>();
        registry.register(format!("net_{name}"), "Sum over workers", ConstCounter::new(sum));
    }
}

/// Frames on their way to subscribers: `in` is once per subscription, `out` is what was delivered whole.
fn frames(registry: &mut Registry, workers: &[WorkerSnapshot]) {
    let mut lanes = LaneStats::default();
    workers.iter().for_each(|worker| lanes += worker.lanes);
    let direction = |into: u64, out: u64| {
        let family = Family::<DirectionLabel, Counter>::default();
        family.get_or_create(&DirectionLabel { direction: "in" }).inc_by(into);
        family.get_or_create(&DirectionLabel { direction: "out" }).inc_by(out);
        family
    };
    let frames = direction(lanes.frames_in, lanes.frames_delivered);
    registry.register("frames", "Frames times subscriptions, by direction", frames);
    registry.register(
        "bytes",
        "Bytes of their packets, by direction",
        direction(lanes.bytes_in, lanes.bytes_out),
    );
    let dropped = Family::<ReasonLabel, Counter>::default();
    for reason in DropReason::ALL {
        dropped.get_or_create(&ReasonLabel { reason: reason.label() }).inc_by(lanes.dropped(reason));
    }
    registry.register(
        "dropped_frames",
        "Frames times subscriptions that were not delivered, by reason",
        dropped,
    );
    registry.register(
        "wasted_bytes",
        "Bytes sent of frames that were dropped later",
        ConstCounter::new(lanes.wasted_bytes),
    );
    let waiting =
        i64::try_from(lanes.frames_in - lanes.frames_delivered - lanes.dropped_total()).unwrap_or(i64::MAX);
    registry.register("queue_frames", "Frames that wait or are under way", ConstGauge::new(waiting));
}
