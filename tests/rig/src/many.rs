//! Many tracks at once, as a client with a bounded number of unanswered requests sees them.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use trackyard_proto::ParticipantInfo;
use trackyard_sim::client::ClientEvent;

use crate::live::{LiveClient, LiveConfig};

/// Every step happens within this, or never; generous, as the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a client saw when it came last.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// From the first byte to the server until the join response was understood.
    pub took: Duration,
    /// All tracks of others, in the order of their lists.
    pub sids: Vec<String>,
}

impl LiveClient {
    /// Publishes a track under each handle, so many unanswered at most; how long it took.
    ///
    /// # Errors
    /// When an answer does not come in time.
    pub async fn publish_many(&mut self, handles: RangeInclusive<u16>, in_flight: usize) -> Result<Duration> {
        let (begun, mut wanted, mut unanswered) = (Instant::now(), handles, 0);
        loop {
            // Asked for in batches, so that this measures the server and not the way to the client's task.
            if unanswered <= in_flight / 2 {
                let batch: Vec<_> = wanted.by_ref().take(in_flight - unanswered).collect();
                unanswered += batch.len();
                self.act(move |client, _| {
                    batch.iter().for_each(|handle| client.publish(*handle, &track_name(*handle)));
                })?;
            }
            if unanswered == 0 {
                return Ok(begun.elapsed());
            }
            self.wait(PATIENCE, |_, event| matches!(event, ClientEvent::Published(_)).then_some(()))
                .await
                .context("publishing many tracks")?;
            unanswered -= 1;
        }
    }

    /// Subscribes to all of these at once, one request each, and waits for the last handle; how long it took.
    ///
    /// # Errors
    /// When one does not come in time.
    pub async fn subscribe_many(&mut self, sids: Vec<String>) -> Result<Duration> {
        let mut missing: HashSet<String> = sids.iter().cloned().collect();
        let begun = Instant::now();
        self.act(move |client, _| sids.iter().for_each(|sid| client.subscribe(sid)))?;
        let last = self.wait(PATIENCE, |at, event| {
            if let ClientEvent::Handle { handle, .. } = event {
                missing.remove(&handle.track.track_sid);
            }
            missing.is_empty().then_some(at)
        });
        Ok(last.await.context("subscribing to many tracks")? - begun)
    }

    /// Begins to join, and waits until the join response is understood.
    ///
    /// # Errors
    /// When it does not come in time.
    pub async fn arrive(config: LiveConfig) -> Result<(Self, Arrival)> {
        let begun = Instant::now();
        let mut client = Self::start(config).await?;
        let (took, others) = client
            .wait(PATIENCE, |at, event| match event {
                ClientEvent::Joined(join) => Some((at - begun, join.other_participants)),
                _ => None,
            })
            .await
            .context("joining a room with many tracks")?;
        let sids = others.iter().flat_map(|other| sids_of(other)).collect();
        Ok((client, Arrival { took, sids }))
    }
}

fn sids_of(participant: &ParticipantInfo) -> impl Iterator<Item = String> {
    participant.data_tracks.iter().map(|track| track.sid.clone())
}

/// What tracks are called: 11 bytes each.
#[must_use]
pub fn track_name(handle: u16) -> String {
    format!("track/{handle:05}")
}
