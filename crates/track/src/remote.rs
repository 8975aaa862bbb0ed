//! The tracks others publish.

mod assembler;
mod catalogue;
mod error;
mod event;
mod history;
mod partial;
mod queue;
mod reordering;
mod routes;
mod stats;
mod subscribing;
mod track;
mod wall_clock;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use trackyard_proto::signal::DataSubscription;
use trackyard_proto::{DataTrackInfo, Request};
use trackyard_wire::Header;

use crate::Decryptor;
use catalogue::{Dormant, Publisher};
use routes::Routes;
use track::Track;

pub use error::SubscribeError;
pub use event::{Gap, Received, RemoteEvent, RemoteFrame, RemoteOutput};
pub use queue::{Delivery, FrameQueue, Overflow, QUEUE_FRAMES, QueueOptions, QueueStats};
pub use stats::{RemoteDropReason, RemoteTrackStats};
pub use track::{SUBSCRIBE_TIMEOUT, UNDECRYPTABLE_PAUSE};
pub use wall_clock::{CLOCK_AHEAD_MAX, CLOCK_BEHIND_MAX, WallClock};

/// Longest sid that is taken for one; those of every known server have 16 bytes.
const SID_BYTES_MAX: usize = 64;

/// Changes of subscriptions in one message: few enough for every server's bounds.
const CHANGES_PER_REQUEST: usize = 1_000;

/// Names a track of another participant within this client; never used twice, and kept when the track
/// gets another sid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RemoteTrackId(u64);

/// Names a subscription within this client; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(u64);

/// Bounds of what is kept of frames that are not whole yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoteTracksConfig {
    /// Bytes of one track; two of the largest frames fit by default.
    pub track_bytes_max: usize,
    /// Bytes of all tracks.
    pub bytes_max: usize,
}

impl Default for RemoteTracksConfig {
    fn default() -> Self {
        Self { track_bytes_max: 5 << 20, bytes_max: 64 << 20 }
    }
}

/// What others publish, what of it is subscribed to, and the way of its packets to frames.
///
/// **The one rule of use:** after every call that changes it, drain [`poll_output`](Self::poll_output)
/// until it answers `Timeout`. Frames come out as items of their track, to be handed to each of its
/// [subscriptions](Self::subscriptions).
///
/// Invariant: of every track, frames received = delivered + dropped + waiting.
#[derive(Debug)]
pub struct RemoteTracks {
    config: RemoteTracksConfig,
    decryptor: Option<Box<dyn Decryptor>>,
    tracks: BTreeMap<RemoteTrackId, Track>,
    publishers: HashMap<String, Publisher>,
    /// Tracks that are published.
    by_sid: HashMap<String, RemoteTrackId>,
    /// Tracks that are not published and still subscribed to.
    dormant: HashMap<Dormant, RemoteTrackId>,
    subscriptions: HashMap<SubscriptionId, RemoteTrackId>,
    routes: Routes,
    last_id: u64,
    /// What is said is heard.
    is_signalling: bool,
    /// Counts interruptions.
    epoch: u64,
    /// Bytes held for all tracks.
    bytes: usize,
    timers: BTreeSet<(Instant, RemoteTrackId)>,
    changes: VecDeque<DataSubscription>,
    outputs: VecDeque<RemoteOutput>,
    counters: RemoteCounters,
}

/// What came from outside and was of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RemoteCounters {
    /// Packets that are none.
    pub malformed_packets: u64,
    /// Packets whose handle stands for no track.
    pub unrouted_packets: u64,
    /// Packets of tracks that nobody here has subscribed to, or no longer.
    pub unwanted_packets: u64,
    /// Announcements that break the protocol: each is ignored, and others of the same message hold.
    pub invalid_infos: u64,
    /// Entries of handle maps that break the protocol, or for which there is no place.
    pub invalid_handles: u64,
}

impl RemoteTracks {
    /// No participants and no session.
    #[must_use]
    pub fn new(config: RemoteTracksConfig) -> Self {
        Self {
            config,
            decryptor: None,
            tracks: BTreeMap::new(),
            publishers: HashMap::new(),
            by_sid: HashMap::new(),
            dormant: HashMap::new(),
            subscriptions: HashMap::new(),
            routes: Routes::default(),
            last_id: 0,
            is_signalling: false,
            epoch: 1,
            bytes: 0,
            timers: BTreeSet::new(),
            changes: VecDeque::new(),
            outputs: VecDeque::new(),
            counters: RemoteCounters::default(),
        }
    }

    /// What decrypts the frames of encrypted tracks from now on.
    pub fn set_decryptor(&mut self, decryptor: Option<Box<dyn Decryptor>>) {
        self.decryptor = decryptor;
    }

    /// A message of the `_data_track` channel has come.
    pub fn packet(&mut self, packet: &Bytes, now: Instant) {
        let Ok(header) = Header::parse(packet) else {
            self.counters.malformed_packets += 1;
            return;
        };
        let Some(id) = self.routes.track(header.handle) else {
            self.counters.unrouted_packets += 1;
            return;
        };
        let Some(track) = self.tracks.get_mut(&id) else { return };
        if !track.is_subscribed() {
            self.counters.unwanted_packets += 1;
            return self.decline_again(id);
        }
        let held = track.assembler.bytes();
        let others = self.bytes.saturating_sub(held);
        let bytes_max = self.config.bytes_max.saturating_sub(others).min(self.config.track_bytes_max);
        track.push(&header, packet, bytes_max, now);
        self.settle(id, held);
    }

    /// Requests, then events and frames in their order, then when
    /// [`handle_timeout`](Self::handle_timeout) is next of use.
    pub fn poll_output(&mut self) -> RemoteOutput {
        if !self.changes.is_empty() {
            let count = self.changes.len().min(CHANGES_PER_REQUEST);
            let changes = self.changes.drain(..count).collect();
            return RemoteOutput::Request(Request::UpdateDataSubscription(changes));
        }
        self.outputs.pop_front().unwrap_or_else(|| RemoteOutput::Timeout(self.poll_timeout()))
    }

    /// When [`handle_timeout`](Self::handle_timeout) is next of use.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Gives up on what has taken too long.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((at, id)) = self.timers.first().copied().filter(|(at, _)| *at <= now) {
            self.timers.remove(&(at, id));
            let Some(track) = self.tracks.get_mut(&id) else { continue };
            track.timer = None;
            let held = track.assembler.bytes();
            track.assembler.handle_timeout(now);
            self.settle(id, held);
            self.end_linger_if_due(id, now);
            self.ask_once_more_if_due(id, now);
            self.fail_if_overdue(id, now);
        }
    }

    /// The track of that name, if it is published.
    #[must_use]
    pub fn find(&self, publisher: &str, name: &str) -> Option<RemoteTrackId> {
        self.tracks_of(publisher).find(|(_, info)| info.name == name).map(|(id, _)| id)
    }

    /// What a participant publishes, in the order of sids.
    pub fn tracks_of(&self, publisher: &str) -> impl Iterator<Item = (RemoteTrackId, &Arc<DataTrackInfo>)> {
        let tracks =
            self.publishers.get(publisher).into_iter().flat_map(|publisher| publisher.tracks.values());
        tracks.filter_map(|id| Some((*id, &self.tracks.get(id)?.info)))
    }

    /// How a track was last announced.
    #[must_use]
    pub fn info(&self, track: RemoteTrackId) -> Option<&Arc<DataTrackInfo>> {
        self.tracks.get(&track).map(|track| &track.info)
    }

    /// Whether a track is published now.
    #[must_use]
    pub fn is_published(&self, track: RemoteTrackId) -> bool {
        self.tracks.get(&track).is_some_and(|track| track.is_announced)
    }

    /// Identity of a track's publisher.
    #[must_use]
    pub fn publisher(&self, track: RemoteTrackId) -> Option<&Arc<str>> {
        self.tracks.get(&track).map(|track| &track.publisher)
    }

    /// The subscriptions of a track.
    pub fn subscriptions(&self, track: RemoteTrackId) -> impl Iterator<Item = SubscriptionId> {
        self.tracks.get(&track).into_iter().flat_map(|track| track.subscriptions.keys().copied())
    }

    /// What a track has counted; nothing once it is gone.
    #[must_use]
    pub fn stats(&self, track: RemoteTrackId) -> Option<RemoteTrackStats> {
        self.tracks.get(&track).map(Track::stats)
    }

    /// What was of no use.
    #[must_use]
    pub fn counters(&self) -> RemoteCounters {
        self.counters
    }

    /// A track's frames have changed; before, it held so many bytes.
    fn settle(&mut self, id: RemoteTrackId, held: usize) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        track.deliver(self.decryptor.as_deref_mut(), &mut self.outputs);
        self.bytes = self.bytes - held + track.assembler.bytes();
        self.arm(id);
    }

    /// Packets of a track that has ended are taken no longer.
    fn end_linger_if_due(&mut self, id: RemoteTrackId, now: Instant) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        if track.lingers_until.take_if(|at| *at <= now).is_some() {
            self.routes.release(track.handle.take());
            self.arm(id);
        }
    }

    /// Arms a track's timer for what is due first.
    fn arm(&mut self, id: RemoteTrackId) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let due = track.due();
        if track.timer == due {
            return;
        }
        let before = std::mem::replace(&mut track.timer, due);
        if let Some(at) = before {
            self.timers.remove(&(at, id));
        }
        if let Some(at) = due {
            self.timers.insert((at, id));
        }
    }

    fn event(&mut self, event: RemoteEvent) {
        self.outputs.push_back(RemoteOutput::Event(event));
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}

#[cfg(test)]
mod tests;
