//! What the other side may leave with the association: how far it may run ahead of what it owes, and on how many streams.
//!
//! Chunks that come while an earlier one is missing are kept, also those whose message has been read already, and the window
//! that the association announces does not count them. So a sender that withholds one chunk could fill the memory, and one that
//! uses a stream of its own for each message likewise. Records that go too far are thrown away unread, as if the path had lost
//! them: an honest sender repeats or forgets them, and comes nowhere near the bounds.

use std::collections::VecDeque;

use super::chunk::{ChunkKind, Data, chunks};

/// Transmission sequence numbers that may be kept past a missing one.
const AHEAD_MAX: u32 = 16 * 1024;
/// Bytes that may be kept past a missing one: what comes in a second or two of a fast path, until the missing is given up.
const AHEAD_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Streams that are open at once: some more than channels that are left open.
const STREAMS_MAX: usize = 64;

/// Of an INIT or INIT ACK: tag, window and counts of streams stand before its first number (RFC 9260 §3.3.2).
const FIRST_TSN_AT: usize = 12;
/// What a chunk takes beside what it carries.
const CHUNK_BYTES: u16 = 16;
/// Lengths for which room is kept.
const KEPT: usize = 64;

/// Watches what comes in, by what was acknowledged.
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// All up to here has come or was given up.
    cumulative: Option<u32>,
    /// Lengths of what has come past it; 0: not yet.
    ahead: VecDeque<u16>,
    bytes: usize,
    streams: Vec<u16>,
}

impl Guard {
    /// Whether a record that has come is to be read.
    pub(super) fn admits(&mut self, record: &[u8]) -> bool {
        chunks(record).all(|chunk| match chunk.kind {
            ChunkKind::Init => {
                self.cumulative.get_or_insert(chunk.number(FIRST_TSN_AT).wrapping_sub(1));
                true
            }
            ChunkKind::Data => chunk.data().is_some_and(|data| self.take(&data)),
            _ => true,
        })
    }

    /// A record that is sent says how far all has come.
    pub(super) fn sent(&mut self, record: &[u8]) {
        chunks(record)
            .filter(|chunk| chunk.kind == ChunkKind::Sack)
            .for_each(|chunk| self.advance(chunk.number(0)));
    }

    /// A stream has ended; another may take its place.
    pub(super) fn ended(&mut self, stream: u16) {
        self.streams.retain(|open| *open != stream);
    }

    fn take(&mut self, data: &Data) -> bool {
        let Some(cumulative) = self.cumulative else { return false };
        let distance = data.tsn.wrapping_sub(cumulative);
        if distance == 0 || distance > u32::MAX / 2 {
            // It has come before: the association says so.
            return true;
        }
        let bytes = data.bytes.saturating_add(CHUNK_BYTES);
        if distance > AHEAD_MAX || self.bytes + usize::from(bytes) > AHEAD_BYTES_MAX {
            return false;
        }
        if !self.streams.contains(&data.stream) {
            if self.streams.len() >= STREAMS_MAX {
                return false;
            }
            self.streams.push(data.stream);
        }
        self.keep(distance as usize - 1, bytes);
        true
    }

    fn keep(&mut self, at: usize, bytes: u16) {
        if self.ahead.len() <= at {
            self.ahead.resize(at + 1, 0);
        }
        if self.ahead[at] == 0 {
            self.ahead[at] = bytes;
            self.bytes += usize::from(bytes);
        }
    }

    fn advance(&mut self, cumulative: u32) {
        let distance = cumulative.wrapping_sub(self.cumulative.replace(cumulative).unwrap_or(cumulative));
        if distance > u32::MAX / 2 {
            return;
        }
        let gone = self.ahead.len().min(distance as usize);
        self.bytes -= self.ahead.drain(..gone).map(usize::from).sum::<usize>();
        if self.ahead.is_empty() {
            self.ahead.shrink_to(KEPT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: u8 = 0;
    const INIT: u8 = 1;
    const SACK: u8 = 3;
    const HEADER_BYTES: usize = 12;

    fn record(kind: u8, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(value.len() + 4).unwrap();
        let mut record = [&[0; HEADER_BYTES][..], &[kind, 0], &length.to_be_bytes(), value].concat();
        record.resize(record.len().next_multiple_of(4), 0);
        record
    }

    fn init(first: u32) -> Vec<u8> {
        record(INIT, &[&[0; FIRST_TSN_AT][..], &first.to_be_bytes()].concat())
    }

    fn piece(tsn: u32, stream: u16, bytes: usize) -> Vec<u8> {
        let head = [&tsn.to_be_bytes()[..], &stream.to_be_bytes(), &[0; 6]].concat();
        record(DATA, &[head, vec![0; bytes]].concat())
    }

    fn sack(cumulative: u32) -> Vec<u8> {
        record(SACK, &[&cumulative.to_be_bytes()[..], &[0; 8]].concat())
    }

    fn guard(first: u32) -> Guard {
        let mut guard = Guard::default();
        assert!(guard.admits(&init(first)));
        guard
    }

    #[test]
    fn what_is_acknowledged_never_fills_it_also_past_the_last_number() {
        let mut guard = guard(u32::MAX - 5_000);
        for step in 0..50_000_u32 {
            let tsn = (u32::MAX - 5_000).wrapping_add(step);
            assert!(guard.admits(&piece(tsn, 1, 1_100)), "{step}");
            if step % 2 == 1 {
                guard.sent(&sack(tsn));
                assert_eq!((guard.bytes, guard.ahead.len()), (0, 0));
            }
        }
    }

    #[test]
    fn who_withholds_a_chunk_is_not_heard_beyond_bounds_until_it_comes() {
        let mut guard = guard(10);
        let far = (11..).find(|tsn| !guard.admits(&piece(*tsn, 1, 10))).unwrap();
        assert_eq!(far, 10 + AHEAD_MAX);
        assert!(guard.admits(&piece(10, 1, 10)), "what it owes");
        assert!(guard.admits(&piece(9, 1, 10)), "what has come long ago");
        guard.sent(&sack(far - 1));
        assert_eq!((guard.bytes, guard.ahead.len()), (0, 0));
        assert!(guard.admits(&piece(far, 1, 10)));
        guard.sent(&sack(far));
        let first = far + 1;
        let long = (first + 1..).find(|tsn| !guard.admits(&piece(*tsn, 1, 1_184))).unwrap();
        assert!(((long - first) as usize).abs_diff(AHEAD_BYTES_MAX / 1_200) <= 1, "{}", long - first);
        guard.sent(&sack(first + 1));
        assert!(!guard.admits(&piece(long, 1, 1_184)) || guard.bytes <= AHEAD_BYTES_MAX);
    }

    #[test]
    fn the_same_chunk_counts_once() {
        let mut guard = guard(1);
        assert!((0..100_000).all(|_| guard.admits(&piece(5, 1, 1_000))));
        assert_eq!(guard.bytes, 1_016);
    }

    #[test]
    fn streams_are_bounded_and_their_places_come_back() {
        let mut guard = guard(1);
        let taken =
            (0..1_000).filter(|stream| guard.admits(&piece(1 + u32::from(*stream), *stream, 4))).count();
        assert_eq!(taken, STREAMS_MAX);
        guard.ended(3);
        assert!(guard.admits(&piece(2_000, 500, 4)));
        assert!(!guard.admits(&piece(2_001, 501, 4)));
    }

    #[test]
    fn nonsense_is_passed_on_and_data_before_a_beginning_is_not() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut guard = Guard::default();
        assert!(!guard.admits(&piece(1, 1, 4)));
        for _ in 0..100_000 {
            let length = random.usize(..60);
            let mut record: Vec<u8> = (0..length).map(|_| random.u8(..)).collect();
            if let Some(kind) = record.get_mut(HEADER_BYTES) {
                *kind %= 4;
            }
            guard.admits(&record);
            guard.sent(&record);
            assert!(guard.ahead.len() <= AHEAD_MAX as usize && guard.streams.len() <= STREAMS_MAX);
            assert_eq!(guard.bytes, guard.ahead.iter().map(|bytes| usize::from(*bytes)).sum::<usize>());
        }
        assert!(guard.admits(&[]) && guard.admits(&[0; 11]));
    }
}
