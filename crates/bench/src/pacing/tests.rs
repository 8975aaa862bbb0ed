//! No drift, no dependence on the sender, and what a stall looks like.

use super::*;

fn plan(rate: &str, tracks: u32, publishers: u32) -> Plan {
    Plan {
        rate: rate.parse().unwrap(),
        tracks,
        publishers,
        warm_up: Duration::ZERO,
        duration: Duration::from_secs(1),
        ..Plan::default()
    }
}

fn all(mut pacer: Pacer) -> Vec<Due> {
    std::iter::from_fn(|| pacer.next_wake().and_then(|at| pacer.poll(at))).collect()
}

#[test]
fn a_million_frames_do_not_drift() {
    for rate in ["29.97Hz", "13.001Hz", "999.999Hz", "7kHz"] {
        let mut plan = plan(rate, 1, 1);
        plan.duration = Duration::from_secs_f64(1_000_001.0 / plan.rate.hertz());
        let frames = all(Pacer::new(&plan, 0, 1).unwrap());
        assert!(frames.len() > 1_000_000, "{rate}");
        let millionth = frames[1_000_000].intended - frames[0].intended;
        let exact = 1_000_000_u128 * 1_000_000_000_000 / u128::from(plan.rate.millihertz());
        assert_eq!(millionth.as_nanos(), exact, "{rate}");
        let gaps = frames.windows(2).map(|pair| (pair[1].intended - pair[0].intended).as_nanos());
        let period = 1_000_000_000_000 / u128::from(plan.rate.millihertz());
        assert!(gaps.into_iter().all(|gap| gap == period || gap == period + 1), "{rate}");
    }
}

#[test]
fn phases_spread_over_the_period_and_are_the_seeds() {
    let plan = plan("10Hz", 5, 2);
    let both: Vec<_> = (0..2).flat_map(|publisher| all(Pacer::new(&plan, publisher, 3).unwrap())).collect();
    let mut first: Vec<_> = both.iter().filter(|due| due.number == 0).collect();
    first.sort_by_key(|due| due.intended);
    let phases: Vec<_> = first.iter().map(|due| due.intended.as_millis()).collect();
    assert_eq!(phases, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    let again: Vec<_> = (0..2).flat_map(|publisher| all(Pacer::new(&plan, publisher, 3).unwrap())).collect();
    assert_eq!(both, again, "the same seed has the same phases");
    let other: Vec<_> = (0..2).flat_map(|publisher| all(Pacer::new(&plan, publisher, 4).unwrap())).collect();
    assert_ne!(both, other, "another seed has others");
    let order: Vec<_> = first.iter().map(|due| due.track).collect();
    assert!(!order.is_sorted(), "one publisher's tracks are not all before the other's: {order:?}");
}

#[test]
fn frames_come_out_in_order_and_each_once() {
    for (rate, tracks) in [("0.3Hz", 7), ("29.97Hz", 13), ("100kHz", 3)] {
        let mut plan = plan(rate, tracks, 1);
        plan.duration = Duration::from_secs_f64(50.0 / plan.rate.hertz()).max(Duration::from_millis(100));
        let frames = all(Pacer::new(&plan, 0, 9).unwrap());
        assert!(frames.is_sorted_by_key(|due| due.intended), "{rate}");
        assert_eq!(frames.len() as u64, plan.window().end * u64::from(tracks), "{rate}");
        for track in 0..tracks {
            let numbers = frames.iter().filter(|due| due.track == track).map(|due| due.number);
            assert!(numbers.eq(0..plan.window().end), "{rate}");
        }
    }
}

#[test]
fn nothing_is_given_before_it_is_due_and_all_that_is_behind_at_once() {
    let mut pacer = Pacer::new(&plan("100Hz", 1, 1), 0, 1).unwrap();
    assert!(pacer.poll(Duration::ZERO).is_some());
    assert_eq!(pacer.poll(Duration::from_millis(9)), None);
    let late = Duration::from_millis(55);
    assert_eq!(pacer.behind(late), 5);
    let intended: Vec<_> =
        std::iter::from_fn(|| pacer.poll(late)).map(|due| due.intended.as_millis()).collect();
    assert_eq!(intended, [10, 20, 30, 40, 50], "the moments they were meant for");
    assert_eq!(pacer.behind(late), 0);
    assert_eq!(pacer.lateness().max(), Some(Duration::from_millis(45)));
}

#[test]
fn the_warm_up_is_sent_and_not_judged() {
    let plan = Plan { warm_up: Duration::from_millis(500), ..plan("100Hz", 1, 1) };
    let mut pacer = Pacer::new(&plan, 0, 1).unwrap();
    while pacer.next_wake().is_some_and(|at| at < plan.warm_up) {
        pacer.poll(Duration::from_millis(499));
    }
    assert_eq!(pacer.lateness().count(), 0);
    assert_eq!(all(pacer).len(), 100);
}

/// Sends on a path that takes 1 ms for each frame and stands still from 5.0 to 5.5 s.
///
/// What comes back is latency as it is measured here, and as somebody measures who takes the time when
/// the path took the frame.
fn stalled_sender() -> (Latency, Latency) {
    let mut plan = plan("100Hz", 1, 1);
    plan.duration = Duration::from_secs(10);
    let mut pacer = Pacer::new(&plan, 0, 1).unwrap();
    let (mut from_intended, mut from_sent) = (Latency::new(), Latency::new());
    let mut now = Duration::ZERO;
    let stall = Duration::from_secs(5)..Duration::from_millis(5_500);
    while let Some(at) = pacer.next_wake() {
        now = now.max(at);
        let due = pacer.poll(now).unwrap();
        let sent = if stall.contains(&now) { stall.end } else { now };
        now = sent + Duration::from_millis(1);
        from_intended.record(now - due.intended);
        from_sent.record(now - sent);
    }
    (from_intended, from_sent)
}

#[test]
fn a_stall_shows_in_the_percentiles_and_not_only_once() {
    let (ours, naive) = stalled_sender();
    assert_eq!((ours.count(), naive.count()), (1_000, 1_000));
    let ms = |latency: &Latency, share| latency.quantile(share).unwrap().as_secs_f64() * 1e3;
    assert!(ms(&naive, 0.99) < 1.1, "omitted: {}", ms(&naive, 0.99));
    assert!(ms(&ours, 0.99) > 350.0, "half a second of a hundred: {}", ms(&ours, 0.99));
    assert!((ms(&ours, 0.5) - 1.0).abs() < 0.1);
    assert_eq!(ours.max(), Some(Duration::from_millis(501)));
}
