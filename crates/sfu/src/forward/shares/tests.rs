//! Shares over many windows.

use super::*;

const MS: Duration = Duration::from_millis(1);
const BEHIND: Duration = Duration::from_millis(30);

/// Any fixed origin will do.
#[allow(clippy::disallowed_methods)]
fn origin() -> Instant {
    Instant::now()
}

struct Bench {
    shares: Shares,
    publishers: IdMap<PeerId, Share>,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        Self { shares: Shares::new(BEHIND), publishers: IdMap::default(), now: origin() }
    }

    fn ask(&mut self, from: u64, is_start: bool) -> bool {
        let ask = Ask { is_start, units: 1, now: self.now };
        let share = self.publishers.entry(PeerId(from)).or_default();
        self.shares.admits(PeerId(from), share, ask)
    }

    /// Windows in which each publisher sends so many packets a window, and inputs wait for so long; answers what was let in
    /// of each.
    fn windows(&mut self, count: u32, wait: Duration, sends: &[u32]) -> Vec<u32> {
        let mut admitted = vec![0; sends.len()];
        for millis in 0..count * 100 {
            let tick = self.now;
            self.shares.note_wait(tick.checked_sub(wait).unwrap_or(tick), tick);
            for (at, rate) in sends.iter().enumerate() {
                let elapsed = millis % 100;
                let sent = elapsed * rate / 100 != (elapsed + 1) * rate / 100;
                admitted[at] += u32::from(sent && self.ask(at as u64, true));
            }
            self.now += MS;
            if self.shares.is_due(self.now) {
                self.shares.turn(self.now, |id| self.publishers.get(&id));
            }
        }
        admitted
    }
}

#[test]
fn without_a_backlog_everything_passes() {
    let mut bench = Bench::new();
    assert_eq!(bench.windows(10, Duration::ZERO, &[100, 3]), [1_000, 30]);
    assert!(!bench.shares.are_on());
}

#[test]
fn who_sends_most_is_held_back_and_who_sends_little_is_not() {
    let mut bench = Bench::new();
    bench.windows(10, BEHIND, &[100, 3]);
    let [greedy, modest] = bench.windows(2, BEHIND, &[100, 3])[..] else { panic!("two") };
    assert_eq!(modest, 6);
    assert!((20..120).contains(&greedy), "{greedy} of 200");
}

#[test]
fn a_frame_that_has_begun_goes_on() {
    let mut bench = Bench::new();
    bench.windows(20, WAIT_MAX, &[100]);
    // Of what is left now.
    while bench.ask(0, true) {}
    assert!(bench.ask(0, false));
    assert!(!bench.ask(0, true));
}

#[test]
fn guests_are_held_to_the_same_and_forgotten() {
    let mut bench = Bench::new();
    bench.windows(5, WAIT_MAX, &[100]);
    let ask = Ask { is_start: true, units: 1, now: bench.now };
    let admitted = (0..1_000).filter(|_| bench.shares.admits_guest(PeerId(77), ask)).count();
    assert!((1..300).contains(&admitted), "{admitted}");
    bench.windows(2, Duration::ZERO, &[1]);
    assert!(bench.shares.guests.is_empty());
}

#[test]
fn datagrams_are_left_unread_in_a_row_but_not_answers() {
    let (mut share, now) = (Share::default(), origin());
    let read = |share: &mut Share, at| (0..1_000).filter(|_| share.reads(100.0, at)).count();
    assert_eq!(read(&mut share, now), 64, "enough to connect");
    assert_eq!(read(&mut share, now + 100 * MS), 0, "too little for a while");
    share.earn(30);
    assert_eq!(read(&mut share, now + 100 * MS), 30);
    assert_eq!(read(&mut share, now + 200 * MS), 40);
}

#[test]
fn a_clock_that_is_set_counts_for_little() {
    let mut bench = Bench::new();
    bench.windows(1, Duration::from_secs(3_600), &[10]);
    assert!(!bench.shares.are_on(), "one window is not enough");
}

#[test]
fn without_a_limit_nobody_is_held_to_anything() {
    let mut bench = Bench { shares: Shares::new(Duration::ZERO), ..Bench::new() };
    assert_eq!(bench.windows(10, WAIT_MAX, &[100, 3]), [1_000, 30]);
    assert!(!bench.shares.are_on() && bench.shares.active.is_empty());
}
