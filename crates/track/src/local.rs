//! The tracks this client publishes.

mod error;
mod event;
mod handles;
mod last_will;
mod latch;
mod options;
mod packet_size;
mod publication;
mod push;
mod schema;
mod stats;
mod track;

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_lanes::{Outbox, OutboxConfig};
use trackyard_proto::Request;
use trackyard_wire::Handle;

use crate::Encryptor;
use crate::clock::MediaClock;
use handles::{Handles, Holder};
use track::{State, Track};

pub use error::{PublishError, PushError};
pub use event::{LocalEvent, LocalOutput};
pub use options::{FRAMES_WAITING_MAX, PublishOptions, PublishPolicy, PublishRules};
pub use packet_size::{PACKET_BYTES_MAX, PACKET_BYTES_MIN, PACKETS_PER_FRAME_AIM, PacketSize};
pub use schema::SchemaMismatch;
pub use stats::{LocalDropReason, LocalTrackStats};
pub use track::PUBLISH_TIMEOUT;

/// Names a published track within this client; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTrackId(u64);

impl LocalTrackId {
    pub(crate) fn new(value: u64) -> Self {
        Self(value)
    }
}

/// The tracks this client publishes: their publication, and the way of their frames to the channel.
///
/// **The one rule of use:** after every call that changes it, drain [`poll_output`](Self::poll_output)
/// until it answers `Timeout`, and write what is [peeked](Self::peek) while the channel takes it.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Instant;
/// use trackyard_proto::{DataTrackInfo, Encryption, Request};
/// use trackyard_track::{Frame, LocalOutput, LocalTracks, LocalTracksConfig, PublishOptions};
///
/// # fn example(now: Instant) -> Result<(), Box<dyn std::error::Error>> {
/// let mut tracks = LocalTracks::new(LocalTracksConfig::default(), now);
/// tracks.restart(now); // a session has begun
/// let track = tracks.publish(PublishOptions::new("pose"), now)?;
/// let LocalOutput::Request(Request::PublishDataTrack(request)) = tracks.poll_output() else { panic!() };
///
/// let info = DataTrackInfo {
///     pub_handle: u16::try_from(request.pub_handle)?,
///     sid: "DTR_example".to_owned(),
///     name: request.name,
///     encryption: Encryption::None,
///     frame_encoding: None,
///     schema: None,
/// };
/// tracks.published(&Arc::new(info).into(), now);
/// tracks.set_open(true, now); // so is the channel
/// tracks.try_push(track, Frame { payload: "hi".into(), user_timestamp: None }, now)?;
/// assert_eq!(tracks.peek(now).map(|packet| packet.len()), Some(14));
/// tracks.written(now);
/// assert_eq!(tracks.stats(track).map(|stats| stats.sent), Some(1));
/// # Ok(())
/// # }
/// # example(Instant::now()).expect("a server that says yes");
/// ```
///
/// Invariant: of every track, frames pushed = sent + dropped + waiting.
#[derive(Debug)]
pub struct LocalTracks {
    clock: MediaClock,
    outbox: Outbox,
    /// The channel takes packets, of so many bytes at most.
    is_open: bool,
    packet_bytes_max: usize,
    encryptor: Option<Box<dyn Encryptor>>,
    tracks: BTreeMap<LocalTrackId, Track>,
    names: HashSet<String>,
    handles: Handles,
    last_id: u64,
    /// What is said is heard.
    is_signalling: bool,
    timers: BTreeSet<(Instant, LocalTrackId)>,
    requests: VecDeque<Request>,
    events: VecDeque<LocalEvent>,
    stray_answers: u64,
}

/// What published tracks share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTracksConfig {
    /// Bounds of what waits.
    pub outbox: OutboxConfig,
    /// What the clock of packet timestamps starts from; random, says protocol §5.4.
    pub timestamp_base: u32,
}

/// What waits in the path beyond what is on its way there. A command's few bytes wait behind all of it, and one
/// publisher's acknowledgements come steadily.
const QUEUE_TIME: Duration = Duration::from_millis(5);

impl Default for LocalTracksConfig {
    fn default() -> Self {
        Self { outbox: OutboxConfig { queue_time: QUEUE_TIME, ..OutboxConfig::default() }, timestamp_base: 0 }
    }
}

impl LocalTracks {
    /// No tracks, no session and no channel.
    #[must_use]
    pub fn new(config: LocalTracksConfig, now: Instant) -> Self {
        Self {
            clock: MediaClock::new(config.timestamp_base, now),
            outbox: Outbox::new(config.outbox),
            is_open: false,
            packet_bytes_max: PACKET_BYTES_MAX,
            encryptor: None,
            tracks: BTreeMap::new(),
            names: HashSet::new(),
            handles: Handles::default(),
            last_id: 0,
            is_signalling: false,
            timers: BTreeSet::new(),
            requests: VecDeque::new(),
            events: VecDeque::new(),
            stray_answers: 0,
        }
    }

    /// What encrypts the frames of encrypted tracks from now on.
    pub fn set_encryptor(&mut self, encryptor: Option<Box<dyn Encryptor>>) {
        self.encryptor = encryptor;
    }

    /// Says whether the channel can be written. While it cannot, frames are dropped.
    pub fn set_open(&mut self, open: bool, now: Instant) {
        self.is_open = open;
        self.outbox.set_open(open, now);
        self.give_again(now);
    }

    /// Says how long a message the channel takes; packets are made no longer.
    pub fn set_packet_bytes_max(&mut self, bytes: usize) {
        self.packet_bytes_max = bytes;
        self.outbox.set_packet_bytes_max(bytes);
    }

    /// Says what the channel holds, queued and in flight. To be called after every input.
    pub fn update_buffered(&mut self, bytes: usize, now: Instant) {
        self.outbox.update_buffered(bytes, now);
    }

    /// The next packet to write, if there is room and one is due. To be followed at once by
    /// [`written`](Self::written) or [`refused_by_channel`](Self::refused_by_channel), or left.
    pub fn peek(&mut self, now: Instant) -> Option<&Bytes> {
        self.outbox.peek(now).map(|(_, packet)| packet)
    }

    /// The channel has taken the packet just peeked.
    pub fn written(&mut self, now: Instant) {
        self.outbox.written(now);
    }

    /// The channel was full; the packet just peeked stays until it holds less.
    pub fn refused_by_channel(&mut self, now: Instant) {
        self.outbox.refused(now);
    }

    /// Requests, then events, then when [`handle_timeout`](Self::handle_timeout) is next of use.
    pub fn poll_output(&mut self) -> LocalOutput {
        if let Some(request) = self.requests.pop_front() {
            return LocalOutput::Request(request);
        }
        match self.events.pop_front() {
            Some(event) => LocalOutput::Event(event),
            None => LocalOutput::Timeout(self.poll_timeout()),
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is next of use.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let wishes = self.timers.first().map(|(at, _)| *at);
        [wishes, self.outbox.poll_timeout()].into_iter().flatten().min()
    }

    /// Gives up on what has taken too long.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.outbox.handle_timeout(now);
        while let Some((at, track)) = self.timers.first().copied().filter(|(at, _)| *at <= now) {
            self.timers.remove(&(at, track));
            self.wish_due(track, now);
        }
    }

    /// What a track has counted; nothing once it is gone.
    #[must_use]
    pub fn stats(&self, track: LocalTrackId) -> Option<LocalTrackStats> {
        self.tracks.get(&track).map(|track| self.stats_of(track))
    }

    /// The handle of a track, which it keeps over all sessions.
    #[must_use]
    pub fn handle(&self, track: LocalTrackId) -> Option<Handle> {
        self.tracks.get(&track).map(|track| track.handle)
    }

    /// Answers of the server that fit no request.
    #[must_use]
    pub fn stray_answers(&self) -> u64 {
        self.stray_answers
    }

    fn stats_of(&self, track: &Track) -> LocalTrackStats {
        let lane = self.outbox.lane_stats(track.handle).copied().unwrap_or_default();
        track.tally.stats(lane, self.outbox.lane_frames_waiting(track.handle).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
