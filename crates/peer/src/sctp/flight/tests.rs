//! Acknowledgements as they come, and as the association sees them.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Flight, PIECES_MAX, SKIP_WAIT};
use crate::sctp::chunk::{Chunk, ChunkKind, Sack, chunks, forward_tsn, packet};

const HEAD: [u8; 8] = [0x13, 0x88, 0x13, 0x88, 1, 2, 3, 4];
const STREAM: u16 = 5;
const FIRST: u32 = u32::MAX - 3;
const WINDOW: u32 = 1_000_000;
const BEGIN: u8 = 2;
const END: u8 = 1;
const UNORDERED: u8 = 4;

/// A flight over a channel that repeats nothing, towards a side that knows how to skip.
struct Bench {
    flight: Flight,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
        let now = Instant::now();
        let mut bench = Self { flight: Flight::default(), now };
        bench.flight.set_unrepeated(STREAM, true);
        let _ = bench.flight.received(init(&[0x80, 0x08, 0, 6, 130, 192, 0, 0]), now);
        bench
    }

    /// Sends pieces by their distance from the first.
    fn send(&mut self, numbers: std::ops::Range<u32>, flags: u8, stream: u16) {
        for number in numbers {
            let record = data(FIRST.wrapping_add(number), flags, stream);
            self.flight.sent(&[record], self.now);
        }
    }

    /// The other side has all up to there and these ranges of distances; answers what the association is to see.
    fn acknowledge(&mut self, through: u32, ranges: &[(u32, u32)]) -> (u32, Vec<(u32, u32)>) {
        let gaps = ranges.iter().map(|(start, end)| ((start - through) as u16, (end - through) as u16));
        let sack = Sack { cumulative: FIRST.wrapping_add(through), window: WINDOW, gaps: gaps.collect() };
        let came = self.flight.received(sack_packet(&sack), self.now);
        let seen = read(&came);
        assert_eq!(seen.window, WINDOW);
        let through = seen.cumulative.wrapping_sub(FIRST);
        let far = |offset: u16| through + u32::from(offset);
        (through, seen.gaps.iter().map(|(start, end)| (far(*start), far(*end))).collect())
    }

    /// Up to which distance the other side is told to skip, once that is due.
    fn skips(&mut self) -> Option<u32> {
        self.now += SKIP_WAIT;
        let record = self.flight.poll_transmit(self.now)?;
        assert_eq!(record, forward_tsn(&HEAD, only(&record, ChunkKind::ForwardTsn).number(0)));
        Some(only(&record, ChunkKind::ForwardTsn).number(0).wrapping_sub(FIRST))
    }
}

fn only(record: &Bytes, kind: ChunkKind) -> Chunk<'_> {
    chunks(record).find(|chunk| chunk.kind == kind).expect("it is there")
}

fn read(record: &Bytes) -> Sack {
    only(record, ChunkKind::Sack).sack().expect("it is whole")
}

fn of_one(kind: u8, flags: u8, body: &[u8]) -> Bytes {
    let mut record = HEAD.to_vec();
    record.extend_from_slice(&[0; 4]);
    record.extend_from_slice(&[kind, flags]);
    record.extend_from_slice(&(body.len() as u16 + 4).to_be_bytes());
    record.extend_from_slice(body);
    record.into()
}

fn data(tsn: u32, flags: u8, stream: u16) -> Bytes {
    let mut body = tsn.to_be_bytes().to_vec();
    body.extend_from_slice(&stream.to_be_bytes());
    body.extend_from_slice(&[0, 0, 0, 0, 0, 53, 7, 7, 7, 7]);
    of_one(0, flags, &body)
}

fn init(parameters: &[u8]) -> Bytes {
    let mut body = vec![0; 16];
    body.extend_from_slice(parameters);
    of_one(1, 0, &body)
}

fn sack_packet(sack: &Sack) -> Bytes {
    let template = of_one(3, 0, &[0; 12]);
    packet(&HEAD, chunks(&template), sack)
}

const SINGLE: u8 = BEGIN | END | UNORDERED;

#[test]
fn what_is_lost_is_acknowledged_and_skipped_once_three_later_ones_have_come() {
    let mut bench = Bench::new();
    bench.send(0..8, SINGLE, STREAM);
    assert_eq!(bench.acknowledge(1, &[(3, 4)]), (1, vec![]), "two later ones: nothing is said of them yet");
    assert_eq!(bench.skips(), None);
    assert_eq!(bench.acknowledge(1, &[(3, 5)]), (5, vec![]));
    assert_eq!(bench.skips(), Some(5));
    assert_eq!(bench.acknowledge(5, &[]), (5, vec![]));
    assert_eq!(bench.flight.pieces.lost(), 0);
}

#[test]
fn what_comes_late_after_all_is_not_skipped() {
    let mut bench = Bench::new();
    bench.send(0..8, SINGLE, STREAM);
    assert_eq!(bench.acknowledge(1, &[(3, 7)]), (7, vec![]));
    assert_eq!(bench.acknowledge(7, &[]), (7, vec![]), "it came before it was to be skipped");
    assert_eq!(bench.skips(), None);
    assert_eq!(bench.flight.poll_timeout(), None);
}

#[test]
fn the_other_side_is_told_again_until_it_has_skipped() {
    let mut bench = Bench::new();
    bench.send(0..8, SINGLE, STREAM);
    bench.acknowledge(1, &[(3, 7)]);
    assert_eq!(bench.skips(), Some(7));
    for _ in 0..3 {
        let again = bench.flight.poll_timeout().expect("it is outstanding");
        assert!(again - bench.now <= Duration::from_millis(150));
        bench.now = again;
        assert_eq!(bench.skips(), Some(7));
    }
    assert_eq!(bench.acknowledge(1, &[(3, 7)]), (7, vec![]), "the association is told nothing less");
}

#[test]
fn a_message_is_skipped_whole() {
    let mut bench = Bench::new();
    bench.send(0..1, BEGIN | UNORDERED, STREAM);
    bench.send(1..7, UNORDERED, STREAM);
    assert_eq!(bench.acknowledge(0, &[(2, 5)]), (5, vec![]), "the second piece is lost");
    assert_eq!(bench.skips(), None, "its end is still on its way");
    bench.send(7..8, END | UNORDERED, STREAM);
    bench.acknowledge(0, &[(2, 7)]);
    bench.now += Duration::from_secs(1);
    assert_eq!(bench.skips(), Some(7));
}

#[test]
fn losses_of_other_channels_stay_losses() {
    let mut bench = Bench::new();
    bench.send(0..1, SINGLE, STREAM);
    bench.send(1..2, BEGIN | END, STREAM + 2);
    bench.send(2..9, SINGLE, STREAM);
    assert_eq!(bench.acknowledge(0, &[(2, 3), (5, 8)]), (0, vec![(2, 8)]), "1 is to be repeated, 4 is not");
    assert_eq!(bench.skips(), None, "what is to be repeated is not skipped");
}

#[test]
fn ordered_messages_of_such_a_channel_are_not_skipped() {
    let mut bench = Bench::new();
    bench.send(0..1, SINGLE, STREAM);
    bench.send(1..2, BEGIN | END, STREAM);
    bench.send(2..9, SINGLE, STREAM);
    assert_eq!(bench.acknowledge(0, &[(2, 8)]), (0, vec![(2, 8)]));
}

#[test]
fn without_losses_or_without_skipping_nothing_is_changed() {
    let mut bench = Bench::new();
    bench.send(0..8, SINGLE, STREAM);
    let sack = sack_packet(&Sack { cumulative: FIRST.wrapping_add(3), window: WINDOW, gaps: vec![] });
    assert_eq!(bench.flight.received(sack.clone(), bench.now), sack);

    let mut bench = Bench::new();
    let _ = bench.flight.received(init(&[0x80, 0x08, 0, 5, 130, 0, 0, 0]), bench.now);
    bench.send(0..8, SINGLE, STREAM);
    assert_eq!(bench.acknowledge(1, &[(3, 7)]), (1, vec![(3, 7)]));
    assert_eq!(bench.skips(), None);
}

/// Round trips of 20 ms, then one of 60.
#[test]
fn a_loss_where_the_path_has_a_queue_is_shown_once_for_what_was_sent_before() {
    let mut bench = Bench::new();
    bench.send(0..4, SINGLE, STREAM);
    bench.now += Duration::from_millis(20);
    bench.acknowledge(3, &[]);
    bench.send(4..20, SINGLE, STREAM);
    bench.now += Duration::from_millis(60);
    assert_eq!(bench.acknowledge(3, &[(5, 8)]), (3, vec![(5, 8)]), "4 is for the association to see");
    bench.send(20..30, SINGLE, STREAM);
    assert_eq!(bench.acknowledge(3, &[(5, 8), (10, 13)]), (3, vec![(5, 13)]), "9 was sent before that");
    bench.flight.sent(&[forward_tsn(&HEAD, FIRST.wrapping_add(4))], bench.now);
    bench.now += Duration::from_millis(70);
    assert_eq!(bench.acknowledge(19, &[(21, 24)]), (19, vec![(21, 24)]), "20 was sent after it");
}

#[test]
fn numbers_that_the_association_gave_up_are_taken_for_lost() {
    let mut bench = Bench::new();
    bench.send(0..3, SINGLE, STREAM);
    bench.flight.sent(&[forward_tsn(&HEAD, FIRST.wrapping_add(3))], bench.now);
    bench.send(5..6, SINGLE, STREAM);
    assert_eq!(bench.acknowledge(0, &[(5, 5)]), (5, vec![]));
    assert_eq!(bench.skips(), Some(5));
}

#[test]
fn acknowledgements_of_what_was_never_sent_are_none() {
    let mut bench = Bench::new();
    bench.send(0..8, SINGLE, STREAM);
    bench.acknowledge(1, &[(3, 7)]);
    for (through, gaps) in
        [(20, vec![]), (1, vec![(1, 60_000)]), (1, vec![(3, 2)]), (1, vec![(2, 4), (4, 5)])]
    {
        let sack = sack_packet(&Sack { cumulative: FIRST.wrapping_add(through), window: WINDOW, gaps });
        assert_eq!(bench.flight.received(sack.clone(), bench.now), sack);
    }
    assert_eq!(bench.acknowledge(1, &[(3, 7)]), (7, vec![]), "it goes on");
}

#[test]
fn a_side_that_never_skips_costs_bounded_memory() {
    let mut bench = Bench::new();
    bench.send(0..PIECES_MAX as u32 + 2, SINGLE, STREAM);
    bench.acknowledge(1, &[(3, PIECES_MAX as u32 - 1)]);
    assert!(bench.flight.is_full());
    bench.acknowledge(PIECES_MAX as u32 - 1, &[]);
    assert!(!bench.flight.is_full());
}

#[test]
fn other_chunks_beside_an_acknowledgement_stay() {
    let mut bench = Bench::new();
    bench.send(0..8, SINGLE, STREAM);
    let sack = sack_packet(&Sack { cumulative: FIRST.wrapping_add(1), window: WINDOW, gaps: vec![(2, 6)] });
    let mut both = sack.to_vec();
    both.extend_from_slice(&data(77, SINGLE, 2)[12..]);
    let came = bench.flight.received(both.into(), bench.now);
    assert_eq!(read(&came).cumulative, FIRST.wrapping_add(7));
    assert_eq!(only(&came, ChunkKind::Data).data().map(|data| data.tsn), Some(77));
}

#[test]
fn garbage_never_panics() {
    let mut random = fastrand::Rng::with_seed(5);
    let mut bench = Bench::new();
    for round in 0..50_000 {
        let mut record: Vec<u8> = (0..random.usize(0..80)).map(|_| random.u8(..)).collect();
        if record.len() > 16 {
            record[12] = [0, 1, 2, 3, 3, 3, 192][random.usize(0..7)];
            (record[14], record[15]) = (0, random.u8(4..80));
        }
        if round % 3 == 0 {
            bench.flight.sent(&[record.into()], bench.now);
        } else {
            let _ = bench.flight.received(record.into(), bench.now);
        }
        bench.now += Duration::from_millis(1);
        while bench.flight.poll_transmit(bench.now).is_some() {}
    }
}

/// Over a path of 20 ms, with pieces of four bytes.
fn near() -> Bench {
    let mut bench = Bench::new();
    bench.flight.set_tracks(STREAM);
    bench.send(0..2, SINGLE, STREAM);
    bench.now += Duration::from_millis(20);
    bench.acknowledge(1, &[]);
    bench
}

impl Bench {
    /// The association holds so many pieces; answers up to which distance it is to take them for acknowledged.
    fn hasten(&mut self, pieces: usize) -> Option<u32> {
        let record = self.flight.hasten(4 * pieces, self.now)?;
        Some(read(&record).cumulative.wrapping_sub(FIRST))
    }
}

#[test]
fn an_association_that_holds_back_at_its_beginning_is_hastened() {
    let mut bench = near();
    bench.send(2..6, SINGLE, STREAM);
    assert_eq!(bench.hasten(4), None, "it has sent all it holds");
    assert_eq!(bench.hasten(5), Some(5));
    assert_eq!(bench.flight.assumed_bytes(), 16, "they are on their way all the same");
    let sack = sack_packet(&Sack { cumulative: FIRST.wrapping_add(3), window: WINDOW, gaps: vec![] });
    let seen = read(&bench.flight.received(sack, bench.now));
    assert_eq!((seen.cumulative, seen.window), (FIRST.wrapping_add(5), WINDOW - 8), "less 8 on their way");
    bench.acknowledge_quietly(5);
    assert_eq!(bench.flight.assumed_bytes(), 0);
}

impl Bench {
    fn acknowledge_quietly(&mut self, through: u32) {
        let sack =
            sack_packet(&Sack { cumulative: FIRST.wrapping_add(through), window: WINDOW, gaps: vec![] });
        assert_eq!(self.flight.received(sack.clone(), self.now), sack);
    }
}

#[test]
fn no_association_is_hastened_over_what_is_to_be_repeated() {
    let mut bench = near();
    bench.send(2..3, BEGIN | END, STREAM + 2);
    bench.send(3..6, SINGLE, STREAM);
    assert_eq!(bench.hasten(9), None);
}

#[test]
fn what_was_assumed_and_never_comes_is_lost_and_skipped() {
    let mut bench = near();
    bench.send(2..6, SINGLE, STREAM);
    assert_eq!(bench.hasten(5), Some(5));
    while bench.flight.assumed_bytes() > 0 {
        bench.now = bench.flight.poll_timeout().expect("it is outstanding");
        bench.flight.handle_timeout(bench.now);
    }
    assert_eq!(bench.skips(), Some(5));
    bench.send(6..9, SINGLE, STREAM);
    assert_eq!(bench.hasten(9), None, "the path has shown what it takes");
}

#[test]
fn a_beginning_goes_in_steps() {
    let mut bench = near();
    bench.send_long(2..102);
    let mut steps = Vec::new();
    while bench.flight.hasten(200_000, bench.now).is_some() {
        steps.push(bench.flight.assumed_bytes());
        assert!(bench.flight.hasten(200_000, bench.now).is_none(), "not at once");
        bench.now = bench.flight.poll_timeout().expect("there is more");
        bench.flight.handle_timeout(bench.now);
    }
    assert_eq!(steps, [24_000, 48_000, 65_000]);
}

impl Bench {
    /// Sends pieces of 1,000 bytes.
    fn send_long(&mut self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            let mut body = FIRST.wrapping_add(number).to_be_bytes().to_vec();
            body.extend([&STREAM.to_be_bytes()[..], &[0, 0, 0, 0, 0, 53], &[7; 1_000]].concat());
            self.flight.sent(&[of_one(0, SINGLE, &body)], self.now);
        }
    }

    /// The other side has all up to there and these ranges beyond it, and takes 1 MB; answers how much is to be on its way.
    fn window(&mut self, through: u32, gaps: &[(u16, u16)]) -> u32 {
        let (cumulative, gaps) = (FIRST.wrapping_add(through), gaps.to_vec());
        let sack = Sack { cumulative, window: WINDOW, gaps };
        read(&self.flight.received(sack_packet(&sack), self.now)).window
    }

    /// A burst of so many pieces is lost but for its ends; answers how much is to be on its way then.
    fn lose_burst(&mut self, first: u32, count: u32) -> u32 {
        self.send_long(first..first + count);
        self.now += Duration::from_millis(2);
        self.window(first, &[(count as u16 - 4, count as u16 - 1)])
    }
}

/// Over a path of 2 ms: 40 KiB, and the 25 kB that 100 Mbit/s carry.
#[test]
fn who_drops_bursts_gets_shorter_ones() {
    let mut bench = Bench::new();
    bench.flight.set_tracks(STREAM);
    bench.send_long(0..1);
    bench.now += Duration::from_millis(2);
    bench.acknowledge(0, &[]);
    assert_eq!(bench.lose_burst(1, 60), WINDOW, "so few may be lost by chance");
    assert_eq!(bench.lose_burst(61, 100), (40 << 10) + 25_000);
    bench.now += Duration::from_secs(30);
    assert_eq!(bench.window(160, &[]), 2 * ((40 << 10) + 25_000), "then slowly more");
    assert_eq!(bench.lose_burst(161, 100), (40 << 10) + 25_000);
    bench.now += Duration::from_secs(121);
    assert_eq!(bench.window(260, &[]), WINDOW);
}
