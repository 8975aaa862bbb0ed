//! Bounds, load and combinations.

use super::*;

fn refusal(change: impl FnOnce(&mut Plan)) -> String {
    let mut plan = Plan::default();
    change(&mut plan);
    plan.check().unwrap_err().to_string()
}

#[test]
fn the_default_is_a_plan() {
    assert_eq!(Plan::default().check(), Ok(()));
    assert_eq!(Plan::default().to_string(), "1000B @ 100Hz, 1 -> 1");
}

#[test]
fn bounds_are_named() {
    assert_eq!(refusal(|plan| plan.frame_bytes = 8), "frame size 8B is too small; at least 40B");
    assert_eq!(refusal(|plan| plan.frame_bytes = 1 << 21), "frame size 2MiB is too large; at most 2000000B");
    assert_eq!(refusal(|plan| plan.tracks = 0), "number of tracks 0 is too small; at least 1");
    assert_eq!(
        refusal(|plan| plan.duration = Duration::from_secs(100_000)),
        "duration 100000s is too large; at most 86400s"
    );
    assert_eq!(
        refusal(|plan| {
            plan.rate = Rate::from_millihertz(1).unwrap();
            plan.warm_up = Duration::from_secs(1);
        }),
        "no frame is due within 10s at 0.001Hz; measure for longer"
    );
}

#[test]
fn memory_for_accounts_is_bounded() {
    let refused = refusal(|plan| {
        plan.rate = "100kHz".parse().unwrap();
        plan.subscribers = 1_000;
        plan.duration = Duration::from_secs(3_600);
    });
    assert!(refused.starts_with("number of frames at all subscribers 360000000000"), "{refused}");
    let refused = refusal(|plan| (plan.tracks, plan.publishers, plan.subscribers) = (10_000, 1_000, 1_000));
    assert!(refused.starts_with("number of subscriptions 10000000000"), "{refused}");
}

#[test]
fn nothing_overflows_before_it_is_refused() {
    let mut plan = Plan { duration: Duration::MAX, warm_up: Duration::MAX, ..Plan::default() };
    (plan.tracks, plan.publishers, plan.subscribers) = (u32::MAX, u32::MAX, u32::MAX);
    (plan.frame_bytes, plan.rate) = (usize::MAX, Rate::from_millihertz(u64::MAX).unwrap());
    assert!(plan.check().is_err());
    assert_eq!((plan.frames_per_track(), plan.track_count()), (0, u32::MAX));
    assert!(plan.load().out_bits_per_s.is_finite());
    assert!(plan.tracks_of(u32::MAX).is_empty());
}

#[test]
fn the_load_is_the_sum_over_tracks_and_subscribers() {
    let plan = Plan { tracks: 3, publishers: 2, subscribers: 5, ..Plan::default() };
    let load = plan.load();
    assert_eq!((load.in_frames_per_s, load.out_frames_per_s), (600.0, 3_000.0));
    assert_eq!((load.in_bits_per_s, load.out_bits_per_s), (4.8e6, 24e6));
    assert_eq!(load.to_string(), "600.0 frames/s (4.80 Mbit/s) in, 3000.0 frames/s (24.00 Mbit/s) out");
    assert_eq!((plan.window(), plan.tracks_of(1)), (200..1_200, 3..6));
}

#[test]
fn a_matrix_has_every_combination() {
    let hertz = |text: &str| text.parse::<Rate>().unwrap();
    let mut matrix = Matrix {
        base: Plan::default(),
        frame_bytes: vec![64, 1_000],
        rates: vec![hertz("10Hz"), hertz("100Hz")],
        tracks: vec![1],
        subscribers: vec![1, 5, 20],
    };
    let plans = matrix.plans().unwrap();
    assert_eq!(plans.len(), 12);
    assert_eq!(plans[4].to_string(), "64B @ 100Hz, 1 -> 5");
    matrix.frame_bytes.push(1);
    assert!(matrix.plans().is_err(), "one of them cannot be carried out");
    matrix.rates.clear();
    assert_eq!(matrix.plans(), Err(PlanError::Empty { what: "rate" }));
    matrix.rates = vec![hertz("10Hz"); 1_000];
    assert!(matches!(matrix.plans(), Err(PlanError::TooLarge { what: "number of scenarios", .. })));
}
