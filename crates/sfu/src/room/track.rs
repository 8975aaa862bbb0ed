//! The room's data tracks.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use trackyard_lanes::LaneRules;
use trackyard_proto::DataTrackInfo;

use super::routes::RouteVersion;
use crate::control::{PeerId, TrackKey, TrackMeter, WorkerId};

/// One published data track.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) publisher: PeerId,
    pub(super) info: Arc<DataTrackInfo>,
    pub(super) lane: LaneRules,
    /// When in the order of publications; those who joined later saw it in their join response.
    pub(super) serial: u64,
    pub(super) announced_at: Option<Instant>,
    /// The publisher's worker knows it from then on.
    pub(super) added: RouteVersion,
    /// Everyone who wants it, permitted or not.
    pub(super) wanted: BTreeSet<PeerId>,
    /// Other workers with subscribers.
    pub(super) hops: BTreeMap<WorkerId, TrackHop>,
    /// Subscribers that wait for its announcement.
    pub(super) unannounced: Vec<PeerId>,
    /// If its packets are counted on their own.
    pub(super) meter: Option<Arc<TrackMeter>>,
}

/// Another worker with subscribers of a track.
#[derive(Debug)]
pub(super) struct TrackHop {
    pub(super) version: RouteVersion,
    pub(super) subscribers: usize,
}

/// Tracks by key and by sid.
#[derive(Debug, Default)]
pub(super) struct Tracks {
    by_key: HashMap<TrackKey, Track>,
    by_sid: HashMap<String, TrackKey>,
}

impl Tracks {
    pub(super) fn insert(&mut self, key: TrackKey, track: Track) {
        self.by_sid.insert(track.info.sid.clone(), key);
        self.by_key.insert(key, track);
    }

    pub(super) fn remove(&mut self, key: TrackKey) -> Option<Track> {
        let track = self.by_key.remove(&key)?;
        self.by_sid.remove(&track.info.sid);
        Some(track)
    }

    pub(super) fn get(&self, key: TrackKey) -> Option<&Track> {
        self.by_key.get(&key)
    }

    pub(super) fn get_mut(&mut self, key: TrackKey) -> Option<&mut Track> {
        self.by_key.get_mut(&key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Track> {
        self.by_key.values()
    }

    pub(super) fn by_sid(&self, sid: &str) -> Option<TrackKey> {
        self.by_sid.get(sid).copied()
    }
}
