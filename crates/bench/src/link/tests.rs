//! What is said of a path and what it does.

use super::*;

fn spec(text: &str) -> PathSpec {
    text.parse().unwrap()
}

#[test]
fn a_path_is_read_as_people_say_it() {
    let expected = PathSpec {
        up_bps: None,
        down_bps: Some(5_000_000),
        round_trip: Duration::from_millis(20),
        loss: 0.01,
        queue: Duration::from_secs(1),
    };
    assert_eq!(spec("down:5mbit/rtt:20ms/loss:1%/queue:1s"), expected);
    assert_eq!(spec("down=5Mbit/s, rtt=20ms, loss=1%, queue=1s"), expected);
    let both = spec("rate:5mbit");
    assert_eq!((both.up_bps, both.down_bps, both.queue), (Some(5_000_000), Some(5_000_000), QUEUE));
    assert_eq!(both.direction(Direction::Down).rate_bps, Some(5_000_000));
    assert_eq!(expected.direction(Direction::Up).rate_bps, None);
    assert_eq!(expected.direction(Direction::Up).delay, Duration::from_millis(10));
}

#[test]
fn what_is_wrong_with_a_path_is_said() {
    let refusal = |text: &str| text.parse::<PathSpec>().unwrap_err().to_string();
    assert_eq!(
        refusal("fast"),
        "`fast` is no part of a link; write it like rate:5mbit/rtt:20ms/loss:1%/queue:200ms"
    );
    assert!(refusal("").starts_with("`` is no part"));
    assert_eq!(refusal("rtt:20ms/rtt:30ms"), "`rtt` is said twice");
    assert_eq!(refusal("rate:1mbit/up:2mbit"), "`up` is said twice");
    assert_eq!(refusal("down:1mbit/rate:2mbit"), "`rate` is said twice");
    assert_eq!(refusal("loss:101%"), "loss: `101%` is out of range; from 0% to 100%");
    assert_eq!(refusal("rtt:1h"), "`rtt:1h` is out of range: rates 1kbit to 100gbit, times at most 10 s");
    assert!(refusal("rate:1bit").contains("out of range"));
}

#[test]
fn each_direction_has_its_own_rate_and_half_the_round_trip() {
    let start = Instant::now();
    let mut path = Path::new(&spec("down:8kbit/rtt:100ms/queue:5s"), 1);
    for n in 0..2 {
        path.link_mut(Direction::Up).send(972, ("up", n), start);
        path.link_mut(Direction::Down).send(972, ("down", n), start);
    }
    let mut arrived = Vec::new();
    while let Some(at) = path.next_wake() {
        assert_eq!(path.poll(at - Duration::from_nanos(1)), None);
        let (direction, (name, n)) = path.poll(at).unwrap();
        assert_eq!(direction == Direction::Up, name == "up");
        arrived.push(((at - start).as_millis(), name, n));
    }
    assert_eq!(arrived, [(50, "up", 0), (50, "up", 1), (1_050, "down", 0), (2_050, "down", 1)]);
}

#[test]
fn directions_lose_different_datagrams_of_the_same_share() {
    for seed in [0, 1, 99] {
        let now = Instant::now();
        let mut path = Path::new(&spec("loss:10%"), seed);
        let mut fates = [Vec::new(), Vec::new()];
        for n in 0..20_000 {
            fates[0].push(path.link_mut(Direction::Up).send(100, n, now) == Verdict::Lost);
            fates[1].push(path.link_mut(Direction::Down).send(100, n, now) == Verdict::Lost);
        }
        for fate in &fates {
            let share = fate.iter().filter(|lost| **lost).count() as f64 / 20_000.0;
            assert!((0.09..0.11).contains(&share), "seed {seed}: {share}");
        }
        assert_ne!(fates[0], fates[1], "seed {seed}");
        assert_eq!(path.link(Direction::Up).stats().overflowed, 0);
    }
}
