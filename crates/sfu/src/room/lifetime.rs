//! The room itself: its counts, what others are told of it, and when it ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use trackyard_proto::sid::{self, SidKind};
use trackyard_proto::signal::LeaveAction;
use trackyard_proto::{DisconnectReason, Response, RoomInfo};

use super::Room;
use super::admin::{AdminError, AdminReply, RoomChange};
use super::config::RoomConfig;
use super::io::Output;
use super::leave::Departure;
use super::members::Counts;
use super::timers::Timer;
use crate::control::{Now, PeerId};

/// Counts are told at most this often (protocol §7).
const COUNTS_PAUSE: Duration = Duration::from_secs(5);
/// What the room's state may cost each participant when it changes fast. Little of it is told at once whatever it costs.
const UPDATE_BYTES_PER_SECOND: u64 = 500_000;
const UPDATE_BYTES_FREE: u64 = 4_096;
/// A change is told no later than this.
const UPDATE_PAUSE_MAX: Duration = Duration::from_millis(250);
/// A room does not end while a join waits for the directory; it looks again after this.
const END_RETRY: Duration = Duration::from_secs(1);

/// What the room remembers of its own course.
#[derive(Debug, Default)]
pub(super) struct Lifetime {
    /// Someone who counts is there.
    occupied: bool,
    /// When the room's state was last told.
    told_at: Option<Instant>,
}

/// A room's state before anyone has come.
pub(super) fn first_info(config: &RoomConfig, random: &mut fastrand::Rng, now: Now) -> RoomInfo {
    RoomInfo {
        sid: sid::generate(SidKind::Room, |bound| random.u32(..bound)),
        name: config.name.clone(),
        empty_timeout_s: seconds(config.empty_timeout),
        departure_timeout_s: seconds(config.departure_timeout),
        max_participants: config.max_participants,
        creation_time_ms: now.unix_ms,
        metadata: config.metadata.clone(),
        num_participants: 0,
        num_publishers: 0,
        active_recording: false,
    }
}

fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

impl Room {
    /// The room's first steps.
    pub(super) fn begin(&mut self) {
        self.claim_room();
        self.timers.set(Timer::RoomEnd, self.now.instant + self.config.empty_timeout);
    }

    /// An administrator changes what the room was made with. A room that is empty stays as long as a new one from now
    /// on, so that who has just asked for it can rely on it.
    pub(super) fn configure(&mut self, change: RoomChange) -> Result<AdminReply, AdminError> {
        self.config.limits.state.check_room_change(&change)?;
        let RoomChange { empty_timeout, departure_timeout, max_participants, metadata, tags } = change;
        let config = &mut self.config;
        config.empty_timeout = empty_timeout.unwrap_or(config.empty_timeout);
        config.departure_timeout = departure_timeout.unwrap_or(config.departure_timeout);
        config.max_participants = max_participants.unwrap_or(config.max_participants);
        config.tags = tags.unwrap_or_else(|| std::mem::take(&mut config.tags));
        self.show_configuration();
        metadata.into_iter().for_each(|metadata| self.set_room_metadata(metadata));
        if !self.lifetime.occupied {
            self.timers.set(Timer::RoomEnd, self.now.instant + self.config.empty_timeout);
        }
        Ok(AdminReply::Room(self.info()))
    }

    /// What clients see of the configuration; they are told if it has changed.
    fn show_configuration(&mut self) {
        let config = &self.config;
        let shown =
            (seconds(config.empty_timeout), seconds(config.departure_timeout), config.max_participants);
        let info = &self.info;
        if shown != (info.empty_timeout_s, info.departure_timeout_s, info.max_participants) {
            let info = Arc::make_mut(&mut self.info);
            (info.empty_timeout_s, info.departure_timeout_s, info.max_participants) = shown;
            self.tell_room();
        }
    }

    /// Everyone is told how the room is: at once, unless the last time is not paid for yet.
    pub(super) fn tell_room(&mut self) {
        let bytes = (self.info.metadata.len() as u64).saturating_sub(UPDATE_BYTES_FREE);
        let pause = Duration::from_micros(bytes * 1_000_000 / UPDATE_BYTES_PER_SECOND).min(UPDATE_PAUSE_MAX);
        let at = self.lifetime.told_at.map_or(self.now.instant, |last| last + pause);
        self.timers.set_by(Timer::RoomUpdate, at.max(self.now.instant));
    }

    /// Someone has come.
    pub(super) fn occupied(&mut self) {
        if !self.lifetime.occupied && self.has_occupants() {
            self.lifetime.occupied = true;
            self.timers.cancel(Timer::RoomEnd);
        }
    }

    /// Someone has left.
    pub(super) fn vacated(&mut self) {
        if self.lifetime.occupied && !self.has_occupants() {
            self.lifetime.occupied = false;
            self.timers.set(Timer::RoomEnd, self.now.instant + self.config.departure_timeout);
        }
    }

    /// Nobody has come, or come back.
    pub(super) fn room_end_due(&mut self) {
        if self.claims.is_empty() {
            self.end(DisconnectReason::RoomClosed, LeaveAction::Disconnect);
        } else {
            self.timers.set(Timer::RoomEnd, self.now.instant + END_RETRY);
        }
    }

    /// The node stops.
    pub(super) fn shut_down(&mut self, action: LeaveAction) {
        self.end(DisconnectReason::ServerShutdown, action);
    }

    /// Everyone has to leave, and the room is gone.
    pub(super) fn end(&mut self, reason: DisconnectReason, action: LeaveAction) {
        if self.closed {
            return;
        }
        self.closed = true;
        self.refuse_pending();
        let peers: Vec<_> = self.members.iter().map(|member| member.peer).collect();
        for peer in peers {
            self.remove(peer, Departure::ended(reason, action));
        }
        self.end_last_wills();
        self.notice_finished(reason);
        self.release_room();
        self.timers.clear();
        self.close_if_settled();
    }

    /// Nothing follows the end, so it waits for records that are being claimed: they are given back first.
    pub(super) fn close_if_settled(&mut self) {
        if self.claims.is_settled() {
            self.outputs.push_back(Output::Closed);
        }
    }

    /// What this participant counts as has changed.
    pub(super) fn count_changed(&mut self, peer: PeerId) {
        self.members.recount(peer);
        self.counts_changed();
    }

    /// Who is there has changed: it is told with the next update.
    pub(super) fn counts_changed(&mut self) {
        let Counts { occupants, publishers, recorders } = self.members.counts();
        let recording = recorders > 0;
        let info = Arc::make_mut(&mut self.info);
        let before = (info.num_participants, info.num_publishers);
        info.num_participants = u32::try_from(occupants).unwrap_or(u32::MAX);
        info.num_publishers = u32::try_from(publishers).unwrap_or(u32::MAX);
        let changed = before != (info.num_participants, info.num_publishers);
        if std::mem::replace(&mut info.active_recording, recording) != recording {
            self.timers.set(Timer::RoomUpdate, self.now.instant);
        } else if changed {
            let last = self.lifetime.told_at.map_or(self.now.instant, |last| last + COUNTS_PAUSE);
            self.timers.set_by(Timer::RoomUpdate, last.max(self.now.instant));
        }
    }

    /// Everyone is told how the room is.
    pub(super) fn room_update_due(&mut self) {
        self.lifetime.told_at = Some(self.now.instant);
        let connections = self.members.iter().filter_map(|member| member.connection).collect();
        self.broadcast(connections, Response::RoomUpdate(self.info()));
    }

    fn has_occupants(&self) -> bool {
        self.members.counts().occupants > 0
    }
}
