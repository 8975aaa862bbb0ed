//! Workers that get more than they can carry: what arrives is young, whole, and of everyone.

mod stage;

use std::time::Duration;

use trackyard_sim::client::ClientEvent;

use crate::figures::figure;
use crate::support::seat;
use stage::{Part, Stage};

/// From a frame's being pushed to its last packet's being read by the subscriber, over perfect links. Lanes begin no frame that
/// came to the machine more than 100 ms ago. On top comes what its worker does at that moment: the batch of 32 datagrams
/// that it is at, each of which may be read, acknowledged and written to eight, is 80 ms.
const AGE_MAX: Duration = Duration::from_millis(180);

/// Of 8,000 steps a second that two workers can do, a room of these takes 600 and more: a frame is read, acknowledged,
/// written to each subscriber, and each acknowledges it; some cross to the other worker. With three participants to a room,
/// every other publisher is on the same worker.
const ORDINARY: Part = Part { rate_hz: 100, bytes: 600, subscribers: 2 };

#[test]
fn what_workers_can_carry_arrives_young() {
    let mut stage = Stage::new(&[ORDINARY; 4]);
    stage.run(4);
    let shares = stage.shares();
    assert!(shares.iter().all(|share| *share > 0.99), "{shares:?}");
    let age = stage.age_permille(0..4, 1_000);
    assert!(age < Duration::from_millis(50), "{age:?}");
    assert_eq!(stage.refused(), [0; 2], "nobody is held to anything");
    stage.check_accounts();
}

#[test]
fn with_twice_what_workers_can_carry_frames_stay_young_and_whole_and_everyone_has_some() {
    let mut stage = Stage::new(&[Part { rate_hz: 650, ..ORDINARY }; 4]);
    stage.run(5);
    let shares = stage.shares();
    let ages = [500, 990, 1_000].map(|permille| stage.age_permille(0..4, permille));
    figure("overload, message level: shares of four rooms", format!("{shares:.2?}"));
    figure("overload, message level: p50, p99 and greatest age", format!("{ages:?}"));
    assert!(shares.iter().sum::<f64>() < 3.0, "it is no overload: {shares:?}");
    assert!(ages[2] <= AGE_MAX && ages[0] < AGE_MAX / 3, "{ages:?}");
    let [least, most] = extremes(&shares);
    assert!(least > 0.1 && least > most / 2.0, "{shares:?}");
    stage.check_accounts();
    let mut without = Stage::without_shares(&[Part { rate_hz: 650, ..ORDINARY }; 4]);
    without.run(5);
    let shares_without = without.shares();
    figure("overload, message level: the same where nobody has a share", format!("{shares_without:.2?}"));
    let [least_without, _] = extremes(&shares_without);
    assert!(least > least_without * 3.0, "it is worth it: {shares_without:?}");
}

#[test]
fn small_and_large_frames_and_few_and_many_subscribers_share_fairly() {
    let parts = [
        Part { rate_hz: 400, bytes: 600, subscribers: 1 },
        Part { rate_hz: 400, bytes: 600, subscribers: 8 },
        Part { rate_hz: 25, bytes: 16 * 1_150, subscribers: 1 },
        Part { rate_hz: 25, bytes: 16 * 1_150, subscribers: 4 },
    ];
    let mut stage = Stage::new(&parts);
    stage.run(6);
    let shares = stage.shares();
    let ages = [500, 990, 1_000].map(|permille| stage.age_permille(0..4, permille));
    figure("overload, message level: shares of small to 1 and 8, large to 1 and 4", format!("{shares:.2?}"));
    figure("overload, message level: p50, p99 and greatest age of these", format!("{ages:?}"));
    assert!(ages[2] <= AGE_MAX, "{ages:?}");
    let [least, most] = extremes(&shares);
    assert!(most < 0.9, "it is no overload: {shares:?}");
    assert!(least > 0.1 && least > most / 2.5, "{shares:?}");
    stage.check_accounts();
}

#[test]
fn who_sends_ten_times_as_much_takes_nothing_from_the_others() {
    let greedy = Part { rate_hz: 1_000, ..ORDINARY };
    let parts = [ORDINARY, ORDINARY, greedy, ORDINARY];
    let mut stage = Stage::new(&parts);
    stage.run(1);
    stage.forget();
    stage.run(4);
    let mut without = Stage::without_shares(&parts);
    without.run(5);
    let shares_without = without.shares();
    assert!(
        shares_without[0] < 0.8 || shares_without[3] < 0.8,
        "it would, without shares: {shares_without:?}"
    );
    let shares = stage.shares();
    let ages = [500, 990, 1_000].map(|permille| stage.age_permille(0..4, permille));
    figure(
        "overload, message level: shares beside a publisher of ten times as much",
        format!("{shares:.2?}"),
    );
    figure("overload, message level: p50, p99 and greatest age beside it", format!("{ages:?}"));
    for modest in [0, 1, 3] {
        assert!(shares[modest] > 0.9, "{shares:?}");
    }
    assert!(shares[2] > 0.1, "it has its share: {shares:?}");
    assert!(ages[2] <= AGE_MAX, "{ages:?}");
    assert!(stage.refused()[0] > 0, "frames are refused whole");
    stage.check_accounts();
}

#[test]
fn who_floods_for_nobody_takes_nothing_from_the_others() {
    let flood = Part { rate_hz: 5_000, bytes: 100, subscribers: 0 };
    let parts = [ORDINARY, ORDINARY, flood, ORDINARY];
    let mut without = Stage::without_shares(&parts);
    without.run(4);
    let shares_without = without.shares();
    assert!(
        shares_without[1] < 0.8 || shares_without[3] < 0.8,
        "it would, without shares: {shares_without:?}"
    );
    let mut stage = Stage::new(&parts);
    stage.run(1);
    stage.forget();
    stage.run(3);
    let shares = stage.shares();
    let ages = [500, 990, 1_000].map(|permille| stage.age_permille(0..4, permille));
    figure(
        "overload, message level: shares beside a publisher of fifty times as much",
        format!("{shares:.2?}"),
    );
    for modest in [0, 1, 3] {
        assert!(shares[modest] > 0.9, "{shares:?}");
    }
    assert!(ages[2] <= AGE_MAX, "{ages:?}");
    assert!(stage.refused()[1] > 0, "datagrams are left unread");
    stage.check_accounts();
}

#[test]
fn who_joins_while_workers_have_too_much_to_do_is_connected_and_answered_in_time() {
    let mut stage = Stage::new(&[Part { rate_hz: 650, ..ORDINARY }; 4]);
    stage.run(1);
    let mut late = seat("late", true);
    late.room = "room 0".to_owned();
    let late = stage.world.join(late);
    let mut open = 0;
    let connected = stage.time_until(Duration::from_secs(3), |world| {
        let events = world.events(late);
        open += events.iter().filter(|(_, event)| matches!(event, ClientEvent::ChannelOpen(..))).count();
        open == 3
    });
    let sid = stage.sid(0);
    stage.world.with(late, |client, _| client.subscribe(&sid));
    let answered = stage.time_until(Duration::from_secs(3), |world| {
        world.events(late).iter().any(|(_, event)| matches!(event, ClientEvent::Handle { .. }))
    });
    let served = stage.time_until(Duration::from_secs(3), |world| {
        world.events(late).iter().any(|(_, event)| matches!(event, ClientEvent::Frame(_)))
    });
    let times = format!("{connected:?}, {answered:?}, {served:?}");
    figure("overload, message level: a join, then a subscription, then a frame take", &times);
    assert!(connected < Duration::from_millis(500), "{times}");
    assert!(answered < Duration::from_millis(100), "{times}");
    assert!(served < Duration::from_millis(500), "{times}");
}

fn extremes(shares: &[f64]) -> [f64; 2] {
    [f64::min, f64::max].map(|pick| shares.iter().copied().reduce(pick).expect("a room"))
}
