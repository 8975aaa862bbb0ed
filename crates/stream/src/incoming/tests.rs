//! Streams of well-meaning and other senders.

use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_proto::Encryption;
use trackyard_proto::packet::{
    Compression, StreamChunk, StreamContent, StreamHeader, StreamTrailer, TextHeader,
};

use super::*;

const PLAIN: Encryption = Encryption::None;

fn header(id: &str) -> StreamHeader {
    StreamHeader {
        stream_id: id.to_owned(),
        topic: "chat".to_owned(),
        content: Some(StreamContent::Text(TextHeader::default())),
        ..StreamHeader::default()
    }
}

fn chunk(id: &str, chunk_index: u64, content: &[u8]) -> StreamChunk {
    StreamChunk {
        stream_id: id.to_owned(),
        chunk_index,
        content: Bytes::copy_from_slice(content),
        version: 0,
    }
}

fn trailer(id: &str, reason: &str) -> StreamTrailer {
    StreamTrailer { stream_id: id.to_owned(), reason: reason.to_owned(), ..StreamTrailer::default() }
}

type End = Result<BTreeMap<String, String>, StreamError>;

struct Bench {
    incoming: Incoming,
    now: Instant,
    opened: Vec<(StreamKey, StreamInfo, Compression)>,
    changed: Vec<StreamKey>,
}

impl Bench {
    fn new(config: IncomingConfig) -> Self {
        let mut incoming = Incoming::new(config);
        incoming.register(Medium::Text, "chat").unwrap();
        Self { incoming, now: Instant::now(), opened: Vec::new(), changed: Vec::new() }
    }

    fn plain() -> Self {
        Self::new(IncomingConfig::default())
    }

    fn settle(&mut self) {
        while let Some(event) = self.incoming.poll_event() {
            match event {
                IncomingEvent::Opened { stream, info, compression, .. } => {
                    self.opened.push((stream, info, compression));
                }
                IncomingEvent::Changed(stream) => self.changed.push(stream),
            }
        }
    }

    fn open(&mut self, sender: &str, header: StreamHeader) -> Option<StreamKey> {
        let before = self.opened.len();
        self.incoming.header(sender, header, PLAIN, self.now);
        self.settle();
        self.opened.get(before).map(|(stream, ..)| *stream)
    }

    fn chunk(&mut self, sender: &str, chunk: StreamChunk) {
        self.incoming.chunk(sender, chunk, PLAIN, self.now);
        self.settle();
    }

    fn trailer(&mut self, sender: &str, trailer: StreamTrailer) {
        self.incoming.trailer(sender, trailer, PLAIN);
        self.settle();
    }

    /// Everything up to the end.
    fn read(&mut self, stream: StreamKey) -> (Vec<u8>, Option<End>) {
        let mut content = Vec::new();
        loop {
            match self.incoming.take(stream) {
                Taken::Chunk(chunk) => content.extend_from_slice(&chunk),
                Taken::Waiting => return (content, None),
                Taken::Ended(end) => return (content, Some(end)),
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.incoming.streams.is_empty() && self.incoming.open.is_empty() && self.incoming.bytes == 0
    }
}

#[test]
fn a_stream_comes_in_order_and_is_forgotten_after_its_end() {
    let mut bench = Bench::plain();
    let stream = bench.open("a", header("1")).unwrap();
    assert_eq!(bench.read(stream), (Vec::new(), None));
    bench.chunk("a", chunk("1", 0, b"one "));
    bench.chunk("a", chunk("1", 1, b"two "));
    assert_eq!(bench.changed, [stream], "it is told once until the reader has seen that there is no more");
    assert_eq!(bench.read(stream), (b"one two ".to_vec(), None));
    bench.chunk("a", chunk("1", 2, b""));
    bench.chunk("a", chunk("1", 3, b"three"));
    let mut end = trailer("1", "");
    end.attributes.insert("k".to_owned(), "v".to_owned());
    bench.trailer("a", end.clone());
    assert_eq!(bench.changed, [stream, stream]);
    assert_eq!(bench.read(stream), (b"three".to_vec(), Some(Ok(end.attributes))));
    assert!(bench.is_empty());
    bench.chunk("a", chunk("1", 4, b"late"));
    bench.trailer("a", trailer("1", ""));
    assert_eq!(bench.incoming.counters.late, 2);
}

#[test]
fn streams_of_two_senders_may_have_one_name() {
    let mut bench = Bench::plain();
    let [a, b] = ["a", "b"].map(|sender| bench.open(sender, header("1")).unwrap());
    bench.chunk("b", chunk("1", 0, b"of b"));
    bench.chunk("a", chunk("1", 0, b"of a"));
    bench.trailer("a", trailer("1", ""));
    assert_eq!(bench.read(a), (b"of a".to_vec(), Some(Ok(BTreeMap::new()))));
    assert_eq!(bench.read(b), (b"of b".to_vec(), None));
}

#[test]
fn what_comes_twice_counts_once() {
    let mut bench = Bench::plain();
    let stream = bench.open("a", header("1")).unwrap();
    assert!(bench.open("a", header("1")).is_none());
    for (index, content) in [(0, b"a"), (0, b"a"), (1, b"b"), (0, b"a"), (1, b"b")] {
        bench.chunk("a", chunk("1", index, content));
    }
    assert_eq!(bench.read(stream).0, b"ab");
    assert_eq!(bench.incoming.counters.duplicates, 4);
}

#[test]
fn a_gap_ends_it_after_what_had_come() {
    let mut bench = Bench::plain();
    let stream = bench.open("a", header("1")).unwrap();
    bench.chunk("a", chunk("1", 0, b"a"));
    bench.chunk("a", chunk("1", 2, b"c"));
    bench.chunk("a", chunk("1", 1, b"b"));
    let gap = StreamError::Gap { expected: 1, found: 2 };
    assert_eq!(bench.read(stream), (b"a".to_vec(), Some(Err(gap))));
    assert_eq!((bench.incoming.counters.late, bench.incoming.counters.failed), (1, 1));
    assert!(bench.is_empty());
}

#[test]
fn a_reason_is_an_error() {
    let mut bench = Bench::plain();
    let stream = bench.open("a", header("1")).unwrap();
    bench.trailer("a", trailer("1", "cancelled"));
    let error = StreamError::Aborted { reason: "cancelled".to_owned() };
    assert_eq!(bench.read(stream), (Vec::new(), Some(Err(error))));
}

#[test]
fn a_sender_that_leaves_ends_its_own_streams_alone() {
    let mut bench = Bench::plain();
    let [a, b] = ["a", "b"].map(|sender| bench.open(sender, header("1")).unwrap());
    let done = bench.open("a", header("2")).unwrap();
    bench.chunk("a", chunk("1", 0, b"half"));
    bench.trailer("a", trailer("2", ""));
    bench.incoming.left(Some("a"));
    assert_eq!(bench.read(a), (b"half".to_vec(), Some(Err(StreamError::SenderLeft))));
    assert_eq!(bench.read(done), (Vec::new(), Some(Ok(BTreeMap::new()))), "what is complete stays so");
    assert_eq!(bench.read(b), (Vec::new(), None));
    bench.incoming.left(None);
    assert_eq!(bench.read(b), (Vec::new(), Some(Err(StreamError::SenderLeft))));
    assert!(bench.is_empty());
}

#[test]
fn what_nobody_asked_for_is_counted() {
    let mut bench = Bench::plain();
    let other_topic = StreamHeader { topic: "other".to_owned(), ..header("1") };
    let bytes = StreamContent::Bytes { name: String::new() };
    assert!(bench.open("a", other_topic).is_none());
    assert!(bench.open("a", StreamHeader { content: Some(bytes.clone()), ..header("2") }).is_none());
    assert!(bench.open("a", StreamHeader { content: None, ..header("3") }).is_none());
    let unknown = StreamHeader { compression: Compression::Unknown(9), ..header("4") };
    assert!(bench.open("a", unknown).is_none());
    bench.chunk("a", chunk("1", 0, b"x"));
    let counters = bench.incoming.counters;
    assert_eq!((counters.unhandled, counters.unreadable, counters.late, counters.opened), (2, 2, 1, 0));
    bench.incoming.register(Medium::Bytes, "chat").unwrap();
    assert!(bench.incoming.register(Medium::Bytes, "chat").is_err());
    assert!(bench.open("a", StreamHeader { content: Some(bytes), ..header("2") }).is_some());
    bench.incoming.unregister(Medium::Text, "chat");
    assert!(bench.open("a", header("5")).is_none());
}

#[test]
fn at_first_streams_wait_for_their_topic() {
    let config = IncomingConfig { held_max: 3, ..IncomingConfig::default() };
    let mut bench = Bench::new(config);
    let until = bench.now + Duration::from_secs(2);
    bench.incoming.hold_until(until);
    let of = |id: &str, topic: &str| StreamHeader { topic: topic.to_owned(), ..header(id) };
    for (id, topic) in [("1", "late"), ("2", "never"), ("3", "late"), ("4", "beyond the bound")] {
        assert!(bench.open("a", of(id, topic)).is_none());
        bench.chunk("a", chunk(id, 0, id.as_bytes()));
    }
    assert!(bench.open("a", header("5")).is_some(), "a topic that is known does not wait");
    bench.trailer("a", trailer("1", ""));
    assert_eq!((bench.incoming.counters.unhandled, bench.incoming.counters.late), (1, 1));
    assert!(bench.changed.is_empty(), "nobody is told of what nobody knows");
    bench.incoming.register(Medium::Text, "late").unwrap();
    bench.settle();
    let [_, (first, ..), (second, ..)] = bench.opened[..] else { panic!("{:?}", bench.opened) };
    assert_eq!(bench.read(first), (b"1".to_vec(), Some(Ok(BTreeMap::new()))));
    assert_eq!(bench.read(second), (b"3".to_vec(), None));
    bench.chunk("a", chunk("3", 1, b"more"));
    assert_eq!(bench.changed, [second]);
    assert_eq!(bench.incoming.poll_timeout(), Some(until));
    bench.incoming.handle_timeout(until);
    assert_eq!(bench.incoming.counters.unhandled, 2);
    bench.incoming.register(Medium::Text, "never").unwrap();
    assert!(bench.open("a", of("6", "other")).is_none());
    assert_eq!((bench.opened.len(), bench.incoming.counters.unhandled), (3, 3));
}

#[test]
fn a_stream_within_its_header_is_complete() {
    let mut bench = Bench::plain();
    let inline = StreamHeader {
        inline_content: Some(Bytes::from_static(b"all")),
        total_length: Some(3),
        ..header("1")
    };
    let stream = bench.open("a", inline).unwrap();
    assert_eq!(bench.read(stream), (b"all".to_vec(), Some(Ok(BTreeMap::new()))));
    let empty = StreamHeader { inline_content: Some(Bytes::new()), total_length: Some(0), ..header("2") };
    let stream = bench.open("a", empty).unwrap();
    assert_eq!(bench.opened[1].1.size, Some(0));
    assert_eq!(bench.read(stream), (Vec::new(), Some(Ok(BTreeMap::new()))));
    assert!(bench.is_empty());
}

#[test]
fn a_stream_that_is_encrypted_in_part_ends() {
    for is_trailer in [false, true] {
        let mut bench = Bench::plain();
        bench.incoming.header("a", header("1"), Encryption::Gcm, bench.now);
        bench.settle();
        if is_trailer {
            bench.trailer("a", trailer("1", ""));
        } else {
            bench.chunk("a", chunk("1", 0, b"in the clear"));
        }
        let stream = bench.opened[0].0;
        assert_eq!(bench.read(stream), (Vec::new(), Some(Err(StreamError::EncryptionMismatch))));
    }
}

#[test]
fn a_stream_that_brings_nothing_ends() {
    let mut bench = Bench::plain();
    let idle_max = IncomingConfig::default().idle_max;
    let stream = bench.open("a", header("1")).unwrap();
    assert_eq!(bench.incoming.poll_timeout(), Some(bench.now + idle_max));
    bench.now += idle_max - Duration::from_secs(1);
    bench.chunk("a", chunk("1", 0, b"still here"));
    bench.incoming.handle_timeout(bench.now + Duration::from_secs(2));
    assert_eq!(bench.read(stream), (b"still here".to_vec(), None));
    bench.incoming.handle_timeout(bench.now + idle_max);
    assert_eq!(bench.read(stream), (Vec::new(), Some(Err(StreamError::Stalled))));
    assert_eq!(bench.incoming.poll_timeout(), None);
}

#[test]
fn no_sender_opens_more_than_its_share() {
    let config = IncomingConfig { streams_max: 5, streams_per_sender_max: 3, ..IncomingConfig::default() };
    let mut bench = Bench::new(config);
    let mut open = |sender: &str| {
        (0..9).filter(|number| bench.open(sender, header(&number.to_string())).is_some()).count()
    };
    assert_eq!([open("a"), open("b"), open("c")], [3, 2, 0]);
    assert_eq!(bench.incoming.counters.refused, 22);
    let stream = bench.opened[0].0;
    bench.incoming.close(stream);
    bench.chunk("a", chunk("0", 0, b"unread"));
    assert_eq!(bench.incoming.counters.late, 1);
    assert!(bench.open("c", header("1")).is_some());
}

#[test]
fn a_stream_that_is_not_read_ends_before_others_suffer() {
    let config = IncomingConfig { bytes_max: 100_000, stream_bytes_max: 70_000, ..IncomingConfig::default() };
    let mut bench = Bench::new(config);
    let [hog, other, small] = ["hog", "other", "small"].map(|id| bench.open("a", header(id)).unwrap());
    for index in 0..4 {
        bench.chunk("a", chunk("hog", index, &[0; 15_000]));
    }
    bench.chunk("a", chunk("other", 0, &[1; 15_000]));
    bench.chunk("a", chunk("small", 0, b"small"));
    // One chunk too many in all, of a stream that has few.
    bench.chunk("a", chunk("other", 1, &[1; 15_000]));
    bench.chunk("a", chunk("other", 2, &[1; 15_000]));
    let (content, end) = bench.read(hog);
    assert!(content.is_empty());
    assert!(matches!(end, Some(Err(StreamError::Overflow { waiting: 60_000.. }))), "{end:?}");
    assert_eq!(bench.read(other), (vec![1; 45_000], None));
    assert_eq!(bench.read(small), (b"small".to_vec(), None));
    // And one stream alone.
    for index in 3..9 {
        bench.chunk("a", chunk("other", index, &[1; 15_000]));
    }
    assert!(matches!(bench.read(other).1, Some(Err(StreamError::Overflow { .. }))));
    assert_eq!(bench.incoming.counters.overflowed, 2);
    // Many small chunks cost what they take.
    for index in 1..2_000 {
        bench.chunk("a", chunk("small", index, b"x"));
    }
    assert!(matches!(bench.read(small).1, Some(Err(StreamError::Overflow { .. }))));
    assert!(bench.is_empty());
}

#[test]
fn headers_alone_never_end_streams() {
    let mut bench = Bench::new(IncomingConfig { bytes_max: 10, ..IncomingConfig::default() });
    let stream = bench.open("a", header("1")).unwrap();
    assert_eq!(bench.read(stream), (Vec::new(), None));
}

fn content(size: Option<u64>, compression: Compression) -> Content {
    let info = StreamInfo::of(&StreamHeader { total_length: size, ..header("1") }, PLAIN).unwrap();
    Content::new(&info, compression)
}

fn texts(content: &mut Content, chunks: &[&[u8]]) -> Result<String, StreamError> {
    let mut text = String::new();
    for chunk in chunks {
        content.push(Bytes::copy_from_slice(chunk));
        while let Some(part) = content.next_text()? {
            text.push_str(&part);
        }
    }
    content.finish()?;
    Ok(text)
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut compress = flate2::Compress::new(flate2::Compression::default(), false);
    let mut out = Vec::with_capacity(bytes.len() + 1_000);
    compress.compress_vec(bytes, &mut out, flate2::FlushCompress::Finish).unwrap();
    out
}

#[test]
fn lengths_are_checked() {
    assert_eq!(texts(&mut content(Some(4), Compression::None), &[b"ab", b"cd"]).unwrap(), "abcd");
    assert_eq!(texts(&mut content(None, Compression::None), &[b"ab"]).unwrap(), "ab");
    // Official clients announce 0 where they do not know.
    assert_eq!(texts(&mut content(Some(0), Compression::None), &[b"ab"]).unwrap(), "ab");
    let short = texts(&mut content(Some(5), Compression::None), &[b"ab", b"cd"]);
    assert_eq!(short, Err(StreamError::Incomplete { received: 4, size: 5 }));
    let long = texts(&mut content(Some(3), Compression::None), &[b"ab", b"cd"]);
    assert_eq!(long, Err(StreamError::LengthExceeded { size: 3 }));
    let mut limited = content(None, Compression::None);
    limited.set_limit(3);
    assert_eq!(texts(&mut limited, &[b"ab", b"cd"]), Err(StreamError::TooLarge { limit: 3 }));
    let mut half = content(Some(4), Compression::None);
    half.push(Bytes::from_static(b"a"));
    half.next_bytes().unwrap();
    assert_eq!((half.progress(), half.received()), (Some(0.25), 1));
}

#[test]
fn characters_may_be_cut_but_not_damaged() {
    let robot = "🤖".as_bytes();
    let plain = || content(None, Compression::None);
    assert_eq!(texts(&mut plain(), &[b"a", &robot[..1], &robot[1..3], &robot[3..], b"b"]).unwrap(), "a🤖b");
    assert_eq!(texts(&mut plain(), &[&robot[..3]]), Err(StreamError::Utf8));
    assert_eq!(texts(&mut plain(), &[&robot[..2], b"x"]), Err(StreamError::Utf8));
    assert_eq!(texts(&mut plain(), &[b"\xff"]), Err(StreamError::Utf8));
}

#[test]
fn compressed_content_is_read_however_it_is_cut() {
    let text = "robots ".repeat(50_000);
    let all = deflated(text.as_bytes());
    for size in [1, 7, 100, all.len()] {
        let chunks: Vec<_> = all.chunks(size).collect();
        let size = Some(text.len() as u64);
        assert_eq!(texts(&mut content(size, Compression::DeflateRaw), &chunks).unwrap(), text);
    }
}

#[test]
fn damaged_content_is_an_error() {
    let all = deflated(b"robots and robots");
    let read = |chunks: &[&[u8]]| texts(&mut content(None, Compression::DeflateRaw), chunks);
    assert_eq!(read(&[&all]).unwrap(), "robots and robots");
    assert_eq!(read(&[&all[..all.len() - 1]]), Err(StreamError::Compression), "cut off");
    assert_eq!(read(&[&all, b"more"]), Err(StreamError::Compression), "more after its end");
    assert_eq!(read(&[&[&all[..], b"more"].concat()]), Err(StreamError::Compression));
    assert_eq!(read(&[b"\xff\xff\xff"]), Err(StreamError::Compression));
    assert_eq!(read(&[]), Err(StreamError::Compression), "nothing at all");
}

#[test]
fn a_bomb_gives_out_a_block_at_a_time_and_no_more_than_announced() {
    let bomb = deflated(&vec![0; 64 << 20]);
    assert!(bomb.len() < 70_000);
    let mut reader = content(Some(1_000_000), Compression::DeflateRaw);
    reader.push(bomb.clone().into());
    let mut out = 0;
    let error = loop {
        match reader.next_bytes() {
            Ok(block) => {
                let block = block.expect("it goes on");
                assert!(block.len() <= 64 * 1024);
                out += block.len();
            }
            Err(error) => break error,
        }
    };
    assert_eq!(error, StreamError::LengthExceeded { size: 1_000_000 });
    assert!(out <= 1_000_000);
    let mut reader = content(None, Compression::DeflateRaw);
    reader.set_limit(100_000);
    assert_eq!(texts(&mut reader, &[&bomb]), Err(StreamError::TooLarge { limit: 100_000 }));
}
