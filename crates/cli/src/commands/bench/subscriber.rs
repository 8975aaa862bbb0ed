//! Subscribers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, anyhow};
use trackyard::{DataTrackStream, DataTrackSubscribeOptions, RemoteDataTrack, Room};
use trackyard_bench::measure::SubscriberMeter;
use trackyard_bench::payload::ClockOffset;
use trackyard_bench::plan::Plan;

use super::guests::Guests;
use super::publisher::track_name;
use super::stage::lock;
use crate::connection::Role;
use crate::failure::Failure;

/// How long the announcement of a track may take.
const ANNOUNCED_WITHIN: Duration = Duration::from_secs(20);
/// Frames that wait to be looked at: those of a second, within bounds, so that what is measured is not how
/// promptly the measuring process is scheduled.
const BUFFER_FRAMES: std::ops::RangeInclusive<usize> = 16..=4_096;

/// A client that receives every track.
pub(super) struct Subscriber {
    pub(super) room: Room,
    pub(super) tracks: Vec<RemoteDataTrack>,
    /// Taken by those who read them.
    pub(super) streams: Vec<DataTrackStream>,
    pub(super) meter: Arc<Mutex<SubscriberMeter>>,
}

/// What there is to subscribe to.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub(super) plan: Plan,
    pub(super) run: u64,
    /// Identities, in order.
    pub(super) publishers: Arc<[String]>,
}

impl Subscriber {
    /// Joins and subscribes to every track.
    ///
    /// # Errors
    /// Why either did not come about.
    pub(super) async fn join(guests: Guests, offer: Offer, number: u32) -> Result<Self, Failure> {
        let meter = SubscriberMeter::new(&offer.plan, ClockOffset::default());
        let meter = meter.map_err(|error| Failure::Usage(error.to_string()))?;
        let room = guests.join(Role::Observer, &format!("-sub-{number}")).await?;
        let options = DataTrackSubscribeOptions::new().with_buffer_size(buffer_frames(&offer.plan));
        let (mut tracks, mut streams) = (Vec::new(), Vec::new());
        for (publisher, identity) in (0..).zip(offer.publishers.iter()) {
            for track in offer.plan.tracks_of(publisher) {
                let track = find(&room, identity, &track_name(offer.run, track)).await?;
                let stream = track.subscribe_with_options(options).await;
                streams.push(stream.context("a track cannot be subscribed to")?);
                tracks.push(track);
            }
        }
        Ok(Self { room, tracks, streams, meter: Arc::new(Mutex::new(meter)) })
    }

    /// Frames that counted and were received so far.
    pub(super) fn received_count(&self) -> u64 {
        lock(&self.meter).received_count()
    }

    /// Packets so far, warm-up included.
    pub(super) fn packet_count(&self) -> u64 {
        self.tracks.iter().filter_map(RemoteDataTrack::stats).map(|stats| stats.packets).sum()
    }

    /// Intact frames so far, warm-up included.
    pub(super) fn intact_count(&self) -> u64 {
        lock(&self.meter).intact_count()
    }
}

async fn find(room: &Room, publisher: &str, name: &str) -> Result<RemoteDataTrack, Failure> {
    let tracks = room.data_tracks_of(publisher);
    match tokio::time::timeout(ANNOUNCED_WITHIN, tracks.get_deferred(name)).await {
        Ok(Some(track)) => Ok(track),
        Ok(None) => Err(Failure::Failed(anyhow!("the room was closed while tracks were subscribed to"))),
        Err(_) => Err(Failure::Failed(anyhow!(
            "track `{name}` was not announced within {ANNOUNCED_WITHIN:?}: the server may be too old for data tracks"
        ))),
    }
}

fn buffer_frames(plan: &Plan) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within bounds afterwards")]
    let frames = plan.rate.hertz() as usize;
    frames.clamp(*BUFFER_FRAMES.start(), *BUFFER_FRAMES.end())
}
