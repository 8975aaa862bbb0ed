//! Which rule counts, and what of a wish is granted within it.

use super::*;

fn pattern(text: &str) -> NamePattern {
    NamePattern::new(text).unwrap()
}

fn rule(room: &str, tracks: &str, weight: u16) -> TrackRule {
    TrackRule { weight: Some(weight), ..open(room, tracks) }
}

fn open(room: &str, tracks: &str) -> TrackRule {
    TrackRule::new(pattern(room), pattern(tracks))
}

fn unwished(rules: &TrackRules, room: &str, track: &str) -> LaneRules {
    rules.for_room(room).unwished(track)
}

#[test]
fn the_first_rule_that_matches_room_and_track_decides() {
    let rules =
        TrackRules::new(vec![rule("lab-*", "cam/**", 2), rule("*", "cam/front", 3), rule("*", "cam/**", 4)]);
    let check = |room: &str, track: &str, weight| {
        assert_eq!(unwished(&rules, room, track).weight, weight, "{track} in {room}");
    };
    check("lab-1", "cam/front", 2);
    check("yard", "cam/front", 3);
    check("yard", "cam/rear", 4);
    check("yard", "pose", LaneRules::default().weight);
}

#[test]
fn a_rule_sets_everything_a_lane_has() {
    let rule = TrackRule {
        policy: Some(Policy::Queue(16)),
        age_max: Some(Duration::from_millis(40)),
        finish_max: Some(Duration::from_millis(500)),
        max_hz: Some(30.0),
        latch: Some(true),
        ..rule("*", "*", 9)
    };
    let expected = LaneRules {
        policy: Policy::Queue(16),
        age_max: Duration::from_millis(40),
        finish_max: Duration::from_millis(500),
        weight: 9,
        max_hz: Some(30.0),
        latch: true,
    };
    assert_eq!(rule.lane(), expected);
    assert_eq!(unwished(&TrackRules::new(vec![rule]), "any", "track"), expected);
}

#[track_caller]
fn check(
    rule: Option<TrackRule>,
    (publisher, subscriber): (DeliveryWish, DeliveryWish),
    expected: impl Fn(&mut LaneRules),
) {
    let rules = TrackRules::new(rule.into_iter().collect());
    let options = SubscriptionOptions { target_fps: None, delivery: subscriber };
    let mut lane = LaneRules::default();
    expected(&mut lane);
    assert_eq!(rules.schedule("track", publisher, false).lane(options), lane);
}

const NOTHING: DeliveryWish =
    DeliveryWish { policy: None, age_max: None, weight: None, max_millihertz: None };

fn wish() -> DeliveryWish {
    DeliveryWish::new()
}

#[test]
fn what_no_rule_says_is_as_the_ends_wish_within_bounds() {
    use DeliveryPolicy::{Latest, Queue};
    let ms = Duration::from_millis;
    check(None, (NOTHING, NOTHING), |_| {});
    check(None, (wish().with_policy(Latest), NOTHING), |lane| lane.policy = Policy::Latest);
    check(None, (wish().with_policy(Latest), wish().with_policy(Queue(4))), |lane| {
        lane.policy = Policy::Queue(4)
    });
    check(None, (NOTHING, wish().with_policy(Queue(60_000))), |lane| lane.policy = Policy::Queue(256));
    check(None, (NOTHING, wish().with_policy(Queue(0))), |lane| lane.policy = Policy::Queue(1));
    check(None, (wish().with_weight(1_000), NOTHING), |lane| lane.weight = 16);
    check(None, (wish().with_weight(8), wish().with_weight(40)), |lane| lane.weight = 40);
    check(None, (NOTHING, wish().with_weight(u16::MAX)), |lane| lane.weight = 1_000);
    check(None, (wish().with_age_max(ms(50)), wish().with_age_max(ms(400))), |lane| lane.age_max = ms(50));
    check(None, (NOTHING, wish().with_age_max(ms(400_000))), |lane| lane.age_max = ms(10_000));
    check(None, (NOTHING, wish().with_age_max(ms(0))), |lane| lane.age_max = ms(1));
    check(None, (wish().with_max_hz(20.0), wish().with_max_hz(30.0)), |lane| lane.max_hz = Some(20.0));
}

#[test]
fn a_rule_bounds_what_the_ends_wish() {
    use DeliveryPolicy::{Auto, Latest, Queue};
    let ms = Duration::from_millis;
    let granted = |rule, wished, granted| {
        let rule = TrackRule { policy: Some(rule), ..open("*", "*") };
        check(Some(rule.clone()), (wish().with_policy(wished), NOTHING), |lane| lane.policy = granted);
        check(Some(rule), (NOTHING, wish().with_policy(wished)), |lane| lane.policy = granted);
    };
    granted(Policy::Latest, Queue(9), Policy::Latest);
    granted(Policy::Latest, Auto, Policy::Latest);
    granted(Policy::Auto, Queue(9), Policy::Auto);
    granted(Policy::Auto, Latest, Policy::Latest);
    granted(Policy::Queue(8), Queue(9), Policy::Queue(8));
    granted(Policy::Queue(8), Queue(2), Policy::Queue(2));
    granted(Policy::Queue(8), Latest, Policy::Latest);

    let bounds = TrackRule { age_max: Some(ms(200)), max_hz: Some(25.0), ..rule("*", "*", 5) };
    let many = wish().with_age_max(ms(900)).with_weight(16).with_max_hz(90.0);
    let few = wish().with_age_max(ms(20)).with_weight(2).with_max_hz(5.0);
    let lane = |age, weight, hz| {
        move |lane: &mut LaneRules| (lane.age_max, lane.weight, lane.max_hz) = (ms(age), weight, Some(hz))
    };
    check(Some(bounds.clone()), (NOTHING, NOTHING), lane(200, 5, 25.0));
    check(Some(bounds.clone()), (many, many), lane(200, 5, 25.0));
    check(Some(bounds.clone()), (few, many), lane(20, 5, 5.0));
    check(Some(bounds), (many, few), lane(20, 2, 5.0));
}

#[test]
fn of_max_hz_and_target_fps_the_lower_counts() {
    let check = |rule: Option<f64>, target_fps: Option<u32>, wished: Option<f64>, expected: Option<f64>| {
        let rules = TrackRules::new(vec![TrackRule { max_hz: rule, ..open("*", "*") }]);
        let delivery = wished.map_or(NOTHING, |hz| wish().with_max_hz(hz));
        let lane = rules.schedule("track", NOTHING, false).lane(SubscriptionOptions { target_fps, delivery });
        assert_eq!(lane.max_hz, expected);
    };
    check(None, None, None, None);
    check(None, Some(0), None, None);
    check(Some(30.0), Some(10), None, Some(10.0));
    check(Some(5.0), Some(10), None, Some(5.0));
    check(Some(30.0), Some(20), Some(2.5), Some(2.5));
    check(None, Some(20), Some(30.0), Some(20.0));
}

#[test]
fn a_rule_decides_whether_a_track_is_latched_else_its_publisher() {
    let check = |rule: Option<bool>, wished: bool, expected: bool| {
        let rules = TrackRules::new(vec![TrackRule { latch: rule, ..open("*", "*") }]);
        let schedule = rules.schedule("map", NOTHING, wished);
        assert_eq!(schedule.is_latched(), expected);
        assert_eq!(schedule.lane(SubscriptionOptions::default()).latch, expected);
    };
    check(None, false, false);
    check(None, true, true);
    check(Some(true), false, true);
    check(Some(false), true, false);
}
