//! What each data track's publisher has sent, for those who watch the server. Only if so configured.

use std::sync::Arc;

use super::Room;
use crate::control::{RouteChange, TrackKey, TrackMeter, WorkerId};

/// A data track at one moment.
#[derive(Debug, Clone)]
pub struct TrackFigures {
    /// Who publishes it.
    pub publisher: String,
    /// Its name.
    pub name: String,
    /// How many want it.
    pub subscribers: usize,
    /// What has come of it.
    pub meter: Arc<TrackMeter>,
}

impl Room {
    /// The data tracks that are metered, in no order.
    pub fn track_figures(&self) -> impl Iterator<Item = TrackFigures> {
        self.tracks.iter().filter_map(|track| {
            Some(TrackFigures {
                publisher: self.members.get(track.publisher)?.identity().to_owned(),
                name: track.info.name.clone(),
                subscribers: track.wanted.len(),
                meter: Arc::clone(track.meter.as_ref()?),
            })
        })
    }

    /// Has a new track's worker count its packets.
    pub(super) fn meter_track(&mut self, track: TrackKey, worker: WorkerId) -> Option<Arc<TrackMeter>> {
        let meter = self.config.meter_tracks.then(Arc::<TrackMeter>::default)?;
        self.route(worker, RouteChange::MeterTrack { track, meter: Arc::clone(&meter) });
        Some(meter)
    }
}
