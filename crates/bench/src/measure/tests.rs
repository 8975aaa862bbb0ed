//! The accounts add up, whatever happens on the way.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::payload::{ClockOffset, PayloadError, Payloads, Stamp};
use crate::plan::Plan;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Two publishers of two tracks, two subscribers; frames 10 to 29 of each track count.
fn plan() -> Plan {
    Plan { tracks: 2, publishers: 2, subscribers: 2, duration: ms(200), warm_up: ms(100), ..Plan::default() }
}

fn stamp(track: u32, number: u64) -> Stamp {
    Stamp { track, number, intended: ms(number.saturating_mul(10)) }
}

fn senders(plan: &Plan) -> Vec<SendMeter> {
    (0..plan.publishers).map(|publisher| SendMeter::new(plan, publisher).unwrap()).collect()
}

fn subscriber(plan: &Plan) -> SubscriberMeter {
    SubscriberMeter::new(plan, ClockOffset::default()).unwrap()
}

/// Sends every frame, warm-up too, and gives it to every subscriber 3 ms after its moment.
fn whole_run(plan: &Plan) -> (Vec<SendMeter>, Vec<SubscriberMeter>) {
    let (mut senders, mut subscribers) = (senders(plan), vec![subscriber(plan); plan.subscribers as usize]);
    for number in 0..plan.window().end {
        for track in 0..plan.track_count() {
            senders[(track / plan.tracks) as usize].sent(track, number);
            let stamp = stamp(track, number);
            for subscriber in &mut subscribers {
                subscriber.record(&Ok(stamp), plan.frame_bytes, stamp.intended + ms(3));
            }
        }
    }
    (senders, subscribers)
}

#[test]
fn a_whole_run_delivers_everything() {
    let plan = plan();
    let (senders, subscribers) = whole_run(&plan);
    let outcome = Outcome::tally(&plan, &senders, &subscribers);
    assert_eq!(outcome.sending, Sending { due: 80, sent: 80, refused: 0, unsent: 0 });
    let expected =
        Delivery { due: 160, sent: 160, received: 160, received_bytes: 160_000, ..Delivery::default() };
    assert_eq!(outcome.delivery, expected);
    assert_eq!(outcome.delivery.share(), 1.0);
    assert_eq!(outcome.subscribers[1].strays, Strays { warm_up: 40, ..Strays::default() });
    assert_eq!((outcome.latency.count(), outcome.latency.quantile(0.5)), (160, Some(ms(3))));
    assert_eq!(outcome.fairness, Some(Fairness { min: 1.0, max: 1.0, jain: 1.0 }));
}

#[test]
fn each_kind_of_arrival_has_its_counter() {
    let plan = plan();
    let mut meter = subscriber(&plan);
    let payloads = Payloads::new(1);
    let at = ms(1_000);
    assert_eq!(meter.record(&Ok(stamp(0, 12)), 10, ms(125)), Arrival::Received(Some(ms(5))));
    assert_eq!(meter.record(&Ok(stamp(0, 11)), 10, at), Arrival::Received(Some(ms(890))));
    assert_eq!(meter.record(&Ok(stamp(0, 12)), 10, at), Arrival::Duplicate);
    assert_eq!(meter.record(&Ok(stamp(0, 9)), 10, at), Arrival::WarmUp);
    assert_eq!(meter.record(&Ok(stamp(0, 30)), 10, at), Arrival::Stray);
    assert_eq!(meter.record(&Ok(stamp(4, 12)), 10, at), Arrival::Stray);
    assert_eq!(meter.record(&Ok(stamp(0, u64::MAX)), 10, at), Arrival::Stray);
    assert_eq!(meter.record(&Ok(stamp(1, 20)), 10, ms(199)), Arrival::Received(None));
    assert_eq!(meter.record(&payloads.read(b"foreign"), 7, at), Arrival::Stray);
    assert_eq!(meter.record(&Err(PayloadError::Header), 50, at), Arrival::Stray);
    let cut = PayloadError::Length { stamp: stamp(1, 21), bytes: 90, expected: 100 };
    assert_eq!(meter.record(&Err(cut), 90, at), Arrival::Corrupt);
    let spoilt = PayloadError::Content { stamp: stamp(1, 2), wrong_bytes: 5 };
    assert_eq!(meter.record(&Err(spoilt), 100, at), Arrival::Corrupt);
    assert_eq!(meter.intact_count(), 4, "three that count, one of the warm-up");
    let strays = Strays { warm_up: 2, foreign: 1, header: 1, unknown: 3, clock: 1 };
    assert_eq!((meter.strays(), meter.received_count()), (strays, 3));
    let mut senders = senders(&plan);
    senders[0].sent(0, 11);
    senders[0].sent(1, 20);
    senders[0].sent(1, 21);
    senders[0].sent(3, 12);
    let delivery = Outcome::tally(&plan, &senders, &[meter]).delivery;
    let expected = Delivery {
        due: 80,
        sent: 3,
        received: 2,
        received_bytes: 30,
        missing: 1,
        unexpected: 1,
        duplicates: 1,
        out_of_order: 1,
        corrupt: 1,
        wrong_bytes: 10,
    };
    assert_eq!(delivery, expected);
}

#[test]
fn a_starved_track_shows_in_the_fairness() {
    let plan = Plan { publishers: 1, subscribers: 1, ..plan() };
    let (senders, _) = whole_run(&plan);
    let mut meter = subscriber(&plan);
    for number in plan.window() {
        meter.record(&Ok(stamp(0, number)), 100, ms(1_000));
        if number % 2 == 0 {
            meter.record(&Ok(stamp(1, number)), 100, ms(1_000));
        }
    }
    let outcome = Outcome::tally(&plan, &senders, &[meter]);
    assert_eq!(outcome.track_shares, [1.0, 0.5]);
    let fairness = outcome.fairness.unwrap();
    assert_eq!((fairness.min, fairness.max), (0.5, 1.0));
    assert!((fairness.jain - 0.9).abs() < 1e-9, "1.5² / (2 · 1.25)");
    assert_eq!(Fairness::of(&[0.0, 0.0]), None);
    assert_eq!(Fairness::of(&[]), None);
    assert_eq!(Fairness::of(&[1.0, 0.0, 0.0, 0.0]).unwrap().jain, 0.25);
}

#[test]
fn percentiles_are_true_to_three_digits_and_memory_is_bounded() {
    let mut latency = Latency::new();
    assert_eq!((latency.quantile(0.5), latency.mean(), latency.max()), (None, None, None));
    (1..=100_000).for_each(|micros| latency.record(Duration::from_micros(micros)));
    for share in [0.5, 0.9, 0.99, 0.999] {
        let got = latency.quantile(share).unwrap().as_secs_f64();
        assert!((got / (share * 0.1) - 1.0).abs() < 0.001, "{share}: {got}");
    }
    assert_eq!(latency.mean(), Some(Duration::from_nanos(50_000_500)));
    latency.record(Duration::from_nanos(1));
    latency.record(Duration::MAX);
    assert_eq!((latency.clamped(), latency.count()), (1, 100_002));
    assert!(latency.quantile(1.0).unwrap() <= LATENCY_MAX + Duration::from_secs(1));
    let mut both = Latency::new();
    both.merge(&latency);
    both.merge(&latency);
    assert_eq!((both.count(), both.clamped()), (200_004, 2));
    assert_eq!(both.quantile(0.5), latency.quantile(0.5));
    let curve = latency.curve();
    assert!(curve.is_sorted_by(|a, b| a.0 <= b.0 && a.1 <= b.1));
    assert_eq!(curve.last().unwrap().0, 1.0);
}

#[test]
fn intervals_begin_anew_and_say_what_happened() {
    let mut meter = IntervalMeter::new(Duration::ZERO);
    (0..10).for_each(|_| meter.sent());
    meter.refused();
    (0..9).for_each(|_| meter.arrived(Arrival::Received(Some(ms(4))), 1_000));
    meter.arrived(Arrival::WarmUp, 1_000);
    meter.arrived(Arrival::Duplicate, 1_000);
    let first = meter.take(ms(1_000));
    assert_eq!((first.sent, first.refused, first.received, first.received_bytes), (10, 1, 10, 10_000));
    assert_eq!((first.received_per_s(), first.received_bits_per_s()), (10.0, 80_000.0));
    assert_eq!(
        first.to_string(),
        "   1.0 s  sent      10  received       10      0.08 Mbit/s  p50 4.00  p99 4.00  max 4.00 ms  refused 1"
    );
    let second = meter.take(ms(1_000));
    assert_eq!((second.begin, second.received, second.p50), (ms(1_000), 0, None));
    assert_eq!(second.received_per_s(), 0.0, "an interval of no length has no rate");
    let mut series = Series::default();
    (0..SERIES_MAX + 5).for_each(|_| series.push(first));
    assert_eq!((series.iter().count(), series.dropped()), (SERIES_MAX, 5));
}

/// What happens to one frame at the publisher and on its way to one subscriber.
#[derive(Debug, Clone, Copy)]
struct Fate {
    track: u32,
    number: u64,
    sending: u8,
    arrivals: u8,
    spoilt: bool,
    delay_ms: u64,
}

fn fate() -> impl Strategy<Value = Fate> {
    (0..6u32, 0..35u64, 0..3u8, 0..3u8, any::<bool>(), 0..400u64).prop_map(
        |(track, number, sending, arrivals, spoilt, delay_ms)| Fate {
            track,
            number,
            sending,
            arrivals,
            spoilt,
            delay_ms,
        },
    )
}

fn arrive(meter: &mut SubscriberMeter, fate: &Fate) -> u64 {
    let stamp = stamp(fate.track, fate.number);
    let read = if fate.spoilt { Err(PayloadError::Content { stamp, wrong_bytes: 2 }) } else { Ok(stamp) };
    for _ in 0..fate.arrivals {
        meter.record(&read, 100, ms(fate.delay_ms));
    }
    u64::from(fate.arrivals)
}

proptest! {
    #[test]
    fn every_frame_is_in_exactly_one_place(fates in proptest::collection::vec(fate(), 0..300)) {
        let plan = plan();
        let (mut senders, mut meters) = (senders(&plan), vec![subscriber(&plan); 2]);
        let (mut decided, mut arrivals) = (std::collections::HashSet::new(), [0; 2]);
        for (index, fate) in fates.iter().enumerate() {
            if fate.track < 4 && decided.insert((fate.track, fate.number)) {
                let sender = &mut senders[(fate.track / 2) as usize];
                match fate.sending {
                    0 => sender.sent(fate.track, fate.number),
                    1 => sender.refused(fate.track, fate.number),
                    _ => {}
                }
            }
            arrivals[index % 2] += arrive(&mut meters[index % 2], fate);
        }
        let outcome = Outcome::tally(&plan, &senders, &meters);
        let Sending { due, sent, refused, unsent } = outcome.sending;
        prop_assert_eq!(due, sent + refused + unsent);
        for (subscriber, arrived) in outcome.subscribers.iter().zip(arrivals) {
            let delivery = subscriber.delivery;
            let strays = subscriber.strays;
            prop_assert_eq!(delivery.sent, delivery.received + delivery.missing);
            prop_assert_eq!(delivery.sent, sent);
            let outside = strays.warm_up + strays.foreign + strays.header + strays.unknown;
            let inside = delivery.received + delivery.unexpected + delivery.duplicates + delivery.corrupt;
            prop_assert_eq!(arrived, inside + outside);
            let timed = subscriber.latency.count() + strays.clock;
            prop_assert_eq!(timed, delivery.received + delivery.unexpected);
            prop_assert_eq!(delivery.wrong_bytes, delivery.corrupt * 2);
        }
        prop_assert_eq!(outcome.delivery, outcome.subscribers.iter().map(|one| one.delivery).sum());
    }
}
