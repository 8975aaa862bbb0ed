//! Rooms: how many there are, what happens in them, and what is in each of the largest.

use std::cmp::Reverse;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;
use trackyard_net::WorkerSnapshot;
use trackyard_sfu::room::RoomCounters;

use super::family;
use crate::rooms::{RoomDescription, Rooms};

/// Rooms with series of their own: those with the most participants.
const ROOMS_MAX: usize = 200;
/// Data tracks with series of their own, over all rooms: those that most subscribe to.
const TRACKS_MAX: usize = 2_000;
/// Characters of a name; what is longer is cut, and what is the same then is one series.
const LABEL_CHARS_MAX: usize = 128;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabel {
    event: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RoomLabel {
    room: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TrackLabel {
    room: String,
    participant: String,
    track: String,
}

/// How much there is on this node.
pub(super) fn totals(registry: &mut Registry, rooms: &Rooms, workers: &[WorkerSnapshot]) {
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
        registry.register(name, help, ConstGauge::new(signed(value)));
    }
}

/// What has happened in all rooms.
pub(super) fn events(registry: &mut Registry, counters: &RoomCounters) {
    let values = RoomCounters::NAMES.into_iter().zip(counters.values());
    registry.register(
        "room_events",
        "What has happened in rooms, those that have ended included",
        family(values, |event| EventLabel { event }),
    );
}

/// What is in each room. A room comes and goes, and so do its series.
pub(super) fn each(registry: &mut Registry, rooms: &[RoomDescription]) {
    let mut largest: Vec<_> = rooms.iter().collect();
    largest.sort_by_key(|room| (Reverse(room.participants.len()), room.info.name.clone()));
    let [participants, publishers, tracks] = std::array::from_fn(|_| Family::<RoomLabel, Gauge>::default());
    for room in largest.iter().take(ROOMS_MAX) {
        let label = RoomLabel { room: short(&room.info.name) };
        let published = room.participants.iter().map(|info| info.data_tracks.len() as u64).sum();
        add(&participants, &label, room.participants.len() as u64);
        add(&publishers, &label, room.participants.iter().filter(|info| info.is_publisher).count() as u64);
        add(&tracks, &label, published);
    }
    registry.register("room_participants", "Participants of a room, hidden ones included", participants);
    registry.register("room_publishers", "Participants of a room that publish something", publishers);
    registry.register("room_data_tracks", "Data tracks of a room", tracks);
    let omitted = rooms.len().saturating_sub(ROOMS_MAX) as u64;
    registry.register(
        "room_series_omitted",
        "Rooms that have no series of their own because there are too many",
        ConstGauge::new(signed(omitted)),
    );
}

/// What comes of each data track.
pub(super) fn each_track(registry: &mut Registry, rooms: &[RoomDescription]) {
    let all = rooms.iter().flat_map(|room| room.tracks.iter().map(|track| (room.info.name.as_str(), track)));
    let mut tracks: Vec<_> = all.collect();
    tracks.sort_by_key(|(room, track)| {
        (Reverse(track.subscribers), (*room).to_owned(), track.publisher.clone(), track.name.clone())
    });
    let omitted = tracks.len().saturating_sub(TRACKS_MAX) as u64;
    let [packets, bytes] = std::array::from_fn(|_| Family::<TrackLabel, Counter>::default());
    let subscribers = Family::<TrackLabel, Gauge>::default();
    for (room, track) in tracks.into_iter().take(TRACKS_MAX) {
        let label =
            TrackLabel { room: short(room), participant: short(&track.publisher), track: short(&track.name) };
        packets.get_or_create(&label).inc_by(track.meter.packets());
        bytes.get_or_create(&label).inc_by(track.meter.bytes());
        subscribers.get_or_create(&label).inc_by(signed(track.subscribers as u64));
    }
    registry.register("track_received_packets", "Packets of a data track from its publisher", packets);
    registry.register("track_received_bytes", "Bytes of a data track from its publisher", bytes);
    registry.register("track_subscribers", "Participants that subscribe to a data track", subscribers);
    registry.register(
        "track_series_omitted",
        "Data tracks that have no series of their own because there are too many",
        ConstGauge::new(signed(omitted)),
    );
}

fn add(family: &Family<RoomLabel, Gauge>, label: &RoomLabel, count: u64) {
    family.get_or_create(label).inc_by(signed(count));
}

/// A name as a label.
fn short(name: &str) -> String {
    match name.char_indices().nth(LABEL_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
