//! Scripts of one buffer. `7` puts in frame 7, `7@950` one that was captured at 950 ms, `-3` a gap of 3
//! frames, `r` a restart, `+5` lets 5 ms pass, `.` takes out one item, `*` all. What comes out: `7`,
//! `-3:missing`, `silent@0`.

use proptest::prelude::*;

use super::*;

struct Script {
    queue: FrameQueue,
    start: Instant,
    now: Instant,
    out: Vec<String>,
}

impl Script {
    /// The time of day is 1,000,000 ms at the start.
    fn new(options: QueueOptions) -> Self {
        #[expect(clippy::disallowed_methods, reason = "any instant will do; only differences count")]
        let now = Instant::now();
        let clock = Some(WallClock { at: now, unix_ms: 1_000_000 });
        Self { queue: FrameQueue::new(options, clock, now), start: now, now, out: Vec::new() }
    }

    fn run(&mut self, script: &str) {
        for word in script.split_whitespace() {
            self.step(word);
            let QueueStats { received, delivered, overflowed, stale, decimated, waiting, .. } =
                self.queue.stats();
            assert_eq!(received, delivered + overflowed + stale + decimated + waiting, "after {word}");
            let held = self.queue.entries.iter().filter(|entry| matches!(entry, Delivery::Frame(_))).count();
            assert_eq!(held as u64, waiting);
            assert!(held <= self.queue.options.capacity);
            assert!(self.queue.entries.len() <= (held + 1) * 12, "{:?}", self.queue.entries);
        }
    }

    fn step(&mut self, word: &str) {
        if let Some(ms) = word.strip_prefix('+') {
            self.now += Duration::from_millis(ms.parse().unwrap());
            self.queue.handle_timeout(self.now);
            assert!(self.queue.poll_timeout().is_none_or(|at| at > self.now));
        } else if let Some(frames) = word.strip_prefix('-') {
            let gap = Gap { frames: frames.parse().unwrap(), reason: RemoteDropReason::Missing };
            self.queue.push(Received::Gap(gap), self.now);
        } else if word == "r" {
            let gap = Gap { frames: 0, reason: RemoteDropReason::Restarted };
            self.queue.push(Received::Gap(gap), self.now);
        } else if word == "." {
            self.pop();
        } else if word == "*" {
            while self.pop() {}
        } else {
            self.push(word);
        }
    }

    fn push(&mut self, word: &str) {
        let (number, captured) = match word.split_once('@') {
            Some((number, ms)) => (number, Some(999_000 + ms.parse::<u64>().unwrap())),
            None => (word, None),
        };
        let frame = RemoteFrame {
            payload: "x".into(),
            user_timestamp: captured,
            number: number.trim_end_matches('!').parse().unwrap(),
            timestamp: 0,
            received: self.now,
            publisher: "bob".into(),
            is_last_will: word.contains('!'),
            is_latched: false,
        };
        self.queue.push(Received::Frame(frame), self.now);
    }

    fn pop(&mut self) -> bool {
        let Some(delivery) = self.queue.pop(self.now) else { return false };
        self.out.push(match delivery {
            Delivery::Frame(frame) => frame.number.to_string(),
            Delivery::Gap(gap) => format!("-{}:{}", gap.frames, gap.reason.label()),
            Delivery::Silent { since } => format!("silent@{}", (since - self.start).as_millis()),
        });
        true
    }
}

#[track_caller]
fn check(options: QueueOptions, script: &str, out: &str) {
    let mut run = Script::new(options);
    run.run(script);
    assert_eq!(run.out.join(" "), out);
}

fn full(overflow: Overflow) -> QueueOptions {
    QueueOptions { capacity: 2, overflow, ..QueueOptions::default() }
}

fn aged(ms: u64) -> QueueOptions {
    QueueOptions { max_age: Some(Duration::from_millis(ms)), ..QueueOptions::default() }
}

fn due(ms: u64) -> QueueOptions {
    QueueOptions { capacity: 2, deadline: Some(Duration::from_millis(ms)), ..QueueOptions::default() }
}

fn at_most(fps: u32) -> QueueOptions {
    QueueOptions { target_fps: Some(fps), ..QueueOptions::default() }
}

#[test]
fn a_subscription_gets_no_more_frames_than_it_has_asked_for_and_misses_none_of_them() {
    let every_20_ms: Vec<String> = (0..100).map(|number| format!("{number} * +20")).collect();
    let mut run = Script::new(at_most(10));
    run.run(&every_20_ms.join(" "));
    // A quarter of the interval early is in time.
    let expected: Vec<String> =
        std::iter::once(0).chain((4..100).step_by(5)).map(|number| number.to_string()).collect();
    assert_eq!(run.out, expected, "on a steady grid, without gaps");
    let QueueStats { received, delivered, decimated, missed, .. } = run.queue.stats();
    assert_eq!((received, delivered, decimated, missed), (100, 21, 79, 0));
}

#[test]
fn a_source_no_faster_than_asked_for_loses_nothing() {
    check(at_most(10), "1 +95 2 +105 3 +100 4 *", "1 2 3 4");
    check(at_most(0), "1 2 3 *", "1 2 3");
}

#[test]
fn real_gaps_among_frames_left_out_are_told() {
    check(at_most(10), "1 +20 2 +20 -3 6 +60 7 *", "1 -3:missing 7");
}

#[test]
fn frames_left_out_show_that_the_publisher_is_there() {
    let options = QueueOptions { target_fps: Some(1), ..due(100) };
    check(options, "1 +90 2 +90 3 +90 4 * +100 *", "1 silent@270");
}

#[test]
fn a_last_will_is_neither_left_out_nor_too_old_nor_without_place() {
    check(at_most(1), "1 2! *", "1 2");
    check(aged(100), "1@950 2!@1 *", "1 2");
    check(full(Overflow::Newest), "1 2 3 4! *", "-1:overflow 2 -1:overflow 4");
}

#[test]
fn frames_and_gaps_come_out_as_they_went_in() {
    check(QueueOptions::default(), "1 2 -3 6 r 0 *", "1 2 -3:missing 6 -0:restarted 0");
    check(QueueOptions::default(), "1 -1 -2 *", "1 -3:missing");
}

#[test]
fn sixteen_frames_are_held_by_default() {
    let frames: Vec<String> = (0..20).map(|frame| frame.to_string()).collect();
    let kept = frames[4..].join(" ");
    check(QueueOptions::default(), &format!("{} *", frames.join(" ")), &format!("-4:overflow {kept}"));
}

#[test]
fn a_full_buffer_drops_the_oldest_or_the_newest() {
    check(full(Overflow::Oldest), "1 2 3 4 *", "-2:overflow 3 4");
    check(full(Overflow::Newest), "1 2 3 4 *", "1 2 -2:overflow");
    check(full(Overflow::Newest), "1 2 3 . 4 *", "1 2 -1:overflow 4");
    check(QueueOptions { capacity: 0, ..full(Overflow::Oldest) }, "1 2 *", "-1:overflow 2");
}

#[test]
fn gaps_around_an_evicted_frame_become_one_for_each_reason() {
    check(full(Overflow::Oldest), "1 -2 4 5 *", "-2:missing -1:overflow 4 5");
    check(
        full(Overflow::Oldest),
        "1 -2 4 -1 r 6 -1 8 *",
        "-3:missing -0:restarted -2:overflow 6 -1:missing 8",
    );
}

#[test]
fn frames_that_are_too_old_are_dropped_when_they_come_and_when_it_is_their_turn() {
    check(aged(50), "1 +30 2 +30 3 *", "-1:stale 2 3");
    check(aged(50), "1@950 2@949 3@5000 +1 *", "-1:stale -1:stale 3");
    check(aged(50), "1@1000 +51 . 2 *", "-1:stale 2");
    check(aged(50), "1 2 -3 6 +51 *", "-2:stale -3:missing -1:stale");
}

#[test]
fn a_silence_is_told_once_and_in_its_place() {
    check(due(100), "+99 *", "");
    check(due(100), "+100 * +500 *", "silent@0");
    check(due(100), "1 . +40 2 +100 3 *", "1 2 silent@40 3");
    check(due(100), "+200 1 +100 *", "silent@0 1 silent@200");
    check(due(100), "+50 -1 +50 *", "-1:missing silent@0");
    check(due(100), "1 +100 2 +100 3 *", "-1:overflow silent@0 2 silent@100 3");
}

#[test]
fn frames_that_are_too_old_do_not_end_a_silence() {
    let options = QueueOptions { deadline: Some(Duration::from_millis(100)), ..aged(50) };
    check(options, "1 * +60 2@0 +40 *", "1 -1:stale silent@0");
}

#[test]
fn a_silence_before_an_evicted_frame_is_no_news() {
    check(due(100), "+100 1 2 3 *", "-1:overflow 2 3");
}

proptest! {
    #[test]
    fn every_frame_is_yielded_once_as_itself_or_within_a_gap(
        newest in any::<bool>(),
        words in proptest::collection::vec(
            prop_oneof![4 => Just("f"), 1 => Just("-2"), 1 => Just("+30"), 1 => Just("r"), 3 => Just(".")], 0..200,
        ),
    ) {
        let overflow = if newest { Overflow::Newest } else { Overflow::Oldest };
        let deadline = Some(Duration::from_millis(70));
        let mut run = Script::new(QueueOptions { deadline, capacity: 4, overflow, ..aged(100) });
        let mut next = 0;
        for word in words {
            match word {
                "f" => {
                    run.run(&next.to_string());
                    next += 1;
                }
                "-2" => {
                    run.run("-2");
                    next += 2;
                }
                word => run.run(word),
            }
        }
        run.run("*");
        let mut yielded = 0;
        for word in &run.out {
            match word.strip_prefix('-') {
                Some(gap) => yielded += gap.split_once(':').unwrap().0.parse::<u64>().unwrap(),
                None if word.starts_with("silent") => {}
                None => {
                    let number: u64 = word.parse().unwrap();
                    prop_assert!(number >= yielded || overflow == Overflow::Newest, "{:?}", run.out);
                    yielded += 1;
                }
            }
        }
        prop_assert_eq!(yielded, next, "{:?}", run.out);
    }
}
