//! What one end of a data track wishes of how the server hands its frames on.
//!
//! Wishes travel in fields of ours, which everyone else skips. A server is free to grant less: the operator's
//! rules are upper bounds.

use std::time::Duration;

/// Frames per second are counted in so many parts on the wire.
const PARTS_PER_HZ: f64 = 1_000.0;

/// A wish; what is not said is left to the other end and to the server.
///
/// ```
/// use std::time::Duration;
/// use trackyard_proto::{DeliveryPolicy, DeliveryWish};
///
/// let wish = DeliveryWish::new()
///     .with_policy(DeliveryPolicy::Latest)
///     .with_age_max(Duration::from_millis(50))
///     .with_weight(4)
///     .with_max_hz(15.0);
/// assert_eq!(wish.max_hz(), Some(15.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeliveryWish {
    /// Which frames wait while the receiver's path has no room.
    pub policy: Option<DeliveryPolicy>,
    /// A frame is not begun later than this after it reached the server.
    pub age_max: Option<Duration>,
    /// Share of a receiver's path beside its other tracks.
    pub weight: Option<u16>,
    /// Frames per 1,000 seconds at most.
    pub max_millihertz: Option<u32>,
}

/// Which frames wait while the receiver's path has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DeliveryPolicy {
    /// One: a newer one replaces it.
    Latest,
    /// Frames of one packet queue; of larger ones the latest waits.
    Auto,
    /// So many; the oldest goes first.
    Queue(u16),
}

impl DeliveryWish {
    /// Leaves everything open.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says which frames wait.
    #[must_use]
    pub fn with_policy(mut self, policy: DeliveryPolicy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Says how old a frame may get before it is begun.
    #[must_use]
    pub fn with_age_max(mut self, age: Duration) -> Self {
        self.age_max = Some(age);
        self
    }

    /// Says what share the track is to have beside others of its receiver; 1 is what every track has.
    #[must_use]
    pub fn with_weight(mut self, weight: u16) -> Self {
        self.weight = Some(weight);
        self
    }

    /// Says how many frames per second are wanted at most, on a steady grid. A rate that is none limits nothing.
    #[must_use]
    pub fn with_max_hz(mut self, hz: f64) -> Self {
        let parts = (hz * PARTS_PER_HZ).round();
        // Conversion saturates; what is below one part is as little as can be said.
        self.max_millihertz = (hz.is_finite() && hz > 0.0).then_some((parts as u32).max(1));
        self
    }

    /// Frames per second at most.
    #[must_use]
    pub fn max_hz(&self) -> Option<f64> {
        self.max_millihertz.filter(|parts| *parts > 0).map(|parts| f64::from(parts) / PARTS_PER_HZ)
    }

    /// A wish that grants what either does: whatever one of them leaves open is open.
    #[must_use]
    pub fn either(self, other: Self) -> Self {
        Self {
            policy: self.policy.zip(other.policy).map(|(one, two)| one.max(two)),
            age_max: self.age_max.zip(other.age_max).map(|(one, two)| one.max(two)),
            weight: self.weight.zip(other.weight).map(|(one, two)| one.max(two)),
            max_millihertz: self.max_millihertz.zip(other.max_millihertz).map(|(one, two)| one.max(two)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_survives_in_thousandths() {
        let rate = |hz: f64| DeliveryWish::new().with_max_hz(hz).max_hz();
        assert_eq!([rate(29.97), rate(0.5), rate(0.000_1)], [Some(29.97), Some(0.5), Some(0.001)]);
        assert_eq!([rate(0.0), rate(-1.0), rate(f64::NAN), rate(f64::INFINITY)], [None; 4]);
        assert_eq!(rate(1e12), Some(f64::from(u32::MAX) / 1_000.0));
    }

    #[test]
    fn what_either_leaves_open_is_open() {
        use DeliveryPolicy::{Auto, Latest, Queue};
        let wish = |policy, weight| DeliveryWish { policy, weight, ..DeliveryWish::default() };
        let check = |one: (Option<DeliveryPolicy>, Option<u16>), two: (_, _), expected: (_, _)| {
            let either = wish(one.0, one.1).either(wish(two.0, two.1));
            assert_eq!((either.policy, either.weight), expected);
        };
        check((Some(Latest), Some(4)), (Some(Latest), Some(2)), (Some(Latest), Some(4)));
        check((Some(Latest), None), (Some(Auto), Some(2)), (Some(Auto), None));
        check((Some(Queue(3)), None), (Some(Queue(9)), None), (Some(Queue(9)), None));
        check((Some(Queue(3)), None), (None, None), (None, None));
    }
}
