//! Receivers that fail, stall and come back, in virtual time.

use std::collections::HashSet;

use trackyard_proto::RoomInfo;
use trackyard_proto::webhook::WebhookKind;

use super::*;

/// Queues with a clock of their own.
struct Bench {
    queues: Queues,
    start: Instant,
    now: Instant,
    made: u32,
    drops: BTreeMap<Undelivered, u64>,
}

const SECOND: Duration = Duration::from_secs(1);

impl Bench {
    fn new(limits: Limits) -> Self {
        let start = Instant::now();
        Self { queues: Queues::new(limits, 7), start, now: start, made: 0, drops: BTreeMap::new() }
    }

    fn push(&mut self, room: &str, kind: WebhookKind) -> u32 {
        self.push_large(room, kind, 0)
    }

    fn push_large(&mut self, room: &str, kind: WebhookKind, bytes: usize) -> u32 {
        self.made += 1;
        let metadata = "x".repeat(bytes);
        let room = RoomInfo { name: room.to_owned(), metadata, ..RoomInfo::default() };
        let event = WebhookEvent {
            kind,
            id: self.made.to_string(),
            room: Some(Arc::new(room)),
            ..WebhookEvent::default()
        };
        self.queues.push(Told { event: Arc::new(event), at: self.now });
        self.made
    }

    fn next(&mut self) -> Option<Attempt> {
        self.queues.next(self.now)
    }

    fn settle(&mut self, attempt: &Attempt, outcome: Outcome) {
        self.queues.settle(&attempt.room, outcome, self.now);
    }

    /// Tries everything that may be tried now, and answers which events those were.
    fn round(&mut self, outcome: Outcome) -> Vec<u32> {
        let mut attempts = Vec::new();
        while let Some(attempt) = self.next() {
            attempts.push(number(&attempt));
            self.settle(&attempt, outcome);
        }
        attempts
    }

    /// Goes on to when something may be tried again.
    fn wait(&mut self) -> Duration {
        let next = self.queues.timeout().expect("nothing is paused");
        let pause = next.saturating_duration_since(self.now);
        self.now = next;
        pause
    }

    fn dropped(&mut self, reason: Undelivered) -> u64 {
        for (reason, count) in self.queues.take_drops() {
            *self.drops.entry(reason).or_default() += count;
        }
        self.drops.get(&reason).copied().unwrap_or_default()
    }

    fn all_dropped(&mut self) -> u64 {
        let _ = self.dropped(Undelivered::Depth);
        self.drops.values().sum()
    }
}

fn number(attempt: &Attempt) -> u32 {
    attempt.event.id.parse().unwrap()
}

fn bench() -> Bench {
    Bench::new(Limits::default())
}

const JOINED: WebhookKind = WebhookKind::ParticipantJoined;
const PUBLISHED: WebhookKind = WebhookKind::TrackPublished;

#[test]
fn events_of_a_room_follow_each_other_and_rooms_go_side_by_side() {
    let mut bench = bench();
    for _ in 0..3 {
        bench.push("yard", JOINED);
        bench.push("shed", JOINED);
    }
    let (yard, shed) = (bench.next().unwrap(), bench.next().unwrap());
    assert_eq!((number(&yard), number(&shed)), (1, 2));
    assert!(bench.next().is_none(), "each room has one under way");
    bench.settle(&shed, Outcome::Delivered);
    assert_eq!(number(&bench.next().unwrap()), 4, "the other room is not waited for");
    bench.settle(&yard, Outcome::Delivered);
    assert_eq!(number(&bench.next().unwrap()), 3);
}

#[test]
fn no_more_than_the_limit_are_under_way_and_rooms_take_turns() {
    let mut bench = Bench::new(Limits { parallel_max: 2, ..Limits::default() });
    for room in ["a", "b", "c"] {
        bench.push(room, JOINED);
        bench.push(room, JOINED);
    }
    let (a, b) = (bench.next().unwrap(), bench.next().unwrap());
    assert!(bench.next().is_none());
    bench.settle(&a, Outcome::Delivered);
    let c = bench.next().unwrap();
    assert_eq!(c.room.as_ref(), "c", "who has had a turn comes behind who has not");
    bench.settle(&b, Outcome::Failed);
    bench.settle(&c, Outcome::Delivered);
    assert_eq!(bench.round(Outcome::Delivered), [2, 6]);
}

#[test]
fn failures_are_repeated_in_order_after_pauses_that_grow_and_differ() {
    let mut bench = bench();
    bench.push("yard", JOINED);
    bench.push("yard", JOINED);
    let mut pauses = Vec::new();
    for _ in 0..6 {
        assert_eq!(bench.round(Outcome::Failed), [1]);
        pauses.push(bench.wait());
    }
    for (pause, full) in pauses.iter().zip([500, 1_000, 2_000, 4_000, 8_000, 8_000]) {
        let full = Duration::from_millis(full);
        assert!((full / 2..=full).contains(pause), "{pauses:?}");
    }
    assert_eq!(bench.round(Outcome::Delivered), [1, 2]);
    bench.push("yard", JOINED);
    bench.push("shed", JOINED);
    bench.round(Outcome::Failed);
    let (first, second) = (bench.wait(), {
        bench.round(Outcome::Failed);
        bench.wait()
    });
    assert!(
        first <= SECOND / 2 && second > Duration::ZERO,
        "a success begins anew, and rooms do not come at once"
    );
}

#[test]
fn what_is_too_old_is_given_up_and_what_came_later_is_not() {
    let mut bench = bench();
    bench.push("yard", JOINED);
    let mut tries = 0;
    while bench.dropped(Undelivered::Age) == 0 {
        assert!(bench.now - bench.start <= Limits::default().age_max + PAUSE_MAX);
        tries += bench.round(Outcome::Failed).len();
        if bench.now - bench.start < 20 * SECOND && tries == 4 {
            bench.push("yard", JOINED);
        }
        if bench.queues.timeout().is_some() {
            bench.wait();
        }
    }
    assert!((5..=12).contains(&tries), "{tries} tries in 30 s");
    let later = bench.round(Outcome::Delivered);
    assert_eq!(later, [2], "the younger one has its own 30 s");
    assert_eq!(bench.queues.waiting(), 0);
}

#[test]
fn a_receiver_that_stalls_loses_what_its_limits_say_and_no_more() {
    let mut bench = bench();
    for _ in 0..1_000 {
        bench.push("yard", JOINED);
    }
    assert_eq!((bench.queues.waiting(), bench.dropped(Undelivered::Depth)), (200, 800));
    let first = bench.next().unwrap();
    assert_eq!((number(&first), first.num_dropped), (1, 800), "the next one tells how many");
    bench.settle(&first, Outcome::Delivered);
    let second = bench.next().unwrap();
    assert_eq!(second.num_dropped, 0, "and only once");
    bench.settle(&second, Outcome::Delivered);
    assert_eq!(bench.round(Outcome::Delivered), (3..=200).collect::<Vec<_>>());
}

#[test]
fn tracks_give_way_to_participants_and_rooms() {
    let mut bench = Bench::new(Limits { depth_max: 4, ..Limits::default() });
    bench.push("yard", WebhookKind::RoomStarted);
    let under_way = bench.next().unwrap();
    for _ in 0..5 {
        bench.push("yard", PUBLISHED);
    }
    bench.push("yard", JOINED);
    bench.push("yard", WebhookKind::RoomFinished);
    bench.settle(&under_way, Outcome::Delivered);
    assert_eq!(bench.round(Outcome::Delivered), [2, 7, 8]);
    assert_eq!(bench.dropped(Undelivered::Depth), 4);
}

#[test]
fn memory_has_a_bound_whatever_the_number_of_rooms() {
    let mut bench = Bench::new(Limits { bytes_max: 10_000_000, ..Limits::default() });
    for room in 0..100 {
        bench.push_large(&room.to_string(), JOINED, 500_000);
    }
    assert_eq!((bench.queues.waiting(), bench.dropped(Undelivered::Memory)), (19, 81));
    assert_eq!(bench.round(Outcome::Delivered).len(), 19);
    bench.push_large("yard", JOINED, 9_000_000);
    assert_eq!(bench.queues.waiting(), 1, "what is gone leaves its room");
}

#[test]
fn what_is_refused_is_not_repeated_and_holds_up_nothing() {
    let mut bench = bench();
    bench.push("yard", JOINED);
    bench.push("yard", JOINED);
    let first = bench.next().unwrap();
    bench.settle(&first, Outcome::Refused);
    let second = bench.next().unwrap();
    assert_eq!((number(&second), second.num_dropped), (2, 1));
    bench.settle(&second, Outcome::Failed);
    bench.wait();
    assert_eq!(bench.next().unwrap().num_dropped, 1, "it is told when it arrives, not when it is tried");
    assert_eq!(bench.dropped(Undelivered::Refused), 1);
}

#[test]
fn what_was_lost_on_the_way_is_told_too() {
    let mut bench = bench();
    bench.queues.lost(5);
    bench.push("yard", JOINED);
    assert_eq!(bench.next().unwrap().num_dropped, 5);
}

#[test]
fn an_outcome_of_what_is_not_under_way_changes_nothing() {
    let mut bench = bench();
    bench.queues.settle(&"yard".into(), Outcome::Delivered, bench.now);
    bench.push("yard", JOINED);
    let attempt = bench.next().unwrap();
    bench.settle(&attempt, Outcome::Delivered);
    bench.settle(&attempt, Outcome::Delivered);
    assert_eq!(bench.queues.waiting(), 0);
}

#[test]
fn giving_everything_up_counts_everything() {
    let mut bench = bench();
    for room in ["a", "b", "b", "c"] {
        bench.push(room, JOINED);
    }
    let _under_way = bench.next().unwrap();
    bench.queues.clear();
    assert_eq!((bench.queues.waiting(), bench.dropped(Undelivered::Shutdown)), (0, 4));
}

/// Whatever receivers do: what was made is delivered once, in the order of its room, or dropped, and what the receiver
/// is told adds up.
fn chance(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let limits = Limits { parallel_max: 3, depth_max: 8, bytes_max: 20_000, ..Limits::default() };
    let mut bench = Bench::new(limits);
    let (mut under_way, mut seen, mut told) = (Vec::new(), HashSet::new(), 0_u64);
    let mut last = HashMap::<Arc<str>, u32>::new();
    let mut is_down = false;
    for _ in 0..2_000 {
        match random.u8(0..10) {
            0..=3 => {
                let kind = if random.bool() { JOINED } else { PUBLISHED };
                bench.push(&random.u8(0..6).to_string(), kind);
            }
            4..=5 => under_way.extend(bench.next()),
            6 => bench.now += SECOND.mul_f64(random.f64() * 3.0),
            7 => is_down ^= random.u8(0..8) == 0,
            _ if under_way.is_empty() => {}
            _ => {
                let attempt: Attempt = under_way.swap_remove(random.usize(..under_way.len()));
                let outcome = if is_down { Outcome::Failed } else { Outcome::Delivered };
                bench.settle(&attempt, outcome);
                if outcome == Outcome::Delivered {
                    let number = number(&attempt);
                    assert!(seen.insert(number), "seed {seed}: {number} came twice");
                    let before = last.insert(Arc::clone(&attempt.room), number);
                    assert!(before.is_none_or(|before| before < number), "seed {seed}: out of order");
                    told += u64::from(attempt.num_dropped);
                }
            }
        }
        let accounted = seen.len() as u64 + bench.all_dropped() + bench.queues.waiting() as u64;
        assert_eq!(accounted, u64::from(bench.made), "seed {seed}");
        assert!(under_way.len() <= limits.parallel_max && bench.queues.bytes <= limits.bytes_max);
    }
    let carried: u64 = under_way.iter().map(|attempt| u64::from(attempt.num_dropped)).sum();
    assert_eq!(told + carried + u64::from(bench.queues.untold), bench.all_dropped(), "seed {seed}");
}

#[test]
fn whatever_receivers_do_nothing_comes_twice_or_out_of_order_and_all_is_accounted_for() {
    (0..200).for_each(chance);
}
