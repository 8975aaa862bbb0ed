//! `trackyard track echo`: what comes on a track.

mod format;
mod hexdump;
mod store;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use trackyard::{DataTrackFrame, DataTrackSubscribeOptions, Gap};

use self::format::Format;
use self::store::Store;
use super::target;
use super::watch::{Seen, Watch, WatchArgs};
use crate::duration::positive_duration;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::{Outcome, output};

/// Frames that wait while one is printed.
const BUFFER_FRAMES: usize = 256;

/// Print the frames of a data track
#[derive(Debug, Args)]
#[command(after_help = "\
Each frame is shown in hex with a line about it, unless told otherwise. Missing frames are told on
standard error. Without --count and --for it goes on until Ctrl-C.

Examples:
  trackyard track echo pose
  trackyard track echo robot-1/pose --json-lines --count 10
  trackyard track echo status --utf8 | grep -i error
  trackyard track echo camera/front --files pictures --for 10s
  trackyard track echo camera/front --raw | ffplay -f mjpeg -
  trackyard track echo pose --json | jq .age_ms
  trackyard track echo robot-1/commands --deadline 500ms")]
pub(crate) struct Echo {
    #[command(flatten)]
    shape: Shape,
    /// Tell when no frame has come for so long, such as 500ms; also while disconnected
    #[arg(long, value_name = "DURATION", value_parser = positive_duration)]
    deadline: Option<Duration>,
    /// Print one JSON object per frame, gap and silence, on a line of its own
    #[arg(long, conflicts_with_all = ["raw", "files"])]
    json: bool,
    #[command(flatten)]
    watch: WatchArgs,
}

/// What payloads are taken for.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct Shape {
    /// Payloads are text; each is printed as it is, and ends its line
    #[arg(long)]
    utf8: bool,
    /// Payloads are JSON, which is printed with indentation
    #[arg(long)]
    json_lines: bool,
    /// Print the bytes of the payloads alone, one after the other
    #[arg(long)]
    raw: bool,
    /// Write each frame to a file of its own in this directory, named by the track and the frame's number
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
}

impl Echo {
    pub(crate) async fn run(self, interrupt: Interrupt) -> Outcome {
        let mut options = DataTrackSubscribeOptions::new().with_buffer_size(BUFFER_FRAMES);
        if let Some(deadline) = self.deadline {
            options = options.with_deadline(deadline);
        }
        let mut watch = Watch::begin(&self.watch, interrupt, options).await?;
        let outcome = self.echo(&mut watch).await;
        watch.close().await;
        outcome
    }

    async fn echo(&self, watch: &mut Watch) -> Outcome {
        let mut sink = self.sink(watch)?;
        loop {
            match watch.next().await {
                Seen::Frame(frame) => sink.frame(&frame)?,
                Seen::Gap(gap) => sink.gap(gap)?,
                Seen::Silent => sink.silence()?,
                Seen::Tick => {}
                Seen::End(outcome) => {
                    sink.end();
                    return outcome;
                }
            }
        }
    }

    fn sink(&self, watch: &Watch) -> Result<Sink, Failure> {
        let format = Format::new(&self.shape, std::io::stdout().is_terminal());
        if let Some(directory) = &self.shape.files {
            return Ok(Sink::Files(Store::open(directory, watch.track())?));
        }
        let track = watch.track();
        let name = (track.publisher_identity().to_owned(), track.name().to_owned());
        Ok(if self.json { Sink::Objects(format, name) } else { Sink::Text(format, target::label(track)) })
    }
}

/// Where frames go.
#[derive(Debug)]
enum Sink {
    /// Standard output, for people or as they are; with the track's label.
    Text(Format, String),
    /// Standard output, as JSON; with the track's publisher and name.
    Objects(Format, (String, String)),
    /// Files.
    Files(Store),
}

impl Sink {
    fn frame(&mut self, frame: &DataTrackFrame) -> Result<(), Failure> {
        match self {
            Self::Text(format, label) => output::write(&format.shown(label, frame)),
            Self::Objects(format, (publisher, track)) => {
                let (encoding, payload) = format.value(frame.payload());
                output::write_json(&json!({
                    "type": "frame",
                    "publisher": publisher,
                    "track": track,
                    "sequence": frame.sequence(),
                    "timestamp": frame.user_timestamp(),
                    "age_ms": format::age_ms(frame),
                    "last_will": frame.is_last_will(),
                    "latched": frame.is_latched(),
                    "size": frame.payload().len(),
                    "payload_format": encoding,
                    "payload": payload,
                }))
            }
            Self::Files(store) => store.write(frame),
        }
    }

    fn gap(&self, gap: Gap) -> Result<(), Failure> {
        if let Self::Objects(_, (publisher, track)) = self {
            return output::write_json(&json!({
                "type": "gap",
                "publisher": publisher,
                "track": track,
                "frames": gap.frames,
                "reason": gap.reason.label(),
            }));
        }
        let frames = match gap.frames {
            0 => "some frames".to_owned(),
            1 => "1 frame".to_owned(),
            frames => format!("{frames} frames"),
        };
        say!("note: {frames} missed ({})", gap.reason.label());
        Ok(())
    }

    fn silence(&self) -> Result<(), Failure> {
        if let Self::Objects(_, (publisher, track)) = self {
            return output::write_json(&json!({ "type": "silent", "publisher": publisher, "track": track }));
        }
        say!("note: no frame has come within the deadline");
        Ok(())
    }

    /// Says what there is on the disk now.
    fn end(&self) {
        if let Self::Files(store) = self {
            say!("{}", store.summary());
        }
    }
}
