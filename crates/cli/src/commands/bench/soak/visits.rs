//! Clients that come, publish, and go.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::task::JoinSet;
use tokio::time::timeout;
use trackyard::{DataPublishOptions, DataTrackFrame, RoomOptions};
use trackyard_bench::soak::JoinsReport;

use super::site::Site;

/// Clients that are there at the same time.
pub(super) const AT_ONCE: usize = 8;
const ROOMS: u64 = 10;
/// A visit takes no longer.
const VISIT_MAX: Duration = Duration::from_secs(30);
/// How often one is tried: what is tested does not let everybody in at the first try.
const TRIES: u32 = 8;
const PAUSE: Duration = Duration::from_millis(500);

/// Visits that go on in the background; cut short when dropped.
pub(super) struct Visits {
    tasks: JoinSet<()>,
    tally: Arc<Tally>,
}

/// What has become of visits.
#[derive(Debug)]
struct Tally {
    asked: u64,
    next: AtomicU64,
    done: AtomicU64,
    repeated: AtomicU64,
    failed: AtomicU64,
    /// Why one failed last.
    why: Mutex<Option<String>>,
    began: Instant,
    ended: Mutex<Option<Instant>>,
}

impl Visits {
    /// So many visits, each in the name of a guest of its own.
    pub(super) fn begin(site: &Arc<Site>, asked: u64, guest: &'static str) -> Self {
        let count = || AtomicU64::new(0);
        let tally = Tally {
            asked,
            next: count(),
            done: count(),
            repeated: count(),
            failed: count(),
            why: Mutex::default(),
            began: Instant::now(),
            ended: Mutex::default(),
        };
        let tally = Arc::new(tally);
        let mut tasks = JoinSet::new();
        for _ in 0..AT_ONCE {
            tasks.spawn(repeat(Arc::clone(site), Arc::clone(&tally), guest));
        }
        Self { tasks, tally }
    }

    /// Waits until all have been.
    ///
    /// # Errors
    /// When one has panicked.
    pub(super) async fn all(&mut self) -> anyhow::Result<()> {
        while let Some(ended) = self.tasks.join_next().await {
            ended.context("a visitor has panicked")?;
        }
        let mut at = self.tally.ended.lock().unwrap_or_else(PoisonError::into_inner);
        at.get_or_insert_with(Instant::now);
        Ok(())
    }

    /// How many have been so far.
    pub(super) fn done(&self) -> u64 {
        self.tally.done.load(Ordering::Relaxed)
    }

    /// Counts them, for whoever outlives this.
    pub(super) fn counter(&self) -> impl Fn() -> u64 + Send + use<> {
        let tally = Arc::clone(&self.tally);
        move || tally.done.load(Ordering::Relaxed)
    }

    /// Whether all have been, or failed.
    pub(super) fn is_over(&self) -> bool {
        self.done() + self.tally.failed.load(Ordering::Relaxed) >= self.tally.asked
    }

    /// What has become of them so far.
    pub(super) fn report(&self) -> JoinsReport {
        let tally = &self.tally;
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let ended = *tally.ended.lock().unwrap_or_else(PoisonError::into_inner);
        JoinsReport {
            asked: tally.asked,
            done: load(&tally.done),
            repeated: load(&tally.repeated),
            failed: load(&tally.failed),
            took_s: ended.unwrap_or_else(Instant::now).duration_since(tally.began).as_secs_f64(),
        }
    }

    /// Why one failed last, if one did.
    pub(super) fn why(&self) -> Option<String> {
        self.tally.why.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn repeat(site: Arc<Site>, tally: Arc<Tally>, guest: &'static str) {
    loop {
        let number = tally.next.fetch_add(1, Ordering::Relaxed);
        if number >= tally.asked {
            return;
        }
        visit_until_done(&site, &tally, (guest, number)).await;
    }
}

async fn visit_until_done(site: &Site, tally: &Tally, (guest, number): (&str, u64)) {
    for _ in 0..TRIES {
        let why = match timeout(VISIT_MAX, visit(site, guest, number)).await {
            Ok(Ok(())) => {
                tally.done.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => format!("a visit took more than {VISIT_MAX:?}"),
        };
        tally.repeated.fetch_add(1, Ordering::Relaxed);
        *tally.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        tokio::time::sleep(PAUSE).await;
    }
    tally.failed.fetch_add(1, Ordering::Relaxed);
}

/// Joins in one of ten rooms, in either mode, says something in each way, and leaves.
async fn visit(site: &Site, guest: &str, number: u64) -> anyhow::Result<()> {
    let options = RoomOptions::new().with_single_peer_connection(number.is_multiple_of(2));
    let (identity, room) = (format!("{guest}-{number}"), format!("{guest}s-{}", number % ROOMS));
    let (room, _events) = site.join_at(site.http, (&identity, &room), options).await?;
    let participant = room.local_participant();
    let track = participant.publish_data_track("pose").await?;
    track.try_push(DataTrackFrame::new("here"))?;
    participant.publish_data("here", DataPublishOptions::reliable()).await?;
    room.close().await;
    Ok(())
}
