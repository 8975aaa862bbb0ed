//! What participants want of data tracks, and whether they may have it (protocol §5.3).
//!
//! A subscription that is forbidden stays wanted and comes back with the permission, under a new handle.

use std::time::Duration;

use trackyard_proto::Response;
use trackyard_proto::signal::{DataSubscription, SubscriptionOptions};

use super::Room;
use super::member::Member;
use super::subscriptions::{Subscription, Wish};
use super::timers::Timer;
use super::track::Track;
use crate::control::{PeerId, TrackKey};

/// A track that nobody knows may still appear within this.
const PENDING_MAX: Duration = Duration::from_secs(60);

/// No track has a longer sid.
const SID_BYTES_MAX: usize = 64;

impl Room {
    /// A client changes what it wants.
    pub(super) fn update_subscriptions(&mut self, peer: PeerId, updates: Vec<DataSubscription>) {
        for DataSubscription { track_sid, subscribe, options } in updates {
            if subscribe {
                self.want(peer, track_sid, options);
            } else {
                self.no_longer_want(peer, &track_sid);
            }
        }
    }

    /// An administrator changes what a participant wants. How it wants it stays.
    pub(super) fn subscribe_for(&mut self, peer: PeerId, track_sids: Vec<String>, subscribe: bool) {
        for sid in track_sids {
            if subscribe {
                let options = self.wanted_options(peer, &sid).unwrap_or_default();
                self.want(peer, sid, options);
            } else {
                self.no_longer_want(peer, &sid);
            }
        }
    }

    fn wanted_options(&self, peer: PeerId, sid: &str) -> Option<SubscriptionOptions> {
        let key = self.tracks.by_sid(sid)?;
        Some(self.members.get(peer)?.subscriptions.by_track.get(&key)?.options)
    }

    /// Brings a subscription to what is permitted now.
    pub(super) fn reconcile(&mut self, peer: PeerId, key: TrackKey) {
        let Some((member, track)) = self.pair(peer, key) else { return };
        let Some(subscription) = member.subscriptions.by_track.get(&key) else { return };
        let admitted = self.is_admitted(member, track);
        let allowed = admitted && member.face().permission.can_subscribe && self.is_visible_to(track, peer);
        match (allowed, subscription.route) {
            (true, None) => self.start(peer, key),
            (false, Some(route)) => self.stop(peer, key, route),
            _ => {}
        }
        self.tell_admission(peer, key, admitted);
    }

    /// Everything a participant wants, after a change of what it may do.
    pub(super) fn reconcile_subscriber(&mut self, peer: PeerId) {
        let Some(member) = self.members.get(peer) else { return };
        let keys: Vec<_> = member.subscriptions.by_track.keys().copied().collect();
        keys.into_iter().for_each(|key| self.reconcile(peer, key));
    }

    /// Everyone who wants something of a publisher, after a change of whom it admits.
    pub(super) fn reconcile_publisher(&mut self, peer: PeerId) {
        let keys = self.members.get(peer).map(|member| member.published.keys()).unwrap_or_default();
        for key in keys {
            let wanted = self.tracks.get(key).map(|track| track.wanted.clone()).unwrap_or_default();
            wanted.into_iter().for_each(|subscriber| self.reconcile(subscriber, key));
        }
    }

    /// A track is new: someone may have asked for it already.
    pub(super) fn satisfy_pending(&mut self, key: TrackKey) {
        let Some(sid) = self.tracks.get(key).map(|track| track.info.sid.clone()) else { return };
        for peer in self.pending.clone() {
            let Some(member) = self.members.get_mut(peer) else { continue };
            if let Some(wish) = member.subscriptions.pending.remove(&sid) {
                self.want(peer, sid.clone(), wish.options);
            }
        }
    }

    /// The oldest wishes for unknown tracks have waited long enough.
    pub(super) fn pending_due(&mut self, peer: PeerId) {
        let Some(member) = self.members.get_mut(peer) else { return };
        let pending = &mut member.subscriptions.pending;
        self.counters.subscriptions_expired += pending.expire(self.now.instant);
        match pending.next() {
            Some(next) => self.timers.set(Timer::Pending(peer), next),
            None => drop(self.pending.remove(&peer)),
        }
    }

    /// A participant leaves: nothing is wanted any more.
    pub(super) fn withdraw_subscriptions(&mut self, peer: PeerId) {
        self.pending.remove(&peer);
        self.ready.remove(&peer);
        let Some(member) = self.members.get(peer) else { return };
        let keys: Vec<_> = member.subscriptions.by_track.keys().copied().collect();
        keys.into_iter().for_each(|key| self.drop_subscription(peer, key));
    }

    /// A track is gone, its routes with it.
    pub(super) fn lose_track(&mut self, peer: PeerId, key: TrackKey) {
        let Some(member) = self.members.get_mut(peer) else { return };
        let route = member.subscriptions.by_track.remove(&key).and_then(|subscription| subscription.route);
        if let Some(route) = route {
            member.subscriptions.handles.release(route.handle);
        }
    }

    fn want(&mut self, peer: PeerId, sid: String, options: SubscriptionOptions) {
        let known = self.tracks.by_sid(&sid);
        let known =
            known.filter(|key| self.tracks.get(*key).is_some_and(|track| self.is_visible_to(track, peer)));
        let Some(key) = known else { return self.await_track(peer, sid, options) };
        let Some(member) = self.members.get_mut(peer) else { return };
        if let Some(subscription) = member.subscriptions.by_track.get_mut(&key) {
            if std::mem::replace(&mut subscription.options, options) != options {
                self.reschedule(peer, key);
            }
            // One that was refused for want of a handle may get one by now.
            return self.reconcile(peer, key);
        }
        member.subscriptions.by_track.insert(key, Subscription { options, ..Subscription::default() });
        if let Some(track) = self.tracks.get_mut(key) {
            track.wanted.insert(peer);
        }
        self.reconcile(peer, key);
    }

    fn await_track(&mut self, peer: PeerId, sid: String, options: SubscriptionOptions) {
        let until = self.now.instant + PENDING_MAX;
        let max = self.config.limits.pending_subscriptions;
        let Some(member) = self.members.get_mut(peer) else { return };
        self.counters.subscriptions_unknown += 1;
        let wish = Wish { until, options };
        if sid.len() <= SID_BYTES_MAX && member.subscriptions.pending.insert(sid, wish, max) {
            self.pending.insert(peer);
            self.timers.set_by(Timer::Pending(peer), until);
        } else {
            self.counters.subscriptions_dropped += 1;
        }
    }

    fn no_longer_want(&mut self, peer: PeerId, sid: &str) {
        if let Some(member) = self.members.get_mut(peer) {
            member.subscriptions.pending.remove(sid);
        }
        if let Some(key) = self.tracks.by_sid(sid) {
            self.drop_subscription(peer, key);
        }
    }

    fn drop_subscription(&mut self, peer: PeerId, key: TrackKey) {
        let route = self.members.get(peer).and_then(|member| member.subscriptions.route(key));
        if let Some(route) = route {
            self.stop(peer, key, route);
        }
        if let Some(member) = self.members.get_mut(peer) {
            member.subscriptions.by_track.remove(&key);
        }
        if let Some(track) = self.tracks.get_mut(key) {
            track.wanted.remove(&peer);
            track.unannounced.retain(|waiting| *waiting != peer);
        }
    }

    /// Says whether the publisher and the token admit a subscriber, when that has changed.
    fn tell_admission(&mut self, peer: PeerId, key: TrackKey, admitted: bool) {
        let Some(subscription) =
            self.members.get_mut(peer).and_then(|member| member.subscriptions.by_track.get_mut(&key))
        else {
            return;
        };
        if std::mem::replace(&mut subscription.told_denied, !admitted) != admitted {
            return;
        }
        let Some(track) = self.tracks.get(key) else { return };
        let Some(publisher) = self.members.get(track.publisher) else { return };
        let (participant_sid, track_sid) = (publisher.sid().to_owned(), track.info.sid.clone());
        self.tell(
            peer,
            Response::SubscriptionPermissionUpdate { participant_sid, track_sid, allowed: admitted },
        );
    }

    fn is_admitted(&self, member: &Member, track: &Track) -> bool {
        let Some(publisher) = self.members.get(track.publisher) else { return false };
        let sid = &track.info.sid;
        let by_publisher =
            member.is_recorder() || publisher.audience.admits(member.sid(), member.identity(), sid);
        by_publisher && member.verified.claims.trackyard.may_subscribe(&track.info.name)
    }

    fn is_visible_to(&self, track: &Track, peer: PeerId) -> bool {
        track.publisher == peer || self.members.get(track.publisher).is_some_and(|member| !member.is_hidden())
    }

    /// A participant and a track, if both are there.
    pub(super) fn pair(&self, peer: PeerId, key: TrackKey) -> Option<(&Member, &Track)> {
        Some((self.members.get(peer)?, self.tracks.get(key)?))
    }
}
