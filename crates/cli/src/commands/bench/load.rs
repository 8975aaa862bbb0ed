//! What is published, how often, to how many, and for how long.

use std::time::Duration;

use clap::Args;
use trackyard_bench::plan::{Matrix, Plan};
use trackyard_bench::units::{self, Rate};

use crate::failure::Failure;

/// What is published, how often, to how many, and for how long.
#[derive(Debug, Args)]
#[command(next_help_heading = "Load")]
pub(super) struct Load {
    /// Size of each frame, such as 100B, 16KiB or 1MiB; or a list
    #[arg(long, value_name = "SIZE,…", value_delimiter = ',', default_value = "16KiB", value_parser = units::bytes)]
    size: Vec<usize>,
    /// Frames of each track per second, such as 50Hz or 1kHz; or a list
    #[arg(long, value_name = "RATE,…", value_delimiter = ',', default_value = "50Hz")]
    rate: Vec<Rate>,
    /// Tracks of each publisher; or a list
    #[arg(long, value_name = "NUMBER,…", value_delimiter = ',', default_value = "4")]
    tracks: Vec<u32>,
    /// Publishers
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    publishers: u32,
    /// Subscribers, each of which receives every track; or a list
    #[arg(long, value_name = "NUMBER,…", value_delimiter = ',', default_value = "8")]
    subscribers: Vec<u32>,
    /// How long to measure, such as 500ms, 30s or 1m30s
    #[arg(long = "for", value_name = "DURATION", default_value = "30s", value_parser = units::duration)]
    duration: Duration,
    /// How long frames flow before they count
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = units::duration)]
    warm_up: Duration,
}

impl Load {
    /// Every scenario that the lists make.
    ///
    /// # Errors
    /// [`Failure::Usage`] when one of them cannot be carried out.
    pub(super) fn plans(&self) -> Result<Vec<Plan>, Failure> {
        let base = Plan {
            publishers: self.publishers,
            duration: self.duration,
            warm_up: self.warm_up,
            ..Plan::default()
        };
        let matrix = Matrix {
            base,
            frame_bytes: self.size.clone(),
            rates: self.rate.clone(),
            tracks: self.tracks.clone(),
            subscribers: self.subscribers.clone(),
        };
        matrix.plans().map_err(|error| Failure::Usage(error.to_string()))
    }
}
