//! `trackyard track delay`: how old frames are when they come.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use clap::Args;
use serde_json::{Value, json};
use trackyard::DataTrackFrame;

use super::meter::{self, Meter, MeterArgs};
use super::window::{Window, percentile, spread};
use crate::Outcome;
use crate::interrupt::Interrupt;

/// Measure how old frames are when they come, by their timestamps
#[derive(Debug, Args)]
#[command(after_help = "\
A frame's timestamp is the time of day at which it was taken, in milliseconds, by its publisher's clock;
ages are right as far as both clocks agree, and to the millisecond. Reports every second until Ctrl-C,
over the frames of the window.

Examples:
  trackyard track delay camera/front
  trackyard track delay robot-1/pose --for 10s --json")]
pub(crate) struct Delay {
    #[command(flatten)]
    args: MeterArgs,
}

impl Delay {
    pub(crate) async fn run(self, interrupt: Interrupt) -> Outcome {
        let ages = Ages::new(self.args.window);
        meter::run(self.args, ages, interrupt).await
    }
}

/// The ages of frames.
#[derive(Debug)]
struct Ages {
    ages: Window<Duration>,
    /// Frames without a timestamp.
    missing: u64,
    /// Frames whose timestamp cannot be a time of day.
    implausible: u64,
}

impl Ages {
    fn new(window: usize) -> Self {
        Self { ages: Window::new(window), missing: 0, implausible: 0 }
    }

    fn millis(&self) -> impl Iterator<Item = f64> {
        self.ages.iter().map(|age| age.as_secs_f64() * 1e3)
    }

    /// What cannot be measured, in words.
    fn unmeasured(&self) -> String {
        let mut text = String::new();
        if self.missing > 0 {
            text += &format!(", {} without a timestamp", self.missing);
        }
        if self.implausible > 0 {
            text += &format!(", {} whose timestamp is no time of day in milliseconds", self.implausible);
        }
        text
    }
}

impl Meter for Ages {
    fn frame(&mut self, frame: &DataTrackFrame) {
        // It has waited here since its last packet came, which is not the way's fault.
        let waited = frame.received_at().map(|received| Instant::now().saturating_duration_since(received));
        match frame.duration_since_timestamp() {
            Some(age) => self.ages.push(age.saturating_sub(waited.unwrap_or_default())),
            None if frame.user_timestamp().is_none() => self.missing += 1,
            None => self.implausible += 1,
        }
    }

    fn text(&self) -> Option<String> {
        let unmeasured = self.unmeasured();
        let Some(ages) = spread(self.millis()) else {
            return unmeasured.strip_prefix(", ").map(str::to_owned);
        };
        let p99 = percentile(self.millis(), 0.99)?;
        Some(format!(
            "age mean {:.1} ms, min {:.1} ms, max {:.1} ms, p99 {p99:.1} ms, window {}{unmeasured}",
            ages.mean,
            ages.min,
            ages.max,
            self.ages.len()
        ))
    }

    fn json(&self) -> Value {
        let ages = spread(self.millis());
        json!({
            "age_mean_ms": ages.map(|ages| ages.mean),
            "age_min_ms": ages.map(|ages| ages.min),
            "age_max_ms": ages.map(|ages| ages.max),
            "age_p99_ms": percentile(self.millis(), 0.99),
            "without_timestamp": self.missing,
            "implausible_timestamp": self.implausible,
            "window": self.ages.len(),
        })
    }

    fn verdict(&self) -> Outcome {
        match (self.ages.len(), self.missing, self.implausible) {
            (0, 1.., 0) => Err(anyhow!(
                "no frame carries a timestamp; its publisher has to set one, as `trackyard track pub --timestamp` does"
            )
            .into()),
            (0, _, 1..) => Err(anyhow!(
                "no timestamp is a time of day in milliseconds since 1970, or a clock is more than a second ahead"
            )
            .into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    fn measured(frames: &[DataTrackFrame]) -> Ages {
        let mut ages = Ages::new(10);
        for frame in frames {
            ages.frame(frame);
        }
        ages
    }

    #[track_caller]
    fn check_verdict(ages: &Ages, words: &str) {
        match ages.verdict() {
            Err(Failure::Failed(error)) => assert!(error.to_string().contains(words), "{error}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn timestamps_that_are_no_time_of_day_are_told_apart_from_none() {
        let frame = || DataTrackFrame::new("x");
        let ages = measured(&[frame(), frame().with_user_timestamp(7), frame().with_user_timestamp_now()]);
        assert_eq!((ages.ages.len(), ages.missing, ages.implausible), (1, 1, 1));
        assert!(ages.verdict().is_ok());
        let text = ages.text().unwrap();
        assert!(
            text.ends_with(", 1 without a timestamp, 1 whose timestamp is no time of day in milliseconds")
        );

        check_verdict(&measured(&[frame().with_user_timestamp(7), frame()]), "no timestamp is a time of day");
        check_verdict(&measured(&[frame()]), "no frame carries a timestamp");
        assert!(measured(&[]).verdict().is_ok());
    }
}
