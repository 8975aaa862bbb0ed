//! Clients that only want to be left alone: a publisher at 100 Hz and two subscribers, on a thread of their own,
//! so that what is measured is not how busy the soak itself is.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::runtime::Runtime;
use tokio::time::interval;
use trackyard::{
    DataPublishOptions, DataTrackFrame, DataTrackStream, DataTrackSubscribeOptions, LocalDataTrack, Room,
    RoomEvent, RoomEvents,
};
use trackyard_bench::soak::{BystanderReport, Ledger};

use super::site::{PATIENT_TRACK, Site, until};

/// How many they are.
pub(super) const BYSTANDERS: u64 = 3;
/// Frames a second.
pub(super) const FRAMES_HZ: u64 = 100;
/// Reliable packets a second.
pub(super) const PACKETS_HZ: u64 = 10;
const SUBSCRIBERS: usize = 2;
const ROOM: &str = "bystanders";
const FRAME_BYTES: usize = 100;
/// A number and the moment it was due.
const STAMP_BYTES: usize = 16;
/// Frames of 40 s wait for a subscriber at most.
const BUFFER_FRAMES: usize = 4_096;
/// What was sent before a look has come by then, or is lost.
const ARRIVES_WITHIN: Duration = Duration::from_secs(3);
const BEGINS_WITHIN: Duration = Duration::from_secs(20);

/// Clients that only want to be left alone; gone when dropped.
pub(super) struct Bystanders {
    runtime: Option<Runtime>,
    flow: Arc<Flow>,
}

/// What they have sent and seen.
#[derive(Debug)]
struct Flow {
    epoch: Instant,
    frames: AtomicU64,
    packets: AtomicU64,
    seen: [Seen; SUBSCRIBERS],
    /// Interruptions of the publisher's connection.
    interruptions: AtomicU64,
    /// Packets of which the publisher was told that nobody knows whether they have arrived.
    unconfirmed: AtomicU64,
}

/// What a subscriber has seen.
#[derive(Debug, Default)]
struct Seen {
    frames: Mutex<Ledger>,
    silence: Mutex<Silence>,
    packets: Mutex<Ledger>,
    interruptions: AtomicU64,
}

/// The longest time without a frame.
#[derive(Debug, Default)]
struct Silence {
    /// When the last one came.
    since: Option<Instant>,
    longest: Duration,
}

/// Where they were at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    at: Instant,
    frames: u64,
    packets: u64,
    repeated: [u64; SUBSCRIBERS],
    interruptions: [u64; SUBSCRIBERS],
    unconfirmed: u64,
}

impl Bystanders {
    /// Lets them join, and waits until everything flows.
    ///
    /// # Errors
    /// When it does not.
    pub(super) async fn join(site: &Arc<Site>) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("bystanders")
            .enable_all()
            .build()
            .context("threads cannot be started")?;
        let seen = std::array::from_fn(|_| Seen::default());
        let [frames, packets, interruptions, unconfirmed] = std::array::from_fn(|_| AtomicU64::new(0));
        let flow = Flow { epoch: Instant::now(), frames, packets, seen, interruptions, unconfirmed };
        let bystanders = Self { runtime: Some(runtime), flow: Arc::new(flow) };
        let (site, flow) = (Arc::clone(site), Arc::clone(&bystanders.flow));
        let runtime = bystanders.runtime.as_ref().context("there is a runtime until they are dropped")?;
        runtime
            .spawn(async move { begin(&site, &flow).await })
            .await
            .context("a bystander has panicked")??;
        let flow = &bystanders.flow;
        let flows = move || async move { Ok(flow.seen.iter().all(Seen::has_begun)) };
        ensure!(until(BEGINS_WITHIN, flows).await?, "bystanders see nothing of each other");
        Ok(bystanders)
    }

    /// Where they are now. What they have seen of ages so far is forgotten.
    pub(super) fn mark(&self) -> Mark {
        self.flow.seen.iter().for_each(|seen| drop(lock(&seen.frames).take_ages()));
        self.flow.mark()
    }

    /// What each subscriber has seen of what was sent since.
    pub(super) async fn seen_since(&self, mark: &Mark) -> Vec<BystanderReport> {
        let now = self.flow.mark();
        let has_all = move |seen: &Seen| {
            lock(&seen.frames).next() >= now.frames && lock(&seen.packets).next() >= now.packets
        };
        // What has not come by then is lost, and counted so.
        let _ = until(ARRIVES_WITHIN, move || async move { Ok(self.flow.seen.iter().all(has_all)) }).await;
        let reports = self.flow.seen.iter().enumerate();
        reports.map(|(number, seen)| seen.report(number, (mark, &now))).collect()
    }

    /// Packets of which nobody knows whether they have arrived, as the publisher was told since.
    pub(super) fn unconfirmed_since(&self, mark: &Mark) -> u64 {
        self.flow.unconfirmed.load(Ordering::Relaxed) - mark.unconfirmed
    }

    /// Waits until frames that are sent from now on reach both.
    ///
    /// # Errors
    /// Never.
    pub(super) async fn flows(&self, limit: Duration) -> anyhow::Result<bool> {
        let from = self.flow.frames.load(Ordering::Relaxed);
        until(
            limit,
            move || async move { Ok(self.flow.seen.iter().all(|seen| lock(&seen.frames).next() > from)) },
        )
        .await
    }

    /// The longest that one of them has had no frame, until now or since this was last asked.
    pub(super) fn take_silence(&self) -> Duration {
        let silences = self.flow.seen.iter().map(|seen| lock(&seen.silence).take());
        silences.max().unwrap_or_default()
    }

    /// Interruptions of all three together.
    pub(super) fn interruptions(&self) -> u64 {
        let seen = self.flow.seen.iter().map(|seen| seen.interruptions.load(Ordering::Relaxed));
        seen.sum::<u64>() + self.flow.interruptions.load(Ordering::Relaxed)
    }
}

impl Drop for Bystanders {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // What they still have to say is said to nobody.
            runtime.shutdown_background();
        }
    }
}

impl Flow {
    fn mark(&self) -> Mark {
        let interruptions = self.interruptions.load(Ordering::Relaxed);
        let of = |count: fn(&Seen) -> u64| self.seen.each_ref().map(count);
        Mark {
            at: Instant::now(),
            frames: self.frames.load(Ordering::Relaxed),
            packets: self.packets.load(Ordering::Relaxed),
            repeated: of(|seen| lock(&seen.packets).repeated()),
            interruptions: of(|seen| seen.interruptions.load(Ordering::Relaxed))
                .map(|own| own + interruptions),
            unconfirmed: self.unconfirmed.load(Ordering::Relaxed),
        }
    }
}

impl Seen {
    fn has_begun(&self) -> bool {
        lock(&self.frames).received() > 0 && lock(&self.packets).received() > 0
    }

    fn report(&self, number: usize, (before, now): (&Mark, &Mark)) -> BystanderReport {
        let range = |count: fn(&Mark) -> u64| -> Range<u64> { count(before)..count(now) };
        let (frames, packets) = (range(|mark| mark.frames), range(|mark| mark.packets));
        let ages = lock(&self.frames).take_ages();
        let ms = |age: Duration| (age.as_secs_f64() * 1e5).round() / 1e2;
        BystanderReport {
            watched_s: now.at.duration_since(before.at).as_secs_f64(),
            frames_sent: frames.end - frames.start,
            frames_lost: lock(&self.frames).lost_in(&frames),
            packets_sent: packets.end - packets.start,
            packets_lost: lock(&self.packets).lost_in(&packets),
            packets_repeated: now.repeated[number] - before.repeated[number],
            interruptions: now.interruptions[number] - before.interruptions[number],
            age_p50_ms: ages.quantile(0.5).map(ms),
            age_p99_ms: ages.quantile(0.99).map(ms),
            age_max_ms: ages.max().map(ms),
        }
    }
}

/// Joins and begins to send.
async fn begin(site: &Site, flow: &Arc<Flow>) -> anyhow::Result<()> {
    let (publisher, events) = site.join("publisher", ROOM).await?;
    tokio::spawn(watch(Arc::clone(flow), events));
    let track = publisher.local_participant().publish_data_track(PATIENT_TRACK).await?;
    for number in 0..SUBSCRIBERS {
        let (room, events) = site.join(&format!("subscriber-{number}"), ROOM).await?;
        let found = room.data_tracks_of("publisher").get_deferred("pose").await;
        let options = DataTrackSubscribeOptions::new().with_buffer_size(BUFFER_FRAMES);
        let frames = found.context("the room is closed")?.subscribe_with_options(options).await?;
        tokio::spawn(subscriber(Arc::clone(flow), number, (room, events, frames)));
    }
    tokio::spawn(publish(Arc::clone(flow), publisher, track));
    Ok(())
}

async fn watch(flow: Arc<Flow>, mut events: RoomEvents) {
    while let Ok(event) = events.recv().await {
        match event {
            RoomEvent::Reconnecting => {
                flow.interruptions.fetch_add(1, Ordering::Relaxed);
            }
            RoomEvent::DataUnconfirmed { packets } => {
                flow.unconfirmed.fetch_add(packets as u64, Ordering::Relaxed);
            }
            _ => {}
        }
    }
}

/// Pushes frames and packets when they are due, and counts those that are taken.
async fn publish(flow: Arc<Flow>, room: Room, track: LocalDataTrack) {
    let participant = room.local_participant();
    let frames = async {
        let mut due = interval(Duration::from_secs(1) / u32::try_from(FRAMES_HZ).unwrap_or(1));
        loop {
            let at = due.tick().await.into_std();
            let number = flow.frames.load(Ordering::Relaxed);
            if track.try_push(DataTrackFrame::new(flow.stamp(number, at))).is_ok() {
                flow.frames.store(number + 1, Ordering::Relaxed);
            }
        }
    };
    let packets = async {
        let mut due = interval(Duration::from_secs(1) / u32::try_from(PACKETS_HZ).unwrap_or(1));
        loop {
            let at = due.tick().await.into_std();
            let number = flow.packets.load(Ordering::Relaxed);
            if participant.publish_data(flow.stamp(number, at), DataPublishOptions::reliable()).await.is_ok()
            {
                flow.packets.store(number + 1, Ordering::Relaxed);
            }
        }
    };
    tokio::join!(frames, packets);
}

async fn subscriber(
    flow: Arc<Flow>,
    number: usize,
    (_room, mut events, mut frames): (Room, RoomEvents, DataTrackStream),
) {
    let seen = &flow.seen[number];
    loop {
        tokio::select! {
            frame = frames.next() => match frame {
                Some(frame) => {
                    lock(&seen.silence).end();
                    flow.record(&seen.frames, frame.payload());
                }
                None => return,
            },
            event = events.recv() => match event {
                Ok(RoomEvent::DataReceived(data)) => flow.record(&seen.packets, &data.payload),
                Ok(RoomEvent::Reconnecting) => {
                    seen.interruptions.fetch_add(1, Ordering::Relaxed);
                }
                Ok(_) => {}
                Err(_) => return,
            },
        }
    }
}

impl Silence {
    /// A frame has come.
    fn end(&mut self) {
        let now = Instant::now();
        let since = self.since.replace(now);
        self.longest = self.longest.max(since.map_or(Duration::ZERO, |since| now - since));
    }

    /// The longest one, and begins to look for another.
    fn take(&mut self) -> Duration {
        let current = self.since.map_or(Duration::ZERO, |since| since.elapsed());
        std::mem::take(&mut self.longest).max(current)
    }
}

impl Flow {
    fn stamp(&self, number: u64, at: Instant) -> Vec<u8> {
        let micros = u64::try_from(at.saturating_duration_since(self.epoch).as_micros()).unwrap_or(u64::MAX);
        let mut bytes = [number.to_be_bytes(), micros.to_be_bytes()].concat();
        bytes.resize(FRAME_BYTES, 0);
        bytes
    }

    /// What is none of ours is nobody's.
    fn record(&self, ledger: &Mutex<Ledger>, payload: &[u8]) {
        let Some((number, micros)) = payload.get(..STAMP_BYTES).and_then(|stamp| {
            let (number, micros) = stamp.split_at(STAMP_BYTES / 2);
            Some((u64::from_be_bytes(number.try_into().ok()?), u64::from_be_bytes(micros.try_into().ok()?)))
        }) else {
            return;
        };
        let age = self.epoch.elapsed().saturating_sub(Duration::from_micros(micros));
        lock(ledger).record(number, age);
    }
}

/// Whoever panics while holding a lock here has left numbers, at worst.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
