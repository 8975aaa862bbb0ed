//! `trackyard track bw`: how many bytes come.

use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};
use trackyard::DataTrackFrame;

use super::meter::{self, Meter, MeterArgs};
use super::window::{Window, count, spread};
use crate::Outcome;
use crate::interrupt::Interrupt;
use crate::quantity::readable_bytes;

/// Measure how many bytes come
#[derive(Debug, Args)]
#[command(after_help = "\
Reports every second until Ctrl-C, over the frames of the window: bytes of payload per second, and the
mean, smallest and largest size of a frame.

Examples:
  trackyard track bw camera/front
  trackyard track bw robot-1/points --for 10s --json")]
pub(crate) struct Bw {
    #[command(flatten)]
    args: MeterArgs,
}

impl Bw {
    pub(crate) async fn run(self, interrupt: Interrupt) -> Outcome {
        let meter = Bandwidth { frames: Window::new(self.args.window) };
        meter::run(self.args, meter, interrupt).await
    }
}

/// Sizes of frames, and when they came.
#[derive(Debug)]
pub(super) struct Bandwidth {
    frames: Window<(Instant, usize)>,
}

impl Bandwidth {
    /// Over all frames.
    pub(super) fn of_many() -> Self {
        Self { frames: Window::new(100_000) }
    }

    fn sizes(&self) -> impl Iterator<Item = f64> {
        self.frames.iter().map(|(_, size)| count(*size))
    }

    /// What came after the first frame, over the time since it; nothing before the second.
    pub(super) fn bytes_per_second(&self) -> Option<f64> {
        let (first, last) = (self.frames.first()?, self.frames.last()?);
        let seconds = last.0.saturating_duration_since(first.0).as_secs_f64();
        (seconds > 0.0).then(|| self.sizes().skip(1).sum::<f64>() / seconds)
    }
}

impl Meter for Bandwidth {
    fn frame(&mut self, frame: &DataTrackFrame) {
        let received = frame.received_at().unwrap_or_else(Instant::now);
        self.frames.push((received, frame.payload().len()));
    }

    fn text(&self) -> Option<String> {
        let (rate, sizes) = (self.bytes_per_second()?, spread(self.sizes())?);
        Some(format!(
            "{}/s, size mean {}, min {}, max {}, window {}",
            readable_bytes(rate),
            readable_bytes(sizes.mean),
            readable_bytes(sizes.min),
            readable_bytes(sizes.max),
            self.frames.len()
        ))
    }

    fn json(&self) -> Value {
        let sizes = spread(self.sizes());
        json!({
            "bytes_per_s": self.bytes_per_second(),
            "size_mean": sizes.map(|sizes| sizes.mean),
            "size_min": sizes.map(|sizes| sizes.min),
            "size_max": sizes.map(|sizes| sizes.max),
            "window": self.frames.len(),
        })
    }
}
