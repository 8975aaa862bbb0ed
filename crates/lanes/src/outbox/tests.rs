//! Scripts of one lane: what goes in, what comes out, what is dropped.
//!
//! A script is words. Packets: `[7` starts frame 7, `.7` is in its middle, `]7` is its last, `=7`
//! is all of it; sequence numbers count up by themselves, `=7@3` sets one, `~` loses a packet. `+5`
//! lets 5 ms pass, `room` empties the channel at once always, `full` fills it, `one` takes one
//! packet; `open`, `closed` and `drop` (the lane is removed) as they say.

use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use trackyard_wire::{Handle, Header};

use crate::{DropReason, LaneRules, Outbox, OutboxConfig, Policy};

const FULL_BYTES: usize = 100 << 20;

fn handle(value: u16) -> Handle {
    Handle::new(value).expect("tests use no 0")
}

fn packet(kind: char, frame: u16, sequence: u16, length: usize) -> Bytes {
    let flags = match kind {
        '[' => 0x10,
        '.' => 0,
        ']' => 0x08,
        '=' => 0x18,
        other => panic!("no packet begins with {other}"),
    };
    let mut bytes = vec![0; length.max(12)];
    bytes[0] = flags;
    bytes[2..4].copy_from_slice(&1_u16.to_be_bytes());
    bytes[4..6].copy_from_slice(&sequence.to_be_bytes());
    bytes[6..8].copy_from_slice(&frame.to_be_bytes());
    Bytes::from(bytes)
}

fn name(packet: &Bytes) -> String {
    let header = Header::parse(packet).expect("it was parsed before");
    let kind = match (header.start, header.last) {
        (true, true) => '=',
        (true, false) => '[',
        (false, true) => ']',
        (false, false) => '.',
    };
    format!("{kind}{}", header.frame.get())
}

struct Script {
    outbox: Outbox,
    now: Instant,
    sequence: u16,
    length: usize,
    fast: bool,
    out: Vec<String>,
    /// Frame numbers as they left.
    numbers: Vec<u16>,
}

impl Script {
    fn new(rules: LaneRules, config: OutboxConfig) -> Self {
        let now = base();
        let mut outbox = Outbox::new(config);
        outbox.add_lane(handle(5), rules);
        outbox.set_open(true, now);
        Self { outbox, now, sequence: 0, length: 1_000, fast: true, out: Vec::new(), numbers: Vec::new() }
    }

    fn run(&mut self, script: &str) -> &mut Self {
        for word in script.split_whitespace() {
            self.step(word);
            self.flush();
            self.assert_accounted(word);
        }
        self
    }

    fn step(&mut self, word: &str) {
        match word {
            "room" => self.fast = true,
            "full" => self.fast = false,
            "one" => self.write_one(),
            "open" => self.outbox.set_open(true, self.now),
            "closed" => self.outbox.set_open(false, self.now),
            "hold" => self.outbox.hold_lane(handle(5)),
            "release" => self.outbox.release_lane(handle(5), self.now),
            "drop" => assert!(self.outbox.remove_lane(handle(5)).is_some()),
            "~" => self.sequence = self.sequence.wrapping_add(1),
            _ => match word.strip_prefix('+') {
                Some(ms) => self.pass(Duration::from_millis(ms.parse().unwrap())),
                None => self.push(word),
            },
        }
    }

    fn push(&mut self, word: &str) {
        let (kind, rest) = word.split_at(1);
        let (frame, sequence) = match rest.split_once('@') {
            Some((frame, sequence)) => (frame, sequence.parse().unwrap()),
            None => (rest, self.sequence),
        };
        self.sequence = sequence.wrapping_add(1);
        let kind = kind.chars().next().expect("words are not empty");
        let bytes = packet(kind, frame.parse().unwrap(), sequence, self.length);
        let header = Header::parse(&bytes).unwrap();
        self.outbox.push(handle(5), &header, &bytes, self.now);
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.outbox.poll_timeout().filter(|at| *at <= end) {
            assert!(at >= self.now, "a timer lies in the past after it was handled");
            self.now = at;
            self.outbox.handle_timeout(at);
            self.flush();
            let again = self.outbox.poll_timeout().is_some_and(|next| next <= at);
            assert!(!again, "a timer that was handled is due again");
        }
        self.now = end;
    }

    fn flush(&mut self) {
        let held = if self.fast { 0 } else { FULL_BYTES };
        loop {
            self.outbox.update_buffered(held, self.now);
            let Some((lane, packet)) = self.outbox.peek(self.now) else { return };
            assert_eq!(lane, handle(5));
            let own = Header::parse(packet).unwrap().frame;
            self.out.push(name(packet));
            self.numbers.push(self.outbox.peeked_number().unwrap_or(own).get());
            self.outbox.written(self.now);
        }
    }

    fn write_one(&mut self) {
        self.outbox.update_buffered(0, self.now);
        let packet = self.outbox.peek(self.now).expect("a packet waits").1;
        self.out.push(name(packet));
        self.outbox.written(self.now);
    }

    #[track_caller]
    fn assert_accounted(&self, word: &str) {
        let totals = self.outbox.totals();
        let accounted = totals.frames_delivered + totals.dropped_total() + self.outbox.frames_waiting();
        assert_eq!(totals.frames_in, accounted, "after {word}: {totals:?}");
        if let Some(waiting) = self.outbox.lane_frames_waiting(handle(5)) {
            assert_eq!(waiting, self.outbox.frames_waiting());
            assert_eq!(self.outbox.lane_stats(handle(5)), Some(&totals));
        }
    }

    fn drops(&self) -> String {
        let totals = self.outbox.totals();
        let counted = |reason: &DropReason| {
            let count = totals.dropped(*reason);
            (count > 0).then(|| format!("{}:{count}", reason.label()))
        };
        DropReason::ALL.iter().filter_map(counted).collect::<Vec<_>>().join(" ")
    }
}

#[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
fn base() -> Instant {
    Instant::now()
}

fn rules(policy: Policy) -> LaneRules {
    LaneRules { policy, ..LaneRules::default() }
}

#[track_caller]
fn check(policy: Policy, script: &str, out: &str, drops: &str) {
    let mut run = Script::new(rules(policy), OutboxConfig::default());
    run.run(script);
    assert_eq!(run.out.join(" "), out);
    assert_eq!(run.drops(), drops);
}

#[test]
fn packets_pass_at_once_while_there_is_room() {
    check(Policy::Auto, "[0 .0", "[0 .0", "");
    check(Policy::Latest, "[0 .0 ]0 [1 ]1 =2", "[0 .0 ]0 [1 ]1 =2", "");
}

#[test]
fn packets_leave_in_sequence() {
    check(Policy::Auto, "[0@0 ]0@2 .0@1", "[0 .0 ]0", "");
    check(Policy::Auto, "=0@0 =2@2 =1@1 =3@3", "=0 =1 =2 =3", "");
    check(Policy::Auto, "=0@65535 =2@1 =1@0", "=0 =1 =2", "");
    check(Policy::Auto, "=0@0 =3@3 =2@2 =1@1", "=0 =1 =2 =3", "");
}

#[test]
fn a_gap_is_waited_for_until_two_milliseconds_have_passed() {
    check(Policy::Auto, "[0@0 ]0@2 +1 .0@1", "[0 .0 ]0", "");
    check(Policy::Auto, "[0@0 ]0@2 +2 .0@1", "[0", "incomplete:1");
    check(Policy::Auto, "=0 ~ =2 +1", "=0", "");
    check(Policy::Auto, "=0 ~ =2 +2", "=0 =2", "");
}

#[test]
fn a_gap_is_waited_for_until_three_later_packets_have_passed() {
    check(Policy::Auto, "=0@0 =2@2 =3@3 =1@1", "=0 =1 =2 =3", "");
    check(Policy::Auto, "=0@0 =2@2 =3@3 =4@4", "=0 =2 =3 =4", "");
    check(Policy::Auto, "=0@0 =2@2 =4@4 =6@6", "=0 =2", "");
    check(Policy::Auto, "=0@0 =2@2 =4@4 =6@6 +2", "=0 =2 =4 =6", "");
}

#[test]
fn nothing_more_is_sent_of_a_frame_that_is_incomplete() {
    check(Policy::Auto, "[0 ~ .0 .0 .0 .0 ]0 =1", "[0 =1", "incomplete:1");
    check(Policy::Auto, "[0 .0 ~ [1 +2 .1 ]1", "[0 .0 [1 .1 ]1", "incomplete:1");
    check(Policy::Auto, "[0 [1 ]1", "[0 [1 ]1", "incomplete:1");
    check(Policy::Latest, "full [0 .0 ~ ]0 +2 room", "", "incomplete:1");
}

#[test]
fn a_frame_whose_start_never_came_is_incomplete() {
    check(Policy::Auto, ".0 .0 ]0 =1", "=1", "incomplete:1");
    check(Policy::Auto, "=0 ~ .1 ]1 =2 =3", "=0 =2 =3", "incomplete:1");
    check(Policy::Auto, "]0 ]1 .2 .3", "", "incomplete:4");
}

#[test]
fn frames_that_never_came_are_not_counted() {
    check(Policy::Auto, "=0 ~ ~ ~ =4 +2", "=0 =4", "");
}

#[test]
fn late_packets_of_dead_frames_are_ignored() {
    check(Policy::Auto, "[0@0 ]0@2 +2 .0@1 .0@1 =1@3", "[0 =1", "incomplete:1");
    check(Policy::Auto, "=0@0 =2@2 +2 =1@1 =1@1 =3@3", "=0 =2 =3", "incomplete:1");
    check(Policy::Auto, "=0@0 =1@1 =1@1 =0@0 =2@2", "=0 =1 =2", "");
}

#[test]
fn a_duplicate_that_is_held_counts_once() {
    check(Policy::Auto, "=0@0 =2@2 =2@2 =2@2 =2@2 =1@1", "=0 =1 =2", "");
}

#[test]
fn latest_keeps_the_newest_frame() {
    check(Policy::Latest, "full =0 =1 =2 room", "=2", "superseded:2");
    check(Policy::Latest, "full [0 ]0 [1 ]1 [2 room ]2", "[2 ]2", "superseded:2");
}

#[test]
fn the_newest_frame_is_the_one_pushed_last_unless_it_was_dropped() {
    let newest = |script: &str| {
        let mut run = Script::new(rules(Policy::Latest), OutboxConfig::default());
        run.run(script);
        run.outbox.lane_newest(handle(5)).map(|frame| frame.get())
    };
    assert_eq!(newest("full =0 =1 [2 ]2"), Some(2));
    assert_eq!(newest("full =0 =1 room"), None);
    assert_eq!(newest("full =0 closed =1"), None);
}

#[test]
fn a_begun_frame_is_finished_before_a_newer_one() {
    check(Policy::Latest, "full [0 .0 ]0 one [1 ]1 [2 ]2 room", "[0 .0 ]0 [2 ]2", "superseded:1");
    check(Policy::Auto, "full [0 one +1500 .0 ]0 room", "[0 .0 ]0", "");
}

#[test]
fn frames_for_which_there_is_room_are_not_replaced_before_they_are_written() {
    let mut run = Script::new(rules(Policy::Latest), OutboxConfig::default());
    for word in ["=0", "=1", "[2", "]2", "=3"] {
        run.push(word);
    }
    run.run("room");
    assert_eq!(run.out.join(" "), "=0 =1 [2 ]2 =3");
}

#[test]
fn a_held_lane_keeps_what_comes_by_its_rules_until_it_is_released() {
    check(Policy::Latest, "hold =0 =1 =2 release =3", "=2 =3", "superseded:2");
    check(Policy::Latest, "hold [0 ]0 [1 .1 release ]1", "[1 .1 ]1", "superseded:1");
    check(Policy::Queue(2), "hold =0 =1 =2 release", "=1 =2", "queue_full:1");
    check(Policy::Auto, "hold =0 [1 ]1 [2 ]2 =3 release", "=0 [2 ]2 =3", "superseded:1");
    check(Policy::Auto, "hold =0 +101 =1 release", "=1", "expired:1");
    check(Policy::Auto, "hold =0 drop", "", "removed:1");
}

#[test]
fn queue_drops_the_oldest() {
    check(Policy::Queue(2), "full =0 =1 =2 =3 room", "=2 =3", "queue_full:2");
    check(Policy::Queue(0), "full =0 =1 room", "=1", "queue_full:1");
    check(Policy::Queue(2), "full [0 ]0 one [1 ]1 [2 ]2 [3 ]3 room", "[0 ]0 [2 ]2 [3 ]3", "queue_full:1");
}

#[test]
fn auto_queues_small_frames_and_replaces_large_ones() {
    check(Policy::Auto, "full =0 =1 =2 room", "=0 =1 =2", "");
    check(Policy::Auto, "full [0 ]0 [1 ]1 room", "[1 ]1", "superseded:1");
    check(Policy::Auto, "full =0 [1 ]1 =2 [3 ]3 room", "=0 =2 [3 ]3", "superseded:1");
}

#[test]
fn auto_queues_64_kib_of_small_frames() {
    let mut run = Script::new(rules(Policy::Auto), OutboxConfig::default());
    run.length = 8 << 10;
    run.run("full =0 =1 =2 =3 =4 =5 =6 =7").run("=8 =9 room");
    assert_eq!(run.out.join(" "), "=2 =3 =4 =5 =6 =7 =8 =9");
    assert_eq!(run.drops(), "queue_full:2");
}

#[test]
fn a_frame_is_not_begun_beyond_its_age() {
    check(Policy::Auto, "full =0 +99 room", "=0", "");
    check(Policy::Auto, "full =0 +100 room", "", "expired:1");
    check(Policy::Auto, "full =0 +60 =1 +60 room", "=1", "expired:1");
    check(Policy::Auto, "full [0 .0 +100 ]0 room", "", "expired:1");
    check(Policy::Queue(4), "full [0 ]0 one [1 ]1 +100 room", "[0 ]0", "expired:1");
}

#[test]
fn a_frame_that_was_held_is_no_older_than_those_before_it() {
    check(Policy::Queue(9), "=0@0 full =2@2 +1 =1@1 +100", "=0", "expired:2");
}

#[test]
fn a_begun_frame_is_given_up_in_the_end() {
    check(Policy::Auto, "full [0 ]0 one +1999 room", "[0 ]0", "");
    check(Policy::Auto, "full [0 ]0 one +2000 room", "[0", "unfinished:1");
    check(Policy::Auto, "[0 +2000 ]0 =1", "[0 =1", "unfinished:1");
}

#[test]
fn without_a_channel_frames_are_dropped() {
    check(Policy::Auto, "closed =0 [1 .1 ]1 open =2", "=2", "no_channel:2");
    check(Policy::Auto, "full =0 =1 closed open room =2", "=2", "no_channel:2");
    check(Policy::Auto, "[0 closed .0 open ]0 =1", "[0 =1", "no_channel:1");
    check(Policy::Auto, "closed [0 open .0 ]0 [1 ]1", "[1 ]1", "no_channel:1");
}

#[test]
fn a_removed_lane_accounts_for_its_frames() {
    check(Policy::Auto, "full =0 [1 ]1 drop room =2", "", "removed:2");
    check(Policy::Auto, "[0 drop", "[0", "removed:1");
    check(Policy::Auto, "=0@0 ]2@5 =3@6 drop", "=0", "incomplete:1 removed:1");
}

#[test]
fn too_large_frames_are_dropped() {
    let middles = |count: usize| vec![".0"; count].join(" ");
    check(Policy::Auto, &format!("full [0 {} ]0 =1", middles(126)), "", "");
    check(Policy::Auto, &format!("full [0 {} ]0 =1 room", middles(127)), "=1", "too_large:1");

    let mut run = Script::new(rules(Policy::Auto), OutboxConfig::default());
    run.length = crate::PACKET_BYTES_MAX;
    run.run("=0");
    run.length += 1;
    run.run("=1");
    assert_eq!((run.out.join(" ").as_str(), run.drops().as_str()), ("=0", "too_large:1"));
}

#[test]
fn a_sender_that_begins_anew_is_followed() {
    check(Policy::Auto, "=0@20000 =1@20001 =0@0 =1@1", "=0 =1 =0 =1", "");
    check(Policy::Auto, "=0@40000 =1@40001 =0@0 =1@1 +2", "=0 =1 =0 =1", "");
    check(Policy::Auto, "=0@100 =1@30000 +2 =2@30001", "=0 =1 =2", "");
    let late = |count: u16| (0..count).map(|n| format!("={n}@{n}")).collect::<Vec<_>>().join(" ");
    check(Policy::Auto, &format!("=63@63 {} =64@64", late(63)), "=63 =64", "incomplete:63");
    check(Policy::Auto, &format!("=63@63 {}", late(65)), "=63 =63 =64", "incomplete:63");
}

#[test]
fn a_start_delayed_over_a_silence_is_late_and_begins_nothing_anew() {
    check(Policy::Auto, "=10@20 =12@22 +2 +1000 =11@21 =13@23", "=10 =12 =13", "incomplete:1");
}

#[test]
fn a_lane_holds_bounded_bytes() {
    let config = OutboxConfig { lane_bytes_max: 3 * (1_000 + 128), ..OutboxConfig::default() };
    let mut run = Script::new(rules(Policy::Queue(100)), config);
    run.run("full =0 =1 =2 =3 =4 room");
    assert_eq!((run.out.join(" ").as_str(), run.drops().as_str()), ("=2 =3 =4", "queue_full:2"));

    let mut run = Script::new(rules(Policy::Latest), config);
    run.run("full [0 .0 .0 .0 ]0 =1 room");
    assert_eq!((run.out.join(" ").as_str(), run.drops().as_str()), ("=1", "queue_full:1"));
}

#[test]
fn what_a_held_lane_keeps_takes_no_room_from_others() {
    let mut run = Script::new(rules(Policy::Latest), OutboxConfig::default());
    run.run("open");
    let now = run.now;
    let push = |outbox: &mut Outbox, lane, number| {
        let bytes = packet('=', number, number, 1_000);
        outbox.push(lane, &Header::parse(&bytes).unwrap(), &bytes, now);
    };
    run.outbox.add_lane(handle(7), rules(Policy::Queue(100)));
    run.outbox.hold_lane(handle(7));
    (0..70).for_each(|number| push(&mut run.outbox, handle(7), number));
    (0..2).for_each(|number| push(&mut run.outbox, handle(5), number));
    let other = run.outbox.lane_stats(handle(5)).unwrap();
    assert_eq!(other.dropped_total(), 0, "there is room for both");
}

#[test]
fn an_outbox_holds_bounded_bytes() {
    let config = OutboxConfig { bytes_max: 2 * (1_000 + 128), ..OutboxConfig::default() };
    let mut run = Script::new(rules(Policy::Queue(100)), config);
    run.outbox.add_lane(handle(6), rules(Policy::Queue(100)));
    run.run("full =0 =1");
    let bytes = packet('=', 0, 0, 1_000);
    run.outbox.push(handle(6), &Header::parse(&bytes).unwrap(), &bytes, run.now);
    let other = run.outbox.lane_stats(handle(6)).unwrap();
    assert_eq!((other.frames_in, other.dropped(DropReason::QueueFull)), (1, 1));
}

#[test]
fn wasted_bytes_are_those_sent_of_dropped_frames() {
    let mut run = Script::new(rules(Policy::Auto), OutboxConfig::default());
    run.run("[0 .0 ~ .0 +2 =1");
    let totals = run.outbox.totals();
    assert_eq!((totals.wasted_bytes, totals.bytes_out), (2_000, 3_000));
    assert_eq!((totals.packets_in, totals.packets_out), (4, 3));
}

#[test]
fn admission_age_is_measured_at_the_first_packet() {
    let mut run = Script::new(rules(Policy::Queue(9)), OutboxConfig::default());
    run.run("full =0 +20 =1 +10 room");
    let totals = run.outbox.totals();
    assert_eq!(totals.admission_age_max(), Duration::from_millis(30));
    assert_eq!(totals.admission_age_sum(), Duration::from_millis(40));
    assert_eq!(totals.frames_begun, 2);
}

#[test]
fn a_refused_packet_is_offered_again() {
    let mut run = Script::new(rules(Policy::Auto), OutboxConfig::default());
    run.push("=0");
    assert!(run.outbox.peek(run.now).is_some());
    run.outbox.refused(run.now);
    assert!(run.outbox.peek(run.now).is_none());
    run.run("room");
    assert_eq!(run.out.join(" "), "=0");
}

#[test]
fn adding_a_lane_again_replaces_its_rules() {
    let mut run = Script::new(rules(Policy::Queue(9)), OutboxConfig::default());
    run.run("full =0 =1");
    run.outbox.add_lane(handle(5), rules(Policy::Latest));
    run.run("=2 room");
    assert_eq!((run.out.join(" ").as_str(), run.drops().as_str()), ("=2", "superseded:2"));
}

#[test]
fn packets_for_no_lane_are_counted() {
    let mut outbox = Outbox::new(OutboxConfig::default());
    let bytes = packet('=', 0, 0, 20);
    outbox.push(handle(9), &Header::parse(&bytes).unwrap(), &bytes, base());
    assert_eq!((outbox.unrouted_packets(), outbox.totals().packets_in), (1, 0));
    assert_eq!(outbox.remove_lane(handle(9)), None);
}

#[test]
fn a_rate_picks_whole_frames() {
    let rules = LaneRules { max_hz: Some(10.0), ..LaneRules::default() };
    let mut run = Script::new(rules, OutboxConfig::default());
    run.run("[0 .0 ]0 +50 [1 .1 ]1 +50 [2 ]2 +50 =3 +50 =4");
    assert_eq!((run.out.join(" ").as_str(), run.drops().as_str()), ("[0 .0 ]0 [2 ]2 =4", "rate_limited:2"));
}

#[test]
fn frames_left_out_for_a_rate_take_no_number_and_others_that_are_dropped_do() {
    let numbers = |rules: LaneRules, script: &str| {
        let mut run = Script::new(rules, OutboxConfig::default());
        run.run(script);
        run.numbers
    };
    let slow = LaneRules { max_hz: Some(10.0), ..rules(Policy::Latest) };
    assert_eq!(numbers(slow, "=0 =1 =2 +100 =3 =4 +100 [5 ]5 =6"), [0, 1, 2, 2]);
    assert_eq!(numbers(slow, "=65535 =0 +100 =1"), [65_535, 0]);
    assert_eq!(numbers(slow, "=0 =1 full +100 =2 +10 =3 +90 =4 room"), [0, 2], "2 was superseded by 4");
    assert_eq!(
        numbers(slow, "=0 =1 =2 +100 full =3 +10 =4 room"),
        [0, 1],
        "as many as were left out before it"
    );
    assert_eq!(numbers(rules(Policy::Latest), "=0 ~ =2 +2 =3"), [0, 2, 3]);
}

#[test]
fn a_lane_that_is_rescheduled_keeps_its_numbers_and_its_grid() {
    let slow = LaneRules { max_hz: Some(10.0), ..rules(Policy::Latest) };
    let mut run = Script::new(slow, OutboxConfig::default());
    run.run("=0 +10 =1");
    run.outbox.add_lane(handle(5), LaneRules { weight: 4, ..slow });
    run.run("=2 +90 =3");
    run.outbox.add_lane(handle(5), rules(Policy::Latest));
    run.run("=4 =5");
    assert_eq!((run.out.join(" ").as_str(), run.numbers), ("=0 =3 =4 =5", vec![0, 1, 2, 3]));
}

#[test]
fn the_last_whole_frame_of_a_latched_track_waits_for_its_late_joiner() {
    #[track_caller]
    fn check(policy: Policy, script: &str, out: &str, drops: &str) {
        let mut run = Script::new(LaneRules { latch: true, ..rules(policy) }, OutboxConfig::default());
        run.run(script);
        assert_eq!((run.out.join(" ").as_str(), run.drops().as_str()), (out, drops), "{script}");
    }
    check(Policy::Auto, "hold =0 +5000 release", "=0", "");
    check(Policy::Auto, "hold [0 .0 ]0 +5000 release", "[0 .0 ]0", "");
    check(Policy::Auto, "full =0 +5000 room", "=0", "");
    check(Policy::Auto, "hold =0 =1 =2 +5000 release", "=2", "expired:2");
    check(Policy::Queue(9), "hold [0 ]0 [1 +5000 release ]1", "[0 ]0", "expired:1");
    check(Policy::Queue(9), "hold [0 ]0 [1 ]1 +5000 release", "[1 ]1", "expired:1");
    check(Policy::Latest, "hold =0 =1 +50 release", "=1", "superseded:1");
    check(Policy::Auto, "=0 full =1 +100 room", "=0", "expired:1");
    check(Policy::Auto, "hold =0 +5000 closed open release =1", "=1", "no_channel:1");
}

#[test]
fn an_idle_lane_is_small() {
    assert!(size_of::<crate::lane::Lane>() <= 304, "{}", size_of::<crate::lane::Lane>());
}

/// Pushes `count` frames of one packet into each lane while the channel is full, then writes all.
fn turns(weights: &[u16], length: usize, count: u16) -> Vec<u16> {
    let now = base();
    let mut outbox = Outbox::new(OutboxConfig::default());
    outbox.set_open(true, now);
    outbox.update_buffered(FULL_BYTES, now);
    for (lane, weight) in (1..).zip(weights) {
        outbox.add_lane(handle(lane), LaneRules { weight: *weight, ..rules(Policy::Queue(u16::MAX)) });
        for number in 0..count {
            let bytes = packet('=', number, number, length);
            outbox.push(handle(lane), &Header::parse(&bytes).unwrap(), &bytes, now);
        }
    }
    let mut order = Vec::new();
    loop {
        outbox.update_buffered(0, now);
        let Some((lane, _)) = outbox.peek(now) else { return order };
        order.push(lane.get());
        outbox.written(now);
    }
}

#[test]
fn lanes_take_turns_by_bytes() {
    assert_eq!(turns(&[1, 1, 1], 1_500, 2), [1, 2, 3, 1, 2, 3]);
    assert_eq!(turns(&[1, 1], 700, 4), [1, 1, 2, 2, 1, 1, 2, 2]);
    let order = turns(&[3, 1], 1_000, 200);
    let first = order[..100].iter().filter(|lane| **lane == 1).count();
    assert!((70..=80).contains(&first), "{first} of 100 packets for three quarters");
}

#[test]
fn a_sparse_lane_comes_first_once_per_turn_of_the_others() {
    let now = base();
    let mut outbox = Outbox::new(OutboxConfig::default());
    outbox.set_open(true, now);
    outbox.update_buffered(FULL_BYTES, now);
    let mut sequence = [0; 3];
    let mut push = |outbox: &mut Outbox, lane: u16, length| {
        let number = &mut sequence[usize::from(lane)];
        let bytes = packet('=', *number, *number, length);
        *number += 1;
        outbox.push(handle(lane), &Header::parse(&bytes).unwrap(), &bytes, now);
    };
    for lane in [1, 2] {
        outbox.add_lane(handle(lane), rules(Policy::Queue(u16::MAX)));
    }
    for _ in 0..20 {
        push(&mut outbox, 1, 1_500);
    }
    let mut order = Vec::new();
    for _ in 0..10 {
        push(&mut outbox, 2, 1_500);
        outbox.update_buffered(0, now);
        order.push(outbox.peek(now).expect("packets wait").0.get());
        outbox.written(now);
    }
    let sparse = order.iter().filter(|lane| **lane == 2).count();
    assert!((4..=6).contains(&sparse), "a lane that comes again and again takes {order:?}");
}

/// Bytes written per lane while each has always something to send: `(weight, packet bytes)` of each.
fn shares(lanes: &[(u16, usize)], total: usize) -> Vec<f64> {
    let now = base();
    let mut outbox = Outbox::new(OutboxConfig {
        lane_bytes_max: 64 << 20,
        bytes_max: 512 << 20,
        ..OutboxConfig::default()
    });
    outbox.set_open(true, now);
    let mut numbers = vec![0_u16; lanes.len()];
    let mut bytes = vec![0; lanes.len()];
    let push = |outbox: &mut Outbox, numbers: &mut Vec<u16>, index: usize| {
        let number = numbers[index];
        let packet = packet('=', number, number, lanes[index].1);
        numbers[index] = number.wrapping_add(1);
        outbox.push(handle(index as u16 + 1), &Header::parse(&packet).unwrap(), &packet, now);
    };
    outbox.update_buffered(FULL_BYTES, now);
    for (index, (weight, _)) in lanes.iter().enumerate() {
        let rules = LaneRules { weight: *weight, ..rules(Policy::Queue(u16::MAX)) };
        outbox.add_lane(handle(index as u16 + 1), rules);
        (0..3).for_each(|_| push(&mut outbox, &mut numbers, index));
    }
    while bytes.iter().sum::<usize>() < total {
        outbox.update_buffered(0, now);
        let (lane, packet) = outbox.peek(now).expect("all lanes have something");
        let index = usize::from(lane.get()) - 1;
        bytes[index] += packet.len();
        outbox.written(now);
        outbox.update_buffered(FULL_BYTES, now);
        push(&mut outbox, &mut numbers, index);
    }
    let weights: f64 = lanes.iter().map(|(weight, _)| f64::from(*weight)).sum();
    let all = bytes.iter().sum::<usize>() as f64;
    let fair = lanes.iter().map(|(weight, _)| f64::from(*weight) / weights);
    bytes.iter().zip(fair).map(|(bytes, fair)| *bytes as f64 / all / fair).collect()
}

#[test]
fn shares_are_as_weights_whatever_the_length_of_packets() {
    let check = |lanes: &[(u16, usize)]| {
        for (share, lane) in shares(lanes, 8 << 20).into_iter().zip(lanes) {
            assert!((0.97..=1.03).contains(&share), "{lane:?} of {lanes:?} has {share:.3} of its share");
        }
    };
    check(&[(1, 100), (1, 16_000)]);
    check(&[(1, 1_060), (2, 1_060), (4, 1_060)]);
    check(&[(1, 100), (2, 1_060), (4, 16_000)]);
    check(&[(4, 100), (2, 1_060), (1, 16_000)]);
    check(&[(1, 60_000), (16, 120), (3, 1_500), (3, 12)]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn shares_are_as_any_weights(lanes in vec((1..20_u16, 12..20_000_usize), 2..6)) {
        for share in shares(&lanes, 16 << 20) {
            prop_assert!((0.95..=1.05).contains(&share), "{lanes:?}: {share:.3}");
        }
    }
}

/// Bytes that other lanes send between the push of a small frame and its turn, at worst: `busy` lanes always have
/// packets of 16,000 bytes, and the small one pushes 64 bytes each time that `every` packets were sent.
fn worst_wait(busy: u16, every: usize) -> usize {
    let now = base();
    let mut outbox = Outbox::new(OutboxConfig { bytes_max: 512 << 20, ..OutboxConfig::default() });
    outbox.set_open(true, now);
    outbox.update_buffered(FULL_BYTES, now);
    let mut sequences = std::vec![0_u16; usize::from(busy) + 2];
    let mut push = |outbox: &mut Outbox, lane: u16, length| {
        let number = &mut sequences[usize::from(lane)];
        let bytes = packet('=', *number, *number, length);
        *number = number.wrapping_add(1);
        outbox.push(handle(lane), &Header::parse(&bytes).unwrap(), &bytes, now);
    };
    let small = busy + 1;
    for lane in 1..=small {
        outbox.add_lane(handle(lane), rules(Policy::Queue(u16::MAX)));
    }
    (1..=busy).for_each(|lane| (0..3).for_each(|_| push(&mut outbox, lane, 16_000)));
    let (mut waited, mut worst) = (None, 0);
    for turn in 0..2_000 {
        if turn % every == 0 && waited.is_none() {
            push(&mut outbox, small, 64);
            waited = Some(0);
        }
        outbox.update_buffered(0, now);
        let (lane, packet) = outbox.peek(now).expect("busy lanes always have something");
        let (lane, length) = (lane.get(), packet.len());
        outbox.written(now);
        outbox.update_buffered(FULL_BYTES, now);
        if lane == small {
            worst = worst.max(waited.take().expect("it was pushed"));
        } else {
            waited = waited.map(|bytes| bytes + length);
            push(&mut outbox, lane, 16_000);
        }
    }
    worst
}

/// A lane that had nothing to send comes first; one that comes again and again has used up its turn after some 24 frames
/// of 64 bytes, and then waits for at most one message of each busy lane.
#[test]
fn a_small_frame_waits_for_at_most_one_message_of_each_busy_lane() {
    for busy in [1, 3, 8] {
        assert_eq!(worst_wait(busy, 50), 0, "{busy} busy lanes, now and then");
        let often = worst_wait(busy, 1);
        assert!(often <= usize::from(busy) * 16_000, "{busy} busy lanes, always: {often} bytes");
    }
}

#[test]
fn large_packets_get_their_turn() {
    assert_eq!(turns(&[1, 1], 16_000, 2).len(), 4);
}

#[test]
fn a_channel_that_is_still_to_be_opened_is_waited_for() {
    let mut script = Script::new(LaneRules::default(), OutboxConfig::default());
    script.outbox = Outbox::new(OutboxConfig::default());
    script.outbox.add_lane(handle(5), LaneRules::default());
    script.run("=0 closed +10 open");
    assert_eq!(script.out, ["=0"]);
    let mut late = Script::new(LaneRules::default(), OutboxConfig::default());
    late.outbox = Outbox::new(OutboxConfig::default());
    late.outbox.add_lane(handle(5), LaneRules::default());
    late.run("=0 +5000 open =1");
    assert_eq!(late.out, ["=1"]);
    assert_eq!(late.outbox.totals().dropped(DropReason::Expired), 1);
}
