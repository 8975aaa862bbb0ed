//! Rate, queue, loss and order of the emulated link.

use super::*;

fn drain(link: &mut Link<u32>) -> Vec<(Instant, u32)> {
    let mut arrived = Vec::new();
    while let Some(at) = link.poll_timeout() {
        arrived.extend(link.poll(at).map(|item| (at, item)));
    }
    arrived
}

#[test]
fn a_rate_spaces_datagrams_and_a_delay_shifts_them() {
    let start = Instant::now();
    let config =
        LinkConfig { rate_bps: Some(8_000), delay: Duration::from_millis(50), ..LinkConfig::default() };
    let mut link = Link::new(LinkConfig { queue: Duration::from_secs(5), ..config }, 1);
    (0..3).for_each(|n| {
        link.send(1_000 - OVERHEAD_BYTES, n, start);
    });
    let arrived: Vec<_> = drain(&mut link).iter().map(|(at, n)| ((*at - start).as_millis(), *n)).collect();
    assert_eq!(arrived, [(1_050, 0), (2_050, 1), (3_050, 2)]);
}

#[test]
fn a_full_queue_drops_the_newest() {
    let start = Instant::now();
    let config =
        LinkConfig { rate_bps: Some(8_000), queue: Duration::from_millis(1_500), ..LinkConfig::default() };
    let mut link = Link::new(config, 1);
    (0..10).for_each(|n| {
        link.send(1_000 - OVERHEAD_BYTES, n, start);
    });
    assert_eq!(drain(&mut link).len(), 2);
    assert_eq!(link.stats().overflowed, 8);
}

#[test]
fn a_detour_lets_later_datagrams_overtake() {
    let start = Instant::now();
    let config = LinkConfig { detours: 0.5, ..LinkConfig::default() };
    let mut link = Link::new(config, 7);
    for n in 0..1_000 {
        link.send(100, n, start + Duration::from_millis(u64::from(n)));
    }
    let arrived: Vec<_> = drain(&mut link).into_iter().map(|(_, n)| n).collect();
    assert_eq!(arrived.len(), 1_000);
    assert!(!arrived.is_sorted(), "none was overtaken");
}

#[test]
fn loss_and_outage_are_counted() {
    let start = Instant::now();
    let mut link = Link::new(LinkConfig { loss: 0.25, ..LinkConfig::default() }, 7);
    for n in 0..10_000 {
        link.send(100, n, start);
    }
    let share = link.stats().lost as f64 / 10_000.0;
    assert!((0.23..0.27).contains(&share), "{share}");
    link.set_up(false);
    link.send(100, 0, start);
    assert_eq!(link.stats().outage, 1);
}

#[test]
fn a_verdict_names_the_moment_of_arrival() {
    let start = Instant::now();
    let config = LinkConfig { rate_bps: Some(8_000), queue: Duration::ZERO, ..LinkConfig::default() };
    let mut link = Link::new(config, 1);
    assert_eq!(link.send(972, 0, start), Verdict::Carried(start + Duration::from_secs(1)));
    assert_eq!(link.send(972, 1, start), Verdict::Overflowed);
    assert_eq!(link.poll(start + Duration::from_millis(999)), None);
    assert_eq!(link.poll(start + Duration::from_secs(1)), Some(0));
    link.set_up(false);
    assert_eq!(link.send(972, 2, start + Duration::from_secs(1)), Verdict::Outage);
}

#[test]
fn an_unlimited_rate_holds_a_bounded_number_of_items() {
    let start = Instant::now();
    let config = LinkConfig { delay: Duration::from_secs(1), ..LinkConfig::default() };
    let mut link = Link::new(config, 1);
    for n in 0..ITEMS_MAX as u32 + 10 {
        link.send(100, n, start);
    }
    assert_eq!((link.in_flight(), link.stats().overflowed), (ITEMS_MAX, 10));
    assert_eq!(drain(&mut link).len(), ITEMS_MAX);
}

/// Offers `offered_bps` in datagrams of 1,200 bytes for ten seconds and counts what arrives.
fn offer(config: LinkConfig, offered_bps: f64, seed: u64) -> (LinkStats, Vec<(Instant, u32)>, Instant) {
    let start = Instant::now();
    let gap = Duration::from_secs_f64(f64::from(1_200 * 8) / offered_bps);
    let mut link = Link::new(config, seed);
    let mut number = 0;
    while gap * number < Duration::from_secs(10) {
        link.send(1_200, number, start + gap * number);
        number += 1;
    }
    (link.stats(), drain(&mut link), start)
}

#[test]
fn what_arrives_is_the_rate_and_waits_no_longer_than_the_queue() {
    for seed in 0..8 {
        let config = LinkConfig {
            rate_bps: Some(5_000_000),
            delay: Duration::from_millis(10),
            ..LinkConfig::default()
        };
        let (stats, arrived, start) = offer(config, 20e6, seed);
        let lasted = arrived.last().unwrap().0 - start;
        let rate = stats.carried_bytes as f64 * 8.0 / lasted.as_secs_f64();
        assert!((4.9e6..5.1e6).contains(&rate), "seed {seed}: {rate}");
        let gap = Duration::from_secs_f64(1_200.0 * 8.0 / 20e6);
        let longest = arrived.iter().map(|(at, n)| *at - (start + gap * *n)).max().unwrap();
        assert!(longest <= Duration::from_millis(213), "seed {seed}: {longest:?}");
        assert!(longest >= Duration::from_millis(205), "seed {seed}: the queue was never full: {longest:?}");
    }
}

#[test]
fn loss_is_a_share_and_the_same_seed_has_the_same_fate() {
    for (seed, loss) in [(1, 0.01), (2, 0.03), (3, 0.2)] {
        let config = LinkConfig { loss, ..LinkConfig::default() };
        let (stats, arrived, _) = offer(config, 50e6, seed);
        let share = stats.lost as f64 / (stats.lost + stats.carried) as f64;
        assert!((share - loss).abs() < loss * 0.1 + 0.001, "seed {seed}: {share}");
        let again: Vec<_> = offer(config, 50e6, seed).1.into_iter().map(|(_, n)| n).collect();
        assert_eq!(arrived.into_iter().map(|(_, n)| n).collect::<Vec<_>>(), again);
        assert_eq!(stats.carried as usize, again.len());
    }
}
