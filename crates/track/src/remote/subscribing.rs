//! The way of a subscription from the wish to its end, over every session (protocol §5.3, §5.9).

use std::time::Instant;

use trackyard_proto::Encryption;
use trackyard_proto::sid::SidKind;
use trackyard_proto::signal::{SubscriberHandle, SubscriptionOptions};
use trackyard_wire::Handle;

use super::{RemoteEvent, RemoteTrackId, RemoteTracks, SubscribeError, SubscriptionId};
use crate::remote::track::{Phase, Subscription};

impl RemoteTracks {
    /// Subscribes to a track. Several subscriptions share one at the server, which sends as many frames
    /// as any of them asks for.
    ///
    /// # Errors
    /// [`SubscribeError`] if there is no need to ask.
    pub fn subscribe(
        &mut self,
        track: RemoteTrackId,
        options: SubscriptionOptions,
        now: Instant,
    ) -> Result<SubscriptionId, SubscribeError> {
        let subscription = SubscriptionId(self.next_id());
        let known = self.tracks.get_mut(&track).filter(|track| track.is_announced);
        let known = known.ok_or(SubscribeError::Unpublished)?;
        if known.info.encryption != Encryption::None && self.decryptor.is_none() {
            return Err(SubscribeError::NoDecryptor);
        }
        known.subscriptions.insert(subscription, Subscription { options, is_told: false });
        if known.phase == Phase::Idle {
            known.phase = Phase::Asked(None);
        }
        let is_active = known.phase == Phase::Active;
        self.subscriptions.insert(subscription, track);
        self.ask_if_changed(track, now);
        if is_active {
            self.tell(track);
        }
        Ok(subscription)
    }

    /// Ends a subscription; the last one of a track ends that at the server.
    pub fn unsubscribe(&mut self, subscription: SubscriptionId, now: Instant) {
        let Some(id) = self.subscriptions.remove(&subscription) else { return };
        let Some(track) = self.tracks.get_mut(&id) else { return };
        track.subscriptions.remove(&subscription);
        if track.is_subscribed() {
            self.ask_if_changed(id, now);
        } else {
            self.give_up(id, now);
        }
    }

    /// Handles under which packets of tracks come from now on: those that are not in it stay.
    pub fn handles(&mut self, handles: &[SubscriberHandle]) {
        for SubscriberHandle { handle, track } in handles {
            let sid = track.track_sid.as_str();
            match (Handle::new(*handle), self.by_sid.get(sid).copied()) {
                (Some(handle), Some(id)) => self.bind(handle, id),
                (Some(handle), None) if self.keep_early(sid, handle) => {}
                _ => self.counters.invalid_handles += 1,
            }
        }
    }

    /// A publisher has allowed a track to this client, or forbidden it. If a subscription comes to
    /// nothing, that is why.
    pub fn permission(&mut self, track_sid: &str, is_allowed: bool) {
        let id = self.by_sid.get(track_sid);
        if let Some(track) = id.and_then(|id| self.tracks.get_mut(id)) {
            track.is_forbidden = !is_allowed;
        }
    }

    /// What is said is not heard until [`resume`](Self::resume) or [`restart`](Self::restart): nothing is
    /// said, and what the server has not answered is given the time anew.
    pub fn pause(&mut self) {
        self.is_signalling = false;
        self.epoch += 1;
        for change in self.changes.drain(..) {
            let id = self.by_sid.get(&change.track_sid);
            if let Some(track) = id.and_then(|id| self.tracks.get_mut(id)) {
                track.said = None;
            }
        }
        let waiting = self.tracks.values_mut();
        let asked: Vec<RemoteTrackId> =
            waiting.filter_map(|track| track.stop_waiting().then_some(track.id)).collect();
        asked.into_iter().for_each(|id| self.arm(id));
    }

    /// The session goes on, with subscriptions and handles: what has not been answered is said again.
    pub fn resume(&mut self, now: Instant) {
        self.pause();
        self.is_signalling = true;
        let unanswered = self
            .tracks
            .values()
            .filter(|track| track.phase != Phase::Active || track.said != Some(track.wanted()));
        let unanswered: Vec<RemoteTrackId> = unanswered.map(|track| track.id).collect();
        for id in unanswered {
            self.ask(id, now);
        }
    }

    /// Tells the server what a track's subscriptions wish, if there are any and it can hear.
    pub(super) fn ask(&mut self, id: RemoteTrackId, now: Instant) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        if !self.is_signalling || !track.is_announced || !track.is_subscribed() {
            return;
        }
        track.asked(now);
        track.said = Some(track.wanted());
        self.changes.push_back(track.wish());
        self.arm(id);
    }

    /// A handle may have come before its track.
    pub(super) fn bind_early(&mut self, id: RemoteTrackId) {
        let Some(track) = self.tracks.get(&id) else { return };
        if let Some(handle) = self.routes.announced(&track.info.sid) {
            self.bind(handle, id);
        }
    }

    /// A packet of a track that is not wanted has come: an earlier message was not heard.
    pub(super) fn decline_again(&mut self, id: RemoteTrackId) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        if self.is_signalling && track.declined != self.epoch {
            track.declined = self.epoch;
            self.changes.push_back(track.decline());
        }
    }

    /// A subscription that has worked has waited for a new handle for long: perhaps it was not heard.
    pub(super) fn ask_once_more_if_due(&mut self, id: RemoteTrackId, now: Instant) {
        if self.tracks.get_mut(&id).is_some_and(|track| track.take_repeat(now)) {
            self.ask(id, now);
        }
    }

    pub(super) fn fail_if_overdue(&mut self, id: RemoteTrackId, now: Instant) {
        let Some(track) = self.tracks.get_mut(&id).filter(|track| track.is_overdue(now)) else { return };
        let error = track.timeout_error();
        let gone = std::mem::take(&mut track.subscriptions);
        let subscriptions: Vec<SubscriptionId> = gone.into_keys().collect();
        for subscription in &subscriptions {
            self.subscriptions.remove(subscription);
        }
        self.event(RemoteEvent::SubscribeFailed { track: id, subscriptions, error });
        self.give_up(id, now);
    }

    fn ask_if_changed(&mut self, id: RemoteTrackId, now: Instant) {
        if self.tracks.get(&id).is_some_and(|track| track.said != Some(track.wanted())) {
            self.ask(id, now);
        }
    }

    /// Nobody wants the track any more.
    fn give_up(&mut self, id: RemoteTrackId, now: Instant) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let held = track.assembler.bytes();
        track.assembler.clear(now);
        track.phase = Phase::Idle;
        track.said = None;
        track.declined = 0;
        let is_announced = track.is_announced;
        self.settle(id, held);
        if is_announced {
            self.decline_again(id);
        } else {
            self.forget(id);
        }
    }

    fn keep_early(&mut self, sid: &str, handle: Handle) -> bool {
        let is_sid = sid.starts_with(SidKind::DataTrack.prefix()) && sid.len() <= super::SID_BYTES_MAX;
        is_sid && self.routes.keep(sid, handle)
    }

    fn bind(&mut self, handle: Handle, id: RemoteTrackId) {
        if let Some(before) = self.routes.bind(handle, id).and_then(|id| self.tracks.get_mut(&id)) {
            before.handle = None;
        }
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let old = track.handle.replace(handle).filter(|old| *old != handle);
        track.lingers_until = None;
        self.routes.release(old);
        if track.is_subscribed() {
            track.phase = Phase::Active;
            self.tell(id);
            self.arm(id);
        }
    }

    fn tell(&mut self, id: RemoteTrackId) {
        let Some(track) = self.tracks.get_mut(&id) else { return };
        let subscriptions = track.tell();
        if !subscriptions.is_empty() {
            self.event(RemoteEvent::Subscribed { track: id, subscriptions });
        }
    }
}
