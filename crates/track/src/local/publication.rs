//! The way of a track from the wish to publish it to its end, over every session (protocol §5.1, §5.9).

use std::sync::Arc;
use std::time::Instant;

use trackyard_proto::signal::{DataTrackPublication, Echo, Reason};
use trackyard_proto::{DataTrackInfo, Encryption, Request};
use trackyard_wire::Handle;

use super::{
    Holder, LocalEvent, LocalTrackId, LocalTrackStats, LocalTracks, PublishError, PublishOptions, State,
    Track,
};
use crate::local::track::Wish;

impl LocalTracks {
    /// Asks the server to publish a track; the answer is an event.
    ///
    /// # Errors
    /// [`PublishError`] if there is no need to ask.
    pub fn publish(&mut self, options: PublishOptions, now: Instant) -> Result<LocalTrackId, PublishError> {
        options.check()?;
        if !self.can_encrypt(options.encryption) {
            return Err(PublishError::NoEncryptor);
        }
        if self.names.contains(&options.name) {
            return Err(PublishError::DuplicateName);
        }
        let id = LocalTrackId::new(self.last_id + 1);
        let handle = self.handles.take(id).ok_or(PublishError::LimitReached)?;
        let last_will = match self.seal_last_will(handle, &options, now) {
            Ok(last_will) => last_will,
            Err(error) => {
                self.handles.free(handle);
                return Err(error);
            }
        };
        self.last_id += 1;
        self.names.insert(options.name.clone());
        self.tracks.insert(id, Track::new(handle, options, last_will));
        self.say(id, now);
        Ok(id)
    }

    /// The server has taken a track.
    pub fn published(&mut self, answer: &DataTrackPublication, now: Instant) {
        let Some(handle) = Handle::new(answer.info.pub_handle) else {
            self.stray_answers += 1;
            return;
        };
        match self.handles.holder(handle) {
            Some(Holder::Track(id)) => {
                self.confirm(id, answer);
                self.give_again(now);
            }
            // It has been told already that the track is to go.
            Some(Holder::Leaving) => {}
            Some(Holder::Abandoned) | None => {
                self.stray_answers += 1;
                self.leave(handle);
            }
        }
    }

    /// The server refuses a request of these tracks: to publish one, or to unpublish one.
    pub fn refused(&mut self, echo: &Echo, refusal: (Reason, &str), now: Instant) {
        let handle = echo.data_track_handle().and_then(|handle| u16::try_from(handle).ok());
        let Some(handle) = handle.and_then(Handle::new) else { return };
        if matches!(refusal.0, Reason::Ok | Reason::Queued) {
            return;
        }
        match (self.handles.holder(handle), echo.publish_data_track().is_some()) {
            (Some(Holder::Track(id)), true) => self.refuse(id, refusal, now),
            (Some(Holder::Abandoned), true) | (Some(Holder::Leaving), false) => self.handles.free(handle),
            _ => self.stray_answers += 1,
        }
    }

    /// Unpublishes a track and drops what waits; answers what it has counted.
    pub fn unpublish(&mut self, track: LocalTrackId) -> Option<LocalTrackStats> {
        let handle = self.tracks.get(&track)?.handle;
        let was_said = self.is_signalling || self.tracks.get_mut(&track)?.is_known_to_server();
        let stats = self.remove(track);
        if was_said {
            self.leave(handle);
        } else {
            self.handles.free(handle);
        }
        stats
    }

    /// The server no longer publishes a track, whether it was asked to or not.
    pub fn unpublished(&mut self, info: &DataTrackInfo) {
        let holder =
            Handle::new(info.pub_handle).and_then(|handle| Some((handle, self.handles.holder(handle)?)));
        match holder {
            Some((handle, Holder::Leaving | Holder::Abandoned)) => self.handles.free(handle),
            Some((handle, Holder::Track(id))) if self.is_named_by(id, info) => {
                if let Some(stats) = self.remove(id) {
                    self.events.push_back(LocalEvent::Unpublished { track: id, stats });
                }
                self.handles.free(handle);
            }
            _ => self.stray_answers += 1,
        }
    }

    /// What is said is not heard until [`resume`](Self::resume) or [`restart`](Self::restart): nothing is
    /// said, and what the server has not answered is given the time anew.
    pub fn pause(&mut self) {
        self.is_signalling = false;
        self.requests.clear();
        self.timers.clear();
        for track in self.tracks.values_mut() {
            track.timer = None;
            if let Some(wish) = track.wish() {
                wish.silence();
            }
        }
    }

    /// The session goes on: what has not been answered is said again.
    pub fn resume(&mut self, now: Instant) {
        self.pause();
        self.is_signalling = true;
        for handle in self.handles.leaving() {
            self.leave(handle);
        }
        self.say_wishes(now);
    }

    /// Another session has begun, the first or one in place of the one before: every track is published
    /// anew, under the same handle and name. Frames pushed until the server has taken it are dropped.
    pub fn restart(&mut self, now: Instant) {
        self.pause();
        self.is_signalling = true;
        self.handles.keep_tracks();
        let ids: Vec<LocalTrackId> = self.tracks.keys().copied().collect();
        for id in ids {
            self.forget_session(id);
            self.reseal_last_will(id, now);
        }
        self.say_wishes(now);
    }

    /// The sids of what is published, for the message that resumes a session (protocol §5.9).
    #[must_use]
    pub fn sync_state(&self) -> Vec<Option<String>> {
        self.tracks.values().filter_map(|track| Some(Some(track.sid()?.to_owned()))).collect()
    }

    /// Something is due with a wish.
    pub(super) fn wish_due(&mut self, id: LocalTrackId, now: Instant) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        track.timer = None;
        let handle = track.handle;
        match track.wish() {
            Some(wish) if wish.is_overdue(now) => {
                self.fail(id, PublishError::Timeout);
                self.handles.set(handle, Holder::Abandoned);
            }
            Some(wish) if wish.is_retry_due(now) => {
                wish.retry = None;
                let request = track.request();
                self.requests.push_back(request);
                self.arm(id);
            }
            _ => self.arm(id),
        }
    }

    fn can_encrypt(&self, encryption: Encryption) -> bool {
        match encryption {
            Encryption::None => true,
            Encryption::Gcm => self.encryptor.is_some(),
            Encryption::Custom => false,
        }
    }

    fn say_wishes(&mut self, now: Instant) {
        let unanswered = self.tracks.iter().filter(|(_, track)| track.sid().is_none());
        let ids: Vec<LocalTrackId> = unanswered.map(|(id, _)| *id).collect();
        for id in ids {
            self.say(id, now);
        }
    }

    /// Says a wish, if anyone hears it.
    fn say(&mut self, id: LocalTrackId, now: Instant) {
        let Some(track) = self.tracks.get_mut(&id).filter(|_| self.is_signalling) else { return };
        let request = track.request();
        if let Some(wish) = track.wish() {
            wish.said(now);
            self.requests.push_back(request);
            self.arm(id);
        }
    }

    fn confirm(&mut self, id: LocalTrackId, answer: &DataTrackPublication) {
        let DataTrackPublication { info, last_will, latched } = answer;
        let (last_will, latched) = (*last_will, *latched);
        let Some(track) = self.tracks.get_mut(&id).filter(|track| track.options.name == info.name) else {
            self.stray_answers += 1;
            return;
        };
        let published = State::Published(info.sid.clone());
        let info = Arc::clone(info);
        let event = match track.state {
            State::Published(_) => {
                self.stray_answers += 1;
                return;
            }
            State::Pending(_) => LocalEvent::Published { track: id, info, last_will, latched },
            State::Republishing(_) => LocalEvent::Republished { track: id, info, last_will, latched },
        };
        track.state = published;
        track.is_will_kept = last_will;
        track.latch.set_kept(latched);
        track.is_single = true;
        self.outbox.add_lane(track.handle, track.options.rules.lane_rules(1));
        self.events.push_back(event);
        self.arm(id);
    }

    fn refuse(&mut self, id: LocalTrackId, (reason, message): (Reason, &str), now: Instant) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let handle = track.handle;
        match (&mut track.state, reason) {
            (State::Published(_), _) => {
                self.stray_answers += 1;
            }
            // Once something is heard again, it is said again.
            (_, Reason::DuplicateName | Reason::DuplicateHandle) if !self.is_signalling => {}
            // The server had published it before it was asked again: the answer was lost.
            (State::Pending(wish) | State::Republishing(wish), Reason::DuplicateHandle) if wish.repeated => {
                wish.repeated = false;
                self.requests.push_back(Request::unpublish_data_track(handle.get().into()));
                self.say(id, now);
            }
            // The session before this one is not quite gone.
            (State::Republishing(wish), Reason::DuplicateName | Reason::DuplicateHandle) => {
                wish.retry_later(now);
                self.arm(id);
            }
            (State::Pending(_) | State::Republishing(_), _) => {
                let message = message.to_owned();
                self.fail(id, PublishError::Refused { reason, message });
                self.handles.free(handle);
            }
        }
    }

    fn fail(&mut self, id: LocalTrackId, error: PublishError) {
        let was_published =
            self.tracks.get(&id).is_some_and(|track| matches!(track.state, State::Republishing(_)));
        let Some(stats) = self.remove(id) else { return };
        self.events.push_back(if was_published {
            LocalEvent::RepublishFailed { track: id, error, stats }
        } else {
            LocalEvent::PublishFailed { track: id, error }
        });
    }

    /// Takes a track out, with what waits in its lane; its handle is the caller's to settle.
    fn remove(&mut self, id: LocalTrackId) -> Option<LocalTrackStats> {
        let track = self.tracks.remove(&id)?;
        self.names.remove(&track.options.name);
        if let Some(at) = track.timer {
            self.timers.remove(&(at, id));
        }
        let lane = self.outbox.remove_lane(track.handle).unwrap_or_default();
        Some(track.tally.stats(lane, 0))
    }

    /// Says that whatever has this handle is to go.
    fn leave(&mut self, handle: Handle) {
        self.handles.set(handle, Holder::Leaving);
        if self.is_signalling {
            self.requests.push_back(Request::unpublish_data_track(handle.get().into()));
        }
    }

    /// The server has forgotten the track, or never heard of it.
    fn forget_session(&mut self, id: LocalTrackId) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        match &mut track.state {
            State::Pending(wish) | State::Republishing(wish) => *wish = Wish::default(),
            State::Published(_) => {
                track.state = State::Republishing(Wish::default());
                track.leave_place_for_last_will();
                track.latch.session_lost();
                let waiting = self.outbox.lane_frames_waiting(track.handle).unwrap_or_default();
                if let Some(stats) = self.outbox.remove_lane(track.handle) {
                    track.tally.end_lane(stats, waiting);
                }
            }
        }
    }

    /// It speaks of this publication of the track, and not of an earlier one.
    fn is_named_by(&self, id: LocalTrackId, info: &DataTrackInfo) -> bool {
        let sid = self.tracks.get(&id).and_then(Track::sid);
        sid.is_some_and(|sid| info.sid.is_empty() || info.sid == sid)
    }

    /// Arms a track's timer for what is due first.
    fn arm(&mut self, id: LocalTrackId) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let due = track.due();
        let before = std::mem::replace(&mut track.timer, due);
        if let Some(at) = before {
            self.timers.remove(&(at, id));
        }
        if let Some(at) = due {
            self.timers.insert((at, id));
        }
    }
}

impl Track {
    /// The server may have heard of it in this session.
    fn is_known_to_server(&mut self) -> bool {
        self.wish().is_none_or(|wish| wish.repeated)
    }
}
