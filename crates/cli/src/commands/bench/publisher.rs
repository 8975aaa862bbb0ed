//! Publishers, and the threads that push their frames when these are due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use anyhow::Context;
use trackyard::{DataTrackFrame, LocalDataTrack, Room};
use trackyard_bench::measure::{Latency, SendMeter};
use trackyard_bench::pacing::{Due, Pacer};
use trackyard_bench::plan::{Plan, PlanError};

use super::guests::Guests;
use super::stage::Stage;
use crate::connection::Role;
use crate::failure::Failure;

/// A client that publishes.
pub(super) struct Publisher {
    pub(super) room: Room,
    number: u32,
    /// In the order of the plan.
    pub(super) tracks: Vec<LocalDataTrack>,
}

/// The frames of a publisher, as they become due.
pub(super) struct Pushing {
    pacer: Pacer,
    pub(super) meter: SendMeter,
    /// Number of the first track.
    first: u32,
    tracks: Vec<LocalDataTrack>,
}

/// What a track is called: nothing else in the room is.
pub(super) fn track_name(run: u64, track: u32) -> String {
    format!("bench/{run:016x}/{track}")
}

impl Publisher {
    /// Joins and publishes its tracks.
    ///
    /// # Errors
    /// Why either did not come about.
    pub(super) async fn join(guests: Guests, plan: Plan, (run, number): (u64, u32)) -> Result<Self, Failure> {
        let room = guests.join(Role::Publisher, &format!("-pub-{number}")).await?;
        let mut tracks = Vec::new();
        for track in plan.tracks_of(number) {
            let published = room.local_participant().publish_data_track(track_name(run, track)).await;
            tracks.push(published.context("a track cannot be published")?);
        }
        Ok(Self { room, number, tracks })
    }

    /// What it has to send.
    pub(super) fn pushing(&self, plan: &Plan, seed: u64) -> Result<Pushing, PlanError> {
        Ok(Pushing {
            pacer: Pacer::new(plan, self.number, seed)?,
            meter: SendMeter::new(plan, self.number)?,
            first: plan.tracks_of(self.number).start,
            tracks: self.tracks.clone(),
        })
    }
}

impl Pushing {
    /// How late its frames were pushed.
    pub(super) fn lateness(&self) -> &Latency {
        self.pacer.lateness()
    }

    fn push(&mut self, stage: &Stage, due: &Due) {
        let stamp =
            trackyard_bench::payload::Stamp { track: due.track, number: due.number, intended: due.intended };
        let track = self.tracks.get((due.track - self.first) as usize);
        let frame = stage.payloads.frame(&stamp, stage.plan.frame_bytes).ok();
        let pushed = track.zip(frame).map(|(track, frame)| track.try_push(DataTrackFrame::new(frame)));
        if matches!(pushed, Some(Ok(()))) {
            self.meter.sent(due.track, due.number);
            stage.count(|interval| interval.sent());
        } else {
            self.meter.refused(due.track, due.number);
            stage.count(|interval| interval.refused());
        }
    }
}

/// Pushes the frames of several publishers when they are due, until there are none or the run is over.
pub(super) fn push_all(stage: &Stage, mut publishers: Vec<Pushing>) -> Vec<Pushing> {
    let wakes = publishers.iter().enumerate();
    let mut turns: BinaryHeap<Reverse<(Duration, usize)>> =
        wakes.filter_map(|(index, pushing)| Some(Reverse((pushing.pacer.next_wake()?, index)))).collect();
    while let Some(Reverse((moment, index))) = turns.pop() {
        if !stage.wait_until(moment) {
            break;
        }
        let pushing = &mut publishers[index];
        if let Some(due) = pushing.pacer.poll(stage.now()) {
            pushing.push(stage, &due);
        }
        turns.extend(pushing.pacer.next_wake().map(|wake| Reverse((wake, index))));
    }
    publishers
}
