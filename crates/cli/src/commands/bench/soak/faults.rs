//! Each fault once: what is done, and what has to hold meanwhile.

mod clock;
mod flaps;
mod full_disk;
mod garbage;
mod silent;
mod slow;
pub(super) mod workers;

use std::sync::Arc;
use std::time::Duration;

use trackyard::{DataTrackFrame, DataTrackStream, LocalDataTrack};
use trackyard_bench::soak::{Fact, Fault};

use super::bystanders::Bystanders;
use super::site::Site;

/// What faults work with.
#[derive(Clone)]
pub(super) struct Ground {
    pub(super) site: Arc<Site>,
    pub(super) bystanders: Arc<Bystanders>,
    /// For servers beside the one that is tested.
    pub(super) directory: std::path::PathBuf,
    pub(super) flaps: Vec<Duration>,
    /// Decides what is random.
    pub(super) seed: u64,
}

/// What has come of a fault.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) facts: Vec<Fact>,
    pub(super) broken: Vec<String>,
}

impl Findings {
    /// A figure; a unit is the last word of its name.
    fn tell(&mut self, name: impl Into<String>, value: f64) {
        self.facts.push(Fact { name: name.into(), value: (value * 1e3).round() / 1e3 });
    }

    /// What has to hold.
    fn expect(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(otherwise());
        }
    }

    fn add(&mut self, other: Self) {
        self.facts.extend(other.facts);
        self.broken.extend(other.broken);
    }
}

/// Does it, and finds out what came of it. What cannot even be tried is broken as well.
pub(super) async fn run(fault: Fault, ground: Ground) -> Findings {
    let findings = match fault {
        Fault::Flaps => flaps::run(&ground).await,
        Fault::Slow => slow::run(&ground).await,
        Fault::Silent => silent::run(&ground).await,
        Fault::Garbage => garbage::run(&ground).await,
        Fault::Workers => workers::run(&ground).await,
        Fault::Clock => clock::run(&ground).await,
        Fault::FullDisk => full_disk::run(&ground).await,
        // Those that go on all the while have no turn.
        _ => Ok(Findings::default()),
    };
    findings.unwrap_or_else(|error| Findings { broken: vec![format!("{error:#}")], ..Findings::default() })
}

/// Pushes frames until one arrives; what waited before does not count. Nothing if none does in time.
async fn flows(track: &LocalDataTrack, frames: &mut DataTrackStream, limit: Duration) -> Option<Duration> {
    let began = tokio::time::Instant::now();
    while frames.try_next().is_some() {}
    let mut pushes = tokio::time::interval(Duration::from_millis(20));
    let arrived = async {
        loop {
            tokio::select! {
                frame = frames.next() => return frame.is_some(),
                _ = pushes.tick() => {
                    // One that is not taken is what is being waited out.
                    let _ = track.try_push(DataTrackFrame::new("now"));
                }
            }
        }
    };
    let arrived = tokio::time::timeout(limit, arrived).await;
    arrived.is_ok_and(|arrived| arrived).then(|| began.elapsed())
}
