//! Scripts of one track: what comes in, what comes out.
//!
//! A script is words. Packets are `frame.index/count`, for example `7.0/2` for the first of two packets
//! of frame 7, `7` for all of it in one; their sequence is 4 × frame + index. `+5` lets 5 ms pass, `renew`
//! moves to another publication. What comes out is a frame's number, `!` for frames that are not whole as
//! they were sent, `-n:reason` for a gap.

use trackyard_wire::{Handle, PacketBuilder, Sequence};

use super::*;

const BYTES_MAX: usize = 20_000;

struct Script {
    assembler: Assembler,
    now: Instant,
    bytes: usize,
    out: Vec<String>,
}

impl Script {
    fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
        let now = Instant::now();
        Self { assembler: Assembler::default(), now, bytes: 10, out: Vec::new() }
    }

    fn run(&mut self, script: &str) -> &mut Self {
        for word in script.split_whitespace() {
            match word.strip_prefix('+') {
                Some(ms) => self.pass(ms.parse().unwrap()),
                None if word == "renew" => self.assembler.renew(self.now),
                None if word == "clear" => self.assembler.clear(self.now),
                None => self.packet(word),
            }
            self.drain();
            self.assert_accounted(word);
        }
        self
    }

    fn pass(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        while let Some(at) = self.assembler.poll_timeout().filter(|at| *at <= end) {
            assert!(at >= self.now, "a timer lies in the past after it was handled");
            self.now = at;
            self.assembler.handle_timeout(at);
            assert!(self.assembler.poll_timeout().is_none_or(|next| next > at));
            self.drain();
        }
        self.now = end;
    }

    fn packet(&mut self, word: &str) {
        let (frame, part) = word.split_once('.').unwrap_or((word, "0/1"));
        let (index, count) = part.split_once('/').unwrap();
        let (frame, index, count): (u16, u16, u16) =
            (frame.parse().unwrap(), index.parse().unwrap(), count.parse().unwrap());
        let builder = PacketBuilder {
            start: index == 0,
            last: index + 1 == count,
            handle: Handle::new(1).unwrap(),
            sequence: Sequence::new(frame.wrapping_mul(4).wrapping_add(index)),
            frame: FrameNumber::new(frame),
            timestamp: 0,
            extensions: Extensions::default(),
        };
        let packet = Bytes::from(builder.build(&vec![index as u8; self.bytes]));
        let header = Header::parse(&packet).unwrap();
        self.assembler.push(&header, &packet, BYTES_MAX, self.now);
    }

    fn drain(&mut self) {
        for assembled in self.assembler.take() {
            let word = match assembled {
                Assembled::Gap(frames, reason) => format!("-{frames}:{}", reason.label()),
                Assembled::Frame(whole) => {
                    self.assembler.stats.frames_delivered += 1;
                    let parts = whole.payload.len() / self.bytes;
                    let sent: Vec<u8> = (0..parts).flat_map(|part| vec![part as u8; self.bytes]).collect();
                    format!("{}{}", whole.number as u16, if sent == whole.payload { "" } else { "!" })
                }
            };
            self.out.push(word);
        }
    }

    #[track_caller]
    fn assert_accounted(&self, word: &str) {
        let stats = self.assembler.stats;
        let accounted = stats.frames_delivered + stats.dropped_total() + stats.frames_waiting;
        assert_eq!(stats.frames_received, accounted, "after {word}: {stats:?}");
        let held: usize = self.assembler.slots.values().map(Slot::charge).sum();
        assert_eq!(self.assembler.bytes, held, "after {word}");
        assert!(held <= BYTES_MAX);
    }
}

#[track_caller]
fn check(script: &str, out: &str) {
    let mut run = Script::new();
    run.run(script);
    assert_eq!(run.out.join(" "), out);
}

#[test]
fn frames_come_out_as_they_come_in() {
    check("5 6 7", "5 6 7");
    check("5.0/2 5.1/2 6 7.0/3 7.1/3 7.2/3", "5 6 7");
    check("65534 65535 0 1.0/2 1.1/2", "65534 65535 0 1");
}

#[test]
fn packets_of_a_frame_may_come_in_any_order() {
    check("0 1.2/3 1.0/3 1.1/3", "0 1");
    check("0 1.1/3 1.2/3 1.0/3 2", "0 1 2");
}

#[test]
fn packets_of_several_frames_may_interleave() {
    check("0 1.0/2 2.0/2 3 1.1/2 2.1/2", "0 1 2 3");
    check("0 2 1", "0 1 2");
    check("0 3.0/2 2 3.1/2 +1 1", "0 1 2 3");
}

#[test]
fn duplicates_do_no_harm() {
    let mut run = Script::new();
    run.run("0 0 1.0/2 1.0/2 1.1/2 1.1/2 1.0/2 3 3 +5");
    assert_eq!(run.out.join(" "), "0 1 -1:missing 3");
    assert_eq!(run.assembler.stats.duplicate_packets, 5);
}

#[test]
fn a_missing_frame_is_a_gap() {
    check("0 2 +2", "0 -1:missing 2");
    check("0 5.0/2 5.1/2 +2", "0 -4:missing 5");
    check("65535 3 +2", "65535 -3:missing 3");
}

#[test]
fn who_has_had_no_frame_misses_none() {
    check("5.1/3 5.2/3 6 +3 7", "6 7");
}

#[test]
fn a_frame_with_missing_packets_makes_way_for_the_next() {
    check("0 1.0/2 2 +1", "0");
    check("0 1.0/2 2 +2", "0 -1:incomplete 2");
    check("0 1.0/3 1.2/3 3.0/2 3.1/2 +1", "0");
    check("0 1.0/3 1.2/3 3.0/2 3.1/2 +2", "0 -1:incomplete -1:missing 3");
}

#[test]
fn an_unfinished_frame_is_given_up_after_two_seconds() {
    check("0 1.0/2 +1999", "0");
    check("0 1.0/2 +2000", "0 -1:incomplete");
    check("0 1.0/2 +1000 2.0/2 +1500 2.1/2", "0 -1:incomplete 2");
}

#[test]
fn a_late_frame_is_dropped_as_such() {
    let mut run = Script::new();
    run.run("0 2.0/2 2.1/2 +2 1.0/2 1.1/2 3");
    assert_eq!(run.out.join(" "), "0 -1:missing 2 3");
    let stats = run.assembler.stats;
    assert_eq!((stats.dropped(RemoteDropReason::Late), stats.late_packets), (1, 2));
    assert_eq!((stats.frames_missing, stats.frames_received), (0, 4));
}

#[test]
fn a_path_that_reorders_more_than_was_waited_for_is_waited_for() {
    check("0 2 +5 1 4 +5 3 6 +5 5", "0 -1:missing 2 3 4 5 6");
}

#[test]
fn where_frames_are_left_out_on_purpose_nothing_is_waited_for() {
    let mut run = Script::new();
    for frame in 0..12 {
        run.run(&format!("{} +33", frame * 3));
    }
    run.out.clear();
    run.run("36");
    assert_eq!(run.out, ["-2:missing", "36"]);
}

#[test]
fn too_large_a_frame_and_too_many_bytes_are_dropped() {
    let mut run = Script::new();
    run.run("0");
    for index in 0..=128 {
        run.run(&format!("1.{index}/200"));
    }
    run.run("2 1.130/200");
    assert_eq!(run.out.join(" "), "0 -1:too_large 2");

    let mut run = Script::new();
    run.bytes = 5_000;
    run.run("0 1.0/2 2.0/2 3.0/2 4.0/2 2.1/2 4.1/2 3.1/2");
    assert_eq!(run.out.join(" "), "0 -1:buffer_full 2 3 4");
}

#[test]
fn unfinished_frames_are_bounded_in_number() {
    let mut run = Script::new();
    run.run("0");
    for frame in 1..=66 {
        run.run(&format!("{frame}.0/2"));
    }
    assert_eq!(run.out.join(" "), "0 -1:buffer_full -1:buffer_full");
    assert_eq!(run.assembler.stats.frames_waiting, 64);
}

#[test]
fn a_sender_that_counts_anew_is_followed() {
    check("1000 renew 0 1", "1000 -0:restarted 0 1");
    check("60000 renew 3 4", "60000 -0:restarted 3 4");
    check("1000 1001.0/2 renew 1001.0/2 1002", "1000 -1:ended -0:restarted");
    check("1000 200 201", "1000 -0:restarted 200 201");
    check("1000 +5001 990 991", "1000 -0:restarted 990 991");
    let late: Vec<String> = (900..=935).map(|frame| frame.to_string()).collect();
    check(&format!("1000 {}", late.join(" ")), "1000 -0:restarted 931 932 933 934 935");
}

/// A server that leaves frames out for the sake of a rate, by its own rule or the publisher's wish, numbers the others
/// without gaps from each publication and each session on.
#[test]
fn frames_left_out_before_another_publication_or_session_are_not_taken_for_lost() {
    check("1000 renew 10000 10001", "1000 -0:restarted 10000 10001");
    check("1000 renew 1002 1003", "1000 -0:restarted 1002 1003");
    check("1000 renew 1001 +2 1003 +2", "1000 1001 -1:missing 1003");
    let mut run = Script::new();
    run.run("1000 renew 10000 +2");
    assert_eq!(run.assembler.stats.frames_missing, 0);
}

#[test]
fn what_nobody_wants_is_dropped_and_counted() {
    let mut run = Script::new();
    run.run("0 1.0/2 3 clear 9 10");
    assert_eq!(run.out.join(" "), "0 9 10");
    assert_eq!(run.assembler.stats.dropped(RemoteDropReason::Ended), 2);
}
