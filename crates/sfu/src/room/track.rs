//! The room's data tracks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use trackyard_proto::DataTrackInfo;
use trackyard_proto::sid::SidKind;

use super::routes::RouteVersion;
use super::rules::TrackSchedule;
use crate::control::{PeerId, TrackKey, TrackMeter, WorkerId};

/// One published data track.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) publisher: PeerId,
    pub(super) info: Arc<DataTrackInfo>,
    pub(super) schedule: TrackSchedule,
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
    /// The publisher's worker sends it the track's packets once this serves; or, before it is asked to, what that
    /// waits for.
    pub(super) version: RouteVersion,
    /// The publisher's worker has been asked.
    pub(super) is_led: bool,
    pub(super) subscribers: usize,
}

/// What differs between sids of data tracks.
type SidText = [u8; SidKind::DataTrack.length()];

/// Tracks by key and by sid. Sixty thousand are not rare, so trees, which hold little beside their entries and give
/// back what they held.
#[derive(Debug, Default)]
pub(super) struct Tracks {
    by_key: BTreeMap<TrackKey, Box<Track>>,
    by_sid: BTreeMap<SidText, TrackKey>,
}

impl Tracks {
    pub(super) fn insert(&mut self, key: TrackKey, track: Track) {
        self.by_sid.extend(sid_text(&track.info.sid).map(|text| (text, key)));
        self.by_key.insert(key, Box::new(track));
    }

    pub(super) fn remove(&mut self, key: TrackKey) -> Option<Track> {
        let track = self.by_key.remove(&key)?;
        sid_text(&track.info.sid).and_then(|text| self.by_sid.remove(&text));
        Some(*track)
    }

    pub(super) fn get(&self, key: TrackKey) -> Option<&Track> {
        self.by_key.get(&key).map(Box::as_ref)
    }

    pub(super) fn get_mut(&mut self, key: TrackKey) -> Option<&mut Track> {
        self.by_key.get_mut(&key).map(Box::as_mut)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Track> {
        self.by_key.values().map(Box::as_ref)
    }

    pub(super) fn by_sid(&self, sid: &str) -> Option<TrackKey> {
        self.by_sid.get(&sid_text(sid)?).copied()
    }
}

/// `None`: it is no data track's.
fn sid_text(sid: &str) -> Option<SidText> {
    sid.strip_prefix(SidKind::DataTrack.prefix())?.as_bytes().try_into().ok()
}
