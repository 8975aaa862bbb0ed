//! What subscribers get when a publisher vanishes: the last frame of each track that has left one.
//!
//! Anything counts as vanishing but the publisher's own `leave` and `unpublish`, a newer session of its
//! identity, and the end of the room: it also does when an administrator removes it or takes its permission
//! away. A will goes out as a frame of its track, and clients drop frames of tracks that they know have ended.
//! So the end of the track is announced only after the will has had time to get through, and its routes stay even
//! longer; everything else about the departure happens at once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use trackyard_lanes::{LaneRules, Policy};
use trackyard_proto::ParticipantInfo;

use super::Room;
use super::timers::Timer;
use super::track::Track;
use crate::control::{PeerId, RouteChange, TrackKey, WorkerId};

/// A will has so long to get through before its track's end is announced.
const ANNOUNCED_AFTER: Duration = Duration::from_millis(200);
/// Behind what a slow path holds it may take longer: clients of ours still take it after the announcement, so its
/// lanes stay for so long.
const LANES_KEPT: Duration = Duration::from_secs(2);
/// Where frames queue, a will finds a place behind so many.
const FRAMES_WAITING_MAX: u16 = 16;

/// What is put off until wills have had their time, in that order.
#[derive(Debug, Default)]
pub(super) struct LastWills {
    routes: VecDeque<(Instant, (TrackKey, Vec<WorkerId>))>,
    departed: VecDeque<(Instant, Arc<ParticipantInfo>)>,
}

impl LastWills {
    /// That this identity has left is no news any more.
    pub(super) fn forget_departure(&mut self, identity: &str) {
        self.departed.retain(|(_, info)| info.identity != identity);
    }

    fn next(&self) -> Option<Instant> {
        let routes = self.routes.front().map(|(at, _)| *at);
        let departed = self.departed.front().map(|(at, _)| *at);
        [routes, departed].into_iter().flatten().min()
    }
}

impl Room {
    /// What the track's publisher has left, if there is anyone to get it.
    pub(super) fn last_will(&self, key: TrackKey, track: &Track) -> Option<Bytes> {
        let publisher = self.members.get(track.publisher).filter(|_| !track.wanted.is_empty())?;
        publisher.published.last_will(key).cloned()
    }

    /// Sends a will to the track's subscribers, whom these workers serve.
    pub(super) fn send_last_will(
        &mut self,
        track: TrackKey,
        (packet, lane): (Bytes, LaneRules),
        workers: Vec<WorkerId>,
    ) {
        self.counters.last_wills += 1;
        let rules = rules(lane);
        for worker in &workers {
            self.route(*worker, RouteChange::LastWill { track, packet: packet.clone(), rules });
        }
        let until = self.put_off(LANES_KEPT);
        self.last_wills.routes.push_back((until, (track, workers)));
    }

    /// Others are told that a participant has left once its wills have had their time.
    pub(super) fn announce_after_last_wills(&mut self, info: Arc<ParticipantInfo>) {
        let until = self.put_off(ANNOUNCED_AFTER);
        self.last_wills.departed.push_back((until, info));
    }

    /// Others are told of what has changed about a participant once its wills have had their time.
    pub(super) fn hold_announcement(&mut self, peer: PeerId) {
        let until = self.now.instant + ANNOUNCED_AFTER;
        if let Some(member) = self.members.get_mut(peer) {
            member.announced.hold(until);
        }
    }

    /// Wills have had their time.
    pub(super) fn last_wills_due(&mut self) {
        let now = self.now.instant;
        while let Some((track, workers)) = take_due(&mut self.last_wills.routes, now) {
            for worker in workers {
                self.route(worker, RouteChange::RemoveTrack { track });
            }
        }
        let due = std::iter::from_fn(|| take_due(&mut self.last_wills.departed, now));
        let due: Vec<_> = due.collect();
        self.depart_now(due);
        if let Some(at) = self.last_wills.next() {
            self.timers.set(Timer::LastWills, at);
        }
    }

    /// Nothing is put off any longer.
    pub(super) fn end_last_wills(&mut self) {
        let now = self.now.instant;
        self.last_wills.routes.iter_mut().for_each(|(at, _)| *at = now);
        self.last_wills.departed.iter_mut().for_each(|(at, _)| *at = now);
        self.timers.cancel(Timer::LastWills);
        self.last_wills_due();
    }

    fn put_off(&mut self, duration: Duration) -> Instant {
        let until = self.now.instant + duration;
        self.timers.set_by(Timer::LastWills, until);
        until
    }
}

/// What has been put off longest, if its time has come.
fn take_due<T>(queue: &mut VecDeque<(Instant, T)>, now: Instant) -> Option<T> {
    queue.front().filter(|(at, _)| *at <= now)?;
    queue.pop_front().map(|(_, due)| due)
}

/// The track's rules, but that a will is neither dropped nor too old, and takes the place of what waits before it
/// wherever newer frames do.
fn rules(lane: LaneRules) -> LaneRules {
    let policy = match lane.policy {
        Policy::Queue(frames) => Policy::Queue(frames.max(FRAMES_WAITING_MAX)),
        _ => Policy::Latest,
    };
    LaneRules { policy, age_max: lane.age_max.max(LANES_KEPT), max_hz: None, ..lane }
}
