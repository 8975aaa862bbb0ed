//! Streams on their way in: found by sender and name, put in order, bounded (protocol §6.4).

mod config;
mod content;
mod inflate;
mod open;
#[cfg(test)]
mod tests;
mod utf8;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use thiserror::Error;
use trackyard_proto::Encryption;
use trackyard_proto::packet::{Compression, StreamChunk, StreamHeader, StreamTrailer};

pub use config::{IncomingConfig, IncomingCounters};
pub use content::Content;
use open::Open;

use crate::{StreamError, StreamInfo};

/// What a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Medium {
    /// UTF-8.
    Text,
    /// Bytes.
    Bytes,
}

/// A stream of this side; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamKey(u64);

/// The topic has a handler.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the topic `{topic}` has a handler of this kind: unregister it first")]
pub struct TopicTaken {
    /// Which topic.
    pub topic: String,
}

/// What is next in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// A chunk as it came, for [`Content`].
    Chunk(Bytes),
    /// Nothing yet.
    Waiting,
    /// Its end, once: complete, with attributes that were not known before, or not.
    Ended(Result<BTreeMap<String, String>, StreamError>),
}

/// What has become of streams.
#[derive(Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "it is handed on at once, and never kept in numbers")]
pub(crate) enum IncomingEvent {
    /// A stream has begun whose topic is registered.
    Opened { stream: StreamKey, sender: String, info: StreamInfo, compression: Compression },
    /// There is something to take.
    Changed(StreamKey),
}

/// Streams of others.
///
/// Invariant: what waits to be read never takes more than [`IncomingConfig::bytes_max`], headers aside, of which
/// there are few; the stream of which most waits ends with [`StreamError::Overflow`] first.
#[derive(Debug)]
pub(crate) struct Incoming {
    config: IncomingConfig,
    topics: BTreeSet<(Medium, String)>,
    /// Streams whose end has not come, by sender and name.
    open: HashMap<(String, String), StreamKey>,
    streams: BTreeMap<StreamKey, Open>,
    next_key: u64,
    bytes: usize,
    /// Until then, streams may wait for their topic to be registered.
    hold_until: Option<Instant>,
    /// Those that do.
    held: Vec<IncomingEvent>,
    events: VecDeque<IncomingEvent>,
    counters: IncomingCounters,
}

impl Incoming {
    pub(crate) fn new(config: IncomingConfig) -> Self {
        Self {
            config,
            topics: BTreeSet::new(),
            open: HashMap::new(),
            streams: BTreeMap::new(),
            next_key: 0,
            bytes: 0,
            hold_until: None,
            held: Vec::new(),
            events: VecDeque::new(),
            counters: IncomingCounters::default(),
        }
    }

    #[cfg(test)]
    pub(crate) fn bytes_held(&self) -> usize {
        self.bytes
    }

    pub(crate) fn counters(&self) -> IncomingCounters {
        self.counters
    }

    pub(crate) fn register(&mut self, medium: Medium, topic: &str) -> Result<(), TopicTaken> {
        if !self.topics.insert((medium, topic.to_owned())) {
            return Err(TopicTaken { topic: topic.to_owned() });
        }
        let is_wanted = |event: &mut IncomingEvent| matches!(event, IncomingEvent::Opened { info, .. } if info.medium() == medium && info.topic == topic);
        self.events.extend(self.held.extract_if(.., is_wanted));
        Ok(())
    }

    /// Until then, streams wait for their topic to be registered, within bounds.
    pub(crate) fn hold_until(&mut self, until: Instant) {
        self.hold_until = Some(until);
    }

    /// Streams that are open stay.
    pub(crate) fn unregister(&mut self, medium: Medium, topic: &str) {
        self.topics.remove(&(medium, topic.to_owned()));
    }

    pub(crate) fn header(
        &mut self,
        sender: &str,
        header: StreamHeader,
        encryption: Encryption,
        now: Instant,
    ) {
        let Some(info) = StreamInfo::of(&header, encryption) else {
            self.counters.unreadable += 1;
            return;
        };
        let is_held = !self.topics.contains(&(info.medium(), info.topic.clone()));
        if is_held && !self.may_hold() {
            self.counters.unhandled += 1;
        } else if matches!(header.compression, Compression::Unknown(_)) {
            self.counters.unreadable += 1;
        } else if self.open.contains_key(&(sender.to_owned(), info.id.clone())) {
            self.counters.duplicates += 1;
        } else if self.is_full(sender) {
            self.counters.refused += 1;
        } else {
            self.begin(sender, (header, info), is_held, now);
        }
    }

    pub(crate) fn chunk(&mut self, sender: &str, chunk: StreamChunk, encryption: Encryption, now: Instant) {
        let Some(key) = self.find(sender, &chunk.stream_id) else {
            self.counters.late += 1;
            return;
        };
        let Some(stream) = self.streams.get_mut(&key) else { return };
        stream.last = now;
        if stream.encryption != encryption {
            return self.fail(key, StreamError::EncryptionMismatch);
        }
        let (expected, found) = (stream.next_index, chunk.chunk_index);
        if found < expected {
            self.counters.duplicates += 1;
        } else if found > expected {
            self.fail(key, StreamError::Gap { expected, found });
        } else {
            stream.next_index += 1;
            self.push(key, chunk.content);
        }
    }

    pub(crate) fn trailer(&mut self, sender: &str, trailer: StreamTrailer, encryption: Encryption) {
        let Some(key) = self.find(sender, &trailer.stream_id) else {
            self.counters.late += 1;
            return;
        };
        let Some(stream) = self.streams.get_mut(&key) else { return };
        if stream.encryption != encryption {
            return self.fail(key, StreamError::EncryptionMismatch);
        }
        if !trailer.reason.is_empty() {
            return self.fail(key, StreamError::Aborted { reason: trailer.reason });
        }
        self.end(key, Ok(trailer.attributes));
    }

    /// Takes what is next; after the end the stream is forgotten.
    pub(crate) fn take(&mut self, key: StreamKey) -> Taken {
        let Some(stream) = self.streams.get_mut(&key) else {
            return Taken::Ended(Err(StreamError::SenderLeft));
        };
        if let Some((chunk, cost)) = stream.pop() {
            self.bytes -= cost;
            return Taken::Chunk(chunk);
        }
        let Some(end) = stream.end.take() else {
            stream.is_told = false;
            return Taken::Waiting;
        };
        self.close(key);
        Taken::Ended(end)
    }

    /// What waits of it, as it came.
    pub(crate) fn waiting(&self, key: StreamKey) -> usize {
        self.streams.get(&key).map_or(0, Open::waiting)
    }

    /// The reader has looked and wants to hear of more.
    pub(crate) fn looked(&mut self, key: StreamKey) {
        if let Some(stream) = self.streams.get_mut(&key) {
            stream.is_told = false;
        }
    }

    /// Its end has come.
    pub(crate) fn has_ended(&self, key: StreamKey) -> bool {
        self.streams.get(&key).is_none_or(|stream| stream.end.is_some())
    }

    /// It is not known any more.
    pub(crate) fn is_gone(&self, key: StreamKey) -> bool {
        !self.streams.contains_key(&key)
    }

    /// Nobody reads it any more.
    pub(crate) fn close(&mut self, key: StreamKey) {
        let Some(stream) = self.streams.remove(&key) else { return };
        self.bytes -= stream.bytes;
        self.forget(&stream, key);
    }

    /// A sender is gone; without one, everybody is.
    pub(crate) fn left(&mut self, sender: Option<&str>) {
        let is_theirs = |stream: &Open| sender.is_none_or(|sender| stream.sender == sender);
        let keys: Vec<_> =
            self.streams.iter().filter(|(_, open)| is_theirs(open)).map(|(key, _)| *key).collect();
        keys.into_iter().for_each(|key| self.fail(key, StreamError::SenderLeft));
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.hold_until.is_some_and(|until| now >= until) {
            self.hold_until = None;
            self.drop_held();
        }
        let stalled = |open: &Open| open.end.is_none() && now >= open.last + self.config.idle_max;
        let keys: Vec<_> =
            self.streams.iter().filter(|(_, open)| stalled(open)).map(|(key, _)| *key).collect();
        keys.into_iter().for_each(|key| self.fail(key, StreamError::Stalled));
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let open = self.streams.values().filter(|open| open.end.is_none());
        let stalled = open.map(|open| open.last + self.config.idle_max).min();
        [stalled, self.hold_until].into_iter().flatten().min()
    }

    /// Nobody has registered their topics.
    fn drop_held(&mut self) {
        for event in std::mem::take(&mut self.held) {
            if let IncomingEvent::Opened { stream, .. } = event {
                self.counters.unhandled += 1;
                self.close(stream);
            }
        }
    }

    pub(crate) fn poll_event(&mut self) -> Option<IncomingEvent> {
        self.events.pop_front()
    }

    fn may_hold(&self) -> bool {
        self.hold_until.is_some() && self.held.len() < self.config.held_max
    }

    fn begin(
        &mut self,
        sender: &str,
        (header, info): (StreamHeader, StreamInfo),
        is_held: bool,
        now: Instant,
    ) {
        let key = StreamKey(self.next_key);
        self.next_key += 1;
        let mut stream = Open::new(sender, &info, now);
        // Who does not know of a stream is not told of its content.
        stream.is_told = is_held;
        self.bytes += stream.bytes;
        self.counters.opened += 1;
        self.open.insert((sender.to_owned(), info.id.clone()), key);
        self.streams.insert(key, stream);
        let opened = IncomingEvent::Opened {
            stream: key,
            sender: sender.to_owned(),
            info,
            compression: header.compression,
        };
        if is_held {
            self.held.push(opened);
        } else {
            self.events.push_back(opened);
        }
        if let Some(content) = header.inline_content {
            self.push(key, content);
            self.end(key, Ok(BTreeMap::new()));
        } else {
            self.shed();
        }
    }

    fn is_full(&self, sender: &str) -> bool {
        let of_sender = || self.streams.values().filter(|stream| stream.sender == sender).count();
        self.streams.len() >= self.config.streams_max || of_sender() >= self.config.streams_per_sender_max
    }

    fn find(&self, sender: &str, id: &str) -> Option<StreamKey> {
        self.open.get(&(sender.to_owned(), id.to_owned())).copied()
    }

    fn push(&mut self, key: StreamKey, content: Bytes) {
        let Some(stream) = self.streams.get_mut(&key) else { return };
        if content.is_empty() {
            return;
        }
        self.bytes += stream.push(content);
        let waiting = stream.waiting();
        if waiting > self.config.stream_bytes_max {
            self.overflow(key, waiting);
        } else {
            self.shed();
            self.tell(key);
        }
    }

    /// Ends the stream of which most waits until what is left fits.
    fn shed(&mut self) {
        while self.bytes > self.config.bytes_max {
            let most = self.streams.iter().max_by_key(|(_, stream)| stream.waiting());
            let Some((&key, stream)) = most.filter(|(_, stream)| stream.waiting() > 0) else { return };
            self.overflow(key, stream.waiting());
        }
    }

    fn overflow(&mut self, key: StreamKey, waiting: usize) {
        self.counters.overflowed += 1;
        if let Some(stream) = self.streams.get_mut(&key) {
            self.bytes -= stream.clear();
            stream.end = None;
        }
        self.fail(key, StreamError::Overflow { waiting });
    }

    fn fail(&mut self, key: StreamKey, error: StreamError) {
        self.counters.failed += 1;
        self.end(key, Err(error));
    }

    fn end(&mut self, key: StreamKey, end: Result<BTreeMap<String, String>, StreamError>) {
        let Some(stream) = self.streams.get_mut(&key) else { return };
        if stream.end.is_none() {
            stream.end = Some(end);
        }
        let name = stream.name.clone();
        if self.open.get(&name) == Some(&key) {
            self.open.remove(&name);
        }
        self.tell(key);
    }

    fn tell(&mut self, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(&key) else { return };
        if !std::mem::replace(&mut stream.is_told, true) {
            self.events.push_back(IncomingEvent::Changed(key));
        }
    }

    fn forget(&mut self, stream: &Open, key: StreamKey) {
        if self.open.get(&stream.name) == Some(&key) {
            self.open.remove(&stream.name);
        }
    }
}
