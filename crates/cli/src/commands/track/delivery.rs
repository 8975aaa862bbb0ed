//! What is wished of the server's scheduling of a track.

use std::time::Duration;

use clap::Args;
use trackyard::{DeliveryPolicy, DeliveryWish};

use crate::duration::positive_duration;
use crate::quantity;

/// What either end of a track may wish of a server of ours; others ignore it.
#[derive(Debug, Args)]
pub(super) struct Delivery {
    /// Which frames the server keeps waiting for a slow subscriber, within its rules: latest, auto, or
    /// queue:NUMBER
    #[arg(long, value_name = "POLICY", value_parser = policy)]
    policy: Option<DeliveryPolicy>,
    /// Have the server drop frames that have waited longer, within its rules
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    age_max: Option<Duration>,
    /// Share of a subscriber's link beside its other tracks, which have 1; within the server's rules
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=1000))]
    weight: Option<u16>,
    /// Have the server send at most so many frames per second, on a steady grid, such as 15Hz
    #[arg(long, value_name = "RATE", value_parser = quantity::hertz)]
    max_hz: Option<f64>,
}

impl Delivery {
    pub(super) fn wish(&self) -> DeliveryWish {
        let Self { policy, age_max, weight, max_hz } = *self;
        let wish = DeliveryWish { policy, age_max, weight, ..DeliveryWish::new() };
        max_hz.map_or(wish, |hz| wish.with_max_hz(hz))
    }
}

fn policy(text: &str) -> Result<DeliveryPolicy, String> {
    match text.split_once(':').map_or((text, None), |(name, frames)| (name, Some(frames))) {
        ("latest", None) => Ok(DeliveryPolicy::Latest),
        ("auto", None) => Ok(DeliveryPolicy::Auto),
        ("queue", frames) => {
            let frames = frames.unwrap_or("16").parse().ok().filter(|frames| *frames > 0);
            frames
                .map(DeliveryPolicy::Queue)
                .ok_or_else(|| "`queue` takes a number of frames, such as `queue:16`".to_owned())
        }
        _ => Err("it is `latest`, `auto` or `queue:NUMBER`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read() {
        use DeliveryPolicy::{Auto, Latest, Queue};
        let read = |text| policy(text).ok();
        assert_eq!(
            ["latest", "auto", "queue", "queue:3"].map(read),
            [Latest, Auto, Queue(16), Queue(3)].map(Some)
        );
        assert_eq!(["newest", "queue:", "queue:0", "queue:99999", "auto:3", ""].map(read), [None; 6]);
    }
}
