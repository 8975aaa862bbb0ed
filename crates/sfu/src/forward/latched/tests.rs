//! What is kept of a track, whatever comes of it and in whatever order.
//!
//! A script is words: `[7` starts frame 7, `.7` is in its middle, `]7` is its last packet, `=7` is all of it. Sequence
//! numbers count up by themselves, `=7@3` sets one, `~` loses a packet.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

struct Script {
    latch: Latch,
    shares: LatchShares,
    bytes_max: usize,
    sequence: u16,
    length: usize,
    given_up: usize,
    /// The newest frame that was given up.
    missed: Option<FrameNumber>,
}

impl Script {
    fn new(bytes_max: usize) -> Self {
        let mut shares = LatchShares::new(bytes_max, bytes_max);
        let latch = Latch::new(shares.of(PeerId(1)));
        Self { latch, shares, bytes_max, sequence: 0, length: 100, given_up: 0, missed: None }
    }

    fn run(mut self, script: &str) -> Self {
        for word in script.split_whitespace() {
            match word.split_at(1) {
                ("~", _) => self.sequence = self.sequence.wrapping_add(1),
                (kind, rest) => {
                    let (frame, sequence) = rest.split_once('@').unwrap_or((rest, ""));
                    self.sequence = sequence.parse().unwrap_or(self.sequence);
                    self.push(kind, frame.parse().unwrap());
                }
            }
        }
        self
    }

    fn push(&mut self, kind: &str, frame: u16) {
        let flags = match kind {
            "[" => 0x10,
            "." => 0,
            "]" => 0x08,
            "=" => 0x18,
            other => panic!("no packet begins with {other}"),
        };
        let mut packet = vec![0; self.length];
        packet[0] = flags;
        packet[2..4].copy_from_slice(&1_u16.to_be_bytes());
        packet[4..6].copy_from_slice(&self.sequence.to_be_bytes());
        packet[6..8].copy_from_slice(&frame.to_be_bytes());
        self.sequence = self.sequence.wrapping_add(1);
        let packet = Bytes::from(packet);
        let taken = self.latch.take(&Header::parse(&packet).unwrap(), &packet);
        if matches!(taken, Taken::GivenUp | Taken::OverShare) {
            let frame = FrameNumber::new(frame);
            self.given_up += 1;
            let is_newest = self.missed.is_none_or(|missed| frame.is_newer_than(missed));
            self.missed = if is_newest { Some(frame) } else { self.missed };
        }
        let held: usize =
            self.latch.under_way.iter().chain([&self.latch.kept]).map(|pieces| pieces.bytes).sum();
        assert_eq!(held, self.shares.bytes(), "what is held is charged");
        assert!(held <= self.bytes_max);
    }

    /// What a late joiner gets; a mark is shown as `*`.
    fn replay(&self) -> String {
        let name = |packet: &Bytes| {
            let header = Header::parse(packet).unwrap();
            let kind = match (header.start, header.last) {
                (true, true) => "=",
                (true, false) => "[",
                (false, false) => ".",
                (false, true) => "]",
            };
            let mark = if is_marked(&header, packet, id::LATCHED) { "*" } else { "" };
            format!("{kind}{}{mark}", header.frame.get())
        };
        self.latch.replay().iter().map(name).collect::<Vec<_>>().join(" ")
    }
}

#[track_caller]
fn check(script: &str, expected: &str) {
    assert_eq!(Script::new(1 << 20).run(script).replay(), expected, "{script}");
}

#[test]
fn the_last_whole_frame_is_kept_and_marked() {
    check("", "");
    check("=0", "=0*");
    check("=0 =1 =2", "=2*");
    check("[0 .0 ]0", "[0* .0 ]0");
    check("=65535 =0", "=0*");
}

#[test]
fn what_has_come_of_newer_frames_follows_it() {
    check("=0 [1 .1", "=0* [1 .1");
    check("[0 .0", "[0 .0");
    check("=0 [1 ~ [2", "=0* [1 [2");
    check("=0 ~ .1", "=0*");
}

#[test]
fn a_frame_that_is_not_whole_takes_no_place() {
    check("=0 [1 ~ ]1", "=0* [1 ]1");
    check("=0 [1 ~ ]1 [2 ]2", "[2* ]2");
    check("=0 [1 [2 [3", "=0* [2 [3");
    check("=0 ~ .1 ]1 ~ .2", "=0*");
}

#[test]
fn packets_may_come_in_any_order() {
    check("[0@0 ]0@2 .0@1", "[0* .0 ]0");
    check("]0@2 .0@1 [0@0", "[0* .0 ]0");
    check("[0@0 [1@2 ]0@1 ]1@3", "[1* ]1");
    check("[0@0 [1@2 ]1@3 ]0@1", "[1* ]1");
    check("=1@1 =0@0", "=1*");
    check("[0@65535 ]0@0", "[0* ]0");
    check("[0@0 [0@0 ]0@1 ]0@1", "[0* ]0");
}

#[test]
fn a_sender_that_begins_anew_is_followed() {
    check("=20000 [20001 =0", "=0*");
    check("=20000 [0@0 ]0@1", "[0* ]0");
    check("=600 =100", "=600*");
}

#[test]
fn a_frame_that_is_too_large_leaves_nothing_outdated_behind() {
    let mut large = Script::new(100 << 20);
    large = large.run("=0");
    large.length = FRAME_BYTES_MAX / 2;
    large = large.run("[1 .1 ]1");
    assert_eq!((large.replay().as_str(), large.given_up), ("", 1));
    large.length = 100;
    assert_eq!(large.run("=2").replay(), "=2*");

    let middles = |count: usize| vec![".1"; count].join(" ");
    check(&format!("=0 [1 {} ]1", middles(126)), &format!("[1* {} ]1", middles(126)));
    check(&format!("=0 [1 {} ]1", middles(127)), "");
}

#[test]
fn a_worker_keeps_no_more_than_its_budget() {
    let script = Script::new(4 * (100 + PACKET_CHARGE)).run("[0 .0 ]0");
    assert_eq!(script.replay(), "[0* .0 ]0");
    let script = script.run("[1 .1 ]1");
    assert_eq!((script.replay().as_str(), script.given_up), ("", 1), "there was room for one packet more");
    let script = script.run("[2 .2 ]2");
    assert_eq!((script.replay().as_str(), script.given_up), ("[2* .2 ]2", 1));
    let Script { latch, shares, .. } = script;
    assert!(shares.bytes() > 0);
    drop(latch);
    assert_eq!(shares.bytes(), 0, "what ends gives its bytes back");
}

#[test]
fn what_is_older_than_a_frame_that_was_given_up_is_not_kept() {
    // There is room for two packets, and not for the first of the next frame.
    let given_up = |script| {
        let script = Script::new(2 * (100 + PACKET_CHARGE)).run(script);
        assert_eq!(script.given_up, 1);
        script
    };
    let script = given_up("[9@0 .9@1 [10@3");
    assert_eq!(script.shares.bytes(), 0, "an older frame that is under way goes too");
    assert_eq!(script.run("]9@2 =8@9").replay(), "", "its last packet comes too late");
    assert_eq!(given_up("[9@0 .9@1 [10@3 ]9@2 =11@4").replay(), "=11*");
    assert_eq!(given_up("[10@5 .10@6 .10@7 ]10@8 =9@4").replay(), "", "nor one that begins only then");
    assert_eq!(given_up("[10@5 [11@7 .10@6 ]11@8").replay(), "[11* ]11", "a newer one goes on");
}

#[test]
fn frames_that_have_begun_come_in_order_though_none_is_kept() {
    check("[32767 ~ [32768", "[32767 [32768");
    check("[32768@2 [32767@0", "[32767 [32768");
}

#[test]
fn a_packet_without_room_for_a_mark_goes_without() {
    let mut script = Script::new(1 << 20);
    script.length = PACKET_BYTES_MAX;
    assert_eq!(script.run("=0").replay(), "=0");
}

#[test]
fn what_was_marked_on_another_worker_is_not_marked_again() {
    let first = Script::new(1 << 20).run("[0 ]0");
    let mut second = Script::new(1 << 20);
    for packet in first.latch.replay() {
        second.latch.take(&Header::parse(&packet).unwrap(), &packet);
    }
    assert_eq!(second.latch.replay(), first.latch.replay());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn whatever_comes_what_is_kept_is_whole_and_bounded(
        packets in vec((0..4_usize, 0..9_u16, 0..24_u16, 12..400_usize), 0..80),
        bytes_max in 0..6_000_usize,
        first in prop_oneof![Just(0_u16), Just(32_764), Just(65_530)],
    ) {
        let mut script = Script::new(bytes_max);
        for (kind, frame, sequence, length) in packets {
            (script.sequence, script.length) = (sequence, length);
            script.push(["[", ".", "]", "="][kind], first.wrapping_add(frame));
            let replay = script.latch.replay();
            let headers: Vec<_> = replay.iter().map(|packet| Header::parse(packet).unwrap()).collect();
            if script.latch.has_frame() {
                let kept: Vec<_> =
                    headers.iter().take_while(|header| header.frame == headers[0].frame).collect();
                prop_assert!(kept[0].start && kept[kept.len() - 1].last);
                let is_outdated = script.missed.is_some_and(|missed| !kept[0].frame.is_newer_than(missed));
                prop_assert!(!is_outdated, "{:?} was given up since", script.missed);
                for pair in kept.windows(2) {
                    prop_assert_eq!(pair[1].sequence, pair[0].sequence.next());
                }
            }
            for pair in headers.windows(2) {
                prop_assert!(pair[1].frame == pair[0].frame || pair[1].start);
                prop_assert!(pair[1].frame.distance_from(pair[0].frame) >= 0, "never a newer one first");
            }
        }
    }
}
