//! What happens in a run once everybody is there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use trackyard::QueueStats;
use trackyard_bench::measure::Series;

use super::{Cast, Setup};
use crate::commands::bench::publisher::{Pushing, push_all};
use crate::commands::bench::readers::Readers;
use crate::commands::bench::stage::Stage;
use crate::commands::bench::watch::Used;
use crate::failure::Failure;
use crate::interrupt::Interrupt;

/// Between two lines of progress.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a sender that has fallen behind goes on after the end of the plan.
const OVERTIME: Duration = Duration::from_millis(500);
/// When nothing has come for so long, nothing more comes.
const QUIET: Duration = Duration::from_millis(500);
/// How long frames that were sent may still come.
const SETTLE_MAX: Duration = Duration::from_secs(15);
/// How often it is looked whether they have.
const SETTLE_INTERVAL: Duration = Duration::from_millis(20);

/// What has happened.
pub(super) struct Played {
    pub(super) pushed: Vec<Pushing>,
    pub(super) buffers: Vec<QueueStats>,
    pub(super) series: Series,
    pub(super) used: Used,
    /// Intact frames while processes were watched.
    pub(super) frames_watched: u64,
    /// Packets that subscribers received meanwhile.
    pub(super) packets_watched: u64,
    /// When it was interrupted.
    pub(super) cut_at: Option<Duration>,
    lost: usize,
}

impl Played {
    /// What is to be said of clients that are gone.
    pub(super) fn lost_note(&self) -> Option<String> {
        (self.lost > 0).then(|| format!("{} clients were not connected any more at the end", self.lost))
    }
}

/// Sends and receives everything.
///
/// # Errors
/// When one of our own tasks has panicked.
pub(super) async fn play(
    setup: &Setup,
    (stage, seed): (&Arc<Stage>, u64),
    (cast, interrupt): (&mut Cast, &mut Interrupt),
) -> Result<Played, Failure> {
    let pushing = cast.publishers.iter().map(|publisher| publisher.pushing(&stage.plan, seed));
    let pushing: Vec<Pushing> = pushing.collect::<Result<_, _>>().context("the plan cannot be paced")?;
    let readers = Readers::start(stage, &mut cast.subscribers);
    stage.begin();
    let before = setup.watch.look(stage.now());
    let mut series = Series::default();
    let (pushed, cut_at) = send(stage, pushing, (&mut series, interrupt, setup.shows_progress)).await?;
    let after = setup.watch.look(stage.now());
    let (frames_watched, packets_watched) = (cast.intact_count(), cast.packet_count());
    settle(setup, cast, &pushed).await;
    series.push(stage.take_interval());
    let lost = cast.lost_count();
    let (buffers, used) = (readers.end().await?, setup.watch.used(&before, &after));
    Ok(Played { pushed, buffers, series, used, frames_watched, packets_watched, cut_at, lost })
}

/// Sends until everything is sent, it takes too long, or it is interrupted.
async fn send(
    stage: &Arc<Stage>,
    pushing: Vec<Pushing>,
    (series, interrupt, shows_progress): (&mut Series, &mut Interrupt, bool),
) -> Result<(Vec<Pushing>, Option<Duration>), Failure> {
    let mut threads = JoinSet::new();
    for share in shares(pushing) {
        let stage = Arc::clone(stage);
        threads.spawn_blocking(move || push_all(&stage, share));
    }
    let (mut pushed, mut cut_at) = (Vec::new(), None);
    let end = stage.at(stage.plan.warm_up + stage.plan.duration + OVERTIME);
    let mut overtime = std::pin::pin!(tokio::time::sleep_until(end.into()));
    let mut is_over = false;
    let mut lines = tokio::time::interval_at(stage.at(INTERVAL).into(), INTERVAL);
    lines.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = interrupt.wait(), if cut_at.is_none() => {
                cut_at = Some(stage.now());
                stage.end();
            }
            () = &mut overtime, if !is_over => {
                is_over = true;
                stage.end();
            }
            _ = lines.tick() => {
                let interval = stage.take_interval();
                series.push(interval);
                if shows_progress {
                    say!("{interval}");
                }
            }
            done = threads.join_next() => match done {
                Some(done) => pushed.extend(done.context("a publisher's thread has ended")?),
                None => return Ok((pushed, cut_at)),
            },
        }
    }
}

/// As many shares as threads, which leave a core to everybody else.
fn shares(pushing: Vec<Pushing>) -> Vec<Vec<Pushing>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.saturating_sub(1).clamp(1, pushing.len().max(1));
    let mut shares: Vec<Vec<Pushing>> = (0..threads).map(|_| Vec::new()).collect();
    for (number, one) in pushing.into_iter().enumerate() {
        shares[number % threads].push(one);
    }
    shares
}

/// Waits until everything has come that still comes.
async fn settle(setup: &Setup, cast: &Cast, pushed: &[Pushing]) {
    let sent: u64 = pushed.iter().map(|pushing| pushing.meter.sent_count()).sum();
    let expected = sent * cast.subscribers.len() as u64;
    let quiet = setup.links.as_ref().map_or(QUIET, |links| QUIET + links.patience());
    let (begin, mut last_change, mut received) = (Instant::now(), Instant::now(), cast.received_count());
    while received < expected && last_change.elapsed() < quiet && begin.elapsed() < SETTLE_MAX {
        tokio::time::sleep(SETTLE_INTERVAL).await;
        let now = cast.received_count();
        if now != received {
            (received, last_change) = (now, Instant::now());
        }
    }
}
