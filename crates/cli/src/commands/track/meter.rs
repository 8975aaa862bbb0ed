//! Verbs that measure a track as it comes, and report every second.

use clap::Args;
use serde_json::Value;
use trackyard::{DataTrackFrame, DataTrackSubscribeOptions, Gap};

use super::watch::{Seen, Watch, WatchArgs};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::{Outcome, output};

/// Frames that wait while a report is printed.
const BUFFER_FRAMES: usize = 1_024;

/// What to measure, and how to report.
#[derive(Debug, Args)]
pub(super) struct MeterArgs {
    /// Frames that a report looks back on
    #[arg(long, value_name = "FRAMES", default_value_t = 10_000, value_parser = window)]
    pub(super) window: usize,
    /// Report as JSON, one object per line
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) watch: WatchArgs,
}

/// A measurement.
pub(super) trait Meter {
    /// Takes a frame into account.
    fn frame(&mut self, frame: &DataTrackFrame);

    /// What there is to report, for people; nothing if nothing is known yet.
    fn text(&self) -> Option<String>;

    /// The same for programs, always with the same keys, of which the counts are added here.
    fn json(&self) -> Value;

    /// Whether the frames that came could be measured at all.
    ///
    /// # Errors
    /// Why not.
    fn verdict(&self) -> Outcome {
        Ok(())
    }
}

/// Frames since the beginning.
#[derive(Debug, Default)]
struct Tally {
    frames: u64,
    missed: u64,
    /// Frames at the last report.
    reported: u64,
}

/// Watches a track with a meter until it is enough, and prints what it says.
pub(super) async fn run(args: MeterArgs, meter: impl Meter, interrupt: Interrupt) -> Outcome {
    let options = DataTrackSubscribeOptions::new().with_buffer_size(BUFFER_FRAMES);
    let mut watch = Watch::begin(&args.watch, interrupt, options).await?;
    let outcome = measure(&mut watch, meter, args.json).await;
    watch.close().await;
    outcome
}

async fn measure(watch: &mut Watch, mut meter: impl Meter, json: bool) -> Outcome {
    let mut tally = Tally::default();
    loop {
        match watch.next().await {
            Seen::Frame(frame) => {
                tally.frames += 1;
                meter.frame(&frame);
            }
            Seen::Gap(gap) => tally.miss(gap),
            Seen::Silent => {}
            Seen::Tick if tally.frames == tally.reported => say!("note: no new frames"),
            Seen::Tick => report(&meter, &mut tally, json)?,
            Seen::End(outcome) => {
                report(&meter, &mut tally, json)?;
                return outcome.and_then(|()| meter.verdict());
            }
        }
    }
}

fn report(meter: &impl Meter, tally: &mut Tally, json: bool) -> Result<(), Failure> {
    tally.reported = tally.frames;
    if json {
        let mut value = meter.json();
        value["frames"] = tally.frames.into();
        value["missed"] = tally.missed.into();
        return output::write_json(&value);
    }
    let Some(text) = meter.text() else { return Ok(()) };
    let missed = if tally.missed > 0 { format!(", {} missed", tally.missed) } else { String::new() };
    output::write(format!("{text}{missed}\n").as_bytes())
}

impl Tally {
    fn miss(&mut self, gap: Gap) {
        self.missed += gap.frames;
    }
}

fn window(text: &str) -> Result<usize, String> {
    let window = text.parse().ok().filter(|window| (2..=100_000).contains(window));
    window.ok_or_else(|| "it takes a number from 2 to 100000".to_owned())
}
