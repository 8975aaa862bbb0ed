//! One incoming stream.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use trackyard_proto::Encryption;

use crate::{StreamError, StreamInfo};

/// What a chunk that waits takes beside its content.
const CHUNK_COST: usize = 96;

/// A stream that is open, or not read to its end.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) sender: String,
    /// Sender and stream id.
    pub(super) name: (String, String),
    pub(super) encryption: Encryption,
    pub(super) next_index: u64,
    pub(super) end: Option<Result<BTreeMap<String, String>, StreamError>>,
    /// When it last brought something.
    pub(super) last: Instant,
    /// The reader knows that there is something to take.
    pub(super) is_told: bool,
    /// What it takes in memory.
    pub(super) bytes: usize,
    /// Of that, what waits to be read.
    waiting: usize,
    chunks: VecDeque<Bytes>,
}

impl Open {
    pub(super) fn new(sender: &str, info: &StreamInfo, now: Instant) -> Self {
        Self {
            sender: sender.to_owned(),
            name: (sender.to_owned(), info.id.clone()),
            encryption: info.encryption,
            next_index: 0,
            end: None,
            last: now,
            is_told: false,
            bytes: info.cost(),
            waiting: 0,
            chunks: VecDeque::new(),
        }
    }

    /// Answers what it costs.
    pub(super) fn push(&mut self, content: Bytes) -> usize {
        let cost = content.len() + CHUNK_COST;
        self.bytes += cost;
        self.waiting += cost;
        self.chunks.push_back(content);
        cost
    }

    pub(super) fn pop(&mut self) -> Option<(Bytes, usize)> {
        let chunk = self.chunks.pop_front()?;
        let cost = chunk.len() + CHUNK_COST;
        self.bytes -= cost;
        self.waiting -= cost;
        Some((chunk, cost))
    }

    /// What waits to be read, as it came.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Drops what waits; answers what it cost.
    pub(super) fn clear(&mut self) -> usize {
        self.chunks.clear();
        let cost = std::mem::take(&mut self.waiting);
        self.bytes -= cost;
        cost
    }
}
