//! How frames of data tracks are handed on: ordered rules of the operator, of which the first that matches counts,
//! and within them what the two ends of a track wish.
//!
//! | | rule says it | rule leaves it open |
//! |---|---|---|
//! | `policy`, `frames` | a wish is granted if no more waits under it | subscription, else publication |
//! | `weight` | a wish is granted up to it | subscription, else publication (at most 16) |
//! | `age_max` | the least of rule, publication and subscription | the lesser of the two, at most 10 s |
//! | `max_hz` | the least of rule, publication, subscription and its `target_fps` | the least of the others |
//! | `latch` | the rule decides | publication |
//! | `finish_max` | the rule decides | the default |

use std::sync::Arc;
use std::time::Duration;

use trackyard_auth::NamePattern;
use trackyard_lanes::{LaneRules, Policy};
use trackyard_proto::signal::SubscriptionOptions;
use trackyard_proto::{DeliveryPolicy, DeliveryWish};

/// Frames that wait under `queue` at a wish.
pub const WISHED_FRAMES_MAX: u16 = 256;
/// Age that a wish may grant a frame.
pub const WISHED_AGE_MAX: Duration = Duration::from_secs(10);
/// Age below which every frame would be too old.
const WISHED_AGE_MIN: Duration = Duration::from_millis(1);
/// Share of everybody's path that a publisher may wish for its track.
pub const PUBLISHED_WEIGHT_MAX: u16 = 16;
/// Share of its own path that a subscriber may wish for a track.
pub const SUBSCRIBED_WEIGHT_MAX: u16 = 1_000;

/// Ordered rules; a track that none matches is scheduled by the defaults of [`LaneRules`].
#[derive(Debug, Clone, Default)]
pub struct TrackRules(Vec<Arc<TrackRule>>);

/// How tracks of some names in some rooms are scheduled; what it does not say is left to their ends.
#[derive(Debug, Clone)]
pub struct TrackRule {
    /// Which rooms.
    pub room: NamePattern,
    /// Which tracks, by name.
    pub tracks: NamePattern,
    /// Which frames wait.
    pub policy: Option<Policy>,
    /// A frame is not begun later than this.
    pub age_max: Option<Duration>,
    /// A frame that has begun is given up after this.
    pub finish_max: Option<Duration>,
    /// Share beside other tracks; 1..=1000.
    pub weight: Option<u16>,
    /// At most so many frames per second, on a steady grid.
    pub max_hz: Option<f64>,
    /// Late joiners get the last whole frame, or never do.
    pub latch: Option<bool>,
}

/// How one track is scheduled: by its rule, and within that by what its publisher wishes.
#[derive(Debug, Clone, Default)]
pub struct TrackSchedule {
    rule: Option<Arc<TrackRule>>,
    publisher: DeliveryWish,
    latch: bool,
}

impl TrackRule {
    /// A rule that leaves everything open.
    #[must_use]
    pub fn new(room: NamePattern, tracks: NamePattern) -> Self {
        Self {
            room,
            tracks,
            policy: None,
            age_max: None,
            finish_max: None,
            weight: None,
            max_hz: None,
            latch: None,
        }
    }

    /// How tracks are scheduled whose ends wish nothing.
    #[must_use]
    pub fn lane(&self) -> LaneRules {
        lane(Some(self), DeliveryWish::default(), SubscriptionOptions::default())
    }
}

impl TrackRules {
    /// Rules in this order.
    #[must_use]
    pub fn new(rules: Vec<TrackRule>) -> Self {
        Self(rules.into_iter().map(Arc::new).collect())
    }

    /// The rules that can match in this room, so that others cost nothing there.
    #[must_use]
    pub fn for_room(&self, room: &str) -> Self {
        Self(self.0.iter().filter(|rule| rule.room.matches(room)).cloned().collect())
    }

    /// How frames of this track are scheduled if neither end wishes anything.
    #[must_use]
    pub fn unwished(&self, track: &str) -> LaneRules {
        self.schedule(track, DeliveryWish::default(), false).lane(SubscriptionOptions::default())
    }

    /// How frames of this track are scheduled, by the rules of its room and by what its publisher wishes.
    #[must_use]
    pub fn schedule(&self, track: &str, publisher: DeliveryWish, latch: bool) -> TrackSchedule {
        let rule = self.0.iter().find(|rule| rule.tracks.matches(track)).cloned();
        let latch = rule.as_ref().and_then(|rule| rule.latch).unwrap_or(latch);
        TrackSchedule { rule, publisher, latch }
    }
}

impl TrackSchedule {
    /// Late joiners get the last whole frame.
    #[must_use]
    pub fn is_latched(&self) -> bool {
        self.latch
    }

    /// How frames of this track are scheduled for a subscriber with these wishes.
    #[must_use]
    pub fn lane(&self, subscriber: SubscriptionOptions) -> LaneRules {
        LaneRules { latch: self.latch, ..lane(self.rule.as_deref(), self.publisher, subscriber) }
    }
}

fn lane(rule: Option<&TrackRule>, publisher: DeliveryWish, subscriber: SubscriptionOptions) -> LaneRules {
    let defaults = LaneRules::default();
    let delivery = subscriber.delivery;
    let age = |wish: DeliveryWish| wish.age_max.map(|age| age.clamp(WISHED_AGE_MIN, WISHED_AGE_MAX));
    let ages = [rule.and_then(|rule| rule.age_max), age(publisher), age(delivery)];
    // 0 is what older encodings send for no limit.
    let target = subscriber.target_fps.filter(|rate_hz| *rate_hz > 0).map(f64::from);
    let rates = [rule.and_then(|rule| rule.max_hz), publisher.max_hz(), delivery.max_hz(), target];
    LaneRules {
        policy: policy(rule.and_then(|rule| rule.policy), delivery.policy.or(publisher.policy)),
        age_max: ages.into_iter().flatten().min().unwrap_or(defaults.age_max),
        finish_max: rule.and_then(|rule| rule.finish_max).unwrap_or(defaults.finish_max),
        weight: weight(rule, publisher, delivery),
        max_hz: rates.into_iter().flatten().reduce(f64::min),
        latch: rule.and_then(|rule| rule.latch).unwrap_or(defaults.latch),
    }
}

/// What is wished, if no more waits under it than under the rule.
fn policy(rule: Option<Policy>, wish: Option<DeliveryPolicy>) -> Policy {
    let wish = wish.map(|wish| match wish {
        DeliveryPolicy::Latest => Policy::Latest,
        DeliveryPolicy::Queue(frames) => Policy::Queue(frames.clamp(1, WISHED_FRAMES_MAX)),
        _ => Policy::Auto,
    });
    match (rule, wish) {
        (None, wish) => wish.unwrap_or_default(),
        (Some(rule), None) => rule,
        (Some(Policy::Queue(most)), Some(Policy::Queue(frames))) => Policy::Queue(frames.min(most)),
        (Some(Policy::Queue(_)), Some(wish)) => wish,
        (Some(Policy::Auto), Some(Policy::Latest)) => Policy::Latest,
        (Some(rule), Some(_)) => rule,
    }
}

fn weight(rule: Option<&TrackRule>, publisher: DeliveryWish, subscriber: DeliveryWish) -> u16 {
    let published = publisher.weight.map(|weight| weight.clamp(1, PUBLISHED_WEIGHT_MAX));
    let wish = subscriber.weight.map(|weight| weight.clamp(1, SUBSCRIBED_WEIGHT_MAX)).or(published);
    let most = rule.and_then(|rule| rule.weight);
    match (wish, most) {
        (Some(wish), Some(most)) => wish.min(most),
        (wish, most) => wish.or(most).unwrap_or(LaneRules::default().weight),
    }
}

#[cfg(test)]
mod tests;
