//! Order, turns, urgency, bounds, and what is written again.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

#[expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]
fn begin() -> Instant {
    Instant::now()
}

fn backlog() -> Backlog<u8, u32> {
    Backlog::new(1 << 20)
}

fn take(backlog: &mut Backlog<u8, u32>) -> Option<(u8, u32)> {
    let next = backlog.peek().map(|(flow, message)| (flow, *message))?;
    backlog.written(1_000);
    Some(next)
}

fn take_all(backlog: &mut Backlog<u8, u32>) -> Vec<(u8, u32)> {
    std::iter::from_fn(|| take(backlog)).collect()
}

#[test]
fn a_flow_keeps_its_order_and_flows_take_turns() {
    let now = begin();
    let mut backlog = backlog();
    for message in 0..100 {
        backlog.push(1, message, 10_000, now).unwrap();
    }
    backlog.push(2, 1_000, 10_000, now).unwrap();
    let order = take_all(&mut backlog);
    let at = order.iter().position(|(flow, _)| *flow == 2).unwrap();
    assert!(at <= 4, "the second flow waits for no more than a turn of the first: {at}");
    let first: Vec<u32> = order.iter().filter(|(flow, _)| *flow == 1).map(|(_, message)| *message).collect();
    assert_eq!(first, (0..100).collect::<Vec<_>>());
    assert!(backlog.is_empty());
    assert_eq!(backlog.bytes(), 0);
}

#[test]
fn what_is_urgent_comes_first() {
    let now = begin();
    let mut backlog = backlog();
    backlog.push(1, 1, 10, now).unwrap();
    assert_eq!(backlog.peek().map(|(_, message)| *message), Some(1));
    backlog.push_urgent(2, 2, 10, now).unwrap();
    backlog.push_urgent(1, 3, 10, now).unwrap();
    assert_eq!(take_all(&mut backlog), [(2, 2), (1, 3), (1, 1)]);
}

#[test]
fn what_the_channel_had_not_let_go_of_is_written_again() {
    let now = begin();
    let mut backlog = backlog();
    (0..4).for_each(|message| backlog.push(1, message, 10, now).unwrap());
    take(&mut backlog);
    take(&mut backlog);
    take(&mut backlog);
    // What a channel lets go of behind a gap is not there yet.
    backlog.released(1_500);
    backlog.replaced();
    assert_eq!(take_all(&mut backlog), [(1, 0), (1, 1), (1, 2), (1, 3)]);
    backlog.released(0);
    backlog.replaced();
    assert_eq!(take_all(&mut backlog), []);
    assert_eq!(backlog.bytes(), 0);
}

#[test]
fn what_is_kept_for_another_channel_is_bounded() {
    let now = begin();
    let mut backlog: Backlog<u8, u32> = Backlog::new(usize::MAX / 2);
    for message in 0..100 {
        backlog.push(1, message, 64_000, now).unwrap();
        backlog.peek().unwrap();
        backlog.written(64_000);
        backlog.released(1);
    }
    backlog.replaced();
    let again = take_all(&mut backlog);
    assert_eq!(again.last(), Some(&(1, 99)));
    assert!((30..40).contains(&again.len()), "2 MiB of them: {}", again.len());
}

#[test]
fn held_flows_wait_while_one_and_what_is_urgent_pass() {
    let now = begin();
    let mut backlog = backlog();
    (0..3).for_each(|flow| backlog.push(flow, u32::from(flow), 10, now).unwrap());
    backlog.push_urgent(2, 9, 10, now).unwrap();
    assert_eq!([0, 2, 7].map(|flow| backlog.flow_bytes(flow)), [10, 10, 0]);
    backlog.hold_all_but(1);
    assert_eq!(take_all(&mut backlog), [(2, 9), (1, 1)]);
    assert!(backlog.peek().is_none() && !backlog.is_empty());
    backlog.release();
    assert_eq!(take_all(&mut backlog).len(), 2);
    assert_eq!(backlog.flow_bytes(0), 0);
}

#[test]
fn a_full_backlog_refuses_and_keeps_what_it_has() {
    let now = begin();
    let mut backlog: Backlog<u8, u32> = Backlog::new(1_000);
    backlog.push(1, 1, 800, now).unwrap();
    assert_eq!(backlog.push(2, 2, 800, now), Err(BacklogFull { bytes_max: 1_000 }));
    assert_eq!(backlog.push_urgent(2, 2, 800, now), Err(BacklogFull { bytes_max: 1_000 }));
    assert_eq!(take_all(&mut backlog), [(1, 1)]);
    backlog.push(2, 2, 800, now).unwrap();
}

#[test]
fn the_oldest_is_known_wherever_it_waits() {
    let now = begin();
    let later = now + Duration::from_secs(1);
    let mut backlog = backlog();
    assert_eq!(backlog.oldest(), None);
    backlog.push(1, 1, 10, now).unwrap();
    backlog.push_urgent(2, 2, 10, later).unwrap();
    assert_eq!(backlog.oldest(), Some(now));
    backlog.retain(|flow, _| flow == 2);
    assert_eq!(backlog.oldest(), Some(later));
    assert_eq!(take_all(&mut backlog), [(2, 2)]);
}

proptest! {
    #[test]
    fn nothing_is_lost_doubled_or_reordered(steps in prop::collection::vec((0u8..6, 0u8..4, 1usize..64_000), 1..200)) {
        let now = begin();
        let mut backlog: Backlog<u8, u32> = Backlog::new(usize::MAX / 2);
        let (mut pushed, mut taken) = ([0u32; 4], vec![Vec::new(); 4]);
        let mut step_take = |backlog: &mut Backlog<u8, u32>| {
            if let Some((flow, message)) = take(backlog) {
                taken[usize::from(flow)].push(message);
            }
        };
        for (what, flow, bytes) in steps {
            match what {
                0..3 => {
                    let number = &mut pushed[usize::from(flow)];
                    backlog.push(flow, *number, bytes, now).unwrap();
                    *number += 1;
                }
                _ => step_take(&mut backlog),
            }
        }
        while !backlog.is_empty() {
            step_take(&mut backlog);
        }
        for (flow, taken) in taken.iter().enumerate() {
            prop_assert_eq!(taken, &(0..pushed[flow]).collect::<Vec<_>>());
        }
        prop_assert_eq!((backlog.bytes(), backlog.len()), (0, 0));
    }
}
