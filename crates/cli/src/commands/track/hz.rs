//! `trackyard track hz`: how often frames come.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};
use trackyard::DataTrackFrame;

use super::meter::{self, Meter, MeterArgs};
use super::window::{Spread, Window, spread};
use crate::Outcome;
use crate::interrupt::Interrupt;

/// Measure how often frames come
#[derive(Debug, Args)]
#[command(after_help = "\
Reports every second until Ctrl-C, over the frames of the window: the rate, and the shortest, longest
and standard deviation of the time between two frames.

Examples:
  trackyard track hz pose
  trackyard track hz robot-1/camera/front --window 100
  trackyard track hz pose --for 10s --json")]
pub(crate) struct Hz {
    #[command(flatten)]
    args: MeterArgs,
}

impl Hz {
    pub(crate) async fn run(self, interrupt: Interrupt) -> Outcome {
        let meter = Rate { intervals: Window::new(self.args.window - 1), last: None };
        meter::run(self.args, meter, interrupt).await
    }
}

/// The intervals between frames.
#[derive(Debug)]
pub(super) struct Rate {
    intervals: Window<Duration>,
    last: Option<Instant>,
}

impl Rate {
    /// Over all frames.
    pub(super) fn of_many() -> Self {
        Self { intervals: Window::new(100_000), last: None }
    }

    fn spread(&self) -> Option<Spread> {
        spread(self.intervals.iter().map(Duration::as_secs_f64))
    }

    /// Frames per second; nothing before the second frame.
    pub(super) fn hertz(&self) -> Option<f64> {
        let mean = self.spread()?.mean;
        (mean > 0.0).then(|| mean.recip())
    }

    /// Frames it looks back on.
    fn window(&self) -> usize {
        self.intervals.len() + usize::from(self.last.is_some())
    }
}

impl Meter for Rate {
    fn frame(&mut self, frame: &DataTrackFrame) {
        let received = frame.received_at().unwrap_or_else(Instant::now);
        if let Some(last) = self.last.replace(received) {
            self.intervals.push(received.saturating_duration_since(last));
        }
    }

    fn text(&self) -> Option<String> {
        let (hertz, Spread { min, max, stddev, .. }) = (self.hertz()?, self.spread()?);
        let window = self.window();
        Some(format!(
            "{hertz:.3} Hz, interval min {:.2} ms, max {:.2} ms, std dev {:.2} ms, window {window}",
            min * 1e3,
            max * 1e3,
            stddev * 1e3
        ))
    }

    fn json(&self) -> Value {
        let spread = self.spread();
        json!({
            "rate_hz": self.hertz(),
            "interval_mean_s": spread.map(|spread| spread.mean),
            "interval_min_s": spread.map(|spread| spread.min),
            "interval_max_s": spread.map(|spread| spread.max),
            "interval_stddev_s": spread.map(|spread| spread.stddev),
            "window": self.window(),
        })
    }
}
