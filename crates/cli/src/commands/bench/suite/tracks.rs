//! Many tracks of one participant: publishing them, knowing them, subscribing to them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use trackyard::{ConnectionState, DataTrackStream, LocalDataTrack, RemoteDataTrack, Room};
use trackyard_bench::suite::{Metric, Part};

use super::memory::leave;
use super::meter::{Figures, Meter, cpu_ms, growth_kib};
use super::subject::Subject;
use crate::connection::Role;
use crate::failure::Failure;

/// Requests to publish that are not answered yet at most.
const IN_FLIGHT: usize = 64;
/// Fewer tracks than this say nothing of what each takes.
const TRACKS_WEIGHED_MIN: u32 = 100;
/// How long all of anything may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether a connection holds.
const LOOK: Duration = Duration::from_millis(2);

/// Publishes so many while another watches; then a third joins.
///
/// # Errors
/// When not all are published, or announced to the others.
pub(super) async fn publish(subject: &Subject, count: u32, settle: Duration) -> Result<Part, Failure> {
    let entrance = subject.entrance();
    let (publisher, _events) = entrance.join(Role::Publisher, "-publisher").await?;
    let (watcher, _events) = entrance.join(Role::Observer, "-watcher").await?;
    let identity = publisher.local_participant().identity();
    // The first one brings into memory what the server needs for any.
    let first = publisher.local_participant().publish_data_track("first").await;
    let first = first.context("a track cannot be published")?;
    tokio::time::sleep(settle).await;
    let mut figures = Figures::default();
    let (mut publishing, whole) = (Meter::start(subject.watch()?), Meter::start(subject.watch()?));
    let (heard, begun) = (watcher.stats().signal_bytes, Instant::now());
    let tracks = publish_all(&publisher, count).await?;
    figures.since(Metric::PublishMs, begun);
    known(&watcher, &identity, count).await?;
    figures.since(Metric::WatcherKnowsMs, begun);
    figures.add(Metric::PublishCpuMs, cpu_ms(publishing.lap(), 1));
    tokio::time::sleep(settle).await;
    let said = watcher.stats().signal_bytes - heard;
    figures.add(Metric::WatcherKb, said as f64 / 1e3);
    // Pages of memory are coarser than a few tracks.
    let rss = growth_kib(whole.used(), count).filter(|_| count >= TRACKS_WEIGHED_MIN);
    figures.add(Metric::RssPerTrackKib, rss);
    let begun = Instant::now();
    let (late, _events) = entrance.join(Role::Observer, "-late").await?;
    figures.since(Metric::LateConnectedMs, begun);
    known(&late, &identity, count).await?;
    figures.since(Metric::LateKnowsMs, begun);
    drop((first, tracks));
    leave(vec![late, watcher, publisher]).await;
    Ok(figures.part())
}

/// A late joiner subscribes to all of so many at once.
///
/// # Errors
/// When it does not get all of them.
pub(super) async fn subscribe(subject: &Subject, count: u32) -> Result<Part, Failure> {
    let entrance = subject.entrance();
    let (publisher, _events) = entrance.join(Role::Publisher, "-publisher").await?;
    let tracks = publish_all(&publisher, count).await?;
    let (late, _events) = entrance.join(Role::Observer, "-late").await?;
    let remote = known(&late, &publisher.local_participant().identity(), count).await?;
    let mut figures = Figures::default();
    let (meter, begun) = (Meter::start(subject.watch()?), Instant::now());
    let streams = subscribe_all(&late, remote).await?;
    figures.since(Metric::SubscribeMs, begun);
    figures.add(Metric::SubscribeCpuMs, cpu_ms(meter.used(), 1));
    drop((streams, tracks));
    leave(vec![late, publisher]).await;
    Ok(figures.part())
}

fn name(number: u32) -> String {
    format!("track/{number:05}")
}

async fn publish_all(publisher: &Room, count: u32) -> Result<Vec<LocalDataTrack>, Failure> {
    let (turns, mut publishing) = (Arc::new(Semaphore::new(IN_FLIGHT)), JoinSet::new());
    let mut tracks = Vec::new();
    let all = async {
        for number in 0..count {
            let turn = Arc::clone(&turns).acquire_owned().await;
            let own = publisher.local_participant();
            publishing.spawn(async move {
                let track = own.publish_data_track(name(number)).await;
                drop(turn);
                track
            });
        }
        while let Some(published) = publishing.join_next().await {
            tracks.push(published.context("a task has ended")?.context("a track cannot be published")?);
        }
        Ok::<(), anyhow::Error>(())
    };
    let done = timeout(PATIENCE, all).await;
    match done {
        Ok(done) => done.map(|()| tracks).map_err(Failure::from),
        Err(_) => Err(anyhow!("{} of {count} tracks published after {PATIENCE:?}", tracks.len()).into()),
    }
}

/// Waits until all are known, and gives them.
async fn known(room: &Room, publisher: &str, count: u32) -> Result<Vec<RemoteDataTrack>, Failure> {
    let (remote, mut tracks) = (room.data_tracks_of(publisher), Vec::new());
    let all = async {
        for number in 0..count {
            tracks.push(remote.get_deferred(&name(number)).await.context("the room was left")?);
        }
        Ok::<(), anyhow::Error>(())
    };
    match timeout(PATIENCE, all).await {
        Ok(known) => known.map(|()| tracks).map_err(Failure::from),
        Err(_) => Err(anyhow!("{} of {count} tracks known after {PATIENCE:?}", tracks.len()).into()),
    }
}

async fn subscribe_all(late: &Room, tracks: Vec<RemoteDataTrack>) -> Result<Vec<DataTrackStream>, Failure> {
    let (count, mut subscribing, mut streams) = (tracks.len(), JoinSet::new(), Vec::new());
    for track in tracks {
        subscribing.spawn(async move { track.subscribe().await });
    }
    let deadline = Instant::now() + PATIENCE;
    let mut looks = tokio::time::interval(LOOK);
    while streams.len() < count {
        tokio::select! {
            biased;
            done = subscribing.join_next() => match done {
                Some(Ok(Ok(stream))) => streams.push(stream),
                Some(Ok(Err(error))) => {
                    return Err(anyhow!("{} of {count} subscribed, then: {error}", streams.len()).into());
                }
                Some(Err(error)) => return Err(anyhow!(error).context("a task has ended").into()),
                None => break,
            },
            _ = looks.tick() => {
                if late.connection_state() != ConnectionState::Connected {
                    let text = format!("the connection ended after {} of {count} subscriptions", streams.len());
                    return Err(anyhow!(text).into());
                }
                if Instant::now() > deadline {
                    return Err(anyhow!("{} of {count} subscribed after {PATIENCE:?}", streams.len()).into());
                }
            }
        }
    }
    Ok(streams)
}
